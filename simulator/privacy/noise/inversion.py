"""Exact draws of counts, many at a time: as many bits of a uniform number as it takes to decide.

A uniform number U in [0, 1) of endlessly many bits stands for the first count k with U < F(k),
where F is the distribution function; k then has exactly the law of F. The first 64 bits decide it,
unless they are the first 64 bits of F at some k: then 64 more are drawn and compared, and so on. So
nothing is rounded away, and nearly every draw is one look-up in a table.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.privacy.noise.counting import Counting
from simulator.privacy.sources import ByteSource

WORD: Final = 64
_GUARD: Final = 96


def draw(law: Counting, size: int, source: ByteSource, word: int = WORD) -> NDArray[np.int64]:
    """Counts of a law, each on its own.

    Args:
        law: The law, hashable, as its table is kept.
        size: How many counts.
        source: Where the bytes come from: first word bits for each count, then more for those few
            that they leave open, in order.
        word: How many bits are looked at at once: 8, 16, 32 or 64. The law is the same for each.

    Returns:
        Shape (size,).
    """
    table = _table(law, word)
    bits = np.frombuffer(source(size * word // 8), dtype=f">u{word // 8}").astype(table.dtype)
    counts = np.searchsorted(table, bits, side="left").astype(np.int64)
    for place in np.flatnonzero(table[counts] == bits):
        counts[place] = _decide(law, int(bits[place]), source, word)
    return counts


def floors(law: Counting, bits: int) -> tuple[int, ...]:
    """F(0), F(1), ... times 2^bits, each rounded down, certainly, up to the first 2^bits - 1.

    F is never a fraction over a power of two, as e^x is transcendental for every rational x but 0;
    so enough digits tell on which side it lies.
    """
    guard = _GUARD + law.lost_bits
    while (found := _floors(law, bits, guard)) is None:
        guard *= 2
    return found


def _floors(law: Counting, bits: int, guard: int) -> tuple[int, ...] | None:
    """The same with so many bits to spare; None where they do not suffice."""
    last = (1 << bits) - 1
    found: list[int] = []
    sums = accumulate(
        law.masses(bits + guard), lambda before, mass: (before[0] + mass[0], before[1] + mass[1])
    )
    for low, high in sums:
        least = low >> guard
        if least != min(high >> guard, last):
            return None
        found.append(least)
        if least == last:
            break
    return tuple(found)


@lru_cache(maxsize=64)
def _table(law: Counting, word: int) -> NDArray[np.unsignedinteger]:
    table = np.array(floors(law, word), dtype=f"u{word // 8}")
    table.flags.writeable = False
    return table


_finer = lru_cache(maxsize=8)(floors)


def _decide(law: Counting, begun: int, source: ByteSource, word: int) -> int:
    """The count for a uniform number whose first word of bits leaves it open."""
    bits = word
    while True:
        bits += word
        begun = (begun << word) | int.from_bytes(source(word // 8), "big")
        known = _finer(law, bits)
        place = bisect_left(known, begun)
        if known[place] != begun:
            return place
