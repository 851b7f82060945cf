"""What crosses between the hub and the processes that hold sites: frames of a length and a body."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

import msgspec

LONGEST: Final = 64 * 1024 * 1024
"""The longest body in bytes; whatever announces more is no frame of ours."""

_HEAD: Final = struct.Struct(">I")


class BrokenFrame(Exception):
    """What came is no frame, or its body is none of the known messages."""


class _Message(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=True):
    """A message; its name stands first."""


class Begin(_Message, frozen=True):
    """To a process, first of all.

    Attributes:
        factory: Where the function is found that makes the sites, as ``module:function``.
        settings: What it is given besides the sites' names.
        sites: The sites that the process holds.
        threads: How many of them work at once.
    """

    factory: str
    settings: bytes
    sites: tuple[str, ...]
    threads: int


class Ask(_Message, frozen=True):
    """To a process: the messages of an exchange for its sites.

    Attributes:
        exchange: The exchange's number.
        seconds: The time until the deadline.
        messages: The bytes for each site.
    """

    exchange: int
    seconds: float
    messages: dict[str, bytes]


class GiveUp(_Message, frozen=True):
    """To a process: nobody listens to an exchange any more.

    Attributes:
        exchange: The exchange's number.
        seconds: How long the sites under way are interrupted.
    """

    exchange: int
    seconds: float


class Ready(_Message, frozen=True):
    """From a process: its sites can be asked."""


class Unfit(_Message, frozen=True):
    """From a process: its sites cannot be opened, and why."""

    message: str
    where: str | None
    hint: str | None


class Answered(_Message, frozen=True):
    """From a process: a site's answer."""

    exchange: int
    site: str
    data: bytes


class GaveUp(_Message, frozen=True):
    """From a process: an exchange has been given up."""

    exchange: int


Order = Begin | Ask | GiveUp
Word = Ready | Unfit | Answered | GaveUp

_ORDERS: Final[msgspec.msgpack.Decoder[Order]] = msgspec.msgpack.Decoder(Order)
_WORDS: Final[msgspec.msgpack.Decoder[Word]] = msgspec.msgpack.Decoder(Word)


def framed(message: Order | Word) -> bytes:
    """A message as a frame: the length of its body in four bytes, and the body."""
    body = msgspec.msgpack.encode(message)
    return _HEAD.pack(len(body)) + body


def read_order(body: bytes) -> Order:
    """What a process is told.

    Raises:
        BrokenFrame: It is none of the orders.
    """
    try:
        return _ORDERS.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BrokenFrame(str(error)) from error


def read_word(body: bytes) -> Word:
    """What a process says.

    Raises:
        BrokenFrame: It is nothing that a process may say.
    """
    try:
        return _WORDS.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BrokenFrame(str(error)) from error


class Cutter:
    """Cuts a stream of bytes, in whatever pieces it comes, into the bodies of its frames.

    Args:
        longest: The longest body in bytes.
    """

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The bodies that are whole with these bytes.

        Raises:
            BrokenFrame: A frame announces more than the longest body.
        """
        self._held += data
        while len(self._held) >= _HEAD.size:
            (length,) = _HEAD.unpack_from(self._held)
            if length > self._longest:
                raise BrokenFrame(f"expected at most {self._longest} bytes; found {length}")
            end = _HEAD.size + length
            if len(self._held) < end:
                return
            body = bytes(self._held[_HEAD.size : end])
            del self._held[:end]
            yield body
