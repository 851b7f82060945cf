"""The comparison where counts so far were rounded: what is shown, and what that leaves open."""

from __future__ import annotations

from typing import Final

import msgspec

from simulator.aggregates.released import Partial, Released
from simulator.aggregates.survival import SurvivalTable
from simulator.hub.analyses.as_shown import NO_CHANCE, as_shown, share, told
from simulator.hub.analyses.compared import Comparison
from simulator.hub.analyses.results import ArmResult, Bounds
from simulator.language.study import Study
from simulator.privacy.release import Release
from simulator.privacy.steps import step_bounds
from simulator.statistics.kaplan_meier import at_risk_at, kaplan_meier
from simulator.statistics.stepped_survival import (
    SoFar,
    between_at,
    median_between,
    stepped_curve,
    watched_between,
)

_AS_SHOWN: Final = (
    "estimates are those of the rounded counts, which need not come to as many patients as the "
    "arm has; the bounds hold whatever the counts were"
)


def within_steps(study: Study, release: Release, table: SurvivalTable) -> Comparison:
    """Compares the arms of a table by `midpoint_steps`: estimates and bounds, and no more."""
    least, most = step_bounds(table)
    arms = tuple(
        _arm(
            study,
            release,
            table.select((arm,)),
            SoFar(low[:, 0], high[:, 0], low[:, 1], high[:, 1]),
        )
        for arm, low, high in zip(table.arms, least, most, strict=True)
    )
    return Comparison(arms, None, (), unit=table.grid.unit, notes=(NO_CHANCE, _AS_SHOWN))


def _arm(study: Study, release: Release, table: SurvivalTable, so_far: SoFar) -> ArmResult:
    """An arm by its own table, with what the steps leave open."""
    (arm,) = table.arms
    shown, curve = kaplan_meier(table, arm), stepped_curve(table.grid, so_far)

    def left(month: int) -> tuple[Released, Bounds | None]:
        watched = _between(at_risk_at(shown, month), *watched_between(curve, month))
        return watched, share(*between_at(curve, month))

    made = as_shown(study, release, table, arm, left=left, median=told(*median_between(curve)))
    died = int(so_far.least_events[-1]), int(so_far.most_events[-1])
    ended = int(so_far.least_censored[-1]), int(so_far.most_censored[-1])
    return msgspec.structs.replace(
        made,
        patients=_between(int(table.patients[0]), died[0] + ended[0], died[1] + ended[1]),
        events=_between(int(table.events.sum()), *died),
        censored=_between(int(table.censored.sum()), *ended),
    )


def _between(shown: int, least: int, most: int) -> Released:
    """What is shown of a count with what it may be; the count itself where that is sure."""
    return most if least == most else Partial(shown, 0, least, most)
