"""Criteria in plain English: what is inside what, and in which order it is asked."""

from __future__ import annotations

import pytest

from simulator.language.codes import Code, ConceptSet
from simulator.language.criteria import Anchor
from simulator.language.documents import parse_document
from simulator.language.prose import criterion_in_words, describe
from simulator.language.prose_words import INDEX, Moment, figure, window_in_words
from simulator.language.reading import parse_inquiry
from simulator.language.reading_criteria import read_criterion
from simulator.language.windows import DAYS_PER_MONTH, DAYS_PER_YEAR, Window
from tests.unit.language.broken import STUDY, changed

SETS = {name: ConceptSet(name, (Code("RxNorm", "1"),)) for name in ("x", "y", "z")}


def said(text: str) -> str:
    node = parse_document(text, "a.yaml")
    return criterion_in_words(read_criterion(node, SETS, Anchor.INDEX))


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ("any", "at any time"),
        ("any to 0", "on the index day or at any time before"),
        ("any to -1", "at any time before the index day"),
        ("any to -30", "at least 30 days before the index"),
        ("any to 30", "at any time up to 30 days after the index"),
        ("0 to any", "on the index day or at any time after"),
        ("1 to any", "at any time after the index day"),
        ("30 to any", "at least 30 days after the index"),
        ("-30 to any", "at any time from 30 days before the index on"),
        ("0", "on the index day"),
        ("-1", "on the day before the index"),
        ("1", "on the day after the index"),
        ("-7", "exactly 7 days before the index"),
        ("-90 to -1", "in the 90 days before the index"),
        ("-90 to 0", "on the index day or in the 90 days before"),
        ("-90 to -30", "from 90 to 30 days before the index"),
        ("-90 to 90", "from 90 days before to 90 days after the index"),
        ("1 to 30", "in the 30 days after the index"),
        ("0 to 30", "on the index day or in the 30 days after"),
        ("30 to 90", "from 30 to 90 days after the index"),
        ("-365 to -1", "in the 365 days before the index"),
        # 5 years are 1826.25 days, 10 years 3652.5: the days between the two.
        ("1827 to 3652", "from 5 to 10 years after the index (days 1827 to 3652)"),
        ("1826 to 3652", "from 1,826 to 3,652 days after the index"),
        ("1827 to 3653", "from 1,827 to 3,653 days after the index"),
        ("1827 to any", "at least 5 years after the index (from day 1827)"),
        ("any to -731", "at least 2 years before the index (until day -731)"),
        ("-365 to 0", "on the index day or in the year before (days -365 to 0)"),
        ("-730 to 0", "on the index day or in the 2 years before (days -730 to 0)"),
        ("-182 to -31", "from 6 months to 1 month before the index (days -182 to -31)"),
        ("183 to 365", "from 6 to 12 months after the index (days 183 to 365)"),
    ],
)
def test_windows_are_said_as_people_say_them(window: str, words: str) -> None:
    assert window_in_words(Window.parse(window), INDEX) == words


def test_years_are_said_only_of_the_days_that_they_are() -> None:
    for years in range(1, 30):
        for other in range(years + 1, 30):
            window = Window.parse(f"{years} to {other}", DAYS_PER_YEAR)
            told = window_in_words(window, INDEX)
            assert told.endswith(f"(days {window.earliest} to {window.latest})")
            assert f"from {years} " in told


def test_no_two_windows_are_said_alike() -> None:
    ends = [None, *range(-12, 13), *(round(n * DAYS_PER_YEAR) for n in range(-3, 4))]
    ends += [round(n * DAYS_PER_MONTH) + d for n in (-6, -3, 3, 6) for d in (-1, 0, 1)]
    windows = {
        Window(low, high)
        for low in ends
        for high in ends
        if low is None or high is None or low <= high
    }
    assert len({window_in_words(window, INDEX) for window in windows}) == len(windows)


def test_a_window_names_what_it_counts_from() -> None:
    that = Moment("that drug", "the day of that drug")
    assert window_in_words(Window(0, 0), that) == "on the day of that drug"
    assert window_in_words(Window(-9, -1), that) == "in the 9 days before that drug"


@pytest.mark.parametrize(
    ("number", "words"), [(2.0, "2"), (2.50, "2.5"), (1e-7, "0.0000001"), (1e12, "1000000000000")]
)
def test_numbers_have_all_their_digits(number: float, words: str) -> None:
    assert figure(number) == words


