"""Which criteria imply or exclude which, as far as their limits show it.

A criterion that is the same but for a narrower limit implies the wider one: dates, ages, values,
windows, counts, and concept sets of which one lists part of the other.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator

from simulator.language.codes import Code, ConceptSet
from simulator.language.criteria import (
    Criterion,
    EventCriterion,
    Events,
    ObservedCriterion,
    Occurrence,
)
from simulator.language.values import ValueRange
from simulator.language.windows import AgeRange, Count, DateRange, Window
from simulator.privacy.memory.values import (
    FAILS,
    HOLDS,
    Bound,
    Definition,
    Definitions,
    Kind,
    Leaf,
    Several,
    opposite,
)

_Sets = dict[str, ConceptSet]
_Ends = tuple[float | None, float | None]


def implies(one: Definition, other: Definition) -> bool:
    """Whether what the first stands for cannot hold without the second; groups aside."""
    match one, other:
        case Bound(of=of, at_least=least), Bound(of=other_of, at_least=other_least):
            return of == other_of and least >= other_least
        case Leaf(), Leaf():
            sets = {codes.name: codes for codes in (*one.codes, *other.codes)}
            return _implies(one.criterion, other.criterion, sets)
        case _:
            return one == other


def excludes(one: Definition, other: Definition) -> bool:
    """Whether both cannot hold: two values of what has one value at most."""
    match one, other:
        case Kind(of=of, value=value), Kind(of=other_of, value=other_value):
            return of == other_of and value != other_value
        case _:
            return False


def follows(literal: str, other: str, known: Definitions) -> bool:
    """Whether the second literal holds wherever the first does, as far as is seen, groups too."""
    if literal == other:
        return True
    one, two = known.get(literal[1:]), known.get(other[1:])
    if one is None or two is None:
        return False
    if isinstance(one, Several) or isinstance(two, Several):
        return _group_follows(literal, other, known)
    match literal[0], other[0]:
        case "+", "+":
            return implies(one, two)
        case "-", "-":
            return implies(two, one)
        case "+", "-":
            return excludes(one, two)
        case _:
            return False


def _group_follows(literal: str, other: str, known: Definitions) -> bool:
    """An any-of implies what each member implies, and is implied by what implies one."""
    mine, its = _members(literal, HOLDS, known), _members(other, FAILS, known)
    if mine is not None:
        return all(follows(member, other, known) for member in mine)
    if its is not None:
        return all(follows(literal, opposite(member), known) for member in its)
    each, some = _members(literal, FAILS, known), _members(other, HOLDS, known)
    if each is not None and any(follows(opposite(one), other, known) for one in each):
        return True
    if some is not None and any(follows(literal, member, known) for member in some):
        return True
    return _stricter(literal, other, known)


def _members(literal: str, sign: str, known: Definitions) -> tuple[str, ...] | None:
    """The members of an any-of of this sign."""
    found = known[literal[1:]]
    if literal[0] != sign or not isinstance(found, Several) or found.number != 1:
        return None
    return found.members


def _stricter(literal: str, other: str, known: Definitions) -> bool:
    """Whether both ask for a number of the same members, the first for more."""
    one, two = known[literal[1:]], known[other[1:]]
    if not isinstance(one, Several) or not isinstance(two, Several) or literal[0] != other[0]:
        return False
    more = one.number >= two.number if literal[0] == HOLDS else one.number <= two.number
    return more and one.members == two.members


def pairs(known: Definitions, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The pairs of names of which the first implies the second, groups aside.

    Only those are compared that have a code in common, or name none, so that a thousand concept
    sets take no million comparisons.

    Args:
        known: What the names stand for.
        names: One of each pair is among these.
    """
    shelves: defaultdict[object, list[str]] = defaultdict(list)
    for name, definition in known.items():
        for key in _stands(definition):
            shelves[key].append(name)
    for name in names:
        definition = known[name]
        near = dict.fromkeys(found for key in _looks(definition) for found in shelves[key])
        for other in near:
            if other == name:
                continue
            if implies(definition, known[other]):
                yield name, other
            if implies(known[other], definition):
                yield other, name


def topics(name: str, known: Definitions) -> frozenset[object]:
    """What a criterion is about; between those that are about other things nothing follows."""
    definition = known.get(name)
    if isinstance(definition, Several):
        return frozenset[object]().union(*(topics(one[1:], known) for one in definition.members))
    if definition is None or isinstance(definition, Kind):
        return frozenset({name if definition is None else definition.of})
    return frozenset(_stands(definition)[:1])


