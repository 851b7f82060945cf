"""What the cells of a survival table with noise are believed to hold, and tables drawn again."""

from __future__ import annotations

import math
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.aggregates.grid import DAYS_PER_MONTH
from simulator.aggregates.survival import SurvivalTable
from simulator.aggregates.table import Table

Reals = NDArray[np.float64]
Counts = NDArray[np.int64]

# Cells expected to hold more than this, and 20 standard deviations of the noise, are so many that
# the noise is as good as Gaussian beside them.
_MANY: Final = 40
_TOO_MANY_TO_TABULATE: Final = 600
_LEAST: Final = 0.01
_POINTS: Final = 48
_NEIGHBOURS_MONTHS: Final = 6
# Below what Fourier's inversion can tell from 0.
_FLOOR: Final = 1e-16


class Noise(Protocol):
    """The law of the noise that was added to every cell, each draw independent of the others."""

    @property
    def variance(self) -> float:
        """Of the noise in one cell; 0 says that there is none."""
        ...

    def sample(self, shape: tuple[int, ...], rng: np.random.Generator) -> Counts:
        """Whole numbers of this law, for simulation; never to protect anybody."""
        ...

    def probabilities(self, reach: int) -> Reals:
        """The chances of -reach, ..., 0, ..., reach, shape (2 reach + 1,)."""
        ...


class Expectation:
    """What a cell is expected to have held, given what it shows and what is held at such a place.

    A cell that holds x ~ Poisson(rate) shows y = x + noise; this is E[x | y, rate], tabulated once
    over rates and what is shown, and read off between tabulated rates along a straight line. Where
    it is not tabulated, as there are many, it is the linear rule y + v (rate - y) / (rate + v)
    with v the variance of the noise. It is about the rate where what is shown would take noise of a
    chance below 1e-16, which is not told from 0. It is y itself where there is no noise.
    """

    def __init__(self, noise: Noise) -> None:
        self._variance = noise.variance
        if self._variance == 0.0:
            return
        spread = math.sqrt(self._variance)
        self._most_rate = min(_MANY + 20.0 * spread, float(_TOO_MANY_TO_TABULATE))
        self._low = -math.ceil(10.0 * spread)
        self._high = math.ceil(self._most_rate + 10.0 * spread)
        rates = np.geomspace(_LEAST, self._most_rate, _POINTS - 1)
        self._step = math.log(self._most_rate / _LEAST) / (_POINTS - 2)
        shown = np.arange(self._low, self._high + 1)
        table = _posterior_means(noise, rates, shown, self._high + math.ceil(15.0 * spread))
        # Where none are expected, none are.
        self._table = np.concatenate([np.zeros((1, shown.size)), table]).ravel()

    def __call__(self, shown: Reals, rate: Reals) -> Reals:
        """E[x | shown, rate], 0 or above; whole numbers shown and rates >= 0 of one shape."""
        if self._variance == 0.0:
            return np.maximum(shown, 0.0)
        row = np.log(np.maximum(rate, _LEAST) / _LEAST) / self._step + 1.0
        row = np.where(rate < _LEAST, rate / _LEAST, np.minimum(row, _POINTS - 1.0))
        below = np.minimum(row.astype(np.int64), _POINTS - 2)
        width = self._high - self._low + 1
        place = np.clip(shown, self._low, self._high).astype(np.int64) - self._low + below * width
        first = self._table[place]
        tabulated = first + (self._table[place + width] - first) * (row - below)
        many = (rate >= self._most_rate) | (shown > self._high)
        linear = shown + self._variance * (rate - shown) / (rate + self._variance)
        return np.where(many, np.maximum(linear, 0.0), tabulated)


def _posterior_means(noise: Noise, rates: Reals, shown: Counts, most: int) -> Reals:
    """E[x | y, rate] over x = 0 to most, by Bayes' rule, shape (rates, shown)."""
    held = np.arange(most + 1)
    factorials = np.append(0.0, np.cumsum(np.log(held[1:])))
    logs = held * np.log(rates)[:, None] - factorials
    prior = np.exp(logs - logs.max(axis=1, keepdims=True))
    reach = int(most - shown[0])
    chances = np.maximum(noise.probabilities(reach), _FLOOR)
    likelihood = chances[shown[None, :] - held[:, None] + reach]
    means: Reals = ((prior * held) @ likelihood) / (prior @ likelihood)
    return means