@pytest.mark.parametrize(
    ("criterion", "words"),
    [
        ("{condition: x, days: 0}", "a diagnosis of 'x' on the index day"),
        ("{visit: any}", "a visit of any kind at any time"),
        ("{death: any, days: any to -1}", "a recorded death at any time before the index day"),
        (
            "{drug: x, count: at least 2, days: 0}",
            "at least two records of drugs from 'x' on the index day",
        ),
        (
            "{drug: x, count: at least 2 days}",
            "records of drugs from 'x' on at least two different days, at any time",
        ),
        ("{procedure: x, count: exactly 1}", "exactly one procedure 'x' at any time"),
        ("{procedure: x, count: at most 3}", "at most three procedures 'x' at any time"),
        ("{procedure: x, count: at most 0, days: 0}", "no procedure 'x' on the index day"),
        (
            "{procedure: x, count: at least 0}",
            "any number of procedures 'x', even none, at any time",
        ),
        (
            "{drug: x, occurrence: first, days: -90 to -1}",
            "the first drug from 'x' lies in the 90 days before the index",
        ),
        (
            "{drug: x, occurrence: last, count: at least 2, days: 0}",
            "of the last day's records of drugs from 'x', at least two lie on the index day",
        ),
        (
            "{procedure: x, dates: 2016-01-01 to 2024-07-31, age: 18 to any, occurrence: first}",
            "the first procedure 'x' dated from 1 January 2016 to 31 July 2024 and at an "
            "age of 18 or more lies at any time",
        ),
        (
            "{measurement: x, value: above 2 mg/dL, days: 0}",
            "a measurement of 'x' with a value above 2 mg/dL, on the index day",
        ),
        (
            "{measurement: x, last value: 1 to 2, days: any to 0}",
            "the last value among measurements of 'x', on the index day or at any time "
            "before, is from 1 to 2",
        ),
        (
            "{measurement: x, occurrence: first, last value: below 2.5 mg/dL}",
            "the last value among the first day's measurements of 'x', at any time, is "
            "below 2.5 mg/dL",
        ),
        ("{age: 40}", "age at the index: 40"),
        ("{dates: 2016-01-31}", "the index lies on 31 January 2016"),
        ("{dates: any to 2015-12-31}", "the index lies on or before 31 December 2015"),
        (
            "{observed: -365 to 0}",
            "under observation without a gap from 365 days before the index to the index day",
        ),
        ("{none: [{drug: x, days: 0}]}", "no drug from 'x' on the index day"),
        ("{none: [{sex: male}]}", "not this: (recorded as male)"),
        (
            "{none: [{drug: x, days: 0}, {sex: male}]}",
            "none of these: (a drug from 'x' on the index day; recorded as male)",
        ),
        (
            "{at least 2: [{sex: male}, {age: 40}]}",
            "at least two of these: (recorded as male; age at the index: 40)",
        ),
        (
            "{procedure: x, days: 0, with: [{drug: y, days: -9 to -1}]}",
            "a procedure 'x' on the index day, for which this holds: "
            "(a drug from 'y' in the 9 days before that procedure)",
        ),
        (
            "{procedure: x, occurrence: first, days: 0, with: [{age: 40}, {sex: male}]}",
            "the first procedure 'x' lies on the index day, counting only those for which all of "
            "this holds: (age at that procedure: 40; recorded as male)",
        ),
        (
            "{drug: x, with: [{visit: y, days: 0, with: [{condition: z, days: 0},"
            " {condition: z, days: 0, relative to: index}]}]}",
            "a drug from 'x' at any time, for which this holds: (a visit 'y' on the day of that "
            "drug, for which all of this holds: (a diagnosis of 'z' on the day of that visit; a "
            "diagnosis of 'z' on the index day))",
        ),
    ],
)
def test_criteria_are_said_in_one_line(criterion: str, words: str) -> None:
    assert said(criterion) == words


def test_a_list_belongs_to_the_event_above_it() -> None:
    asked = changed(
        "{condition: tumour}",
        "{drug: chemo, days: 0, with: [{any: [{condition: tumour, days: 0}, {sex: male}]}]}",
    )
    assert """\
  1. the step:
     a drug from 'chemo' on the index day, for which this holds:
       - any of these:
         - a diagnosis of 'tumour' on the day of that drug
         - recorded as male
""" in describe(parse_inquiry(asked))


def test_what_is_excluded_from_a_set_is_said() -> None:
    codes = "chemo: {include: [RxNorm 3639], exclude: [ICD10CM C50.9 with descendants]}"
    told = describe(parse_inquiry(changed("chemo: [RxNorm 3639]", codes)))
    assert "    but without:\n    - ICD10CM C50.9, and all below it" in told


