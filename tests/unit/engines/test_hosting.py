"""What runs in a process that holds sites, looked at from the other end of its socket."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import msgspec
import pytest

from simulator.engines.frames import (
    Answered,
    Ask,
    Begin,
    Cutter,
    GaveUp,
    GiveUp,
    Order,
    Ready,
    Unfit,
    Word,
    framed,
    read_word,
)
from simulator.engines.hosting import serve
from tests.unit.engines import odd


class Hub:
    """The hub's end of a socket that a thread serves."""

    def __init__(self) -> None:
        self.channel, theirs = socket.socketpair()
        self._theirs = theirs
        self._words = self._read()
        self.thread = threading.Thread(target=serve, args=(theirs,))
        self.thread.start()

    def say(self, order: Order) -> None:
        self.channel.sendall(framed(order))

    def hear(self) -> Word:
        return next(self._words)

    def leave(self) -> None:
        self.channel.close()
        self.thread.join(30.0)
        self._theirs.close()
        assert not self.thread.is_alive()

    def _read(self) -> Iterator[Word]:
        cutter = Cutter()
        while data := self.channel.recv(4096):
            yield from map(read_word, cutter.feed(data))


@pytest.fixture
def hub() -> Iterator[Hub]:
    there = Hub()
    yield there
    there.leave()


def begin(function: Callable[..., object] = odd.make, **told: str) -> Begin:
    name = f"{function.__module__}:{function.__qualname__}"
    return Begin(name, msgspec.msgpack.encode(told), tuple(told), 1)


def test_sites_are_made_and_asked(hub: Hub) -> None:
    hub.say(begin(a="name", b="echo"))
    assert hub.hear() == Ready()
    hub.say(Ask(7, 30.0, {"a": b"", "b": b"data"}))
    assert hub.hear() == Answered(7, "a", b"a")
    assert hub.hear() == Answered(7, "b", b"data")


def test_an_answer_bears_the_number_of_the_exchange_that_asked(hub: Hub) -> None:
    hub.say(begin(a="sleep 0.4", b="echo"))
    assert hub.hear() == Ready()
    hub.say(Ask(1, 30.0, {"a": b"one"}))
    hub.say(Ask(2, 30.0, {"b": b"two"}))
    assert hub.hear() == Answered(2, "b", b"two")
    assert hub.hear() == Answered(1, "a", b"one")


def test_what_is_given_up_is_interrupted_and_the_rest_not_begun(hub: Hub) -> None:
    hub.say(begin(a="patient", b="echo"))
    assert hub.hear() == Ready()
    hub.say(Ask(1, 30.0, {"a": b"one", "b": b"one"}))
    hub.say(GiveUp(1, 20.0))
    assert hub.hear() == Answered(1, "a", b"one")
    assert hub.hear() == GaveUp(1)


def test_there_may_be_nothing_to_give_up(hub: Hub) -> None:
    hub.say(begin(a="echo"))
    assert hub.hear() == Ready()
    hub.say(GiveUp(1, 20.0))
    assert hub.hear() == GaveUp(1)


def test_sites_that_cannot_be_opened_are_told(hub: Hub) -> None:
    hub.say(begin(odd.unfit, b="echo"))
    assert hub.hear() == Unfit("there is nothing", "site 'b'", "Build it.")
    hub.thread.join(30.0)
    assert not hub.thread.is_alive()


def test_whatever_else_comes_first_is_the_end(hub: Hub) -> None:
    hub.say(Ask(1, 1.0, {}))
    hub.thread.join(30.0)
    assert not hub.thread.is_alive()


def test_when_the_hub_is_gone_what_is_under_way_is_interrupted() -> None:
    hub = Hub()
    hub.say(begin(a="patient"))
    assert hub.hear() == Ready()
    hub.say(Ask(1, 60.0, {"a": b""}))
    started = time.monotonic()
    hub.leave()
    assert time.monotonic() - started < 10.0


def test_who_leaves_before_anything_is_said_is_not_waited_for() -> None:
    Hub().leave()
