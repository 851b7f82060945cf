"""Exact intervals of counts against printed tables, and projections against their definition."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.statistics.poisson import Bounds, exact_rate, next_by_mean, next_by_trend

# Exact 95 % limits of a Poisson count, as tabled: Garwood F. Biometrika 1936;28:437-442; also
# Ulm K. Am J Epidemiol 1990;131:373-375.
GARWOOD = {0: (0.0, 3.689), 1: (0.0253, 5.572), 5: (1.623, 11.668), 10: (4.795, 18.390)}


@pytest.mark.parametrize(("events", "limits"), GARWOOD.items())
def test_limits_of_a_count_are_those_of_the_tables(
    events: int, limits: tuple[float, float]
) -> None:
    found = exact_rate(events, 2.0)
    assert found is not None
    assert found.estimate == events / 2.0
    assert (2.0 * found.lower, 2.0 * found.upper) == pytest.approx(limits, abs=6e-4)


def test_without_exposure_there_is_no_rate() -> None:
    assert exact_rate(3, 0.0) is None


@settings(deadline=None)
@given(st.integers(1, 500))
def test_each_limit_leaves_a_fortieth_beyond(events: int) -> None:
    from scipy.stats import poisson

    found = exact_rate(events, 1.0)
    assert found is not None
    assert poisson.sf(events - 1, found.lower) == pytest.approx(0.025, rel=1e-6)
    assert poisson.cdf(events, found.upper) == pytest.approx(0.025, rel=1e-6)


def negative_binomial(shape: float, chance: float) -> tuple[float, float]:
    """The counts that leave a fortieth below and above, by another library."""
    from scipy.stats import nbinom

    return float(nbinom.ppf(0.025, shape, chance)), float(nbinom.ppf(0.975, shape, chance))


@settings(deadline=None)
@given(st.integers(0, 3000), st.integers(2, 12), st.data())
def test_counts_that_do_not_vary_go_on_as_gamma_and_poisson(
    count: int, size: int, data: st.DataObject
) -> None:
    last = data.draw(st.integers(1, size))
    found = next_by_mean([count] * size, last)
    assert found.estimate == count
    lower, upper = negative_binomial(count * last + 0.5, last / (last + 1.0))
    assert (found.lower, found.upper) == (lower, max(upper, lower + 1.0))


def test_of_years_a_quarter_comes_next() -> None:
    found = next_by_mean([40, 40, 40], 1, parts=4)
    assert found.estimate == 10.0
    assert (found.lower, found.upper) == negative_binomial(40.5, 0.8)


def test_more_spread_than_poisson_widens() -> None:
    found = next_by_mean([1, 19, 1, 19], 4)
    assert found.estimate == 10.0
    # chi-squared (4 x 81 / 10) over 3 is 10.8 times the variance
    mean, variance = 10.125, 10.8 * 10.125 * 1.25
    expected = negative_binomial(mean**2 / (variance - mean), mean / variance)
    assert (found.lower, found.upper) == expected
    calm = next_by_mean([10, 10, 10, 10], 4)
    assert calm.lower > found.lower
    assert calm.upper < found.upper


def test_far_above_0_a_line_is_as_uncertain_as_its_leverage_says() -> None:
    """Of equal counts all fitted values are m, so the variance of the line is m times leverage."""
    found = next_by_trend([900] * 12, 4)
    for ahead, bounds in enumerate(found):
        leverage = 1.0 / 12.0 + (ahead + 6.5) ** 2 / 143.0
        variance = 900.0 * (1.0 + leverage)
        expected = negative_binomial(900.0**2 / (variance - 900.0), 900.0 / variance)
        assert bounds.estimate == pytest.approx(900.0)
        assert (bounds.lower, bounds.upper) == expected


def test_a_line_goes_on_and_stops_at_nothing() -> None:
    up, down = next_by_trend([2, 4, 6, 8], 2), next_by_trend([6, 4, 2, 0], 3)
    assert [found.estimate for found in up] == pytest.approx([10.0, 12.0])
    assert [found.estimate for found in down] == pytest.approx([0.0, 0.0, 0.0], abs=1e-9)
    assert all(found.lower >= 0.0 for found in (*up, *down))


def test_of_nobody_so_far_somebody_may_come() -> None:
    """With 1/2 for 0 in 4: 0 has 0.8 ^ 0.5 = 0.894, and 1 has half of a fifth of it, 0.089."""
    assert next_by_mean([0] * 12, 4) == Bounds(0.0, 0.0, 1.0)
    assert [found.estimate for found in next_by_trend([0] * 12, 4)] == [0.0] * 4


@settings(deadline=None)
@given(st.lists(st.integers(0, 60), min_size=3, max_size=16))
def test_no_interval_is_without_width(counts: list[int]) -> None:
    for found in (next_by_mean(counts, 2), *next_by_trend(counts, 4)):
        assert 0.0 <= found.lower < found.upper
        assert found.lower <= found.estimate <= found.upper
