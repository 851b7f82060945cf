"""A wire to sites in processes of this machine, to which it talks by bytes alone."""

from __future__ import annotations

import selectors
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from simulator.engines.child import Child, dismiss
from simulator.engines.frames import Answered, Ask, Begin, GaveUp, GiveUp, Ready, Unfit, Word
from simulator.engines.hosting import Factory
from simulator.errors import UserError
from simulator.hub.wire import Failure, Lost, Reply

GRACE_SECONDS: Final = 2.0
"""How long an answer may take to come in after the deadline, and a process to end."""

# For each process, as few cores may have to start many.
_START_SECONDS: Final = 30.0
# How many start at once: more would only stand in each other's way.
_AT_ONCE: Final = 8


class Why(StrEnum):
    """Why an answer was not used."""

    LATE = "it came after its exchange had ended"
    TWICE = "the site had answered already"


@dataclass(frozen=True)
class Stray:
    """An answer that was not used.

    Attributes:
        site: The site.
        exchange: The number of the exchange that it belongs to; the wire's first is 1.
        why: Why it was not used.
    """

    site: str
    exchange: int
    why: Why

    def __str__(self) -> str:
        return f"{self.site}: its answer {self.why}, and was not used"


def deal(sites: Sequence[str], processes: int) -> tuple[tuple[str, ...], ...]:
    """Deals sites out to processes, one after the other; no process is left without a site."""
    return tuple(tuple(sites[start::processes]) for start in range(min(processes, len(sites))))