def test_rules_are_said_where_they_matter() -> None:
    aged = describe(parse_inquiry(changed("one: {sex: female}", "one: {age: 40}")))
    assert "Age is the year" in aged
    assert "Age is the year" not in describe(parse_inquiry(STUDY))


def test_who_is_in_several_arms_or_levels_makes_the_study_refused() -> None:
    by_sex = "arms:\n  one: {sex: female}\n  two: {sex: male}\n"
    told = describe(parse_inquiry(STUDY))
    assert (
        "  Who is in none of the arms is left out. If anybody is in several, the study is" in told
    )
    alone = describe(parse_inquiry(changed(by_sex, "arms:\n  one: {sex: female}\n")))
    assert "Who is not in the arm is left out." in alone
    assert "refused" not in alone
    levels = "subgroups: {half: {young: {age: any to 40}, old: {age: 41 to any}}}\noutcome: death"
    divided = describe(parse_inquiry(changed("outcome: death", levels)))
    assert "    Who is in none of these is counted apart. If anybody is in several, the" in divided


_MONTH = "Some sites know of a death only its month."
_COHORT = STUDY.replace("study: example", "cohort: example").split("arms:")[0]


def _in_one_line(text: str) -> str:
    return " ".join(describe(parse_inquiry(text)).split())


def test_deaths_known_by_month_are_said_wherever_death_plays_a_part() -> None:
    assert _MONTH not in _in_one_line(_COHORT)
    assert _MONTH in _in_one_line(STUDY)
    assert _MONTH in _in_one_line(changed("outcome: death", "outcome: {condition: tumour}"))
    asked = _COHORT.replace("{condition: tumour}", "{all: [{condition: tumour}, {none: [%s]}]}")
    told = _in_one_line(asked % "{death: any, days: any to 0}")
    assert _MONTH in told
    assert "counts there as dead on the index day" in told
    assert "counts there as dead on the index day" not in _in_one_line(STUDY)
    assert _MONTH in _in_one_line(
        _COHORT.replace("{drug: chemo,", "{death: any,").replace("chemo: [RxNorm 3639]", "")
    )


def test_what_still_counts_in_the_month_of_death_depends_on_what_is_waited_for() -> None:
    of_death = "A death in the month in which the period of observation ends still counts"
    of_other = "An outcome that is recorded later in the month of death still counts there."
    told = _in_one_line(STUDY)
    assert of_death in told
    assert of_other not in told
    told = _in_one_line(changed("outcome: death", "outcome: {condition: tumour}"))
    assert of_death not in told
    assert of_other in told
    told = _in_one_line(changed("{months: 24}", "{months: 24, censored at: last recorded fact}"))
    assert _MONTH in told
    assert of_death not in told
    assert of_other not in told


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("{condition: tumour}", "the earliest diagnosis of 'tumour' at any time after the index"),
        (
            "{condition: tumour, age: 40, days: 1 to 30}",
            "the earliest diagnosis of 'tumour' at an age of 40, in the 30 days after the index.",
        ),
        (
            "{condition: tumour, occurrence: first, days: 1 to 30}",
            "the first diagnosis of 'tumour', where that lies in the 30 days after the index.",
        ),
        (
            "{condition: tumour, days: 1 to 30, with: [{sex: male}]}",
            "the earliest diagnosis of 'tumour' in the 30 days after the index, counting only "
            "those for which this holds: - recorded as male",
        ),
    ],
)
def test_the_moment_that_is_waited_for_reads_as_one_event(outcome: str, words: str) -> None:
    assert f"The outcome is {words}" in _in_one_line(
        changed("outcome: death", f"outcome: {outcome}")
    )
    exits = f"{{months: 24, exit: [{outcome}]}}"
    assert f"- {words.removesuffix('.')}" in _in_one_line(changed("{months: 24}", exits))


def test_an_outcome_that_death_may_forestall_is_no_share_of_patients() -> None:
    asked = changed("outcome: death", "outcome: {condition: tumour}").replace(
        "[12, 24]", "[12, 24], mean survival to month: 12"
    )
    told = _in_one_line(asked)
    assert "Who dies without the outcome is censored: the curve and the hazard ratios are" in told
    assert "1 minus the curve is not the share of patients who get the outcome" in told
    assert "- the curve of the outcome, not a share of patients, at 12 and 24 months" in told
    assert "- the area under that curve, in months, within the first 12 months" in told
    assert "the share without" not in told
    alone = _in_one_line(asked.replace("  two: {sex: male}\n", ""))
    assert "is censored: the curve is cause-specific" in alone
    assert "cause-specific" not in _in_one_line(STUDY)
