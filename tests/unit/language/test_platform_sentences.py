"""Cohorts in the modelled platform's sentences; what those cannot say is marked."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings

from simulator.language.platform_sentences import platform_sentences
from simulator.language.platform_terms import CannotBeSaidError, relation
from simulator.language.reading import parse_inquiry
from simulator.language.study import Question
from simulator.language.windows import DAYS_PER_YEAR, Window
from tests.support.asked import asked
from tests.support.questions import questions

_COHORT: Final = """
cohort: a
version: 1
title: t
codes:
  embolization: [CPT4 37243]
  capecitabine: [RxNorm 194000]
  cisplatin: [RxNorm 2555]
  metastasis: [ICD10CM C78.7 with descendants]
  bilirubin: [LOINC 1975-2]
index: {index}
steps:
  - step: s
    require: {step}
"""
_CAPECITABINE: Final = "RxNorm 194000 capecitabine"
_CISPLATIN: Final = "RxNorm 2555 cisplatin"
_ANSWERS: Final = "(cannot be said there: every one of the sites"


def lines(step: str, index: str = "{procedure: embolization, occurrence: first}") -> list[str]:
    """What is printed, each sentence in one line, without title and index group."""
    said = platform_sentences(parse_inquiry(_COHORT.format(index=index, step=step)))
    found: list[str] = []
    for line in said.splitlines():
        if line.startswith("  "):
            found[-1] += line[1:]
        elif line:
            found.append(line)
    return [line for line in found[1:] if not line.startswith(_ANSWERS)]


def step(text: str, index: str = "{procedure: embolization, occurrence: first}") -> list[str]:
    """Only what the step adds."""
    added = lines(text, index)
    assert added[0].startswith("Group 1A [index]: ")
    return added[2:]


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (Window(None, 0), "on or before"),
        (Window(0, None), "on or after"),
        (Window(None, -1), "at least 1 day before"),
        (Window(30, None), "at least 30 days after"),
        (Window(0, 90), "within 90 days on or after"),
        (Window(-90, 0), "within 90 days on or before"),
        (Window(-90, -1), "within 1 day and 90 days before"),
        (Window(1, 90), "within 1 day and 90 days after"),
        (Window.parse("5 to 10", DAYS_PER_YEAR), "within 5 years and 10 years after"),
        (Window.parse("2 to any", DAYS_PER_YEAR), "at least 2 years after"),
    ],
)
def test_windows_are_relations(days: Window, words: str) -> None:
    assert relation(days) == words


@pytest.mark.parametrize("days", [Window(-1, 1), Window(None, 1), Window(-1, None), Window()])
def test_what_reaches_to_both_sides_is_none(days: Window) -> None:
    with pytest.raises(CannotBeSaidError):
        relation(days)


QUANTIFIERS: Final = {
    "any": "any instance of",
    "first": "the first instance of",
    "last": "the most recent instance of",
}


@pytest.mark.parametrize("of_index", QUANTIFIERS)
@pytest.mark.parametrize("of_event", QUANTIFIERS)
def test_every_quantifier_on_either_side(of_index: str, of_event: str) -> None:
    index = f"{{procedure: embolization, occurrence: {of_index}}}"
    asked = f"{{drug: capecitabine, days: any to 0, occurrence: {of_event}}}"
    first = QUANTIFIERS[of_event]
    assert step(asked, index) == [
        "AND",
        f"Group 2B [s]: {first[0].upper()}{first[1:]} Group 2B occurred on or before "
        f"{QUANTIFIERS[of_index]} Group 1A",
        f"Must Have: {_CAPECITABINE}",
    ]


def test_an_event_around_any_index_event() -> None:
    index = (
        "{procedure: embolization, occurrence: any, age: any to 17,"
        " with: [{condition: metastasis, days: -30 to 0}]}"
    )
    assert lines("{sex: female}", index) == [
        "Group 1A [index]: The terms in this group occurred at any time",
        "Must Have: CPT4 37243 blocking arteries that feed a tumour or cutting off its blood, "
        "imaging included [<= 17 years]",
        "AND",
        "Group 1B: Any instance of Group 1B occurred within 30 days on or before any instance of "
        "Group 1A",
        "Must Have: ICD10CM C78.7 spread to the liver and bile duct inside it",
        "AND",
        "Group 2 [s]: The terms in this group occurred at any time",
        "Must Have: female",
    ]


def test_the_first_of_those_with_something_around_them_is_marked() -> None:
    index = "{procedure: embolization, occurrence: first, with: [{condition: metastasis, days: 0}]}"
    assert lines("{sex: female}", index)[-1] == (
        "(cannot be said there: the first instance of Group 1A is that of those that the groups "
        "around it fit, not of all)"
    )


def test_never_at_any_time_is_a_line_of_its_own() -> None:
    said = lines("{none: [{drug: capecitabine}]}")
    assert said[:2] == [f"Cannot Have: {_CAPECITABINE}", "AND"]


def test_never_at_some_time_is_a_group() -> None:
    asked = "{none: [{drug: capecitabine, days: -90 to -1}]}"
    assert step(asked) == step("{drug: capecitabine, days: -90 to -1, count: at most 0}")
    assert step(asked) == [
        "AND",
        "Group 2B [s]: Any instance of Group 2B occurred within 1 day and 90 days before the first "
        "instance of Group 1A",
        f"Cannot Have: {_CAPECITABINE}",
    ]


def test_terms_at_the_same_time_are_joined() -> None:
    asked = "{any: [{drug: capecitabine, days: 0 to any}, {drug: cisplatin, days: 0 to any}]}"
    assert step(asked)[1:] == [
        "Group 2B [s]: Any instance of Group 2B occurred on or after the first instance of "
        "Group 1A",
        f"Must Have: {_CAPECITABINE} OR {_CISPLATIN}",
    ]


def test_instances_are_days() -> None:
    assert step("{drug: capecitabine, count: at least 3 days}")[1:] == [
        "Group 2 [s]: The terms in this group occurred at any time - 3 instances",
        f"Must Have: {_CAPECITABINE}",
    ]


def test_values_and_dates_stand_at_their_terms() -> None:
    asked = (
        "{measurement: bilirubin, value: above 2 mg/dL, dates: any to 2024-07-31, days: any to 0}"
    )
    assert step(asked)[1:] == [
        "Group 2B [s]: Any instance of Group 2B occurred on or before the first instance of "
        "Group 1A",
        "The terms in this group occurred on or before Jul 31, 2024",
        "Must Have: LOINC 1975-2 bilirubin, all of it, in blood [> 2 mg/dL]",
    ]


def test_a_pair_that_does_not_name_the_index() -> None:
    asked = "{drug: capecitabine, with: [{visit: any, years: 5 to 10}]}"
    assert step(asked)[1:] == [
        "Group 2A [s]: The terms in this group occurred at any time",
        f"Must Have: {_CAPECITABINE}",
        "AND",
        "Group 2B: Any instance of Group 2B occurred within 5 years and 10 years after any "
        "instance of Group 2A",
        "Must Have: Visit",
    ]


@pytest.mark.parametrize(
    ("index", "asked", "when", "age"),
    [
        ("first", "{dates: any to 2024-07-31}", "on or before Jul 31, 2024", ""),
        ("last", "{dates: 2024-07-31 to any}", "on or after Jul 31, 2024", ""),
        ("first", "{age: any to 17}", "at any time", " [<= 17 years]"),
        ("last", "{age: 18 to any}", "at any time", " [>= 18 years]"),
        ("any", "{age: 18 to 75}", "at any time", " [>= 18 years and <= 75 years]"),
    ],
)
def test_what_narrows_the_index_without_changing_which_it_is_stands_at_its_group(
    index: str, asked: str, when: str, age: str
) -> None:
    said = lines(asked, f"{{procedure: embolization, occurrence: {index}}}")
    assert said == [
        f"Group 1A [index]: The terms in this group occurred {when}",
        "Must Have: CPT4 37243 blocking arteries that feed a tumour or cutting off its blood, "
        f"imaging included{age}",
    ]


@pytest.mark.parametrize(
    "asked",
    [
        # A date or age at the group would choose another event than the first.
        "{dates: 2016-01-01 to any}",
        "{age: 18 to any}",
        "{observed: -365 to 0}",
        "{drug: capecitabine, days: -90 to 90}",
        "{drug: capecitabine, days: 0, count: at least 2}",
        "{drug: capecitabine, count: at least 2}",
        "{drug: capecitabine, count: exactly 1}",
        "{drug: any, days: 0}",
        "{measurement: bilirubin, last value: at most 2 mg/dL}",
        "{any: [{drug: capecitabine, days: 0}, {drug: cisplatin, days: 1}]}",
        "{any: [{sex: female}, {drug: cisplatin, days: 1}]}",
        "{at least 2: [{drug: capecitabine, days: 0}, {drug: cisplatin, days: 0}]}",
        "{at most 1: [{drug: capecitabine, days: 0}, {drug: cisplatin, days: 0}]}",
        "{none: [{sex: female}]}",
        "{none: [{drug: capecitabine, days: 0}, {drug: cisplatin, days: -1 to 1}]}",
        "{drug: capecitabine, days: 0, with: [{drug: cisplatin, days: 0}]}",
    ],
)
def test_what_cannot_be_said_is_marked_and_nothing_else_is_said(asked: str) -> None:
    (marked,) = step(asked)
    assert marked.startswith("(cannot be said there: s: ")


def test_at_any_index_it_must_be_the_same_one() -> None:
    index = "{procedure: embolization, occurrence: any}"
    asked = "{all: [{drug: capecitabine, days: any to 0}, {none: [{drug: cisplatin, days: 0}]}]}"
    assert step(asked, index)[-2:] == [
        "(cannot be said there: an instance of Group 1A is meant that has no such instance of "
        "Group 3B)",
        "(cannot be said there: one and the same instance of Group 1A fits all groups that name "
        "it)",
    ]


def test_what_a_term_does_not_say_of_its_codes_is_marked() -> None:
    text = _COHORT.format(index="{condition: spread, occurrence: first}", step="{sex: female}")
    text = text.replace(
        "codes:\n", "codes:\n  spread: {include: [ICD10CM C78], exclude: [ICD10CM C78.0]}\n"
    )
    said = " ".join(platform_sentences(parse_inquiry(text)).split())
    assert "(cannot be said there: 'spread' without ICD10CM C78.0)" in said
    assert "(cannot be said there: of 'spread' without what stands below: ICD10CM C78)" in said


STUDY: Final = (
    _COHORT.replace("cohort: a", "study: a")
    + """
