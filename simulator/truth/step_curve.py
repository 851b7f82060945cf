"""The product-limit curve by day from pooled rows, in plain arithmetic of its own.

Like the life table it shares nothing with the estimators on sums: no grid, no numpy. A month of
365.25 / 12 days is 487/16 days.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """A day with deaths: the share alive after it, and its term d / (n (n - d)) of Greenwood's."""

    day: int
    survival: float
    term: float


@dataclass(frozen=True)
class StepCurve:
    """The steps in order, and the last moment, in days, at which somebody was watched."""

    steps: tuple[Step, ...]
    watched_until: float

    def survival_with_variance(self, month: int) -> tuple[float, float] | None:
        """Survival at the end of a month and the variance of its logarithm; None if unknown."""
        moment = month * 487 / 16
        if not self._is_known(moment):
            return None
        before = [step for step in self.steps if step.day <= moment]
        return (before[-1].survival if before else 1.0), sum(step.term for step in before)

    def mean_with_variance(self, month: int) -> tuple[float, float] | None:
        """The area to the end of a month, in months, and its variance; None if unknown."""
        moment = month * 487 / 16
        if not self._is_known(moment):
            return None
        before = [step for step in self.steps if step.day <= moment]
        ends = [*(step.day for step in before[1:]), moment]
        areas = [step.survival * (end - step.day) for step, end in zip(before, ends, strict=False)]
        variance = sum(sum(areas[place:]) ** 2 * step.term for place, step in enumerate(before))
        mean = (before[0].day if before else moment) + sum(areas)
        return mean * 16 / 487, variance * (16 / 487) ** 2

    def _is_known(self, moment: float) -> bool:
        died_out = bool(self.steps) and self.steps[-1].survival == 0.0
        return died_out or moment <= self.watched_until


def step_curve(rows: Iterable[tuple[int, bool]], horizon: int) -> StepCurve:
    """The curve of patients given as days, cut at the horizon, and whether they died.

    Whoever is watched on the last whole day before the horizon is watched until it.
    """
    last_day = horizon * 487 // 16
    died, left = Counter[int](), Counter[int]()
    for days, event in rows:
        (died if event else left)[days] += 1
    watched, survival = died.total() + left.total(), 1.0
    days_seen = sorted(died | left)
    steps = []
    for day in days_seen:
        if died[day]:
            remaining = watched - died[day]
            survival *= 1.0 - died[day] / watched
            term = died[day] / (watched * remaining) if remaining else 0.0
            steps.append(Step(day, survival if remaining else 0.0, term))
        watched -= died[day] + left[day]
    until = -1.0 if not days_seen else float(days_seen[-1])
    return StepCurve(tuple(steps), horizon * 487 / 16 if until == last_day else until)
