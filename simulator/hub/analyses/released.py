"""What an analysis is sent for each of its needs: what the release let out."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass

from simulator.aggregates.bounded import BoundedTable
from simulator.aggregates.grid import Grid
from simulator.aggregates.released import Released, Withheld
from simulator.aggregates.survival import SurvivalTable
from simulator.messages.needs import Need
from simulator.privacy.noise.laws import Law


@dataclass(frozen=True)
class ReleasedCounts:
    """Counts with a label each, small ones withheld or rounded."""

    labels: tuple[str, ...]
    counts: tuple[Released, ...]


@dataclass(frozen=True)
class ReleasedEntries:
    """Patients, days and events that may be the index, after each step."""

    labels: tuple[str, ...]
    patients: tuple[Released, ...]
    days: tuple[Released, ...]
    events: tuple[Released, ...]


@dataclass(frozen=True)
class ReleasedGrid:
    """Patients in rows and columns, with the totals that are released beside them.

    Attributes:
        rows: The labels of the rows.
        columns: The labels of the columns.
        cells: For each row its columns.
        row_totals: The total of each row.
        column_totals: The total of each column; empty where none is released.
        everyone: All patients.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[Released, ...], ...]
    row_totals: tuple[Released, ...]
    column_totals: tuple[Released, ...]
    everyone: Released


@dataclass(frozen=True)
class ReleasedYears:
    """For each year the people observed, those of them in the cohort, and the days at risk."""

    labels: tuple[str, ...]
    observed: tuple[Released, ...]
    prevalent: tuple[Released, ...]
    days: tuple[Released, ...]


@dataclass(frozen=True)
class ReleasedPaths:
    """Patients by what they took in turn: the count of each beginning, and of everyone."""

    paths: Mapping[tuple[str, ...], Released]
    everyone: Released


@dataclass(frozen=True)
class ReleasedBounds:
    """A survival table of which only bounds are known, as a rule withheld or changed its cells."""

    grid: Grid
    table: BoundedTable


@dataclass(frozen=True)
class ReleasedNoise:
    """A survival table with noise in every cell, which may make a count negative."""

    table: SurvivalTable
    law: Law


@dataclass(frozen=True)
class ReleasedLevels:
    """A survival table for each level of a subgroup, and one of those in no level."""

    levels: Mapping[str, SurvivalTable]
    rest: SurvivalTable


ReleasedTable = (
    ReleasedCounts
    | ReleasedEntries
    | ReleasedGrid
    | ReleasedYears
    | ReleasedPaths
    | ReleasedLevels
    | ReleasedBounds
    | ReleasedNoise
    | SurvivalTable
    | Withheld
)
ReleasedTables = Mapping[Need, ReleasedTable]

Analysis = Generator[frozenset[Need], ReleasedTables, object]
