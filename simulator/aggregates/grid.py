"""The public time grid: which cell of a survival table a day belongs to."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulator.language.windows import DAYS_PER_MONTH

__all__ = ["DAYS_PER_MONTH", "Grid", "Unit", "coarser", "units_of", "whole"]


class Unit(StrEnum):
    """The width of a cell, from the finest to the coarsest."""

    DAY = "day"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    @property
    def width_months(self) -> int:
        """Whole months in a cell: 1, 3 or 12; 0 for a day, which is no number of months."""
        return _WIDTHS[self]

    @property
    def width_days(self) -> float:
        """Days in a cell: 1 for a day, otherwise months of 365.25 / 12 days."""
        return self.width_months * DAYS_PER_MONTH if self.width_months else 1.0

    def is_finer_than(self, other: Unit) -> bool:
        """Whether cells of this unit are narrower than those of another."""
        return self.width_days < other.width_days


_WIDTHS: Final = {Unit.DAY: 0, Unit.MONTH: 1, Unit.QUARTER: 3, Unit.YEAR: 12}


def coarser(unit: Unit) -> Unit | None:
    """The next coarser unit: day, month, quarter, year; None after year."""
    units = list(Unit)
    place = units.index(unit) + 1
    return units[place] if place < len(units) else None


def units_of(months: int) -> tuple[Unit, ...]:
    """The units that divide a horizon into whole cells, from the finest to the coarsest."""
    return tuple(unit for unit in Unit if months % max(unit.width_months, 1) == 0)


def whole(months: int, unit: Unit) -> int:
    """The months of the fewest whole cells of a unit that hold a horizon."""
    width = max(unit.width_months, 1)
    return -(-months // width) * width


class Grid(msgspec.Struct, frozen=True):
    """A time axis that every site shares.

    Day d >= 0 counts from index. With unit `day`, cell t (0-based) is day t. With unit `month`,
    cell t is bin j = t + 1, which holds (j - 1) * m < d <= j * m with m = 365.25 / 12 days; day 0
    is in the first bin. A quarter is the union of three such bins, a year of twelve.

    Attributes:
        unit: The width of a cell.
        months: The horizon. Time beyond it is censored at it. Range: 1 to 600, and a multiple of
            the months in a cell, so that the last cell is as wide as the others.
    """

    unit: Unit
    months: int

    def __post_init__(self) -> None:
        if not 1 <= self.months <= 600:
            raise ValueError(f"the horizon must be 1 to 600 months; got {self.months}")
        width = self.unit.width_months
        if width and self.months % width:
            following = -(-self.months // width) * width
            raise ValueError(
                f"by {self.unit} the horizon must be a multiple of {width} months; "
                f"got {self.months}, and {following} is the next"
            )

    @property
    def last_day(self) -> int:
        """The last whole day inside the horizon."""
        return int(self.months * DAYS_PER_MONTH)

    @property
    def size(self) -> int:
        """The number of cells."""
        by_day = self.unit is Unit.DAY
        return self.last_day + 1 if by_day else self.months // self.unit.width_months

    def cell_of(self, days: NDArray[np.int64]) -> NDArray[np.int64]:
        """The 0-based cell of each day; days in 0..last_day, shape (n,)."""
        if self.unit is Unit.DAY:
            return days
        bins = np.ceil(days / self.unit.width_days).astype(np.int64)
        return np.maximum(bins, 1) - 1

    def upper_edges(self) -> NDArray[np.float64]:
        """The last moment of each cell, in days from index, shape (size,)."""
        cells = np.arange(self.size, dtype=np.float64)
        return cells if self.unit is Unit.DAY else (cells + 1.0) * self.unit.width_days
