"""What a round lets out, as counts to remember: the true number, and whether it was told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from simulator.aggregates.released import Released
from simulator.aggregates.survival import SurvivalTable
from simulator.aggregates.table import Table
from simulator.hub.analyses.released import (
    ReleasedCounts,
    ReleasedEntries,
    ReleasedGrid,
    ReleasedLevels,
    ReleasedPaths,
    ReleasedTable,
    ReleasedTables,
    ReleasedYears,
)
from simulator.hub.query_sets import Asking, Cell
from simulator.messages.describing import (
    OBSERVED,
    PREVALENT,
    ArrivalNeed,
    CalendarNeed,
    DemographicsNeed,
    FollowUpNeed,
    LabsNeed,
    PathwaysNeed,
    RaceNeed,
)
from simulator.messages.needs import PATIENTS, EntriesNeed, Need, SurvivalNeed
from simulator.privacy.memory.values import Remembered

_Told = Iterator[tuple[Cell, int, Released | None]]


def remember(
    asking: Asking,
    sums: Mapping[Need, Table],
    released: ReleasedTables,
    *,
    run: str,
    at: dt.datetime,
) -> tuple[Remembered, ...]:
    """The counts of patients of a round.

    A count counts as told where the number that was let out is the true one.

    Args:
        asking: The question, put to the roster of the run.
        sums: The true sum for each need.
        released: What the release lets out of each.
        run: The run's identifier.
        at: The time in UTC.
    """
    return tuple(
        Remembered(cell.name, of, count, type(told) is int and told == count, run, at)
        for need, table in sums.items()
        for cell, count, told in _counts(asking, need, table, released[need])
        for of in cell.sets
    )


def _counts(asking: Asking, need: Need, table: Table, released: ReleasedTable) -> _Told:
    """Each count with what was let out of it; None where that is nothing."""
    if isinstance(need, PathwaysNeed):
        yield from _paths(asking, released)
    cells, numbers = asking.cells(need), _true(need, table)
    told = _told(released)
    nothing: Sequence[Released | None] = [None] * len(numbers)
    yield from zip(cells, numbers, told if told is not None else nothing, strict=True)


def _paths(asking: Asking, released: ReleasedTable) -> _Told:
    """Each beginning of a path that somebody took; what was not told is not known here either."""
    if isinstance(released, ReleasedPaths):
        for names, count in released.paths.items():
            if isinstance(count, int):
                yield asking.path(names), count, count


def _true(need: Need, table: Table) -> list[int]:
    """The counts of a sum in the order of the cells."""
    values = table.values
    match need:
        case EntriesNeed():
            found = table.measure(PATIENTS)
        case SurvivalNeed(subgroup=""):
            found = values.sum(axis=(1, 2))
        case SurvivalNeed():
            # The last level is of those in several, of whom there are none.
            found = values.sum(axis=(2, 3))[:, :-1]
        case CalendarNeed():
            both = (table.measure(OBSERVED).tolist(), table.measure(PREVALENT).tolist())
            return [int(count) for counts in both for count in counts]
        case DemographicsNeed() | RaceNeed() | ArrivalNeed() | LabsNeed():
            return _grid(need, table)
        case FollowUpNeed() | PathwaysNeed():
            found = values.sum(keepdims=True)
        case _:
            found = table.measure(PATIENTS)
    return [int(count) for count in found.reshape(-1)]


def _grid(need: Need, table: Table) -> list[int]:
    """Cells row by row, the totals of rows, those of columns, and everyone."""
    values = table.measure(PATIENTS)
    values = values[None, :] if isinstance(need, RaceNeed) else values
    rows = values.sum(axis=1)
    # Each test of a laboratory is about everyone.
    everyone = rows[0] if isinstance(need, LabsNeed) else values.sum()
    found = [*values.reshape(-1), *rows, *values.sum(axis=0), everyone]
    return [int(count) for count in found]


def _told(released: ReleasedTable) -> Sequence[Released | None] | None:
    """What was let out in the order of the cells, or None where that is no count of patients."""
    match released:
        case ReleasedCounts(counts=counts):
            return counts
        case ReleasedEntries(patients=patients):
            return patients
        case ReleasedYears(observed=observed, prevalent=prevalent):
            return (*observed, *prevalent)
        case ReleasedPaths(everyone=everyone):
            return (everyone,)
        case SurvivalTable():
            return [int(count) for count in released.patients]
        case ReleasedLevels(levels=levels, rest=rest):
            tables = [*levels.values(), rest]
            arms = range(len(rest.arms))
            return [int(found.patients[arm]) for arm in arms for found in tables]
        case ReleasedGrid():
            return _told_grid(released)
        case _:
            return None


def _told_grid(released: ReleasedGrid) -> list[Released | None]:
    cells = [count for row in released.cells for count in row]
    columns: Sequence[Released | None] = released.column_totals or [None] * len(released.columns)
    return [*cells, *released.row_totals, *columns, released.everyone]
