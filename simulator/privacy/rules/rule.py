"""A rule of release: how it treats the counts of one table, and what its answer leaves open."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from simulator.privacy.sources import ByteSource

Counts = NDArray[np.int64]
Bounds = tuple[Counts, Counts]
"""The least and the greatest true count of each cell, shape (cells,) each."""


@dataclass(frozen=True, eq=False)
class Cells:
    """What a rule let out of a vector of counts.

    Attributes:
        shown: int64, shape (cells,), read-only; 0 where withheld, and meaningless there.
        withheld: Whether the cell was withheld, same shape, read-only.
    """

    shown: Counts
    withheld: NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.shown.shape != self.withheld.shape:
            raise ValueError(
                f"as many marks as cells were expected; got {self.withheld.shape} marks "
                f"for {self.shown.shape} cells"
            )
        if self.shown[self.withheld].any():
            raise ValueError("0 was expected where a cell is withheld; got another number")
        self.shown.flags.writeable = False
        self.withheld.flags.writeable = False

    @classmethod
    def of(cls, shown: Counts, withheld: NDArray[np.bool_]) -> Self:
        """Cells that show these counts but where they are withheld."""
        return cls(np.where(withheld, 0, shown).astype(np.int64), withheld)

    @classmethod
    def all_shown(cls, shown: Counts) -> Self:
        """Cells of which none is withheld."""
        return cls(shown.astype(np.int64), np.zeros(shown.shape, dtype=np.bool_))


class Repeats(StrEnum):
    """What the same question gets when it is asked again."""

    SAME = "the same each time"
    FRESH = "fresh noise each time"


class Mechanism(Protocol):
    """What a rule does, with its parameters as the fields of a frozen dataclass."""

    def apply(self, counts: Counts, source: ByteSource, keys: Counts | None, /) -> Cells:
        """Treats the counts of one table, which are not negative, shape (cells,)."""

    def bounds(self, cells: Cells, /) -> Bounds:
        """The true counts that each cell may stand for."""


@dataclass(frozen=True)
class Rule:
    """A mechanism under the name of the system, or of the bare rule, that it emulates.

    Attributes:
        name: What a user types.
        version: Changes whenever the same counts would be released differently.
        repeats: What the same question gets when it is asked again. Where it gets the same, the
            caller gives a source that is keyed by the question.
        says: What it guarantees and what breaks it, one line each.
        source: The system, its version, and where the rule stands.
        mechanism: What it does.
    """

    name: str
    version: int
    repeats: Repeats
    says: tuple[str, ...]
    source: str
    mechanism: Mechanism

    @property
    def parameters(self) -> dict[str, int | float | str]:
        """The parameters of the mechanism by name."""
        return parameters_of(self.mechanism)

    def apply(self, counts: Counts, source: ByteSource, keys: Counts | None = None) -> Cells:
        """What the rule lets out of the cells of one table.

        Args:
            counts: Patients per cell, int64, not negative, shape (cells,).
            source: Where noise comes from; a rule without noise takes nothing from it.
            keys: For `cell-key`, the sum of the keys of the records in each cell, shape (cells,).

        Raises:
            ValueError: The counts are no vector of whole numbers from 0 up, or keys are missing.
        """
        return self.mechanism.apply(check_counts(counts), source, keys)

    def bounds(self, cells: Cells) -> Bounds:
        """The least and the greatest true count that each cell may stand for.

        They follow from the rule and the cell alone, not from other cells, totals or other answers.
        The greatest is `simulator.aggregates.bounded.OPEN` where nothing bounds the cell.
        """
        return self.mechanism.bounds(cells)


def parameters_of(mechanism: Mechanism) -> dict[str, int | float | str]:
    """The fields of a mechanism, by name."""
    return {field.name: getattr(mechanism, field.name) for field in fields(mechanism)}  # type: ignore[arg-type]


def check_counts(counts: Counts) -> Counts:
    """The counts, if they are a vector of whole numbers from 0 up.

    Raises:
        ValueError: They are not.
    """
    if counts.ndim != 1 or counts.dtype != np.int64:
        raise ValueError(
            "whole numbers (int64) of one table, shape (cells,), were expected; "
            f"got {counts.dtype} of shape {counts.shape}"
        )
    if (counts < 0).any():
        raise ValueError(f"counts from 0 up were expected; got {counts.min()}")
    return counts


def check_parameter(name: str, value: float, least: float) -> None:
    """Lets a parameter pass that is large enough.

    Raises:
        ValueError: It is smaller, or no number.
    """
    if not value >= least:
        raise ValueError(f"{name}: {least} or more was expected; got {value}")
