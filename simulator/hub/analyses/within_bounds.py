"""The comparison where a rule withheld or changed cells: what is shown, and what stays open."""

from __future__ import annotations

import numpy as np

from simulator.aggregates.released import Partial
from simulator.aggregates.survival import SurvivalTable, survival_layout
from simulator.aggregates.table import Table
from simulator.errors import Refused
from simulator.hub.analyses.as_shown import NO_CHANCE, as_shown, share, told
from simulator.hub.analyses.compared import Comparison
from simulator.hub.analyses.released import ReleasedBounds
from simulator.hub.analyses.results import ArmResult, Bounds, Interval, Landmark
from simulator.language.study import Study
from simulator.privacy.release import Release
from simulator.statistics.bounded_survival import (
    at_risk_bounds_at,
    median_bounds,
    survival_bounds,
    survival_bounds_at,
    total_bounds,
)
from simulator.statistics.kaplan_meier import at_risk_at, kaplan_meier
from simulator.statistics.times import moment_on, still_watched_cell

Places = tuple[int | slice, int | slice]
"""Cells of time, and kinds of end: events, censorings."""


def within_bounds(study: Study, release: Release, found: ReleasedBounds) -> Comparison:
    """Compares the arms of what a rule let out.

    Where every cell was shown, the estimates are those of the cells shown, which is what a reader
    of that system would make of them; noise may have made a cell negative, which then counts as 0.
    They have no intervals, and the arms are not tested: the rule's error is no chance. The bounds
    beside them hold whatever the cells were in truth. Where a cell was withheld there are bounds
    alone: it is no number.

    Raises:
        Refused: Every cell was shown, and an arm is left without patients.
    """
    table, unit = found.table, found.grid.unit
    arms = table.layout.axes[0].labels
    if table.withheld.any():
        known = tuple(_bounds_alone(study, found, arm) for arm in arms)
        note = "no log-rank and no contrasts: the rule withheld cells of the survival table"
        return Comparison(known, None, (), unit=unit, notes=(note,))
    cells = np.maximum(table.shown, 0)
    seen = SurvivalTable(found.grid, Table(survival_layout(arms, found.grid), cells))
    empty = [arm for arm, n in zip(arms, seen.patients, strict=True) if n == 0]
    if empty:
        raise Refused(
            f"the rule '{release.name}' leaves the arm '{empty[0]}' without patients, so there is "
            "nothing to compare",
            hint="Apply it once on the sum with --at network, or look under another release.",
        )
    made = tuple(_shown(study, release, found, seen, arm) for arm in arms)
    patients, died = int(cells.sum()), int(cells[..., 0].sum())
    note = (
        "estimates are those of the cells as the rule shows them; what it does to each of them "
        f"adds up: they come to {patients:,} patients, of whom {died:,} "
        "had the outcome, while the arms are counted apart"
    )
    return Comparison(made, None, (), unit=unit, notes=(NO_CHANCE, note))


def _shown(
    study: Study, release: Release, found: ReleasedBounds, seen: SurvivalTable, arm: str
) -> ArmResult:
    """An arm's estimates with what the rule leaves open beside them."""
    bounds, shown = survival_bounds(found.table, found.grid, arm), kaplan_meier(seen, arm)

    def left(month: int) -> tuple[int, Bounds | None]:
        return at_risk_at(shown, month), share(*survival_bounds_at(bounds, month))

    return as_shown(study, release, seen, arm, left=left, median=told(*median_bounds(bounds)))


def _bounds_alone(study: Study, found: ReleasedBounds, arm: str) -> ArmResult:
    """An arm of which nothing but bounds is known."""
    curve = survival_bounds(found.table, found.grid, arm)
    totals = total_bounds(found.table, found.grid, arm)
    row = found.table.layout.axes[0].labels.index(arm)
    shown, held = found.table.shown[row], found.table.withheld[row]

    def landmark(month: int) -> Landmark:
        cell = still_watched_cell(found.grid, moment_on(found.grid, month))
        places = (-1, 1) if cell is None else (slice(cell, None), slice(None))
        at_risk = partial(places, at_risk_bounds_at(curve, month))
        return Landmark(month, at_risk, None, None, None, share(*survival_bounds_at(curve, month)))

    def partial(places: Places, ends: tuple[int, int | None]) -> Partial:
        return Partial(max(int(shown[places].sum()), 0), int(held[places].sum()), *ends)

    everywhere = slice(None)

    months = range(1, study.question.follow_up.months + 1)
    return ArmResult(
        arm=arm,
        patients=partial((everywhere, everywhere), totals.patients),
        events=partial((everywhere, 0), totals.events),
        censored=partial((everywhere, 1), totals.censored),
        median_months=Interval(None, None, None, told(*median_bounds(curve))),
        median_follow_up_months=None,
        survival=tuple(landmark(month) for month in study.analyses.landmarks),
        rmst_months=None,
        curve=tuple(landmark(month) for month in months),
        quantiles_months=(),
    )
