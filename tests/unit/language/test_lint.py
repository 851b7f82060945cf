"""Each rule finds what it is about, and keeps still where nothing is wrong."""

from __future__ import annotations

from typing import Final

import pytest

from simulator.bundled import names
from simulator.language.lint import Finding, lint
from simulator.language.reading import STUDIES, parse_inquiry, read_study

_STUDY: Final = """
study: example
version: 1
title: an example
codes:
  embolization: [CPT4 37243]
  chemotherapy: [RxNorm 3639]
  kidney: [ICD10CM N18]
index: {index}
steps:
  - step: asked
    require: {step}
arms:
  treated: {arm}
  others: {other}
outcome: {outcome}
follow up: {{months: 12, censored at: {censored}}}
subgroups:
  half: {{one: {level}, two: {{sex: male}}}}
analyses: {{survival at months: [12]}}
"""
_PROCEDURE: Final = "{procedure: embolization, occurrence: first}"
_DRUG: Final = "{drug: chemotherapy, occurrence: first}"
_PLAIN: Final = {
    "index": _PROCEDURE,
    "step": "{age: 18 to any}",
    "arm": "{sex: female}",
    "other": "{none: [{sex: female}]}",
    "outcome": "death",
    "censored": "end of observation",
    "level": "{sex: female}",
}


def _found(**changed: str) -> list[Finding]:
    return list(lint(parse_inquiry(_STUDY.format(**{**_PLAIN, **changed}))))


def _rules(**changed: str) -> list[str]:
    return [finding.rule for finding in _found(**changed)]


def test_nothing_is_said_of_a_plain_study() -> None:
    assert _found() == []


@pytest.mark.parametrize("part", ["step", "arm", "level"])
@pytest.mark.parametrize(
    ("asked", "rules"),
    [
        ("{drug: chemotherapy, days: -90 to -1}", []),
        ("{drug: chemotherapy, days: -90 to 0}", ["same-day-drug"]),
        ("{drug: chemotherapy, days: -90 to 90}", ["after-index"]),
        ("{drug: chemotherapy}", ["after-index"]),
        ("{none: [{drug: chemotherapy, days: -90 to 90}]}", []),
        ("{at most 1: [{drug: chemotherapy, days: -90 to 90}]}", []),
        ("{any: [{visit: any, years: 5 to 10}]}", ["after-index"]),
        ("{condition: kidney, days: -9 to 9, count: at most 2}", []),
        ("{death: any, days: 0 to 90}", []),
        ("{observed: -365 to 0}", []),
        ("{observed: 0 to 90}", ["observed-after"]),
        ("{none: [{observed: 0 to 90}]}", []),
        # What lies around another event need not lie after index; what counts from index does.
        ("{visit: any, days: -9 to 0, with: [{drug: chemotherapy, days: 0 to 9}]}", []),
        (
            "{visit: any, days: -9 to 0,"
            " with: [{drug: chemotherapy, days: 0 to 9, relative to: index}]}",
            ["after-index"],
        ),
    ],
)
def test_what_must_lie_after_index_is_found(part: str, asked: str, rules: list[str]) -> None:
    assert _rules(**{part: asked}) == rules


@pytest.mark.parametrize("part", ["step", "arm", "level"])
@pytest.mark.parametrize(
    ("asked", "rules"),
    [
        ("{none: [{death: any, days: any to -1}]}", []),
        ("{none: [{death: any, days: any to 0}]}", ["death-excluded"]),
        ("{none: [{death: any, days: 0}]}", ["death-excluded"]),
        ("{none: [{death: any, days: 0 to 90}]}", ["death-excluded"]),
        ("{none: [{death: any}]}", ["death-excluded"]),
        ("{death: any, days: any to 0, count: exactly 0}", ["death-excluded"]),
        ("{none: [{any: [{sex: male}, {death: any, days: any to 0}]}]}", ["death-excluded"]),
        ("{all: [{sex: female}, {none: [{death: any, days: any to 0}]}]}", ["death-excluded"]),
        # Ruled out twice it is asked for.
        ("{none: [{none: [{death: any, days: any to 0}]}]}", []),
        ("{none: [{death: any, days: any to 0, count: exactly 0}]}", []),
        ("{none: [{condition: kidney, days: any to 0}]}", []),
    ],
)
def test_deaths_that_are_ruled_out_on_the_index_day_or_later_are_found(
    part: str, asked: str, rules: list[str]
) -> None:
    assert _rules(**{part: asked}) == rules


def test_a_death_ruled_out_on_the_index_day_is_a_matter_of_sites_that_know_its_month() -> None:
    until_index, later = "{none: [{death: any, days: any to 0}]}", "{none: [{death: any}]}"
    assert "where deaths are known by month only" in _found(step=until_index)[0].message
    assert "up to any time after index" in _found(step=later)[0].message


def test_a_death_ruled_out_around_the_index_event_is_found() -> None:
    around = "with: [{none: [{death: any, days: any to 0}]}]"
    found = _found(index=f"{{procedure: embolization, occurrence: first, {around}}}")
    assert [(finding.rule, finding.where) for finding in found] == [("death-excluded", ("index",))]


