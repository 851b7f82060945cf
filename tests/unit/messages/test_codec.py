"""Every message comes back from its bytes as it was, and nothing else is taken for one."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import get_args

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.aggregates.grid import Grid, Unit
from simulator.language.criteria import Domain
from simulator.language.reading import read_study
from simulator.language.study import Question
from simulator.messages.catalogue import Catalogue, CodeKnowledge, Described, Holding, Knowledge
from simulator.messages.codec import (
    MalformedMessage,
    decode_answer,
    decode_cells,
    decode_request,
    encode,
    encode_cells,
)
from simulator.messages.masked import (
    KeysAnswer,
    KeysRequest,
    MaskedAnswer,
    MaskedRequest,
    RevealAnswer,
    RevealRequest,
    SharesAnswer,
    SharesRequest,
)
from simulator.messages.needs import AttritionNeed, SurvivalNeed, layout_of
from simulator.messages.protocol import Answer, Request
from simulator.messages.requests import (
    Apology,
    CatalogueAnswer,
    CatalogueRequest,
    Refusal,
    ReleaseTerms,
    RoundAnswer,
    RoundRequest,
    Trouble,
    roster_hash,
)
from simulator.privacy.masking.wire import PublicKeys, Revealed, Sealed
from simulator.privacy.release import Noise, Place
from tests.support.questions import questions

QUESTION = read_study("bclm").question
ROUND = RoundRequest(
    run="run",
    round=1,
    roster=roster_hash(("a", "b")),
    roster_size=2,
    release=ReleaseTerms("secure-sum", 1, 11),
    question=QUESTION,
    needs=(AttritionNeed(), SurvivalNeed(Grid(Unit.MONTH, 103))),
)
HELD = Holding(Domain.DRUG, dt.date(2015, 1, 1), dt.date(2024, 7, 31))
KNOWN = CodeKnowledge("set", (Knowledge.FOUND, Knowledge.VOCABULARY_ABSENT))
KEYS = PublicKeys("b", bytes(range(32)), bytes(range(32, 64)))
SEALED = Sealed("b", "a", bytes(82))
NOISY = ReleaseTerms("dp", 1, noise=Noise("3/10", "skellam", 50, 2))
AT_SITES = ReleaseTerms("suppress-10", 1, place=Place.SITE)
REQUESTS: tuple[Request, ...] = (
    ROUND,
    msgspec.structs.replace(ROUND, release=NOISY),
    msgspec.structs.replace(ROUND, release=AT_SITES),
    CatalogueRequest(QUESTION.codes),
    KeysRequest(ROUND, 32),
    SharesRequest("run", 1, ("a", "b"), (KEYS,), 3),
    MaskedRequest("run", 1, (SEALED,)),
    RevealRequest("run", 1, ("a",), ("b",)),
)
ANSWERS: tuple[Answer, ...] = (
    CatalogueAnswer(Described(Catalogue("a", 20, (HELD,), ("CPT4",), True), (KNOWN,))),  # noqa: FBT003
    RoundAnswer("a", "run", 1, ROUND.roster, (encode_cells(np.arange(3)), b"")),
    RoundAnswer("a", "run", 1, ROUND.roster, (encode_cells(np.arange(9)),), (b"\x80\x01",)),
    KeysAnswer("b", "run", 1, KEYS),
    SharesAnswer("b", "run", 1, (SEALED,)),
    MaskedAnswer("a", "run", 1, bytes(range(12))),
    RevealAnswer("a", "run", 1, Revealed("a", {"a": bytes(33)}, {"b": bytes(33)})),
    Refusal("a", "its policy says no"),
    Apology("a", Trouble.DEADLINE),
)


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda message: type(message).__name__)
def test_a_request_comes_back(request_: Request) -> None:
    assert decode_request(encode(request_)) == request_


def test_every_message_is_tried() -> None:
    assert {type(message) for message in REQUESTS} == {*get_args(Request)}
    assert {type(message) for message in ANSWERS} == {*get_args(Answer)}


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda message: type(message).__name__)
def test_an_answer_comes_back(answer: Answer) -> None:
    assert decode_answer(encode(answer)) == answer


@settings(derandomize=True, max_examples=60, suppress_health_check=[*HealthCheck], deadline=None)
@given(asked=questions())
def test_every_question_comes_back(asked: Question) -> None:
    request = msgspec.structs.replace(ROUND, question=asked, needs=(AttritionNeed(),))
    assert decode_request(encode(request)) == request


def test_a_round_cannot_ask_twice_for_the_same() -> None:
    with pytest.raises(ValueError, match="a need stands there twice"):
        msgspec.structs.replace(ROUND, needs=(AttritionNeed(), AttritionNeed()))


def test_a_survival_table_has_the_questions_horizon() -> None:
    months = ROUND.question.follow_up.months + 1
    with pytest.raises(ValueError, match="beyond the question's horizon"):
        msgspec.structs.replace(ROUND, needs=(SurvivalNeed(Grid(Unit.MONTH, months)),))


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda message: type(message).__name__)
def test_an_answer_is_no_request(answer: Answer) -> None:
    with pytest.raises(MalformedMessage):
        decode_request(encode(answer))


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda message: type(message).__name__)
def test_a_request_is_no_answer(request_: Request) -> None:
    with pytest.raises(MalformedMessage):
        decode_answer(encode(request_))


@settings(derandomize=True, max_examples=200)
@given(data=st.binary(max_size=60))
def test_noise_is_no_message(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode_request(data)
    with pytest.raises(MalformedMessage):
        decode_answer(data)


@settings(derandomize=True, max_examples=200)
@given(place=st.integers(0, 10**6), value=st.integers(0, 255))
def test_a_damaged_message_is_malformed_or_another_message(place: int, value: int) -> None:
    """Whatever a byte becomes, only one kind of error can come out."""
    data = bytearray(encode(ROUND))
    data[place % len(data)] = value
    with contextlib.suppress(MalformedMessage):
        decode_request(bytes(data))
    answer = bytearray(encode(ANSWERS[place % len(ANSWERS)]))
    answer[place % len(answer)] = value
    with contextlib.suppress(MalformedMessage):
        decode_answer(bytes(answer))


def test_a_question_nested_without_end_is_malformed() -> None:
    """Groups within groups, until no stack is deep enough."""
    inner = msgspec.msgpack.encode({"type": "sex", "sex": "female"})
    opening = b"\x83\xa4type\xa5group\xa4rule\xa3all\xa7members\x91"
    content = msgspec.msgpack.decode(encode(ROUND))
    content["question"]["arms"][0]["require"] = 4711
    head, tail = msgspec.msgpack.encode(content).split(msgspec.msgpack.encode(4711))
    data = head + opening * 100_000 + inner + tail
    with pytest.raises(MalformedMessage):
        decode_request(data)


@pytest.mark.parametrize("cut", [1, 10, 100, 1000])
def test_a_message_cut_short_is_malformed(cut: int) -> None:
    with pytest.raises(MalformedMessage):
        decode_request(encode(ROUND)[:-cut])


def test_a_request_that_cannot_be_is_malformed() -> None:
    """The checks of the values hold at the door too: here a horizon of 601 months."""
    content = msgspec.msgpack.decode(encode(ROUND))
    content["needs"][1]["grid"]["months"] = 601
    with pytest.raises(MalformedMessage, match="1 to 600 months"):
        decode_request(msgspec.msgpack.encode(content))


def test_a_request_names_no_table_no_column_and_no_code_of_a_program() -> None:
    """What a request can express is the language's words; SQL is made at the site."""
    text = encode(ROUND).lower()
    for word in (b"select", b"person_id", b"occurrence_id", b"cdm", b"duckdb", b"lambda"):
        assert word not in text


@settings(derandomize=True, max_examples=100)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20))
def test_cells_come_back(cells: list[int]) -> None:
    data = encode_cells(np.array(cells, dtype=np.int64))
    assert decode_cells(data, len(cells)).tolist() == cells


def test_cells_are_little_endian_and_eight_bytes_each() -> None:
    assert encode_cells(np.array([1, 256], dtype=np.int64)) == bytes(
        [1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    )


@pytest.mark.parametrize("size", [0, 8, 15, 17, 24])
def test_another_number_of_cells_is_malformed(size: int) -> None:
    with pytest.raises(MalformedMessage, match="2 cells were expected"):
        decode_cells(bytes(size), 2)


def test_a_roster_is_its_names_in_their_order() -> None:
    assert roster_hash(("a", "b")) != roster_hash(("b", "a"))
    assert roster_hash(("a", "b")) != roster_hash(("ab",))
    assert len(roster_hash(())) == 64


def test_site_and_hub_derive_the_same_layout() -> None:
    request = decode_request(encode(ROUND))
    assert isinstance(request, RoundRequest)
    for mine, theirs in zip(ROUND.needs, request.needs, strict=True):
        assert layout_of(mine, QUESTION) == layout_of(theirs, request.question)
