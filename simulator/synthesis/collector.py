"""Gathers facts of oncology patients kind by kind, and gives them out in order."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from simulator.synthesis.courses import Flags
from simulator.synthesis.days import Days
from simulator.synthesis.facts import Facts


@dataclass
class Collector:
    """Gathers facts of one table as (patient, day, code, value, unit) and forgets none."""

    person: list[NDArray[np.int64]] = field(default_factory=list)
    date: list[NDArray[np.int64]] = field(default_factory=list)
    code: list[NDArray[np.int64]] = field(default_factory=list)
    value: list[NDArray[np.int64]] = field(default_factory=list)
    unit: list[NDArray[np.int64]] = field(default_factory=list)

    def add(
        self,
        flags: Flags,
        date: NDArray[np.integer],
        code: NDArray[np.integer] | int,
        value: NDArray[np.integer] | int = 0,
        unit: int = 0,
    ) -> None:
        """One fact for each flagged patient; the arrays have shape (patients,)."""
        rows = np.flatnonzero(flags)

        def of(values: NDArray[np.integer] | int) -> NDArray[np.int64]:
            if isinstance(values, np.ndarray):
                return values[rows].astype(np.int64)
            return np.full(len(rows), values, dtype=np.int64)

        self.extend(rows, of(date), of(code), of(value), of(unit))

    def extend(
        self,
        person: NDArray[np.int64],
        date: NDArray[np.int64],
        code: NDArray[np.int64],
        value: NDArray[np.int64],
        unit: NDArray[np.int64],
    ) -> None:
        """Facts as they are, shape (n,) each."""
        self.person.append(person)
        self.date.append(date)
        self.code.append(code)
        self.value.append(value)
        self.unit.append(unit)

    def facts(self, start: Days, end: Days, *, values: bool) -> Facts:
        """The facts inside each patient's observation, by patient and day."""
        person, date = np.concatenate(self.person), np.concatenate(self.date)
        inside = (date >= start[person]) & (date <= end[person])
        order = np.flatnonzero(inside)
        order = order[np.lexsort((date[order], person[order]))]
        kept = [np.concatenate(part)[order] for part in (self.code, self.value, self.unit)]
        return Facts(
            person[order].astype(np.int32),
            date[order].astype(np.int32),
            kept[0].astype(np.int16),
            np.zeros(len(order), dtype=np.int32),
            kept[1] if values else kept[1][:0],
            (kept[2] if values else kept[2][:0]).astype(np.int16),
        )
