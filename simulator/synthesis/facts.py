"""Clinical facts in columns, before they become the rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.synthesis.days import Days

Persons = NDArray[np.int32]
Thousandths = NDArray[np.int64]


@dataclass(frozen=True)
class Facts:
    """n facts of one table.

    Attributes:
        person: Position of the person at the site, shape (n,), as all that follow.
        date: The day.
        code: Row of the codebook.
        visit: Position of the visit.
        value: For measurements: thousandths of the unit. Else empty.
        unit: For measurements: row of the codebook, or -1 where none is written. Else empty.
    """

    person: Persons
    date: Days
    code: NDArray[np.int16]
    visit: NDArray[np.int32]
    value: Thousandths
    unit: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.person)

    @staticmethod
    def none() -> Facts:
        """No facts."""
        small, whole = np.empty(0, dtype=np.int16), np.empty(0, dtype=np.int32)
        return Facts(whole, whole, small, whole, np.empty(0, dtype=np.int64), small)

    @staticmethod
    def concatenate(parts: Sequence[Facts]) -> Facts:
        """All facts of several, in order."""
        return Facts(
            np.concatenate([part.person for part in parts]),
            np.concatenate([part.date for part in parts]),
            np.concatenate([part.code for part in parts]),
            np.concatenate([part.visit for part in parts]),
            np.concatenate([part.value for part in parts]),
            np.concatenate([part.unit for part in parts]),
        )


@dataclass(frozen=True)
class Visits:
    """n visits: person, first day, last day, and the row of the kind of visit, shape (n,)."""

    person: Persons
    start: Days
    end: Days
    kind: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.person)


@dataclass(frozen=True)
class SiteFacts:
    """All that happened at a site, by table."""

    visits: Visits
    conditions: Facts
    procedures: Facts
    drugs: Facts
    measurements: Facts
