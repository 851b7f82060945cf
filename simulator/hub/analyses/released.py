"""What an analysis is sent for each of its needs: what the release let out."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass

from simulator.aggregates.released import Released, Withheld
from simulator.aggregates.survival import SurvivalTable
from simulator.messages.needs import Need


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
class ReleasedLevels:
    """A survival table for each level of a subgroup, and one of those in no level."""

    levels: Mapping[str, SurvivalTable]
    rest: SurvivalTable


ReleasedTable = ReleasedCounts | ReleasedEntries | ReleasedLevels | SurvivalTable | Withheld
ReleasedTables = Mapping[Need, ReleasedTable]

Analysis = Generator[frozenset[Need], ReleasedTables, object]
