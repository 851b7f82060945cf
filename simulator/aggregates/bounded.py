"""A table of which some cells are known only to lie between bounds; such tables add, too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.aggregates.table import Layout

OPEN: Final = 1 << 60
"""An upper bound of this or more says that nothing bounds the cell from above."""


@dataclass(frozen=True, eq=False)
class BoundedTable:
    """What was shown of each cell, what it may be in truth, and how many parts were withheld.

    Tables of one layout form a commutative monoid under +; the bounds of a sum are the sums of the
    bounds.

    Attributes:
        layout: Axes and measures.
        shown: The sum of what was shown, int64, shape `layout.shape`. A part that was withheld
            adds nothing to it, so that it is a number only where `withheld` is 0.
        lowest: The least that the cell may be in truth, int64, same shape.
        highest: The greatest; `OPEN` or more where nothing bounds it.
        withheld: How many parts of the cell were withheld, int64, same shape.
    """

    layout: Layout
    shown: NDArray[np.int64]
    lowest: NDArray[np.int64]
    highest: NDArray[np.int64]
    withheld: NDArray[np.int64]

    def __post_init__(self) -> None:
        for cells in (self.shown, self.lowest, self.highest, self.withheld):
            if cells.shape != self.layout.shape or cells.dtype != np.int64:
                raise ValueError(
                    f"whole numbers (int64) of shape {self.layout.shape} were expected; "
                    f"got {cells.dtype} of shape {cells.shape}"
                )
        if (self.lowest > self.highest).any():
            raise ValueError("a lower bound is above its upper bound")

    def __add__(self, other: BoundedTable) -> BoundedTable:
        if self.layout != other.layout:
            raise ValueError("only tables of the same layout can be added")
        return BoundedTable(
            self.layout,
            self.shown + other.shown,
            self.lowest + other.lowest,
            np.minimum(self.highest + other.highest, OPEN),
            self.withheld + other.withheld,
        )
