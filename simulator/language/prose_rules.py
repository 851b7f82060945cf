"""The rules by which a description is to be read: those that its question makes use of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from simulator.language.criteria import (
    AgeCriterion,
    Criterion,
    EventCriterion,
    Events,
    Group,
    Occurrence,
)
from simulator.language.study import Question
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


def rules_of(question: Question) -> Iterator[str]:
    """The rules, in the order in which a criterion is evaluated."""
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


def _every_criterion(question: Question) -> Iterator[Criterion]:
    tops = [
        *(step.require for step in question.cohort.steps),
        *(group.require for group in all_groups(question)),
        question.outcome,
        *question.follow_up.exits,
    ]
    for top in tops:
        yield from _within(top)
    for events in (question.cohort.index, *question.lines):
        yield from _related(events)


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
