"""The survival analysis of all sites' rows together, by lifelines: the reference for every sum.

lifelines and what it brings are imported where they are used: they cost two seconds.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import polars as pl

from simulator.aggregates.grid import DAYS_PER_MONTH, Grid, Unit
from simulator.language.study import Question, Study
from simulator.truth.interpreter import in_an_arm

if TYPE_CHECKING:
    import pandas as pd

_Z: Final = 1.959963984540054  # the 97.5 % point of the normal distribution
_HALF: Final = 0.5 + 1e-11  # 5/6 * 4/5 * 3/4 is meant to be a half


@dataclass(frozen=True)
class Interval:
    """An estimate with the ends of its 95 % interval; None where there is no such number."""

    estimate: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class Landmark:
    """Survival at a month, and how many were still under observation then."""

    months: int
    at_risk: int
    survival: Interval


@dataclass(frozen=True)
class ArmTruth:
    """One arm by day.

    Attributes:
        arm: Its name.
        patients: Those in this arm alone, of those who passed all steps.
        events: How many of them died inside the horizon.
        median_months: First day with S <= 0.5, in months; ends from the log-log bands.
        median_follow_up_months: The same of the curve on which being censored is the event.
        survival: At each landmark.
        mean_months: Mean survival up to the study's month; None if it names none, or beyond the
            last patient.
    """

    arm: str
    patients: int
    events: int
    median_months: Interval
    median_follow_up_months: Interval
    survival: tuple[Landmark, ...]
    mean_months: float | None


@dataclass(frozen=True)
class LogRankTruth:
    """The k-sample log-rank test; 0, 0 and 1 where there is nothing to compare."""

    statistic: float
    degrees_of_freedom: int
    p: float


@dataclass(frozen=True)
class HazardRatioTruth:
    """One contrast from the joint Cox model; None where an arm of it had no event."""

    arm: str
    reference: str
    ratio: Interval
    p: float | None
    p_adjusted: float | None = None


@dataclass(frozen=True)
class PooledTruth:
    """Everything that a study reports about survival, from the rows themselves."""

    arms: tuple[ArmTruth, ...]
    log_rank: LogRankTruth
    hazard_ratios: tuple[HazardRatioTruth, ...]


def pooled_truth(
    frames: Sequence[pl.DataFrame], study: Study, unit: Unit = Unit.DAY
) -> PooledTruth:
    """Analyses the rows of all sites as one.

    Args:
        frames: What `patients` returned at each site.
        study: Its arms, landmarks, horizon and reference arm.
        unit: The time scale of the test and of the ratios. Curves are by day in either case, as
            lifelines has no actuarial risk set.
    """
    rows = pool(frames, study.question)
    grid = Grid(unit, study.question.follow_up.months)
    cells = rows.with_columns(time=pl.Series(grid.cell_of(rows["days"].to_numpy())))
    landmarks, to_month = study.analyses.landmarks, study.analyses.restricted_mean
    arms = [arm.name for arm in study.question.arms]
    return PooledTruth(
        tuple(
            _arm(rows.filter(pl.col("arm") == arm), arm, landmarks, grid, to_month) for arm in arms
        ),
        log_rank(cells),
        hazard_ratios(cells, arms, study.analyses.reference),
    )


def pool(frames: Sequence[pl.DataFrame], question: Question) -> pl.DataFrame:
    """The rows of those in exactly one arm at any site, cut at the horizon: arm, days, event."""
    last = Grid(Unit.DAY, question.follow_up.months).last_day
    names = dict(enumerate(arm.name for arm in question.arms))
    followed = pl.concat([in_an_arm(frame, question) for frame in frames])
    return followed.select(
        pl.col("arm").replace_strict(names, return_dtype=pl.String),
        pl.col("days").clip(upper_bound=last),
        pl.col("event") & (pl.col("days") <= last),
    )


def log_rank(cells: pl.DataFrame) -> LogRankTruth:
    """Compares the arms of rows with arm, time and event.

    An arm in which nobody was left when the first event happened has nothing to tell.
    """
    happened = cells.filter("event")
    if happened.is_empty():
        return LogRankTruth(0.0, 0, 1.0)
    telling = cells.filter(pl.col("time").max().over("arm") >= happened["time"].min())
    arms = telling["arm"].n_unique()
    if arms == 1:
        return LogRankTruth(0.0, 0, 1.0)
    from lifelines.statistics import multivariate_logrank_test

    test = multivariate_logrank_test(
        *(telling[name].to_numpy() for name in ("time", "arm", "event"))
    )
    return LogRankTruth(float(test.test_statistic), arms - 1, float(test.p_value))


def hazard_ratios(
    cells: pl.DataFrame, arms: Sequence[str], reference: str
) -> tuple[HazardRatioTruth, ...]:
    """Every pair of arms once, from one Cox model (Efron) of rows with arm, time and event.

    First each other arm against the reference, then each later against each earlier of the others.
    """
    others = [arm for arm in arms if arm != reference]
    pairs = [(arm, reference) for arm in others]
    pairs += [(later, earlier) for i, earlier in enumerate(others) for later in others[i + 1 :]]
    happened = set(cells.filter("event")["arm"])
    # An arm without events has the ratio 0 or no ratio; the others' ratios are those without it.
    fit = _cox(cells, [arm for arm in (reference, *others) if arm in happened])
    return _holm([_contrast(fit, arm, other) for arm, other in pairs])


@dataclass(frozen=True)
class _Cox:
    """Log hazard ratios against a common base, and their covariance, by arm."""

    coefficients: dict[str, float]
    covariance: dict[tuple[str, str], float]


def _cox(cells: pl.DataFrame, arms: Sequence[str]) -> _Cox:
    if len(arms) < 2:
        return _Cox({}, {})
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError, ConvergenceWarning

    told = cells.filter(pl.col("arm").is_in(arms))
    columns = {f"arm {n}": pl.col("arm") == arm for n, arm in enumerate(arms) if n}
    frame = told.select(
        "time", "event", **{name: held.cast(pl.Float64) for name, held in columns.items()}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            fitter = CoxPHFitter().fit(
                _pandas(frame), "time", "event", fit_options={"precision": 1e-12}
            )
        except (ConvergenceError, ConvergenceWarning):
            return _Cox({}, {})  # arms that never ran side by side have no finite ratio
    base = arms[0]
    coefficients = {base: 0.0} | dict(zip(arms[1:], fitter.params_.tolist(), strict=True))
    covariance = {(one, two): 0.0 for one in arms for two in arms}
    matrix = fitter.variance_matrix_.to_numpy()
    for i, one in enumerate(arms[1:]):
        for j, two in enumerate(arms[1:]):
            covariance[one, two] = float(matrix[i, j])
    return _Cox(coefficients, covariance)


def _contrast(fit: _Cox, arm: str, reference: str) -> HazardRatioTruth:
    if arm not in fit.coefficients or reference not in fit.coefficients:
        return HazardRatioTruth(arm, reference, Interval(None, None, None), None)
    difference = fit.coefficients[arm] - fit.coefficients[reference]
    variances = fit.covariance[arm, arm] + fit.covariance[reference, reference]
    error = math.sqrt(variances - 2.0 * fit.covariance[arm, reference])
    ends = (difference - _Z * error, difference + _Z * error)
    p = math.erfc(abs(difference) / error / math.sqrt(2.0))
    ratio = Interval(math.exp(difference), math.exp(ends[0]), math.exp(ends[1]))
    return HazardRatioTruth(arm, reference, ratio, p)


def _holm(ratios: Sequence[HazardRatioTruth]) -> tuple[HazardRatioTruth, ...]:
    """Adjusts p over all contrasts that have one: max over j <= i of min(1, (k - j + 1) p_(j))."""
    known = sorted(ratio.p for ratio in ratios if ratio.p is not None)
    steps = [min(1.0, (len(known) - i) * p) for i, p in enumerate(known)]

    def adjusted(p: float | None) -> float | None:
        return None if p is None else max(steps[: known.index(p) + 1])

    return tuple(replace(ratio, p_adjusted=adjusted(ratio.p)) for ratio in ratios)


def _arm(
    rows: pl.DataFrame, arm: str, landmarks: Sequence[int], grid: Grid, to_month: int | None
) -> ArmTruth:
    if rows.is_empty():
        nothing = Interval(None, None, None)
        nowhere = tuple(Landmark(month, 0, nothing) for month in landmarks)
        return ArmTruth(arm, 0, 0, nothing, nothing, nowhere, None)
    curve = _kaplan_meier(rows["days"], rows["event"])
    # Deaths precede censorings of the same day also where being censored is the event: half a day.
    left = rows.select(pl.col("days") + pl.when("event").then(0.0).otherwise(0.5))["days"]
    follow_up = _kaplan_meier(left, ~rows["event"])
    return ArmTruth(
        arm=arm,
        patients=rows.height,
        events=int(rows["event"].sum()),
        median_months=_median(curve),
        median_follow_up_months=_median(follow_up),
        survival=tuple(_landmark(rows, curve, month, grid) for month in landmarks),
        mean_months=_mean(rows, curve, to_month),
    )


def _mean(rows: pl.DataFrame, curve: pd.DataFrame, to_month: int | None) -> float | None:
    """The area under the curve, by lifelines."""
    from lifelines import KaplanMeierFitter
    from lifelines.utils import restricted_mean_survival_time

    if to_month is None:
        return None
    until = to_month * DAYS_PER_MONTH
    if rows.filter(pl.col("days") >= until).is_empty() and curve["estimate"].iloc[-1] > 0.0:
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


def _median(curve: pd.DataFrame) -> Interval:
    from lifelines.utils import qth_survival_time

    def months(name: str) -> float | None:
        day = float(qth_survival_time(_HALF, curve[name].dropna()))
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


def _pandas(frame: pl.DataFrame) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({name: frame[name].to_numpy() for name in frame.columns})
