"""Every question that differs from a given one in a single place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final

import msgspec

from simulator.language.codes import Code, ConceptSet
from simulator.language.criteria import (
    Domain,
    EdgeValue,
    EventCriterion,
    Events,
    Group,
    Occurrence,
    Rule,
    Sex,
    SexCriterion,
)
from simulator.language.study import Arm, Cohort, FollowUp, Question, Step
from simulator.language.values import ValueRange
from simulator.language.windows import AgeRange, Count, DateRange, Window

Path = tuple[str | int, ...]

_DATE: Final = dt.date(2020, 1, 15)

# What may stand where nothing stands.
_FILLED: Final[dict[tuple[type, str], Any]] = {
    (Events, "codes"): "tree",
    (Events, "dates"): DateRange(_DATE, None),
    (Events, "age"): AgeRange(59, None),
    (Events, "value"): ValueRange(1.0, None, "mg/dL"),
    (Events, "related"): (SexCriterion(Sex.FEMALE),),
    (EventCriterion, "edge"): EdgeValue(Occurrence.LAST, ValueRange(None, 2.0)),
    (Window, "earliest"): -3,
    (Window, "latest"): 40,
    (DateRange, "earliest"): dt.date(2019, 12, 1),
    (DateRange, "latest"): dt.date(2021, 1, 1),
    (AgeRange, "at_least"): 1,
    (AgeRange, "at_most"): 120,
    (ValueRange, "at_least"): -5.0,
    (ValueRange, "at_most"): 99.5,
    (Count, "at_most"): 9,
    (FollowUp, "exits"): (EventCriterion(Events(Domain.VISIT), Window(1, None)),),
    (ConceptSet, "exclude"): (Code("CPT4", "1"),),
    (Question, "arms"): (Arm("all", SexCriterion(Sex.MALE)),),
    (Cohort, "steps"): (Step("men", SexCriterion(Sex.MALE)),),
}
_MAY_BE_NONE: Final = {"codes", "dates", "age", "value", "edge", "earliest", "latest", "at_most"}


def changes(question: Question) -> Iterator[tuple[Path, Question]]:
    """Questions that differ in one place from this one, and the place."""
    yield from _changes(question)


def _changes(value: Any) -> Iterator[tuple[Path, Any]]:
    match value:
        case msgspec.Struct():
            yield from _of_fields(value)
        case tuple():
            yield from _of_members(value)
        case bool():
            yield (), not value
        case StrEnum():
            yield from (((), other) for other in type(value) if other is not value)
        case int() | float():
            yield from (((), value + 1), ((), value - 1))
        case dt.date():
            yield (), value + dt.timedelta(1)
        case str():
            yield (), f"{value}x"


def _of_fields(value: msgspec.Struct) -> Iterator[tuple[Path, Any]]:
    for name in value.__struct_fields__:
        inside = getattr(value, name)
        key = (type(value), name)
        others: list[tuple[Path, Any]] = list(_changes(inside))
        if inside in (None, ()) and key in _FILLED:
            others.append(((), _FILLED[key]))
        if inside is not None and _FILLED.get(key, ()) and name in _MAY_BE_NONE:
            others.append(((), None))
        for path, other in others:
            try:
                changed = msgspec.structs.replace(value, **{name: other})
            except ValueError:
                continue
            yield (name, *path), changed


def _of_members(value: tuple[Any, ...]) -> Iterator[tuple[Path, Any]]:
    for place, member in enumerate(value):
        yield (place,), value[:place] + value[place + 1 :]
        for path, other in _changes(member):
            yield (place, *path), (*value[:place], other, *value[place + 1 :])


def says_the_same(before: Question, after: Question, path: Path) -> bool:
    """Whether a change is one of form alone, which no patient could tell.

    Outside an event ``relative to: event`` is the index; only rules that count use their number;
    and of an outcome that is death nothing but that is asked.
    """
    if path[-1] == "anchor":
        return "related" not in path
    if path[-1] == "number":
        return _group_at(before, path[:-1]).rule not in {Rule.AT_LEAST, Rule.AT_MOST}
    return path[0] == "outcome" and before.outcome_is_death and after.outcome_is_death


def _group_at(question: Question, path: Path) -> Group:
    found: Any = question
    for step in path:
        found = found[step] if isinstance(step, int) else getattr(found, step)
    assert isinstance(found, Group)
    return found
