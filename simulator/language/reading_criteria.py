"""Turns the YAML of index events and criteria into values, with the place of what does not fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NoReturn, TypeVar

import msgspec

from simulator.errors import nearest, one_of
from simulator.language.codes import ConceptSet
from simulator.language.criteria import (
    AgeCriterion,
    Anchor,
    Criterion,
    DateCriterion,
    Domain,
    EdgeValue,
    EventCriterion,
    Events,
    Group,
    ObservedCriterion,
    Occurrence,
    Rule,
    Sex,
    SexCriterion,
)
from simulator.language.documents import Node
from simulator.language.units import bundled_units
from simulator.language.values import ValueRange, is_plain
from simulator.language.windows import (
    DAYS_PER_MONTH,
    DAYS_PER_YEAR,
    AgeRange,
    Count,
    DateRange,
    Window,
)

Built = TypeVar("Built")
ConceptSets = Mapping[str, ConceptSet]

_DOMAINS: Final = tuple(str(domain) for domain in Domain)
_GROUPS: Final = (Rule.ALL, Rule.ANY, Rule.NONE)
_COUNTED: Final = (Rule.AT_LEAST, Rule.AT_MOST)
_EVENT_KEYS: Final = ("occurrence", "dates", "age", "value", "with")
_WINDOWS: Final = {"days": 1.0, "months": DAYS_PER_MONTH, "years": DAYS_PER_YEAR}
_EDGES: Final = {"first value": Occurrence.FIRST, "last value": Occurrence.LAST}
_PLACE_KEYS: Final = (*_WINDOWS, "relative to", "count", *_EDGES)


def built(node: Node, make: Callable[[], Built]) -> Built:
    """Calls `make`; a value that cannot be (ValueError) is told at the node's place."""
    try:
        return make()
    except ValueError as error:
        node.fail(str(error))


def parsed(node: Node, parse: Callable[[str], Built]) -> Built:
    """The node's text through a parser whose own words explain what does not fit."""
    return built(node, lambda: parse(node.text()))


def read_index(node: Node, sets: ConceptSets) -> Events:
    """The index event."""
    given = node.fields((), (*_DOMAINS, *_EVENT_KEYS))
    if "occurrence" not in given:
        node.fail("expected 'occurrence: first', 'last', or 'any' for the earliest that fits all")
    return _events(node, _domain(node, given), given, sets)


def read_moment(node: Node, sets: ConceptSets) -> EventCriterion:
    """An event after index of which the first counts: an outcome, or what ends watching.

    Without a window it is counted from the day after index.
    """
    given = node.fields((), (*_DOMAINS, *_EVENT_KEYS, *_PLACE_KEYS))
    found = _event_criterion(node, sets, Anchor.INDEX)
    if any(key in given for key in _WINDOWS):
        return found
    return msgspec.structs.replace(found, window=Window(1, None))


def read_line(node: Node, sets: ConceptSets) -> Events:
    """A kind of treatment."""
    given = node.fields((), (*_DOMAINS, *_EVENT_KEYS))
    return _events(node, _domain(node, given), given, sets)


def _domain(node: Node, given: Mapping[str, Node]) -> Domain:
    domains = [word for word in _DOMAINS if word in given]
    if len(domains) != 1:
        node.fail(f"expected one kind of event ({one_of(_DOMAINS)}); found {len(domains)}")
    return Domain(domains[0])


def read_criterion(node: Node, sets: ConceptSets, anchor: Anchor) -> Criterion:
    """One criterion; the key that tells its form is looked for first."""
    keys = [key.text() for key, _ in node.entries()]
    if any(key in _DOMAINS for key in keys):
        return _event_criterion(node, sets, anchor)
    if len(keys) != 1:
        if not keys:
            node.fail("expected a criterion; found an empty mapping")
        for key, _ in node.entries():
            hint = nearest(key.text(), _DOMAINS)
            if hint:
                key.fail(f"unknown key '{key.text()}'; expected {one_of(_DOMAINS)}", hint)
        node.fail(f"expected one criterion; found {len(keys)}", "List them under 'all:' or 'any:'.")
    key, value = node.entries()[0]
    rule = _rule(key)
    if rule is not None:
        members = tuple(read_criterion(item, sets, anchor) for item in value.items())
        return built(value, lambda: Group(rule[0], members, rule[1]))
    return _patient_criterion(node, key.text(), value)


