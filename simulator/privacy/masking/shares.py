"""Shamir's secret sharing: any `threshold` shares give the secret, fewer tell nothing of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from simulator.privacy.masking.errors import MaskingError
from simulator.privacy.sources import ByteSource

PRIME: Final = 2**256 + 297
"""The least prime above 2^256, so that every 32 bytes are a number of the field."""

SECRET_BYTES: Final = 32
SHARE_BYTES: Final = 33

# 128 bits more than the prime's 257: a remainder is then uniform up to 2^-128.
_DRAWN: Final = 49


def split(secret: bytes, holders: int, threshold: int, source: ByteSource) -> tuple[bytes, ...]:
    """The shares of holders 1, 2, ..., each 33 bytes, big-endian.

    Values at 1, 2, ... of a random polynomial of degree `threshold` - 1 whose value at 0 is the
    secret (Shamir 1979).

    Args:
        secret: 32 bytes.
        holders: How many shares.
        threshold: How many of them give the secret, from 1 to `holders`.
        source: Random bytes for the coefficients.

    Raises:
        MaskingError: The secret's length or the threshold is out of range.
    """
    if len(secret) != SECRET_BYTES:
        raise MaskingError(f"a secret has {SECRET_BYTES} bytes, not {len(secret)}")
    if not 1 <= threshold <= holders:
        raise MaskingError(f"the threshold is {threshold}, expected 1 to {holders}")
    drawn = source(_DRAWN * (threshold - 1))
    coefficients = [
        int.from_bytes(drawn[start : start + _DRAWN], "big") % PRIME
        for start in range(0, len(drawn), _DRAWN)
    ]
    coefficients.append(int.from_bytes(secret, "big"))
    return tuple(_value(coefficients, at).to_bytes(SHARE_BYTES, "big") for at in _places(holders))


def _places(holders: int) -> range:
    return range(1, holders + 1)


def _value(coefficients: list[int], at: int) -> int:
    """Horner's rule, highest first; one remainder at the end, as `at` is small."""
    value = 0
    for coefficient in coefficients:
        value = value * at + coefficient
    return value % PRIME


def join(shares: Mapping[int, bytes], threshold: int) -> bytes:
    """The secret, 32 bytes, from the shares of at least `threshold` holders, by their numbers.

    Raises:
        MaskingError: Too few shares, or shares that are not of one secret, as far as that shows.
    """
    if len(shares) < threshold:
        raise MaskingError(f"{threshold} shares give the secret, found {len(shares)}")
    # The first ones: most secrets of a round then have the same holders and the same weights.
    holders = tuple(sorted(shares)[:threshold])
    numbers = [number(shares[holder]) for holder in holders]
    weights = _weights(holders)
    secret = sum(a * b for a, b in zip(weights, numbers, strict=True)) % PRIME
    if secret >> (8 * SECRET_BYTES):
        raise MaskingError("the shares do not belong together: they give no secret of 32 bytes")
    return secret.to_bytes(SECRET_BYTES, "big")


def number(share: bytes) -> int:
    """A share as a number of the field.

    Raises:
        MaskingError: It is none.
    """
    value = int.from_bytes(share, "big")
    if len(share) != SHARE_BYTES or value >= PRIME:
        raise MaskingError(f"{len(share)} bytes are not a share, expected {SHARE_BYTES}, in range")
    return value


@lru_cache(maxsize=4096)
def _weights(holders: tuple[int, ...]) -> tuple[int, ...]:
    """Lagrange's weights at 0: for i the product over the others j of j / (j - i)."""
    weights = []
    for own in holders:
        above, below = 1, 1
        for other in holders:
            if other != own:
                above = above * other % PRIME
                below = below * (other - own) % PRIME
        weights.append(above * pow(below, -1, PRIME) % PRIME)
    return tuple(weights)
