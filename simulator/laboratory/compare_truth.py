"""What the rows of all sites say of a study, once for all releases that are compared with it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final

import msgspec
import polars as pl

from simulator.aggregates.grid import Unit
from simulator.errors import UserError
from simulator.laboratory.compare_values import ArmOfTruth, OnScale, RatioOfTruth, Truth
from simulator.language.study import Study
from simulator.truth.counted import in_an_arm
from simulator.truth.life_table import life_table
from simulator.truth.pooled import pool, pooled_truth
from simulator.truth.values import PooledTruth

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
    """What all rows together say: by month through a life table, by day through lifelines.

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
    by_day, month = pooled_truth(frames, study), nearest_landmark(study)
    alive = tuple(
        next((at.survival.estimate for at in arm.survival if at.months == month), None)
        for arm in by_day.arms
    )
    return Truth(
        patients=sum(held),
        sites=len(held),
        half_hold=statistics.median_low(held),
        arms=tuple(ArmOfTruth(arm.arm, arm.patients) for arm in by_day.arms),
        by_month=_on_scale(
            _by_month(study, frames, month), pooled_truth(frames, study, Unit.MONTH)
        ),
        by_day=_on_scale(alive, by_day),
    )


def _by_month(
    study: Study, frames: Sequence[pl.DataFrame], month: int | None
) -> tuple[float | None, ...]:
    """Survival of each arm from a life table by month, which is what releases by month estimate."""
    if month is None:
        return (None,) * len(study.question.arms)
    rows = pool(frames, study.question)
    return tuple(
        life_table(
            rows.filter(arm=arm.name).select("days", "event").iter_rows(),
            study.question.follow_up.months,
        ).survival_at(month)[0]
        for arm in study.question.arms
    )


def _on_scale(survival: tuple[float | None, ...], pooled: PooledTruth) -> OnScale:
    return OnScale(
        survival=survival,
        log_rank_p=pooled.log_rank.p if len(pooled.arms) > 1 else None,
        hazard_ratios=tuple(
            RatioOfTruth(one.arm, one.reference, one.ratio.estimate) for one in pooled.hazard_ratios
        ),
    )
