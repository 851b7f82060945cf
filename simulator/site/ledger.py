"""A site's own append-only record of what it was asked and what it let out."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path
from typing import Final, Protocol

import msgspec

LEDGER: Final = "ledger.jsonl"


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request and the decision on it.

    Attributes:
        at: When, in UTC.
        run: The run's identifier.
        round: The round's number.
        release: The name of the release.
        request: SHA-256 of the request's bytes.
        needs: The kinds of table asked for.
        answered: Whether it was answered.
        reason: Why not, where it was refused or could not be answered.
        repeated: Whether the same round had been answered before.
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


class LedgerError(Exception):
    """An entry could not be written, so that nothing may be said."""


class Ledger(Protocol):
    """Where a site writes before it answers."""

    def append(self, entry: Entry) -> None:
        """Adds an entry; it stands when this returns."""


class FileLedger:
    """A ledger in a file, a line an entry."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def append(self, entry: Entry) -> None:
        """Adds a line to the file."""
        line = msgspec.json.encode(entry) + b"\n"
        try:
            with self._lock, self._path.open("ab") as file:
                file.write(line)
        except OSError as error:
            raise LedgerError(str(error)) from error


class FreshLedger:
    """A ledger that begins empty and is kept in memory, for the laboratory."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def append(self, entry: Entry) -> None:
        """Keeps the entry."""
        self.entries.append(entry)


def read_ledger(path: Path) -> tuple[Entry, ...]:
    """The entries in a ledger's file, oldest first; none where there is no file yet."""
    if not path.is_file():
        return ()
    return tuple(msgspec.json.decode(line, type=Entry) for line in path.read_bytes().splitlines())
