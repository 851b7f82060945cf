"""The actuarial life table by month, quarter or year from pooled rows, in plain arithmetic.

It shares nothing with the estimators on sums: no grid, no numpy, one patient at a time. A month of
365.25 / 12 days is 487/16 days, so that the bin of a day is found in whole numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

_Z = 1.959963984540054  # the 97.5 % point of the normal distribution
_SLACK = 1e-11  # 23/24 * 22/23 * ... * 12/13 is meant to be one half


Ends = tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class Bin:
    """What is known at the end of one bin.

    Attributes:
        survival: The share alive.
        greenwood: The sum of d / (e (e - d)) so far, e being those exposed.
        at_start: Patients who entered the bin.
        still_watched: Patients who are watched beyond its end.
    """

    survival: float
    greenwood: float
    at_start: int
    still_watched: int


@dataclass(frozen=True)
class LifeTable:
    """Bins from index to the horizon, in order, each of as many months as `width` says.

    Between the ends of bins everything runs on straight lines.
    """

    bins: tuple[Bin, ...]
    width: int = 1

    def survival_at(self, month: int) -> Ends:
        """Survival at the end of a month with its log-log interval; None where unknown."""
        place, share = self._place(month)
        found = self.bins[place]
        if found.at_start == 0 and found.survival > 0.0:
            return None, None, None
        after = _with_interval(found)
        before = _with_interval(self.bins[place - 1]) if place else (1.0, 1.0, 1.0)
        if share == 1.0:
            return after
        value, low, high = (
            None if one is None or two is None else one + share * (two - one)
            for one, two in zip(before, after, strict=True)
        )
        return value, low, high

    def still_watched_at(self, month: int) -> int:
        """Patients who are certain to be watched beyond the end of a month."""
        return self.bins[self._place(month)[0]].still_watched

    def median(self) -> float | None:
        """Where the straight line between the ends of two bins passes one half."""
        return self.quantile(0.5)

    def quantile(self, share: float) -> float | None:
        """Where the straight line between the ends of two bins passes what a share leaves."""
        before, left = 1.0, 1.0 - share
        for number, found in enumerate(self.bins):
            if found.survival <= left + _SLACK:
                part = min((before - left) / (before - found.survival), 1.0)
                return (number + part) * self.width
            before = found.survival
        return None

    def survival_with_variance(self, month: int) -> tuple[float, float] | None:
        """Survival at the end of a month and the variance of its logarithm; None if unknown.

        On the straight line through a bin only what comes from the bin's end brings its term.
        """
        survival = self.survival_at(month)[0]
        if survival is None:
            return None
        place, share = self._place(month)
        found, so_far = self.bins[place], self._greenwood_before(place)
        weight = share * found.survival / survival if survival > 0.0 else 1.0
        return survival, so_far + weight**2 * (found.greenwood - so_far)

    def mean_with_variance(self, month: int) -> tuple[float, float] | None:
        """The area to the end of a month, in months, and its variance; None if unknown.

        A change in the logarithm of a bin's own survival moves the line's end there, and with it
        the part of that bin's area that lies under the end, and everything after it.
        """
        mean = self.mean_to(month)
        if mean is None:
            return None
        variance, after = 0.0, 0.0
        for place, area, under_end in reversed(self._areas(month)):
            term = self.bins[place].greenwood - self._greenwood_before(place)
            variance += (under_end + after) ** 2 * term
            after += area
        return mean, variance

    def mean_to(self, month: int) -> float | None:
        """The area under the straight lines up to the end of a month, in months."""
        if self.survival_at(month)[0] is None:
            return None
        return math.fsum(area for _, area, _ in self._areas(month))

    def _place(self, month: int) -> tuple[int, float]:
        """The bin of a month, and how much of it has gone by when the month ends."""
        place = (month - 1) // self.width
        return place, (month - place * self.width) / self.width

    def _greenwood_before(self, place: int) -> float:
        return self.bins[place - 1].greenwood if place else 0.0

    def _areas(self, month: int) -> list[tuple[int, float, float]]:
        """Each bin up to a month: its area, and what of it lies under the line's end."""
        last, share = self._place(month)
        areas, before = [], 1.0
        for place, found in enumerate(self.bins[: last + 1]):
            part = share if place == last else 1.0
            under_end = found.survival * part**2 / 2 * self.width
            area = before * (part - part**2 / 2) * self.width + under_end
            areas.append((place, area, under_end))
            before = found.survival
        return areas


def _with_interval(found: Bin) -> Ends:
    """Survival at the end of a bin with its log-log interval."""
    if found.survival in {0.0, 1.0}:
        end = 1.0 if found.survival == 1.0 else None
        return found.survival, found.survival, end
    loglog = math.log(-math.log(found.survival))
    width = _Z * math.sqrt(found.greenwood) / math.log(found.survival)
    low, high = (math.exp(-math.exp(loglog + sign * width)) for sign in (-1, 1))
    return found.survival, min(low, high), max(low, high)


def life_table(rows: Iterable[tuple[int, bool]], horizon: int, width: int = 1) -> LifeTable:
    """The life table of patients given as days and whether they died.

    Those who are censored in a bin count for half of it (Cutler and Ederer 1958); in the last bin,
    which also holds everyone watched beyond it, they count whole.

    Args:
        rows: Days from index, and whether the patient died then.
        horizon: In months, a multiple of the width.
        width: Months in a bin.
    """
    size, last_day = horizon // width, horizon * 487 // 16
    died, left = [0] * size, [0] * size
    for days, event in rows:
        inside = days <= last_day
        place = max(1, -(-16 * min(days, last_day) // (487 * width))) - 1
        (died if event and inside else left)[place] += 1
    survival, greenwood, watched = 1.0, 0.0, sum(died) + sum(left)
    bins = []
    for place in range(size):
        at_start = watched
        exposed = at_start - (left[place] / 2 if place < size - 1 else 0.0)
        if died[place]:
            survival *= 1.0 - died[place] / exposed
            if survival > 0.0:
                greenwood += died[place] / (exposed * (exposed - died[place]))
        watched -= died[place] + left[place]
        beyond = watched if place < size - 1 else left[place]
        bins.append(Bin(survival, greenwood, at_start, beyond))
    return LifeTable(tuple(bins), width)
