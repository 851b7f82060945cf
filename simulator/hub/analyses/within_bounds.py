"""The comparison where a rule withheld or changed cells: what is shown, and what stays open."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from simulator.aggregates.released import Partial
from simulator.aggregates.survival import SurvivalTable, survival_layout
from simulator.aggregates.table import Table
from simulator.errors import Refused
from simulator.hub.analyses.compared import Comparison, compared
from simulator.hub.analyses.released import ReleasedBounds
from simulator.hub.analyses.results import ArmResult, Bounds, Interval, Landmark
from simulator.language.study import Study
from simulator.privacy.release import Release
from simulator.statistics.bounded_survival import (
    CurveBounds,
    at_risk_bounds_at,
    median_bounds,
    survival_bounds,
    survival_bounds_at,
    total_bounds,
)
from simulator.statistics.times import moment_on, still_watched_cell

_AS_SHOWN: Final = (
    "estimates are those of the cells as the rule shows them, and the patients of an arm are the "
    "sum of its cells: what the rule does to each of them adds up"
)
Places = tuple[int | slice, int | slice]
"""Cells of time, and kinds of end: events, censorings."""


def within_bounds(study: Study, release: Release, found: ReleasedBounds) -> Comparison:
    """Compares the arms of what a rule let out.

    Where every cell was shown, the estimates are those of the cells shown, which is what a reader
    of that system would make of them; noise may have made a cell negative, which then counts as 0.
    The bounds beside them hold whatever the cells were in truth. Where a cell was withheld there
    are bounds alone: it is no number.

    Raises:
        Refused: Every cell was shown, and an arm is left without patients.
    """
    table, unit = found.table, found.grid.unit
    arms = table.layout.axes[0].labels
    if table.withheld.any():
        told = tuple(_bounds_alone(study, found, arm) for arm in arms)
        note = "no log-rank and no contrasts: the rule withheld cells of the survival table"
        return Comparison(told, None, (), unit=unit, notes=(note,))
    cells = np.maximum(table.shown, 0)
    seen = SurvivalTable(found.grid, Table(survival_layout(arms, found.grid), cells))
    empty = [arm for arm, n in zip(arms, seen.patients, strict=True) if n == 0]
    if empty:
        raise Refused(
            f"the rule '{release.name}' leaves the arm '{empty[0]}' without patients, so there is "
            "nothing to compare",
            hint="Apply it once on the sum with --at network, or look under another release.",
        )
    made = compared(study, release, seen)
    bounded = tuple(_with_bounds(arm, found) for arm in made.arms)
    return Comparison(
        bounded,
        made.log_rank,
        made.hazard_ratios,
        made.rmst_differences,
        made.survival_differences,
        unit,
        (_AS_SHOWN,),
    )


def _with_bounds(arm: ArmResult, found: ReleasedBounds) -> ArmResult:
    """An arm's estimates with what the rule leaves open beside them."""
    curve = survival_bounds(found.table, found.grid, arm.arm)
    median = _told(*median_bounds(curve))

    def landmark(one: Landmark) -> Landmark:
        return msgspec.structs.replace(one, bounds=_share(curve, one.months))

    return msgspec.structs.replace(
        arm,
        median_months=msgspec.structs.replace(arm.median_months, bounds=median),
        survival=tuple(map(landmark, arm.survival)),
        curve=tuple(map(landmark, arm.curve)),
    )


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
        return Landmark(month, at_risk, None, None, None, _share(curve, month))

    def partial(places: Places, ends: tuple[int, int | None]) -> Partial:
        return Partial(max(int(shown[places].sum()), 0), int(held[places].sum()), *ends)

    everywhere = slice(None)

    months = range(1, study.question.follow_up.months + 1)
    return ArmResult(
        arm=arm,
        patients=partial((everywhere, everywhere), totals.patients),
        events=partial((everywhere, 0), totals.events),
        censored=partial((everywhere, 1), totals.censored),
        median_months=Interval(None, None, None, _told(*median_bounds(curve))),
        median_follow_up_months=None,
        survival=tuple(landmark(month) for month in study.analyses.landmarks),
        rmst_months=None,
        curve=tuple(landmark(month) for month in months),
        quantiles_months=(),
    )


def _share(curve: CurveBounds, month: int) -> Bounds | None:
    """Bounds of survival; None where they tell nothing."""
    least, most = survival_bounds_at(curve, month)
    return None if least <= 0.0 and most >= 1.0 else Bounds(least, most)


def _told(least: float | None, most: float | None) -> Bounds | None:
    return None if least is None and most is None else Bounds(least, most)
