"""The hub's inner role: opens answers, adds them up in roster order, applies network rules.

It sees unreleased sums, and every result says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simulator.aggregates.bounded import BoundedTable
from simulator.aggregates.released import Withheld
from simulator.aggregates.survival import SurvivalTable, by_level
from simulator.aggregates.table import Table
from simulator.errors import Refused, UserError
from simulator.hub.analyses.released import (
    ReleasedCounts,
    ReleasedLevels,
    ReleasedTable,
    ReleasedTables,
)
from simulator.hub.answers import Sums
from simulator.hub.changed import under_rule, with_noise
from simulator.hub.releasing import (
    release_description,
    release_entries,
    withhold_running_sums,
)
from simulator.language.study import Question
from simulator.messages.describing import DescribingNeed
from simulator.messages.needs import (
    NO_LEVEL,
    SEVERAL_LEVELS,
    AssignmentNeed,
    AttritionNeed,
    EntriesNeed,
    Need,
    SurvivalNeed,
    kind_of,
)
from simulator.messages.noise import noise_laws
from simulator.messages.requests import RoundRequest
from simulator.privacy.release import Release, Treatment
from simulator.privacy.sources import ByteSource
from simulator.privacy.steps import midpoint_steps
from simulator.privacy.thresholds import (
    is_small,
    round_small,
    withhold_groups,
    withhold_small,
    withhold_steps,
)


@dataclass(frozen=True)
class Opened:
    """One round's released tables, with what the release gives away.

    Attributes:
        released: What was released for each need.
        alone_in_a_cell: The share of patients who are alone in a cell of a survival table, of the
            released one with the greatest such share, 0 to 1.
        sites_with_matches: How many sites hold a patient of the cohort; None where the release
            does not show it.
    """

    released: ReleasedTables
    alone_in_a_cell: float
    sites_with_matches: int | None


def open_sums(
    request: RoundRequest,
    release: Release,
    sums: Sums,
    answering: int,
    source: ByteSource,
    matches: int | None = None,
) -> Opened:
    """Releases the sums of a round.

    Args:
        request: What was asked.
        release: The release that the run stands under.
        sums: The sum for each need, over all sites that answered.
        answering: How many sites those are.
        source: Where the chance of a rule comes from.
        matches: How many sites hold a patient of the cohort, where that is told.

    Raises:
        Refused: The release does not let a table out.
        UserError: Patients are in several arms, or in several levels of a subgroup.
    """
    for need in request.needs:
        treatment_of(need, release)
    if release.rule or release.noise is not None:
        exact: dict[Need, Table] = {}
    else:
        exact = {need: table for need, table in sums.items() if isinstance(table, Table)}
        _check_overlap(request.question, exact, release)
        _check_arms(exact, release)
    laws = noise_laws(request, answering)
    released: ReleasedTables = {
        need: under_rule(need, table, release, source)
        if release.rule or isinstance(table, BoundedTable)
        else with_noise(need, table, laws)
        if laws
        else _released(need, table, release)
        for need, table in sums.items()
    }
    released = withhold_running_sums(released, release.threshold)
    let_out = [
        found.table if isinstance(found, SurvivalTable) else exact[need]
        for need, found in released.items()
        if isinstance(found, SurvivalTable | ReleasedLevels)
    ]
    return Opened(released, max(map(_alone, let_out), default=0.0), matches)


def _check_overlap(question: Question, sums: Mapping[Need, Table], release: Release) -> None:
    """Arms do not overlap: a study in which they do is refused whole."""
    assignment = sums.get(AssignmentNeed())
    several = int(assignment.flat()[-1]) if assignment is not None else 0
    if several == 0:
        return
    number = _told(several, release)
    names = ", ".join(f"'{arm.name}'" for arm in question.arms)
    raise UserError(
        f"the arms overlap: {number} patients are in more than one of {names}",
        hint="Make the arms exclude each other, for example with 'none: [...]' in one of them.",
    )


def _told(several: int, release: Release) -> str:
    """How many overlap: outside of the laboratory no message tells a number that nobody audits."""
    return str(several) if release.laboratory_only else "some"


def _check_arms(sums: Mapping[Need, Table], release: Release) -> None:
    """Refuses survival where an arm is small: withheld, it would follow from the others."""
    small: list[str] = []
    for need, table in sums.items():
        if isinstance(need, SurvivalNeed) and (
            treatment_of(need, release) in {Treatment.ARMS_AT_LEAST, Treatment.STEPS}
        ):
            survival = SurvivalTable(need.grid, table)
            small += [
                arm
                for arm, patients in zip(survival.arms, survival.patients, strict=True)
                if is_small(int(patients), release.threshold)
            ]
    if small:
        names = ", ".join(f"'{arm}'" for arm in small)
        raise Refused(
            f"the release '{release.name}' lets survival out for arms of at least "
            f"{release.threshold} patients; too small: {names}",
            hint="Merge arms, widen the cohort, or look at it under `--release exact`.",
        )


def treatment_of(need: Need, release: Release) -> Treatment:
    """What a release does to a need.

    Raises:
        Refused: The release does not say what happens to such a need.
    """
    found = release.treatments.get(kind_of(need))
    if found is None:
        raise Refused(
            f"the release '{release.name}' does not say what happens to '{kind_of(need)}'",
            hint="Ask under another release, or leave that part out of the study.",
        )
    return found


def _released(need: Need, table: Table, release: Release) -> ReleasedTable:
    """What a release lets out of the sum that answers a need; refusals are behind it."""
    treatment = treatment_of(need, release)
    if isinstance(need, SurvivalNeed):
        if need.subgroup:
            return _levels(need, table, release)
        found = SurvivalTable(need.grid, table)
        return midpoint_steps(found) if treatment is Treatment.STEPS else found
    if isinstance(need, EntriesNeed):
        return release_entries(table, treatment, release.threshold)
    if isinstance(need, DescribingNeed):
        return release_description(need, table, treatment, release.threshold)
    counts = [int(count) for count in table.flat()]
    labels = table.layout.axes[0].labels
    if treatment is Treatment.SMALL_ROUNDED:
        return ReleasedCounts(
            labels, tuple(round_small(count, release.threshold) for count in counts)
        )
    withhold = withhold_steps if isinstance(need, AttritionNeed) else withhold_small
    threshold = 0 if treatment is Treatment.EXACT else release.threshold
    return ReleasedCounts(labels, withhold(counts, threshold))


def _levels(need: SurvivalNeed, table: Table, release: Release) -> ReleasedLevels | Withheld:
    """The arms by the levels of a subgroup, all of them or nothing.

    Raises:
        UserError: Patients are in several levels.
    """
    tables = by_level(table, need.grid)
    several = int(tables.pop(SEVERAL_LEVELS).patients.sum())
    if several:
        number = _told(several, release)
        raise UserError(
            f"the levels of the subgroup '{need.subgroup}' overlap: {number} patients are in more "
            "than one",
            hint="Make the levels exclude each other.",
        )
    if treatment_of(need, release) is Treatment.ALL_OR_NOTHING:
        groups = [int(patients) for found in tables.values() for patients in found.patients]
        withheld = withhold_groups(groups, release.threshold)
        if withheld is not None:
            return withheld
    return ReleasedLevels(rest=tables.pop(NO_LEVEL), levels=tables)


def _alone(table: Table) -> float:
    """The share of patients who are the only one in their cell of a survival table.

    A subgroup's table holds those in no level, too: they follow by subtraction.
    """
    patients = int(table.values.sum())
    return int(np.count_nonzero(table.values == 1)) / patients if patients else 0.0
