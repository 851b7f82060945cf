"""The chain of a ledger's lines: each names the line before it by its hash."""

from __future__ import annotations

import hashlib
import re
from typing import Final

import msgspec

_HASH: Final = re.compile(rb',"hash":"([0-9a-f]{64})"\}$')
_HEAD: Final = re.compile(rb"(0|[1-9][0-9]*) ([0-9a-f]{64})\n")
_KEYS: Final = frozenset({"number", "previous", "hash"})


class Head(msgspec.Struct, frozen=True):
    """The last line that stands, which the whole chain hangs on.

    Attributes:
        number: Its number, counted from 1; 0 where nothing stands yet.
        hash: Its hash, or where the chain begins.
    """

    number: int
    hash: str


class Link(msgspec.Struct, frozen=True):
    """What a line says of its place in the chain."""

    number: int
    previous: str
    hash: str

    @property
    def before(self) -> Head:
        """The head at the time when this line was not yet there."""
        return Head(self.number - 1, self.previous)

    @property
    def head(self) -> Head:
        """The head once this line stands."""
        return Head(self.number, self.hash)


def beginning(site: str, before: bytes = b"") -> str:
    """Where a site's chain begins: SHA-256 of its name, and of lines older than the chain."""
    return hashlib.sha256(b"ledger\0" + site.encode() + b"\0" + before).hexdigest()


def chained(head: Head, entry: bytes) -> tuple[bytes, Head]:
    """The line that comes after a head, and the head that it becomes.

    The hash is SHA-256 over all that stands in the line before it, byte by byte, so that there is
    no second way to write the same line.

    Args:
        head: The last line so far.
        entry: The entry, a JSON object with at least one key.
    """
    number = head.number + 1
    body = b'{"number":%d,"previous":"%s",%s' % (number, head.hash.encode(), entry[1:-1])
    found = hashlib.sha256(body).hexdigest()
    return b'%s,"hash":"%s"}\n' % (body, found.encode()), Head(number, found)


def link_of(line: bytes) -> Link | None:
    """A line's place in the chain, or None where it tells none."""
    try:
        return msgspec.json.decode(line, type=Link)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def is_whole(line: bytes) -> bool:
    """Whether a line, without its end, is as it was written, by its own hash."""
    found = _HASH.search(line)
    return found is not None and (
        hashlib.sha256(line[: found.start()]).hexdigest().encode() == found[1]
    )


def is_older(line: bytes) -> bool:
    """Whether a line is from before ledgers were chained: an object that says nothing of links."""
    try:
        said = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return isinstance(said, dict) and not _KEYS & set(said)


def write_head(head: Head) -> bytes:
    """A head as it stands in its file."""
    return b"%d %s\n" % (head.number, head.hash.encode())


def parse_head(text: bytes) -> Head | None:
    """The head in a file's bytes, or None where they are none."""
    found = _HEAD.fullmatch(text)
    return None if found is None else Head(int(found[1]), found[2].decode())
