"""A site's own append-only record of what it was asked and what it let out."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

from simulator.site.chain import chained, is_older, is_whole, link_of
from simulator.site.ledger_file import LedgerError as LedgerError
from simulator.site.ledger_file import LedgerFile, opened

LEDGER: Final = "ledger.jsonl"
OPENED: Final = "opened"
"""The step of an entry by which someone at the site lifts a quota's lock."""
CATALOGUE_NEED: Final = "catalogue"
"""What stands in the place of a kind of table where the catalogue was asked for."""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request and the decision on it.

    Attributes:
        at: When, in UTC; never before the entry before it.
        run: The run's identifier; empty where the catalogue was asked for, or a lock lifted.
        round: The round's number.
        release: The name of the release.
        request: SHA-256 of the request's bytes.
        needs: The kinds of table asked for, or `CATALOGUE_NEED` alone.
        answered: Whether it was answered.
        reason: Why not, where it was refused or could not be answered.
        repeated: Whether the same round had been answered before.
        roster_size: How many sites the run has.
        place: Where the release's rule is applied: ``site`` or ``network``.
        cost: What it costs in pure epsilon, as a fraction such as ``1/2``; None: nothing.
        zcdp: What it costs in rho of zero-concentrated differential privacy, likewise.
        key: `simulator.site.rates.key_of` the request: the same key is the same question.
        question: SHA-256 of the question alone, whatever is asked about it.
        step: The step of a secure round, such as ``masked``; empty for a round of its own.
        locked: Whether the hard quota had been used up, until an entry with the step `OPENED`.
    """

    at: dt.datetime
    run: str
    round: int
    release: str
    request: str
    needs: tuple[str, ...]
    answered: bool
    reason: str | None = None
    repeated: bool = False
    roster_size: int = 0
    place: str = ""
    cost: str | None = None
    zcdp: str | None = None
    key: str = ""
    question: str = ""
    step: str = ""
    locked: bool = False


class Tail(Protocol):
    """The end of a ledger, read back only as far as it is needed."""

    @property
    def total(self) -> int:
        """How many entries there are."""

    def since(self, moment: dt.datetime) -> Sequence[Entry]:
        """The entries from a moment on, oldest first, after the last one before it, if any."""


Objector = Callable[[Tail], str | None]
"""Looks at the end of a ledger and says why not, or None."""


class Ledger(Protocol):
    """Where a site writes before it answers."""

    def append(self, entry: Entry, unless: Objector | None = None) -> str | None:
        """Adds an entry; it stands when this returns None.

        Args:
            entry: What was decided.
            unless: Is asked first, with no other entry in between. If it objects, nothing is
                written and its reason is returned.

        Raises:
            LedgerError: The entry could not be written.
        """

    def ask(self, objector: Objector) -> str | None:
        """What an objector says of the ledger as it stands.

        Raises:
            LedgerError: The ledger could not be read.
        """


class FileLedger:
    """A ledger in a file, a line an entry, each chained to the one before it.

    Opening costs nothing, and an entry only what stands at the file's end. Threads and processes
    may write to the same file.

    Args:
        path: The file; its head stands beside it.
        site: The site's name; None: that of the folder.
    """

    def __init__(self, path: Path, site: str | None = None) -> None:
        self._path = path
        self._site = path.absolute().parent.name if site is None else site
        self._lock = threading.Lock()

    def append(self, entry: Entry, unless: Objector | None = None) -> str | None:
        """Adds a line to the file; see `Ledger.append`."""
        with self._lock, opened(self._path, self._site) as file:
            tail = _FileTail(file)
            reason = None if unless is None else unless(tail)
            if reason is not None:
                return reason
            line, head = chained(file.head, msgspec.json.encode(_after(entry, tail.last())))
            file.append(line, head)
        return None

    def ask(self, objector: Objector) -> str | None:
        """Asks an objector; see `Ledger.ask`."""
        with self._lock, opened(self._path, self._site) as file:
            return objector(_FileTail(file))


class _FileTail:
    """The end of a file that is locked."""

    def __init__(self, file: LedgerFile) -> None:
        self._file = file

    @property
    def total(self) -> int:
        return self._file.head.number

    def since(self, moment: dt.datetime) -> Sequence[Entry]:
        found: list[Entry] = []
        for line in self._linked():
            found.append(_decoded(line))
            if found[-1].at < moment:
                break
        return found[::-1]

    def last(self) -> Entry | None:
        return next((_decoded(line) for line in self._linked()), None)

    def _linked(self) -> Iterator[bytes]:
        """The lines from the end on, as long as each is the one that its successor names.

        What was spent is read here, so a line that somebody changed must not be believed.

        Raises:
            LedgerError: A line does not fit.
        """
        expected = self._file.head
        for line in self._file.backwards():
            link = link_of(line)
            if link is None and is_older(line):  # from before there was a chain
                yield line
                continue
            if link is None or link.head != expected or not is_whole(line):
                raise LedgerError(f"line {expected.number} of the ledger is not as it was written")
            expected = link.before
            yield line


class FreshLedger:
    """A ledger that begins empty and is kept in memory, for the laboratory."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._lock = threading.Lock()

    def append(self, entry: Entry, unless: Objector | None = None) -> str | None:
        """Keeps the entry; see `Ledger.append`."""
        with self._lock:
            reason = None if unless is None else unless(_MemoryTail(self.entries))
            if reason is None:
                last = self.entries[-1] if self.entries else None
                self.entries.append(_after(entry, last))
        return reason

    def ask(self, objector: Objector) -> str | None:
        """Asks an objector; see `Ledger.ask`."""
        with self._lock:
            return objector(_MemoryTail(self.entries))


class _MemoryTail:
    """The end of a list."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries

    @property
    def total(self) -> int:
        return len(self._entries)

    def since(self, moment: dt.datetime) -> Sequence[Entry]:
        place = len(self._entries)
        while place > 0:
            place -= 1
            if self._entries[place].at < moment:
                break
        return self._entries[place:]


def _after(entry: Entry, last: Entry | None) -> Entry:
    """An entry no earlier than the last one, and locked where that is, unless it lifts the lock.

    So the last line alone tells whether the site is locked, however long ago that was; and times
    never go back, so that whoever reads from the end may stop at the first that is too old. Where
    the clock has gone back, an entry takes the last one's time: it then counts a little longer,
    never shorter, and a clock that was once ahead does not silence the site.
    """
    if last is None:
        return entry
    locked = entry.locked or (last.locked and entry.step != OPENED)
    return msgspec.structs.replace(entry, at=max(entry.at, last.at), locked=locked)


def opening(at: dt.datetime) -> Entry:
    """The entry by which someone at the site lifts the lock of a quota."""
    return Entry(at, "", 0, "", "", (), answered=False, step=OPENED)


def read_ledger(path: Path) -> tuple[Entry, ...]:
    """The entries in a ledger's file, oldest first; none where there is no file yet.

    A last line that was never finished is no entry.

    Raises:
        LedgerError: A line is no entry.
    """
    if not path.is_file():
        return ()
    return tuple(_decoded(line) for line in path.read_bytes().split(b"\n")[:-1])


def _decoded(line: bytes) -> Entry:
    try:
        return msgspec.json.decode(line, type=Entry)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise LedgerError(f"a line is no entry: {error}") from error
