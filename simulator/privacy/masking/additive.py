"""Additive shares: a vector as two that look random, for two aggregators that do not collude."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.privacy.masking.errors import MaskingError
from simulator.privacy.masking.ring import Ring
from simulator.privacy.sources import ByteSource


def split(
    vector: NDArray[np.int64], ring: Ring, parties: int, source: ByteSource
) -> tuple[bytes, bytes]:
    """One share for each of the two aggregators; either alone is uniformly random.

    Args:
        vector: Whole numbers, int64, shape (cells,).
        ring: Where the sum is taken.
        parties: How many sites at most the sum is over.
        source: Random bytes, `ring.width` a cell.

    Raises:
        RingOverflow: A value is so large that a sum might not fit.
    """
    values = ring.encode(vector, parties)
    first = ring.from_bytes(source(len(values) * ring.width))
    return ring.to_bytes(first), ring.to_bytes(values - first)


def add(shares: Sequence[bytes], ring: Ring) -> bytes:
    """What one aggregator makes of the shares that it was sent: their sum.

    Raises:
        MaskingError: No shares, or of different lengths.
    """
    lengths = sorted({len(share) for share in shares})
    if len(lengths) != 1:
        raise MaskingError(f"expected shares of one length, found lengths {lengths}")
    total = ring.zeros(lengths[0] // ring.width)
    for share in shares:
        np.add(total, ring.from_bytes(share), out=total)
    return ring.to_bytes(total)


def join(first: bytes, second: bytes, ring: Ring) -> NDArray[np.int64]:
    """The sum, from the sums of both aggregators over the same sites.

    Raises:
        MaskingError: They are of different lengths.
    """
    return ring.decode(ring.from_bytes(add((first, second), ring)))
