from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest

from simulator.aggregates.bounded import OPEN, BoundedTable
from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.survival import SurvivalTable, survival_layout
from simulator.aggregates.table import Table
from simulator.statistics.bounded_survival import (
    CurveBounds,
    at_risk_bounds_at,
    median_bounds,
    survival_bounds,
    survival_bounds_at,
    total_bounds,
)
from simulator.statistics.kaplan_meier import at_risk_at, kaplan_meier, survival_at
from simulator.statistics.quantiles import median
from tests.unit.statistics.drawn import AML, followed

Cell = tuple[int, int]
BINS = Unit.MONTH, Unit.QUARTER, Unit.YEAR


def bounded(cells: list[tuple[Cell, Cell]], grid: Grid) -> BoundedTable:
    """A table of one arm from each cell's least and greatest events, then censorings."""
    found = np.array(cells, dtype=np.int64)[np.newaxis]
    nothing = np.zeros((1, len(cells), 2), dtype=np.int64)
    layout = survival_layout(("A",), grid)
    return BoundedTable(layout, nothing, found[..., 0].copy(), found[..., 1].copy(), nothing)


def drawn(text: str, unit: Unit = Unit.MONTH) -> tuple[BoundedTable, Grid]:
    """Cells as ``1-3/0 2/0-5 1-/4``: events / censored, each as a number, a range, or open."""

    def ends(part: str) -> Cell:
        least, dash, most = part.partition("-")
        return int(least), int(most) if most else OPEN if dash else int(least)

    cells = [(ends(one), ends(two)) for one, two in (cell.split("/") for cell in text.split())]
    grid = Grid(unit, len(cells) * unit.width_months)
    return bounded(cells, grid), grid


def curve_bounds(text: str, unit: Unit = Unit.MONTH) -> CurveBounds:
    return survival_bounds(*drawn(text, unit), "A")


def every_table(table: BoundedTable, grid: Grid) -> Iterator[SurvivalTable]:
    """All tables of whole numbers within the bounds."""
    ends = zip(table.lowest.flat, table.highest.flat, strict=True)
    for values in product(*(range(least, most + 1) for least, most in ends)):
        filled = np.array(values, dtype=np.int64).reshape(table.layout.shape)
        yield SurvivalTable(grid, Table(table.layout, filled))


def by_trying(table: BoundedTable, grid: Grid, months: float) -> tuple[float, float]:
    """The extremes of survival at a moment; where it is not known, from 0 to where it stood."""
    ends: list[tuple[float, float]] = []
    for filled in every_table(table, grid):
        curve = kaplan_meier(filled, "A")
        here = survival_at(curve, months).estimate
        ends.append((0.0, float(curve.survival[-1])) if here is None else (here, here))
    return min(low for low, _ in ends), max(high for _, high in ends)


def medians_by_trying(table: BoundedTable, grid: Grid) -> tuple[float | None, float | None]:
    found = [median(kaplan_meier(filled, "A")).estimate for filled in every_table(table, grid)]
    reached = [value for value in found if value is not None]
    return min(reached, default=None), max(reached) if len(reached) == len(found) else None


SMALL = [
    "1-2/0-1 0-2/1 1/0-2",
    "0-1/0-1 0-1/0-1 0-1/0-1",
    "2/0-2 0-2/1-2 0-1/3",
    "0-2/0 0-2/0 0-2/0",
    "0/2-4 1-3/0 0/0-2",
    "0-9/2 1/0 3/1",
    "3/1 0-7/0-3 0/0",
    "1/1 0-6/1 1-2/3 1/0",
    "0/0 0/0",
]


@pytest.mark.parametrize("unit", BINS)
@pytest.mark.parametrize("text", SMALL)
def test_no_table_within_the_bounds_goes_further_and_one_goes_so_far(text: str, unit: Unit) -> None:
    table, grid = drawn(text, unit)
    bounds = survival_bounds(table, grid, "A")
    width = unit.width_months
    for cell in range(grid.size):
        wanted = by_trying(table, grid, (cell + 1) * width)
        assert (bounds.lowest[cell], bounds.highest[cell]) == pytest.approx(wanted, abs=1e-12)
        for share in (0.0, 0.25, 0.5, 0.9, 1.0):
            months = (cell + share) * width
            found = survival_bounds_at(bounds, months)
            assert found == pytest.approx(by_trying(table, grid, months), abs=1e-12)
    assert median_bounds(bounds) == pytest.approx(medians_by_trying(table, grid), abs=1e-9)


