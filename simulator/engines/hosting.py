"""Runs in a process that holds sites: answers what comes over a socket, and ends with it."""

from __future__ import annotations

import importlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Final

from simulator.engines.crew import Crew, Door
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
    read_order,
)
from simulator.errors import CohortiumError

_PIECE: Final = 65_536
_GRACE_SECONDS: Final = 1.0

Factory = Callable[[tuple[str, ...], bytes], Mapping[str, Door]]
"""Makes the sites of a process from their names and its settings."""


def serve(channel: socket.socket) -> None:
    """Makes the sites that the first frame names, and answers until the other end is closed.

    Args:
        channel: The socket; is left open.

    Raises:
        BrokenFrame: The other end does not speak as it should.
    """
    lock = threading.Lock()

    def say(word: Word) -> None:
        # Whoever is not there any more cannot be told.
        with suppress(OSError), lock:
            channel.sendall(framed(word))

    orders = _orders(channel)
    first = next(orders, None)
    if not isinstance(first, Begin):
        return
    try:
        doors = _find(first.factory)(first.sites, first.settings)
    except CohortiumError as error:
        say(Unfit(error.message, error.where, error.hint))
        return
    say(Ready())
    _answer(orders, doors, first.threads, say)


def _answer(
    orders: Iterator[Order],
    doors: Mapping[str, Door],
    threads: int,
    say: Callable[[Word], None],
) -> None:
    """One crew for each exchange; what is under way at the end is interrupted."""
    crew: Crew | None = None
    for order in orders:
        match order:
            case Ask():

                def deliver(site: str, data: bytes, exchange: int = order.exchange) -> None:
                    say(Answered(exchange, site, data))

                crew = Crew(doors, order.messages, order.seconds, threads, deliver)
            case GiveUp():
                if crew is not None:
                    crew.give_up(order.seconds)
                say(GaveUp(order.exchange))
    if crew is not None:
        crew.give_up(_GRACE_SECONDS)


def _orders(channel: socket.socket) -> Iterator[Order]:
    """What comes, until the other end is closed, as it also is when its process is killed."""
    cutter = Cutter()
    with suppress(ConnectionError):
        while data := channel.recv(_PIECE):
            for body in cutter.feed(data):
                yield read_order(body)


def _find(name: str) -> Factory:
    """The function behind ``module:function``."""
    module, _, function = name.partition(":")
    found: Factory = getattr(importlib.import_module(module), function)
    return found


def main() -> None:
    """Serves the socket whose number is the only argument, then ends whatever hangs."""
    # Ctrl-C is for the parent, which then closes the socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(socket.socket(fileno=int(sys.argv[1])))
    # Threads of sites that do not listen are left; databases are only read, ledgers are written.
    os._exit(0)


if __name__ == "__main__":
    main()
