"""The one general aggregate: named axes x named measures that add cell by cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import msgspec
import numpy as np
from numpy.typing import NDArray


class Axis(msgspec.Struct, frozen=True):
    """One direction of a table.

    Attributes:
        name: Such as ``arm`` or ``month``.
        size: The number of positions.
        labels: A label for each position in order; empty where the position speaks for itself.
    """

    name: str
    size: int
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.labels and len(self.labels) != self.size:
            raise ValueError(f"{self.size} labels were expected; got {len(self.labels)}")

    @classmethod
    def of(cls, name: str, labels: tuple[str, ...]) -> Axis:
        """An axis with a label for each position."""
        return cls(name, len(labels), labels)


class Measure(msgspec.Struct, frozen=True):
    """What a cell counts.

    Attributes:
        name: Such as ``events``.
        fraction_bits: 0 for whole numbers; f for fixed point, v being kept as round(v * 2^f).
    """

    name: str
    fraction_bits: int = 0


class Layout(msgspec.Struct, frozen=True):
    """The shape of a table. Its flattening order is axes in turn, the measure fastest (C order)."""

    axes: tuple[Axis, ...]
    measures: tuple[Measure, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each axis in order, then the number of measures."""
        return (*(axis.size for axis in self.axes), len(self.measures))

    @property
    def cells(self) -> int:
        """The number of whole numbers that a table of this layout holds."""
        return int(np.prod(self.shape, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Table:
    """Whole numbers in a layout. Tables of one layout form a commutative monoid under +.

    Attributes:
        layout: Axes and measures.
        values: int64, shape `layout.shape`, read-only.
    """

    layout: Layout
    values: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.values.shape != self.layout.shape:
            raise ValueError(
                f"a table of shape {self.layout.shape} was expected; got {self.values.shape}"
            )
        if self.values.dtype != np.int64:
            raise ValueError(f"whole numbers (int64) were expected; got {self.values.dtype}")
        self.values.flags.writeable = False

    @classmethod
    def zero(cls, layout: Layout) -> Self:
        """The table that changes nothing when added."""
        return cls(layout, np.zeros(layout.shape, dtype=np.int64))

    @classmethod
    def from_flat(cls, layout: Layout, flat: NDArray[np.int64]) -> Self:
        """A table from its cells in flattening order, shape (layout.cells,)."""
        if flat.shape != (layout.cells,):
            raise ValueError(f"{layout.cells} cells were expected; got shape {flat.shape}")
        return cls(layout, flat.reshape(layout.shape).astype(np.int64))

    def flat(self) -> NDArray[np.int64]:
        """The cells in flattening order, shape (layout.cells,)."""
        return self.values.reshape(-1)

    def measure(self, name: str) -> NDArray[np.int64]:
        """The cells of one measure, shape of the axes."""
        position = [measure.name for measure in self.layout.measures].index(name)
        cells: NDArray[np.int64] = self.values[..., position]
        return cells

    def __add__(self, other: Table) -> Table:
        if self.layout != other.layout:
            raise ValueError("only tables of the same layout can be added")
        return Table(self.layout, self.values + other.values)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Table):
            return NotImplemented
        return self.layout == other.layout and bool(np.array_equal(self.values, other.values))

    __hash__ = None  # type: ignore[assignment]  # equal by content, and arrays do not hash
