"""Makes a row of a comparison from the runs of one release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.aggregates.released import Released
from simulator.hub.result import RunRecord, StudyResult
from simulator.laboratory.compare_choice import group_of
from simulator.laboratory.compare_held import held_count, held_survival, over_runs
from simulator.laboratory.compare_values import HeldArm, HeldRatio, Row, Truth, parts
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
    arms = _arms(found, truth, month)
    return Row(
        release=release.name,
        place=str(release.place),
        group=group_of(release),
        epsilon=release.noise.epsilon if release.noise else "",
        repeats=len(ran),
        shown=told[0] if told else None,
        total=over_runs([held_count(one, truth.patients) for one in told]) if told else None,
        arms=arms,
        log_rank_p=test.p if test else None,
        log_rank_naive_p=test.naive_p if test else None,
        hazard_ratios=_ratios(first, truth) if first else (),
        alone=first.disclosure.alone_in_a_cell if first else None,
        withheld_sites=parts(told[0]) if told and release.place == "site" else 0,
        withheld_cells=_cells(first),
        no_contrasts=_no_contrasts(first),
        refused=refusal,
    )


def _arms(found: Sequence[StudyResult], truth: Truth, month: int | None) -> tuple[HeldArm, ...]:
    if not found:
        return ()
    return tuple(
        HeldArm(
            true.arm,
            found[0].arms[place].patients,
            over_runs([held_count(one.arms[place].patients, true.patients) for one in found]),
            over_runs(
                [
                    held_survival(mark, true.survival)
                    for one in found
                    for mark in one.arms[place].survival
                    if mark.months == month
                ]
            )
            if true.survival is not None
            else None,
        )
        for place, true in enumerate(truth.arms)
    )


def _ratios(result: StudyResult, truth: Truth) -> tuple[HeldRatio, ...]:
    true = {(one.arm, one.reference): one.ratio for one in truth.hazard_ratios}
    return tuple(
        HeldRatio(one.arm, one.reference, one.estimate, true[one.arm, one.reference])
        for one in result.hazard_ratios
    )


def _cells(result: StudyResult | None) -> int:
    """How many cells of the survival tables were withheld: each is of deaths or of censorings."""
    arms = result.arms if result is not None else ()
    return sum(parts(arm.events) + parts(arm.censored) for arm in arms)


def _no_contrasts(result: StudyResult | None) -> str:
    """What a result says of the contrasts that it lacks."""
    if result is None or result.hazard_ratios or len(result.arms) == 1:
        return ""
    return "; ".join(note for note in result.notes if note.startswith("no "))
