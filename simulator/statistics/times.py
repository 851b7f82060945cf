"""Moments on a time grid: a number of months in days, and the cells that it parts."""

from __future__ import annotations

from typing import Final

import numpy as np

from simulator.aggregates.grid import DAYS_PER_MONTH, Grid, Unit

SLACK: Final = 1e-9
"""Days or months: 730 / 30.4375 * 30.4375 is meant to be day 730."""


def moment_on(grid: Grid, months: float) -> float:
    """The moment in days from index.

    Raises:
        ValueError: The moment is before index or beyond the horizon of the grid.
    """
    if not 0.0 <= months <= grid.months + SLACK:
        raise ValueError(
            f"a moment from 0 to {grid.months} months was expected, "
            f"the horizon of the table; got {months}"
        )
    return months * DAYS_PER_MONTH


def still_watched_cell(grid: Grid, day: float) -> int | None:
    """The cell at whose start those were at risk who are still under observation at a moment.

    Args:
        grid: The time axis.
        day: The moment, in days from index.

    Returns:
        None in the last bin and at the horizon: they are the patients censored in the last cell.
    """
    cell = int(np.ceil((day - SLACK) / grid.unit.width_days))
    # A horizon of whole days is itself a cell, whose deaths are not still under observation.
    inside = grid.unit is not Unit.DAY or day < grid.months * DAYS_PER_MONTH - SLACK
    return max(cell, 0) if inside and cell < grid.size else None
