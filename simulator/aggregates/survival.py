"""The survival table: how many of each arm had the event or were censored, per cell of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.aggregates.grid import Grid
from simulator.aggregates.table import Axis, Layout, Measure, Table

EVENTS = "events"
CENSORED = "censored"


def survival_layout(arms: tuple[str, ...], grid: Grid) -> Layout:
    """The layout ``arm x time`` with measures events and censored."""
    time = Axis(str(grid.unit), grid.size)
    return Layout((Axis.of("arm", arms), time), (Measure(EVENTS), Measure(CENSORED)))


def by_level(table: Table, grid: Grid) -> dict[str, SurvivalTable]:
    """Splits a table ``arm x level x time`` into a survival table for each level, in their order.

    Raises:
        ValueError: The table has other axes or measures.
    """
    axes = table.layout.axes
    if [axis.name for axis in axes[:2]] != ["arm", "level"] or len(axes) != 3:
        raise ValueError("a table of arm x level x time was expected")
    layout = Layout((axes[0], axes[2]), table.layout.measures)
    return {
        level: SurvivalTable(grid, Table(layout, table.values[:, place].copy()))
        for place, level in enumerate(axes[1].labels)
    }


@dataclass(frozen=True)
class SurvivalTable:
    """A table with the axes ``arm x time`` together with the grid that gives its cells a meaning.

    At the same cell events precede censorings. Numbers at risk are never sent; they are the reverse
    cumulative sum of events and censorings.
    """

    grid: Grid
    table: Table

    def __post_init__(self) -> None:
        if self.table.layout != survival_layout(self.arms, self.grid):
            raise ValueError("the table's layout is not that of a survival table on this grid")

    @property
    def arms(self) -> tuple[str, ...]:
        """The labels of the arms, in the study's order."""
        return self.table.layout.axes[0].labels

    @property
    def events(self) -> NDArray[np.int64]:
        """Events per arm and cell, shape (arms, cells)."""
        return self.table.measure(EVENTS)

    @property
    def censored(self) -> NDArray[np.int64]:
        """Censorings per arm and cell, shape (arms, cells)."""
        return self.table.measure(CENSORED)

    @property
    def at_risk(self) -> NDArray[np.int64]:
        """Numbers at risk at the start of each cell, shape (arms, cells)."""
        leaving = self.events + self.censored
        at_risk: NDArray[np.int64] = np.cumsum(leaving[:, ::-1], axis=1)[:, ::-1]
        return at_risk

    @property
    def patients(self) -> NDArray[np.int64]:
        """Patients of each arm, shape (arms,)."""
        patients: NDArray[np.int64] = (self.events + self.censored).sum(axis=1)
        return patients

    def select(self, arms: tuple[str, ...]) -> SurvivalTable:
        """The same table with these arms only, in this order."""
        rows = [self.arms.index(arm) for arm in arms]
        layout = survival_layout(arms, self.grid)
        return SurvivalTable(self.grid, Table(layout, self.table.values[rows]))

    @classmethod
    def from_rows(
        cls,
        arms: tuple[str, ...],
        grid: Grid,
        *,
        arm: NDArray[np.int64],
        days: NDArray[np.int64],
        event: NDArray[np.bool_],
        patients: NDArray[np.int64] | None = None,
        last_day: int | None = None,
    ) -> SurvivalTable:
        """Counts rows: arm index, days from index (>= 0), whether the event happened; shape (n,).

        Time beyond the grid's last day, or an earlier `last_day`, is censored at it. A row stands
        for one patient, or for as many as `patients` says.
        """
        last = grid.last_day if last_day is None else min(grid.last_day, last_day)
        inside = days <= last
        happened = event & inside
        cell = grid.cell_of(np.minimum(days, last))
        shape = (len(arms), grid.size, 2)
        values = np.zeros(shape, dtype=np.int64)
        np.add.at(
            values, (arm, cell, np.where(happened, 0, 1)), 1 if patients is None else patients
        )
        return cls(grid, Table(survival_layout(arms, grid), values))
