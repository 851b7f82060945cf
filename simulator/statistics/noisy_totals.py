"""How far the totals of a table with noise, as it is believed to be, may be from the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.aggregates.survival import SurvivalTable
from simulator.statistics.noisy_cells import (
    Expectation,
    Noise,
    Reals,
    believed,
    drawn_again,
    neighbours_of,
    rounded,
)

_ROUNDS = 5


@dataclass(frozen=True, eq=False)
class TotalErrors:
    """Root mean squared errors of an arm's totals, in patients.

    Attributes:
        events: Of all events.
        censored: Of all censorings.
        at_risk: Of the numbers at risk at the start of each cell, shape (cells,).
        followed: Of those censored in the last cell.
    """

    events: float
    censored: float
    at_risk: NDArray[np.float64]
    followed: float


def total_errors(
    table: SurvivalTable, arm: str, noise: Noise, *, replicates: int = 200, rng: np.random.Generator
) -> TotalErrors:
    """How far the totals of an arm, as `cleaned` tells them, may be from the truth.

    A sum of cells with noise has an error of the square root of their number; what is believed of
    the cells errs by less, as none of them is below 0 and neighbours are alike. By how much less is
    seen in tables drawn again: patients are drawn from those that the arm is believed to hold,
    noise is added and cleaned away, and the totals are held against those drawn (a parametric
    bootstrap). The error includes what cleaning is off by on average. Without noise it is 0.

    Args:
        table: Events and censorings with noise; cells may be negative.
        arm: The label of an arm.
        noise: The law of the noise in each cell.
        replicates: How many tables to simulate.
        rng: The source of chance.

    Raises:
        ValueError: There is no such arm, or no table is to be simulated.
    """
    if replicates < 1:
        raise ValueError(f"at least 1 replicate was expected; got {replicates}")
    row = table.arms.index(arm)
    expectation, neighbours = Expectation(noise), neighbours_of(table)
    shown = table.table.values[row : row + 1]
    counts = rounded(believed(shown, expectation, neighbours, rounds=_ROUNDS))
    drawn = drawn_again(counts, counts.sum(axis=(1, 2)), replicates, rng)
    with_noise = drawn + noise.sample(drawn.shape, rng)
    again = rounded(believed(with_noise, expectation, neighbours, rounds=_ROUNDS))
    off = (again - drawn)[:, 0].astype(np.float64)
    leaving = off.sum(axis=-1)
    still_in = np.cumsum(leaving[:, ::-1], axis=1)[:, ::-1]
    events, censored = (_error(off[:, :, kind].sum(axis=1)) for kind in (0, 1))
    return TotalErrors(
        float(events), float(censored), _error(still_in), float(_error(off[:, -1, 1]))
    )


def _error(off: Reals) -> Reals:
    """The root of the mean square over the first axis."""
    error: Reals = np.sqrt((off**2).mean(axis=0))
    return error
