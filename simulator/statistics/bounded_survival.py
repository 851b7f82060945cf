"""What withheld cells leave open in a survival curve: sharp bounds over all tables they allow.

Survival at the end of cell t is the product over j <= t of A_j / (A_j + d_j), where A_j is everyone
who outlasts the events of cell j: n_(j+1) + c_j, or n_(j+1) + c_j / 2 under the actuarial risk set.
A censoring, and an event after t, only ever adds to some A_j, so that the curve at t **rises** in
them. An event at i <= t adds to A_j for j < i; but the product is also A_t / (A_1 + d_1) times the
A_(j-1) / (A_j + d_j) for 2 <= j <= t, where A_t does not know the event and each further factor is
(n_j + a) / (n_j - b) with a, b >= 0, which falls as n_j rises: the curve at t **falls** in it. So
the extremes at one t are corners: events up to t at one end of their bounds, and all else at the
other. A cell that nothing bounds is taken to its limit, which the curve comes as near to as wanted.

Inside a bin the straight line between its edges is neither rising nor falling in the bin's own
events, so each of their numbers is tried with the corner of everything else.

There are no such bounds for the log-rank statistic, nor for a hazard ratio: the statistic is a
square over a variance, neither rising nor falling in one cell, so that its extremes need not be
corners; bounds of its parts taken one by one would be loose enough to say nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.aggregates.bounded import OPEN, BoundedTable
from simulator.aggregates.grid import DAYS_PER_MONTH, Grid, Unit
from simulator.aggregates.survival import survival_layout
from simulator.statistics.counts import row_of
from simulator.statistics.times import SLACK, moment_on, still_watched_cell

Reals = NDArray[np.float64]

_HALF: Final = 0.5 + 1e-11  # 23/24 * 22/23 * ... * 12/13 is meant to be 0.5
_TRIED: Final = 1000


@dataclass(frozen=True, eq=False)
class Cells:
    """The least and the greatest number of each kind in each cell, shape (k,); inf where open."""

    least_events: Reals
    most_events: Reals
    least_censored: Reals
    most_censored: Reals


@dataclass(frozen=True, eq=False)
class CurveBounds:
    """Between what the Kaplan-Meier curve of an arm lies at the end of each cell.

    A curve says nothing past the moment at which its last patient was watched: it may run on flat
    or fall to 0 there. Where a table within the bounds has nobody left, and so knows no value,
    `lowest` is therefore 0 and `highest` where the highest curve stood: the whole of [0, 1] if
    possibly nobody is in the arm.

    Attributes:
        grid: The time axis.
        lowest: The least that survival may be, in [0, 1], shape (k,).
        highest: The greatest, shape (k,).
        lowest_flat: The least of the curves that run on flat past their last patient, shape (k,).
            It is above `lowest` only where it is not certain that anybody is watched.
        least_at_risk: The fewest patients at the start of each cell, shape (k,).
        most_at_risk: The most; inf where open.
        cells: The bounds of the counts themselves.
    """

    grid: Grid
    lowest: Reals
    highest: Reals
    lowest_flat: Reals
    least_at_risk: Reals
    most_at_risk: Reals
    cells: Cells


@dataclass(frozen=True)
class TotalBounds:
    """Between what an arm's totals lie; the greatest is None where nothing bounds it."""

    patients: tuple[int, int | None]
    events: tuple[int, int | None]
    censored: tuple[int, int | None]


def survival_bounds(table: BoundedTable, grid: Grid, arm: str) -> CurveBounds:
    """The least and the greatest that the curve of an arm may be at the end of each cell.

    The estimator is that of `kaplan_meier`: the full risk set by day, n - c/2 in bins but for the
    last. Over the integer tables within the bounds, each bound is reached by one, or come near to
    if a cell is open. Where all counts are known both are the estimator's value to the last bit.
    It takes time with the square of the cells: 0.3 s for the days of three years.

    Args:
        table: Bounds of events and censorings, in the layout of a survival table on this grid.
        grid: The time axis.
        arm: The label of an arm.

    Raises:
        ValueError: The layout is another, there is no such arm, or a lower bound is negative.
    """
    cells = _cells_of(table, grid, arm)
    flat, highest = (
        np.array([_corner(grid, cells, cell, low=low)[1] for cell in range(grid.size)])
        for low in (True, False)
    )
    least_at_risk = _still_in(cells.least_events + cells.least_censored)
    return CurveBounds(
        grid=grid,
        lowest=np.where(least_at_risk > 0.0, flat, 0.0),
        highest=highest,
        lowest_flat=flat,
        least_at_risk=least_at_risk,
        most_at_risk=_still_in(cells.most_events + cells.most_censored),
        cells=cells,
    )


