"""Rules of other systems that add noise."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from simulator.aggregates.bounded import OPEN
from simulator.privacy.rules.noise import Reals, below, laplaces, normals
from simulator.privacy.rules.rule import Bounds, Cells, Counts, check_parameter
from simulator.privacy.sources import ByteSource, keyed_source

_SALT_BYTES = 32


@dataclass(frozen=True)
class GaussianFromZero:
    """Counts up to `minimum` are shown as 0; others with normal noise, rounded, from 0 up (i2b2).

    Attributes:
        minimum: The greatest true count that is shown as 0.
        sigma: The standard deviation of the noise.
    """

    minimum: int
    sigma: float

    def __post_init__(self) -> None:
        check_parameter("minimum", self.minimum, 0)
        check_parameter("sigma", self.sigma, 0)

    def apply(self, counts: Counts, source: ByteSource, _keys: Counts | None, /) -> Cells:
        """Treats the counts of one table, shape (cells,)."""
        noised = _nearest(counts + normals(source, counts.size, self.sigma), 1)
        return Cells.all_shown(np.where(counts <= self.minimum, 0, np.maximum(noised, 0)))

    def bounds(self, cells: Cells, /) -> Bounds:
        """The true counts that each cell may stand for: nothing bounds normal noise."""
        return (
            np.where(cells.shown == 0, 0, self.minimum + 1),
            np.full(cells.shown.shape, OPEN),
        )


@dataclass(frozen=True)
class ClampedGaussian:
    """Small counts are withheld; others binned, noised, binned again and tested again (SHRINE).

    Counts up to `limit` are withheld. Others go to the nearest multiple of `bin`, half way up; get
    normal noise, which is cut off at `clamp` on either side; and go to the nearest multiple again.
    What is then at most `limit` is withheld, too.

    Attributes:
        limit: The greatest count, true or noised, that is withheld.
        bin: Counts are shown as multiples of it.
        sigma: The standard deviation of the noise before it is cut off.
        clamp: The most that noise may change.
    """

    limit: int
    bin: int
    sigma: float
    clamp: int

    def __post_init__(self) -> None:
        check_parameter("limit", self.limit, 0)
        check_parameter("bin", self.bin, 1)
        check_parameter("sigma", self.sigma, 0)
        check_parameter("clamp", self.clamp, 0)

    def apply(self, counts: Counts, source: ByteSource, _keys: Counts | None, /) -> Cells:
        """Treats the counts of one table, shape (cells,)."""
        noise = np.clip(normals(source, counts.size, self.sigma), -self.clamp, self.clamp)
        binned = _nearest(_nearest(counts.astype(np.float64), self.bin) + noise, self.bin)
        return Cells.of(binned, (counts <= self.limit) | (binned <= self.limit))

    def bounds(self, cells: Cells, /) -> Bounds:
        """The true counts that each cell may stand for."""
        least = self._least_binned(cells.shown) - self.bin // 2
        # The greatest that is withheld looks like the greatest multiple that the limit lets in.
        seen = np.where(cells.withheld, self.limit // self.bin * self.bin, cells.shown)
        greatest = self._greatest_binned(seen) + (self.bin - 1) // 2
        return (
            np.where(cells.withheld, 0, np.maximum(least, self.limit + 1)),
            np.where(cells.withheld, np.maximum(greatest, self.limit), greatest),
        )

    def _least_binned(self, seen: Counts) -> Counts:
        """The least multiple that noise can make look like the one seen."""
        least: Counts = -(-(2 * seen - self.bin - 2 * self.clamp) // (2 * self.bin)) * self.bin
        return least

    def _greatest_binned(self, seen: Counts) -> Counts:
        """The greatest; half way goes up, so that it must stay below."""
        end = 2 * seen + self.bin + 2 * self.clamp
        greatest: Counts = (-(-end // (2 * self.bin)) - 1) * self.bin
        return greatest


@dataclass(frozen=True)
class HashedShift:
    """Counts below `threshold` are withheld, 0 too; all others of a table get one shift (PIC-SURE).

    The shift is a hash of the answer and a salt, from -`largest` to `largest`; the sum is shown,
    but no less than the threshold. So two questions with the same answer get the same shift, as
    long as the salt, which is the first that is taken from the source, is the same.

    Attributes:
        threshold: 1 or more.
        largest: The greatest shift.
    """

    threshold: int
    largest: int

    def __post_init__(self) -> None:
        check_parameter("threshold", self.threshold, 1)
        check_parameter("largest", self.largest, 0)

    def apply(self, counts: Counts, source: ByteSource, _keys: Counts | None, /) -> Cells:
        """Treats the counts of one table, shape (cells,)."""
        digest = hashlib.sha256(source(_SALT_BYTES) + counts.astype("<i8").tobytes()).digest()
        shift = int.from_bytes(digest) % (2 * self.largest + 1) - self.largest
        return Cells.of(np.maximum(counts + shift, self.threshold), counts < self.threshold)

    def bounds(self, cells: Cells, /) -> Bounds:
        """The true counts that each cell may stand for."""
        least = np.maximum(cells.shown - self.largest, self.threshold)
        return (
            np.where(cells.withheld, 0, least),
            np.where(cells.withheld, self.threshold - 1, cells.shown + self.largest),
        )


@dataclass(frozen=True)
class UniformShift:
    """Counts up to `limit` are told as that many or fewer; others get a shift, never 0 (Leaf).

    Attributes:
        limit: The greatest count that is not told.
        largest: Shifts are whole numbers from -largest up to, not including, largest, without 0,
            and alike likely.
    """

    limit: int
    largest: int

    def __post_init__(self) -> None:
        check_parameter("largest", self.largest, 2)
        # Otherwise a shift could take a count below 0.
        check_parameter("limit", self.limit, self.largest - 1)

    def apply(self, counts: Counts, source: ByteSource, _keys: Counts | None, /) -> Cells:
        """Treats the counts of one table, shape (cells,)."""
        drawn = below(source, counts.size, 2 * self.largest - 1) - self.largest
        shift = drawn + (drawn >= 0)
        return Cells.of(counts + shift, counts <= self.limit)

    def bounds(self, cells: Cells, /) -> Bounds:
        """The true counts that each cell may stand for; the count itself is none of them."""
        least = np.maximum(cells.shown - self.largest + 1, self.limit + 1)
        return (
            np.where(cells.withheld, 0, least),
            np.where(cells.withheld, self.limit, cells.shown + self.largest),
        )


@dataclass(frozen=True)
class LaplaceAndRound:
    """0 stays; small counts are shown as `threshold`; others get Laplace noise, rounded (Samply).

    Equal counts get equal noise: it hangs on the count and on a salt, which is the first that is
    taken from the source.

    Attributes:
        threshold: Counts from 1 up to, not including, this one are shown as this one.
        sensitivity: How many a patient may add to the count.
        epsilon: The noise has the scale sensitivity / epsilon.
        base: The noised count goes to the nearest multiple of it, half way up, from 0 up.
    """

    threshold: int
    sensitivity: float
    epsilon: float
    base: int

    def __post_init__(self) -> None:
        check_parameter("threshold", self.threshold, 1)
        check_parameter("sensitivity", self.sensitivity, 0)
        if not self.epsilon > 0:
            raise ValueError(f"epsilon: more than 0 was expected; got {self.epsilon}")
        check_parameter("base", self.base, 1)

    def apply(self, counts: Counts, source: ByteSource, _keys: Counts | None, /) -> Cells:
        """Treats the counts of one table, shape (cells,)."""
        salt, scale = source(_SALT_BYTES), self.sensitivity / self.epsilon
        distinct, place = np.unique(counts, return_inverse=True)
        drawn = [laplaces(keyed_source(salt, str(count)), 1, scale)[0] for count in distinct]
        noise = np.array(drawn, dtype=np.float64)[place]
        noised = np.maximum(_nearest(counts + noise, self.base), 0)
        shown = np.where(counts < self.threshold, self.threshold, noised)
        return Cells.all_shown(np.where(counts == 0, 0, shown))

    def bounds(self, cells: Cells, /) -> Bounds:
        """The true counts that each cell may stand for: nothing bounds Laplace noise."""
        least = np.where(cells.shown == self.threshold, 1, self.threshold)
        return (np.where(cells.shown == 0, 0, least), np.full(cells.shown.shape, OPEN))


def _nearest(values: Reals, base: int) -> Counts:
    """The nearest multiples of a base, half way up."""
    multiples: Counts = (np.floor(values / base + 0.5) * base).astype(np.int64)
    return multiples
