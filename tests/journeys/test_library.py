"""The bundled cohorts and studies: they run, two ways agree, and together they use every form."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Final

import msgspec
import pytest

from simulator.aggregates.grid import Grid, Unit
from simulator.bundled import library, names
from simulator.language.codes import ConceptSet
from simulator.language.criteria import (
    AgeCriterion,
    Anchor,
    DateCriterion,
    Domain,
    EventCriterion,
    Events,
    Group,
    ObservedCriterion,
    Occurrence,
    Rule,
    Sex,
    SexCriterion,
)
from simulator.language.reading import COHORTS, STUDIES, read_inquiry
from simulator.language.study import Censoring, NamedCohort, Question, Study
from simulator.language.values import ValueRange
from simulator.language.windows import Count
from simulator.messages.needs import AssignmentNeed, AttritionNeed, EntriesNeed, Need, SurvivalNeed
from simulator.network import connect, find_network
from simulator.privacy.releases import SECURE_SUM
from simulator.site.catalogue import read_catalogue
from simulator.site.store import Store
from tests.journeys.commands import Shell
from tests.support.engines import ENGINES

DOCUMENTS: Final = (*names(COHORTS), *names(STUDIES))
ONE_HOSPITAL: Final = {"srfa", "srfa-overall", "srfa-complete", "srfa-recurrences"}
RARE: Final = {"aspirin-before-a-stroke"}
"""Studies with an arm that twelve small sites leave empty."""

WARNED_OF: Final = {"bclm-as-commonly-done", "watched-to-the-last-record"}
"""Studies whose warning is what they teach."""

LEAST: Final = 11

# What the library uses, by what a reader would call it; every name must be found in some document.
_EVENT_FORMS: Final[Mapping[str, Callable[[EventCriterion], bool]]] = {
    "a first value": lambda event: (
        event.edge is not None and event.edge.occurrence is Occurrence.FIRST
    ),
    "a last value": lambda event: (
        event.edge is not None and event.edge.occurrence is Occurrence.LAST
    ),
    "count: at least": lambda event: event.count == Count(2),
    "count: at least, of days": lambda event: event.count == Count(2, None, distinct_days=True),
    "count: at most": lambda event: event.count.at_least == 0 and bool(event.count.at_most),
    "count: exactly": lambda event: event.count.at_least == event.count.at_most,
    "count: exactly 0": lambda event: event.count == Count(0, 0),
    "a window": lambda event: None not in (event.window.earliest, event.window.latest),
    "a window open to the past": lambda event: (
        event.window.earliest is None and event.window.latest is not None
    ),
    "a window open to the future": lambda event: (
        event.window.earliest is not None and event.window.latest is None
    ),
    "no window": lambda event: event.window.earliest is event.window.latest is None,
}
_EVENTS_FORMS: Final[Mapping[str, Callable[[Events], bool]]] = {
    "dates of an event": lambda events: events.dates is not None,
    "an age at an event": lambda events: events.age is not None,
    "with": lambda events: bool(events.related),
    "any code": lambda events: events.codes is None,
}
_VALUE_FORMS: Final[Mapping[str, Callable[[ValueRange], bool]]] = {
    "above": lambda value: value.strict and value.at_least is not None,
    "at least": lambda value: not value.strict and value.at_most is None,
    "at most": lambda value: not value.strict and value.at_least is None,
    "between": lambda value: None not in (value.at_least, value.at_most),
    "a plain number": lambda value: value.unit == "1",
}
_STUDY_FORMS: Final[Mapping[str, Callable[[Study], bool]]] = {
    "an outcome other than death": lambda study: not study.question.outcome_is_death,
    "reported": lambda study: study.reported is not None,
    "reported survival": lambda study: any(
        arm.survival for arm in (study.reported.arms if study.reported else ())
    ),
    "mean survival": lambda study: study.analyses.restricted_mean is not None,
    "a reference arm that is not the first": lambda study: (
        study.analyses.reference != study.question.arms[0].name
    ),
    "least completeness": lambda study: study.least_completeness < 1,
}
_QUESTION_FORMS: Final[Mapping[str, Callable[[Question], bool]]] = {
    "an exit": lambda question: bool(question.follow_up.exits),
    "an exit with a window": lambda question: any(
        found.window.earliest != 1 for found in question.follow_up.exits
    ),
    "subgroups": lambda question: bool(question.subgroups),
    "lines of treatment": lambda question: bool(question.lines),
}
_SET_FORMS: Final[Mapping[str, Callable[[ConceptSet], bool]]] = {
    "descendants": lambda codes: any(code.descendants for code in codes.include),
    "a code alone": lambda codes: any(not code.descendants for code in codes.include),
    "excluded codes": lambda codes: bool(codes.exclude),
}
_FORMS: Final[tuple[tuple[type, Mapping[str, Callable[..., bool]]], ...]] = (
    (EventCriterion, _EVENT_FORMS),
    (Events, _EVENTS_FORMS),
    (ValueRange, _VALUE_FORMS),
    (Study, _STUDY_FORMS),
    (Question, _QUESTION_FORMS),
    (ConceptSet, _SET_FORMS),
)
_ENUMS: Final = (Domain, Occurrence, Anchor, Sex, Rule, Censoring)
_CRITERIA: Final = (
    EventCriterion,
    Group,
    SexCriterion,
    AgeCriterion,
    DateCriterion,
    ObservedCriterion,
)
_WRITTEN: Final = ("days", "months", "years", "with descendants", "based on", "relative to: event")


def _walk(value: object) -> Iterator[object]:
    """A value and everything inside it."""
    yield value
    if isinstance(value, tuple):
        for item in value:
            yield from _walk(item)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _walk(getattr(value, name))


def _everything() -> list[object]:
    return [found for name in DOCUMENTS for found in _walk(read_inquiry(name))]


def _text() -> str:
    places = [library("queries") / kind for kind in ("cohorts", "studies")]
    return "\n".join(path.read_text() for place in places for path in sorted(place.glob("*.yaml")))


def _clock() -> dt.datetime:
    return dt.datetime(2025, 1, 1, tzinfo=dt.UTC)


def test_there_are_cohorts_and_studies() -> None:
    assert len(names(COHORTS)) >= 10
    assert len(names(STUDIES)) >= 10


def test_together_they_use_every_word_of_the_language() -> None:
    everything = _everything()
    used: set[object] = {found for found in everything if isinstance(found, Enum)}
    assert [word for kind in _ENUMS for word in kind if word not in used] == []
    kinds = {type(found) for found in everything}
    assert [kind for kind in (*_CRITERIA, NamedCohort, Study) if kind not in kinds] == []


def test_together_they_use_every_form_of_the_language() -> None:
    everything = _everything()
    unused = [
        name
        for kind, forms in _FORMS
        for name, is_used in forms.items()
        if not any(isinstance(found, kind) and is_used(found) for found in everything)
    ]
    assert unused == []


@pytest.mark.parametrize("words", _WRITTEN)
def test_together_they_show_what_the_reader_turns_into_the_same_value(words: str) -> None:
    assert re.search(rf"^[^#\n]*\b{words}\b", _text(), re.M)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_says_what_it_shows_and_where_its_schema_is(name: str) -> None:
    folder = "cohorts" if name in names(COHORTS) else "studies"
    lines = (library("queries") / folder / f"{name}.yaml").read_text().splitlines()
    assert lines[0] == "# yaml-language-server: $schema=../study.schema.json"
    assert lines[1].startswith("# ")
    assert read_inquiry(name).name == name


@pytest.mark.parametrize("name", names(STUDIES))
def test_none_is_warned_of_but_those_that_teach_it(name: str, shell: Shell) -> None:
    said = shell("check", name)
    assert said.code == 0
    assert ("0 warnings" in said.out) == (name not in WARNED_OF)


@pytest.mark.parametrize("name", [name for name in names(STUDIES) if name not in ONE_HOSPITAL])
def test_a_study_runs(name: str, few_to_read: Path, as_reported: Path, shell: Shell) -> None:
    network = as_reported if name in RARE else few_to_read
    said = shell("run", name, "--network", network, "--release", "exact", "--format", "json")
    assert said.code == 0, said.err
    result = msgspec.json.decode(said.out)["result"]
    assert all(arm["patients"] > 0 for arm in result["arms"])
    assert sum(arm["patients"] for arm in result["arms"]) == result["cohort"]["patients"]


@pytest.mark.parametrize("name", [name for name in names(COHORTS) if name not in ONE_HOSPITAL])
def test_a_cohort_can_be_counted(name: str, few_to_read: Path, shell: Shell) -> None:
    said = shell("count", name, "--network", few_to_read, "--release", "exact", "--format", "json")
    assert said.code == 0, said.err
    steps = msgspec.json.decode(said.out)["result"]["steps"]
    counts = [step["patients"] for step in steps]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 0


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_interpreter_finds_what_a_site_finds(name: str, few_to_read: Path) -> None:
    question = read_inquiry(name).question
    needs: list[Need] = [AttritionNeed(), EntriesNeed()]
    if question.arms:
        needs += [AssignmentNeed(), SurvivalNeed(Grid(Unit.DAY, question.follow_up.months))]
    found = 0
    for member in find_network(str(few_to_read), few_to_read.parent).members[:4]:
        folder = few_to_read / member.site
        by_month = read_catalogue(folder).catalogue.death_by_month
        store = Store(folder)
        one, other = (
            ENGINES[engine](store, question, needs, death_by_month=by_month)
            for engine in ("duckdb", "interpreter")
        )
        store.close()
        assert [table.flat().tolist() for table in one] == [
            table.flat().tolist() for table in other
        ]
        found += int(one[0].flat()[0])
    assert found > 0 or name in ONE_HOSPITAL


def test_patients_of_sites_that_are_off_line_are_told_apart(
    as_reported: Path, shell: Shell
) -> None:
    said = shell("verify", "aspirin-before-a-stroke", "--network", as_reported)
    assert said.code == 0, said.out
    assert re.search(r"\d+ more patients are at sites that are off line", said.out)


@pytest.mark.laws
@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name not in ONE_HOSPITAL])
def test_in_the_default_network_each_finds_enough_to_be_released(
    name: str, as_shipped: Path, shell: Shell
) -> None:
    network = find_network(str(as_shipped), as_shipped.parent)
    client = connect(network, laboratory=False, jobs=2, seconds=60.0, clock=_clock)
    inquiry = read_inquiry(name)
    steps = client.count(inquiry, SECURE_SUM, run="count").result.steps
    # A step that takes away fewer than may be shown is withheld; the last is always a number.
    assert isinstance(steps[-1].patients, int)
    assert steps[-1].patients >= LEAST
    if isinstance(inquiry, Study):
        said = shell("verify", name, "--network", as_shipped)
        assert said.code == 0, said.out
        report = client.run(inquiry, SECURE_SUM, run="run").result
        assert all(isinstance(arm.patients, int) and arm.patients >= LEAST for arm in report.arms)
