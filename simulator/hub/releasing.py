"""Turns the sums that tell of one cohort into what a release lets out of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from simulator.aggregates.released import Of, Released, Withheld
from simulator.aggregates.survival import SurvivalTable
from simulator.aggregates.table import Table
from simulator.hub.analyses.released import (
    ReleasedCounts,
    ReleasedEntries,
    ReleasedGrid,
    ReleasedPaths,
    ReleasedTable,
    ReleasedTables,
    ReleasedYears,
)
from simulator.messages.describing import (
    DAYS_AT_RISK,
    EVERYONE,
    OBSERVED,
    PREVALENT,
    ArrivalNeed,
    CalendarNeed,
    CodesNeed,
    DescribingNeed,
    FollowUpNeed,
    LabsNeed,
    PathwaysNeed,
    RaceNeed,
)
from simulator.messages.needs import DAYS, EVENTS, PATIENTS
from simulator.privacy.entries import round_entries, withhold_entries
from simulator.privacy.linked import (
    Shape,
    grid_shape,
    line_shape,
    rows_shape,
    tree_shape,
    withhold_linked,
)
from simulator.privacy.releases import Treatment
from simulator.privacy.thresholds import is_small, round_small, withhold_near, withhold_parts


def release_entries(table: Table, treatment: Treatment, threshold: int) -> ReleasedEntries:
    """Patients, days and events after each step; those of few patients are not let out."""
    patients, days, events = (table.measure(name).tolist() for name in (PATIENTS, DAYS, EVENTS))
    if treatment is Treatment.SMALL_ROUNDED:
        found = round_entries(patients, days, events, threshold)
    else:
        least = 0 if treatment is Treatment.EXACT else threshold
        found = withhold_entries(patients, days, events, least)
    return ReleasedEntries(table.layout.axes[0].labels, *found)


def release_description(
    need: DescribingNeed, table: Table, treatment: Treatment, threshold: int
) -> ReleasedTable:
    """What a release lets out of a table that describes a cohort."""
    rule = _Rule(treatment, 0 if treatment is Treatment.EXACT else threshold)
    match need:
        case FollowUpNeed(grid=grid):
            found = SurvivalTable(grid, table)
            small = is_small(int(found.patients.sum()), rule.threshold)
            hides = treatment is Treatment.COHORT_AT_LEAST and small
            return Withheld(threshold) if hides else found
        case CalendarNeed():
            return _years(table, rule)
        case CodesNeed():
            return _codes(table, rule)
        case PathwaysNeed():
            return _paths(table, rule)
        case _:
            return _grid(need, table, rule)


def withhold_running_sums(released: ReleasedTables, threshold: int) -> ReleasedTables:
    """What a round lets out, less the years from which a number of new patients would follow.

    Where nobody leaves, those in the cohort are the sum of all who were new so far. So none are
    told from the first year on whose new patients are not told exactly: later ones would give the
    sum of all between away.

    Args:
        released: What the release lets out of each table by itself.
        threshold: The release's threshold.
    """
    untold = [
        year
        for need, found in released.items()
        if isinstance(need, ArrivalNeed) and isinstance(found, ReleasedGrid)
        for year in _untold(need, found)
    ]
    if not untold:
        return released
    return {
        need: replace(
            found,
            prevalent=tuple(
                count if int(year) < min(untold) else Withheld(threshold, Of.PART)
                for year, count in zip(found.labels, found.prevalent, strict=True)
            ),
        )
        if isinstance(found, ReleasedYears)
        else found
        for need, found in released.items()
    }


def _untold(need: ArrivalNeed, found: ReleasedGrid) -> list[int]:
    """The years whose new patients are not told exactly; 0 stands for all before the first."""
    years = (0, *range(need.years.first, need.years.last + 2))
    return [
        year
        for year, total in zip(years, found.row_totals, strict=True)
        if not isinstance(total, int)
    ]


@dataclass(frozen=True)
class _Rule:
    """What is done to counts below a threshold, which is 0 where nothing is."""

    treatment: Treatment
    threshold: int

    @property
    def rounds(self) -> bool:
        return self.treatment in {Treatment.SMALL_ROUNDED, Treatment.LINKED_ROUNDED}

    def linked(self, shape: Shape, counts: Sequence[int]) -> tuple[Released, ...]:
        """Counts of a table with its totals."""
        if self.rounds:
            return tuple(round_small(count, self.threshold) for count in counts)
        return withhold_linked(shape.arcs, counts, self.threshold, {shape.told})

    def parts(self, counts: Sequence[int], whole: int) -> tuple[Released, ...]:
        """Counts of parts of a whole that may overlap."""
        if self.rounds:
            return tuple(round_small(count, self.threshold) for count in counts)
        return withhold_parts(counts, whole, self.threshold)


def _codes(table: Table, rule: _Rule) -> ReleasedCounts:
    whole, *parts = table.flat().tolist()
    (everyone,) = rule.parts([whole], whole)
    return ReleasedCounts(table.layout.axes[0].labels, (everyone, *rule.parts(parts, whole)))


def _years(table: Table, rule: _Rule) -> ReleasedYears:
    """People in the cohort are part of those observed, to whom the days belong."""
    seen, had, spent = (
        table.measure(name).tolist() for name in (OBSERVED, PREVALENT, DAYS_AT_RISK)
    )
    observed: list[Released] = []
    prevalent: list[Released] = []
    days: list[Released] = []
    for people, members, number in zip(seen, had, spent, strict=True):
        observed += rule.parts([people], people)
        prevalent += rule.parts([members], people)
        few = is_small(people, rule.threshold)
        days.append(Withheld(rule.threshold) if few else number)
    labels = table.layout.axes[0].labels
    near = withhold_near(prevalent, rule.threshold)
    return ReleasedYears(labels, tuple(observed), near, tuple(days))


def _grid(need: DescribingNeed, table: Table, rule: _Rule) -> ReleasedGrid:
    values = table.measure(PATIENTS)
    names = [axis.labels for axis in table.layout.axes]
    match need:
        case LabsNeed():
            return _lines(values, names[0], names[1], rule)
        case RaceNeed():
            return _lines(values[None, :], (EVERYONE,), names[0], rule)
        case ArrivalNeed():
            shape, columns = rows_shape(*values.shape), np.zeros(0, dtype=np.int64)
        case _:
            shape, columns = grid_shape(*values.shape), values.sum(axis=0)
    rows = values.sum(axis=1)
    counts = np.concatenate([values.reshape(-1), rows, columns, [values.sum()]])
    found = rule.linked(shape, counts.tolist())
    width, cells = values.shape[1], values.size
    return ReleasedGrid(
        names[0],
        names[1],
        tuple(found[place : place + width] for place in range(0, cells, width)),
        found[cells : cells + len(rows)],
        found[cells + len(rows) : -1],
        found[-1],
    )


def _lines(
    values: NDArray[np.int64], rows: tuple[str, ...], columns: tuple[str, ...], rule: _Rule
) -> ReleasedGrid:
    """Rows of which each adds up to everyone."""
    shape = line_shape(values.shape[1])
    found = [rule.linked(shape, [*row.tolist(), int(row.sum())]) for row in values]
    everyone = tuple(row[-1] for row in found)
    return ReleasedGrid(rows, columns, tuple(row[:-1] for row in found), everyone, (), everyone[0])


def _paths(table: Table, rule: _Rule) -> ReleasedPaths:
    """Every beginning of a path that somebody took, with the zeros only where they are withheld.

    The last place of an axis stands for none, after which nothing follows.
    """
    values, labels = table.measure(PATIENTS), table.layout.axes[0].labels
    last = len(labels) - 1
    counts: dict[tuple[int, ...], int] = {}
    for place in product(range(last + 1), repeat=values.ndim):
        taken = tuple(step for step in place if step != last)
        if place[: len(taken)] != taken or len(set(taken)) < len(taken):
            continue
        for length in range(1, min(len(taken) + 1, values.ndim) + 1):
            beginning = place[:length]
            counts[beginning] = counts.get(beginning, 0) + int(values[place])
    places = {path: place for place, path in enumerate(counts)}
    shape = tree_shape([places.get(path[:-1]) for path in counts])
    *found, everyone = rule.linked(shape, [*counts.values(), int(values.sum())])
    named = {
        tuple(labels[step] for step in path): count
        for path, count in zip(counts, found, strict=True)
        if count != 0
    }
    return ReleasedPaths(named, everyone)
