"""Looks tables up in a site's database, within a deadline."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from simulator.aggregates.table import Table
from simulator.messages.requests import RoundRequest
from simulator.site.answering import answer, answer_with_keys
from simulator.site.catalogue import CATALOGUE
from simulator.site.pool import StorePool
from simulator.site.store import DATABASE, Store

_REPEAT_SECONDS: Final = 0.05


class Looking:
    """A site's database and what is known of it.

    Args:
        folder: The site's folder.
        stores: The stores shared by the nodes of this process.
        death_by_month: Whether the site knows of a death only its month.
    """

    def __init__(self, folder: Path, stores: StorePool, *, death_by_month: bool) -> None:
        self._folder = folder
        self._stores = stores
        self._death_by_month = death_by_month

    def tables(self, request: RoundRequest, seconds: float) -> tuple[Table, ...]:
        """The exact table for each need of a request.

        Raises:
            TimeoutError: The time is up before the work begins.
            duckdb.Error: The database failed, or was interrupted at the deadline.
        """
        with self._stores.lend(self._folder) as store, _deadline(store, seconds):
            return answer(
                store, request.question, request.needs, death_by_month=self._death_by_month
            )

    def tables_with_keys(
        self, request: RoundRequest, seconds: float, salt: bytes
    ) -> tuple[tuple[Table, ...], tuple[Table, ...]]:
        """The exact tables, and for each cell the sum of its patients' keys.

        Args:
            request: What is asked.
            seconds: How long it may take.
            salt: What the keys are made from beside the patient; the site's own.

        Raises:
            TimeoutError: The time is up before the work begins.
            duckdb.Error: The database failed, or was interrupted at the deadline.
        """
        with self._stores.lend(self._folder) as store, _deadline(store, seconds):
            return answer_with_keys(
                store,
                request.question,
                request.needs,
                death_by_month=self._death_by_month,
                salt=salt,
            )

    def interrupt(self) -> None:
        """Stops what is being looked up."""
        self._stores.interrupt(self._folder)

    def state(self) -> str:
        """What changes when the database does, as hexadecimal text."""
        seen = [
            f"{found.st_size} {found.st_mtime_ns}"
            for name in (DATABASE, CATALOGUE)
            if (path := self._folder / name).is_file() and (found := path.stat())
        ]
        return hashlib.sha256("\n".join(seen).encode()).hexdigest()


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
