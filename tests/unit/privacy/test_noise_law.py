"""The law of a noisy sum, by its closed forms and by the sampler for simulations."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from simulator.privacy.noise.laws import Law, Mechanism, sum_law
from tests.support.draws import chance_of

LAWS = [
    sum_law(Mechanism.LAPLACE, Fraction(1), 68, 68),
    sum_law(Mechanism.LAPLACE, Fraction(10, 7), 61, 68),
    sum_law(Mechanism.LAPLACE, Fraction(25), 4, 3),
    sum_law(Mechanism.SKELLAM, Fraction(30), 68, 61),
    sum_law(Mechanism.SKELLAM, Fraction(1, 4), 2, 3),
]


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_chances_add_up_and_vary_as_stated(law: Law) -> None:
    reach = math.ceil(60 * math.sqrt(law.variance)) + 60
    chances = law.probabilities(reach)
    assert chances.shape == (2 * reach + 1,)
    assert chances.min() > -1e-14
    assert chances.sum() == pytest.approx(1, abs=1e-12)
    assert chances @ np.arange(-reach, reach + 1) ** 2 == pytest.approx(law.variance, rel=1e-9)


@pytest.mark.parametrize("epsilon", [0.05, 0.5, 1, 3])
def test_the_whole_noise_has_the_closed_form(epsilon: float) -> None:
    law = sum_law(Mechanism.LAPLACE, 1 / Fraction(epsilon), 1, 1)
    q = math.exp(-epsilon)
    closed = (1 - q) / (1 + q) * q ** np.abs(np.arange(-30, 31))
    np.testing.assert_allclose(law.probabilities(30), closed, rtol=0, atol=1e-14)
    assert law.variance == pytest.approx(2 * q / (1 - q) ** 2)


def test_the_noise_of_some_is_the_difference_of_two_negative_binomials() -> None:
    law = sum_law(Mechanism.LAPLACE, Fraction(2), 68, 61)
    one = stats.nbinom.pmf(np.arange(200), 61 / 68, -math.expm1(-0.5))
    np.testing.assert_allclose(
        law.probabilities(20), np.correlate(one, one, "full")[179:220], rtol=0, atol=1e-13
    )


def test_skellam_noise_is_the_difference_of_two_poisson_counts() -> None:
    law = sum_law(Mechanism.SKELLAM, Fraction(50), 5, 4)
    closed = stats.skellam.pmf(np.arange(-30, 31), 20, 20)
    np.testing.assert_allclose(law.probabilities(30), closed, rtol=0, atol=1e-13)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_the_sampler_for_simulations_has_the_law(law: Law) -> None:
    drawn = law.sample((100, 300), np.random.default_rng(7))
    assert drawn.dtype == np.int64
    assert drawn.shape == (100, 300)
    reach = math.ceil(2 * math.sqrt(law.variance))
    assert chance_of(drawn.ravel(), law.probabilities(reach)) > 1e-4


@pytest.mark.parametrize(("parameter", "parts", "answering"), [(0, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_a_law_that_cannot_be_is_refused(parameter: int, parts: int, answering: int) -> None:
    with pytest.raises(ValueError, match="a parameter above 0 and at least 1 party"):
        sum_law(Mechanism.LAPLACE, Fraction(parameter), parts, answering)
