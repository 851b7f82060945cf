"""Counts of events over time: exact intervals, and what the next counts may be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

_TAIL: Final = 0.025
_NORMAL: Final = 1.959963984540054


@dataclass(frozen=True)
class Bounds:
    """An estimate with its 95 % interval."""

    estimate: float
    lower: float
    upper: float


def exact_rate(events: int, exposure: float) -> Bounds | None:
    """Events by exposure with the exact Poisson interval (Garwood 1936); None without exposure.

    The bounds are quantiles of gamma distributions: of shape d below, of shape d + 1 above.

    Args:
        events: How many, at least 0.
        exposure: Such as person-years, at least 0.
    """
    from scipy.special import gammaincinv

    if exposure <= 0.0:
        return None
    lower = float(gammaincinv(events, _TAIL)) if events else 0.0
    upper = float(gammaincinv(events + 1, 1.0 - _TAIL))
    return Bounds(events / exposure, lower / exposure, upper / exposure)


def next_by_mean(counts: Sequence[int], last: int, parts: int = 1) -> Bounds:
    """The next count if it stays at the mean of the last few.

    The interval is for one count: variance phi m (1 + 1 / k), where k is of how many the mean m is
    taken and phi is Pearson's overdispersion of all counts around their mean, at least 1 (Poisson).

    Args:
        counts: In order of time, at least 2.
        last: How many of them the mean is taken of.
        parts: How many periods each count is the sum of; the next count is that of one period.
    """
    mean = float(np.mean(counts[-last:])) / parts
    whole = float(np.mean(counts))
    spread = sum((count - whole) ** 2 for count in counts)
    phi = max(1.0, spread / whole / (len(counts) - 1)) if whole > 0.0 else 1.0
    return _around(mean, phi * mean * (1.0 + 1.0 / (last * parts)))


def next_by_trend(counts: Sequence[int], ahead: int) -> tuple[Bounds, ...]:
    """The next few counts if they go on along the line of least squares; never below 0.

    The interval is for one count: variance phi m (1 + h), where m is the line's value, h its
    leverage there, and phi Pearson's overdispersion around the line, at least 1 (Poisson).

    Args:
        counts: In order of time, at least 3.
        ahead: How many to tell.
    """
    times = np.arange(len(counts), dtype=np.float64)
    slope, level = np.polyfit(times, np.array(counts, dtype=np.float64), 1)
    fitted = np.maximum(level + slope * times, 0.0)
    known = fitted > 0.0
    pearson = ((np.array(counts)[known] - fitted[known]) ** 2 / fitted[known]).sum()
    phi = max(1.0, float(pearson) / (len(counts) - 2))
    spread = float(((times - times.mean()) ** 2).sum())
    found = []
    for time in range(len(counts), len(counts) + ahead):
        value = max(0.0, float(level + slope * time))
        leverage = 1.0 / len(counts) + (time - float(times.mean())) ** 2 / spread
        found.append(_around(value, phi * value * (1.0 + leverage)))
    return tuple(found)


def _around(value: float, variance: float) -> Bounds:
    half = _NORMAL * math.sqrt(variance)
    return Bounds(value, max(0.0, value - half), value + half)
