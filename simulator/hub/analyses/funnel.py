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
    steps = _counts(released, attrition)
    return Funnel(
        tuple(
            AttritionStep(label, count)
            for label, count in zip(steps.labels, steps.counts, strict=True)
        ),
        _counts(released, assignment),
    )


def _counts(released: ReleasedTables, need: Need) -> ReleasedCounts:
    found = released[need]
    if not isinstance(found, ReleasedCounts):
        raise TypeError(f"counts were expected for {need}")
    return found
