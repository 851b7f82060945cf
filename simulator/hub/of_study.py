"""The result of a study's run from what its analyses found."""

from __future__ import annotations

from typing import Final

from simulator.aggregates.grid import Unit
from simulator.aggregates.released import Noisy, Partial, Released, Withheld
from simulator.hub.analyses.comparison import Comparison
from simulator.hub.analyses.funnel import Funnel
from simulator.hub.analyses.results import ArmResult
from simulator.hub.analyses.subgroups import Subgroups
from simulator.hub.analyses.under_noise import of_size
from simulator.hub.disclosing import disclosure_of
from simulator.hub.planner import Plan
from simulator.hub.result import CohortResult, FrozenResult, StudyResult
from simulator.hub.run import Finished
from simulator.hub.telling import Settings, fingerprints_of, network_of, notes_of, release_of
from simulator.language.fingerprints import PARTS, definition, parts
from simulator.language.lint import lint
from simulator.language.prose import criterion_in_words
from simulator.language.study import Question, Study
from simulator.messages.needs import NO_ARM
from simulator.privacy.offers import NOT_CHANCE
from simulator.privacy.release import Release

_SURE: Final = 2.0


def study_result(
    study: Study, plan: Plan, finished: Finished, settings: Settings, frozen: FrozenResult | None
) -> StudyResult:
    """Everything that a run of a study found and says of itself."""
    funnel = next(part for part in finished.parts if isinstance(part, Funnel))
    comparison = next(part for part in finished.parts if isinstance(part, Comparison))
    release = plan.release
    return StudyResult(
        study=study.name,
        version=study.version,
        title=study.title,
        estimand=_estimand(study.question),
        outcome=outcome_name(study.question),
        network=network_of(plan, finished, settings),
        cohort=CohortResult(funnel.patients, funnel.steps),
        arms=_sized(comparison.arms, funnel, release),
        log_rank=comparison.log_rank,
        hazard_ratios=comparison.hazard_ratios,
        release=release_of(
            release,
            settings,
            estimators(comparison.unit, release, estimated=_estimated(comparison)),
        ),
        disclosure=disclosure_of(
            release,
            finished,
            comparison.unit,
            "died" if study.question.outcome_is_death else "had it",
        ),
        notes=(
            *notes_of(plan, finished, settings),
            *comparison.notes,
            *_notes(study, funnel, release),
        ),
        fingerprints=fingerprints_of(
            finished,
            settings,
            {
                "study": study.fingerprint,
                **{f"study: {part}": parts(study)[part] for part in PARTS},
            },
        ),
        definition=definition(study),
        frozen=frozen,
        rmst_differences=comparison.rmst_differences,
        survival_differences=comparison.survival_differences,
        subgroups=next(
            (part.variables for part in finished.parts if isinstance(part, Subgroups)), ()
        ),
    )


def outcome_name(question: Question) -> str:
    """What is waited for, in a word or two: ``death``, or the concept set of the event."""
    if question.outcome_is_death:
        return "death"
    events = question.outcome.events
    return events.codes or f"any {events.domain}"


def _estimand(question: Question) -> str:
    """What the numbers estimate, and in whom."""
    waited = "recorded death"
    if not question.outcome_is_death:
        waited = (
            f"{criterion_in_words(question.outcome)}, death ending the watch (cause-specific: 1 "
            "minus the curve is not the share of patients who get it),"
        )
    exits = " or ".join(criterion_in_words(found) for found in question.follow_up.exits)
    watched = f"; the watch also ends with {exits}" if exits else ""
    return (
        f"time from index to {waited} among the patients of the cohort who are in exactly one "
        f"arm, by the arm recorded at index, up to {question.follow_up.months} months; "
        f"unadjusted{watched}"
    )


def estimators(unit: Unit, release: Release | None = None, *, estimated: bool = True) -> str:
    """What is estimated how from survival tables.

    Args:
        unit: The width of the table's cells.
        release: What the table was let out by; None where its cells are exact.
        estimated: Whether there are estimates, and not bounds alone.
    """
    if not estimated:
        return (
            f"none, as cells were withheld: by {unit}, the least and the greatest that the curve "
            "(actuarial risk set n - c/2) may be over all counts that the rule leaves open"
        )
    if unit is Unit.DAY:
        return "Kaplan-Meier on days; log-rank and Cox (Efron) on days"
    curve = "curve on the actuarial risk set n - c/2"
    if release is not None and release.noise is not None:
        return (
            f"by {unit}: {curve}, of what the noisy cells are believed to hold (expected, given "
            "the noise and the cells around); bands for chance (Greenwood) and noise (simulated) "
            "together; log-rank against tables simulated without a difference, noise and all"
        )
    if release is not None and release.changes_survival:
        counts = "the counts as the rule shows them" if release.rule else "the rounded counts"
        return (
            f"by {unit}, of {counts}: {curve}; no intervals, no tests, as {NOT_CHANCE}; the bounds "
            "hold whatever it leaves open"
        )
    return f"by {unit}: {curve}; log-rank and Cox (Efron) on the full risk set"


def _estimated(comparison: Comparison) -> bool:
    """Whether any arm has an estimate; under a rule that withheld cells none has."""
    return any(mark.estimate is not None for arm in comparison.arms for mark in arm.curve)


def _sized(arms: tuple[ArmResult, ...], funnel: Funnel, release: Release) -> tuple[ArmResult, ...]:
    """Where a release changes counts, the arms with the sizes that were counted apart.

    A curve's cells together carry the noise of them all, the rounding of them all, or leave as much
    open as all of them do; an arm's own count, if it was let out, is closer to the truth.
    """
    if release.noise is None and not release.changes_survival:
        return arms
    counted = dict(zip(funnel.assignment.labels, funnel.assignment.counts, strict=True))
    return tuple(
        arm if isinstance(counted[arm.arm], Withheld) else of_size(arm, counted[arm.arm])
        for arm in arms
    )


def _in_no_arm(count: Released, release: Release) -> str | None:
    """How many pass every step and are in no arm; None where nobody is known to."""
    match count:
        case int():
            number = f"{count:,}" if count else ""
            number += ", as the rule shows it," if count and release.rule else ""
        case Noisy(noisy=noisy, standard_error=error):
            number = f"about {noisy:,}" if noisy > _SURE * error else ""
        case Partial(at_least=least):
            number = f"at least {least:,}" if least else ""
        case _:
            number = "some"
    return f"{number} patients pass every step and are in no arm" if number else None


def _notes(study: Study, funnel: Funnel, release: Release) -> list[str]:
    notes = []
    unassigned = funnel.assignment.counts[funnel.assignment.labels.index(NO_ARM)]
    outside = _in_no_arm(unassigned, release)
    if outside is not None:
        notes.append(outside)
    if release.noise is not None:
        notes.append(
            "the patients of an arm are counted apart from its curve, with less noise: they need "
            "not be the sum of those with the outcome and those censored"
        )
    if not study.question.outcome_is_death:
        notes.append(
            "who had the outcome is counted exactly, also where these are few: the release "
            "protects the size of an arm, not what happened in it"
        )
    if len(study.question.subgroups) > 1:
        notes.append(
            "several subgroup variables: levels that differ by a few patients show those few, and "
            "no p value is adjusted for how many were looked at"
        )
    return notes + [str(finding) for finding in lint(study)]
