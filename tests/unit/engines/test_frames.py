"""Frames arrive whole in whatever pieces they come, and nothing else passes for one."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.engines.frames import (
    Answered,
    Ask,
    Begin,
    BrokenFrame,
    Cutter,
    GaveUp,
    GiveUp,
    Order,
    Ready,
    Unfit,
    Word,
    framed,
    read_order,
    read_word,
)

_SECONDS = st.floats(0.0, 1e6)
_NUMBERS = st.integers(0, 2**63)
_NAMES = st.text(max_size=9)
ORDERS: st.SearchStrategy[Order] = st.one_of(
    st.builds(
        Begin, _NAMES, st.binary(max_size=50), st.lists(_NAMES).map(tuple), st.integers(1, 9)
    ),
    st.builds(Ask, _NUMBERS, _SECONDS, st.dictionaries(_NAMES, st.binary(max_size=300))),
    st.builds(GiveUp, _NUMBERS, _SECONDS),
)
WORDS: st.SearchStrategy[Word] = st.one_of(
    st.just(Ready()),
    st.builds(Unfit, _NAMES, st.none() | _NAMES, st.none() | _NAMES),
    st.builds(Answered, _NUMBERS, _NAMES, st.binary(max_size=300)),
    st.builds(GaveUp, _NUMBERS),
)


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """The bodies in a stream that comes in pieces of the given sizes, and a last one."""
    cutter, found, start = Cutter(), list[bytes](), 0
    for size in [*sizes, len(data)]:
        found += cutter.feed(data[start : start + size])
        start += size
    return found


@given(st.lists(ORDERS, max_size=5), st.lists(st.integers(1, 99)))
def test_orders_arrive_whatever_the_pieces(orders: list[Order], sizes: list[int]) -> None:
    stream = b"".join(map(framed, orders))
    assert [read_order(body) for body in cut(stream, sizes)] == orders


@given(st.lists(WORDS, max_size=5), st.lists(st.integers(1, 99)))
def test_words_arrive_whatever_the_pieces(words: list[Word], sizes: list[int]) -> None:
    stream = b"".join(map(framed, words))
    assert [read_word(body) for body in cut(stream, sizes)] == words


@given(WORDS)
def test_what_is_cut_short_is_waited_for(word: Word) -> None:
    assert cut(framed(word)[:-1], []) == []


@given(st.binary(max_size=40))
def test_no_bytes_do_harm(data: bytes) -> None:
    try:
        word = read_word(data)
    except BrokenFrame:
        return
    assert read_word(framed(word)[4:]) == word


@given(WORDS)
def test_a_word_is_no_order(word: Word) -> None:
    with pytest.raises(BrokenFrame):
        read_order(framed(word)[4:])


def test_a_frame_that_announces_too_much_is_none_of_ours() -> None:
    cutter = Cutter(longest=5)
    assert list(cutter.feed(struct.pack(">I", 5) + b"whole" + struct.pack(">I", 6)[:3])) == [
        b"whole"
    ]
    with pytest.raises(BrokenFrame, match="expected at most 5 bytes; found 6"):
        list(cutter.feed(struct.pack(">I", 6)[3:]))
