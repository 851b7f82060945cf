"""What the rows of all sites say of a study, once for all releases that are compared with it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final

import msgspec
import polars as pl

from simulator.errors import UserError
from simulator.laboratory.compare_values import ArmOfTruth, RatioOfTruth, Truth
from simulator.language.study import Study
from simulator.truth.counted import in_an_arm
from simulator.truth.pooled import pooled_truth

WANTED_MONTHS: Final = 36
"""Survival is compared at the study's landmark that is nearest to this month."""


def without_subgroups(study: Study) -> Study:
    """The study without its subgroups, which some releases refuse."""
    question = msgspec.structs.replace(study.question, subgroups=())
    return msgspec.structs.replace(study, question=question)


def nearest_landmark(study: Study) -> int | None:
    """The study's landmark nearest to month 36, the earlier of two; None where it has none."""
    months = study.analyses.landmarks
    return min(months, key=lambda month: (abs(month - WANTED_MONTHS), month), default=None)


def truth_of(study: Study, frames: Sequence[pl.DataFrame]) -> Truth:
    """What all rows together say, by day.

    Args:
        study: The study.
        frames: The rows that the interpreter chose at each site.

    Raises:
        UserError: An arm has nobody.
    """
    held = [count for frame in frames if (count := in_an_arm(frame, study.question).height)]
    there = {arm for frame in frames for arm in in_an_arm(frame, study.question)["arm"].unique()}
    for place, arm in enumerate(study.question.arms):
        if place not in there:
            raise UserError(
                f"the arm '{arm.name}' has no patients at any site, so there is nothing to compare",
                hint="Look at the arm's criteria with `cohortium count`.",
            )
    pooled, month = pooled_truth(frames, study), nearest_landmark(study)
    return Truth(
        patients=sum(held),
        sites=len(held),
        half_hold=statistics.median_low(held),
        arms=tuple(
            ArmOfTruth(
                arm.arm,
                arm.patients,
                next((at.survival.estimate for at in arm.survival if at.months == month), None),
            )
            for arm in pooled.arms
        ),
        log_rank_p=pooled.log_rank.p if len(pooled.arms) > 1 else None,
        hazard_ratios=tuple(
            RatioOfTruth(one.arm, one.reference, one.ratio.estimate) for one in pooled.hazard_ratios
        ),
    )
