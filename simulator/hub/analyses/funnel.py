"""The funnel: how many patients each step leaves, and how they fall into arms."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from simulator.aggregates.released import Released
from simulator.hub.analyses.released import ReleasedCounts, ReleasedTables
from simulator.hub.analyses.results import AttritionStep
from simulator.messages.needs import AssignmentNeed, AttritionNeed, Need


@dataclass(frozen=True)
class Funnel:
    """The attrition of a cohort, and how its patients fall into arms."""

    steps: tuple[AttritionStep, ...]
    assignment: ReleasedCounts

    @property
    def patients(self) -> Released:
        """Patients in exactly one arm."""
        return self.steps[-1].patients


def funnel() -> Generator[frozenset[Need], ReleasedTables, Funnel]:
    """Counts what each step leaves."""
    attrition, assignment = AttritionNeed(), AssignmentNeed()
    released = yield frozenset({attrition, assignment})
    return Funnel(_named(_counts(released, attrition)), _counts(released, assignment))


def steps() -> Generator[frozenset[Need], ReleasedTables, tuple[AttritionStep, ...]]:
    """Counts what each step leaves, of arms only how many patients are in exactly one."""
    released = yield frozenset({AttritionNeed()})
    found = _counts(released, AttritionNeed())
    return _named(found)


def _named(found: ReleasedCounts) -> tuple[AttritionStep, ...]:
    named = zip(found.labels, found.counts, strict=True)
    return tuple(AttritionStep(label, count) for label, count in named)


def _counts(released: ReleasedTables, need: Need) -> ReleasedCounts:
    found = released[need]
    if not isinstance(found, ReleasedCounts):
        raise TypeError(f"counts were expected for {need}")
    return found
