"""Survival of two arms compared at one moment, on two scales."""

from __future__ import annotations

import math

import numpy as np

from simulator.aggregates.grid import Unit
from simulator.statistics.estimates import NO_CONTRAST, Contrast, exponential, wald
from simulator.statistics.kaplan_meier import Curve, check_levels, moment, survival_at

_SLACK = 1e-9  # months: 730 / 30.4375 * 30.4375 is meant to be day 730


def survival_difference(curve: Curve, reference: Curve, months: float) -> Contrast:
    """Survival of one arm minus that of another at a moment: the plain scale.

    S_1 - S_0 -+ z sqrt(S_1^2 G_1 + S_0^2 G_0), G being Greenwood's sum, and its Wald test. Easy to
    read, but with few patients or survival near 0 or 1 this test holds its level less well than
    that of `cumulative_hazard_ratio` (Klein, Logan, Harhoff & Andersen 2007).

    The interval is cut at -1 and 1, which no difference of two shares can pass; the test is not
    touched by that. Where survival of an arm is 0 or 1, Greenwood's formula gives that arm no
    spread at all: an interval and a test would take it for known, so there is the difference alone.
    How many are still watched is no such reason: without censoring the variance is that of a share
    among all who began, however few are left. With few of them it is rough, and their number is to
    be read beside it.

    Args:
        curve: A forward curve; its level is that of the interval.
        reference: The forward curve of another arm, at the same level.
        months: The moment, in months from index, in [0, the horizon].

    Returns:
        The difference with its ends in [-1, 1]. All None where survival of one of the arms is not
        known there; ends and p None where that of one of them is 0 or 1.

    Raises:
        ValueError: The moment is before index or beyond the horizon, or the levels differ.
    """
    found = _both(curve, reference, months)
    if found is None:
        return NO_CONTRAST
    difference = found[0] - found[1]
    if not _have_spread(found):
        return Contrast(difference, None, None, None)
    variance = sum(
        value**2 * _log_variance_at(arm, months)
        for arm, value in zip((curve, reference), found, strict=True)
    )
    uncut = wald(difference, math.sqrt(variance), curve.level)
    lower, upper = (None if end is None else _cut(end) for end in (uncut.lower, uncut.upper))
    return Contrast(difference, lower, upper, uncut.p)


def cumulative_hazard_ratio(curve: Curve, reference: Curve, months: float) -> Contrast:
    """The ratio of two arms' cumulative hazards up to a moment: the complementary log-log scale.

    log(-log S_1) - log(-log S_0), with the variance G_1 / (log S_1)^2 + G_0 / (log S_0)^2, is the
    logarithm of log S_1 / log S_0. Of the transforms that Klein, Logan, Harhoff & Andersen (2007)
    compared for a test at a fixed moment, this is the one that served best.

    Args:
        curve: A forward curve; its level is that of the interval.
        reference: The forward curve of another arm, at the same level.
        months: The moment, in months from index, in [0, the horizon].

    Returns:
        The ratio, above 1 where the arm's survival is the lower, the exponential of the interval on
        the log-log scale, and the test there. All None where survival of one of the arms is not
        known, 0 or 1 at the moment.

    Raises:
        ValueError: The moment is before index or beyond the horizon, or the levels differ.
    """
    found = _both(curve, reference, months)
    if found is None or not _have_spread(found):
        return NO_CONTRAST
    hazard, other = (-math.log(value) for value in found)
    error = math.hypot(
        math.sqrt(_log_variance_at(curve, months)) / hazard,
        math.sqrt(_log_variance_at(reference, months)) / other,
    )
    return exponential(wald(math.log(hazard / other), error, curve.level))


def _both(curve: Curve, reference: Curve, months: float) -> tuple[float, float] | None:
    """Survival of both arms; None where that of one is not known."""
    check_levels(curve, reference)
    one, other = (survival_at(arm, months).estimate for arm in (curve, reference))
    return None if one is None or other is None else (one, other)


def _have_spread(found: tuple[float, float]) -> bool:
    """Whether Greenwood's formula gives both arms a spread: survival strictly between 0 and 1."""
    return all(0.0 < value < 1.0 for value in found)


def _cut(end: float) -> float:
    """An end of an interval within what a difference of two shares can be."""
    return min(max(end, -1.0), 1.0)


def _log_variance_at(curve: Curve, months: float) -> float:
    """The variance of the logarithm of survival at a moment: Var S = S^2 times this.

    Greenwood's sum on a step and at the edge of a bin. On the straight line between two edges,
    S = (1 - w) S_(j-1) + w S_j, what happens in bin j counts for as much of the value as comes from
    it: greenwood_(j-1) + (w S_j / S)^2 times the bin's term (the delta method).
    """
    day = moment(curve, months)
    if curve.grid.unit is Unit.DAY:
        return float(curve.greenwood[min(int(day + _SLACK), curve.grid.size - 1)])
    width = curve.grid.unit.width_days
    cell = max(int(np.ceil((day - _SLACK) / width)) - 1, 0)
    before, greenwood = (
        (1.0, 0.0) if cell == 0 else (curve.survival[cell - 1], curve.greenwood[cell - 1])
    )
    share = day / width - cell
    through = share * curve.survival[cell]
    value = (1.0 - share) * before + through
    return float(greenwood + (through / value) ** 2 * (curve.greenwood[cell] - greenwood))
