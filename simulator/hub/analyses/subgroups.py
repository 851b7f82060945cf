"""The subgroups: hazard ratios within each level, and whether they differ between levels."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass

from simulator.aggregates.grid import Unit
from simulator.aggregates.released import Withheld
from simulator.aggregates.survival import SurvivalTable
from simulator.hub.analyses.comparison import grid_of
from simulator.hub.analyses.contrasts import hazard_ratio_result
from simulator.hub.analyses.released import ReleasedLevels, ReleasedTables
from simulator.hub.analyses.results import (
    InteractionResult,
    LevelArm,
    LevelResult,
    SubgroupResult,
)
from simulator.language.study import Study
from simulator.messages.needs import Need, SurvivalNeed
from simulator.privacy.releases import Release, shown
from simulator.statistics.cox import CoxFit
from simulator.statistics.subgroups import subgroup_fit


@dataclass(frozen=True)
class Subgroups:
    """What was found in each subgroup variable of a study, in its order."""

    variables: tuple[SubgroupResult, ...]


def subgroups(
    study: Study, release: Release, unit: Unit | None = None
) -> Generator[frozenset[Need], ReleasedTables, Subgroups]:
    """Compares the arms within the levels of each subgroup variable; the unit as `grid_of` has."""
    grid = grid_of(study, release, unit)
    needs = [SurvivalNeed(grid, subgroup.name) for subgroup in study.question.subgroups]
    released = yield frozenset(needs)
    return Subgroups(tuple(_variable(study, release, released, need) for need in needs))


def _variable(
    study: Study, release: Release, released: ReleasedTables, need: SurvivalNeed
) -> SubgroupResult:
    found = released[need]
    if isinstance(found, Withheld):
        reason = (
            "within an arm, a level or the rest that is in no level has fewer than "
            f"{found.below} patients; the other levels would give it away"
        )
        return SubgroupResult(need.subgroup, found, found, found, reason)
    if not isinstance(found, ReleasedLevels):
        raise TypeError(f"a survival table for each level was expected for {need}")
    fit = subgroup_fit([*found.levels.values()], reference=study.analyses.reference)
    test = fit.interaction
    return SubgroupResult(
        subgroup=need.subgroup,
        levels=tuple(
            LevelResult(
                level,
                _arms(release, table),
                tuple(
                    hazard_ratio_result(model.contrast(arm, model.reference))
                    for arm in table.arms
                    if arm != model.reference
                ),
            )
            for (level, table), model in _beside(found.levels, fit.levels)
        ),
        in_no_level=_arms(release, found.rest),
        interaction=InteractionResult(test.statistic, test.degrees_of_freedom, test.p),
    )


def _beside(
    levels: Mapping[str, SurvivalTable], models: tuple[CoxFit, ...]
) -> list[tuple[tuple[str, SurvivalTable], CoxFit]]:
    return list(zip(levels.items(), models, strict=True))


def _arms(release: Release, table: SurvivalTable) -> tuple[LevelArm, ...]:
    """Patients and events of each arm, as the release shows totals."""
    return tuple(
        LevelArm(
            arm,
            shown(int(table.patients[row]), release, "subgroups"),
            shown(int(table.events[row].sum()), release, "subgroups"),
        )
        for row, arm in enumerate(table.arms)
    )
