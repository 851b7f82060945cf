"""The cell-key rule: the same records always get the same noise, whatever the question."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.privacy.rules.rule import Bounds, Cells, Counts, check_parameter
from simulator.privacy.sources import ByteSource


@dataclass(frozen=True)
class CellKey:
    """Noise looked up by the count and the cell's key, the sum of its records' keys modulo `keys`.

    The principle is that of the Australian Bureau of Statistics, as Asghar & Kaafar (2020, arXiv
    1902.06414) describe it; the table is ours. Of the `keys` equally likely keys of a cell:

    * a count of 0 stays 0;
    * a count i from 1 to `small` becomes small + 1 under i / (small + 1) of them, and 0 otherwise;
    * a count above gets a shift, alike likely from -d to d, with d = i - small - 1, at most
      `largest`.

    So the mean of the noise is exactly 0, it is never more than the greater of `largest` and
    `small`, and no number from 1 to `small` is ever shown. A count of small + 1 is not changed.

    Attributes:
        keys: How many keys there are, a multiple of small + 1.
        largest: The greatest shift.
        small: Counts from 1 to this one are never shown.
    """

    keys: int
    largest: int
    small: int

    def __post_init__(self) -> None:
        check_parameter("largest", self.largest, 1)
        check_parameter("small", self.small, 1)
        check_parameter("keys", self.keys, 2 * self.largest + 1)
        if self.keys % (self.small + 1):
            raise ValueError(f"keys: a multiple of {self.small + 1} was expected; got {self.keys}")

    def apply(self, counts: Counts, _source: ByteSource, keys: Counts | None, /) -> Cells:
        """Treats the counts of one table, shape (cells,).

        Raises:
            ValueError: There is not one key for each cell.
        """
        if keys is None or keys.shape != counts.shape or keys.dtype != np.int64:
            found = "none" if keys is None else f"{keys.dtype} of shape {keys.shape}"
            raise ValueError(
                "the sum of the record keys of each cell, whole numbers (int64) of shape "
                f"{counts.shape}, was expected; got {found}"
            )
        return Cells.all_shown(counts + self.noise(counts, keys % self.keys))

    def noise(self, counts: Counts, keys: Counts) -> Counts:
        """The table: the noise of each count, from 0 up, under each key, from 0 to below `keys`."""
        step = self.small + 1
        up = keys * step < counts * self.keys
        reach = np.clip(counts - step, 0, self.largest)
        # Odd over even is never whole, so that the two halves of the keys mirror each other.
        shift = (2 * keys + 1) * (2 * reach + 1) // (2 * self.keys) - reach
        noise: Counts = np.where(counts > self.small, shift, np.where(up, step, 0) - counts)
        return noise

    def bounds(self, cells: Cells, /) -> Bounds:
        """The true counts that each cell may stand for."""
        shown, step = cells.shown, self.small + 1
        least = np.maximum(shown - self.largest, -(-(shown + step) // 2))
        least = np.where(shown == step, 1, least)
        return (
            np.where(shown == 0, 0, least),
            np.where(shown == 0, self.small, shown + self.largest),
        )
