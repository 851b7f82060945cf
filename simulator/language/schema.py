"""The JSON Schema of studies and cohorts, from the language's own words, for editors.

It says of which keys and forms a document is made. What only the whole document can tell, such as
whether a named set of codes exists, is left to the reader.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from simulator.language.criteria import Anchor, Domain, Occurrence, Rule, Sex
from simulator.language.schema_keys import EXPLAINED
from simulator.language.study import Censoring

Schema = dict[str, Any]

_DAY: Final = r"(any|[+-]?\d+)"
_AGE: Final = r"(any|\+?\d+)"
_DATE: Final = r"(any|\d{4}-?\d{2}-?\d{2})"
_NUMBER: Final = r"[+-]?\d+(\.\d+)?"
_UNIT: Final = r"( \S+)?"
_WINDOWS: Final = ("days", "months", "years")
_EDGES: Final = ("first value", "last value")
_COUNTED: Final = rf"^({Rule.AT_LEAST}|{Rule.AT_MOST}) \d+$"

_TEXT: Final[Schema] = {"type": ["string", "number", "boolean"], "pattern": r"\S"}


def json_schema() -> Schema:
    """The schema, draft 7."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A study or cohort of cohortium",
        "if": {"type": "object", "required": ["study"]},
        "then": _document("study", ("arms", "outcome", "follow up", "analyses"), ("reported",)),
        "else": _document("cohort", (), ("follow up",)),
        "definitions": {
            "criterion": _criterion(),
            "event": _event(),
            "criteria": {"type": "array", "items": _see("criterion"), "minItems": 1},
            "concept set": _concept_set(),
            "index": _lone_event(("occurrence",)),
            "line": {**_lone_event(()), "not": _names_any()},
            "groups": _mapping(_see("criterion")),
            "follow up": _follow_up(),
        },
    }


