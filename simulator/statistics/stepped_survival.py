"""What rounded cumulative counts leave open in a survival curve: bounds over all they allow.

Of an arm are known, for each cell j, between what the events so far D_j and the censorings so far
C_j lie. With k cells and G_j = C_k - (C_j + C_(j-1)) / 2, or C_k - C_(j-1) where the full risk set
is taken (by day, and in the last cell), survival at the end of cell t is the product over j <= t of

    (G_j + D_k - D_j) / (G_j + D_k - D_(j-1)).

It rises in each G_j and in D_k, and falls in D_t. An earlier D_j stands in two factors only, as
(G_j + y) / (G_(j+1) + y) with y = D_k - D_j; as G_j >= G_(j+1) that falls in y, so that survival
**rises** in D_j: events that come early leave more of the weight of those censored to the others.
G_j falls in C_j and C_(j-1), and rises in C_k by as much as C_k exceeds them.

So the extremes at one t are corners. The lowest curve has its events as late as they may be and yet
as many of them by t as may be, its censorings early, and few of both in all; the highest the other
way round. Both are tables within the bounds, so that nothing tighter is true at the end of a cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.aggregates.grid import Grid, Unit
from simulator.statistics.times import SLACK, moment_on, still_watched_cell

Reals = NDArray[np.float64]
Counts = NDArray[np.int64]

_HALF: Final = 0.5 + 1e-11  # 23/24 * 22/23 * ... * 12/13 is meant to be 0.5


@dataclass(frozen=True, eq=False)
class SoFar:
    """Between what the events and the censorings so far lie at the end of each cell, shape (k,)."""

    least_events: Counts
    most_events: Counts
    least_censored: Counts
    most_censored: Counts


@dataclass(frozen=True, eq=False)
class SteppedCurve:
    """Between what the Kaplan-Meier curve of an arm lies at the end of each cell.

    Attributes:
        grid: The time axis.
        lowest: The least that survival may be, in [0, 1], shape (k,); 0 where possibly nobody was
            watched in the cell, as the curve then says nothing.
        lowest_flat: The least of the curves that run on flat past their last patient, shape (k,).
        highest: The greatest, shape (k,).
        so_far: The bounds of the counts.
    """

    grid: Grid
    lowest: Reals
    lowest_flat: Reals
    highest: Reals
    so_far: SoFar


def stepped_curve(grid: Grid, so_far: SoFar) -> SteppedCurve:
    """The least and the greatest that a curve in bins may be at the end of each cell.

    The estimator is that of `kaplan_meier`. Over all counts within the bounds each end is reached.
    It takes time with the square of the cells.

    Args:
        grid: The time axis, in bins.
        so_far: Bounds that some table meets: neither end ever falls.

    Raises:
        ValueError: The grid is by day, or the bounds have another length.
    """
    if grid.unit is Unit.DAY or so_far.least_events.shape != (grid.size,):
        raise ValueError(f"bounds of {grid.size} bins were expected, not of days")
    ends = range(grid.size)
    flat = np.array([_lowest(so_far, cell) for cell in ends])
    certain = np.array([_watched(so_far, cell)[0] > 0 for cell in ends])
    highest = np.array([_highest(so_far, cell) for cell in ends])
    return SteppedCurve(grid, np.where(certain, flat, 0.0), flat, highest, so_far)


def between_at(curve: SteppedCurve, months: float) -> tuple[float, float]:
    """The least and the greatest that survival may be at a moment; see `survival_at`.

    Sharp at the end of a bin. Inside one the lines between the bounds at its edges: true, but not
    sharp.

    Raises:
        ValueError: The moment is before index or beyond the horizon.
    """
    at = moment_on(curve.grid, months) / curve.grid.unit.width_days
    cell = min(max(int(np.ceil(at - SLACK)) - 1, 0), curve.grid.size - 1)
    low, high = (
        float(np.interp(at, np.arange(curve.grid.size + 1), np.append(1.0, values)))
        for values in (curve.lowest_flat, curve.highest)
    )
    known = _watched(curve.so_far, cell)[0] > 0
    return (low if known else 0.0), high


def median_between(curve: SteppedCurve) -> tuple[float | None, float | None]:
    """The earliest and the latest that the median may be, in months from index; see `median`.

    Returns:
        The earliest is None if no curve within the bounds reaches its median, the latest if one
        does not.
    """
    return _passes(curve.grid, curve.lowest_flat), _passes(curve.grid, curve.highest)


def watched_between(curve: SteppedCurve, months: float) -> tuple[int, int]:
    """The fewest and the most patients still under observation at a moment; see `at_risk_at`.

    Raises:
        ValueError: The moment is before index or beyond the horizon.
    """
    cell = still_watched_cell(curve.grid, moment_on(curve.grid, months))
    if cell is not None:
        return _watched(curve.so_far, cell)
    found, before = curve.so_far, curve.grid.size - 2
    least_before, most_before = (
        int(ends[before]) if before >= 0 else 0
        for ends in (found.least_censored, found.most_censored)
    )
    least = max(int(found.least_censored[-1]) - most_before, 0)
    return least, int(found.most_censored[-1]) - least_before


def _watched(found: SoFar, cell: int) -> tuple[int, int]:
    """The fewest and the most patients at the start of a cell."""
    least = most = 0
    for low, high in (
        (found.least_events, found.most_events),
        (found.least_censored, found.most_censored),
    ):
        least_left, most_left = (int(ends[cell - 1]) if cell else 0 for ends in (low, high))
        least += max(int(low[-1]) - most_left, 0)
        most += int(high[-1]) - least_left
    return least, most


def _lowest(found: SoFar, cell: int) -> float:
    """Few in all, censored early; events late, and yet many by the end of the cell."""
    events = found.least_events.copy()
    events[cell] = found.most_events[cell]
    in_all = max(int(found.least_events[-1]), int(events[cell]))
    censored = np.minimum(found.most_censored, found.least_censored[-1])
    return _survival(events, in_all, censored, cell)


def _highest(found: SoFar, cell: int) -> float:
    """Many in all, censored late; events early, and yet few by the end of the cell."""
    events = np.minimum(found.most_events, found.least_events[cell])
    censored = found.least_censored.copy()
    censored[-1] = found.most_censored[-1]
    in_all = events if cell == events.size - 1 else found.most_events
    return _survival(events, int(in_all[-1]), censored, cell)


def _survival(events: Counts, in_all: int, censored: Counts, cell: int) -> float:
    """Survival at the end of a cell from the counts so far, and all events."""
    last = censored.size - 1
    before = np.append(0, censored[:-1])
    gone = (censored + before) / 2.0
    gone[last] = before[last]
    staying = (censored[last] - gone - events + in_all)[: cell + 1]
    happened = np.diff(events, prepend=0)[: cell + 1]
    factors = np.ones(cell + 1)
    np.divide(staying, staying + happened, out=factors, where=happened > 0)
    return float(np.prod(factors))


def _passes(grid: Grid, values: Reals) -> float | None:
    """When the lines between the ends of the bins first come down to a half, in months."""
    passed = np.flatnonzero(values <= _HALF)
    if not passed.size:
        return None
    cell = int(passed[0])
    before = float(values[cell - 1]) if cell else 1.0
    share = min((before - 0.5) / (before - float(values[cell])), 1.0)
    return float((cell + share) * grid.unit.width_months)
