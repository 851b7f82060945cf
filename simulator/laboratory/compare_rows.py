"""Makes a row of a comparison from the runs of one release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.aggregates.released import Released
from simulator.hub.analyses.results import ArmResult, Landmark
from simulator.hub.result import RunRecord, StudyResult
from simulator.laboratory.compare_choice import by_chance, group_of
from simulator.laboratory.compare_held import held_count, held_survival, over_runs
from simulator.laboratory.compare_values import (
    HeldArm,
    HeldRatio,
    OnScale,
    Row,
    Truth,
    parts,
)
from simulator.privacy.release import Release


@dataclass(frozen=True)
class Ran:
    """One run: what it found, or why it found nothing of survival; then the cohort of a count."""

    patients: Released | None
    result: StudyResult | None
    record: RunRecord | None
    refusal: str


def row_of(release: Release, ran: Sequence[Ran], truth: Truth, month: int | None) -> Row:
    """Means over the runs that let something out; the rest is of the first of them."""
    told = [run.patients for run in ran if run.patients is not None]
    found = [run.result for run in ran if run.result is not None]
    first = found[0] if found else None
    refusal = next((run.refusal for run in ran if run.refusal), "")
    if refusal and found:
        refusal = f"{len(ran) - len(found)} of {len(ran)} runs: {refusal}"
    test = first.log_rank if first else None
    unit = "day" if release.by_day else "month"
    return Row(
        release=release.name,
        place=str(release.place),
        group=group_of(release),
        epsilon=release.noise.epsilon if release.noise else "",
        unit=unit,
        by_chance=by_chance(release),
        repeats=len(ran),
        shown=told[0] if told else None,
        total=over_runs([held_count(one, truth.patients) for one in told]) if told else None,
        arms=_arms(found, truth, month, unit),
        log_rank_p=test.p if test else None,
        log_rank_naive_p=test.naive_p if test else None,
        hazard_ratios=_ratios(first, truth.on(unit)) if first else (),
        alone=first.disclosure.alone_in_a_cell if first else None,
        withheld_sites=parts(told[0]) if told and release.place == "site" else 0,
        withheld_cells=_cells(first),
        reasons=_reasons(first, month),
        refused=refusal,
    )


def _arms(
    found: Sequence[StudyResult], truth: Truth, month: int | None, unit: str
) -> tuple[HeldArm, ...]:
    if not found:
        return ()
    alive = truth.on(unit).survival
    return tuple(
        HeldArm(
            true.arm,
            found[0].arms[place].patients,
            over_runs([held_count(one.arms[place].patients, true.patients) for one in found]),
            None
            if (share := alive[place]) is None
            else over_runs(
                [
                    held_survival(_mark(one.arms[place], month), share, bounded=one.is_as_shown)
                    for one in found
                ]
            ),
        )
        for place, true in enumerate(truth.arms)
    )


def _mark(arm: ArmResult, month: int | None) -> Landmark | None:
    """Survival at the month that is compared; None where the arm has no curve there."""
    return next((mark for mark in arm.survival if mark.months == month), None)


def _ratios(result: StudyResult, truth: OnScale) -> tuple[HeldRatio, ...]:
    true = {(one.arm, one.reference): one.ratio for one in truth.hazard_ratios}
    return tuple(
        HeldRatio(one.arm, one.reference, one.estimate, true[one.arm, one.reference])
        for one in result.hazard_ratios
    )


def _cells(result: StudyResult | None) -> int:
    """How many cells of the survival tables were withheld: each is of deaths or of censorings."""
    arms = result.arms if result is not None else ()
    return sum(parts(arm.events) + parts(arm.censored) for arm in arms)


def _reasons(result: StudyResult | None, month: int | None) -> tuple[str, ...]:
    """What a result says of the tests, ratios and curves that it lacks."""
    if result is None:
        return ()
    told = month is None or all(
        (mark := _mark(arm, month)) is not None and mark.estimate is not None for arm in result.arms
    )
    contrasted = len(result.arms) == 1 or (result.log_rank is not None and result.hazard_ratios)
    if told and contrasted:
        return ()
    return tuple(note for note in result.notes if note.startswith("no "))
