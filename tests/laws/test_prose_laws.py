"""A description never fails, is always the same, and tells any two questions apart."""

from __future__ import annotations

import os
from typing import Final

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st

from simulator.language.criteria import Criterion
from simulator.language.prose import criterion_in_words, describe
from simulator.language.study import Question
from tests.support.asked import asked
from tests.support.changes import changes, says_the_same
from tests.support.questions import criteria, questions

_MANY: Final = int(os.environ.get("EXAMPLES", "1000"))
_HEALTH: Final = (HealthCheck.too_slow, HealthCheck.data_too_large)
_few = settings(derandomize=True, max_examples=60, deadline=None, suppress_health_check=_HEALTH)
_many = settings(max_examples=_MANY, deadline=None, suppress_health_check=_HEALTH, database=None)


@_few
@given(question=questions(3))
def test_a_description_never_fails_and_is_always_the_same(question: Question) -> None:
    _described(question)


@pytest.mark.laws
@_many
@given(question=questions(3))
def test_a_description_never_fails_and_is_always_the_same_for_long(question: Question) -> None:
    _described(question)


@_few
@given(question=questions(), data=st.data())
def test_questions_that_differ_are_described_differently(
    question: Question, data: st.DataObject
) -> None:
    _told_apart(question, data)


@pytest.mark.laws
@_many
@given(question=questions(), data=st.data())
def test_questions_that_differ_are_described_differently_for_long(
    question: Question, data: st.DataObject
) -> None:
    _told_apart(question, data)


@_few
@given(criterion=criteria(3))
def test_a_criterion_is_one_line_with_every_parenthesis_closed(criterion: Criterion) -> None:
    said = criterion_in_words(criterion)
    assert said.splitlines() == [said]
    assert said.count("(") == said.count(")")


def _described(question: Question) -> None:
    inquiry = asked(question)
    said = describe(inquiry)
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(inquiry), type=type(inquiry))
    assert describe(again) == said
    assert all(len(line) <= 80 and line == line.rstrip() for line in said.splitlines())


def _told_apart(question: Question, data: st.DataObject) -> None:
    found = [
        (path, other)
        for path, other in changes(question)
        if not says_the_same(question, other, path)
    ]
    assume(found)
    said = describe(asked(question))
    for path, other in data.draw(st.lists(st.sampled_from(found), min_size=1, max_size=8)):
        note(f"changed: {path}")
        # A study without its last arm is a cohort, and another name of the first arm another
        # reference: both are said elsewhere, too.
        assert describe(asked(other)) != said
