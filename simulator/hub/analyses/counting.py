"""The count: what each step leaves, in patients or in events that may be the index."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from simulator.aggregates.released import Released
from simulator.hub.analyses.funnel import steps
from simulator.hub.analyses.released import ReleasedEntries, ReleasedTables
from simulator.messages.needs import EntriesNeed, Need


class Unit(StrEnum):
    """What is counted."""

    PATIENT = "patient"
    DAY = "day"
    EVENT = "event"


class CountStep(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a step leaves.

    Attributes:
        step: The step.
        patients: Patients, each once.
        days: Days of a patient with an event that may be the index, where days are counted.
        events: Such events, where events are counted.
    """

    step: str
    patients: Released
    days: Released | None = None
    events: Released | None = None


@dataclass(frozen=True)
class Counted:
    """What each step leaves; the last is the total."""

    steps: tuple[CountStep, ...]


def counting(unit: Unit) -> Generator[frozenset[Need], ReleasedTables, Counted]:
    """Counts what each step leaves."""
    if unit is Unit.PATIENT:
        left = yield from steps()
        return Counted(tuple(CountStep(step.step, step.patients) for step in left))
    released = yield frozenset({EntriesNeed()})
    found = released[EntriesNeed()]
    if not isinstance(found, ReleasedEntries):
        raise TypeError("counts of entries were expected")
    by_days = unit is Unit.DAY
    entries = zip(found.labels, found.patients, found.days, found.events, strict=True)
    return Counted(
        tuple(
            CountStep(label, patients, days=days)
            if by_days
            else CountStep(label, patients, events=events)
            for label, patients, days, events in entries
        )
    )