def survival_bounds_at(bounds: CurveBounds, months: float) -> tuple[float, float]:
    """The least and the greatest that survival may be at a moment; see `survival_at`.

    Sharp on a step and at the edge of a bin, and inside a bin whose own events are known to within
    1,000. Beyond that the line between the bounds at its edges is taken: true, but not sharp.

    Args:
        bounds: The bounds of a curve.
        months: The moment, in months from index, in [0, the horizon].

    Returns:
        Both in [0, 1]. The lower one is 0 where possibly nobody was watched until then.

    Raises:
        ValueError: The moment is before index or beyond the horizon.
    """
    grid = bounds.grid
    day = moment_on(grid, months)
    if grid.unit is Unit.DAY:
        watched = min(math.ceil(day - SLACK), grid.size - 1)
        cell = min(int(day + SLACK), grid.size - 1)
        lowest, highest = bounds.lowest_flat[cell], bounds.highest[cell]
    else:
        width = grid.unit.width_days
        watched = max(math.ceil((day - SLACK) / width) - 1, 0)
        lowest, highest = _inside(bounds, watched, day - watched * width)
    known = bounds.least_at_risk[watched] > 0.0
    return (float(lowest) if known else 0.0), float(highest)


def at_risk_bounds_at(bounds: CurveBounds, months: float) -> tuple[int, int | None]:
    """The fewest and the most patients still under observation at a moment; see `at_risk_at`.

    Returns:
        The most is None where nothing bounds it.

    Raises:
        ValueError: The moment is before index or beyond the horizon.
    """
    cell = still_watched_cell(bounds.grid, moment_on(bounds.grid, months))
    if cell is None:
        least, most = bounds.cells.least_censored[-1], bounds.cells.most_censored[-1]
    else:
        least, most = bounds.least_at_risk[cell], bounds.most_at_risk[cell]
    return int(least), _whole(float(most))


def median_bounds(bounds: CurveBounds) -> tuple[float | None, float | None]:
    """The earliest and the latest that the median may be, in months from index; see `median`.

    Sharp by day, and in bins whose own events are known to within 1,000.

    Returns:
        The earliest is None if no table within the bounds reaches its median, the latest if one
        does not.
    """
    return _passes(bounds, bounds.lowest_flat, low=True), _passes(bounds, bounds.highest, low=False)


def total_bounds(table: BoundedTable, grid: Grid, arm: str) -> TotalBounds:
    """Between what the patients, events and censorings of an arm lie.

    Raises:
        ValueError: The layout is another, there is no such arm, or a lower bound is negative.
    """
    cells = _cells_of(table, grid, arm)
    least = cells.least_events.sum(), cells.least_censored.sum()
    most = cells.most_events.sum(), cells.most_censored.sum()
    return TotalBounds(
        patients=(int(sum(least)), _whole(float(sum(most)))),
        events=(int(least[0]), _whole(float(most[0]))),
        censored=(int(least[1]), _whole(float(most[1]))),
    )


def _whole(most: float) -> int | None:
    return None if math.isinf(most) else int(most)


def _cells_of(table: BoundedTable, grid: Grid, arm: str) -> Cells:
    arms = table.layout.axes[0].labels
    if table.layout != survival_layout(arms, grid):
        raise ValueError("the table's layout is not that of a survival table on this grid")
    row = row_of(arms, arm)
    if (table.lowest[row] < 0).any():
        raise ValueError("counts of 0 and above were expected; a lower bound is negative")
    least = table.lowest[row].astype(np.float64)
    most = np.where(table.highest[row] >= OPEN, np.inf, table.highest[row].astype(np.float64))
    return Cells(least[:, 0], most[:, 0], least[:, 1], most[:, 1])


