"""Tests and hazard ratios of pooled rows, by lifelines, which is imported where it is used."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import polars as pl

from simulator.truth.values import (
    HazardRatioTruth,
    Interval,
    LevelTruth,
    LogRankTruth,
    SubgroupTruth,
)

if TYPE_CHECKING:
    import pandas as pd

_Z: Final = 1.959963984540054  # the 97.5 % point of the normal distribution


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
    single = [_contrast(fit, arm, other) for arm, other in pairs]
    adjusted = holm([ratio.p for ratio in single])
    return tuple(replace(ratio, p_adjusted=p) for ratio, p in zip(single, adjusted, strict=True))


@dataclass(frozen=True)
class _Cox:
    """Log hazard ratios against a common base, and their covariance, by arm."""

    coefficients: dict[str, float]
    covariance: dict[tuple[str, str], float]
    log_likelihood: float | None = None


def _cox(cells: pl.DataFrame, arms: Sequence[str], strata: Sequence[str] = ()) -> _Cox:
    """The model (Efron) of some arms, the first of which is the base; strata are columns."""
    if len(arms) < 2:
        return _Cox({}, {})
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError, ConvergenceWarning

    told = cells.filter(pl.col("arm").is_in(arms))
    columns = {f"arm {n}": pl.col("arm") == arm for n, arm in enumerate(arms) if n}
    frame = told.select(
        "time", "event", *strata, **{name: held.cast(pl.Float64) for name, held in columns.items()}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            fitter = CoxPHFitter(strata=list(strata) or None).fit(
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
    return _Cox(coefficients, covariance, float(fitter.log_likelihood_))


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


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusts p over all that there are: max over j <= i of min(1, (k - j + 1) p_(j))."""
    known = sorted(p for p in p_values if p is not None)
    steps = [min(1.0, (len(known) - i) * p) for i, p in enumerate(known)]
    return [None if p is None else max(steps[: known.index(p) + 1]) for p in p_values]


def subgroup_truth(
    cells: pl.DataFrame, arms: Sequence[str], reference: str, name: str, levels: Sequence[str]
) -> SubgroupTruth:
    """A Cox model for each level, and one over all levels as strata.

    Args:
        cells: Rows with arm, time, event and level, the place of the level.
        arms: In the study's order.
        reference: The arm that ratios are given against.
        name: The subgroup's name.
        levels: The names of its levels.
    """
    parts = {level: cells.filter(level=place) for place, level in enumerate(levels)}
    return SubgroupTruth(
        name,
        tuple(_level(part, arms, reference, level) for level, part in parts.items()),
        _interaction(parts, arms),
    )


def _level(cells: pl.DataFrame, arms: Sequence[str], reference: str, level: str) -> LevelTruth:
    ratios = hazard_ratios(cells, arms, reference)
    return LevelTruth(
        level,
        tuple(cells.filter(arm=arm).height for arm in arms),
        tuple(cells.filter("event", arm=arm).height for arm in arms),
        tuple(replace(ratio, p_adjusted=None) for ratio in ratios if ratio.reference == reference),
    )


def _interaction(parts: Mapping[str, pl.DataFrame], arms: Sequence[str]) -> LogRankTruth | None:
    """Twice the gain in log likelihood by a model of its own for each level."""
    own = [_cox(part, _with_events(part, arms)).log_likelihood for part in parts.values()]
    together = pl.concat(list(parts.values()))
    common = _cox(together, _with_events(together, arms), ["level"]).log_likelihood
    told = [value for value in own if value is not None]
    if common is None or len(told) < len(own):
        return None
    free = sum(len(linked) - 1 for linked in _linked(parts.values()))
    free -= sum(len(group) - 1 for group in _joined(_linked(parts.values())))
    if free == 0:
        return LogRankTruth(0.0, 0, 1.0)
    from scipy.stats import chi2

    statistic = max(2.0 * (sum(told) - common), 0.0)
    return LogRankTruth(statistic, free, float(chi2.sf(statistic, free)))


def _with_events(cells: pl.DataFrame, arms: Sequence[str]) -> list[str]:
    happened = set(cells.filter("event")["arm"])
    return [arm for arm in arms if arm in happened]


def _linked(parts: Iterable[pl.DataFrame]) -> list[set[str]]:
    """The arms of each part with somebody left when its first event happened."""
    linked = []
    for part in parts:
        first = part.filter("event")["time"].min()
        there = part.filter(pl.col("time") >= first) if first is not None else part.clear()
        linked.append(set(there["arm"]))
    return [arms for arms in linked if arms]


def _joined(groups: Sequence[set[str]]) -> list[set[str]]:
    """Groups put together wherever they share an arm."""
    joined: list[set[str]] = []
    for group in groups:
        apart = [other for other in joined if not other & group]
        joined = [*apart, group.union(*(other for other in joined if other & group))]
    return joined


def _pandas(frame: pl.DataFrame) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({name: frame[name].to_numpy() for name in frame.columns})
