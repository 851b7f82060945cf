"""The study as the trial that it stands for, item by item, generated from what the study says.

The items are those of the target trial framework: Hernán MA, Robins JM. Using big data to emulate a
target trial when a randomized trial is not available. Am J Epidemiol 2016;183:758-764.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from simulator.hub.result import StudyResult
from simulator.language.criteria import (
    Anchor,
    Criterion,
    EventCriterion,
    Events,
    Group,
    Rule,
)
from simulator.language.prose import criterion_in_words
from simulator.language.prose_criteria import index_said
from simulator.language.study import Censoring, Study
from simulator.report.words import several

_A_PAIR: Final = 2


def index_name(study: Study) -> str:
    """What the index is called, such as ``tumour embolization``."""
    return _name(study.question.cohort.index)


def target_trial(study: Study, result: StudyResult) -> tuple[tuple[str, str], ...]:
    """Each item of the framework with what the study says to it.

    Args:
        study: What was asked.
        result: Its result, which says what was estimated and how.
    """
    return (
        ("Eligibility", _eligibility(study)),
        ("Time zero", _time_zero(study)),
        ("Assignment", _assignment(study)),
        ("Grace period", _grace(study)),
        ("Outcome", _outcome(study)),
        ("Follow-up", _follow_up(study)),
        ("Censoring", _censoring(study)),
        ("Estimand", result.estimand),
        ("Analysis", _analysis(study, result)),
    )


def _name(events: Events) -> str:
    return events.codes or f"any {events.domain}"


def _eligibility(study: Study) -> str:
    steps = [step.name for step in study.question.cohort.steps]
    return "; ".join([f"a recorded {index_name(study)}", *steps])


def _time_zero(study: Study) -> str:
    return f"the day of {index_said(study.question.cohort.index).in_line()}"


def _assignment(study: Study) -> str:
    arms = several([arm.name for arm in study.question.arms])
    if len(study.question.arms) == 1:
        return f"not needed, as there is one arm: {arms}"
    return (
        f"by what the record says, not by chance: {arms}. Patients of different arms may differ "
        "in other ways too, and nothing is adjusted for that"
    )


def _grace(study: Study) -> str:
    latest = [
        event.window.latest for arm in study.question.arms for event in _required(arm.require)
    ]
    if any(day is None for day in latest):
        until = "any time after time zero"
    elif (last := max((day for day in latest if day is not None), default=0)) > 0:
        until = f"day {last}"
    else:
        return "not needed: arms are settled by time zero"
    return (
        f"arms are settled by what happens up to {until}, yet time is counted from time zero: "
        "patients must live to be in an arm (immortal time)"
    )


def _required(criterion: Criterion) -> Iterator[EventCriterion]:
    """Events around the index that put a patient into an arm; those that must not be do not."""
    match criterion:
        case EventCriterion(anchor=Anchor.INDEX):
            yield criterion
        case Group(rule=rule, members=members) if rule is not Rule.NONE:
            for member in members:
                yield from _required(member)


def _outcome(study: Study) -> str:
    if study.question.outcome_is_death:
        return "death from any cause, as far as it is recorded"
    return f"the first record of {criterion_in_words(study.question.outcome)}"


def _follow_up(study: Study) -> str:
    return f"from time zero, for at most {study.question.follow_up.months} months"


def _censoring(study: Study) -> str:
    follow_up = study.question.follow_up
    ends = [
        {
            Censoring.END_OF_OBSERVATION: "at the end of the recorded observation",
            Censoring.LAST_FACT: "at the last recorded fact",
        }[follow_up.censored_at],
        *(f"at {criterion_in_words(found)}" for found in follow_up.exits),
    ]
    if not study.question.outcome_is_death:
        ends.append("at death")
    return f"{several(ends, 'or')}, whichever comes first" if len(ends) > 1 else ends[0]


def _analysis(study: Study, result: StudyResult) -> str:
    said = [result.release.estimators]
    arms = len(study.question.arms) if result.hazard_ratios else 1
    if arms == _A_PAIR:
        said.append(f"the hazard ratio against {study.analyses.reference}")
    elif arms > _A_PAIR:
        said.append(f"hazard ratios of all pairs, first against {study.analyses.reference}")
        said.append("p values of pairs adjusted by Holm's method")
    return "; ".join(said)
