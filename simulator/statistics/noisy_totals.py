"""The totals of a table with noise, estimated, and how far they may be from the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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


@dataclass(frozen=True)
class Total:
    """A number of patients under noise.

    Attributes:
        estimate: 0 or above.
        error: Its root mean squared error, in patients.
    """

    estimate: int
    error: float


@dataclass(frozen=True)
class Totals:
    """The totals of an arm.

    Attributes:
        patients: All of them.
        events: All with an event.
        censored: All others.
        at_risk: At the start of each cell.
        followed: Those censored in the last cell.
    """

    patients: Total
    events: Total
    censored: Total
    at_risk: tuple[Total, ...]
    followed: Total


def noisy_totals(
    table: SurvivalTable, arm: str, noise: Noise, *, replicates: int = 200, rng: np.random.Generator
) -> Totals:
    """The totals of an arm, estimated from a table with noise.

    A sum of cells with noise has an error of the square root of their number; what is believed of
    the cells errs by less, as none of them is below 0 and neighbours are alike. But it errs upwards
    where cells hold hardly anybody. By how much is seen in tables drawn again: patients are drawn
    from those that the arm is believed to hold, noise is added and cleaned away, and the totals are
    held against those drawn (a parametric bootstrap). What they are off by on average is taken off;
    the spread about that is the error. Without noise nothing is taken off, and the error is 0.

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
    found = believed(shown, expectation, neighbours, rounds=_ROUNDS)
    counts = rounded(found)
    drawn = drawn_again(counts, counts.sum(axis=(1, 2)), replicates, rng)
    with_noise = drawn + noise.sample(drawn.shape, rng)
    again = believed(with_noise, expectation, neighbours, rounds=_ROUNDS)
    off = (again - drawn)[:, 0]
    kinds = found[0].sum(axis=0)
    events, censored = (_total(kinds[kind], off[:, :, kind].sum(axis=1)) for kind in (0, 1))
    at_risk = tuple(map(_total, _still_in(found[0]), _still_in(off).T))
    followed = _total(found[0, -1, 1], off[:, -1, 1])
    return Totals(at_risk[0], events, censored, _falling(at_risk), followed)


def _still_in(cells: Reals) -> Reals:
    """Who is there at the start of each cell, shapes (..., cells, 2) -> (..., cells)."""
    still_in: Reals = np.cumsum(cells.sum(axis=-1)[..., ::-1], axis=-1)[..., ::-1]
    return still_in


def _total(found: float, off: Reals) -> Total:
    """What is believed, less what it is off by on average, with the spread about that."""
    return Total(max(round(float(found - off.mean())), 0), float(off.std()))


def _falling(at_risk: tuple[Total, ...]) -> tuple[Total, ...]:
    """Numbers at risk of which none is above the one before it."""
    estimates = np.minimum.accumulate([each.estimate for each in at_risk])
    return tuple(
        Total(int(estimate), each.error) for estimate, each in zip(estimates, at_risk, strict=True)
    )
