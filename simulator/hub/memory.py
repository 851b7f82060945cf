"""Where the aggregator keeps what it let out, so that later answers can be held against it."""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import msgspec

from simulator.errors import UserError
from simulator.privacy.memory.values import Definition, Definitions, QuerySet, Remembered

MEMORY: Final = "memory.jsonl"


@dataclass(frozen=True)
class Recollection:
    """What is remembered.

    Attributes:
        counts: The counts, oldest first.
        known: What their literals stand for.
    """

    counts: tuple[Remembered, ...] = ()
    known: Definitions = field(default_factory=dict)


class Memory(Protocol):
    """Where the aggregator keeps what it let out."""

    def hold(self) -> AbstractContextManager[None]:
        """Keeps others from adding between a look and what is added after it."""

    def recall(self) -> Recollection:
        """What was let out so far."""

    def add(self, entries: Sequence[Remembered], known: Definitions) -> None:
        """Remembers counts with what their literals stand for; they stand when this returns."""


class NoMemory:
    """Remembers nothing."""

    def hold(self) -> AbstractContextManager[None]:
        """There is nothing to keep others from."""
        return nullcontext()

    def recall(self) -> Recollection:
        """Nothing."""
        return Recollection()

    def add(self, entries: Sequence[Remembered], known: Definitions) -> None:
        """Forgets at once."""


class FreshMemory:
    """A memory that begins empty and ends with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: list[Remembered] = []
        self._known: dict[str, Definition] = {}

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Lets one at a time look and add."""
        with self._lock:
            yield

    def recall(self) -> Recollection:
        """What was added so far."""
        return Recollection(tuple(self._counts), dict(self._known))

    def add(self, entries: Sequence[Remembered], known: Definitions) -> None:
        """Keeps counts and what their literals stand for."""
        self._counts += entries
        self._known.update(known)


class _Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """A count, without what it shares with the others of its line."""

    name: str
    base: str
    literals: tuple[str, ...]
    count: int
    released: bool = True
    divisible: bool = True


class _Line(msgspec.Struct, frozen=True):
    """What one round let out."""

    at: dt.datetime
    run: str
    sites: tuple[str, ...]
    known: dict[str, Definition]
    counts: tuple[_Kept, ...]


class FileMemory:
    """A memory in a file that only its owner may read, a line for each round.

    Args:
        path: The file, such as ``data/<network>/aggregator/memory.jsonl``; made when first needed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._written: set[str] = set()

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Lets one at a time look and add, of this process and of others.

        Raises:
            UserError: The file cannot be made or locked.
        """
        with self._lock:
            try:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            except OSError as error:
                raise self._unusable(error) from error
            try:
                _lock(handle)
                yield
            finally:
                os.close(handle)

    def recall(self) -> Recollection:
        """What the file holds; nothing where there is none yet.

        Raises:
            UserError: The file cannot be read, or a line of it is damaged.
        """
        try:
            data = self._path.read_bytes() if self._path.exists() else b""
        except OSError as error:
            raise self._unusable(error) from error
        counts: list[Remembered] = []
        known: dict[str, Definition] = {}
        decoder = msgspec.json.Decoder(_Line)
        for number, text in enumerate(data.splitlines(), start=1):
            try:
                line = decoder.decode(text)
            except (msgspec.MsgspecError, ValueError) as error:
                raise self._unusable(error, number) from error
            known.update(line.known)
            counts += _opened(line)
        self._written = set(known)
        return Recollection(tuple(counts), known)

    def add(self, entries: Sequence[Remembered], known: Definitions) -> None:
        """Adds a line for the counts of each run, roster and time.

        Raises:
            UserError: The file cannot be written.
        """
        lines: dict[tuple[dt.datetime, str, frozenset[str]], list[Remembered]] = {}
        for entry in entries:
            lines.setdefault((entry.at, entry.run, entry.of.sites), []).append(entry)
        fresh = {name: found for name, found in known.items() if name not in self._written}
        text = b""
        for (at, run, sites), found in lines.items():
            kept = tuple(map(_kept, found))
            text += msgspec.json.encode(_Line(at, run, tuple(sorted(sites)), fresh, kept)) + b"\n"
            fresh = {}
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(handle, "ab") as file:
                file.write(text)
                file.flush()
                os.fsync(handle)
        except OSError as error:
            raise self._unusable(error) from error
        self._written |= set(known)

    def _unusable(self, error: Exception, line: int | None = None) -> UserError:
        found = error.strerror if isinstance(error, OSError) else str(error)
        return UserError(
            f"the memory of what was released cannot be used, so nothing is released: {found}",
            where=str(self._path) if line is None else f"{self._path}:{line}",
            hint="Make the file one that you can read and write, or put back a copy of it. "
            "Moved away, all that was released before is forgotten.",
        )


def _lock(handle: int) -> None:
    """Waits until no other process holds the file; a system without such locks has threads only."""
    try:
        import fcntl
    except ImportError:
        return
    fcntl.flock(handle, fcntl.LOCK_EX)


def _kept(entry: Remembered) -> _Kept:
    of = entry.of
    literals = tuple(sorted(of.literals))
    return _Kept(entry.name, of.base, literals, entry.count, entry.released, of.divisible)


def _opened(line: _Line) -> Iterator[Remembered]:
    sites = frozenset(line.sites)
    for kept in line.counts:
        of = QuerySet(kept.base, frozenset(kept.literals), sites, kept.divisible)
        yield Remembered(kept.name, of, kept.count, kept.released, line.run, line.at)
