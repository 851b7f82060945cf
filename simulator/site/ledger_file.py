"""A ledger's file on the disk: locked while it is used, read from its end, never as a whole."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from simulator.site.chain import (
    Head,
    beginning,
    is_older,
    is_whole,
    link_of,
    parse_head,
    write_head,
)

LEDGER_HEAD: Final = "ledger.head"
_PATIENCE_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.001
_FIRST_BLOCK: Final = 4096
_LARGEST_BLOCK: Final = 1 << 20
_HEAD_BYTES: Final = 128


class LedgerError(Exception):
    """An entry could not be read or written, so that nothing may be said."""


class LedgerFile:
    """The file of a ledger while it is locked.

    Args:
        descriptor: The open file.
        path: Where it is.
        site: The site's name, from which its chain begins.

    Raises:
        LedgerError: Its end and its head do not fit each other.
    """

    def __init__(self, descriptor: int, path: Path, site: str) -> None:
        self._file = descriptor
        self._head_path = path.with_name(LEDGER_HEAD)
        self._size = os.fstat(descriptor).st_size
        self._end = _whole_until(descriptor, self._size)
        self.head = self._standing(site)

    def _standing(self, site: str) -> Head:
        """What stands last, once that is held against the head's own file."""
        kept = read_head(self._head_path)
        last = next(self.backwards(), None)
        if last is None or is_older(last):
            before = os.pread(self._file, self._end, 0)
            stands = Head(before.count(b"\n"), beginning(site, before))
            fits = kept is None or kept == stands
        else:
            link = link_of(last)
            if link is None or not is_whole(last):
                raise LedgerError("the last line has been changed")
            stands = link.head
            # A line whose head was not written any more: that write was broken off.
            fits = kept in (stands, link.before)
        if not fits:
            raise LedgerError("the head does not fit the last line")
        self._begun = kept is not None
        return stands

    def backwards(self) -> Iterator[bytes]:
        """The whole lines without their ends, the last one first."""
        end, block, rest = self._end, _FIRST_BLOCK, b""
        while end > 0:
            start = max(0, end - block)
            lines = (os.pread(self._file, end - start, start) + rest)[:-1].split(b"\n")
            if start > 0:
                rest = lines.pop(0) + b"\n"
            yield from reversed(lines)
            end, block = start, min(2 * block, _LARGEST_BLOCK)

    def append(self, line: bytes, head: Head) -> None:
        """Adds a line and moves the head on to it.

        The line is handed to the operating system, not forced onto the disk: it outlives this
        program, but a machine that loses its power may lose the last ones.

        Raises:
            OSError: There is no room, for instance; what was begun is taken back.
        """
        if not self._begun:
            # A chained line without a head is then always a head that someone removed.
            self._write_head(self.head)
        if self._end < self._size:
            # A last line that was never finished: what it was about was never answered.
            os.ftruncate(self._file, self._end)
        if os.write(self._file, line) < len(line):
            os.ftruncate(self._file, self._end)
            raise OSError("there is no room for an entry")
        self._write_head(head)

    def _write_head(self, head: Head) -> None:
        file = os.open(self._head_path, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            # Numbers only grow, so that nothing of an older head is left behind.
            os.pwrite(file, write_head(head), 0)
        finally:
            os.close(file)


def read_head(path: Path) -> Head | None:
    """The head in its file, or None where there is no file.

    Raises:
        LedgerError: What stands there is no head.
    """
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        head = parse_head(os.read(file, _HEAD_BYTES))
    finally:
        os.close(file)
    if head is None:
        raise LedgerError(f"'{path.name}' holds no head")
    return head


def _whole_until(file: int, size: int) -> int:
    """Where the last whole line ends, in bytes from the beginning."""
    end = size
    while end > 0:
        start = max(0, end - _FIRST_BLOCK)
        found = os.pread(file, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


@contextmanager
def opened(path: Path, site: str) -> Iterator[LedgerFile]:
    """A ledger's file, made where there is none, with nobody else at it.

    Raises:
        LedgerError: It cannot be opened, locked, read or written, or its end does not fit.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            lock(file)
            yield LedgerFile(file, path, site)
        finally:
            os.close(file)
    except OSError as error:
        raise LedgerError(str(error)) from error


def lock(file: int) -> None:
    """Waits until nobody else is at a file; closing it lets go.

    Raises:
        LedgerError: It cannot be locked, here or within a few seconds.
    """
    try:
        import fcntl
    except ImportError as error:
        raise LedgerError("files cannot be locked on this system") from error
    ends = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > ends:
                raise LedgerError("another process does not let go of it") from error
            time.sleep(_PAUSE_SECONDS)
        else:
            return