class ProcessesWire:
    """Groups of sites, each in a process that holds their databases.

    The processes are started at once and end with `close`, with the wire, or with this process,
    however it ends. One that ends before is not started anew: its sites are lost to this wire from
    then on, as their state is, which a run with several rounds may stand on. One that sends what
    does not fit is ended. One exchange is held at a time, by one thread.

    An answer that comes after its exchange, or a second one, is never handed on; `strays` tells of
    it. The first answer stands: it was the site's when it was taken. A third ends the process.

    Args:
        groups: The sites of each process.
        factory: Makes the sites in the process; is found there by the name of its module and its
            own, so it stands at the top of a module that can be imported.
        settings: What it is given besides the sites' names.
        threads: How many sites of a process work at once.
        grace: How long, in seconds, an answer may take to come in after the deadline.

    Raises:
        UserError: The sites of a process cannot be opened, in the words of its factory.
    """

    def __init__(
        self,
        groups: Sequence[Sequence[str]],
        factory: Factory,
        settings: bytes = b"",
        *,
        threads: int = 2,
        grace: float = GRACE_SECONDS,
    ) -> None:
        self._grace = grace
        self._number = 0
        # Answers that are owed, by exchange and site.
        self._owed: set[tuple[int, str]] = set()
        self._strays: dict[Stray, None] = {}
        self._selector = selectors.DefaultSelector()
        self._children: list[Child] = []
        # Also at the end of the program, where nobody closes it.
        self._close = weakref.finalize(self, dismiss, self._children, GRACE_SECONDS)
        name = f"{factory.__module__}:{factory.__qualname__}"
        try:
            self._start([Begin(name, settings, tuple(group), threads) for group in groups])
        except BaseException:
            self.close()
            raise
        self._homes = {site: child for child in self._children for site in child.sites}

    @property
    def strays(self) -> tuple[Stray, ...]:
        """The answers that were not used, in order of arrival."""
        return tuple(self._strays)

    @property
    def processes(self) -> Mapping[int, tuple[str, ...]]:
        """The sites of each process that lives, by the process's number."""
        return {child.pid: child.sites for child in self._children if child.alive}

    def close(self) -> None:
        """Ends all processes; closing again does nothing."""
        self._selector.close()
        self._close()

    def exchange(self, messages: Mapping[str, bytes], seconds: float) -> Iterator[Reply | Failure]:
        """Carries one message to each site; see `simulator.hub.wire.Wire`."""
        self._number += 1
        number, ends = self._number, time.monotonic() + seconds
        missing = {site: home for site in messages if (home := self._homes.get(site))}
        self._ask(number, messages, seconds)
        try:
            for site in messages:
                if site not in missing:
                    yield Failure(site, Lost.OFF_LINE)
            while missing:
                for site in [site for site, home in missing.items() if not home.alive]:
                    del missing[site]
                    yield Failure(site, Lost.CRASHED)
                left = ends + self._grace - time.monotonic()
                if not missing or left <= 0.0:
                    break
                for reply in self._replies(number, left):
                    del missing[reply.site]
                    yield reply
            for site in missing:
                yield Failure(site, Lost.SILENT)
        finally:
            self._give_up(number, {home for home in missing.values() if home.alive})

    def _ask(self, number: int, messages: Mapping[str, bytes], seconds: float) -> None:
        for child in self._children:
            asked = {site: messages[site] for site in child.sites if site in messages}
            if asked and child.alive:
                self._owed.update((number, site) for site in asked)
                child.post(Ask(number, seconds, asked))

    def _give_up(self, number: int, owing: set[Child]) -> None:
        """Stops what nobody listens to any more, and waits for it: no query outlives its exchange.

        What still comes meanwhile is late.
        """
        for child in owing:
            child.post(GiveUp(number, self._grace))
        ends = time.monotonic() + self._grace
        while owing and (left := ends - time.monotonic()) > 0.0:
            for child, word in self._listen(left):
                self._take(child, word)
                if word == GaveUp(number):
                    owing.discard(child)
            owing = {child for child in owing if child.alive}

    def _replies(self, number: int, seconds: float) -> list[Reply]:
        """The answers to an exchange among what comes next."""
        taken = [self._take(child, word, number) for child, word in self._listen(seconds)]
        return [reply for reply in taken if reply is not None]

    def _take(self, child: Child, word: Word | None, number: int | None = None) -> Reply | None:
        """An answer that is owed to an exchange, each once; whatever does not fit ends its process.

        Args:
            child: Who says it.
            word: What is said; None is the end.
            number: The exchange that listens, if any.
        """
        if not child.alive:
            return None
        match word:
            case GaveUp() if self._held(word.exchange):
                return None
            case Answered() if self._held(word.exchange) and word.site in child.sites:
                return self._answer(child, word, number)
            case _:
                self._end(child)
                return None

    def _held(self, number: int) -> bool:
        """Whether there has been such an exchange."""
        return 1 <= number <= self._number

    def _answer(self, child: Child, word: Answered, number: int | None) -> Reply | None:
        """An answer that is owed to an exchange; any other is a stray."""
        owed = (word.exchange, word.site)
        if owed in self._owed and word.exchange == number:
            self._owed.remove(owed)
            return Reply(word.site, word.data)
        stray = Stray(word.site, word.exchange, Why.LATE if owed in self._owed else Why.TWICE)
        if stray in self._strays:
            self._end(child)
        self._owed.discard(owed)
        self._strays[stray] = None
        return None

    def _listen(self, seconds: float) -> list[tuple[Child, Word | None]]:
        """Sends what waits, and gives what comes next from any process; its end as None."""
        for child in self._children:
            if child.alive:
                wanted = selectors.EVENT_WRITE if child.unsent else 0
                self._selector.modify(child.channel, selectors.EVENT_READ | wanted, child)
        heard: list[tuple[Child, Word | None]] = []
        for key, ready in self._selector.select(seconds):
            speaker: Child = key.data
            if ready & selectors.EVENT_WRITE:
                speaker.send()
            if ready & selectors.EVENT_READ:
                words, goes_on = speaker.receive()
                heard += [(speaker, word) for word in words]
                if not goes_on:
                    heard.append((speaker, None))
        return heard

    def _end(self, child: Child) -> None:
        if child.alive:
            self._selector.unregister(child.channel)
            child.end()

    def _start(self, groups: Sequence[Begin]) -> None:
        """Starts the processes, a few at a time, until each is ready or has ended.

        Raises:
            UserError: The sites of a process cannot be opened.
        """
        unfit: dict[int, Unfit] = {}
        waiting = list(reversed(groups))
        ends = time.monotonic() + _START_SECONDS * len(groups)
        while True:
            starting = [one for one in self._children if one.alive and not one.ready]
            while waiting and len(starting) < _AT_ONCE:
                starting.append(self._launch(waiting.pop()))
            if not starting:
                break
            if time.monotonic() > ends:
                for child in starting:
                    self._end(child)
            unfit |= self._greet(max(ends - time.monotonic(), 0.0))
        if unfit:
            first = unfit[min(unfit)]
            raise UserError(first.message, where=first.where, hint=first.hint)

    def _greet(self, seconds: float) -> dict[int, Unfit]:
        """Hears next which processes are ready; gives those that cannot be, by their place."""
        unfit = {}
        for child, word in self._listen(seconds):
            child.ready = isinstance(word, Ready) and not child.ready
            if isinstance(word, Unfit):
                unfit[self._children.index(child)] = word
            if not child.ready:
                self._end(child)
        return unfit

    def _launch(self, begin: Begin) -> Child:
        child = Child(begin)
        self._children.append(child)
        self._selector.register(child.channel, selectors.EVENT_READ, child)
        return child
