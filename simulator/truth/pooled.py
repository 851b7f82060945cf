"""The survival analysis of all sites' rows together: the reference for every sum."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from simulator.aggregates.grid import Grid, Unit
from simulator.language.study import Question, Study
from simulator.truth.counted import in_an_arm
from simulator.truth.curves import arm_truth
from simulator.truth.differences import Path, mean_differences, survival_differences
from simulator.truth.hazards import hazard_ratios, log_rank, subgroup_truth
from simulator.truth.life_table import life_table
from simulator.truth.step_curve import step_curve
from simulator.truth.values import PooledTruth


def pooled_truth(
    frames: Sequence[pl.DataFrame], study: Study, unit: Unit = Unit.DAY
) -> PooledTruth:
    """Analyses the rows of all sites as one.

    Args:
        frames: What `patients` returned at each site.
        study: Its arms, landmarks, horizon and reference arm.
        unit: The time scale of all comparisons. The arms are by day in either case, as lifelines
            has no actuarial risk set.
    """
    rows = pool(frames, study.question)
    grid = Grid(unit, study.question.follow_up.months)
    cells = rows.with_columns(time=pl.Series(grid.cell_of(rows["days"].to_numpy())))
    landmarks, to_month = study.analyses.landmarks, study.analyses.restricted_mean
    arms = [arm.name for arm in study.question.arms]
    reference = study.analyses.reference
    ratios = hazard_ratios(cells, arms, reference)
    paths = {arm: _path(rows.filter(arm=arm), grid) for arm in arms}
    pairs = [(ratio.arm, ratio.reference) for ratio in ratios]
    return PooledTruth(
        arms=tuple(arm_truth(rows.filter(arm=arm), arm, landmarks, grid, to_month) for arm in arms),
        log_rank=log_rank(cells),
        hazard_ratios=ratios,
        mean_differences=() if to_month is None else mean_differences(paths, pairs, to_month),
        survival_differences=survival_differences(paths, pairs, landmarks),
        subgroups=tuple(
            subgroup_truth(
                cells.with_columns(level=f"level_{place}"),
                arms,
                reference,
                subgroup.name,
                [level.name for level in subgroup.levels],
            )
            for place, subgroup in enumerate(study.question.subgroups)
        ),
    )


def _path(rows: pl.DataFrame, grid: Grid) -> Path:
    """The curve of some rows in plain arithmetic, on days or in bins."""
    patients = rows.select("days", "event").iter_rows()
    if grid.unit is Unit.DAY:
        return step_curve(patients, grid.months)
    return life_table(patients, grid.months, grid.unit.width_months)


def pool(frames: Sequence[pl.DataFrame], question: Question) -> pl.DataFrame:
    """The rows of those in exactly one arm at any site, cut at the horizon.

    Returns:
        arm, days, event, and level_0, level_1, ... for the question's subgroups.
    """
    last = Grid(Unit.DAY, question.follow_up.months).last_day
    names = dict(enumerate(arm.name for arm in question.arms))
    followed = pl.concat([in_an_arm(frame, question) for frame in frames])
    return followed.select(
        pl.col("arm").replace_strict(names, return_dtype=pl.String),
        pl.col("days").clip(upper_bound=last),
        pl.col("event") & (pl.col("days") <= last),
        *(f"level_{place}" for place in range(len(question.subgroups))),
    )
