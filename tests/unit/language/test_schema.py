"""The schema for editors takes what the reader takes, and refuses what it refuses for its form."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st

from simulator.bundled import find, library, names
from simulator.errors import UserError
from simulator.language.reading import COHORTS, STUDIES, parse_inquiry
from simulator.language.schema import json_schema, schema_text
from tests.support.plain import plain

VALIDATOR: Final = jsonschema.Draft7Validator(json_schema())
BUNDLED: Final = [
    *(("study", find(STUDIES, name)) for name in names(STUDIES)),
    *(("cohort", find(COHORTS, name)) for name in names(COHORTS)),
]
DOCUMENTS: Final = {path.stem: plain(path.read_text(encoding="utf-8")) for _, path in BUNDLED}
FIRST_LINE: Final = "# yaml-language-server: $schema=../study.schema.json"

# What only the whole document tells: names that are used but not there, and what adds up.
OF_THE_WHOLE: Final = re.compile(
    r"there is no (concept set|arm|bundled)|is outside the follow-up|based on itself|"
    r"must ascend|stands there twice|impossible|reference arm|"
    r"only be based on one|cannot lie before index|needs a concept set|expected a unit of"
)
# Every form at once, so that breaking it breaks each.
WHOLE: Final[dict[str, Any]] = plain("""
study: whole
version: 1
title: every form
codes:
  a: [RxNorm 3639]
  b: {include: [ICD10CM C50 with descendants], exclude: [ICD10CM C50.9]}
  m: [LOINC 1975-2]
  n: [LOINC 85319-2]
index: {drug: a, occurrence: any, dates: any to 2024-01-31, age: 18 to any, with: [{sex: female}]}
steps:
  - step: one
    require:
      all:
        - {condition: b, days: -90 to -1, count: at least 2 days}
        - any: [{age: 40}, {dates: 2020-01-01}]
        - none: [{death: any, days: any to -1}]
        - at least 1: [{observed: -30 to 0}, {observed: 0}]
        - at most 1: [{visit: any, years: 1 to 2}, {procedure: any, months: 0 to 6}]
        - {measurement: m, last value: at most 2 mg/dL, days: -90 to 0}
        - {measurement: n, value: 1 to 2.5, with: [{drug: a, days: 0, relative to: index}]}