def _still_in(leaving: Reals) -> Reals:
    """Patients at the start of each cell from those who leave in each, shape (k,)."""
    still_in: Reals = np.cumsum(leaving[::-1])[::-1]
    return still_in


def _corner(
    grid: Grid, cells: Cells, cell: int, *, low: bool, own: Reals | None = None
) -> tuple[Reals, Reals]:
    """Survival before and after a cell in the lowest or the highest table for the end of it.

    Args:
        grid: The time axis.
        cells: The bounds of the counts.
        cell: The cell.
        low: Whether the lowest is wanted.
        own: The cell's own events, shape (n,); by default the one number that is extreme.

    Returns:
        Two arrays of shape (n,), or of shape () without `own`.
    """
    early, late = cells.least_events, cells.most_events
    if low:
        early, late = late, early
    censored = cells.least_censored if low else cells.most_censored
    outlasting = censored.copy()
    if grid.unit is not Unit.DAY:
        outlasting[:-1] /= 2.0
    beyond = (late + censored)[cell + 1 :].sum()
    chosen: Reals = np.asarray(early[cell] if own is None else own)
    before: Reals = np.ones_like(chosen)
    if cell:
        leaving = early[:cell] + censored[:cell]
        between = np.append(_still_in(leaving[1:]), 0.0)
        staying = outlasting[:cell] + between + (censored[cell] + beyond)
        staying = staying + chosen[..., np.newaxis]
        before = np.cumprod(_factors(staying, early[:cell]), axis=-1, dtype=np.float64)[..., -1]
    return before, before * _factors(outlasting[cell] + beyond, chosen)


def _factors(outlasting: Reals, events: Reals) -> Reals:
    """The share that outlasts the events of a cell; either may be without limit.

    Where both are, those who outlast them are: an event without limit is one of the lowest corner,
    whose last such cell is outlasted by finitely many and takes the product to 0 by itself.
    """
    outlasting, events = np.broadcast_arrays(outlasting, events)
    found = np.ones(outlasting.shape)
    lasting = np.isinf(outlasting)
    np.divide(outlasting, outlasting + events, out=found, where=(events > 0.0) & ~lasting)
    return found


def _lines(bounds: CurveBounds, cell: int, *, low: bool) -> tuple[Reals, Reals]:
    """The extreme lines through a bin, by their two ends: one for each number of its own events."""
    least, most = bounds.cells.least_events[cell], bounds.cells.most_events[cell]
    if most - least > _TRIED:
        ends = bounds.lowest_flat if low else bounds.highest
        return np.append(1.0, ends)[[cell]], ends[[cell]]
    own = np.arange(least, most + 1.0)
    return _corner(bounds.grid, bounds.cells, cell, low=low, own=own)


def _inside(bounds: CurveBounds, cell: int, days: float) -> tuple[float, float]:
    """The least and the greatest of the lines through a bin, some days after its start."""
    width = bounds.grid.unit.width_days
    lowest, highest = (
        (after - before) / width * days + before if days < width else after
        for before, after in (_lines(bounds, cell, low=low) for low in (True, False))
    )
    return float(lowest.min()), float(highest.max())


def _passes(bounds: CurveBounds, values: Reals, *, low: bool) -> float | None:
    """When the lowest curves first, or the highest ones last, come down to a half; in months."""
    passed = np.flatnonzero(values <= _HALF)
    if not passed.size:
        return None
    cell = int(passed[0])
    if bounds.grid.unit is Unit.DAY:
        return cell / DAYS_PER_MONTH
    before, after = _lines(bounds, cell, low=low)
    # Of the lowest some may not come down to a half here, and of the highest some have before.
    crossing = (after <= _HALF) & (before > _HALF)
    before, after = before[crossing], after[crossing]
    shares = np.minimum((before - 0.5) / (before - after), 1.0)
    return float((cell + (shares.min() if low else shares.max())) * bounds.grid.unit.width_months)
