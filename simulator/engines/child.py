"""One process that holds sites, seen from the hub's side of its socket."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from typing import Final

from simulator.engines.frames import (
    Begin,
    BrokenFrame,
    Cutter,
    Order,
    Word,
    framed,
    read_word,
)

_PIECE: Final = 262_144


class Child:
    """A process of our own Python, joined by a socket that it alone holds the other end of.

    It is started anew, not forked, as a copy of a process with DuckDB's threads would not work. It
    stands in a process group of its own, so that Ctrl-C in a terminal reaches only its parent.

    Args:
        begin: What it is told first.
    """

    def __init__(self, begin: Begin) -> None:
        self.sites = begin.sites
        self.alive = True
        self.ready = False
        self._unsent = bytearray()
        self._cutter = Cutter()
        self.channel, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                # -P: the folder that the user stands in is no place to import from.
                [sys.executable, "-P", "-m", "simulator.engines.hosting", str(number)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[number],
                process_group=0,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(map(_whole, sys.path))},
            )
        self.channel.setblocking(False)  # noqa: FBT003 - the socket's own way
        self.post(begin)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def unsent(self) -> bool:
        """Whether something waits to be sent."""
        return bool(self._unsent)

    def post(self, order: Order) -> None:
        """Sends an order, as far as the socket takes it now; `send` sends the rest."""
        self._unsent += framed(order)
        self.send()

    def send(self) -> None:
        """Sends what waits, as far as the socket takes it now."""
        try:
            sent = self.channel.send(self._unsent)
        except BlockingIOError:
            return
        except OSError:  # it has ended, which `receive` will find
            sent = len(self._unsent)
        del self._unsent[:sent]

    def receive(self) -> tuple[list[Word], bool]:
        """What has come, and whether it goes on: not after the end, nor after what is no frame."""
        words: list[Word] = []
        try:
            data = self.channel.recv(_PIECE)
            words.extend(read_word(body) for body in self._cutter.feed(data))
        except BlockingIOError:
            return [], True
        except (OSError, BrokenFrame):
            return words, False
        return words, bool(data)

    def end(self) -> None:
        """Ends the process at once, in whatever state it is."""
        self.alive = False
        self.channel.close()
        self._process.kill()
        self._process.wait()

    def wait(self, seconds: float) -> None:
        """Waits for the process to end by itself.

        Raises:
            subprocess.TimeoutExpired: It has not.
        """
        self._process.wait(seconds)


def dismiss(children: Iterable[Child], seconds: float) -> None:
    """Closes the sockets, so that the processes end by themselves, and ends those that do not.

    Args:
        children: The processes.
        seconds: How long all of them together are waited for.
    """
    staying = [child for child in children if child.alive]
    for child in staying:
        child.channel.close()
    ends = time.monotonic() + seconds
    try:
        for child in staying:
            child.wait(max(ends - time.monotonic(), 0.0))
    except subprocess.TimeoutExpired:
        pass
    finally:
        for child in staying:
            child.end()


def _whole(place: str) -> str:
    """A place to import from, which is the current folder where it is empty."""
    return place or os.getcwd()  # noqa: PTH109 - a text among texts
