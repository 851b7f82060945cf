"""The curves of pooled rows by day, by lifelines, which is imported where it is used."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import polars as pl

from simulator.aggregates.grid import DAYS_PER_MONTH, Grid, Unit
from simulator.truth.values import ArmTruth, Interval, Landmark

if TYPE_CHECKING:
    import pandas as pd

_SLACK: Final = 1e-11  # 5/6 * 4/5 * 3/4 is meant to be a half


def arm_truth(
    rows: pl.DataFrame, arm: str, landmarks: Sequence[int], grid: Grid, to_month: int | None
) -> ArmTruth:
    """One arm by day, from its rows with days and event."""
    if rows.is_empty():
        nothing = Interval(None, None, None)
        nowhere = tuple(Landmark(month, 0, nothing) for month in landmarks)
        return ArmTruth(arm, 0, 0, nothing, nothing, nowhere, None, (nothing,) * 3)
    curve = _kaplan_meier(rows["days"], rows["event"])
    # Deaths precede censorings of the same day also where being censored is the event: half a day.
    left = rows.select(pl.col("days") + pl.when("event").then(0.0).otherwise(0.5))["days"]
    follow_up = _kaplan_meier(left, ~rows["event"])
    return ArmTruth(
        arm=arm,
        patients=rows.height,
        events=int(rows["event"].sum()),
        median_months=_quantile(curve, 0.5),
        median_follow_up_months=_quantile(follow_up, 0.5),
        survival=tuple(_landmark(rows, curve, month, grid) for month in landmarks),
        mean_months=_mean(rows, curve, grid, to_month),
        quantiles_months=tuple(_quantile(curve, share) for share in (0.25, 0.5, 0.75)),
    )


def _mean(
    rows: pl.DataFrame, curve: pd.DataFrame, grid: Grid, to_month: int | None
) -> float | None:
    """The area under the curve, by lifelines."""
    from lifelines import KaplanMeierFitter
    from lifelines.utils import restricted_mean_survival_time

    if to_month is None:
        return None
    until = to_month * DAYS_PER_MONTH
    # Whoever is watched on the last whole day is watched to the horizon.
    seen = min(until, Grid(Unit.DAY, grid.months).last_day)
    if rows.filter(pl.col("days") >= seen).is_empty() and curve["estimate"].iloc[-1] > 0.0:
        return None
    fitter = KaplanMeierFitter().fit(rows["days"].to_numpy(), rows["event"].to_numpy())
    return float(restricted_mean_survival_time(fitter, t=until)) / DAYS_PER_MONTH


def _kaplan_meier(time: pl.Series, event: pl.Series) -> pd.DataFrame:
    """Survival, lower and upper by time; a band that lifelines lacks where S is 0 is 0 and NaN."""
    from lifelines import KaplanMeierFitter

    fitter = KaplanMeierFitter().fit(time.to_numpy(), event.to_numpy())
    curve = fitter.survival_function_.join(fitter.confidence_interval_)
    curve.columns = ["estimate", "lower", "upper"]
    gone = curve["estimate"] <= 0.0
    curve.loc[gone, "lower"] = 0.0
    curve.loc[gone, "upper"] = math.nan
    return curve


def _quantile(curve: pd.DataFrame, share: float) -> Interval:
    """The first day on which the curve, and its bands, are down to what the share leaves."""
    from lifelines.utils import qth_survival_time

    def months(name: str) -> float | None:
        day = float(qth_survival_time(1.0 - share + _SLACK, curve[name].dropna()))
        return None if math.isinf(day) else math.floor(day) / DAYS_PER_MONTH

    return Interval(months("estimate"), months("lower"), months("upper"))


def _landmark(rows: pl.DataFrame, curve: pd.DataFrame, month: int, grid: Grid) -> Landmark:
    """Survival at the end of a month; who was censored on the last day was there at the horizon."""
    moment = month * DAYS_PER_MONTH
    last = Grid(Unit.DAY, grid.months).last_day
    still = pl.col("days") >= moment
    if month == grid.months:
        still = (pl.col("days") == last) & ~pl.col("event")
    at_risk = rows.filter(still).height
    if not at_risk and curve["estimate"].iloc[-1] > 0.0:
        return Landmark(month, at_risk, Interval(None, None, None))
    upto = curve.loc[curve.index <= moment].iloc[-1]
    values = (None if math.isnan(value) else float(value) for value in upto)
    return Landmark(month, at_risk, Interval(*values))
