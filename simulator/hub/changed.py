"""What a release lets out of a sum where its rule or its noise changes every cell."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

import numpy as np

from simulator.aggregates.bounded import OPEN, BoundedTable
from simulator.aggregates.released import Noisy, Partial, Released
from simulator.aggregates.survival import SurvivalTable
from simulator.aggregates.table import Table
from simulator.hub.analyses.released import (
    ReleasedBounds,
    ReleasedCounts,
    ReleasedGrid,
    ReleasedNoise,
    ReleasedTable,
)
from simulator.hub.answers import bounded
from simulator.messages.needs import AttritionNeed, Need, SurvivalNeed, kind_of
from simulator.privacy.noise.laws import Law
from simulator.privacy.release import Release
from simulator.privacy.rules.registry import RULES
from simulator.privacy.sources import ByteSource


def under_rule(
    need: Need, table: Table | BoundedTable, release: Release, source: ByteSource
) -> ReleasedTable:
    """What a rule lets out: of a sum of what sites showed, or of a sum to which it is done now."""
    if isinstance(table, Table):
        cells = RULES[release.rule].apply(table.flat(), source)
        table = bounded(table.layout, cells, release)
    if isinstance(need, SurvivalNeed):
        return ReleasedBounds(need.grid, table)
    cells_of = (table.shown, table.withheld, table.lowest, table.highest)
    counts = zip(*(cells.reshape(-1).tolist() for cells in cells_of), strict=True)
    return ReleasedCounts(table.layout.axes[0].labels, tuple(_shown(*cell) for cell in counts))


def _shown(shown: int, withheld: int, lowest: int, highest: int) -> Released:
    """A count of which some parts may be withheld; noise may have made it negative."""
    if not withheld:
        return max(shown, 0)
    return Partial(max(shown, 0), withheld, lowest, None if highest >= OPEN else highest)


def with_noise(need: Need, table: Table, laws: Mapping[str, Law]) -> ReleasedTable:
    """A sum in which there is noise already, with how much."""
    law = laws[kind_of(need)]
    if isinstance(need, SurvivalNeed):
        return ReleasedNoise(SurvivalTable(need.grid, table), law)
    error = sqrt(law.variance)
    values = table.values[..., 0]
    if values.ndim == 1:
        labels = table.layout.axes[0].labels
        if isinstance(need, AttritionNeed):
            # A step is the sum of all cells from it on, and so is its noise.
            terms = np.arange(len(values), 0, -1)
            return ReleasedCounts(labels, _noisy(values, error * np.sqrt(terms)))
        if kind_of(need) == "assignment":
            return ReleasedCounts(labels, _noisy(values, np.full(len(values), error)))
        return _grid(values[None, :], ("everyone",), labels, error)
    rows, columns = (axis.labels for axis in table.layout.axes)
    return _grid(values, rows, columns, error)


def _noisy(values: np.ndarray, errors: np.ndarray) -> tuple[Noisy, ...]:
    pairs = zip(values.tolist(), errors.tolist(), strict=True)
    return tuple(Noisy(max(value, 0), error) for value, error in pairs)


def _grid(
    values: np.ndarray, rows: tuple[str, ...], columns: tuple[str, ...], error: float
) -> ReleasedGrid:
    """Cells with their totals, which are the sums of the noisy cells."""
    height, width = values.shape

    def totals(sums: np.ndarray, terms: int) -> tuple[Noisy, ...]:
        return _noisy(sums, np.full(len(sums), error * sqrt(terms)))

    return ReleasedGrid(
        rows,
        columns,
        tuple(totals(row, 1) for row in values),
        totals(values.sum(axis=1), width),
        totals(values.sum(axis=0), height),
        totals(values.sum(keepdims=True).reshape(1), height * width)[0],
    )
