"""Keeps a few stores open, least recently used closed: open databases cost memory and threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from simulator.site.store import Store

AT_MOST: Final = 16


class StorePool:
    """Stores that are lent to one thread at a time.

    Args:
        at_most: How many stores that nobody uses stay open.
    """

    def __init__(self, at_most: int = AT_MOST) -> None:
        self._at_most = at_most
        self._idle: OrderedDict[Path, Store] = OrderedDict()
        self._lent: list[tuple[Path, Store]] = []
        self._lock = threading.Lock()

    @contextmanager
    def lend(self, folder: Path) -> Iterator[Store]:
        """A store for a site's folder; afterwards it stays open while there is room.

        Raises:
            UserError: The database is missing or damaged.
        """
        with self._lock:
            store = self._idle.pop(folder, None)
        store = store or Store(folder)
        with self._lock:
            self._lent.append((folder, store))
        try:
            yield store
        except BaseException:
            with self._lock:
                self._lent.remove((folder, store))
            store.close()
            raise
        self._take_back(folder, store)

    def interrupt(self, folder: Path) -> None:
        """Stops the queries of a folder's stores that are lent."""
        with self._lock:
            for lent, store in self._lent:
                if lent == folder:
                    store.interrupt()

    def _take_back(self, folder: Path, store: Store) -> None:
        surplus = [store]
        with self._lock:
            self._lent.remove((folder, store))
            if folder not in self._idle:
                self._idle[folder] = store
                surplus = []
            while len(self._idle) > self._at_most:
                surplus.append(self._idle.popitem(last=False)[1])
        for unused in surplus:
            unused.close()

    def close(self) -> None:
        """Closes every store that nobody uses."""
        with self._lock:
            stores = list(self._idle.values())
            self._idle.clear()
        for store in stores:
            store.close()
