"""Counts of events over time: exact intervals, and what the next counts may be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

_TAIL: Final = 0.025
# Jeffreys' prior of a Poisson mean is a gamma distribution of this shape and without exposure.
_PRIOR: Final = 0.5


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

    The interval is for one count. What is known of the mean after d events in k periods, with
    Jeffreys' prior, is a gamma distribution of shape d + 1/2 and rate k, and so the next count is
    negative binomial with mean m = (d + 1/2) / k and variance phi m (1 + 1 / k), where phi = 1
    (Gelman and others, Bayesian Data Analysis, 3rd edition, section 2.6). Otherwise phi is
    Pearson's overdispersion of all counts around their mean, at least 1 (McCullagh & Nelder 1989,
    section 6.2.3).

    Args:
        counts: In order of time, at least 2.
        last: How many of them the mean is taken of.
        parts: How many periods each count is the sum of; the next count is that of one period.

    Returns:
        The mean, and the counts that leave at most a fortieth below and above them.
    """
    periods, events = last * parts, sum(counts[-last:])
    whole = float(np.mean(counts))
    spread = sum((count - whole) ** 2 for count in counts)
    phi = max(1.0, spread / whole / (len(counts) - 1)) if whole > 0.0 else 1.0
    mean = (events + _PRIOR) / periods
    return _around(events / periods, mean, phi * mean * (1.0 + 1.0 / periods))


def next_by_trend(counts: Sequence[int], ahead: int) -> tuple[Bounds, ...]:
    """The next few counts if they go on along the line of least squares; never below 0.

    The interval is for one count. The line's value is a sum of the counts with weights w, so its
    variance is s2 = phi sum w^2 f, where f are the fitted values and phi is Pearson's
    overdispersion around the line, at least 1. As a mean is not negative, m is the mean of the
    normal distribution around the line's value with all below 0 put at 0. The next count is
    negative binomial with mean m and variance phi m + s2. No mean is taken to be less than half an
    event in all periods, as in Jeffreys' prior, so that none is known without doubt. The matching
    of moments is this project's own; its coverage is tested by simulation.

    Args:
        counts: In order of time, at least 3.
        ahead: How many to tell.

    Returns:
        For each the line's value, and the counts that leave at most a fortieth below and above.
    """
    size = len(counts)
    seen, least = np.array(counts, dtype=np.float64), _PRIOR / size
    times = np.arange(size) - (size - 1) / 2.0
    spread = float((times**2).sum())
    level, slope = float(seen.mean()), float((times * seen).sum()) / spread
    fitted = np.maximum(level + slope * times, least)
    phi = max(1.0, float(((seen - fitted) ** 2 / fitted).sum()) / (size - 2))
    found = []
    for time in times[-1] + 1.0 + np.arange(ahead):
        value = level + slope * float(time)
        weights = 1.0 / size + times * time / spread
        variance = phi * float((weights**2 * fitted).sum())
        mean = max(least, _mean_above_zero(value, math.sqrt(variance)))
        found.append(_around(max(0.0, value), mean, phi * mean + variance))
    return tuple(found)


def _mean_above_zero(value: float, deviation: float) -> float:
    """The mean of the greater of 0 and a normal variable."""
    z = value / deviation
    below = math.erfc(-z / math.sqrt(2.0)) / 2.0
    return value * below + deviation * math.exp(-z * z / 2.0) / math.sqrt(2.0 * math.pi)


def _around(estimate: float, mean: float, variance: float) -> Bounds:
    """An estimate between quantiles of the negative binomial distribution of a mean and variance.

    A mean this small that both are the same count leaves one more possible.
    """
    lower, upper = (_quantile(share, mean, variance) for share in (_TAIL, 1.0 - _TAIL))
    return Bounds(estimate, float(lower), float(max(upper, lower + 1)))


def _quantile(share: float, mean: float, variance: float) -> int:
    """The least count up to which a share of a negative binomial distribution lies.

    Up to k lies the incomplete beta function I_p(r, k + 1), where p = mean / variance and
    r = mean^2 / (variance - mean).
    """
    from scipy.special import betainc

    size, chance = mean * mean / (variance - mean), mean / variance
    below, high = -1, 1
    while betainc(size, high + 1.0, chance) < share:
        below, high = high, 2 * high
    while high - below > 1:
        middle = (below + high) // 2
        if betainc(size, middle + 1.0, chance) < share:
            below = middle
        else:
            high = middle
    return high
