"""The rules by which a description is to be read: those that its question makes use of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from simulator.language.criteria import (
    AgeCriterion,
    Criterion,
    Domain,
    EventCriterion,
    Events,
    Group,
    Occurrence,
)
from simulator.language.study import Censoring, Question
from simulator.language.walk import all_events, all_groups

_BOUNDS: Final = (
    "Every bound is included. An event is a record; two records of one day are two events."
)
_CHOSEN: Final = (
    "The first or the last is chosen in a patient's whole record, among the events that fit all "
    "that is said of them (value, dates, age, the list below them); only then the days around the "
    "index or another event are looked at. All events of the chosen day count as it."
)
_RELATED: Final = (
    "In a list below an event, 'that procedure' (or drug, ...) is the event right above the list, "
    "and the list must hold for one and the same event. An event may be related to itself."
)
_AGE: Final = "Age is the year of the event or index less the year of birth."
_VALUE: Final = (
    "A value in another unit is converted; one whose unit cannot be converted does not count. A "
    "value without a unit is a plain number."
)
_EDGE: Final = (
    "The first or last value is that of the first or last day, within the days that are said, "
    "with a value whose unit can be converted; of several on that day one must fit."
)

_DEATH: Final = (
    "Some sites know of a death only its month. There it counts as the 15th, but as never before "
    "the index, or the event that it is related to, in the same month."
)
_DEATH_ASKED: Final = (
    "So who has an index on the 15th or later and dies later in that month counts there as dead on "
    "the index day, also where such deaths are asked for or ruled out."
)
_DEATH_AWAITED: Final = (
    "A death in the month in which the period of observation ends still counts there as the "
    "outcome, although its day is not known."
)
_DEATH_ENDS: Final = "An outcome that is recorded later in the month of death still counts there."


def rules_of(question: Question, *, watched: bool) -> Iterator[str]:
    """The rules, in the order in which a criterion is evaluated.

    Args:
        question: What is asked.
        watched: Whether its follow-up is looked at, which ends with death at the latest.
    """
    everything = list(all_events(question))
    criteria = list(_every_criterion(question))
    asked = [criterion for criterion in criteria if isinstance(criterion, EventCriterion)]
    edges = [criterion.edge for criterion in asked if criterion.edge is not None]
    yield _BOUNDS
    if any(events.occurrence is not Occurrence.ANY for events in everything):
        yield _CHOSEN
    if any(events.related for events in everything):
        yield _RELATED
    ages = any(isinstance(criterion, AgeCriterion) for criterion in criteria)
    if ages or any(events.age is not None for events in everything):
        yield _AGE
    if edges or any(events.value is not None for events in everything):
        yield _VALUE
    if edges:
        yield _EDGE
    yield from _of_death(question, watched=watched)


def _of_death(question: Question, *, watched: bool) -> Iterator[str]:
    """What is made of a death of which a site knows only the month, in one rule."""
    index = question.cohort.index.domain is Domain.DEATH
    asked = any(
        isinstance(criterion, EventCriterion) and criterion.events.domain is Domain.DEATH
        for criterion in _asked_of_patients(question)
    )
    if not (watched or index or asked):
        return
    rule = [_DEATH]
    if asked:
        rule.append(_DEATH_ASKED)
    if watched and not question.outcome_is_death:
        rule.append(_DEATH_ENDS)
    elif watched and question.follow_up.censored_at is Censoring.END_OF_OBSERVATION:
        rule.append(_DEATH_AWAITED)
    yield " ".join(rule)


def _every_criterion(question: Question) -> Iterator[Criterion]:
    yield from _asked_of_patients(question)
    for moment in (question.outcome, *question.follow_up.exits):
        yield from _within(moment)
    for events in question.lines:
        yield from _related(events)


def _asked_of_patients(question: Question) -> Iterator[Criterion]:
    """What decides who is studied, and in which group."""
    for step in question.cohort.steps:
        yield from _within(step.require)
    for group in all_groups(question):
        yield from _within(group.require)
    yield from _related(question.cohort.index)


def _related(events: Events) -> Iterator[Criterion]:
    for criterion in events.related:
        yield from _within(criterion)


def _within(criterion: Criterion) -> Iterator[Criterion]:
    yield criterion
    if isinstance(criterion, EventCriterion):
        yield from _related(criterion.events)
    if isinstance(criterion, Group):
        for member in criterion.members:
            yield from _within(member)