@pytest.mark.parametrize("text", SMALL)
def test_by_day_too(text: str) -> None:
    # The cells drawn lie on days 3, 10, 17, ... of a month, the others are known to be empty.
    few, _ = drawn(text)
    grid = Grid(Unit.DAY, 1)
    days = 3 + 7 * np.arange(few.layout.shape[1])
    lowest, highest = (np.zeros((1, grid.size, 2), dtype=np.int64) for _ in range(2))
    lowest[:, days], highest[:, days] = few.lowest, few.highest
    layout = survival_layout(("A",), grid)
    table = BoundedTable(layout, lowest, lowest, highest, np.zeros_like(lowest))
    bounds = survival_bounds(table, grid, "A")
    for day in range(grid.size):
        wanted = by_trying(table, grid, day / (365.25 / 12))
        assert survival_bounds_at(bounds, day / (365.25 / 12)) == pytest.approx(wanted, abs=1e-12)
        assert (bounds.lowest[day], bounds.highest[day]) == pytest.approx(wanted, abs=1e-12)
    assert survival_bounds_at(bounds, 1) == pytest.approx(by_trying(table, grid, 1), abs=1e-12)
    assert median_bounds(bounds) == pytest.approx(medians_by_trying(table, grid), abs=1e-9)


# Worked by hand: 6 to 8 patients, of whom 2 die in the first month, 0 to 2 in the second, and 4
# live on. S(2) is least with 2 more deaths, 6/8 * 4/6 = 4/8; most with none, 4/6.
def test_the_deaths_of_a_month_are_open() -> None:
    bounds = curve_bounds("2/0 0-2/0 0/4")
    assert bounds.lowest == pytest.approx([4 / 6, 4 / 8, 4 / 8])
    assert bounds.highest == pytest.approx([6 / 8, 4 / 6, 4 / 6])
    # S(1) is least without them, S(2) with them: a curve cannot be at both lower ends.
    assert survival_bounds_at(bounds, 1.5) == pytest.approx((0.625, 4 / 6))


def test_counts_that_are_known_give_the_curve_itself() -> None:
    for unit in Unit:
        known = followed({"A": AML["Nonmaintained"]}, months=24, unit=unit)
        cells = [((int(d), int(d)), (int(c), int(c))) for d, c in known.table.values[0]]
        curve = kaplan_meier(known, "A")
        bounds = survival_bounds(bounded(cells, known.grid), known.grid, "A")
        assert bounds.lowest_flat.tobytes() == curve.survival.tobytes()
        assert bounds.highest.tobytes() == curve.survival.tobytes()
        for months in (0, 0.3, 0.7, 1, 1.2, 3, 12, 24):
            here = survival_at(curve, months).estimate
            stood = 0.0, float(curve.survival[-1])
            assert survival_bounds_at(bounds, months) == (stood if here is None else (here, here))
            still = at_risk_at(curve, months)
            assert at_risk_bounds_at(bounds, months) == (still, still)
        assert median_bounds(bounds) == (median(curve).estimate,) * 2


class TestNobodyForCertain:
    def test_an_arm_that_may_be_empty_leaves_everything_open(self) -> None:
        bounds = curve_bounds("0-3/0-3 0-3/0-3")
        assert survival_bounds_at(bounds, 0) == (0.0, 1.0)
        assert bounds.lowest.tolist() == [0, 0]
        assert bounds.highest.tolist() == [1, 1]
        assert median_bounds(bounds) == (0.5, None)

    def test_an_empty_arm_reaches_no_median(self) -> None:
        bounds = curve_bounds("0/0 0/0")
        assert (bounds.lowest[-1], bounds.highest[-1]) == (0, 1)
        assert median_bounds(bounds) == (None, None)

    def test_past_the_last_patient_the_curve_is_at_most_where_it_stood(self) -> None:
        bounds = curve_bounds("1/2 0/0 0/0")
        stood = 1 - 1 / (3 - 2 / 2)
        assert bounds.lowest.tolist() == [stood, 0, 0]
        assert bounds.highest.tolist() == [stood, stood, stood]

    def test_past_the_last_death_of_all_it_is_known_to_be_0(self) -> None:
        bounds = curve_bounds("2/0 0/0")
        assert survival_bounds_at(bounds, 2) == (0, 0)


