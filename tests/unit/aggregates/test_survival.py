from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.survival import SurvivalTable, by_level, survival_layout
from simulator.aggregates.table import Axis, Layout, Table

ARMS = ("A", "B")
Row = tuple[int, int, bool]


def counted(
    rows: list[Row], unit: Unit = Unit.DAY, months: int = 1, patients: list[int] | None = None
) -> SurvivalTable:
    """The table of rows: arm, day, whether the event happened."""
    arm, days, event = zip(*rows, strict=True) if rows else ((), (), ())
    return SurvivalTable.from_rows(
        ARMS,
        Grid(unit, months),
        arm=np.array(arm, dtype=np.int64),
        days=np.array(days, dtype=np.int64),
        event=np.array(event, dtype=np.bool_),
        patients=None if patients is None else np.array(patients, dtype=np.int64),
    )


def cells(counts: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> dict[int, int]:
    """The cells of the first arm that hold anybody."""
    return {place: int(count) for place, count in enumerate(counts[0]) if count}


def test_deaths_and_censorings_are_counted_in_their_cells() -> None:
    table = counted([(0, 0, True), (0, 5, True), (0, 5, True), (0, 5, False), (1, 7, True)])
    assert cells(table.events) == {0: 1, 5: 2}
    assert cells(table.censored) == {5: 1}
    assert table.patients.tolist() == [4, 1]


def test_time_beyond_the_horizon_is_censored_at_it() -> None:
    table = counted([(0, 30, True), (0, 31, True), (0, 900, False)])  # the last day is 30
    assert cells(table.events) == {30: 1}
    assert cells(table.censored) == {30: 2}


def test_months_hold_their_days() -> None:
    table = counted([(0, 0, True), (0, 30, True), (0, 31, True), (0, 61, False)], Unit.MONTH, 3)
    assert cells(table.events) == {0: 2, 1: 1}
    assert cells(table.censored) == {2: 1}


def test_at_risk_are_all_who_leave_in_the_cell_or_later() -> None:
    table = counted([(0, 2, True), (0, 2, False), (0, 4, True)])
    # day          0  1  2  3  4  5
    assert table.at_risk[0, :6].tolist() == [3, 3, 3, 1, 1, 0]


def test_a_row_may_stand_for_many_patients() -> None:
    table = counted([(0, 3, True), (0, 3, True), (1, 3, False)], patients=[4, 6, 2])
    assert cells(table.events) == {3: 4 + 6}
    assert table.patients.tolist() == [10, 2]


def test_nobody_gives_the_zero() -> None:
    table = counted([])
    assert table.table == Table.zero(table.table.layout)


def test_arms_can_be_chosen_and_turned() -> None:
    table = counted([(0, 3, True), (1, 4, False), (1, 5, True)])
    turned = table.select(("B", "A"))
    assert turned.arms == ("B", "A")
    assert turned.patients.tolist() == [2, 1]
    assert table.select(("B",)).table == counted([(1, 4, False), (1, 5, True)]).select(("B",)).table


def test_a_table_of_another_grid_is_refused() -> None:
    layout = survival_layout(ARMS, Grid(Unit.MONTH, 12))
    with pytest.raises(ValueError, match="layout is not that of a survival table"):
        SurvivalTable(Grid(Unit.MONTH, 13), Table.zero(layout))
    with pytest.raises(ValueError, match="layout is not that of a survival table"):
        SurvivalTable(Grid(Unit.DAY, 12), Table.zero(layout))


_rows = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 200), st.booleans()), max_size=30)


@settings(derandomize=True, max_examples=80)
@given(rows=_rows, cut=st.integers(0, 30), unit=st.sampled_from(Unit))
def test_the_table_of_all_is_the_sum_of_the_tables_of_parts(
    rows: list[Row], cut: int, unit: Unit
) -> None:
    whole = counted(rows, unit, 12)
    parts = counted(rows[:cut], unit, 12).table + counted(rows[cut:], unit, 12).table
    assert whole.table == parts
    assert int(whole.patients.sum()) == len(rows)


@settings(derandomize=True, max_examples=80)
@given(rows=_rows, unit=st.sampled_from([Unit.QUARTER, Unit.YEAR]))
def test_months_added_up_are_the_table_of_coarse_bins(rows: list[Row], unit: Unit) -> None:
    months, coarse = counted(rows, Unit.MONTH, 12), counted(rows, unit, 12)
    bins = months.table.values.reshape(len(ARMS), -1, unit.width_months, 2).sum(axis=2)
    assert (bins == coarse.table.values).all()


def test_a_table_by_level_is_one_survival_table_for_each_level() -> None:
    young, old = counted([(0, 3, True), (1, 9, False)]), counted([(0, 3, True), (0, 8, False)])
    arm, time = young.table.layout.axes
    layout = Layout((arm, Axis.of("level", ("young", "old")), time), young.table.layout.measures)
    both = Table(layout, np.stack([young.table.values, old.table.values], axis=1))
    assert by_level(both, young.grid) == {"young": young, "old": old}
    # the levels add up to everyone
    everyone = counted([(0, 3, True), (1, 9, False), (0, 3, True), (0, 8, False)])
    assert young.table + old.table == everyone.table


def test_only_a_table_by_level_can_be_split() -> None:
    with pytest.raises(ValueError, match="a table of arm x level x time was expected"):
        by_level(counted([]).table, Grid(Unit.DAY, 1))


def test_a_coarse_last_cell_ends_where_the_study_does() -> None:
    """103 months by quarter: 35 cells reach to month 105, but nobody is followed there."""
    horizon = Grid(Unit.DAY, 103).last_day
    days = np.array([horizon - 1, horizon, horizon + 1, horizon + 40], dtype=np.int64)
    table = SurvivalTable.from_rows(
        ("all",),
        Grid(Unit.QUARTER, 105),
        arm=np.zeros(4, dtype=np.int64),
        days=days,
        event=np.ones(4, dtype=np.bool_),
        last_day=horizon,
    )
    assert table.events[0].tolist() == [*[0] * 34, 2]
    assert table.censored[0].tolist() == [*[0] * 34, 2]
