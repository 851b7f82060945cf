"""A site's door: bytes in, bytes out, and no exception in between."""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from simulator.errors import CohortiumError
from simulator.messages.codec import MalformedMessage, decode_request, encode
from simulator.messages.requests import (
    Answer,
    Apology,
    CatalogueAnswer,
    CatalogueRequest,
    Request,
    RoundRequest,
    Trouble,
)
from simulator.site.answering import answer
from simulator.site.catalogue import CatalogueFile
from simulator.site.guard import Clock, Guard
from simulator.site.ledger import Ledger, LedgerError
from simulator.site.policy import Policy
from simulator.site.pool import StorePool
from simulator.site.store import Store

_KEPT_ROUNDS: Final = 32
_EXPIRY: Final = dt.timedelta(hours=1)
_REPEAT_SECONDS: Final = 0.05


class Node:
    """One site: its database, catalogue, policy and ledger.

    A node remembers the answers of recent rounds, so that a request that comes twice is answered
    alike and looked up once, and the roster of each run, so that a run cannot change it.

    Args:
        folder: The site's folder; its name is the site's name.
        catalogue: What the site says it holds.
        policy: Its policy, or None where it is missing or unreadable.
        ledger: Where decisions are written.
        stores: The stores shared by the nodes of this process.
        clock: The time in UTC.
    """

    def __init__(
        self,
        folder: Path,
        catalogue: CatalogueFile,
        policy: Policy | None,
        ledger: Ledger,
        stores: StorePool,
        clock: Clock,
    ) -> None:
        self.site = folder.name
        self._folder = folder
        self._catalogue = catalogue
        self._stores = stores
        self._clock = clock
        persons = catalogue.catalogue.persons
        self._guard = Guard(self.site, policy, persons, ledger, clock)
        # A deadline that has passed leaves a thread at work, which may meet the next attempt's.
        self._lock = threading.Lock()
        self._rounds: OrderedDict[tuple[str, int], tuple[dt.datetime, RoundRequest, bytes]] = (
            OrderedDict()
        )

    def handle(self, data: bytes, seconds: float) -> bytes:
        """The answer to a request, within so many seconds; every failure is an answer too."""
        try:
            request = decode_request(data)
        except MalformedMessage:
            return encode(Apology(self.site, Trouble.REQUEST))
        try:
            return self._handle(request, seconds)
        except Exception as error:  # noqa: BLE001  # what failed may hold data, so only that it did
            return encode(self._guard.apology(request, _trouble(error)))

    def interrupt(self) -> None:
        """Stops what is being looked up; the answer is then that the deadline passed."""
        self._stores.interrupt(self._folder)

    def _handle(self, request: Request, seconds: float) -> bytes:
        if isinstance(request, CatalogueRequest):
            described = self._catalogue.describe(request.codes)
            return encode(self._guard.closed(request) or CatalogueAnswer(described))
        with self._lock:
            self._forget()
            known = self._rounds.get((request.run, request.round))
            differs = self._differs(request)
        if known is not None and known[1] == request:
            self._guard.repeat(request)
            return known[2]
        if differs:
            return encode(
                self._guard.refuse(request, "the run has changed its roster or its question")
            )
        reply = encode(self._round(request, seconds))
        with self._lock:
            self._rounds[request.run, request.round] = (self._clock(), request, reply)
        return reply

    def _differs(self, request: RoundRequest) -> bool:
        """Whether a request does not fit what came before it in its run."""

        def fixed(asked: RoundRequest) -> tuple[object, ...]:
            return asked.roster, asked.roster_size, asked.release, asked.question

        return any(
            run == request.run
            and (fixed(earlier) != fixed(request) or earlier.round == request.round)
            for (run, _), (_, earlier, _) in self._rounds.items()
        )

    def _round(self, request: RoundRequest, seconds: float) -> Answer:
        refusal = self._guard.refusal(request)
        if refusal is not None:
            return refusal
        by_month = self._catalogue.catalogue.death_by_month
        with self._stores.lend(self._folder) as store, _deadline(store, seconds):
            tables = answer(store, request.question, request.needs, death_by_month=by_month)
        return self._guard.answer(request, tables)

    def _forget(self) -> None:
        """Lets go of rounds that are old, and of the oldest where there are many."""
        oldest = self._clock() - _EXPIRY
        while self._rounds:
            at, _, _ = next(iter(self._rounds.values()))
            if at >= oldest and len(self._rounds) < _KEPT_ROUNDS:
                return
            self._rounds.popitem(last=False)


def _trouble(error: Exception) -> Trouble:
    """The kind of trouble behind an error, which is all that is told of it."""
    if isinstance(error, duckdb.InterruptException | TimeoutError):
        return Trouble.DEADLINE
    if isinstance(error, duckdb.Error | CohortiumError):
        return Trouble.DATABASE
    if isinstance(error, LedgerError):
        return Trouble.LEDGER
    return Trouble.DEFECT


@contextmanager
def _deadline(store: Store, seconds: float) -> Iterator[None]:
    """Interrupts the store's queries from the deadline on, until the work is given up.

    An interrupt that falls between two queries is lost, therefore it is repeated. Afterwards none
    is under way any more, so that it cannot hit whoever borrows the store next.

    Raises:
        TimeoutError: The time is up before the work begins.
    """
    if seconds <= 0.0:
        raise TimeoutError
    done = threading.Event()

    def watch() -> None:
        patience = seconds
        while not done.wait(patience):
            store.interrupt()
            patience = _REPEAT_SECONDS

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
