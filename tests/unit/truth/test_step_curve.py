from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.utils import restricted_mean_survival_time

from simulator.aggregates.grid import DAYS_PER_MONTH, Grid, Unit
from simulator.aggregates.survival import SurvivalTable
from simulator.statistics.kaplan_meier import kaplan_meier, survival_at
from simulator.statistics.restricted_mean import restricted_mean
from simulator.truth.life_table import life_table
from simulator.truth.step_curve import step_curve

Z = 1.959963984540054
rows_drawn = st.lists(st.tuples(st.integers(0, 900), st.booleans()), min_size=1, max_size=40)
_law = settings(derandomize=True, max_examples=150, deadline=None)


def curve_of(rows: list[tuple[int, bool]], horizon: int, unit: Unit) -> SurvivalTable:
    return SurvivalTable.from_rows(
        ("all",),
        Grid(unit, horizon),
        arm=np.zeros(len(rows), dtype=np.int64),
        days=np.array([days for days, _ in rows], dtype=np.int64),
        event=np.array([event for _, event in rows], dtype=np.bool_),
    )


def cut(rows: list[tuple[int, bool]], horizon: int) -> list[tuple[int, bool]]:
    """The rows as the horizon lets them be seen."""
    last = Grid(Unit.DAY, horizon).last_day
    return [(min(days, last), event and days <= last) for days, event in rows]


def test_by_hand() -> None:
    """Days 10, 20+ and 40; one month is 30.4375 days, two are 60.875."""
    curve = step_curve([(10, True), (20, False), (40, True)], 12)
    assert curve.survival_with_variance(1) == pytest.approx((2 / 3, 1 / (3 * 2)))
    assert curve.survival_with_variance(2) == pytest.approx((0.0, 1 / (3 * 2)))
    mean = curve.mean_with_variance(1)
    assert mean is not None
    assert mean[0] * DAYS_PER_MONTH == pytest.approx(10 + 20.4375 * 2 / 3)
    assert mean[1] * DAYS_PER_MONTH**2 == pytest.approx((20.4375 * 2 / 3) ** 2 / 6)


def test_nothing_is_known_beyond_the_last_patient_but_at_the_horizon() -> None:
    curve = step_curve([(10, True), (45, False)], 12)
    assert curve.survival_with_variance(1) is not None
    assert curve.survival_with_variance(2) is None
    assert curve.mean_with_variance(2) is None
    last = Grid(Unit.DAY, 12).last_day
    assert step_curve([(10, True), (last, False)], 12).survival_with_variance(12) == (0.5, 0.5)
    assert step_curve([], 12).survival_with_variance(1) is None


@settings(_law, max_examples=40)
@given(rows=rows_drawn, horizon=st.integers(1, 30))
def test_it_is_the_curve_of_lifelines(rows: list[tuple[int, bool]], horizon: int) -> None:
    seen = cut(rows, horizon)
    fit = KaplanMeierFitter().fit([days for days, _ in seen], [event for _, event in seen])
    curve = step_curve(seen, horizon)
    for month in range(1, horizon + 1):
        found, mean = curve.survival_with_variance(month), curve.mean_with_variance(month)
        if found is not None and mean is not None:
            moment = month * DAYS_PER_MONTH
            theirs = float(fit.survival_function_at_times(moment).iloc[0])
            assert found[0] == pytest.approx(theirs, abs=1e-12)
            area = restricted_mean_survival_time(fit, t=moment) / DAYS_PER_MONTH
            assert mean[0] == pytest.approx(area, abs=1e-9)


@_law
@given(rows=rows_drawn, months=st.integers(1, 30), unit=st.sampled_from(Unit))
def test_values_and_variances_are_those_from_sums(
    rows: list[tuple[int, bool]], months: int, unit: Unit
) -> None:
    width = max(unit.width_months, 1)
    horizon = max(months // width, 1) * width
    curve = kaplan_meier(curve_of(rows, horizon, unit))
    seen = iter(cut(rows, horizon))
    by_day = unit is Unit.DAY
    truth = step_curve(seen, horizon) if by_day else life_table(seen, horizon, width)
    for month in range(1, horizon + 1):
        found, mean = truth.survival_with_variance(month), restricted_mean(curve, month)
        area = truth.mean_with_variance(month)
        assert (found is None) == (area is None) == (mean.estimate is None)
        if found is not None and area is not None:
            assert mean.upper is not None
            assert mean.estimate == pytest.approx(area[0], abs=1e-9)
            assert mean.upper - area[0] == pytest.approx(Z * area[1] ** 0.5, abs=1e-9)
            if month % width:
                assert found[0] == pytest.approx(survival_at(curve, month).estimate, abs=1e-12)
                continue
            cell = curve.grid.size - 1
            if unit is not Unit.DAY:
                cell = month // width - 1
            elif month < horizon:
                cell = int(month * DAYS_PER_MONTH)
            assert found[0] == pytest.approx(float(curve.survival[cell]), abs=1e-12)
            assert found[1] == pytest.approx(float(curve.greenwood[cell]), abs=1e-12)
