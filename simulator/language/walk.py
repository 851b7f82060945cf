"""Walks through a question: its criteria, its events, and the kinds of fact that it tells apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from simulator.language.criteria import (
    Criterion,
    Domain,
    EdgeValue,
    EventCriterion,
    Events,
    Group,
)
from simulator.language.values import ValueRange

if TYPE_CHECKING:
    from simulator.language.study import Arm, Cohort, Question

# What a question may cost a site, decided by the question alone: a site that gave up depending on
# its rows would tell of them by giving up.
_CRITERIA: Final = 100
_DEPTH: Final = 8

Kind = tuple[Domain, str | None, ValueRange | None, bool]
"""Domain, concept set, range of values, and whether any value in the range's unit will do."""


def check_cost(question: Question) -> None:
    """Refuses questions of more criteria, or more deeply nested, than any site would answer.

    Raises:
        ValueError: There are more than 100 criteria, or more than 8 levels of them.
    """
    level: list[Criterion] = list(_tops(question))
    criteria = depth = 0
    while level:
        criteria, depth = criteria + len(level), depth + 1
        if criteria > _CRITERIA:
            raise ValueError(f"a study has at most {_CRITERIA} criteria; found more")
        if depth > _DEPTH:
            raise ValueError(f"criteria stand at most {_DEPTH} levels deep in each other")
        level = [inner for criterion in level for inner in _inside(criterion)]


def _tops(question: Question) -> Iterator[Criterion]:
    """Every criterion that stands inside no other."""
    yield from question.cohort.index.related
    yield from (step.require for step in question.cohort.steps)
    yield from (group.require for group in all_groups(question))
    yield from (question.outcome, *question.follow_up.exits)
    for events in question.lines:
        yield from events.related


def _inside(criterion: Criterion) -> tuple[Criterion, ...]:
    match criterion:
        case EventCriterion(events=events):
            return events.related
        case Group(members=members):
            return members
        case _:
            return ()


def all_groups(question: Question) -> tuple[Arm, ...]:
    """The arms, then the levels of each subgroup."""
    levels = tuple(level for subgroup in question.subgroups for level in subgroup.levels)
    return (*question.arms, *levels)


def events_of(criterion: Criterion) -> Iterator[EventCriterion]:
    """Every event criterion in it, nested ones included, outer before inner."""
    match criterion:
        case EventCriterion():
            yield criterion
            for inner in criterion.events.related:
                yield from events_of(inner)
        case Group():
            for member in criterion.members:
                yield from events_of(member)
        case _:
            return


def all_events(question: Question) -> Iterator[Events]:
    """Every kind of event a question asks about: index, steps, arms, levels, outcome, exits."""
    yield from _events_in(question.cohort.index, _tops(question), question.lines)


def sets_named(
    cohort: Cohort,
    groups: Iterable[Arm],
    moments: Iterable[EventCriterion] = (),
    lines: Sequence[Events] = (),
) -> set[str]:
    """The concept sets that the parts of a question name, before it is put together.

    Args:
        cohort: The index event and the steps.
        groups: Arms and levels.
        moments: The outcome and the exits.
        lines: The kinds of treatment.
    """
    tops: list[Criterion] = [
        *cohort.index.related,
        *(step.require for step in cohort.steps),
        *(group.require for group in groups),
        *moments,
        *(inner for events in lines for inner in events.related),
    ]
    return {name for events in _events_in(cohort.index, tops, lines) if (name := events.codes)}


def _events_in(
    index: Events, tops: Iterable[Criterion], lines: Iterable[Events]
) -> Iterator[Events]:
    yield index
    for top in tops:
        for event in events_of(top):
            yield event.events
    yield from lines


def kinds_of(question: Question) -> tuple[Kind, ...]:
    """The kinds of fact that a question tells apart, deaths always among them, in a fixed order."""
    kinds: dict[Kind, None] = {}
    for events in [question.cohort.index, *question.lines]:
        kinds[kind_of(events)] = None
    for top in _tops(question):
        for event in events_of(top):
            kinds[kind_of(event.events)] = None
            if event.edge is not None:
                kinds.update(dict.fromkeys(edge_kinds(event.events, event.edge)))
    kinds[kind_of(Events(Domain.DEATH))] = None
    return tuple(kinds)


def kind_of(events: Events) -> Kind:
    """The kind of fact that such events are."""
    return events.domain, events.codes, events.value, False


def edge_kinds(events: Events, edge: EdgeValue) -> tuple[Kind, Kind]:
    """Facts that have a value in a unit that can be converted, and those with one in the range."""
    return (
        (events.domain, events.codes, edge.value, True),
        (events.domain, events.codes, edge.value, False),
    )
