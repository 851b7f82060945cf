"""What a verification compares between arms: tests, ratios, differences and subgroups."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from simulator.aggregates.released import Withheld
from simulator.hub.analyses.results import (
    ContrastResult,
    HazardRatioResult,
    LevelResult,
    RestrictedMeanDifference,
    SurvivalDifference,
)
from simulator.hub.result import StudyResult
from simulator.laboratory.lines import Line, counted, line
from simulator.truth.values import (
    ContrastTruth,
    DifferenceTruth,
    HazardRatioTruth,
    LevelTruth,
    PooledTruth,
    SubgroupTruth,
)

_COX_TOLERANCE: Final = 1e-6  # where lifelines stops
# p depends on the coefficient over its standard error: where arms are large, an error of 0.1 and
# less makes of the same distance one that is ten times as large.
_P_TIMES: Final = 10


def contrast_lines(result: StudyResult, pooled: PooledTruth) -> Iterator[Line]:
    """The log-rank test, every hazard ratio, every difference, and every subgroup."""
    if result.log_rank is not None:
        test, other = result.log_rank, pooled.log_rank
        yield line("log-rank chi-squared", test.statistic, other.statistic)
        yield line("    degrees of freedom", test.df, other.degrees_of_freedom)
        yield line("    p", test.p, other.p)
    yield from _ratio_lines("", result.hazard_ratios, pooled.hazard_ratios)
    for mean, truth in zip(result.rmst_differences, pooled.mean_differences, strict=True):
        name = f"    mean to {mean.months} months, {_pair(mean, truth)}"
        yield from _wald_lines(f"{name}: difference", mean.difference, truth.difference)
        yield from _wald_lines(f"{name}: ratio", mean.ratio, truth.ratio)
    for alive, truth in zip(result.survival_differences, pooled.survival_differences, strict=True):
        name = f"    survival at {alive.months} months, {_pair(alive, truth)}"
        yield from _wald_lines(f"{name}: difference", alive.difference, truth.difference)
        ratio = alive.cumulative_hazard_ratio
        yield from _wald_lines(f"{name}: ratio of cumulative hazards", ratio, truth.ratio)
    for subgroup, there in zip(result.subgroups, pooled.subgroups, strict=True):
        if isinstance(subgroup.levels, Withheld) or isinstance(subgroup.interaction, Withheld):
            continue
        yield from _subgroup_lines(subgroup.levels, there)
        if there.interaction is not None:
            mine, theirs = subgroup.interaction, there.interaction
            name = f"{subgroup.subgroup}: interaction chi-squared"
            yield line(name, mine.statistic, theirs.statistic, None, _COX_TOLERANCE)
            yield line("    degrees of freedom", mine.df, theirs.degrees_of_freedom)
            yield line("    p", mine.p, theirs.p, None, _COX_TOLERANCE)


def _pair(found: RestrictedMeanDifference | SurvivalDifference, truth: DifferenceTruth) -> str:
    """The arms and months that both are about.

    Raises:
        ValueError: They are about different ones.
    """
    mine = (found.arm, found.reference, found.months)
    if mine != (truth.arm, truth.reference, truth.months):
        raise ValueError(f"the same arms and months were expected; got {mine} and {truth}")
    return f"{found.arm} against {found.reference}"


def _wald_lines(name: str, found: ContrastResult, truth: ContrastTruth) -> Iterator[Line]:
    yield line(name, found.estimate, truth.value.estimate)
    yield line("    from", found.lower, truth.value.lower)
    yield line("    to", found.upper, truth.value.upper)
    yield line("    p", found.p, truth.p)
    yield line("    p by Holm", found.p_adjusted, truth.p_adjusted)


def _ratio_lines(
    within: str, found: Sequence[HazardRatioResult], truths: Sequence[HazardRatioTruth]
) -> Iterator[Line]:
    for ratio, there in zip(found, truths, strict=True):
        same = (ratio.arm, ratio.reference) == (there.arm, there.reference)
        name = f"{within}hazard ratio {ratio.arm} / {ratio.reference}"
        for what, mine, theirs, times in (
            (name, ratio.estimate, there.ratio.estimate, 1),
            ("    from", ratio.lower, there.ratio.lower, 1),
            ("    to", ratio.upper, there.ratio.upper, 1),
            ("    p", ratio.p, there.p, _P_TIMES),
            # Holm multiplies a p value, and with it where lifelines stops, by up to this much.
            ("    p by Holm", ratio.p_adjusted, there.p_adjusted, _P_TIMES * len(found)),
        ):
            yield line(what, mine, theirs if same else math.nan, None, times * _COX_TOLERANCE)


def _subgroup_lines(levels: Sequence[LevelResult], truth: SubgroupTruth) -> Iterator[Line]:
    for level, there in zip(levels, truth.levels, strict=True):
        name = f"{truth.subgroup}, {level.level}: "
        yield from _count_lines(name, level, there)
        yield from _ratio_lines(name, level.hazard_ratios, there.hazard_ratios)


def _count_lines(name: str, level: LevelResult, truth: LevelTruth) -> Iterator[Line]:
    for arm, patients, events in zip(level.arms, truth.patients, truth.events, strict=True):
        yield from counted(f"    {name}{arm.arm}: patients", arm.patients, patients)
        yield from counted(f"    {name}{arm.arm}: events", arm.events, events)
