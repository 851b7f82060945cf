"""Holds a ledger's file against its own chain, line by line."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec

from simulator.site.chain import Head, Link, beginning, is_older, is_whole, link_of
from simulator.site.ledger import Entry
from simulator.site.ledger_file import LEDGER_HEAD, LedgerError, lock, read_head


class Fault(NamedTuple):
    """Something that is not as the site wrote it.

    Attributes:
        line: The line in the file, counted from 1; where the end is missing, the line after it.
        wrong: What is wrong with it.
    """

    line: int
    wrong: str


class Checked(msgspec.Struct, frozen=True):
    """What was found in a ledger.

    Attributes:
        entries: The entries that can be read, oldest first.
        head: What the chain hangs on: the number and hash of the last line.
        faults: What is wrong, in the order of the lines; none where it is intact.
        older: How many lines at its beginning are from before ledgers were chained. They are a
            fault: what they said before the first chained line was written, nobody can tell.
        unfinished: What a write that was broken off left behind, or None. It is no fault: its
            request was never answered.
        back: The entries, counted from 1, whose time is before that of the one before them. No
            entry is written so any more: until it is too old itself, whoever reads from the end may
            stop there.
    """

    entries: tuple[Entry, ...]
    head: Head
    faults: tuple[Fault, ...]
    older: int = 0
    unfinished: str | None = None
    back: tuple[int, ...] = ()


def check_ledger(path: Path, site: str) -> Checked:
    """Everything that a chain can show to be wrong with a ledger.

    A change, a removal, an insertion or another order anywhere is found, and lines cut from the
    end as long as the head's file is not rewritten, too. Who rewrites all lines and the head cannot
    be told from the site itself, unless an older head is kept elsewhere.

    Args:
        path: The ledger's file; there need be none.
        site: The site's name.

    Raises:
        LedgerError: The file cannot be locked or read.
    """
    *lines, rest = _content(path).split(b"\n")
    older = next((at for at, line in enumerate(lines) if not is_older(line)), len(lines))
    faults = [Fault(1, _said_of_older(older))] if older else []
    before = b"".join(line + b"\n" for line in lines[:older])
    head: Head | None = Head(older, beginning(site, before))
    entries = [entry for line in lines[:older] if (entry := _entry(line)) is not None]
    links: list[Link] = []
    for place, line in enumerate(lines[older:], start=older + 1):
        link, entry = link_of(line), _entry(line)
        wrong = _wrong(line, link, entry, head)
        if wrong is not None:
            faults.append(Fault(place, wrong))
        if entry is not None:
            entries.append(entry)
        if link is not None:
            links.append(link)
        # After what is no entry, the next line tells anew where it stands.
        head = None if link is None else link.head
    stands = head or (links[-1].head if links else Head(older, beginning(site, before)))
    unfinished = _held_against_head(path, lines, links, stands, faults)
    if rest:
        unfinished = f"line {len(lines) + 1} was begun and never finished"
    return Checked(tuple(entries), stands, tuple(faults), older, unfinished, _back(entries))


def _back(entries: list[Entry]) -> tuple[int, ...]:
    """The entries at which the time goes back, counted from 1."""
    pairs = enumerate(pairwise(entries), start=2)
    return tuple(place for place, (before, after) in pairs if after.at < before.at)


def _content(path: Path) -> bytes:
    """The file's bytes while nobody writes to it; nothing where there is no file."""
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise LedgerError(str(error)) from error
    try:
        lock(file)
        return path.read_bytes()
    except OSError as error:
        raise LedgerError(str(error)) from error
    finally:
        os.close(file)


def _said_of_older(count: int) -> str:
    lines = "this line is" if count == 1 else f"this line and the next {count - 1} are"
    return f"{lines} from before ledgers were chained, and need not be as written"


def _entry(line: bytes) -> Entry | None:
    try:
        return msgspec.json.decode(line, type=Entry)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _wrong(line: bytes, link: Link | None, entry: Entry | None, before: Head | None) -> str | None:
    """What is wrong with a chained line that comes after a head; None: that is not known."""
    if link is None or entry is None:
        return "this is no entry of a chained ledger"
    if not is_whole(line):
        return "it has been changed: its hash is not that of what stands there"
    if before is None or link.before == before:
        return None
    if link.number != before.number + 1:
        return (
            f"entry {link.number} stands here and {before.number + 1} was expected: lines were "
            "taken out, put in or put in another order"
        )
    if link.number == 1:
        return "the chain does not begin with the name of this site"
    return "it does not follow from the line before it"


def _held_against_head(
    path: Path, lines: list[bytes], links: list[Link], stands: Head, faults: list[Fault]
) -> str | None:
    """Adds what the head's file shows to be wrong; says where it is one line behind."""
    after, name = len(lines) + 1, LEDGER_HEAD
    try:
        kept = read_head(path.with_name(LEDGER_HEAD))
    except (LedgerError, OSError):
        faults.append(Fault(after, f"'{name}' cannot be read, or holds no head"))
        return None
    if kept == stands or (kept is None and not links):
        return None
    if kept is None:
        wrong = f"'{name}' is missing: whether the end has been cut off cannot be told"
    elif links and not faults and kept == links[-1].before:
        return f"'{name}' is one line behind: its last write was broken off"
    elif kept.number > stands.number:
        wrong = f"the end has been cut off: '{name}' names {kept.number} entries"
    else:
        wrong = f"'{name}' names entry {kept.number} with another hash or number than the last line"
    faults.append(Fault(after, wrong))
    return None
