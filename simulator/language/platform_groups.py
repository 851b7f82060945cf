"""Puts criteria into the numbered groups of the modelled platform's queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from simulator.language.criteria import (
    Anchor,
    Criterion,
    EventCriterion,
    Group,
    Occurrence,
    Rule,
    SexCriterion,
)
from simulator.language.platform_refined import Refined
from simulator.language.platform_terms import (
    CannotBeSaidError,
    occurred,
    quantifier,
    relation,
    terms,
)
from simulator.language.prose_criteria import criterion_said
from simulator.language.prose_words import Moment
from simulator.language.study import Question
from simulator.language.windows import Count, Window

_ONCE: Final = (Count(), Count(distinct_days=True))
_ANY_DAY: Final = Window()
_INDEX_GROUP: Final = "Group 1A"
_ITS: Final = Moment(_INDEX_GROUP, f"the day of {_INDEX_GROUP}")


class Query:
    """Collects the lines of one query.

    Args:
        question: What is asked.
        refined: What the index's group says beyond the index event.
        first: The number of the next group.
    """

    def __init__(self, question: Question, refined: Refined, first: int) -> None:
        self.number = first
        self._index = question.cohort.index
        self._sets = {codes.name: codes for codes in question.codes}
        self._refined = refined
        self._never: list[str] = []
        self._groups: list[list[str]] = []
        self._unsaid: list[str] = []
        self._anchored = 0

    def lines(self) -> list[str]:
        """The query: what cannot be had, the groups, and what has no words there."""
        lines = [f"Cannot Have: {never}" for never in self._never]
        for place, group in enumerate(self._groups):
            lines += (["AND"] if place or lines else []) + group
        unsaid = list(dict.fromkeys([*self._unsaid, *self._of_one_instance()]))
        return [*lines, *(f"(cannot be said there: {text})" for text in unsaid)]

    def _of_one_instance(self) -> list[str]:
        if self._index.occurrence is not Occurrence.ANY or self._anchored < 2:
            return []
        return [f"one and the same instance of {_INDEX_GROUP} fits all groups that name it"]

    def begin(self, *, again: bool = False) -> None:
        """The index's group, and what stands around it."""
        index = self._index
        try:
            listed = terms(index, self._sets, self._refined.age)
        except CannotBeSaidError:
            self._unsaid.append("the index, an event of any code")
            listed = []
        when = occurred(self._refined.dates)
        self._groups.append(
            [f"{_INDEX_GROUP} [index]: The terms in this group occurred {when}", *_must(listed)]
        )
        if again:
            return
        for place, related in enumerate(index.related):
            self._around(related, f"{self.number}B")
            self.number += 1 if place < len(index.related) - 1 else 0
        self.number += 1
        if index.related and index.occurrence is not Occurrence.ANY:
            self._unsaid.append(
                f"{quantifier(index.occurrence)} {_INDEX_GROUP} is that of those "
                "that the groups around it fit, not of all"
            )

    def _around(self, related: Criterion, name: str) -> None:
        """What stands inside the index event's ``with``: around any instance of it."""
        never = isinstance(related, Group) and related.rule is Rule.NONE
        inner = related
        if isinstance(related, Group) and never and len(related.members) == 1:
            inner = related.members[0]
        try:
            self._place(_plain(inner), name, Occurrence.ANY, "", never=never)
        except CannotBeSaidError:
            self._unsaid.append(f"at {_INDEX_GROUP}: {criterion_said(related, _ITS).in_line()}")

    def leave_unsaid(self, text: str) -> None:
        """Adds what has no words there."""
        self._unsaid.append(text)

    def add(self, name: str, criteria: Sequence[Criterion]) -> None:
        """A step or an arm: groups of its own, or a line that says what cannot be said."""
        for criterion in criteria:
            try:
                self._add(name, criterion)
            except CannotBeSaidError:
                said = criterion_said(criterion).in_line()
                self._unsaid.append(f"{name}: {said}")

    def _add(self, name: str, criterion: Criterion) -> None:
        match criterion:
            case SexCriterion(sex=sex):
                self._numbered(name, [f"Must Have: {sex}"])
            case Group(rule=Rule.NONE, members=members):
                self._forbid(name, members)
            case Group(rule=Rule.ANY, members=members):
                self._any_of(name, members)
            case EventCriterion(count=Count(at_most=0)):
                self._forbid(name, (msgspec.structs.replace(criterion, count=Count()),))
            case EventCriterion():
                self._require(name, criterion)
            case _:
                raise CannotBeSaidError

    def _forbid(self, name: str, members: Sequence[Criterion]) -> None:
        """All of these or none, so that nothing is half said."""
        events = [_plain(member) for member in members]
        for event in events:
            self._check_place(event)
        for event in events:
            if event.window == _ANY_DAY and event.events.dates is None:
                self._never.append(" OR ".join(terms(event.events, self._sets)))
                continue
            self._at_index(event, name, never=True)

    def _any_of(self, name: str, members: Sequence[Criterion]) -> None:
        """Terms of one group, where all stand at the same place in time."""
        events = [_plain(member) for member in members]
        first = events[0]
        listed: list[str] = []
        for event in events:
            same = (event.window, event.events.dates) == (first.window, first.events.dates)
            if not same or event.events.occurrence is not Occurrence.ANY:
                raise CannotBeSaidError
            listed += terms(event.events, self._sets)
        self._check_place(first)
        self._at_index(first, name, listed)

    def _require(self, name: str, event: EventCriterion) -> None:
        if event.events.related:
            self._pair(name, event)
            return
        if event.count not in _ONCE:
            self._instances(name, event)
            return
        plain = _plain(event)
        self._check_place(plain)
        self._at_index(plain, name)

    def _instances(self, name: str, event: EventCriterion) -> None:
        """So many instances at any time; they are days there, as far as is known."""
        count, events = event.count, event.events
        several = count.at_most is None and count.distinct_days and count.at_least > 0
        anywhere = event.window == _ANY_DAY and events.occurrence is Occurrence.ANY
        if event.edge is not None or not several or not anywhere:
            raise CannotBeSaidError
        listed = terms(events, self._sets)
        number = f"{count.at_least} instance{'' if count.at_least == 1 else 's'}"
        self._numbered(name, _must(listed), f"{occurred(events.dates)} - {number}")

    def _pair(self, name: str, event: EventCriterion) -> None:
        """An event at any time with one other event around it."""
        related = event.events.related[0]
        inner = _plain(related, Anchor.EVENT)
        alone = msgspec.structs.replace(event.events, related=(), occurrence=Occurrence.ANY)
        anywhere = event.window == _ANY_DAY and event.count in _ONCE and event.edge is None
        if not anywhere or len(event.events.related) > 1:
            raise CannotBeSaidError
        where = relation(inner.window)
        around = terms(inner.events, self._sets)
        group = f"Group {self.number}"
        when = occurred(alone.dates)
        anchor = [f"{group}A [{name}]: The terms in this group occurred {when}"]
        anchor += _must(terms(alone, self._sets))
        self._groups += [
            anchor,
            [
                *_sentence(f"{group}B", "", inner, where, f"any instance of {group}A"),
                *_must(around),
            ],
        ]
        self.number += 1

    def _check_place(self, event: EventCriterion) -> None:
        """Refuses what has no words before anything of it is written."""
        terms(event.events, self._sets)
        if event.window != _ANY_DAY:
            relation(event.window)

    def _at_index(
        self,
        event: EventCriterion,
        step: str,
        listed: list[str] | None = None,
        *,
        never: bool = False,
    ) -> None:
        """A group around the index."""
        name = f"{self.number}{'' if event.window == _ANY_DAY else 'B'}"
        self._place(event, name, self._index.occurrence, step, listed, never=never)
        self.number += 1

    def _place(
        self,
        event: EventCriterion,
        name: str,
        anchor: Occurrence,
        step: str,
        listed: list[str] | None = None,
        *,
        never: bool = False,
    ) -> None:
        """A group, placed in time by the index's group unless any day will do."""
        words = terms(event.events, self._sets) if listed is None else listed
        had = _must(words, "Cannot Have" if never else "Must Have")
        if event.window == _ANY_DAY:
            label = f" [{step}]" if step else ""
            when = occurred(event.events.dates)
            self._groups.append(
                [f"Group {name}{label}: The terms in this group occurred {when}", *had]
            )
            return
        where = relation(event.window)
        self._anchored += 1
        of = f"{quantifier(anchor)} {_INDEX_GROUP}"
        self._groups.append([*_sentence(f"Group {name}", step, event, where, of), *had])
        if never and anchor is Occurrence.ANY:
            self._unsaid.append(
                f"an instance of {_INDEX_GROUP} is meant that has no such instance of Group {name}"
            )

    def _numbered(self, name: str, had: list[str], when: str = "at any time") -> None:
        self._groups.append(
            [f"Group {self.number} [{name}]: The terms in this group occurred {when}", *had]
        )
        self.number += 1


def _sentence(group: str, name: str, event: EventCriterion, where: str, of: str) -> list[str]:
    """When a group occurred, and where that lies from another."""
    label = f" [{name}]" if name else ""
    which = quantifier(event.events.occurrence)
    said = [f"{group}{label}: {which[0].upper()}{which[1:]} {group} occurred {where} {of}"]
    if event.events.dates is None:
        return said
    return [*said, f"The terms in this group occurred {occurred(event.events.dates)}"]


def _must(listed: list[str], had: str = "Must Have") -> list[str]:
    return [f"{had}: {' OR '.join(listed)}"] if listed else []


def _plain(criterion: Criterion, anchor: Anchor | None = None) -> EventCriterion:
    """An event that is there at least once, with nothing around it.

    Raises:
        CannotBeSaidError: It is something else.
    """
    if not isinstance(criterion, EventCriterion):
        raise CannotBeSaidError
    simple = criterion.count in _ONCE and criterion.edge is None and not criterion.events.related
    if not simple or (anchor is not None and criterion.anchor is not anchor):
        raise CannotBeSaidError
    return criterion
