"""Quantiles of survival: by when a share of the patients have had the event."""

from __future__ import annotations

import numpy as np

from simulator.aggregates.grid import DAYS_PER_MONTH, Unit
from simulator.statistics.estimates import Estimate
from simulator.statistics.kaplan_meier import Curve, Reals

# Rounding in a product of many factors: 23/24 * 22/23 * ... * 12/13 is meant to be 0.5.
_SLACK = 1e-11


def quantile(curve: Curve, share: float) -> Estimate:
    """The time by which a share of the patients have had the event, in months from index.

    By day: the first day with S <= 1 - share. In bins: the moment inside the first bin with
    S <= 1 - share at which the straight line between its edges passes it; in reverse, what falls in
    the last bin falls at the horizon. The interval inverts the bands: its ends are where the lower
    and the upper band first pass 1 - share in the same manner (Brookmeyer & Crowley 1982).

    Args:
        curve: Forwards or in reverse.
        share: The share with the event, in (0, 1): 0.5 for the median.

    Returns:
        Estimate in months. `estimate` is None where S stays above 1 - share (not reached), `lower`
        and `upper` where their bands do.

    Raises:
        ValueError: The share is not between 0 and 1, both excluded.
    """
    if not 0.0 < share < 1.0:
        raise ValueError(f"a share between 0 and 1 was expected; got {share}")
    bands = (curve.survival, curve.lower, curve.upper)
    return Estimate(*(_passes(curve, band, 1.0 - share) for band in bands))


def median(curve: Curve) -> Estimate:
    """The time by which half have had the event, in months from index; see `quantile`."""
    return quantile(curve, 0.5)


def _passes(curve: Curve, values: Reals, left: float) -> float | None:
    """When values first come down to a share left, in months; None where they do not."""
    passed = np.flatnonzero(values <= left + _SLACK)
    if not passed.size:
        return None
    cell = int(passed[0])
    if curve.grid.unit is Unit.DAY:
        return float(curve.days[cell]) / DAYS_PER_MONTH
    if curve.reverse and cell == curve.grid.size - 1:
        return float(curve.grid.months)
    before = float(values[cell - 1]) if cell else 1.0
    share = (before - left) / (before - float(values[cell]))
    return (cell + min(share, 1.0)) * curve.grid.unit.width_months