@pytest.mark.parametrize(
    ("index", "arm", "rules"),
    [
        # A new user is told apart by the drug that the index is.
        (_DRUG, "{drug: chemotherapy, days: 0}", []),
        (_DRUG, "{drug: chemotherapy, days: 0 to 90}", ["after-index"]),
    ],
)
def test_a_drug_that_is_the_index_may_tell_arms_apart(
    index: str, arm: str, rules: list[str]
) -> None:
    assert _rules(index=index, step="{observed: -365 to 0}", arm=arm) == rules


def test_an_index_that_needs_a_later_event_is_found() -> None:
    around = "with: [{condition: kidney, days: 0 to 30}]"
    found = _found(index=f"{{procedure: embolization, occurrence: first, {around}}}")
    assert [(finding.rule, finding.where) for finding in found] == [("after-index", ("index",))]


@pytest.mark.parametrize(
    ("step", "rules"),
    [
        ("{age: 18 to any}", ["no-look-back"]),
        ("{observed: 0 to 0}", ["no-look-back"]),
        ("{any: [{observed: -30 to 0}]}", []),
        ("{observed: -365 to -1}", []),
    ],
)
def test_a_first_drug_without_a_look_back_is_found(step: str, rules: list[str]) -> None:
    assert _rules(index=_DRUG, step=step) == rules


def test_a_look_back_is_asked_of_a_cohort_too() -> None:
    cohort = (
        "cohort: a\nversion: 1\ntitle: t\ncodes: {chemotherapy: [RxNorm 3639]}\n"
        f"index: {_DRUG}\nsteps: [{{step: s, require: {{drug: chemotherapy, days: 0 to 9}}}}]\n"
    )
    assert [finding.rule for finding in lint(parse_inquiry(cohort))] == ["no-look-back"]


def test_an_index_known_in_hindsight_is_found() -> None:
    assert _rules(index="{procedure: embolization, occurrence: last}") == ["hindsight-index"]


@pytest.mark.parametrize(
    ("step", "rules"),
    [
        ("{age: 18 to any}", ["outcome-before"]),
        ("{none: [{condition: kidney, days: any to -1}]}", []),
        ("{none: [{condition: kidney, days: -365 to 0}]}", []),
        ("{condition: kidney, days: any to -1, count: exactly 0}", []),
        ("{all: [{sex: female}, {none: [{any: [{condition: kidney, days: any to 0}]}]}]}", []),
        ("{none: [{condition: kidney, days: any to -30}]}", ["outcome-before"]),
        ("{none: [{condition: kidney, days: 0}]}", ["outcome-before"]),
        ("{none: [{sex: male}]}", ["outcome-before"]),
        ("{none: [{drug: chemotherapy, days: any to -1}]}", ["outcome-before"]),
        ("{any: [{none: [{condition: kidney, days: any to -1}]}]}", ["outcome-before"]),
    ],
)
def test_an_outcome_that_was_there_before_is_found(step: str, rules: list[str]) -> None:
    assert _rules(outcome="{condition: kidney}", step=step) == rules


def test_watching_to_the_last_record_is_found() -> None:
    assert _rules(censored="last recorded fact") == ["last-fact"]


@pytest.mark.parametrize(
    ("arm", "other", "inside"),
    [
        ("{sex: female}", "{sex: female}", "others"),
        ("{sex: female}", "{all: [{sex: female}, {age: 18 to 40}]}", "others"),
        ("{all: [{age: 18 to 40}, {sex: female}]}", "{sex: female}", "treated"),
    ],
)
def test_arms_of_which_one_holds_the_other_are_found(arm: str, other: str, inside: str) -> None:
    found = _found(arm=arm, other=other)
    assert [finding.rule for finding in found] == ["overlap"]
    assert found[0].message.startswith(f"whoever is in '{inside}' is in ")
    assert "the study is refused" in found[0].message
    assert found[0].where == ("arms 'treated' and 'others'",)


def test_levels_that_are_the_same_are_found() -> None:
    assert _rules(level="{sex: male}") == ["overlap"]


def test_arms_that_exclude_each_other_are_not() -> None:
    arm = "{all: [{sex: female}, {age: any to 40}]}"
    assert _rules(arm=arm, other="{all: [{sex: female}, {age: 41 to any}]}") == []


def test_one_warning_names_all_its_places() -> None:
    asked = "{drug: chemotherapy, days: 0 to 9}"
    (found,) = _found(step=asked, arm=asked)
    assert found.where == ("step 'asked'", "arm 'treated'")
    assert str(found).endswith("(in step 'asked', arm 'treated')")


@pytest.mark.parametrize("name", names(STUDIES))
def test_only_those_bundled_studies_warn_that_are_meant_to(name: str) -> None:
    meant = {"bclm-as-commonly-done": ["after-index"], "watched-to-the-last-record": ["last-fact"]}
    assert [finding.rule for finding in lint(read_study(name))] == meant.get(name, [])
