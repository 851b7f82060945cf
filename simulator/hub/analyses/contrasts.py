"""How the arms differ: one test over all, and each pair on every scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from simulator.aggregates.survival import SurvivalTable
from simulator.hub.analyses.results import (
    ContrastResult,
    HazardRatioResult,
    LogRankResult,
    RestrictedMeanDifference,
    SurvivalDifference,
)
from simulator.statistics.cox import HazardRatio, all_contrasts, cox, holm
from simulator.statistics.estimates import Contrast
from simulator.statistics.fixed_point import cumulative_hazard_ratio, survival_difference
from simulator.statistics.kaplan_meier import Curve, kaplan_meier
from simulator.statistics.log_rank import log_rank
from simulator.statistics.restricted_mean import restricted_mean_difference, restricted_mean_ratio

Pair = tuple[str, str]


def log_rank_result(table: SurvivalTable) -> LogRankResult:
    """The test over all arms."""
    test = log_rank(table)
    return LogRankResult(test.statistic, test.degrees_of_freedom, test.p)


def hazard_ratio_results(table: SurvivalTable, reference: str) -> tuple[HazardRatioResult, ...]:
    """Every pair of arms once, those against the reference first."""
    return tuple(
        hazard_ratio_result(ratio) for ratio in all_contrasts(cox(table, reference=reference))
    )


def hazard_ratio_result(ratio: HazardRatio) -> HazardRatioResult:
    """One ratio as it is reported."""
    return HazardRatioResult(
        ratio.arm,
        ratio.reference,
        ratio.estimate,
        ratio.lower,
        ratio.upper,
        ratio.p,
        ratio.p_adjusted,
    )


def mean_differences(
    table: SurvivalTable, pairs: Sequence[Pair], month: int
) -> tuple[RestrictedMeanDifference, ...]:
    """Each pair's restricted means up to a month, by difference and by ratio."""
    differences = _contrasts(table, pairs, month, restricted_mean_difference)
    ratios = _contrasts(table, pairs, month, restricted_mean_ratio)
    return tuple(
        RestrictedMeanDifference(arm, reference, month, difference, ratio)
        for (arm, reference), difference, ratio in zip(pairs, differences, ratios, strict=True)
    )


def survival_differences(
    table: SurvivalTable, pairs: Sequence[Pair], months: Sequence[int]
) -> tuple[SurvivalDifference, ...]:
    """Each pair at each landmark, on the plain and on the complementary log-log scale."""
    found: list[SurvivalDifference] = []
    for month in months:
        plain = _contrasts(table, pairs, month, survival_difference)
        log_log = _contrasts(table, pairs, month, cumulative_hazard_ratio)
        found += [
            SurvivalDifference(arm, reference, month, difference, ratio)
            for (arm, reference), difference, ratio in zip(pairs, plain, log_log, strict=True)
        ]
    return tuple(found)


def _contrasts(
    table: SurvivalTable,
    pairs: Sequence[Pair],
    month: int,
    contrast: Callable[[Curve, Curve, float], Contrast],
) -> list[ContrastResult]:
    """One contrast for each pair, p adjusted over the pairs that have one (Holm 1979)."""
    curves = {arm: kaplan_meier(table, arm) for arm in table.arms}
    found = [contrast(curves[arm], curves[reference], month) for arm, reference in pairs]
    adjusted = iter(holm([one.p for one in found if one.p is not None]))
    return [
        ContrastResult(
            one.estimate, one.lower, one.upper, one.p, None if one.p is None else next(adjusted)
        )
        for one in found
    ]
