"""Turns criteria into literals, so that what says the same in other words has one name.

All-of, none-of and counts are taken apart; ages and dates become bounds, of which one implies the
next. What is left inside a group keeps one name with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from simulator.language.codes import ConceptSet
from simulator.language.criteria import (
    AgeCriterion,
    Anchor,
    Criterion,
    DateCriterion,
    EventCriterion,
    Events,
    Group,
    Occurrence,
    SexCriterion,
)
from simulator.language.windows import AgeRange, Count, DateRange
from simulator.privacy.memory.values import (
    HOLDS,
    Bound,
    Definition,
    Kind,
    Leaf,
    Several,
    fingerprint,
    opposite,
)

Literals = frozenset[str]
DATE: Final = "date of index"
AGE: Final = "age at index"
SEX: Final = "sex"
# Below every age that can be computed, so that an age is at least this wherever it is known.
_KNOWN: Final = -10_000


class Dictionary:
    """Names criteria, and keeps what each name stands for.

    Args:
        sets: The concept sets that the criteria name.

    Attributes:
        known: What each fingerprint that was given stands for.
    """

    def __init__(self, sets: Iterable[ConceptSet] = ()) -> None:
        self.known: dict[str, Definition] = {}
        self._sets = {codes.name: _by_content(codes) for codes in sets}

    def literals(self, criterion: Criterion) -> Literals:
        """What must hold, all together, for a criterion at the index to hold."""
        match criterion:
            case Group(members=members):
                least, most = criterion.bounds
                each = [self.literals(member) for member in members]
                excess = self.at_least(most + 1, each) if most < len(members) else None
                few = frozenset[str]() if excess is None else self.negated(excess)
                return self.at_least(least, each) | few
            case EventCriterion(edge=None, count=count):
                return self._counted(criterion, count)
            case AgeCriterion(age=age):
                return self.ages(age)
            case DateCriterion(dates=dates):
                return self.dates(dates)
            case SexCriterion(sex=sex):
                return self.kind(SEX, str(sex))
            case _:
                return frozenset({self._leaf(criterion)})

    def kind(self, of: str, value: str) -> Literals:
        """That something that has one value at most has this one."""
        return frozenset({self._name(Kind(of, value))})

    def ages(self, age: AgeRange) -> Literals:
        """That the age at the index is known and in a range."""
        least = _KNOWN if age.at_least is None else age.at_least
        return self._between(AGE, least, age.at_most)

    def dates(self, dates: DateRange) -> Literals:
        """That the index lies in a span of dates."""
        least, most = (
            None if day is None else day.toordinal() for day in (dates.earliest, dates.latest)
        )
        return self._between(DATE, least, most)

    def at_least(self, number: int, each: Sequence[Literals]) -> Literals:
        """That at least so many of several conditions hold, each a conjunction of literals."""
        if number <= 0:
            return frozenset()
        if number == len(each):
            return frozenset[str]().union(*each)
        members = [self._one(literals) for literals in each]
        if number > len(each):
            number, members = 1, []
        if number == 1:
            members = list(dict.fromkeys(inner for one in members for inner in self._any(one)))
        if len(members) == 1:
            return frozenset(members)
        return frozenset({self._name(Several(number, tuple(sorted(members))))})

    def negated(self, literals: Literals) -> Literals:
        """That not all of several literals hold."""
        if len(literals) == 1:
            (literal,) = literals
            return frozenset(opposite(inner) for inner in self._any(literal))
        return self.at_least(1, [frozenset({opposite(literal)}) for literal in sorted(literals)])

    def index(self, events: Events) -> tuple[str, Literals, bool]:
        """The base that an index event gives, what else it asks, and whether sets are divisible.

        The first event of a span of dates is the first after the span begins, if that lies before
        its end. So a span that ends otherwise leaves the base as it is and is a literal; likewise
        of ages, and where an event begins for the last. Where the index may be any event, all that
        it asks of one is a literal.
        """
        dates, age = events.dates or DateRange(), events.age or AgeRange()
        related, inner = events.related, list[Literals]()
        days, years = DateRange(dates.earliest, None), AgeRange(age.at_least, None)
        until, up_to = DateRange(None, dates.latest), AgeRange(None, age.at_most)
        match events.occurrence:
            case Occurrence.FIRST:
                inner += [self.dates(until), self.ages(up_to)]
            case Occurrence.LAST:
                inner += [self.dates(days), self.ages(years)]
                days, years = until, up_to
            case Occurrence.ANY:
                inner += [self.dates(dates), self.ages(age), *map(self.literals, related)]
                days, years, related = DateRange(), AgeRange(), ()
        if events.age is None:
            del inner[1]
        kept = msgspec.structs.replace(
            events,
            dates=None if days == DateRange() else days,
            age=None if years == AgeRange() else years,
            related=related,
        )
        base = fingerprint(("index", self._resolved_events(kept)))
        asked = frozenset[str]().union(*inner)
        return base, asked, events.occurrence is not Occurrence.ANY

    def _counted(self, criterion: EventCriterion, count: Count) -> Literals:
        """At most so many is: not at least one more."""
        found = set()
        if count.at_least > 0:
            least = Count(count.at_least, None, count.distinct_days)
            found.add(self._leaf(msgspec.structs.replace(criterion, count=least)))
        if count.at_most is not None:
            more = Count(count.at_most + 1, None, count.distinct_days)
            found.add(opposite(self._leaf(msgspec.structs.replace(criterion, count=more))))
        return frozenset(found)

    def _between(self, of: str, least: int | None, most: int | None) -> Literals:
        found = set()
        if least is not None:
            found.add(self._name(Bound(of, least)))
        if most is not None:
            found.add(opposite(self._name(Bound(of, most + 1))))
        return frozenset(found)

    def _one(self, literals: Literals) -> str:
        """One literal that holds where all of several hold."""
        if len(literals) == 1:
            return next(iter(literals))
        if not literals:
            return opposite(self._name(Several(1, ())))
        (negation,) = self.at_least(1, [frozenset({opposite(one)}) for one in sorted(literals)])
        return opposite(negation)

    def _any(self, literal: str) -> tuple[str, ...]:
        """The members of an any-of that holds, or the literal itself."""
        known = self.known.get(literal[1:])
        if literal[0] == HOLDS and isinstance(known, Several) and known.number == 1:
            return known.members
        return (literal,)

    def _leaf(self, criterion: Criterion) -> str:
        resolved = self._resolved(_at_index(criterion))
        named = {codes.name: codes for codes in self._sets.values()}
        used = sorted(name for name in _names(resolved) if name in named)
        return self._name(Leaf(resolved, tuple(named[name] for name in dict.fromkeys(used))))

    def _name(self, definition: Definition) -> str:
        name = fingerprint(definition)
        self.known[name] = definition
        return HOLDS + name

    def _resolved(self, criterion: Criterion) -> Criterion:
        """The criterion with its concept sets named after their content."""
        match criterion:
            case EventCriterion(events=events):
                return msgspec.structs.replace(criterion, events=self._resolved_events(events))
            case Group(members=members):
                inner = tuple(self._resolved(member) for member in members)
                return msgspec.structs.replace(criterion, members=inner)
            case _:
                return criterion

    def _resolved_events(self, events: Events) -> Events:
        related = sorted(map(self._resolved, events.related), key=repr)
        codes = None if events.codes is None else self._sets[events.codes].name
        return msgspec.structs.replace(events, codes=codes, related=tuple(related))


def _at_index(criterion: Criterion) -> Criterion:
    """At the top, the event that a criterion is anchored at is the index."""
    match criterion:
        case EventCriterion():
            return msgspec.structs.replace(criterion, anchor=Anchor.INDEX)
        case Group(members=members):
            return msgspec.structs.replace(criterion, members=tuple(map(_at_index, members)))
        case _:
            return criterion


def _by_content(codes: ConceptSet) -> ConceptSet:
    include, exclude = tuple(sorted(set(codes.include))), tuple(sorted(set(codes.exclude)))
    return ConceptSet(fingerprint((include, exclude)), include, exclude)


def _names(criterion: Criterion) -> list[str]:
    """The concept sets that a criterion names, nested ones included."""
    match criterion:
        case EventCriterion(events=events):
            own = [] if events.codes is None else [events.codes]
            return own + [name for inner in events.related for name in _names(inner)]
        case Group(members=members):
            return [name for member in members for name in _names(member)]
        case _:
            return []
