"""The study as the trial that it stands for, item by item, generated from what the study says.

The items are those of the target trial framework: Hernán MA, Robins JM. Using big data to emulate a
target trial when a randomized trial is not available. Am J Epidemiol 2016;183:758-764.
"""

from __future__ import annotations

from collections.abc import Iterator

from simulator.hub.result import StudyResult
from simulator.language.criteria import (
    Anchor,
    Criterion,
    Domain,
    EventCriterion,
    Events,
    Group,
    Occurrence,
    Rule,
)
from simulator.language.study import Censoring, Study
from simulator.language.windows import Window
from simulator.report.words import several

_WHICH = {
    Occurrence.FIRST: "the first",
    Occurrence.LAST: "the last",
    Occurrence.ANY: "the earliest suitable",
}


def index_name(study: Study) -> str:
    """What the index is called, such as ``tumour embolization``."""
    return _name(study.question.cohort.index)


def outcome_name(study: Study) -> str:
    """What the outcome is called, such as ``death``."""
    return _name(study.question.outcome.events)


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
    index = study.question.cohort.index
    said = f"the day of {_WHICH[index.occurrence]} {index.domain} '{_name(index)}'"
    near = [_near(criterion) for criterion in index.related]
    return f"{said}, {several(near)}" if near else said


def _near(criterion: Criterion) -> str:
    """What must hold around the index event, where it can be said in a phrase."""
    if not isinstance(criterion, EventCriterion):
        return "under further conditions"
    return f"with a {criterion.events.domain} '{_name(criterion.events)}' {_when(criterion.window)}"


def _when(window: Window) -> str:
    match window.earliest, window.latest:
        case None, None:
            return "at any time"
        case None, 0:
            return "on that day or before"
        case None, latest:
            return f"up to day {latest}"
        case earliest, None:
            return f"from day {earliest}"
        case 0, 0:
            return "on that day"
        case earliest, latest:
            return f"from day {earliest} to day {latest}"


def _assignment(study: Study) -> str:
    arms = several([arm.name for arm in study.question.arms])
    if len(study.question.arms) == 1:
        return f"none, as there is one arm: {arms}"
    return (
        f"by what the record says, not by chance: {arms}. A trial would have drawn lots; here "
        "those treated otherwise may have been ill otherwise, and nothing is adjusted for that"
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
        return "none: arms are settled by time zero"
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
    events = study.question.outcome.events
    if events.domain is Domain.DEATH:
        return "death from any cause, as far as it is recorded"
    when = _when(study.question.outcome.window)
    return f"the first {events.domain} '{_name(events)}' {when}, as far as it is recorded"


def _follow_up(study: Study) -> str:
    return f"from time zero, for at most {study.question.follow_up.months} months"


def _censoring(study: Study) -> str:
    follow_up = study.question.follow_up
    ends = [
        {
            Censoring.END_OF_OBSERVATION: "at the end of the recorded observation",
            Censoring.LAST_FACT: "at the last recorded fact",
        }[follow_up.censored_at],
        *(f"at a {found.events.domain} '{_name(found.events)}'" for found in follow_up.exits),
    ]
    if study.question.outcome.events.domain is not Domain.DEATH:
        ends.append("at death")
    return f"{several(ends, 'or')}, whichever comes first" if len(ends) > 1 else ends[0]


def _analysis(study: Study, result: StudyResult) -> str:
    said = [result.release.estimators]
    if len(study.question.arms) > 1:
        said.append(f"hazard ratios of all pairs, first against {study.analyses.reference}")
        said.append("p values of pairs adjusted by Holm's method")
    return "; ".join(said)
