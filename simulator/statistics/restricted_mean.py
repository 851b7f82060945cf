"""The restricted mean: the time without an event, on average, within a span; and contrasts."""

from __future__ import annotations

import math

import numpy as np

from simulator.aggregates.grid import DAYS_PER_MONTH, Unit
from simulator.statistics.estimates import (
    NO_CONTRAST,
    UNDEFINED,
    Contrast,
    Estimate,
    exponential,
    normal_quantile,
    wald,
)
from simulator.statistics.kaplan_meier import Curve, Reals, check_levels, followed_until, moment


def restricted_mean(curve: Curve, months: float) -> Estimate:
    """The area under the curve from index to a moment, in months (Irwin 1949).

    Var = sum over t_i < tau of A_i^2 d_i / (n_i (n_i - d_i)), A_i being the area from t_i to tau
    (Klein & Moeschberger 2003, eq. 4.5.2). By day the curve is a step function. In bins it runs
    straight between the edges of the bins; d and n are those of the curve (n - c/2), and A_i, which
    is what a change in the logarithm of bin i's survival does to the area, then holds the part
    that lies inside the bin as well (the delta method).

    Args:
        curve: A forward curve; its level is that of the interval.
        months: The span tau, in months, in [0, the horizon].

    Returns:
        Estimate in months with estimate -+ z * SE, not cut off at 0 or tau. All three are None
        where nobody was followed to tau and the curve has not come down to 0.

    Raises:
        ValueError: The span is negative or beyond the horizon.
    """
    found = _mean_and_error(curve, months)
    if found is None:
        return UNDEFINED
    mean, error = found
    reach = normal_quantile(curve.level) * error
    return Estimate(mean, mean - reach, mean + reach)


def restricted_mean_difference(curve: Curve, reference: Curve, months: float) -> Contrast:
    """The restricted mean of one arm minus that of another, in months.

    The arms share no patient, so Var = Var_1 + Var_0 (Royston & Parmar 2013; Uno et al. 2014).

    Args:
        curve: A forward curve; its level is that of the interval.
        reference: The forward curve of another arm, at the same level.
        months: The span tau, in months, in [0, the horizon].

    Returns:
        Difference -+ z * SE and its Wald test. All None where one of the means is not known.

    Raises:
        ValueError: The span is negative or beyond the horizon, or the levels differ.
    """
    found = _both(curve, reference, months)
    if found is None:
        return NO_CONTRAST
    (mean, error), (other, other_error) = found
    return wald(mean - other, math.hypot(error, other_error), curve.level)


def restricted_mean_ratio(curve: Curve, reference: Curve, months: float) -> Contrast:
    """The restricted mean of one arm over that of another, by way of its logarithm.

    Var log ratio = Var_1 / mean_1^2 + Var_0 / mean_0^2 (delta method; Uno et al. 2014).

    Args:
        curve: A forward curve; its level is that of the interval.
        reference: The forward curve of another arm, at the same level.
        months: The span tau, in months, in [0, the horizon].

    Returns:
        Ratio, the exponential of log ratio -+ z * SE, and the Wald test on the log scale. All None
        where one of the means is not known or 0.

    Raises:
        ValueError: The span is negative or beyond the horizon, or the levels differ.
    """
    found = _both(curve, reference, months)
    if found is None or 0.0 in (found[0][0], found[1][0]):
        return NO_CONTRAST
    (mean, error), (other, other_error) = found
    logs = wald(math.log(mean / other), math.hypot(error / mean, other_error / other), curve.level)
    return exponential(logs)


def _both(
    curve: Curve, reference: Curve, months: float
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Mean and standard error of both arms, in months; None where one of them is not known."""
    check_levels(curve, reference)
    one, other = (_mean_and_error(arm, months) for arm in (curve, reference))
    return None if one is None or other is None else (one, other)


def _mean_and_error(curve: Curve, months: float) -> tuple[float, float] | None:
    """The mean and its standard error, in months; None where it is not known."""
    end = moment(curve, months)
    if end > followed_until(curve) + 1e-9 and curve.survival[-1] > 0.0:
        return None
    areas, influence = (
        _step_areas(curve, end) if curve.grid.unit is Unit.DAY else _straight_areas(curve, end)
    )
    terms = np.diff(curve.greenwood, prepend=0.0)
    error = float(np.sqrt(np.sum(influence**2 * terms))) / DAYS_PER_MONTH
    return float(np.sum(areas)) / DAYS_PER_MONTH, error


def _step_areas(curve: Curve, end: float) -> tuple[Reals, Reals]:
    """The area in each day's cell and from each day to the end, in days, each of shape (k,)."""
    areas = curve.survival * np.clip(end - curve.days, 0.0, 1.0)
    return areas, _from_here(areas)


def _straight_areas(curve: Curve, end: float) -> tuple[Reals, Reals]:
    """The area in each bin and the influence of each bin on it, in days, each of shape (k,)."""
    before = np.append(1.0, curve.survival[:-1])
    width = curve.grid.unit.width_days
    inside = np.clip(end - (curve.days - width), 0.0, width)
    half_square = inside**2 / (2.0 * width)
    areas = before * inside - (before - curve.survival) * half_square
    return areas, _from_here(areas) - areas + curve.survival * half_square


def _from_here(areas: Reals) -> Reals:
    """The area from the start of each cell to the end, shape (k,)."""
    from_here: Reals = np.cumsum(areas[::-1])[::-1]
    return from_here
