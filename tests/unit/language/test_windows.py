from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from simulator.language.codes import Code, ConceptSet
from simulator.language.windows import AgeRange, Count, DateRange, Window

JUNE = dt.date(2020, 6, 1)


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("-90 to -1", Window(-90, -1)),
        ("any to 0", Window(None, 0)),
        ("+1 to any", Window(1, None)),
        ("0", Window(0, 0)),
        ("any", Window()),
    ],
)
def test_windows(text: str, window: Window) -> None:
    assert Window.parse(text) == window
    assert Window.parse(str(window)) == window


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("2020-06-01 to 2020-06-02", DateRange(JUNE, dt.date(2020, 6, 2))),
        ("any to 2020-06-01", DateRange(None, JUNE)),
        ("2020-06-01 to any", DateRange(JUNE)),
        ("2020-06-01", DateRange(JUNE, JUNE)),
        ("any", DateRange()),
    ],
)
def test_dates(text: str, dates: DateRange) -> None:
    assert DateRange.parse(text) == dates
    assert DateRange.parse(str(dates)) == dates


@pytest.mark.parametrize(
    ("text", "age"),
    [("18 to 75", AgeRange(18, 75)), ("18 to any", AgeRange(18)), ("40", AgeRange(40, 40))],
)
def test_ages(text: str, age: AgeRange) -> None:
    assert AgeRange.parse(text) == age
    assert AgeRange.parse(str(age)) == age


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("at least 2", Count(2)),
        ("at most 1", Count(0, 1)),
        ("exactly 3", Count(3, 3)),
        ("exactly 0", Count(0, 0)),
        ("at least 2 days", Count(2, None, distinct_days=True)),
    ],
)
def test_counts(text: str, count: Count) -> None:
    assert Count.parse(text) == count
    assert Count.parse(str(count)) == count


def test_a_count_between_has_words_too() -> None:
    assert str(Count(2, 3)) == "2 to 3"
    assert str(Count(2, 3, distinct_days=True)) == "2 to 3 days"


@pytest.mark.parametrize(
    ("parse", "text", "said"),
    [
        (Window.parse, "1 to 0", "an impossible window: it starts on day 1 and ends on day 0, whi"),
        (Window.parse, "-100001 to 0", "a window reaches at most 100000 days; found -100001"),
        (Window.parse, "0 to 100001", "a window reaches at most 100000 days; found 100001"),
        (Window.parse, "1 to 2 to 3", "expected 'A to B'; found '1 to 2 to 3'"),
        (Window.parse, "1.5 to 2", "expected a whole number or 'any'; found '1.5'"),
        (DateRange.parse, "2020-06-02 to 2020-06-01", "an impossible span of dates: 2020-06-02 is"),
        (DateRange.parse, "June to any", "Invalid isoformat string: 'June'"),
        (AgeRange.parse, "-1 to 5", "an age must be 0 to 130 years; found -1"),
        (AgeRange.parse, "5 to 131", "an age must be 0 to 130 years; found 131"),
        (AgeRange.parse, "6 to 5", "an impossible age: 6 is more than 5"),
        (Count.parse, "2", "expected 'at least 2' or 'at least 2 days'; found '2'"),
        (Count.parse, "at least 2000000000", "a count is at most 1000000000; found 'at least 2000"),
        (Code.parse, "C50", "expected '<vocabulary> <code>'; found 'C50'"),
    ],
)
def test_what_cannot_be_says_why(parse: Callable[[str], object], text: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole message is compared
        parse(text)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(("at_least", "at_most"), [(-1, None), (3, 2)])
def test_counts_that_cannot_be(at_least: int, at_most: int | None) -> None:
    with pytest.raises(ValueError, match=r"cannot be negative|impossible count"):
        Count(at_least, at_most)


@pytest.mark.parametrize("text", ["ICD10CM C50 with descendants", "CPT4 37243"])
def test_codes_are_written_as_they_are_read(text: str) -> None:
    assert str(Code.parse(text)) == text


def test_a_concept_set_is_never_empty() -> None:
    with pytest.raises(ValueError, match="the concept set 'x' includes no code"):
        ConceptSet("x", ())
