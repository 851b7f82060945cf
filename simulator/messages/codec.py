"""The one codec between messages and bytes: MessagePack by msgspec."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulator.messages.protocol import Answer, Request

_ENCODER: Final = msgspec.msgpack.Encoder()
_REQUESTS: Final[msgspec.msgpack.Decoder[Request]] = msgspec.msgpack.Decoder(Request)
_ANSWERS: Final[msgspec.msgpack.Decoder[Answer]] = msgspec.msgpack.Decoder(Answer)


# Text that is no UTF-8 and nesting without end come as errors of Python's own.
_MALFORMED: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class MalformedMessage(ValueError):
    """The bytes are not a message of ours."""


def encode(message: Request | Answer) -> bytes:
    """The bytes of a message."""
    return _ENCODER.encode(message)


def decode_request(data: bytes) -> Request:
    """The request in some bytes.

    Raises:
        MalformedMessage: The bytes are no request, or one that cannot be.
    """
    try:
        return _REQUESTS.decode(data)
    except _MALFORMED as error:
        raise MalformedMessage(str(error)) from error


def decode_answer(data: bytes) -> Answer:
    """The answer in some bytes.

    Raises:
        MalformedMessage: The bytes are no answer, or one that cannot be.
    """
    try:
        return _ANSWERS.decode(data)
    except _MALFORMED as error:
        raise MalformedMessage(str(error)) from error


def encode_cells(cells: NDArray[np.int64]) -> bytes:
    """Whole numbers as little-endian 64-bit integers."""
    return cells.astype("<i8").tobytes()


def decode_cells(data: bytes, expected: int) -> NDArray[np.int64]:
    """The whole numbers in some bytes, shape (expected,).

    Raises:
        MalformedMessage: The number of cells is not the expected one.
    """
    if len(data) != 8 * expected:
        raise MalformedMessage(f"{expected} cells were expected; got {len(data) / 8:g}")
    return np.frombuffer(data, dtype="<i8").astype(np.int64)
