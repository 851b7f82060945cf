"""Rules that show rounded counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.privacy.rules.noise import below
from simulator.privacy.rules.rule import Bounds, Cells, Counts, check_parameter
from simulator.privacy.sources import ByteSource


@dataclass(frozen=True)
class RoundUp:
    """Every count goes up to the next multiple of `base`; a multiple, 0 included, stays."""

    base: int

    def __post_init__(self) -> None:
        check_parameter("base", self.base, 2)

    def apply(self, counts: Counts, _source: ByteSource, _keys: Counts | None, /) -> Cells:
        """Treats the counts of one table, shape (cells,)."""
        return Cells.all_shown(-(-counts // self.base) * self.base)

    def bounds(self, cells: Cells, /) -> Bounds:
        """The true counts that each cell may stand for."""
        return (np.maximum(cells.shown - self.base + 1, 0), cells.shown)


@dataclass(frozen=True)
class NextMultiple:
    """Every count goes up to the multiple of `base` above it, a multiple too: x - x mod b + b."""

    base: int

    def __post_init__(self) -> None:
        check_parameter("base", self.base, 2)

    def apply(self, counts: Counts, _source: ByteSource, _keys: Counts | None, /) -> Cells:
        """Treats the counts of one table, shape (cells,)."""
        return Cells.all_shown((counts // self.base + 1) * self.base)

    def bounds(self, cells: Cells, /) -> Bounds:
        """The true counts that each cell may stand for."""
        return (cells.shown - self.base, cells.shown - 1)


@dataclass(frozen=True)
class SmallAs:
    """Counts from 1 up to, not including, `threshold` are shown as one number; others are exact.

    Attributes:
        threshold: 2 or more.
        shown: What stands in their place, from 1 to below the threshold.
    """

    threshold: int
    shown: int

    def __post_init__(self) -> None:
        check_parameter("threshold", self.threshold, 2)
        if not 1 <= self.shown < self.threshold:
            raise ValueError(
                f"shown: 1 to {self.threshold - 1}, which is below the threshold, was expected; "
                f"got {self.shown}"
            )

    def apply(self, counts: Counts, _source: ByteSource, _keys: Counts | None, /) -> Cells:
        """Treats the counts of one table, shape (cells,)."""
        small = (counts > 0) & (counts < self.threshold)
        return Cells.all_shown(np.where(small, self.shown, counts))

    def bounds(self, cells: Cells, /) -> Bounds:
        """The true counts that each cell may stand for."""
        small = cells.shown == self.shown
        return (
            np.where(small, 1, cells.shown),
            np.where(small, self.threshold - 1, cells.shown),
        )


@dataclass(frozen=True)
class ZeroThenNearest:
    """Counts below `threshold` are shown as 0, then all go to the nearest multiple of `base`.

    Half way goes to the even multiple (25 to 20 and 35 to 40, for tens). Under a threshold of 1 it
    is rounding alone.
    """

    threshold: int
    base: int

    def __post_init__(self) -> None:
        check_parameter("threshold", self.threshold, 1)
        check_parameter("base", self.base, 2)

    def apply(self, counts: Counts, _source: ByteSource, _keys: Counts | None, /) -> Cells:
        """Treats the counts of one table, shape (cells,)."""
        multiple, rest = np.divmod(counts, self.base)
        up = (2 * rest > self.base) | ((2 * rest == self.base) & (multiple % 2 == 1))
        return Cells.all_shown(np.where(counts < self.threshold, 0, (multiple + up) * self.base))

    def bounds(self, cells: Cells, /) -> Bounds:
        """The true counts that each cell may stand for."""
        # An odd base has no half way; an even one is reached from half way if the multiple is even.
        reach = np.where(
            (cells.shown // self.base) % 2 == 0, self.base // 2, (self.base - 1) // 2
        ).astype(np.int64)
        zero = cells.shown == 0
        return (
            np.where(zero, 0, np.maximum(cells.shown - reach, self.threshold)),
            np.where(zero, np.maximum(reach, self.threshold - 1), cells.shown + reach),
        )


@dataclass(frozen=True)
class Midpoint:
    """Counts from kw + 1 to kw + w are shown as the middle of them; 0 stays 0.

    The formula is that of OpenSAFELY: ceil(x / w) w - floor(w / 2) for x above 0.
    """

    width: int

    def __post_init__(self) -> None:
        check_parameter("width", self.width, 2)

    def apply(self, counts: Counts, _source: ByteSource, _keys: Counts | None, /) -> Cells:
        """Treats the counts of one table, shape (cells,)."""
        return Cells.all_shown(midpoints(counts, self.width))

    def bounds(self, cells: Cells, /) -> Bounds:
        """The true counts that each cell may stand for."""
        return midpoint_bounds(cells.shown, self.width)


def midpoints(counts: Counts, width: int) -> Counts:
    """The middle of the run of `width` counts that each is in; any shape, 0 stays 0."""
    middles: Counts = -(-counts // width) * width - (width // 2) * (counts > 0)
    return middles


def midpoint_bounds(shown: Counts, width: int) -> Bounds:
    """The counts that a midpoint stands for; any shape."""
    greatest = np.where(shown == 0, 0, shown + width // 2)
    return (np.where(shown == 0, 0, greatest - width + 1), greatest)


@dataclass(frozen=True)
class RandomRound:
    """Multiples of `base` stay; a count r above one goes up with probability r / base, else down.

    The mean stays, and the variance is r (base - r).
    """

    base: int

    def __post_init__(self) -> None:
        check_parameter("base", self.base, 2)

    def apply(self, counts: Counts, source: ByteSource, _keys: Counts | None, /) -> Cells:
        """Treats the counts of one table, shape (cells,)."""
        multiple, rest = np.divmod(counts, self.base)
        up = below(source, counts.size, self.base) < rest
        return Cells.all_shown((multiple + up) * self.base)

    def bounds(self, cells: Cells, /) -> Bounds:
        """The true counts that each cell may stand for."""
        return (np.maximum(cells.shown - self.base + 1, 0), cells.shown + self.base - 1)
