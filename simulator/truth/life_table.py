"""The actuarial life table by month from pooled rows, in plain arithmetic of its own.

It shares nothing with the estimators on sums: no grid, no numpy, one patient at a time. A month of
365.25 / 12 days is 487/16 days, so that the bin of a day is found in whole numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

_Z = 1.959963984540054  # the 97.5 % point of the normal distribution
_SLACK = 1e-11  # 23/24 * 22/23 * ... * 12/13 is meant to be one half


@dataclass(frozen=True)
class Month:
    """What is known at the end of one month.

    Attributes:
        survival: The share alive.
        greenwood: The sum of d / (e (e - d)) so far, e being those exposed.
        at_start: Patients who entered the month.
        still_watched: Patients who are watched beyond its end.
    """

    survival: float
    greenwood: float
    at_start: int
    still_watched: int


@dataclass(frozen=True)
class LifeTable:
    """Months 1 to the horizon, in order."""

    months: tuple[Month, ...]

    def survival_at(self, month: int) -> tuple[float | None, float | None, float | None]:
        """Survival at the end of a month with its log-log interval; None where unknown."""
        found = self.months[month - 1]
        if found.at_start == 0 and found.survival > 0.0:
            return None, None, None
        if found.survival in {0.0, 1.0}:
            end = 1.0 if found.survival == 1.0 else None
            return found.survival, found.survival, end
        loglog = math.log(-math.log(found.survival))
        width = _Z * math.sqrt(found.greenwood) / math.log(found.survival)
        low, high = (math.exp(-math.exp(loglog + sign * width)) for sign in (-1, 1))
        return found.survival, min(low, high), max(low, high)

    def median(self) -> float | None:
        """Where the straight line between the ends of two months passes one half."""
        return self.quantile(0.5)

    def quantile(self, share: float) -> float | None:
        """Where the straight line between the ends of two months passes what a share leaves."""
        before, left = 1.0, 1.0 - share
        for number, month in enumerate(self.months):
            if month.survival <= left + _SLACK:
                return number + min((before - left) / (before - month.survival), 1.0)
            before = month.survival
        return None

    def survival_with_variance(self, month: int) -> tuple[float, float] | None:
        """Survival at the end of a month and the variance of its logarithm; None if unknown."""
        survival = self.survival_at(month)[0]
        return None if survival is None else (survival, self.months[month - 1].greenwood)

    def mean_with_variance(self, month: int) -> tuple[float, float] | None:
        """The area to the end of a month, in months, and its variance; None if unknown.

        A change in the logarithm of a month's own survival moves the line's end there, and with it
        half of that month's area that lies under the end, and everything after it.
        """
        mean = self.mean_to(month)
        if mean is None:
            return None
        shares = [1.0, *(found.survival for found in self.months[:month])]
        areas = [(a + b) / 2 for a, b in pairwise(shares)]
        so_far = [0.0, *(found.greenwood for found in self.months[:month])]
        variance = sum(
            (shares[place + 1] / 2 + sum(areas[place + 1 :])) ** 2
            * (so_far[place + 1] - so_far[place])
            for place in range(month)
        )
        return mean, variance

    def mean_to(self, month: int) -> float | None:
        """The area under the straight lines up to the end of a month, in months."""
        if self.survival_at(month)[0] is None:
            return None
        shares = [1.0, *(found.survival for found in self.months[:month])]
        return sum((a + b) / 2 for a, b in pairwise(shares))


def life_table(rows: Iterable[tuple[int, bool]], horizon: int) -> LifeTable:
    """The life table of patients given as days and whether they died.

    Those who are censored in a month count for half of it (Cutler and Ederer 1958); in the last
    month, which also holds everyone watched beyond it, they count whole.
    """
    last_day = horizon * 487 // 16
    died, left = [0] * horizon, [0] * horizon
    for days, event in rows:
        inside = days <= last_day
        place = max(1, -(-16 * min(days, last_day) // 487)) - 1
        (died if event and inside else left)[place] += 1
    survival, greenwood, watched = 1.0, 0.0, sum(died) + sum(left)
    months = []
    for place in range(horizon):
        at_start = watched
        exposed = at_start - (left[place] / 2 if place < horizon - 1 else 0.0)
        if died[place]:
            survival *= 1.0 - died[place] / exposed
            if survival > 0.0:
                greenwood += died[place] / (exposed * (exposed - died[place]))
        watched -= died[place] + left[place]
        beyond = watched if place < horizon - 1 else left[place]
        months.append(Month(survival, greenwood, at_start, beyond))
    return LifeTable(tuple(months))
