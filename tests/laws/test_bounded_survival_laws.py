"""What holds for every bounded table: no table within goes beyond its bounds, and one gets there.

The tables are small enough to try every one of them.
"""

from __future__ import annotations

import os
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.aggregates.bounded import OPEN, BoundedTable
from simulator.aggregates.grid import DAYS_PER_MONTH, Grid, Unit
from simulator.aggregates.survival import SurvivalTable, survival_layout
from simulator.aggregates.table import Table
from simulator.statistics.bounded_survival import (
    at_risk_bounds_at,
    median_bounds,
    survival_bounds,
    survival_bounds_at,
    total_bounds,
)
from simulator.statistics.kaplan_meier import Curve, at_risk_at, kaplan_meier, survival_at
from simulator.statistics.quantiles import median

MANY = int(os.environ.get("EXAMPLES", "1000"))
FEW = 25
MOST_TABLES = 600


@st.composite
def bounded_tables(draw: st.DrawFn) -> tuple[BoundedTable, Grid]:
    """One arm with few cells that hold anybody, and few enough tables within its bounds."""
    unit = draw(st.sampled_from(Unit))
    cells = draw(st.integers(1, 4))
    grid = Grid(unit, cells * unit.width_months if unit.width_months else 1)
    occupied = sorted(
        draw(st.lists(st.integers(0, grid.size - 1), min_size=1, max_size=4, unique=True))
    )
    shape = survival_layout(("A",), grid).shape
    lowest = np.zeros(shape, dtype=np.int64)
    spread = np.zeros(shape, dtype=np.int64)
    tables = 1
    for cell, kind in product(occupied, range(2)):
        lowest[0, cell, kind] = draw(st.integers(0, 4))
        spread[0, cell, kind] = draw(st.integers(0, min(6, MOST_TABLES // tables - 1)))
        tables *= int(spread[0, cell, kind]) + 1
    nothing = np.zeros(shape, dtype=np.int64)
    layout = survival_layout(("A",), grid)
    return BoundedTable(layout, nothing, lowest, lowest + spread, nothing), grid


def every_curve(table: BoundedTable, grid: Grid) -> list[Curve]:
    """The curve of each table of whole numbers within the bounds."""
    ends = zip(table.lowest.flat, table.highest.flat, strict=True)
    tables = (
        SurvivalTable(grid, Table(table.layout, np.array(values).reshape(table.layout.shape)))
        for values in product(*(range(least, most + 1) for least, most in ends))
    )
    return [kaplan_meier(filled, "A") for filled in tables]


def bounds_are_sharp(drawn: tuple[BoundedTable, Grid], share: float) -> None:
    table, grid = drawn
    curves, bounds = every_curve(table, grid), survival_bounds(table, grid, "A")
    flat = np.array([curve.survival for curve in curves])
    assert bounds.lowest_flat == pytest.approx(flat.min(axis=0), abs=1e-12)
    assert bounds.highest == pytest.approx(flat.max(axis=0), abs=1e-12)
    edges = [edge / DAYS_PER_MONTH for edge in grid.upper_edges()[:4]]
    for months in (*edges, share * grid.months, 0.0, grid.months):
        found = [survival_at(curve, months).estimate for curve in curves]
        known = [value for value in found if value is not None]
        lowest = min(known) if len(known) == len(found) else 0.0
        stood = [
            float(curve.survival[-1])
            for curve, value in zip(curves, found, strict=True)
            if value is None
        ]
        assert survival_bounds_at(bounds, months) == pytest.approx(
            (lowest, max([*known, *stood])), abs=1e-12
        )
        watched = [at_risk_at(curve, months) for curve in curves]
        assert at_risk_bounds_at(bounds, months) == (min(watched), max(watched))
    middles = [median(curve).estimate for curve in curves]
    reached = [middle for middle in middles if middle is not None]
    latest = max(reached) if len(reached) == len(middles) else None
    earliest = min(reached, default=None)
    assert median_bounds(bounds) == pytest.approx((earliest, latest), abs=1e-9)
    events = [int(curve.events.sum()) for curve in curves]
    patients = [int(curve.at_risk[0]) for curve in curves]
    totals = total_bounds(table, grid, "A")
    assert totals.events == (min(events), max(events))
    assert totals.patients == (min(patients), max(patients))


def opening_a_cell_is_the_limit_of_widening_it(
    drawn: tuple[BoundedTable, Grid], opened: list[bool]
) -> None:
    table, grid = drawn
    which = np.resize(np.array(opened), table.layout.shape)

    def widened(most: int) -> BoundedTable:
        highest = np.where(which, most, table.highest)
        return BoundedTable(table.layout, table.shown, table.lowest, highest, table.withheld)

    without_end, wide, wider = (
        survival_bounds(widened(most), grid, "A") for most in (OPEN, 10**6, 10**9)
    )
    assert wide.lowest == pytest.approx(without_end.lowest, abs=1e-3)
    assert wider.lowest == pytest.approx(without_end.lowest, abs=1e-6)
    assert wide.highest == pytest.approx(without_end.highest, abs=1e-3)
    assert wider.highest == pytest.approx(without_end.highest, abs=1e-6)


def the_sum_of_the_sites_is_within_the_bounds(
    drawn: tuple[BoundedTable, Grid], chosen: int
) -> None:
    # Two sites, each with a table within its bounds: what they add up to is within their sum's.
    table, grid = drawn
    rng = np.random.default_rng(chosen)
    truth = sum(rng.integers(table.lowest, table.highest + 1) for _ in range(2))
    assert isinstance(truth, np.ndarray)
    curve = kaplan_meier(SurvivalTable(grid, Table(table.layout, truth)), "A")
    bounds = survival_bounds(table + table, grid, "A")
    assert (bounds.lowest_flat <= curve.survival + 1e-12).all()
    assert (curve.survival <= bounds.highest + 1e-12).all()


@settings(derandomize=True, max_examples=FEW, deadline=None)
@given(bounded_tables(), st.floats(0, 1))
def test_sharp(drawn: tuple[BoundedTable, Grid], share: float) -> None:
    bounds_are_sharp(drawn, share)


@settings(derandomize=True, max_examples=FEW, deadline=None)
@given(bounded_tables(), st.lists(st.booleans(), min_size=1, max_size=7))
def test_open(drawn: tuple[BoundedTable, Grid], opened: list[bool]) -> None:
    opening_a_cell_is_the_limit_of_widening_it(drawn, opened)


@settings(derandomize=True, max_examples=FEW, deadline=None)
@given(bounded_tables(), st.integers(0, 1000))
def test_sums(drawn: tuple[BoundedTable, Grid], chosen: int) -> None:
    the_sum_of_the_sites_is_within_the_bounds(drawn, chosen)


@pytest.mark.laws
@settings(max_examples=MANY, deadline=None)
@given(bounded_tables(), st.floats(0, 1))
def test_sharp_for_many(drawn: tuple[BoundedTable, Grid], share: float) -> None:
    bounds_are_sharp(drawn, share)


@pytest.mark.laws
@settings(max_examples=MANY, deadline=None)
@given(bounded_tables(), st.lists(st.booleans(), min_size=1, max_size=7))
def test_open_for_many(drawn: tuple[BoundedTable, Grid], opened: list[bool]) -> None:
    opening_a_cell_is_the_limit_of_widening_it(drawn, opened)
