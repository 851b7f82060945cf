from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.aggregates.grid import DAYS_PER_MONTH, Grid, Unit, coarser, units_of

MONTH = Fraction(36525, 1200)  # 365.25 / 12 days, exactly


def bins(*days: int, months: int = 600) -> list[int]:
    """The month bin of each day, from 1."""
    cells = Grid(Unit.MONTH, months).cell_of(np.array(days, dtype=np.int64))
    return [int(cell) + 1 for cell in cells]


# A month is 30.4375 days: 1 ends with day 30, 2 (60.875) with day 60, 3 (91.3125) with day 91,
# 4 (121.75) with day 121; 16 months are 487 days to the hour.
@pytest.mark.parametrize(
    ("day", "month"),
    [
        (0, 1),
        (1, 1),
        (30, 1),
        (31, 2),
        (60, 2),
        (61, 3),
        (91, 3),
        (92, 4),
        (121, 4),
        (122, 5),
        (486, 16),
        (487, 16),
        (488, 17),
        (974, 32),
        (975, 33),
    ],
)
def test_a_month_holds_the_days_after_its_start_up_to_its_end(day: int, month: int) -> None:
    assert bins(day) == [month]


@settings(derandomize=True, max_examples=300)
@given(day=st.integers(1, int(600 * MONTH)))
def test_the_bin_of_a_day_by_exact_arithmetic(day: int) -> None:
    (month,) = bins(day)
    assert (month - 1) * MONTH < day <= month * MONTH


@pytest.mark.parametrize("months", [1, 16, 48, 103, 599, 600])
def test_the_last_day_is_in_the_last_month_and_the_next_is_not(months: int) -> None:
    grid = Grid(Unit.MONTH, months)
    assert grid.last_day == int(months * MONTH)
    assert bins(grid.last_day, months=months) == [months]
    assert bins(grid.last_day + 1) == [months + 1]
    assert grid.size == months


def test_by_day_a_cell_is_a_day() -> None:
    grid = Grid(Unit.DAY, 1)
    assert grid.size == 31  # days 0 to 30
    assert grid.cell_of(np.arange(31)).tolist() == list(range(31))
    assert grid.upper_edges().tolist() == list(range(31))


def test_months_end_where_the_next_begin() -> None:
    edges = Grid(Unit.MONTH, 3).upper_edges()
    assert edges == pytest.approx([DAYS_PER_MONTH, 2 * DAYS_PER_MONTH, 3 * DAYS_PER_MONTH])


@pytest.mark.parametrize("months", [0, -1, 601])
def test_a_horizon_is_1_to_600_months(months: int) -> None:
    with pytest.raises(ValueError, match=f"1 to 600 months; got {months}"):
        Grid(Unit.DAY, months)


@pytest.mark.parametrize(("unit", "width"), [(Unit.QUARTER, 3), (Unit.YEAR, 12)])
def test_a_coarse_bin_is_a_union_of_months(unit: Unit, width: int) -> None:
    months, coarse = Grid(Unit.MONTH, 600), Grid(unit, 600)
    days = np.arange(months.last_day + 1)
    assert (coarse.cell_of(days) == months.cell_of(days) // width).all()
    assert coarse.last_day == months.last_day
    assert coarse.size == 600 // width
    assert coarse.upper_edges() == pytest.approx(months.upper_edges()[width - 1 :: width], abs=0)


def test_four_quarters_are_a_year_to_the_day() -> None:
    # A year is 365.25 days: day 365 is in the first, day 366 in the second; a quarter is 91.3125.
    assert Grid(Unit.YEAR, 24).cell_of(np.array([0, 1, 365, 366, 730])).tolist() == [0, 0, 0, 1, 1]
    quarters = Grid(Unit.QUARTER, 12).cell_of(np.array([0, 91, 92, 182, 183, 365]))
    assert quarters.tolist() == [0, 0, 1, 1, 2, 3]


@pytest.mark.parametrize(
    ("unit", "months", "following"),
    [(Unit.QUARTER, 1, 3), (Unit.QUARTER, 37, 39), (Unit.YEAR, 13, 24), (Unit.YEAR, 599, 600)],
)
def test_a_horizon_holds_whole_bins(unit: Unit, months: int, following: int) -> None:
    with pytest.raises(ValueError, match=f"got {months}, and {following} is the next"):
        Grid(unit, months)
    assert Grid(unit, following).size == following // unit.width_months


def test_units_from_the_finest_to_the_coarsest() -> None:
    chain = [Unit.DAY]
    while (following := coarser(chain[-1])) is not None:
        assert chain[-1].is_finer_than(following)
        assert not following.is_finer_than(chain[-1])
        chain.append(following)
    assert chain == list(Unit) == ["day", "month", "quarter", "year"]
    assert not Unit.MONTH.is_finer_than(Unit.MONTH)
    assert [unit.width_days for unit in Unit] == [1.0, 365.25 / 12, 365.25 / 4, 365.25]


def test_the_units_that_divide_a_horizon() -> None:
    assert units_of(36) == tuple(Unit)
    assert units_of(39) == (Unit.DAY, Unit.MONTH, Unit.QUARTER)
    assert units_of(40) == (Unit.DAY, Unit.MONTH)
    assert all(Grid(unit, months).size for months in range(1, 601) for unit in units_of(months))
