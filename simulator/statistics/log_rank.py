"""Log-rank tests of two or more arms, weighted or stratified, from survival tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

import numpy as np

from simulator.aggregates.survival import SurvivalTable
from simulator.statistics.chi_squared import Reals, covariance_from, score_test
from simulator.statistics.counts import check_counts

Weights = Literal["log-rank", "wilcoxon", "tarone-ware", "peto"]


@dataclass(frozen=True)
class LogRank:
    """A test of the hypothesis that the hazard is the same in all arms.

    Attributes:
        statistic: Chi-squared, in [0, inf). 0 where nothing can be compared.
        degrees_of_freedom: One less than the arms that can be compared; 0 where none can.
        p: In [0, 1]. 1 where nothing can be compared.
        observed: Events of each arm in the arms' order, each times the weight of its cell.
        expected: Events to be expected in each arm if the hazard is the same, weighted likewise.
    """

    statistic: float
    degrees_of_freedom: int
    p: float
    observed: tuple[float, ...]
    expected: tuple[float, ...]


def log_rank(table: SurvivalTable, *, weights: Weights = "log-rank") -> LogRank:
    """Compares all arms of a table.

    In each cell with D events among N at risk, arm g with n_g at risk expects n_g D / N of them,
    with the covariance D (N - D) / (N - 1) * (n_g / N) (delta_gh - n_h / N) of the multivariate
    hypergeometric distribution (Mantel 1966; Peto & Peto 1972). Under days and under months the
    risk set is the full one at the start of the cell.

    A weight multiplies observed minus expected, its square the covariance: N for ``wilcoxon``
    (Gehan 1965, Breslow 1970), sqrt(N) for ``tarone-ware`` (Tarone & Ware 1977), and for ``peto``
    the survival estimate prod over i <= j of (1 - D_i / (N_i + 1)) (Peto & Peto 1972; Andersen
    et al. 1982).

    Args:
        table: Events and censorings per arm and cell.
        weights: Which cells count for more: ``wilcoxon`` and ``peto`` stress the early ones.

    Raises:
        ValueError: A count is negative.
    """
    return _compare([table], weights)


def stratified_log_rank(tables: Sequence[SurvivalTable]) -> LogRank:
    """Compares the arms within strata: the sums over the strata of score and variance.

    Patients are compared with those of their own stratum only. The strata may be on different
    grids.

    Args:
        tables: A table for each stratum, all with the same arms in the same order.

    Raises:
        ValueError: There is no stratum, their arms differ, or a count is negative.
    """
    if len({table.arms for table in tables}) != 1:
        raise ValueError("strata with the same arms in the same order were expected, at least one")
    return _compare(tables, "log-rank")


def _compare(tables: Sequence[SurvivalTable], weights: Weights) -> LogRank:
    parts = [_observed_expected_variance(table, weights) for table in tables]
    observed = np.sum([part[0] for part in parts], axis=0)
    expected = np.sum([part[1] for part in parts], axis=0)
    variance = np.sum([part[2] for part in parts], axis=0)
    test = score_test(observed - expected, variance)
    return LogRank(
        statistic=test.statistic,
        degrees_of_freedom=test.degrees_of_freedom,
        p=test.p,
        observed=tuple(float(value) for value in observed),
        expected=tuple(float(value) for value in expected),
    )


def _observed_expected_variance(
    table: SurvivalTable, weights: Weights
) -> tuple[Reals, Reals, Reals]:
    """Weighted observed and expected, shapes (arms,), and covariance, shape (arms, arms)."""
    check_counts(table)
    happened = table.events.sum(axis=0) > 0
    events = table.events[:, happened].astype(np.float64)
    at_risk = table.at_risk[:, happened].astype(np.float64)
    total, all_at_risk = events.sum(axis=0), at_risk.sum(axis=0)
    weight = _weight(total, all_at_risk, weights)
    share = at_risk / all_at_risk
    spread = total * (all_at_risk - total) / np.maximum(all_at_risk - 1.0, 1.0)
    links = -(share * (spread * weight**2)) @ share.T
    return events @ weight, share @ (total * weight), covariance_from(links)


def _weight(total: Reals, all_at_risk: Reals, weights: Weights) -> Reals:
    """The weight of each cell with events, shape (k,)."""
    match weights:
        case "log-rank":
            return np.ones_like(total)
        case "wilcoxon":
            return all_at_risk
        case "tarone-ware":
            return np.sqrt(all_at_risk)
        case "peto":
            return np.cumprod(1.0 - total / (all_at_risk + 1.0), dtype=np.float64)
        case _:
            assert_never(weights)
