"""The Kaplan-Meier curve of a survival table, forwards and in reverse, and what is read off it.

Two grids, two conventions. By **day** the curve is the plain product-limit estimate: a step on the
day of each event. By **month**, or in bins of a quarter or a year, nobody knows when in a bin a
patient left, so the actuarial risk set counts those censored in the bin by half (n - c/2), and the
curve runs straight between the edges of the bins. What is said of months below holds for all bins.

The last cell is special in both: a survival table censors at its horizon all time beyond it, so the
patients censored in the last cell were followed to the horizon. They are at risk through the whole
of the last cell (nothing is halved there) and are still under observation at the horizon.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.aggregates.grid import DAYS_PER_MONTH, Grid, Unit
from simulator.aggregates.survival import SurvivalTable
from simulator.statistics.counts import check_counts, row_of
from simulator.statistics.estimates import UNDEFINED, Estimate, normal_quantile
from simulator.statistics.times import SLACK, moment_on, still_watched_cell

Reals = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Curve:
    """A survival curve on the cells of a grid.

    Beyond the last patient the arrays run on flat; `at_risk` is 0 there.

    Attributes:
        grid: The time axis.
        days: The last moment of each cell, in days from index, shape (k,).
        survival: The probability of no event up to and including the cell, in [0, 1], shape (k,).
        lower: The lower log-log band, shape (k,). 1 where nothing has happened, 0 where S is 0.
        upper: The upper log-log band, shape (k,). 1 where nothing has happened, NaN (there is none)
            where S is 0.
        greenwood: Greenwood's sum, so that Var S = S^2 * greenwood, shape (k,). A cell in which the
            curve falls to 0 adds nothing.
        at_risk: Patients under observation at the start of the cell, shape (k,).
        events: Patients who make the curve step, shape (k,).
        censored: Patients who leave otherwise, shape (k,).
        level: The level of the bands, in (0, 1).
        reverse: Whether being censored is what makes the curve step.
    """

    grid: Grid
    days: Reals
    survival: Reals
    lower: Reals
    upper: Reals
    greenwood: Reals
    at_risk: Counts
    events: Counts
    censored: Counts
    level: float = 0.95
    reverse: bool = False


def kaplan_meier(table: SurvivalTable, arm: str | None = None, *, level: float = 0.95) -> Curve:
    """The survival curve of an arm, or of all arms together.

    S_j = prod over i <= j of (1 - d_i / n_i) (Kaplan & Meier 1958), with n_i - c_i / 2 in place of
    n_i under months (Cutler & Ederer 1958), except in the last bin. Var S = S^2 * sum of
    d / (n (n - d)) (Greenwood 1926). Bands are symmetric on the scale log(-log S) (Kalbfleisch &
    Prentice 1980).

    Args:
        table: Events and censorings per arm and cell.
        arm: The label of an arm; None takes all arms together.
        level: The level of the pointwise bands.

    Raises:
        ValueError: There is no such arm, a count is negative, or the level is not in (0, 1).
    """
    events, censored = _counts_of(table, arm)
    exposed = _still_in(events + censored).astype(np.float64)
    if table.grid.unit is not Unit.DAY:
        exposed[:-1] -= censored[:-1] / 2.0
    return _curve(table.grid, events, censored, exposed, level)


def reverse_kaplan_meier(
    table: SurvivalTable, arm: str | None = None, *, level: float = 0.95
) -> Curve:
    """The curve of the follow-up itself: being censored is the event (Schemper & Smith 1996).

    The order inside a cell does not turn round with the roles: deaths still precede censorings. By
    day those who died on day t are no longer at risk of being censored on it, so the factor is
    1 - c / (n - d), and the curve times the Kaplan-Meier curve is the share of patients still under
    observation. By month the deaths of a bin are counted by half, 1 - c / (n - d/2); in the last
    bin, where those followed to the horizon leave at its very end, wholly.

    Args:
        table: Events and censorings per arm and cell.
        arm: The label of an arm; None takes all arms together.
        level: The level of the pointwise bands.

    Returns:
        A curve whose `events` are the table's censorings and whose `censored` are its events.

    Raises:
        ValueError: There is no such arm, a count is negative, or the level is not in (0, 1).
    """
    deaths, leavers = _counts_of(table, arm)
    at_risk = _still_in(deaths + leavers)
    gone = deaths.astype(np.float64)
    if table.grid.unit is not Unit.DAY:
        gone[:-1] /= 2.0
    return _curve(table.grid, leavers, deaths, at_risk - gone, level, reverse=True)


def _curve(
    grid: Grid,
    events: Counts,
    others: Counts,
    exposed: Reals,
    level: float,
    *,
    reverse: bool = False,
) -> Curve:
    """The curve of one kind of end, with the number exposed to it in each cell."""
    survival, greenwood = _product_limit(events, exposed)
    lower, upper = log_log_bands(survival, greenwood, level)
    return Curve(
        grid=grid,
        days=grid.upper_edges(),
        survival=survival,
        lower=lower,
        upper=upper,
        greenwood=greenwood,
        at_risk=_still_in(events + others),
        events=events,
        censored=others,
        level=level,
        reverse=reverse,
    )


def survival_at(curve: Curve, months: float) -> Estimate:
    """The probability of no event up to a moment, with its band.

    By day: the value of the step on the last whole day not after the moment. By month: the value at
    the edge of the bin, and on the straight line between two edges for a moment inside a bin.

    Args:
        curve: Forwards or in reverse.
        months: The moment, in months from index, in [0, the horizon].

    Returns:
        Estimate in [0, 1]. All three are None where nobody was followed that long and the curve
        has not come down to 0: it is not known there. The upper end is None where S is 0.

    Raises:
        ValueError: The moment is before index or beyond the horizon.
    """
    day = moment(curve, months)
    if day > followed_until(curve) + SLACK and curve.survival[-1] > 0.0:
        return UNDEFINED
    return Estimate(
        *(_value_at(curve, band, day) for band in (curve.survival, curve.lower, curve.upper))
    )


def at_risk_at(curve: Curve, months: float) -> int:
    """How many patients are still under observation at a moment.

    By day: the patients whose day is at or after the moment. By month: the patients who leave in a
    bin after that of the moment, which at the edge of a bin is everyone still there, and inside a
    bin is those who are certain to be. At the horizon itself: the patients censored in the last
    cell.

    Args:
        curve: Forwards or in reverse.
        months: The moment, in months from index, in [0, the horizon].

    Raises:
        ValueError: The moment is before index or beyond the horizon.
    """
    cell = still_watched_cell(curve.grid, moment(curve, months))
    if cell is not None:
        return int(curve.at_risk[cell])
    followed = curve.events if curve.reverse else curve.censored
    return int(followed[-1])


def check_levels(curve: Curve, reference: Curve) -> None:
    """Lets two curves pass if an interval of their contrast has one level.

    Raises:
        ValueError: The levels of their bands differ.
    """
    if curve.level != reference.level:
        raise ValueError(
            f"curves of one level were expected; got {curve.level} and {reference.level}"
        )


def moment(curve: Curve, months: float) -> float:
    """The moment in days from index.

    Raises:
        ValueError: The moment is before index or beyond the horizon of the curve's grid.
    """
    return moment_on(curve.grid, months)


def followed_until(curve: Curve) -> float:
    """The last moment at which a patient was observed, in days from index; -1 without patients.

    By day: the day on which the last patient left. By month: the end of the bin in which the last
    patient left. In the last cell: the horizon.
    """
    occupied = np.flatnonzero(curve.at_risk)
    if not occupied.size:
        return -1.0
    last = int(occupied[-1])
    return (
        curve.grid.months * DAYS_PER_MONTH
        if last == curve.grid.size - 1
        else float(curve.days[last])
    )


def _counts_of(table: SurvivalTable, arm: str | None) -> tuple[Counts, Counts]:
    """Events and censorings of an arm, or of all together, each of shape (k,)."""
    check_counts(table)
    if arm is None:
        return table.events.sum(axis=0), table.censored.sum(axis=0)
    row = row_of(table.arms, arm)
    return table.events[row], table.censored[row]


def _still_in(leaving: Counts) -> Counts:
    """Patients at the start of each cell from those who leave in each, shape (k,)."""
    still_in: Counts = np.cumsum(leaving[::-1])[::-1]
    return still_in


def _product_limit(events: Counts, exposed: Reals) -> tuple[Reals, Reals]:
    """The curve and Greenwood's sum from events and the (actuarial) risk set, shapes (k,)."""
    surviving = exposed - events
    factors = np.ones(events.size)
    np.divide(surviving, exposed, out=factors, where=events > 0)
    terms = np.zeros(events.size)
    np.divide(events, exposed * surviving, out=terms, where=surviving > 0.0)
    survival = np.cumprod(factors, dtype=np.float64)
    return survival, np.cumsum(terms)


def log_log_bands(survival: Reals, greenwood: Reals, level: float) -> tuple[Reals, Reals]:
    """exp(-exp(log(-log S) -+ z sqrt(G) / log S)), each of shape (k,).

    Args:
        survival: In [0, 1], shape (k,).
        greenwood: G with Var S = S^2 G, shape (k,).
        level: In (0, 1).
    """
    reach = normal_quantile(level) * np.sqrt(greenwood)
    lower = np.where(survival > 0.0, 1.0, 0.0)
    upper = np.where(survival > 0.0, 1.0, np.nan)
    inside = (survival > 0.0) & (survival < 1.0)
    log_survival = np.log(survival[inside])
    factor = np.exp(-reach[inside] / log_survival)
    lower[inside] = np.exp(log_survival * factor)
    upper[inside] = np.exp(log_survival / factor)
    return lower, upper


def _value_at(curve: Curve, values: Reals, day: float) -> float | None:
    """A band's value at a moment in days; None where it has none."""
    if curve.grid.unit is Unit.DAY:
        value = values[min(int(day + SLACK), curve.grid.size - 1)]
    else:
        value = np.interp(day, np.append(0.0, curve.days), np.append(1.0, values))
    return None if np.isnan(value) else float(value)
