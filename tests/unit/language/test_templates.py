"""The templates can be read as they stand, and with each of their optional parts, or all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from simulator.language.lint import lint
from simulator.language.reading import parse_inquiry
from simulator.language.schema import json_schema
from simulator.language.schema_keys import EXPLAINED
from simulator.language.templates import cohort_template, study_template
from tests.support.plain import plain

TEMPLATES: Final = {"study": study_template("a"), "cohort": cohort_template("a")}
_BEGINS: Final = re.compile(r"^( *)#(?=\S)(?!\?)")


def parts(text: str) -> list[tuple[int, int]]:
    """Where each part that may be left out begins and ends, as places of lines."""
    found = []
    lines = text.split("\n")
    for place, line in enumerate(lines):
        begins = _BEGINS.match(line)
        if begins is None:
            continue
        end = place + 1
        while end < len(lines) and lines[end].startswith(f"{begins[1]}#  "):
            end += 1
        found.append((place, end))
    return found


def without_mark(text: str, chosen: list[tuple[int, int]]) -> str:
    """The text with the mark of these parts taken away."""
    lines = text.split("\n")
    for begin, end in chosen:
        lines[begin:end] = [line.replace("#", "", 1) for line in lines[begin:end]]
    return "\n".join(lines)


EACH: Final = [
    pytest.param(text, part, id=f"{kind}:{text.splitlines()[part[0]].strip()}")
    for kind, text in TEMPLATES.items()
    for part in parts(text)
]


def test_there_are_parts_to_leave_out() -> None:
    assert len(EACH) > 20


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_template_can_be_read_and_warns_of_nothing(kind: str) -> None:
    inquiry = parse_inquiry(TEMPLATES[kind])
    assert inquiry.name == "a"
    assert lint(inquiry) == ()


@pytest.mark.parametrize(("text", "part"), EACH)
def test_each_part_that_is_left_out_can_be_taken_in(text: str, part: tuple[int, int]) -> None:
    taken = without_mark(text, [part])
    assert parse_inquiry(taken) is not None
    assert plain(taken) != plain(text)


@pytest.mark.parametrize("text", TEMPLATES.values(), ids=TEMPLATES)
def test_all_parts_can_be_taken_in_at_once(text: str) -> None:
    every = [part for part in parts(text) if "#based on" not in text.split("\n")[part[0]]]
    assert parse_inquiry(without_mark(text, every)) is not None


@pytest.mark.parametrize("text", TEMPLATES.values(), ids=TEMPLATES)
def test_every_key_is_explained(text: str) -> None:
    explained = set(re.findall(r"# ([a-z ]+): [A-Z]", text))
    used = set(_keys(plain(without_mark(text, parts(text)))))
    assert used <= explained
    assert explained <= set(EXPLAINED)


@pytest.mark.parametrize("text", TEMPLATES.values(), ids=TEMPLATES)
def test_a_template_fits_80_columns(text: str) -> None:
    assert [line for line in text.split("\n") if len(line) > 80] == []


def _keys(value: Any, *, names: bool = False) -> Iterator[str]:
    """The keys of the language; below some of them keys are the user's own names."""
    if isinstance(value, list):
        for member in value:
            yield from _keys(member)
    if isinstance(value, dict):
        for key, member in value.items():
            if not names:
                yield key
            own = not names and key in {"codes", "arms", "subgroups", "survival"}
            below = names and isinstance(member, dict) and not set(member) & set(EXPLAINED)
            yield from _keys(member, names=own or below)


def test_the_study_template_shows_every_key_but_those_of_other_forms() -> None:
    used = set(_keys(plain(without_mark(TEMPLATES["study"], parts(TEMPLATES["study"])))))
    assert set(EXPLAINED) - used == {"cohort"}


def test_every_key_of_the_schema_has_its_meaning() -> None:
    assert set(_properties(json_schema())) == set(EXPLAINED)


def _properties(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        properties = schema.get("properties", {})
        if schema.get("additionalProperties") is False:
            yield from properties
        for member in schema.values():
            yield from _properties(member)
    if isinstance(schema, list):
        for member in schema:
            yield from _properties(member)
