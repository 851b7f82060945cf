"""Terms, dates, windows and quantifiers in the words of the modelled platform's sentences."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Final

from simulator.language.codes import Code, ConceptSet
from simulator.language.criteria import Domain, Events, Occurrence
from simulator.language.labels import bundled_hierarchy, label_of
from simulator.language.prose_words import figure, in_units, several
from simulator.language.values import PLAIN, ValueRange
from simulator.language.windows import DAYS_PER_YEAR, AgeRange, DateRange, Window

_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_QUANTIFIERS: Final = {
    Occurrence.ANY: "any instance of",
    Occurrence.FIRST: "the first instance of",
    Occurrence.LAST: "the most recent instance of",
}


class CannotBeSaidError(Exception):
    """The platform's grammar has no words for something."""


def quantifier(occurrence: Occurrence) -> str:
    """Such as ``any instance of``."""
    return _QUANTIFIERS[occurrence]


def relation(window: Window) -> str:
    """Where one group lies from another, such as ``on or before``.

    Raises:
        CannotBeSaidError: The window reaches to both sides, or to all.
    """
    years = in_units(window, "year", DAYS_PER_YEAR)
    unit = "day" if years is None else "year"
    earliest, latest = (window.earliest, window.latest) if years is None else years
    if earliest is None:
        if latest is None or latest > 0:
            raise CannotBeSaidError
        return "on or before" if latest == 0 else f"at least {several(-latest, unit)} before"
    if latest is None:
        if earliest < 0:
            raise CannotBeSaidError
        return "on or after" if earliest == 0 else f"at least {several(earliest, unit)} after"
    if earliest >= 0:
        return _within(earliest, latest, unit, "after")
    if latest <= 0:
        return _within(-latest, -earliest, unit, "before")
    raise CannotBeSaidError


def _within(least: int, most: int, unit: str, side: str) -> str:
    if least == 0:
        return f"within {several(most, unit)} on or {side}"
    return f"within {several(least, unit)} and {several(most, unit)} {side}"


def occurred(dates: DateRange | None) -> str:
    """When the terms of a group occurred, such as ``on or before Jul 31, 2024``."""
    if dates is None or dates == DateRange():
        return "at any time"
    after = None if dates.earliest is None else f"on or after {_date(dates.earliest)}"
    before = None if dates.latest is None else f"on or before {_date(dates.latest)}"
    return " and ".join(part for part in (after, before) if part is not None)


def _date(date: dt.date) -> str:
    return f"{_MONTHS[date.month - 1]} {date.day}, {date.year}"


def terms(events: Events, sets: Mapping[str, ConceptSet], age: AgeRange | None = None) -> list[str]:
    """The terms of a group, to be joined by OR, with what is asked of each in brackets.

    Args:
        events: What is looked for.
        sets: The concept sets by name.
        age: An age at the event, in place of the events' own.

    Raises:
        CannotBeSaidError: Any event of a kind, where that is no term.
    """
    behind = _brackets(age or events.age, events.value)
    if events.domain is Domain.DEATH:
        return [f"Deceased{behind}"]
    if events.codes is None:
        if events.domain is Domain.VISIT:
            return [f"Visit{behind}"]
        raise CannotBeSaidError
    return [f"{_term(code)}{behind}" for code in sets[events.codes].include]


def _term(code: Code) -> str:
    label = label_of(code)
    return f"{code.vocabulary} {code.code}{f' {label}' if label else ''}"


def _brackets(age: AgeRange | None, value: ValueRange | None) -> str:
    """Such as `` [<= 17 years]``."""
    found = "" if age is None else _bracket(age.at_least, age.at_most, "years", strict=False)
    if value is not None:
        unit = "" if value.unit == PLAIN else value.unit
        found += _bracket(value.at_least, value.at_most, unit, strict=value.strict)
    return found


def _bracket(low: float | None, high: float | None, unit: str, *, strict: bool) -> str:
    equal = "" if strict else "="
    bounds = [
        f"{sign}{equal} {figure(bound)} {unit}".rstrip()
        for sign, bound in ((">", low), ("<", high))
        if bound is not None
    ]
    return f" [{' and '.join(bounds)}]" if bounds else ""


def unsaid_of(codes: ConceptSet) -> Iterator[str]:
    """What of a concept set no term says: exclusions, and codes without what stands below them."""
    if codes.exclude:
        listed = ", ".join(str(code) for code in codes.exclude)
        yield f"'{codes.name}' without {listed}"
    alone = [
        str(code)
        for code in codes.include
        if not code.descendants
        and len(bundled_hierarchy().descendants(code.vocabulary, code.code)) > 1
    ]
    if alone:
        yield f"of '{codes.name}' without what stands below: {', '.join(alone)}"
