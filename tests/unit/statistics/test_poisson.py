"""Exact intervals of counts against printed tables, and projections against their definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.statistics.poisson import exact_rate, next_by_mean, next_by_trend

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


def test_counts_that_do_not_vary_go_on_as_poisson() -> None:
    found = next_by_mean([9] * 12, 4)
    assert found.estimate == 9.0
    half = 1.959963984540054 * np.sqrt(9.0 * 1.25)
    assert (found.lower, found.upper) == pytest.approx((9.0 - half, 9.0 + half))
    assert next_by_trend([9] * 12, 2)[1].estimate == pytest.approx(9.0)


def test_of_years_a_quarter_comes_next() -> None:
    found = next_by_mean([40, 40, 40], 1, parts=4)
    assert found.estimate == 10.0
    half = 1.959963984540054 * np.sqrt(10.0 * 1.25)
    assert found.upper == pytest.approx(10.0 + half)


def test_more_spread_than_poisson_widens() -> None:
    calm, wild = next_by_mean([10, 10, 10, 10], 4), next_by_mean([1, 19, 1, 19], 4)
    assert calm.estimate == wild.estimate == 10.0
    # chi-squared (4 x 81 / 10) over 3 is 10.8 times the variance
    assert (wild.upper - 10.0) / (calm.upper - 10.0) == pytest.approx(np.sqrt(10.8))


def test_a_line_goes_on_and_stops_at_nothing() -> None:
    up, down = next_by_trend([2, 4, 6, 8], 2), next_by_trend([6, 4, 2, 0], 3)
    assert [found.estimate for found in up] == pytest.approx([10.0, 12.0])
    assert [found.estimate for found in down] == pytest.approx([0.0, 0.0, 0.0], abs=1e-9)
    assert all(found.lower >= 0.0 for found in (*up, *down))


def test_nobody_goes_on_as_nobody() -> None:
    assert next_by_mean([0] * 12, 4).upper == 0.0
    assert next_by_trend([0] * 12, 1)[0].upper == 0.0
