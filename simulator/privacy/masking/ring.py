"""Whole numbers modulo 2^32 or 2^64, in which masks vanish from a sum."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulator.privacy.masking.errors import MaskingError, RingOverflow

Residues = NDArray[np.unsignedinteger[Any]]
"""Numbers of a ring: an array of uint32 or uint64, shape (cells,)."""


class Ring(msgspec.Struct, frozen=True):
    """The integers modulo 2^bits; a negative number is kept as its two's complement.

    Attributes:
        bits: 32 for counts, 64 for fixed point.
    """

    bits: Literal[32, 64]

    def __post_init__(self) -> None:
        if self.bits not in (32, 64):
            raise MaskingError(f"a ring has 32 or 64 bits, not {self.bits}")

    @property
    def width(self) -> int:
        """The bytes of one cell: 4 or 8."""
        return self.bits // 8

    @property
    def _dtype(self) -> np.dtype[np.unsignedinteger[Any]]:
        return np.dtype(f"<u{self.width}")

    def limit(self, parties: int) -> int:
        """The greatest magnitude that each of `parties` sites may send, at least 0.

        A sum of that many such values lies strictly within (-2^(bits-1), 2^(bits-1)), so the
        centred lift of the sum is the sum.
        """
        if parties < 1:
            raise MaskingError(f"a sum has at least one party, not {parties}")
        return ((1 << (self.bits - 1)) - 1) // parties

    def encode(self, values: NDArray[np.int64], parties: int) -> Residues:
        """The values as residues, shape (cells,).

        Args:
            values: Whole numbers of either sign, int64, shape (cells,).
            parties: How many sites at most the sum is over, this one included.

        Raises:
            RingOverflow: A value is beyond `limit(parties)`; nothing was encoded.
            MaskingError: The values are not a vector of int64.
        """
        if values.dtype != np.int64 or values.ndim != 1:
            raise MaskingError(
                f"expected a vector of int64, found {values.dtype} of shape {values.shape}"
            )
        limit = self.limit(parties)
        # Python's numbers: the magnitude of the least int64 has no int64.
        ends = (int(values.min()), int(values.max())) if values.size else (0, 0)
        for end in ends:
            if abs(end) > limit:
                raise RingOverflow(
                    f"a value is {end}, but a sum of {parties} sites modulo 2^{self.bits} holds "
                    f"only values from -{limit} to {limit}"
                )
        return values.astype(self._dtype)

    def decode(self, total: Residues) -> NDArray[np.int64]:
        """The centred lift: the numbers from -2^(bits-1) on, as int64, shape (cells,)."""
        return total.astype(self._dtype).view(f"<i{self.width}").astype(np.int64)

    def zeros(self, cells: int) -> Residues:
        """As many zeros, to be added to."""
        return np.zeros(cells, self._dtype)

    def to_bytes(self, residues: Residues) -> bytes:
        """Little-endian, `width` bytes a cell."""
        return residues.astype(self._dtype).tobytes()

    def from_bytes(self, data: bytes) -> Residues:
        """What `to_bytes` wrote; the array is read-only.

        Raises:
            MaskingError: The length is no whole number of cells.
        """
        if len(data) % self.width:
            raise MaskingError(
                f"{len(data)} bytes are no whole number of cells of {self.width} bytes"
            )
        return np.frombuffer(data, self._dtype)