arms: {one: {sex: female}, two: {sex: male}}
outcome: {condition: b, days: 1 to any}
follow up: {months: 24, censored at: last recorded fact, exit: [{drug: a}]}
subgroups: {age at index: {young: {age: any to 50}, old: {age: 51 to any}}}
lines: [{drug: a}]
analyses: {survival at months: [6, 12], mean survival to month: 12, reference arm: two}
least completeness: 0.9
reported: {source: s, patients: 3, arms: {one: {median months: 3.5, survival: {12: 0.5}}}}
""")


def test_the_file_is_what_the_code_says() -> None:
    path = library("queries") / "study.schema.json"
    assert path.read_text(encoding="utf-8") == schema_text()


def test_it_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(json_schema())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_bundled_is_valid(name: str) -> None:
    assert list(VALIDATOR.iter_errors(DOCUMENTS[name])) == []


@pytest.mark.parametrize("path", [path for _, path in BUNDLED], ids=lambda path: path.stem)
def test_what_is_bundled_names_the_schema(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first == FIRST_LINE
    assert (path.parent / first.split("=")[1]).is_file()


def test_every_form_is_valid() -> None:
    assert _refusal(WHOLE) is None
    assert list(VALIDATOR.iter_errors(WHOLE)) == []


@pytest.mark.parametrize(
    "text",
    [
        "cohort: both\n",
        "subgroup: {}\n",
        "version: one\n",
        "least completeness: 2\n",
        "outcome: dead\n",
        "outcome: {death: any}\n",
        "outcome: {condition: any, procedure: any}\n",
        "index: {drug: a}\n",
        "index: {occurrence: first}\n",
        "index: {drug: a, occurrence: frist}\n",
        "index: {drug: a, occurrence: first, days: 0}\n",
        "steps: {}\n",
        "steps: [{step: s}]\n",
        "steps: [{step: s, require: []}]\n",
        "steps: [{step: s, require: {}}]\n",
        "steps: [{step: s, require: {all: []}}]\n",
        "steps: [{step: s, require: {sex: female, age: 40}}]\n",
        "steps: [{step: s, require: {sex: woman}}]\n",
        "steps: [{step: s, require: {at least two: [{sex: male}]}}]\n",
        "steps: [{step: s, require: {drug: a, days: today}}]\n",
        "steps: [{step: s, require: {drug: a, days: 0, months: 1}}]\n",
        "steps: [{step: s, require: {drug: a, count: 2}}]\n",
        "steps: [{step: s, require: {drug: a, value: above 2}}]\n",
        "steps: [{step: s, require: {measurement: m, first value: above 2, count: at least 2}}]\n",
        "steps: [{step: s, require: {measurement: m, value: 2 mg/dL}}]\n",
        "steps: [{step: s, require: {death: a}}]\n",
        "steps: [{step: s, require: {observed: any to 0}}]\n",
        "steps: [{step: s, require: {dates: January}}]\n",
        "arms: {}\n",
        "codes: {a: [], b: [ICD10CM C50], m: [LOINC 1975-2]}\n",
        "codes: {a: RxNorm 3639, b: [ICD10CM C50], m: [LOINC 1975-2]}\n",
        "codes: {a: [RxNorm], b: [ICD10CM C50], m: [LOINC 1975-2]}\n",
        "follow up: {months: 0}\n",
        "follow up: {}\n",
        "subgroups: {half: {one: {sex: male}}}\n",
        "lines: [{drug: any}]\n",
        "analyses: {}\n",
        "reported: {patients: 3}\n",
    ],
)
def test_what_is_broken_in_form_is_refused_by_both(text: str) -> None:
    changed = {**copy.deepcopy(WHOLE), **plain(text)}
    assert _refusal(changed) is not None
    assert not VALIDATOR.is_valid(changed)


@settings(
    derandomize=True,
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(data=st.data())
def test_what_one_refuses_for_its_form_the_other_refuses_too(data: st.DataObject) -> None:
    # Not those that are based on others: what is missing there comes from elsewhere.
    whole = {name: found for name, found in DOCUMENTS.items() if "based on" not in found}
    document = copy.deepcopy(data.draw(st.sampled_from([WHOLE, WHOLE, *whole.values()])))
    place = data.draw(st.sampled_from(list(_places(document))))
    _break(document, place, data)
    note(yaml.safe_dump(document, sort_keys=False))
    refusal = _refusal(document)
    errors = [error.message for error in VALIDATOR.iter_errors(document)]
    assume(refusal is None or not OF_THE_WHOLE.search(refusal))
    assert (refusal is None) == (errors == []), (refusal, errors)


def _refusal(document: Any) -> str | None:
    """What the reader says, if it does not take a document."""
    try:
        parse_inquiry(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), "a.yaml")
    except UserError as error:
        return str(error)
    return None


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _places(member, (*path, key))
    if isinstance(value, list):
        for place, member in enumerate(value):
            yield from _places(member, (*path, place))


def _break(document: Any, path: tuple[Any, ...], data: st.DataObject) -> None:
    """Breaks a document at a place: a key too many or too few, or a value of another form."""
    if not path:
        kind = data.draw(st.sampled_from(["cohort", "study", "unknown"]))
        document[kind] = "another"
        return
    above: Any = document
    for step in path[:-1]:
        above = above[step]
    how = data.draw(st.sampled_from(["drop", "add", "text", "list", "mapping"]))
    if how == "drop":
        del above[path[-1]]
    elif how == "add" and isinstance(above[path[-1]], dict):
        above[path[-1]]["unknown key"] = "more"
    else:
        other: dict[str, Any] = {"list": [[]], "mapping": {"unknown key": {}}}
        above[path[-1]] = other.get(how, "what is this")
