"""Rules that withhold counts, or whole tables, and change nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.aggregates.bounded import OPEN
from simulator.privacy.rules.rule import Bounds, Cells, Counts, check_parameter
from simulator.privacy.sources import ByteSource


@dataclass(frozen=True)
class WithholdBelow:
    """Counts from `smallest` up to, not including, `threshold` are withheld; others are exact.

    Attributes:
        threshold: 1 or more.
        smallest: 1 where 0 is shown, 0 where it is withheld like any small count.
    """

    threshold: int
    smallest: int = 1

    def __post_init__(self) -> None:
        check_parameter("threshold", self.threshold, 1)
        if self.smallest not in (0, 1):
            raise ValueError(f"smallest: 0 or 1 was expected; got {self.smallest}")

    def apply(self, counts: Counts, _source: ByteSource, _keys: Counts | None, /) -> Cells:
        """Treats the counts of one table, shape (cells,)."""
        return Cells.of(counts, (counts >= self.smallest) & (counts < self.threshold))

    def bounds(self, cells: Cells, /) -> Bounds:
        """The true counts that each cell may stand for."""
        return (
            np.where(cells.withheld, self.smallest, cells.shown),
            np.where(cells.withheld, self.threshold - 1, cells.shown),
        )


@dataclass(frozen=True)
class WithholdTable:
    """A table is withheld whole if a cell that is not empty is below `least`; otherwise exact.

    Attributes:
        least: 2 or more.
    """

    least: int

    def __post_init__(self) -> None:
        check_parameter("least", self.least, 2)

    def apply(self, counts: Counts, _source: ByteSource, _keys: Counts | None, /) -> Cells:
        """Treats the counts of one table, shape (cells,)."""
        refused = bool(((counts > 0) & (counts < self.least)).any())
        return Cells.of(counts, np.full(counts.shape, refused))

    def bounds(self, cells: Cells, /) -> Bounds:
        """The true counts that each cell may stand for.

        The refusal of a table of one cell says that this cell is small; of more, only that one is.
        """
        alone = cells.shown.size == 1
        return (
            np.where(cells.withheld, 1 if alone else 0, cells.shown),
            np.where(cells.withheld, self.least - 1 if alone else OPEN, cells.shown),
        )


@dataclass(frozen=True)
class WithholdTotal:
    """A table is withheld whole if its cells add up to less than `least`; otherwise exact.

    Attributes:
        least: 1 or more.
    """

    least: int

    def __post_init__(self) -> None:
        check_parameter("least", self.least, 1)

    def apply(self, counts: Counts, _source: ByteSource, _keys: Counts | None, /) -> Cells:
        """Treats the counts of one table, shape (cells,)."""
        return Cells.of(counts, np.full(counts.shape, bool(counts.sum() < self.least)))

    def bounds(self, cells: Cells, /) -> Bounds:
        """The true counts that each cell may stand for."""
        return (cells.shown, np.where(cells.withheld, self.least - 1, cells.shown))
