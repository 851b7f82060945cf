"""The comparison: one survival table, every arm, and every pair of arms."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.survival import SurvivalTable
from simulator.errors import UserError
from simulator.hub.analyses.arms import arm_result
from simulator.hub.analyses.contrasts import (
    hazard_ratio_results,
    log_rank_result,
    mean_differences,
    survival_differences,
)
from simulator.hub.analyses.released import ReleasedTables
from simulator.hub.analyses.results import (
    ArmResult,
    HazardRatioResult,
    LogRankResult,
    RestrictedMeanDifference,
    SurvivalDifference,
)
from simulator.language.study import Study
from simulator.messages.needs import Need, SurvivalNeed
from simulator.privacy.releases import Release


@dataclass(frozen=True)
class Comparison:
    """The arms and how they differ, with one arm nothing; and the unit of time of the table."""

    arms: tuple[ArmResult, ...]
    log_rank: LogRankResult | None
    hazard_ratios: tuple[HazardRatioResult, ...]
    rmst_differences: tuple[RestrictedMeanDifference, ...] = ()
    survival_differences: tuple[SurvivalDifference, ...] = ()
    unit: Unit = Unit.MONTH


def grid_of(study: Study, release: Release, unit: Unit | None = None) -> Grid:
    """The time axis on which a release lets a study's survival out.

    Args:
        study: Its follow-up is the horizon.
        release: It says whether time is by day; otherwise it is by month.
        unit: A coarser unit, which must divide the horizon; None takes the release's own.

    Raises:
        ValueError: The unit is finer than the release's, or does not divide the horizon.
    """
    finest = Unit.DAY if release.by_day else Unit.MONTH
    chosen = unit or finest
    if chosen.is_finer_than(finest):
        raise ValueError(f"'{release.name}' lets survival out by {finest} at the finest")
    return Grid(chosen, study.question.follow_up.months)


def comparison(
    study: Study, release: Release, unit: Unit | None = None
) -> Generator[frozenset[Need], ReleasedTables, Comparison]:
    """Compares the arms in one survival table; the unit is that of `grid_of`."""
    need = SurvivalNeed(grid_of(study, release, unit))
    released = yield frozenset({need})
    table = released[need]
    if not isinstance(table, SurvivalTable):
        raise TypeError(f"a survival table was expected for {need}")
    _check_arms(table)
    arms = tuple(arm_result(study, release, table, arm) for arm in table.arms)
    if len(arms) == 1:
        return Comparison(arms, None, (), unit=need.grid.unit)
    ratios = hazard_ratio_results(table, study.analyses.reference)
    pairs = [(ratio.arm, ratio.reference) for ratio in ratios]
    to_month = study.analyses.restricted_mean
    return Comparison(
        arms,
        log_rank_result(table),
        ratios,
        () if to_month is None else mean_differences(table, pairs, to_month),
        survival_differences(table, pairs, study.analyses.landmarks),
        need.grid.unit,
    )


def _check_arms(table: SurvivalTable) -> None:
    if not table.patients.any():
        raise UserError(
            "no patient is in any arm, so there is nothing to compare",
            hint="Some step or code asks for too much: drop steps until patients are left.",
        )
    empty = [arm for arm, n in zip(table.arms, table.patients, strict=True) if n == 0]
    if empty:
        raise UserError(
            f"the arm '{empty[0]}' has no patients, so there is nothing to compare",
            hint="Look at the arm's criteria.",
        )
