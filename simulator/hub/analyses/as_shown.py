"""Arms by counts that a rule has changed: estimates without intervals, as its error is no chance.

An interval and a test know of chance alone, as if the counts shown were patients. Under rounding
that is not so: arms that do not differ would be told apart far more often than one time in twenty,
and intervals called 95 % would miss the truth as often.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from simulator.aggregates.released import Released
from simulator.aggregates.survival import SurvivalTable
from simulator.hub.analyses.arms import arm_result
from simulator.hub.analyses.results import ArmResult, Bounds, Landmark
from simulator.language.study import Study
from simulator.privacy.offers import NOT_CHANCE
from simulator.privacy.release import Release

NO_CHANCE: Final = f"no intervals, no tests, no contrasts: {NOT_CHANCE}"
Left = Callable[[int], tuple[Released, Bounds | None]]
"""How many are still watched at a month, and between what survival lies there."""


def as_shown(
    study: Study,
    release: Release,
    table: SurvivalTable,
    arm: str,
    *,
    left: Left,
    median: Bounds | None,
) -> ArmResult:
    """An arm's estimates, of the counts shown, with what the rule leaves open beside them.

    Args:
        study: Says which months are looked at.
        release: The rule.
        table: The counts as they are shown, 0 and above.
        arm: The arm.
        left: What is known of survival at a month.
        median: Between what the median lies; None where nothing is known.
    """
    made = arm_result(study, release, table, arm)
    estimates = {mark.months: mark.estimate for mark in (*made.survival, *made.curve)}

    def landmark(month: int) -> Landmark:
        at_risk, bounds = left(month)
        return Landmark(month, at_risk, estimates.get(month), None, None, bounds)

    mean = made.rmst_months
    bare = msgspec.structs.replace
    return bare(
        made,
        median_months=bare(made.median_months, lower=None, upper=None, bounds=median),
        survival=tuple(landmark(month) for month in study.analyses.landmarks),
        rmst_months=None if mean is None else bare(mean, lower=None, upper=None),
        # Where the counts shown end, the patients need not.
        curve=tuple(landmark(month) for month in range(1, study.question.follow_up.months + 1)),
        quantiles_months=tuple(
            bare(found, lower=None, upper=None) for found in made.quantiles_months
        ),
    )


def share(least: float, most: float) -> Bounds | None:
    """Bounds of survival; None where they tell nothing."""
    return None if least <= 0.0 and most >= 1.0 else Bounds(least, most)


def told(least: float | None, most: float | None) -> Bounds | None:
    """Bounds of a median; None where they tell nothing."""
    return None if least is None and most is None else Bounds(least, most)
