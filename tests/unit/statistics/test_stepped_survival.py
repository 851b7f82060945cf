"""Bounds of a curve from rounded counts so far, held against every table that they allow."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.aggregates.bounded import BoundedTable
from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.survival import SurvivalTable, survival_layout
from simulator.aggregates.table import Table
from simulator.privacy.steps import midpoint_steps, step_bounds
from simulator.statistics.bounded_survival import survival_bounds
from simulator.statistics.kaplan_meier import Curve, at_risk_at, kaplan_meier, survival_at
from simulator.statistics.quantiles import median
from simulator.statistics.stepped_survival import (
    SoFar,
    SteppedCurve,
    between_at,
    median_between,
    stepped_curve,
    watched_between,
)

SLACK = 1e-9


def table_of(events: list[int], censored: list[int], unit: Unit = Unit.MONTH) -> SurvivalTable:
    grid = Grid(unit, len(events) * (unit.width_months if unit is not Unit.MONTH else 1))
    values = np.array([np.transpose([events, censored])], dtype=np.int64)
    return SurvivalTable(grid, Table(survival_layout(("one",), grid), values))


def ends_of(table: SurvivalTable, width: int = 6) -> SoFar:
    """What is left open of a table once it was rounded."""
    least, most = (ends[0] for ends in step_bounds(midpoint_steps(table, width), width))
    return SoFar(least[:, 0], most[:, 0], least[:, 1], most[:, 1])


def holds(bounds: SteppedCurve, table: SurvivalTable) -> None:
    """The curve of a table, its median and who is watched lie within the bounds."""
    truth = kaplan_meier(table, "one")
    months = table.grid.months
    for at in (*range(months + 1), months / 3, months / 2):
        least, most = between_at(bounds, at)
        found = survival_at(truth, at).estimate
        if found is None:
            assert least == 0.0
        else:
            assert least - SLACK <= found <= most + SLACK
        fewest, many = watched_between(bounds, at)
        assert fewest <= at_risk_at(truth, at) <= many
    median_holds(bounds, truth)


def median_holds(bounds: SteppedCurve, truth: Curve) -> None:
    earliest, latest = median_between(bounds)
    found = median(truth).estimate
    if found is None:
        assert latest is None
    else:
        assert earliest is not None
        assert earliest - SLACK <= found
        assert latest is None or found <= latest + SLACK


def paths(least: list[int], most: list[int]) -> Iterator[tuple[int, ...]]:
    """Every way to count up within bounds."""
    for path in itertools.product(
        *(range(low, high + 1) for low, high in zip(least, most, strict=True))
    ):
        if all(one <= other for one, other in itertools.pairwise(path)):
            yield path


CELLS = st.lists(st.integers(0, 4), min_size=3, max_size=3)


@settings(derandomize=True, max_examples=25, deadline=None)
@given(CELLS, CELLS, st.integers(2, 4))
def test_over_all_tables_that_look_the_same_each_end_is_reached(
    events: list[int], censored: list[int], width: int
) -> None:
    told = ends_of(table_of(events, censored), width)
    bounds = stepped_curve(Grid(Unit.MONTH, 3), told)
    seen = []
    for died in paths(told.least_events.tolist(), told.most_events.tolist()):
        for left in paths(told.least_censored.tolist(), told.most_censored.tolist()):
            one = table_of(np.diff(died, prepend=0).tolist(), np.diff(left, prepend=0).tolist())
            seen.append(kaplan_meier(one, "one").survival)
    assert np.min(seen, axis=0) == pytest.approx(bounds.lowest_flat, abs=SLACK)
    assert np.max(seen, axis=0) == pytest.approx(bounds.highest, abs=SLACK)


MANY = st.lists(st.integers(0, 9), min_size=6, max_size=6)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(MANY, MANY, st.sampled_from([Unit.MONTH, Unit.QUARTER]))
def test_the_truth_is_within(events: list[int], censored: list[int], unit: Unit) -> None:
    table = table_of(events, censored, unit)
    holds(stepped_curve(table.grid, ends_of(table)), table)


@settings(derandomize=True, max_examples=50, deadline=None)
@given(MANY, MANY)
def test_it_is_no_wider_than_what_cell_by_cell_bounds_leave(
    events: list[int], censored: list[int]
) -> None:
    """Cells between [L_j - U_(j-1), U_j - L_(j-1)] are true, too, but forget how they add up."""
    table = table_of(events, censored)
    least, most = step_bounds(midpoint_steps(table))
    none = np.zeros_like(least[:, :1])
    low = np.maximum(least - np.concatenate([none, most[:, :-1]], axis=1), 0)
    high = most - np.concatenate([none, least[:, :-1]], axis=1)
    shown = table.table.values
    cells = BoundedTable(table.table.layout, shown, low, high, np.zeros_like(shown))
    loose = survival_bounds(cells, table.grid, "one")
    found = stepped_curve(table.grid, ends_of(table))
    assert (found.lowest_flat >= loose.lowest_flat - SLACK).all()
    assert (found.highest <= loose.highest + SLACK).all()


def test_exact_counts_leave_nothing_open() -> None:
    table = table_of([1, 2, 0, 3], [0, 1, 4, 2])
    events, censored = (np.cumsum(table.table.values[0, :, kind]) for kind in (0, 1))
    found = stepped_curve(table.grid, SoFar(events, events, censored, censored))
    assert found.lowest == pytest.approx(kaplan_meier(table, "one").survival)
    assert found.highest == pytest.approx(found.lowest)


def test_by_hand() -> None:
    """7 to 12 die in the first month, and 1 to 6 are watched through the second and last."""
    found = stepped_curve(
        Grid(Unit.MONTH, 2),
        SoFar(np.array([7, 7]), np.array([12, 12]), np.array([0, 1]), np.array([0, 6])),
    )
    # At worst 12 of 13 die; at best 7 of 18, as five more may die in the second month.
    assert found.lowest[0] == pytest.approx(1 / 13)
    assert found.highest[0] == pytest.approx(11 / 18)
    assert watched_between(found, 1) == (1, 11)
    assert between_at(found, 0) == (1.0, 1.0)


def test_days_are_no_bins() -> None:
    ends = np.zeros(2, dtype=np.int64)
    with pytest.raises(ValueError, match="not of days"):
        stepped_curve(Grid(Unit.DAY, 1), SoFar(ends, ends, ends, ends))
    with pytest.raises(ValueError, match="bounds of 3 bins"):
        stepped_curve(Grid(Unit.MONTH, 3), SoFar(ends, ends, ends, ends))
