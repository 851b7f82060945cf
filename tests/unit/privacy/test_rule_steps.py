"""Curves whose steps hide at least six people."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.survival import SurvivalTable, survival_layout
from simulator.aggregates.table import Table
from simulator.privacy.rules.rounding import midpoints
from simulator.privacy.steps import midpoint_steps, step_bounds

MONTHS = 5


def table_of(*arms: tuple[list[int], list[int]]) -> SurvivalTable:
    """A table by month from events and censorings of each arm."""
    grid = Grid(Unit.MONTH, len(arms[0][0]))
    values = np.array([np.transpose(arm) for arm in arms], dtype=np.int64)
    names = tuple(f"arm {place}" for place in range(len(arms)))
    return SurvivalTable(grid, Table(survival_layout(names, grid), values))


def test_by_hand() -> None:
    table = table_of(([2, 4, 0, 1, 6], [0, 0, 1, 0, 11]), ([0] * 5, [0, 0, 0, 0, 7]))
    stepped = midpoint_steps(table)
    # Cumulative events 2 6 6 7 13, censorings 0 0 1 1 12; and 7 at the end in the other arm.
    assert np.cumsum(stepped.events, axis=1).tolist() == [[3, 3, 3, 9, 15], [0] * 5]
    assert np.cumsum(stepped.censored, axis=1).tolist() == [[0, 0, 3, 3, 9], [0, 0, 0, 0, 9]]
    assert stepped.patients.tolist() == [24, 9]
    assert stepped.arms == table.arms
    assert stepped.grid == table.grid
    least, greatest = step_bounds(stepped)
    assert least[0, :, 0].tolist() == [1, 1, 1, 7, 13]
    assert greatest[0, :, 0].tolist() == [6, 6, 6, 12, 18]
    assert (least[1, :, 0].max(), greatest[1, :, 0].max()) == (0, 0)


ARM = st.tuples(*[st.lists(st.integers(0, 30), min_size=MONTHS, max_size=MONTHS) for _ in range(2)])
ARMS = st.lists(ARM, min_size=1, max_size=3)


@settings(derandomize=True, max_examples=200)
@given(ARMS, st.integers(2, 12))
def test_a_valid_table_within_its_bounds_whose_steps_are_whole_widths(
    arms: list[tuple[list[int], list[int]]], width: int
) -> None:
    table = table_of(*arms)
    stepped = midpoint_steps(table, width)
    assert (stepped.table.values >= 0).all()
    so_far = np.cumsum(table.table.values, axis=1)
    least, greatest = step_bounds(stepped, width)
    assert ((least <= so_far) & (so_far <= greatest)).all()
    assert (((greatest - least) == width - 1) | (so_far == 0)).all()
    shown = np.cumsum(stepped.table.values, axis=1)
    # From 0 to the first midpoint, then by whole widths.
    assert ((shown == 0) | ((shown - (width - width // 2)) % width == 0)).all()
    assert (np.abs(stepped.patients - table.patients) <= width).all()
    again = midpoint_steps(stepped, width)
    assert again.table == stepped.table


@settings(derandomize=True, max_examples=100)
@given(ARM, st.data())
def test_tables_in_the_same_runs_of_six_look_the_same(
    arm: tuple[list[int], list[int]], data: st.DataObject
) -> None:
    """Nothing but the midpoints is told: any other counts between the bounds give the same."""
    table = table_of(arm)
    stepped = midpoint_steps(table)
    least, greatest = step_bounds(stepped)
    drawn = np.array(
        [
            [
                [
                    data.draw(st.integers(int(low), int(high)))
                    for low, high in zip(*ends, strict=True)
                ]
                for ends in zip(lows, highs, strict=True)
            ]
            for lows, highs in zip(least, greatest, strict=True)
        ],
        dtype=np.int64,
    )
    so_far = np.maximum.accumulate(drawn, axis=1)
    other = Table(table.table.layout, np.diff(so_far, axis=1, prepend=0))
    assert midpoint_steps(SurvivalTable(table.grid, other)).table == stepped.table


def test_an_arms_size_beside_would_leave_five_counts_where_two_leave_six() -> None:
    """Why the size of an arm is not told apart from its events and censorings."""
    left: dict[tuple[int, int, int], set[int]] = {}
    for events in range(1, 19):
        for censored in range(1, 19):
            told = midpoints(np.array([events, censored, events + censored]), 6)
            left.setdefault((told[0], told[1], told[2]), set()).add(events)
    assert {len(events) for events in left.values()} == {5, 6}
    alone: dict[tuple[int, int], set[int]] = {}
    for (events, censored, _), counts in left.items():
        alone.setdefault((events, censored), set()).update(counts)
    assert {len(counts) for counts in alone.values()} == {6}


def test_what_is_told_is_when_the_first_and_the_seventh_event_happened() -> None:
    early = table_of(([1, 5, 0, 0, 1], [0] * 5))
    late = table_of(([0, 6, 0, 0, 1], [0] * 5))
    assert midpoint_steps(early).events.tolist() == [[3, 0, 0, 0, 6]]
    assert midpoint_steps(late).events.tolist() == [[0, 3, 0, 0, 6]]


def test_a_width_of_one_is_no_protection() -> None:
    with pytest.raises(ValueError, match="width: 2 or more was expected; got 1"):
        midpoint_steps(table_of(([1], [1])), 1)
