"""The comparison: one survival table, every arm, and every pair of arms."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from simulator.aggregates.grid import Grid, Unit, whole
from simulator.aggregates.survival import SurvivalTable
from simulator.errors import UserError
from simulator.hub.analyses.compared import Comparison as Comparison
from simulator.hub.analyses.compared import compared
from simulator.hub.analyses.released import ReleasedBounds, ReleasedNoise, ReleasedTables
from simulator.hub.analyses.under_noise import under_noise
from simulator.hub.analyses.within_bounds import within_bounds
from simulator.hub.analyses.within_steps import within_steps
from simulator.language.study import Study
from simulator.messages.needs import Need, SurvivalNeed
from simulator.privacy.release import Release, Treatment


def grid_of(study: Study, release: Release, unit: Unit | None = None) -> Grid:
    """The time axis on which a release lets a study's survival out.

    Under noise it ends a cell after the last month that the study asks about: further cells would
    hold next to nobody, and noise all the same.

    Args:
        study: Its follow-up is the horizon.
        release: It says whether time is by day; otherwise it is by month.
        unit: A coarser unit; where it does not divide the horizon, sites end the last cell's
            follow-up there. None takes the release's own.

    Raises:
        ValueError: The unit is finer than the release's.
    """
    finest = Unit.DAY if release.by_day else Unit.MONTH
    chosen = unit or finest
    if chosen.is_finer_than(finest):
        raise ValueError(f"'{release.name}' lets survival out by {finest} at the finest")
    months = study.question.follow_up.months
    if release.noise is not None:
        last = max((*study.analyses.landmarks, study.analyses.restricted_mean or 0))
        months = min(months, (last or months) + max(chosen.width_months, 1))
    return Grid(chosen, whole(months, chosen))


def comparison(
    study: Study, release: Release, unit: Unit | None = None
) -> Generator[frozenset[Need], ReleasedTables, Comparison]:
    """Compares the arms in one survival table; the unit is that of `grid_of`."""
    need = SurvivalNeed(grid_of(study, release, unit))
    released = yield frozenset({need})
    table = released[need]
    if isinstance(table, ReleasedNoise):
        return _up_to(under_noise(study, release, table), study, need.grid)
    if isinstance(table, ReleasedBounds):
        return within_bounds(study, release, table)
    if not isinstance(table, SurvivalTable):
        raise TypeError(f"a survival table was expected for {need}")
    _check_arms(table)
    if release.treatments["survival"] is Treatment.STEPS:
        return within_steps(study, release, table)
    return compared(study, release, table)


def _up_to(found: Comparison, study: Study, grid: Grid) -> Comparison:
    """The comparison, with a note where it looks at less than the study's follow-up."""
    if grid.months >= study.question.follow_up.months:
        return found
    note = (
        f"looked at up to {grid.months} months only, a cell beyond the last that the study asks "
        "about: further cells would hold few patients and as much noise"
    )
    return replace(found, notes=(*found.notes, note))


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
