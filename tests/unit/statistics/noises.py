"""Noise, and cohorts whose survival is known, for the estimators that take tables with noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.aggregates.grid import DAYS_PER_MONTH, Grid, Unit
from simulator.aggregates.survival import SurvivalTable, survival_layout
from simulator.aggregates.table import Table

Counts = NDArray[np.int64]

REPORTED = (0.52, 0.48, 0.45, 0.40)
"""Survival at 36 months of the study's four arms."""
ALIKE = (0.46, 0.46, 0.46, 0.46)
EQUAL = (105, 105, 104, 104)
AS_SPLIT = (167, 167, 42, 42)


@dataclass(frozen=True)
class DiscreteLaplace:
    """P(k) = (1 - q) / (1 + q) q^|k| with q = e^(-1/scale), written anew; scale 0: no noise."""

    scale: float

    @property
    def variance(self) -> float:
        q = self._q
        return 2.0 * q / (1.0 - q) ** 2

    def sample(self, shape: tuple[int, ...], rng: np.random.Generator) -> Counts:
        # The whole part of an exponential variable is geometric; two of them differ by this law.
        first = np.floor(self.scale * rng.standard_exponential(shape))
        second = np.floor(self.scale * rng.standard_exponential(shape))
        noise: Counts = (first - second).astype(np.int64)
        return noise

    def probabilities(self, reach: int) -> NDArray[np.float64]:
        q = self._q
        steps = np.abs(np.arange(-reach, reach + 1, dtype=np.float64))
        return np.asarray((1.0 - q) / (1.0 + q) * q**steps)

    @property
    def _q(self) -> float:
        return float(np.exp(-1.0 / self.scale)) if self.scale else 0.0


NO_NOISE = DiscreteLaplace(0.0)


def as_table(values: Counts, unit: Unit = Unit.MONTH) -> SurvivalTable:
    """A survival table of these cells, shape (arms, cells, 2)."""
    arms = tuple(f"arm {number}" for number in range(len(values)))
    grid = Grid(unit, values.shape[1] * unit.width_months)
    return SurvivalTable(grid, Table(survival_layout(arms, grid), values))


def cohorts(
    rng: np.random.Generator,
    runs: int,
    *,
    sizes: tuple[int, ...] = EQUAL,
    survival: tuple[float, ...] = REPORTED,
    months: int = 36,
    shape: float = 1.0,
    censoring: tuple[tuple[int, int], ...] = ((365, 2200),),
    width: int = 1,
) -> Counts:
    """Tables of cohorts of Weibull survival and uniform censoring, shape (runs, arms, cells, 2).

    Args:
        rng: The source of chance.
        runs: How many cohorts.
        sizes: Patients of each arm.
        survival: Of each arm at 36 months.
        months: The horizon.
        shape: Of the Weibull law; 1 is exponential.
        censoring: First and last day of each arm's uniform censoring; the first is the default.
        width: Months in a cell.
    """
    tables = np.zeros((runs, len(sizes), months // width, 2), dtype=np.int64)
    cells, end = months // width, months * DAYS_PER_MONTH
    for arm, size in enumerate(sizes):
        hazard = -np.log(survival[arm])
        times = (rng.standard_exponential((runs, size)) / hazard) ** (1.0 / shape)
        deaths = 36.0 * DAYS_PER_MONTH * times
        leaving = rng.uniform(*censoring[arm % len(censoring)], size=(runs, size))
        last = np.minimum(np.minimum(deaths, leaving), end)
        died = (deaths <= leaving) & (deaths <= end)
        cell = np.ceil(last / (width * DAYS_PER_MONTH) - 1e-9).astype(np.int64) - 1
        place = (np.arange(runs)[:, None] * cells + np.maximum(cell, 0)) * 2 + ~died
        tables[:, arm] = np.bincount(place.ravel(), minlength=runs * cells * 2).reshape(
            runs, cells, 2
        )
    return tables
