"""The public time grid: which cell of a survival table a day belongs to."""

from __future__ import annotations

from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulator.language.windows import DAYS_PER_MONTH

__all__ = ["DAYS_PER_MONTH", "Grid", "Unit"]


class Unit(StrEnum):
    """The width of a cell."""

    DAY = "day"
    MONTH = "month"


class Grid(msgspec.Struct, frozen=True):
    """A time axis that every site shares.

    Day d >= 0 counts from index. With unit `day`, cell t (0-based) is day t. With unit `month`,
    cell t is bin j = t + 1, which holds (j - 1) * m < d <= j * m with m = 365.25 / 12 days; day 0
    is in the first bin.

    Attributes:
        unit: The width of a cell.
        months: The horizon. Time beyond it is censored at it. Range: 1 to 600.
    """

    unit: Unit
    months: int

    def __post_init__(self) -> None:
        if not 1 <= self.months <= 600:
            raise ValueError(f"the horizon must be 1 to 600 months; got {self.months}")

    @property
    def last_day(self) -> int:
        """The last whole day inside the horizon."""
        return int(self.months * DAYS_PER_MONTH)

    @property
    def size(self) -> int:
        """The number of cells."""
        return self.last_day + 1 if self.unit is Unit.DAY else self.months

    def cell_of(self, days: NDArray[np.int64]) -> NDArray[np.int64]:
        """The 0-based cell of each day; days in 0..last_day, shape (n,)."""
        if self.unit is Unit.DAY:
            return days
        bins = np.ceil(days / DAYS_PER_MONTH).astype(np.int64)
        return np.maximum(bins, 1) - 1

    def upper_edges(self) -> NDArray[np.float64]:
        """The last moment of each cell, in days from index, shape (size,)."""
        cells = np.arange(self.size, dtype=np.float64)
        return cells if self.unit is Unit.DAY else (cells + 1.0) * DAYS_PER_MONTH
