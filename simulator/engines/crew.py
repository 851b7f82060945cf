"""A few threads that carry the messages of one exchange to sites of this process."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final, Protocol

_REPEAT_SECONDS: Final = 0.05


class Door(Protocol):
    """A site, seen from outside."""

    def handle(self, data: bytes, seconds: float) -> bytes:
        """The answer to a request, within so many seconds."""

    def interrupt(self) -> None:
        """Stops what is being looked up."""


class Crew:
    """Threads that begin at once, each taking the next message until none is left.

    Args:
        doors: The sites.
        messages: A message for each site that is asked, in the order in which they are begun.
        seconds: The time until the deadline; each site is told how much of it is left.
        jobs: How many threads work at once, at least 1.
        deliver: Takes a site's answer; is called in the thread that has it.
    """

    def __init__(
        self,
        doors: Mapping[str, Door],
        messages: Mapping[str, bytes],
        seconds: float,
        jobs: int,
        deliver: Callable[[str, bytes], None],
    ) -> None:
        self._doors = doors
        self._ends = time.monotonic() + seconds
        self._deliver = deliver
        self._stop = threading.Event()
        self._waiting: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
        for message in messages.items():
            self._waiting.put(message)
        self._threads = [
            # Daemons: a site that hangs must not keep the program from ending.
            threading.Thread(target=self._work, daemon=True)
            for _ in range(min(jobs, len(messages)))
        ]
        for thread in self._threads:
            thread.start()

    def give_up(self, seconds: float) -> None:
        """Begins no further message and interrupts the sites until all threads have ended.

        A query that ran on while the program ends would bring the whole process down. An interrupt
        that falls between two queries is lost, therefore it is repeated.

        Args:
            seconds: After which a site that does not listen is left behind.
        """
        self._stop.set()
        ends = time.monotonic() + seconds
        while (working := [one for one in self._threads if one.is_alive()]) and (
            time.monotonic() < ends
        ):
            working[0].join(_REPEAT_SECONDS)
            for door in self._doors.values():
                door.interrupt()

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                site, data = self._waiting.get_nowait()
            except queue.Empty:
                return
            self._deliver(site, self._doors[site].handle(data, self._ends - time.monotonic()))
