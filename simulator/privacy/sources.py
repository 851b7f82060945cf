"""Where randomness comes from: a function that gives bytes, from the system or from a seed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

ByteSource = Callable[[int], bytes]
"""Gives as many bytes as are asked for, each time new ones."""

_NONCE: Final = bytes(16)
_LENGTH: Final = 8

system_source: Final[ByteSource] = os.urandom


def keyed_source(secret: bytes, *labels: str) -> ByteSource:
    """A source that gives the same bytes for the same secret and labels, and others for others.

    The ChaCha20 keystream (RFC 8439) under a key that SHA-256 makes of the secret and the labels,
    each preceded by its length, so that no two lists of labels run together. From a secret of at
    least 16 random bytes the stream cannot be told from chance; from a seed that somebody knows it
    is not private.

    Args:
        secret: What only the owner of the source knows; for a seed, its bytes.
        labels: What the bytes are for.
    """
    parts = (secret, *(label.encode() for label in labels))
    key = hashlib.sha256(b"".join(len(part).to_bytes(_LENGTH, "big") + part for part in parts))
    stream = Cipher(ChaCha20(key.digest(), _NONCE), mode=None).encryptor()

    def take(size: int) -> bytes:
        return stream.update(bytes(size))

    return take
