"""What counts tell of the arms: each by itself, and every pair."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.aggregates.grid import Unit
from simulator.aggregates.survival import SurvivalTable
from simulator.hub.analyses.arms import arm_result
from simulator.hub.analyses.contrasts import (
    hazard_ratio_results,
    log_rank_result,
    mean_differences,
    survival_differences,
)
from simulator.hub.analyses.results import (
    ArmResult,
    HazardRatioResult,
    LogRankResult,
    RestrictedMeanDifference,
    SurvivalDifference,
)
from simulator.language.study import Study
from simulator.privacy.release import Release


@dataclass(frozen=True)
class Comparison:
    """The arms and how they differ, with one arm nothing.

    `unit` is that of the table's time; `notes` say what else is to be known.
    """

    arms: tuple[ArmResult, ...]
    log_rank: LogRankResult | None
    hazard_ratios: tuple[HazardRatioResult, ...]
    rmst_differences: tuple[RestrictedMeanDifference, ...] = ()
    survival_differences: tuple[SurvivalDifference, ...] = ()
    unit: Unit = Unit.MONTH
    notes: tuple[str, ...] = ()


def compared(study: Study, release: Release, table: SurvivalTable) -> Comparison:
    """Everything that counts tell of the arms."""
    arms = tuple(arm_result(study, release, table, arm) for arm in table.arms)
    if len(arms) == 1:
        return Comparison(arms, None, (), unit=table.grid.unit)
    ratios = hazard_ratio_results(table, study.analyses.reference)
    pairs = [(ratio.arm, ratio.reference) for ratio in ratios]
    to_month = study.analyses.restricted_mean
    return Comparison(
        arms,
        log_rank_result(table),
        ratios,
        () if to_month is None else mean_differences(table, pairs, to_month),
        survival_differences(table, pairs, study.analyses.landmarks),
        table.grid.unit,
    )
