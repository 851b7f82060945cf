"""What noise is said to cost is no less than it costs, by its chances and by OpenDP."""

from __future__ import annotations

import math
import os
from fractions import Fraction
from typing import Any, Final

import numpy as np
import opendp.prelude as dp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from scipy.special import logsumexp

from simulator.privacy.budget import epsilon_of, sequential
from simulator.privacy.noise.exact import discrete_laplace
from simulator.privacy.noise.guarantees import (
    gaussian_cost,
    laplace_cost,
    skellam_cost,
    skellam_variance,
)
from simulator.privacy.noise.laws import Mechanism, sum_law
from simulator.privacy.noise.shares import laplace_share, skellam_share
from simulator.privacy.sources import keyed_source
from simulator.privacy.spending import DELTA, plan_spending
from tests.support.draws import chance_of

_MANY: Final = int(os.environ.get("EXAMPLES", "1000"))
_quick = settings(derandomize=True, max_examples=40, deadline=None)
scales = st.fractions(min_value=Fraction(1, 4), max_value=40, max_denominator=20)
variances = st.fractions(min_value=2, max_value=400, max_denominator=20)


def skellam(
    variance: float, moved: int, order: int = 1
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The logarithms of the chances of Skellam noise, and of the same moved, far into the tails.

    The chance of k is the sum over j of Poisson chances of j + k and of j.
    """
    reach = math.ceil(30 * math.sqrt(variance)) + 30 + 2 * order * moved
    terms = np.arange(math.ceil(variance / 2 + 30 * math.sqrt(variance)) + 60)
    places = np.arange(reach + moved + 1)
    poisson = stats.poisson(variance / 2)
    sums = poisson.logpmf(terms) + poisson.logpmf(terms + places[:, None])
    chances = logsumexp(sums, axis=1)
    around = np.arange(-reach, reach + 1)
    return chances[np.abs(around)], chances[np.abs(around - moved)]


@_quick
@given(scale=scales, moved=st.integers(1, 12))
def test_opendp_says_the_same_of_laplace_noise(scale: Fraction, moved: int) -> None:
    dp.enable_features("contrib")
    noise: Any = dp.m.make_laplace(
        dp.vector_domain(dp.atom_domain(T=int)), dp.l1_distance(T=int), scale=float(scale)
    )
    cost = laplace_cost(scale, moved)
    assert cost.pure is not None
    assert noise.map(moved) == pytest.approx(float(cost.pure), rel=1e-12)


@_quick
@given(variance=variances, moved=st.integers(1, 12))
def test_opendp_says_the_same_of_gaussian_noise(variance: Fraction, moved: int) -> None:
    dp.enable_features("contrib")
    noise: Any = dp.m.make_gaussian(
        dp.atom_domain(T=int), dp.absolute_distance(T=float), scale=math.sqrt(variance)
    )
    cost = gaussian_cost(variance, moved**2)
    assert cost.pure is None
    assert noise.map(float(moved)) == pytest.approx(float(cost.zcdp), rel=1e-9)


@_quick
@given(scale=scales, moved=st.integers(1, 3), more=st.integers(0, 30))
def test_no_chance_is_moved_by_more_than_epsilon(scale: Fraction, moved: int, more: int) -> None:
    """Also where more answered than shares were made for: what they add hides only more."""
    cost = laplace_cost(scale, moved)
    assert cost.pure is not None
    chances = sum_law(Mechanism.LAPLACE, scale, 30, 30 + more).probabilities(
        math.ceil(8 * scale) + moved
    )
    ratio = np.abs(np.log(chances[moved:] / chances[:-moved])).max()
    assert ratio <= float(cost.pure) + 1e-6


@_quick
@given(scale=scales)
def test_with_fewer_than_promised_epsilon_is_passed(scale: Fraction) -> None:
    """So a release must not be made of them."""
    chances = sum_law(Mechanism.LAPLACE, scale, 68, 60).probabilities(1)
    assert math.log(chances[1] / chances[0]) > 1 / scale


@_quick
@given(variance=variances, moved=st.integers(1, 3), order=st.integers(2, 64))
def test_skellam_noise_costs_no_more_than_the_published_bound(
    variance: Fraction, moved: int, order: int
) -> None:
    one, other = skellam(float(variance), moved, order)
    exact = logsumexp(order * one + (1 - order) * other) / (order - 1)
    assert exact <= order * float(skellam_cost(variance, moved, moved**2).zcdp) * (1 + 1e-9)


@_quick
@given(variance=variances)
def test_the_bound_for_skellam_noise_is_near_that_of_a_gaussian(variance: Fraction) -> None:
    ours, theirs = skellam_cost(variance, 1, 1).zcdp, gaussian_cost(variance, 1).zcdp
    assert theirs < ours < theirs * (1 + 3 / variance)


@_quick
@given(
    zcdp=st.fractions(min_value=Fraction(1, 1000), max_value=3, max_denominator=1000),
    tables=st.integers(1, 60),
    sites=st.integers(1, 8),
)
def test_the_variance_is_the_least_that_costs_no_more(
    zcdp: Fraction, tables: int, sites: int
) -> None:
    moved = tables * sites, tables * sites**2
    variance = skellam_variance(zcdp, *moved)
    assert skellam_cost(variance, *moved).zcdp <= zcdp
    assert skellam_cost(variance - Fraction(1, 1024), *moved).zcdp > zcdp


def test_seven_missing_of_68_raise_an_epsilon_of_one_by_a_tenth() -> None:
    chances = sum_law(Mechanism.LAPLACE, Fraction(1), 68, 61).probabilities(12)
    assert np.abs(np.diff(np.log(chances))).max() == pytest.approx(1.10, abs=0.005)


@pytest.mark.parametrize("epsilon", [0.25, 1.0, 4.0])
def test_epsilon_and_delta_hold_for_skellam_noise(epsilon: float) -> None:
    """The sum of P - e^epsilon P' where positive is the exact delta at that epsilon."""
    (scale,) = plan_spending(["survival"], epsilon, mechanism=Mechanism.SKELLAM).values()
    assert epsilon_of(sequential([scale.cost]).zcdp, DELTA) <= epsilon
    one, other = skellam(float(scale.parameter), 1)
    for more, less in ((one, other), (other, one)):
        exact = np.maximum(np.exp(more) - np.exp(epsilon + less), 0).sum()
        assert exact <= DELTA


@pytest.mark.laws
@settings(derandomize=False, max_examples=min(_MANY, 200), deadline=None, database=None)
@given(scale=scales, parts=st.integers(1, 20), seed=st.binary(min_size=8, max_size=8))
def test_shares_and_rejection_have_one_law(scale: Fraction, parts: int, seed: bytes) -> None:
    """Two samplers that share no line, against the chances that a third way gives."""
    reach = math.ceil(3 * scale)
    shares = sum(
        laplace_share(4000, scale, parts, keyed_source(seed, str(n))) for n in range(parts)
    )
    assert isinstance(shares, np.ndarray)
    chances = sum_law(Mechanism.LAPLACE, scale, 1, 1).probabilities(reach)
    assert chance_of(shares, chances) > 1e-7
    assert chance_of(discrete_laplace(4000, scale, keyed_source(seed)), chances) > 1e-7


@pytest.mark.laws
@settings(derandomize=False, max_examples=min(_MANY, 200), deadline=None, database=None)
@given(
    variance=variances,
    parts=st.integers(1, 20),
    missing=st.integers(0, 19),
    seed=st.binary(min_size=8, max_size=8),
)
def test_the_skellam_shares_of_those_who_answer_have_the_stated_law(
    variance: Fraction, parts: int, missing: int, seed: bytes
) -> None:
    answering = max(1, parts - missing)
    shares = sum(
        skellam_share(4000, variance, parts, keyed_source(seed, str(n))) for n in range(answering)
    )
    assert isinstance(shares, np.ndarray)
    law = sum_law(Mechanism.SKELLAM, variance, parts, answering)
    assert chance_of(shares, law.probabilities(math.ceil(2 * math.sqrt(law.variance)))) > 1e-7