class TestNothingBoundsACell:
    def test_ever_more_survivors_take_the_curve_to_1(self) -> None:
        bounds = curve_bounds("3/0 2/0-")
        assert bounds.highest.tolist() == [1, 1]
        assert bounds.lowest == pytest.approx([2 / 5, 0])

    def test_ever_more_deaths_take_it_to_0_from_there_and_to_1_before(self) -> None:
        bounds = curve_bounds("3/0 2-/0 0/4")
        assert bounds.lowest.tolist() == pytest.approx([6 / 9, 0, 0])
        assert bounds.highest.tolist() == pytest.approx([1, 4 / 9, 4 / 9])

    def test_a_large_table_comes_as_near_as_wanted(self) -> None:
        bounds = curve_bounds("1-/1- 2-/0- 0/4-")
        for large in (10**3, 10**6):
            near = curve_bounds(f"1-{large}/1-{large} 2-{large}/0-{large} 0/4-{large}")
            assert near.lowest == pytest.approx(bounds.lowest, abs=10 / large)
            assert near.highest == pytest.approx(bounds.highest, abs=10 / large)

    def test_inside_a_bin_the_line_between_the_edges_holds_still(self) -> None:
        wide, narrow = (
            survival_bounds_at(curve_bounds(f"2/0 0-{most}/1 0/4"), 1.5) for most in ("", "900")
        )
        assert wide[0] <= narrow[0]
        assert narrow[1] <= wide[1]
        assert median_bounds(curve_bounds("2/0 0-/1 0/4"))[1] is None


def test_totals() -> None:
    found = total_bounds(*drawn("1-3/0 2/4-5"), "A")
    assert (found.patients, found.events, found.censored) == ((7, 10), (3, 5), (4, 5))
    found = total_bounds(*drawn("1-3/0- 2/4-5"), "A")
    assert (found.patients, found.events, found.censored) == ((7, None), (3, 5), (4, None))


def test_numbers_at_risk() -> None:
    bounds = curve_bounds("1-3/0 2/4-5 0-1/2-")
    assert [at_risk_bounds_at(bounds, months) for months in (0, 1, 2, 3)] == [
        (9, None),
        (8, None),
        (2, None),
        (2, None),
    ]
    bounds = curve_bounds("1-3/0 2/4-5 0-1/2")
    assert at_risk_bounds_at(bounds, 1) == (8, 10)


def test_the_arm_is_the_one_asked_for() -> None:
    grid = Grid(Unit.MONTH, 1)
    layout = survival_layout(("A", "B"), grid)
    lowest = np.array([[[1, 1]], [[1, 3]]], dtype=np.int64)
    table = BoundedTable(layout, lowest, lowest, lowest, np.zeros_like(lowest))
    assert survival_bounds(table, grid, "B").lowest.tolist() == [0.75]
    with pytest.raises(ValueError, match="one of the arms 'A', 'B' was expected; got 'C'"):
        survival_bounds(table, grid, "C")
    with pytest.raises(ValueError, match="not that of a survival table on this grid"):
        survival_bounds(table, Grid(Unit.MONTH, 2), "A")
    with pytest.raises(ValueError, match="0 to 1 months was expected"):
        survival_bounds_at(survival_bounds(table, grid, "A"), 2)


def test_a_count_is_not_negative() -> None:
    with pytest.raises(ValueError, match="a lower bound is negative"):
        survival_bounds(bounded([((-1, 2), (0, 0))], Grid(Unit.MONTH, 1)), Grid(Unit.MONTH, 1), "A")
