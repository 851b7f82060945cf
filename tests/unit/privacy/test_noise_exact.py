"""Noise by rejection has the laws that it is named after, and OpenDP prices it alike."""

import math
from fractions import Fraction

import numpy as np
import opendp.prelude as dp
import pytest
from scipy import stats

from simulator.privacy.noise.exact import bernoulli_exp, discrete_gaussian, discrete_laplace
from simulator.privacy.sources import ByteSource, keyed_source, system_source
from tests.support.draws import chance_of

DRAWS = 6000
# What this program drew when it was written: a change of them changes every seeded result.
GOLDEN_LAPLACE = [0, 0, 4, -11, 0, 2, 12, 0, 0, -8, -6, -2]
GOLDEN_GAUSSIAN = [2, 0, 2, -3, 3, -3, -2, 5, -1, -1, 3, -6]


def source(*labels: str) -> ByteSource:
    return keyed_source(b"noise by rejection", *labels)


@pytest.mark.parametrize("gamma", ["0", "1/7", "1", "5/3", "4"])
def test_a_coin_of_probability_e_to_minus_gamma(gamma: str) -> None:
    stream = source(gamma)
    heads = sum(bernoulli_exp(Fraction(gamma), stream) for _ in range(DRAWS))
    assert stats.binomtest(heads, DRAWS, math.exp(-Fraction(gamma))).pvalue > 1e-4


def test_a_coin_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 0; found -1/2"):
        bernoulli_exp(Fraction(-1, 2), system_source)


@pytest.mark.parametrize("scale", ["1/3", "1", "10/7", "9"])
def test_discrete_laplace_noise(scale: str) -> None:
    q = math.exp(-1 / Fraction(scale))
    reach = math.ceil(3 * Fraction(scale))
    places = np.arange(-reach, reach + 1)
    chances = (1 - q) / (1 + q) * q ** np.abs(places)
    drawn = discrete_laplace(DRAWS, Fraction(scale), source(scale))
    assert drawn.dtype == np.int64
    assert drawn.shape == (DRAWS,)
    assert chance_of(drawn, chances) > 1e-4


@pytest.mark.parametrize("variance", ["1/4", "1", "13/3", "50"])
def test_discrete_gaussian_noise(variance: str) -> None:
    width = float(Fraction(variance))
    far = np.arange(-200, 201)
    weights = np.exp(-(far**2) / (2 * width))
    reach = math.ceil(2 * math.sqrt(width))
    chances = (weights / weights.sum())[200 - reach : 201 + reach]
    drawn = discrete_gaussian(DRAWS, Fraction(variance), source(variance))
    assert drawn.dtype == np.int64
    assert drawn.shape == (DRAWS,)
    assert chance_of(drawn, chances) > 1e-4


def test_noise_agrees_with_opendps() -> None:
    """Two implementations of one paper, seen at the same places."""
    dp.enable_features("contrib")
    whole = dp.atom_domain(T=int)
    theirs_laplace = dp.m.make_laplace(whole, dp.absolute_distance(T=int), scale=2.5)
    theirs_gaussian = dp.m.make_gaussian(whole, dp.absolute_distance(T=float), scale=2.5)
    for ours, theirs in (
        (discrete_laplace(4000, Fraction(5, 2), source("laplace")), theirs_laplace),
        (discrete_gaussian(4000, Fraction(25, 4), source("gaussian")), theirs_gaussian),
    ):
        drawn = np.array([theirs(0) for _ in range(4000)])
        seen = [
            [np.count_nonzero(np.clip(one, -5, 5) == place) for place in range(-5, 6)]
            for one in (ours, drawn)
        ]
        # Theirs takes no seed: false alarms must be out of the question.
        assert stats.chi2_contingency(seen).pvalue > 1e-9


def test_the_same_bytes_give_the_same_noise() -> None:
    assert discrete_laplace(12, Fraction(3), source("golden")).tolist() == GOLDEN_LAPLACE
    assert discrete_gaussian(12, Fraction(9), source("golden")).tolist() == GOLDEN_GAUSSIAN


def test_no_noise_at_all_needs_no_bytes() -> None:
    assert discrete_laplace(0, Fraction(1), source()).shape == (0,)


@pytest.mark.parametrize("parameter", [Fraction(0), Fraction(-1), 0.5, math.nan, math.inf])
def test_what_is_no_fraction_above_0_is_refused(parameter: Fraction) -> None:
    for draw in (discrete_laplace, discrete_gaussian):
        with pytest.raises(ValueError, match=f"a fraction above 0; found .*{parameter}"):
            draw(1, parameter, system_source)
