"""Fingerprints of a study's parts, and the study as plain values, so that two can be told apart.

A part holds whatever of a study no other part names, so that nothing a study says is left out. What
a publication reported is no part: it stands beside what is found and changes none of it. A field
with its default counts as absent, so that a study that uses nothing of what the language learns
later keeps its fingerprints.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from simulator.language.codes import ConceptSet
from simulator.language.study import Study

TITLE: Final = "title"
CODES: Final = "codes"
INDEX: Final = "index and steps"
ARMS: Final = "arms"
OUTCOME: Final = "outcome and follow-up"
ANALYSES: Final = "analyses"
PARTS: Final = (CODES, INDEX, ARMS, OUTCOME, ANALYSES, TITLE)
WHOLE: Final = "whole study"

_PLACES: Final[dict[str, str]] = {
    "name": TITLE,
    "version": TITLE,
    "title": TITLE,
    "codes": CODES,
    "cohort": INDEX,
    "arms": ARMS,
    "subgroups": ARMS,
    "outcome": OUTCOME,
    "follow_up": OUTCOME,
}


def definition(study: Study) -> dict[str, dict[str, Any]]:
    """What a study says, as values that JSON knows, by part; what was reported is left out.

    Codes stand as text in each concept set, sorted, as their order means nothing.
    """
    said: dict[str, Any] = _plain(study)
    question = said.pop("question")
    said.pop("reported", None)
    found: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
    for field, value in (said | question).items():
        found[_PLACES.get(field, ANALYSES)][field] = value
    found[CODES] = {codes.name: _listed(codes) for codes in study.question.codes}
    return found


def _plain(value: Any) -> Any:
    """A value as JSON knows it, without the fields that have their defaults."""
    if isinstance(value, msgspec.Struct):
        config = value.__struct_config__
        said = {config.tag_field: config.tag} if config.tag_field else {}
        for field in msgspec.structs.fields(value):
            inner = getattr(value, field.name)
            if inner != _default(field):
                said[field.name] = _plain(inner)
        return said
    if isinstance(value, tuple):
        return [_plain(member) for member in value]
    return msgspec.to_builtins(value)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _listed(codes: ConceptSet) -> dict[str, list[str]]:
    return {
        "include": sorted(str(code) for code in codes.include),
        "exclude": sorted(str(code) for code in codes.exclude),
    }


def parts(study: Study) -> dict[str, str]:
    """The SHA-256 of each part of a study, as hexadecimal text, and of all of them together."""
    found = {part: _digest(said) for part, said in definition(study).items()}
    return found | {WHOLE: whole(found)}


def whole(found: Mapping[str, str]) -> str:
    """The fingerprint of all parts together, from theirs."""
    return _digest({part: found[part] for part in PARTS})


def differing(one: Mapping[str, str], other: Mapping[str, str]) -> tuple[str, ...]:
    """The names whose fingerprints differ or are in one of two only; of the whole, nothing."""
    names = dict.fromkeys([*one, *other])
    return tuple(name for name in names if name != WHOLE and one.get(name) != other.get(name))


def _digest(value: object) -> str:
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()
