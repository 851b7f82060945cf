from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.survival import SurvivalTable
from simulator.statistics.kaplan_meier import at_risk_at, kaplan_meier, survival_at
from simulator.statistics.quantiles import median
from simulator.statistics.restricted_mean import restricted_mean
from simulator.truth.life_table import life_table

# A month is 487/16 = 30.4375 days: day 30 is in month 1, day 31 in month 2.
DRAWN = [(0, True), (30, False), (31, True), (61, False), (90, False)]


def test_those_who_leave_during_a_month_count_for_half_of_it() -> None:
    table = life_table(DRAWN, 3)
    first, second, last = table.bins
    assert first.survival == 1 - 1 / (5 - 0.5)  # one died, one of five left
    assert second.survival == first.survival * (1 - 1 / 3)  # one of three died, nobody left
    assert last.survival == second.survival
    assert (first.at_start, second.at_start, last.at_start) == (5, 3, 2)
    assert last.still_watched == 2  # in the last month whoever leaves counts as watched to its end


def test_the_bins_of_days_are_found_in_whole_numbers() -> None:
    for day, month in [(0, 1), (30, 1), (31, 2), (60, 2), (61, 3), (487, 16), (488, 17)]:
        watched = [found.at_start for found in life_table([(day, True)], 24).bins]
        assert watched.index(0) == month, day  # the month after it has nobody left


def test_nobody_is_known_of_beyond_the_last_patient() -> None:
    table = life_table([(10, False)], 3)
    assert table.survival_at(1) == (1.0, 1.0, 1.0)
    assert table.survival_at(2) == (None, None, None)
    assert table.mean_to(2) is None
    assert table.median() is None


@settings(derandomize=True, max_examples=150, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 900), st.booleans()), min_size=1, max_size=40),
    bins=st.integers(1, 30),
    unit=st.sampled_from([Unit.MONTH, Unit.QUARTER, Unit.YEAR]),
)
def test_it_agrees_with_the_curve_from_sums(
    rows: list[tuple[int, bool]], bins: int, unit: Unit
) -> None:
    width = unit.width_months
    horizon = max(bins // width, 1) * width
    table = SurvivalTable.from_rows(
        ("all",),
        Grid(unit, horizon),
        arm=np.zeros(len(rows), dtype=np.int64),
        days=np.array([days for days, _ in rows], dtype=np.int64),
        event=np.array([event for _, event in rows], dtype=np.bool_),
    )
    curve, truth = kaplan_meier(table), life_table(rows, horizon, width)
    assert median(curve).estimate == pytest.approx(truth.median(), abs=1e-9)
    for month in range(1, horizon + 1):
        found = survival_at(curve, month)
        estimate, lower, upper = truth.survival_at(month)
        assert found.estimate == pytest.approx(estimate, abs=1e-9)
        assert found.lower == pytest.approx(lower, abs=1e-9)
        assert found.upper == pytest.approx(upper, abs=1e-9)
        assert restricted_mean(curve, month).estimate == pytest.approx(
            truth.mean_to(month), abs=1e-9
        )
        assert at_risk_at(curve, month) == truth.still_watched_at(month)