arms:
  young: {{age: any to 40}}
  old: {{age: 41 to any}}
outcome: {outcome}
follow up: {{months: 12, censored at: last recorded fact}}
analyses: {{survival at months: [12]}}
"""
)


def printed(index: str, outcome: str = "death") -> str:
    text = STUDY.format(index=index, step="{sex: female}", outcome=outcome)
    return " ".join(platform_sentences(parse_inquiry(text)).split())


def test_an_arm_may_narrow_the_index_group() -> None:
    said = printed("{procedure: embolization, occurrence: first}")
    assert "Cohort [young]: the groups above, but Group 1A as here, AND Group 1A [index]" in said
    assert "imaging included [<= 40 years]" in said
    assert (
        "Cohort [old]: the groups above, AND (cannot be said there: old: age at the index: 41 or "
        "more)"
    ) in said


def test_an_arm_does_not_choose_the_index() -> None:
    said = printed("{procedure: embolization, occurrence: any}")
    assert (
        "Cohort [young]: the groups above, AND (cannot be said there: young: age at the index: at "
        "most 40) (cannot be said there: the index is chosen by the groups above alone, not by "
        "these)"
    ) in said


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("death", "Outcome: Deceased Time Window: from 0 days to 365 days after the index event"),
        (
            "{drug: capecitabine, days: 1 to 30}",
            f"Outcome: {_CAPECITABINE} Time Window: from 1 day to 30 days after the index event",
        ),
        (
            "{drug: capecitabine, occurrence: first}",
            f"Outcome: {_CAPECITABINE} Time Window: from 1 day to 365 days after the index event "
            "(cannot be said there: the outcome is the first drug from 'capecitabine', where that "
            "lies at any time after the index day)",
        ),
        (
            "{drug: any}",
            "(cannot be said there: the outcome is the earliest drug of any kind at any time after "
            "the index day)",
        ),
    ],
)
def test_outcomes_have_terms_and_a_window(outcome: str, words: str) -> None:
    assert words in printed("{procedure: embolization, occurrence: first}", outcome)


@settings(
    derandomize=True, max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(question=questions())
def test_every_question_has_its_sentences(question: Question) -> None:
    said = platform_sentences(asked(question))
    assert said == platform_sentences(asked(question))
    assert "Group 1A [index]: " in said
    assert all(len(line) <= 80 for line in said.splitlines())
    for arm in question.arms:
        assert f"Cohort [{arm.name}]: the groups above" in said
