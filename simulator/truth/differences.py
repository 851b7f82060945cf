"""How pairs of arms differ, by the formulas themselves, from curves of pooled rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

from simulator.truth.hazards import holm
from simulator.truth.values import ContrastTruth, DifferenceTruth, Interval

_Z: Final = 1.959963984540054  # the 97.5 % point of the normal distribution
_NOTHING: Final = ContrastTruth(Interval(None, None, None), None)

Pair = tuple[str, str]


class Path(Protocol):
    """A curve from which a value and its variance can be read at the end of a month."""

    def survival_with_variance(self, month: int) -> tuple[float, float] | None:
        """Survival, and the variance of its logarithm."""
        ...

    def mean_with_variance(self, month: int) -> tuple[float, float] | None:
        """The restricted mean in months, and its variance."""
        ...


def mean_differences(
    paths: Mapping[str, Path], pairs: Sequence[Pair], month: int
) -> tuple[DifferenceTruth, ...]:
    """Each pair's means up to a month: their difference, and their ratio by its logarithm."""
    found = []
    for arm, other in pairs:
        one, two = (paths[name].mean_with_variance(month) for name in (arm, other))
        difference = ratio = _NOTHING
        if one is not None and two is not None:
            difference = _wald(one[0] - two[0], one[1] + two[1])
            if one[0] > 0.0 and two[0] > 0.0:
                variance = one[1] / one[0] ** 2 + two[1] / two[0] ** 2
                ratio = _exponential(_wald(math.log(one[0]) - math.log(two[0]), variance))
        found.append(DifferenceTruth(arm, other, month, difference, ratio))
    return _adjusted(found)


def survival_differences(
    paths: Mapping[str, Path], pairs: Sequence[Pair], months: Sequence[int]
) -> tuple[DifferenceTruth, ...]:
    """Each pair's survival at each month: the difference, and the ratio of -log S.

    Where all of an arm are alive, or none, its variance is 0 by formula only: the difference stands
    without interval and test. Elsewhere its interval ends at -1 and 1 at the latest.
    """
    found: list[DifferenceTruth] = []
    for month in months:
        here = []
        for arm, other in pairs:
            one, two = (paths[name].survival_with_variance(month) for name in (arm, other))
            difference = ratio = _NOTHING
            if one is not None and two is not None:
                (s, g), (t, h) = one, two
                difference = ContrastTruth(Interval(s - t, None, None), None)
                if {s, t}.isdisjoint({0.0, 1.0}):
                    difference = _of_shares(_wald(s - t, s * s * g + t * t * h))
                    variance = g / math.log(s) ** 2 + h / math.log(t) ** 2
                    gap = math.log(-math.log(s)) - math.log(-math.log(t))
                    ratio = _exponential(_wald(gap, variance))
            here.append(DifferenceTruth(arm, other, month, difference, ratio))
        found += _adjusted(here)
    return tuple(found)


def _wald(difference: float, variance: float) -> ContrastTruth:
    error = math.sqrt(variance)
    ends = (difference - _Z * error, difference + _Z * error)
    p = math.erfc(abs(difference) / error / math.sqrt(2.0)) if error else None
    return ContrastTruth(Interval(difference, *ends), p)


def _of_shares(contrast: ContrastTruth) -> ContrastTruth:
    """A difference of two shares, the ends of its interval among those that there can be."""
    value = contrast.value
    lower, upper = (
        end if end is None or abs(end) <= 1.0 else math.copysign(1.0, end)
        for end in (value.lower, value.upper)
    )
    return replace(contrast, value=Interval(value.estimate, lower, upper))


def _exponential(contrast: ContrastTruth) -> ContrastTruth:
    value = contrast.value
    ends = [None if end is None else math.exp(end) for end in (value.lower, value.upper)]
    middle = None if value.estimate is None else math.exp(value.estimate)
    return replace(contrast, value=Interval(middle, *ends))


def _adjusted(found: Sequence[DifferenceTruth]) -> tuple[DifferenceTruth, ...]:
    """P adjusted over all pairs, for each scale by itself."""
    plain = holm([one.difference.p for one in found])
    ratios = holm([one.ratio.p for one in found])
    return tuple(
        replace(
            one,
            difference=replace(one.difference, p_adjusted=p),
            ratio=replace(one.ratio, p_adjusted=q),
        )
        for one, p, q in zip(found, plain, ratios, strict=True)
    )
