"""The result of a study's run from what its analyses found."""

from __future__ import annotations

from simulator.aggregates.grid import Unit
from simulator.hub.analyses.comparison import Comparison
from simulator.hub.analyses.funnel import Funnel
from simulator.hub.analyses.subgroups import Subgroups
from simulator.hub.planner import Plan
from simulator.hub.result import CohortResult, Disclosure, FrozenResult, StudyResult
from simulator.hub.run import Finished
from simulator.hub.telling import Settings, fingerprints_of, network_of, notes_of, release_of
from simulator.language.fingerprints import PARTS, definition, parts
from simulator.language.lint import lint
from simulator.language.prose import criterion_in_words
from simulator.language.study import Question, Study
from simulator.messages.needs import NO_ARM


def study_result(
    study: Study, plan: Plan, finished: Finished, settings: Settings, frozen: FrozenResult | None
) -> StudyResult:
    """Everything that a run of a study found and says of itself."""
    funnel = next(part for part in finished.parts if isinstance(part, Funnel))
    comparison = next(part for part in finished.parts if isinstance(part, Comparison))
    release = plan.release
    alone = max(opened.alone_in_a_cell for opened in finished.opened)
    return StudyResult(
        study=study.name,
        version=study.version,
        title=study.title,
        estimand=_estimand(study.question),
        outcome=outcome_name(study.question),
        network=network_of(plan, finished, settings),
        cohort=CohortResult(funnel.patients, funnel.steps),
        arms=comparison.arms,
        log_rank=comparison.log_rank,
        hazard_ratios=comparison.hazard_ratios,
        release=release_of(release, settings, estimators(comparison.unit)),
        disclosure=Disclosure(
            alone,
            f"{alone:.0%} of the patients are alone in a released cell (arm x "
            f"{comparison.unit} x "
            f"{'died' if study.question.outcome_is_death else 'had it'} or censored)",
        ),
        notes=(
            *notes_of(plan, finished, settings),
            *comparison.notes,
            *_notes(study, funnel),
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


def estimators(unit: Unit) -> str:
    """What is estimated how from survival tables whose cells have a width."""
    if unit is Unit.DAY:
        return "Kaplan-Meier on days; log-rank and Cox (Efron) on days"
    return (
        f"by {unit}: curve on the actuarial risk set n - c/2; log-rank and Cox (Efron) on the full "
        "risk set"
    )


def _notes(study: Study, funnel: Funnel) -> list[str]:
    notes = []
    unassigned = funnel.assignment.counts[funnel.assignment.labels.index(NO_ARM)]
    if unassigned != 0:
        number = str(unassigned) if isinstance(unassigned, int) else "some"
        notes.append(f"{number} patients pass every step and are in no arm")
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