def _patient_criterion(node: Node, word: str, value: Node) -> Criterion:
    if word == "sex":
        return SexCriterion(value.word(Sex))
    if word == "age":
        return AgeCriterion(parsed(value, AgeRange.parse))
    if word == "observed":
        return built(value, lambda: ObservedCriterion(Window.parse(value.text())))
    if word != "dates":
        _unknown_form(node, word)
    return DateCriterion(_dates(value))


def _unknown_form(node: Node, word: str) -> NoReturn:
    known = [*_DOMAINS, *_GROUPS, "at least <n>", "at most <n>", "sex", "age", "dates", "observed"]
    node.fail(f"'{word}' begins no criterion; expected {one_of(known)}", nearest(word, known))


def _rule(key: Node) -> tuple[Rule, int] | None:
    """The rule of a group from its key, such as ``any`` or ``at least 2``."""
    text = key.text()
    if text in _GROUPS:
        return Rule(text), 0
    for rule in _COUNTED:
        if text.startswith(f"{rule} "):
            number = text.removeprefix(f"{rule} ")
            if not number.isdecimal():
                key.fail(f"expected '{rule} <n>' with a whole number; found '{text}'")
            return rule, int(number)
    return None


def _event_criterion(node: Node, sets: ConceptSets, anchor: Anchor) -> EventCriterion:
    given = node.fields((), (*_DOMAINS, *_EVENT_KEYS, *_PLACE_KEYS))
    domain = _domain(node, given)
    count = parsed(given["count"], Count.parse) if "count" in given else Count()
    if "relative to" in given:
        anchor = given["relative to"].word(Anchor)
    events, window = _events(node, domain, given, sets), _window(node, given)
    edge = _edge(given, sets.get(events.codes or ""))
    return built(node, lambda: EventCriterion(events, window, anchor, count, edge))


def _window(node: Node, given: Mapping[str, Node]) -> Window:
    """The window in the one unit that is given; without one, any day."""
    units = [word for word in _WINDOWS if word in given]
    if len(units) > 1:
        node.fail(f"expected one of {one_of(_WINDOWS)}; found {len(units)}")
    if not units:
        return Window()
    return parsed(given[units[0]], lambda text: Window.parse(text, _WINDOWS[units[0]]))


def _edge(given: Mapping[str, Node], codes: ConceptSet | None) -> EdgeValue | None:
    """The first or last value in the window, if one is asked for."""
    words = [word for word in _EDGES if word in given]
    if len(words) > 1:
        given[words[1]].fail("expected a 'first value' or a 'last value'; found both")
    if not words:
        return None
    return EdgeValue(_EDGES[words[0]], _value(given[words[0]], codes))


def _value(node: Node, codes: ConceptSet | None) -> ValueRange:
    """A range of values in a unit that those of the concept set are known in, if any is."""
    value = parsed(node, ValueRange.parse)
    known = bundled_units().known(codes) if codes else ()
    fits = value.unit in known or (is_plain(value.unit) and any(map(is_plain, known)))
    if codes and known and not fits:
        found = "found none" if is_plain(value.unit) else f"found '{value.unit}'"
        hint = nearest(value.unit, known)
        node.fail(f"expected a unit of '{codes.name}' ({one_of(known)}); {found}", hint)
    return value


def _events(node: Node, domain: Domain, given: Mapping[str, Node], sets: ConceptSets) -> Events:
    occurrence = given.get("occurrence")
    related = given["with"].items() if "with" in given else ()
    codes = _codes_named(given[str(domain)], sets)
    value = _value(given["value"], sets.get(codes or "")) if "value" in given else None
    return built(
        node,
        lambda: Events(
            domain=domain,
            codes=codes,
            occurrence=occurrence.word(Occurrence) if occurrence else Occurrence.ANY,
            dates=_dates(given["dates"]) if "dates" in given else None,
            age=parsed(given["age"], AgeRange.parse) if "age" in given else None,
            value=value,
            related=tuple(read_criterion(item, sets, Anchor.EVENT) for item in related),
        ),
    )


def _dates(node: Node) -> DateRange:
    """A span of dates; whatever does not fit is told in the document's own words."""
    try:
        return DateRange.parse(node.text())
    except ValueError as error:
        if "impossible" in str(error):
            node.fail(str(error))
        node.fail(f"expected 'YYYY-MM-DD to YYYY-MM-DD' or 'any'; found '{node.text()}'")


def _codes_named(node: Node, sets: ConceptSets) -> str | None:
    name = node.text()
    if name == "any":
        return None
    if name not in sets:
        known = [*sets, "any"]
        node.fail(f"there is no concept set '{name}' under 'codes'", nearest(name, known))
    return name