def _stands(definition: Definition) -> tuple[object, ...]:
    """On which shelves a definition stands: of its codes, of those without, and of its kind."""
    match definition:
        case Bound(of=of):
            return ((of,),)
        case Leaf(criterion=EventCriterion(events=events), codes=sets):
            own = [codes for codes in sets if codes.name == events.codes]
            codes = tuple((code.vocabulary, code.code) for each in own for code in each.include)
            return ((events.domain,), *codes, *(() if own else ((events.domain, None),)))
        case Leaf(criterion=criterion):
            return ((type(criterion),),)
        case _:
            return ()


def _looks(definition: Definition) -> tuple[object, ...]:
    """On which shelves those stand that it may imply or be implied by."""
    match definition:
        case Leaf(criterion=EventCriterion(events=Events(domain=domain, codes=str()))):
            return (*_stands(definition)[1:], (domain, None))
        case _:
            return _stands(definition)[:1]


def _implies(one: Criterion, other: Criterion, sets: _Sets) -> bool:
    match one, other:
        case EventCriterion(), EventCriterion():
            return one == other or _event_implies(one, other, sets)
        case ObservedCriterion(window=mine), ObservedCriterion(window=its):
            return _window_inside(its, mine)
        case _:
            return one == other


def _event_implies(one: EventCriterion, other: EventCriterion, sets: _Sets) -> bool:
    if one.anchor is not other.anchor:
        return False
    if other.edge is not None:
        # Which day is the first or the last depends on all the rest.
        same = one.events == other.events and one.window == other.window
        return same and one.edge is not None and _edge_inside(one, other)
    some = Count() if one.edge is not None else one.count
    return (
        _count_inside(some, other.count)
        and _window_inside(one.window, other.window)
        and _events_inside(one.events, other.events, sets)
    )


def _edge_inside(one: EventCriterion, other: EventCriterion) -> bool:
    mine, its = one.edge, other.edge
    if mine is None or its is None or mine.occurrence is not its.occurrence:
        return False
    return _value_inside(mine.value, its.value)


def _events_inside(one: Events, other: Events, sets: _Sets) -> bool:
    """Whether each event that the first means is one that the second means."""
    if one == other:
        return True
    any_event = one.occurrence is other.occurrence is Occurrence.ANY
    return (
        any_event
        and one.domain is other.domain
        and _codes_inside(one.codes, other.codes, sets)
        and _dates_inside(one.dates or DateRange(), other.dates)
        and _ages_inside(one.age, other.age)
        and (
            other.value is None or (one.value is not None and _value_inside(one.value, other.value))
        )
        and all(any(_implies(mine, its, sets) for mine in one.related) for its in other.related)
    )


def _codes_inside(one: str | None, other: str | None, sets: _Sets) -> bool:
    if other is None or one == other:
        return True
    if one is None:
        return False
    mine, its = sets[one], sets[other]
    return all(_covered(code, its.include) for code in mine.include) and all(
        _covered(code, mine.exclude) for code in its.exclude
    )


def _covered(code: Code, by: tuple[Code, ...]) -> bool:
    """Whether a list names a code, or the same with what stands below it."""
    return code in by or Code(code.vocabulary, code.code, descendants=True) in by


def _count_inside(one: Count, other: Count) -> bool:
    """Whether so many events of fewer are at least so many; at most so many they need not be."""
    if other.at_most is not None:
        return False
    days = one.distinct_days or not other.distinct_days or other.at_least <= 1
    return days and one.at_least >= other.at_least


def _window_inside(one: Window, other: Window) -> bool:
    return _inside((one.earliest, one.latest), (other.earliest, other.latest))


def _dates_inside(one: DateRange, other: DateRange | None) -> bool:
    if other is None:
        return True
    return _inside(_days(one), _days(other))


def _days(dates: DateRange) -> _Ends:
    first, last = dates.earliest, dates.latest
    return None if first is None else first.toordinal(), None if last is None else last.toordinal()


def _ages_inside(one: AgeRange | None, other: AgeRange | None) -> bool:
    if one is None or other is None:
        return other is None
    return _inside((one.at_least, one.at_most), (other.at_least, other.at_most))


def _values_inside(one: ValueRange | None, other: ValueRange | None) -> bool:
    if one is None or other is None:
        return other is None
    return _value_inside(one, other)


def _value_inside(one: ValueRange, other: ValueRange) -> bool:
    return one.unit == other.unit and _inside(one.limits, other.limits)


def _inside(one: _Ends, other: _Ends) -> bool:
    """Whether a span lies in another; None is unbounded."""
    low, least = (-math.inf if ends[0] is None else ends[0] for ends in (one, other))
    high, most = (math.inf if ends[1] is None else ends[1] for ends in (one, other))
    return least <= low and high <= most