def schema_text() -> str:
    """The schema as it stands in ``queries/study.schema.json``."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _see(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _written(*forms: str) -> Schema:
    """A value of one of these forms; a lone whole number may stand without quotes."""
    pattern = "|".join(forms)
    return {"type": ["string", "integer"], "pattern": rf"^\s*({pattern})\s*$"}


def _span(bound: str) -> str:
    return rf"{bound}(\s+to\s+{bound})?"


def _integer(least: int | None = None, most: int | None = None) -> Schema:
    bounds = {"minimum": least, "maximum": most}
    known = {key: bound for key, bound in bounds.items() if bound is not None}
    return {"type": ["integer", "string"], "pattern": r"^\s*[+-]?[\d_]+\s*$", **known}


def _number(least: float, most: float | None = None) -> Schema:
    bounds: Schema = {"minimum": least} if most is None else {"minimum": least, "maximum": most}
    return {"type": ["number", "string"], "pattern": r"^\s*[+-]?(\d|\.|inf)", **bounds}


def _word(words: Iterable[str]) -> Schema:
    return {"enum": [str(word) for word in words]}


def _object(properties: dict[str, Schema], required: Iterable[str] = ()) -> Schema:
    """A mapping of these keys, each with its meaning."""
    told = {
        key: {"description": EXPLAINED[key], **_unless_reference(value)}
        for key, value in properties.items()
    }
    needed = list(required)
    found: Schema = {"type": "object", "properties": told, "additionalProperties": False}
    return {**found, "required": needed} if needed else found


def _unless_reference(value: Schema) -> Schema:
    """Draft 7 lets nothing stand beside a reference, so that it goes into a list of one."""
    return {"allOf": [value]} if "$ref" in value else value


def _mapping(values: Schema, least: int = 0) -> Schema:
    found: Schema = {"type": "object", "additionalProperties": values}
    return {**found, "minProperties": least} if least else found


def _document(kind: str, required: tuple[str, ...], optional: tuple[str, ...]) -> Schema:
    parts: dict[str, Schema] = {
        kind: _TEXT,
        "version": _integer(1),
        "title": _TEXT,
        "based on": _TEXT,
        "codes": _mapping(_see("concept set")),
        "index": _see("index"),
        "steps": {"type": "array", "items": _step()},
        "arms": {**_see_groups(1)},
        "outcome": {"anyOf": [{"const": "death"}, _no_death()]},
        "follow up": _see("follow up"),
        "analyses": _analyses(),
        "subgroups": _mapping(_see_groups(2)),
        "lines": {"type": "array", "items": _see("line"), "maxItems": 8},
        "least completeness": _number(0, 1),
        "reported": _reported(),
    }
    everywhere = ("version", "title", "codes", "index", "steps")
    every = (kind, *everywhere, "based on", "subgroups", "lines", "least completeness")
    keys = {*every, *required, *optional}
    return {
        **_object({key: part for key, part in parts.items() if key in keys}, [kind]),
        # What is not said comes from the document that this one is based on.
        "if": {"required": ["based on"]},
        "else": {"required": [*everywhere, *required]},
    }


def _no_death() -> Schema:
    """An event; death as an outcome has neither window nor conditions."""
    return {"allOf": [_see("event")], "not": {"required": [str(Domain.DEATH)]}}


def _see_groups(least: int) -> Schema:
    return {"allOf": [_see("groups")], "minProperties": least}


def _concept_set() -> Schema:
    code = {"type": "string", "pattern": r"^\s*\S+\s+\S+( with descendants)?\s*$"}
    codes: Schema = {"type": "array", "items": code}
    some = {**codes, "minItems": 1}
    return {"anyOf": [some, _object({"include": some, "exclude": codes}, ["include"])]}


def _step() -> Schema:
    return _object({"step": _TEXT, "require": _see("criterion")}, ["step", "require"])


def _fitting() -> dict[str, Schema]:
    """The keys of an event and of what it fits on its own."""
    domains = {str(domain): _TEXT for domain in Domain if domain is not Domain.DEATH}
    return {
        **domains,
        str(Domain.DEATH): {"const": "any"},
        "occurrence": _word(Occurrence),
        "dates": _written(_span(_DATE)),
        "age": _written(_span(_AGE)),
        "value": _value(),
        "with": {"type": "array", "items": _see("criterion")},
    }


def _value() -> Schema:
    one_sided = rf"(above|below|at least|at most) {_NUMBER}{_UNIT}"
    return {"type": "string", "pattern": rf"^\s*({one_sided}|{_NUMBER} to {_NUMBER}{_UNIT})\s*$"}


def _one_domain() -> Schema:
    return {"oneOf": [{"required": [str(domain)]} for domain in Domain]}


def _measured(*keys: str) -> Schema:
    """Only a measurement has values."""
    return {"dependencies": {key: [str(Domain.MEASUREMENT)] for key in keys}}


def _lone_event(required: tuple[str, ...]) -> Schema:
    return {**_object(_fitting(), required), **_one_domain(), **_measured("value")}


def _names_any() -> Schema:
    """Whether an event is of any code."""
    return {"anyOf": [_is_any(str(domain)) for domain in Domain]}


def _is_any(domain: str) -> Schema:
    return {"required": [domain], "properties": {domain: {"const": "any"}}}


def _event() -> Schema:
    parts: dict[str, Schema] = {
        **_fitting(),
        **{unit: _written(_span(_DAY)) for unit in _WINDOWS},
        "relative to": _word(Anchor),
        "count": {"type": "string", "pattern": r"^\s*(at least|at most|exactly) \d+( days?)?\s*$"},
        **{edge: _value() for edge in _EDGES},
    }
    pairs = [("days", "months"), ("days", "years"), ("months", "years"), _EDGES]
    pairs += [(edge, "count") for edge in _EDGES]
    return {
        **_object(parts),
        **_one_domain(),
        **_measured("value", *_EDGES),
        "allOf": [{"not": {"required": list(pair)}} for pair in pairs],
    }


def _criterion() -> Schema:
    """An event where a kind of event is a key; else a group, or what is asked of the patient."""
    alone = _object(
        {
            **{str(rule): _see("criteria") for rule in (Rule.ALL, Rule.ANY, Rule.NONE)},
            "sex": _word(Sex),
            "age": _written(_span(_AGE)),
            "dates": _written(_span(_DATE)),
            "observed": _written(r"[+-]?\d+(\s+to\s+[+-]?\d+)?"),
        }
    )
    return {
        "type": "object",
        "if": {"anyOf": [{"required": [str(domain)]} for domain in Domain]},
        "then": _see("event"),
        "else": {
            **alone,
            "patternProperties": {_COUNTED: _see("criteria")},
            "minProperties": 1,
            "maxProperties": 1,
        },
    }


def _follow_up() -> Schema:
    ends: dict[str, Schema] = {
        "months": _integer(1, 600),
        "censored at": _word(Censoring),
        "exit": {"type": "array", "items": _see("event")},
    }
    return _object(ends, ["months"])


def _analyses() -> Schema:
    parts: dict[str, Schema] = {
        "survival at months": {"type": "array", "items": _integer(1, 600), "uniqueItems": True},
        "mean survival to month": _integer(1, 600),
        "reference arm": _TEXT,
    }
    return _object(parts, ["survival at months"])


def _reported() -> Schema:
    shares: Schema = {"patternProperties": {r"^\d+$": _number(0, 1)}, "additionalProperties": False}
    arm = _object({"median months": _number(0), "survival": {"type": "object", **shares}})
    parts = {"source": _TEXT, "patients": _integer(0), "arms": _mapping(arm)}
    return _object(parts, ["source"])
