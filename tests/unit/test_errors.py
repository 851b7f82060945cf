from __future__ import annotations

import pytest

from simulator.errors import (
    CohortiumError,
    Interrupted,
    Refused,
    TooFewAnswers,
    UserError,
    VerificationFailed,
    nearest,
    one_of,
)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (CohortiumError, 1),
        (UserError, 2),
        (Refused, 3),
        (TooFewAnswers, 4),
        (VerificationFailed, 5),
        (Interrupted, 130),
    ],
)
def test_each_kind_has_its_exit_code(kind: type[CohortiumError], code: int) -> None:
    assert kind("something").exit_code == code


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (UserError("it is wrong"), "it is wrong"),
        (UserError("it is wrong", where="a.yaml:1:2"), "a.yaml:1:2: it is wrong"),
        (UserError("it is wrong", hint="Do this."), "it is wrong\n  Do this."),
        (UserError("it", where="a", hint="Do."), "a: it\n  Do."),
    ],
)
def test_an_error_says_where_what_and_what_to_do(error: UserError, text: str) -> None:
    assert str(error) == text


@pytest.mark.parametrize(
    ("word", "hint"),
    [("occurence", "Did you mean 'occurrence'?"), ("occurrence", "Did you mean 'occurrence'?")],
)
def test_the_nearest_word_is_named(word: str, hint: str) -> None:
    assert nearest(word, ["occurrence", "dates"]) == hint


@pytest.mark.parametrize("known", [[], ["completely", "different"]])
def test_nothing_is_named_where_nothing_is_near(known: list[str]) -> None:
    assert nearest("xyz", known) is None


@pytest.mark.parametrize(
    ("words", "text"),
    [([], ""), (["a"], "'a'"), (["a", "b"], "'a' or 'b'"), (["a", "b", "c"], "'a', 'b' or 'c'")],
)
def test_words_are_listed_as_a_person_lists_them(words: list[str], text: str) -> None:
    assert one_of(words) == text