def believed(shown: Counts, expectation: Expectation, neighbours: int, *, rounds: int) -> Reals:
    """What the cells are believed to hold, without a model of the curve.

    The start: the running sums of what is shown, made to run upwards by taking the middle between
    the greatest so far and the least from there on (the monotone sequence nearest in the greatest
    distance). Then, in each round, the rate at a cell is the mean of what is believed of its
    neighbours in the same arm, and what is believed of the cell is its expectation given that rate:
    the EM algorithm with a smoothing step (Silverman, Jones, Wilson & Nychka 1990).

    Args:
        shown: Events and censorings, shape (..., arms, cells, 2); may be negative.
        expectation: Of the noise in these cells.
        neighbours: How many cells to either side are alike.
        rounds: Of the algorithm.

    Returns:
        Of the same shape, 0 or above. What is shown itself if there is no noise and it is 0 or
        above.
    """
    values = shown.astype(np.float64)
    found = upwards(values)
    for _ in range(rounds):
        found = expectation(values, smoothed(found, neighbours))
    return found


def upwards(shown: Reals) -> Reals:
    """Cells of 0 and above whose running sums are near those shown, shape (..., cells, 2)."""
    sums = np.cumsum(shown, axis=-2)
    greatest = np.maximum.accumulate(sums, axis=-2)
    least = np.minimum.accumulate(sums[..., ::-1, :], axis=-2)[..., ::-1, :]
    middle = np.maximum((greatest + least) / 2.0, 0.0)
    return np.diff(middle, axis=-2, prepend=0.0)


def smoothed(cells: Reals, neighbours: int) -> Reals:
    """The mean over the neighbours to either side, as far as there are any, shape (..., cells, 2).

    Those censored in the last cell are those followed to the horizon: like nobody before them, they
    stand for themselves alone.
    """
    size = cells.shape[-2]
    if size == 1:
        return cells
    inner = cells.copy()
    inner[..., -1, 1] = cells[..., -2, 1]
    sums = np.concatenate([np.zeros_like(inner[..., :1, :]), np.cumsum(inner, axis=-2)], axis=-2)
    places = np.arange(size)
    first, last = np.maximum(places - neighbours, 0), np.minimum(places + neighbours + 1, size)
    means: Reals = (sums[..., last, :] - sums[..., first, :]) / (last - first)[:, None]
    means = np.maximum(means, 0.0)
    means[..., -1, 1] = cells[..., -1, 1]
    return means


def rounded(cells: Reals) -> Counts:
    """Whole numbers of 0 and above whose running sums are those given, rounded."""
    sums = np.floor(np.cumsum(cells, axis=-2) + 0.5).astype(np.int64)
    return np.diff(sums, axis=-2, prepend=0)


def neighbours_of(table: SurvivalTable) -> int:
    """How many cells to either side make half a year."""
    return round(_NEIGHBOURS_MONTHS * DAYS_PER_MONTH / table.grid.unit.width_days)


def cleaned(table: SurvivalTable, noise: Noise, *, rounds: int = 5) -> SurvivalTable:
    """A table of counts from one with noise: what its cells are believed to hold, rounded.

    Nothing is asked again, so it costs no privacy. Totals are estimates like the rest. A table with
    no noise comes back as it is.

    Args:
        table: Events and censorings with noise; cells may be negative.
        noise: The law of the noise in each cell.
        rounds: Of the algorithm; see `believed`.
    """
    found = believed(table.table.values, Expectation(noise), neighbours_of(table), rounds=rounds)
    return SurvivalTable(table.grid, Table(table.table.layout, rounded(found)))


def drawn_again(
    sources: Counts, sizes: Counts, replicates: int, rng: np.random.Generator
) -> Counts:
    """Tables of patients drawn with replacement from the patients of a table.

    Args:
        sources: Where each arm's patients are drawn from, shape (arms, cells, 2), 0 and above.
        sizes: How many to draw, shape (arms,). From an empty source none are drawn.
        replicates: How many tables.
        rng: The source of chance.

    Returns:
        Shape (replicates, arms, cells, 2).
    """
    arms, cells, measures = sources.shape
    width = cells * measures
    drawn = np.zeros((replicates, arms, width), dtype=np.int64)
    offsets = np.arange(replicates)[:, None] * width
    for arm in range(arms):
        place = np.repeat(np.arange(width), sources[arm].ravel())
        if place.size and sizes[arm] > 0:
            taken = place[rng.integers(0, place.size, size=(replicates, int(sizes[arm])))]
            counts = np.bincount((taken + offsets).ravel(), minlength=replicates * width)
            drawn[:, arm] = counts.reshape(replicates, width)
    return drawn.reshape(replicates, arms, cells, measures)
