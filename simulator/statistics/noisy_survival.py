"""The survival curve of a table with noise, with bands that know the noise as well as chance."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from simulator.aggregates.grid import Unit
from simulator.aggregates.survival import SurvivalTable, survival_layout
from simulator.aggregates.table import Table
from simulator.statistics.counts import row_of
from simulator.statistics.kaplan_meier import Curve, kaplan_meier, log_log_bands
from simulator.statistics.noisy_cells import (
    Counts,
    Expectation,
    Noise,
    Reals,
    believed,
    drawn_again,
    neighbours_of,
    rounded,
)

_ROUNDS: Final = 5
_UNKNOWN: Final = 20.0


def noisy_kaplan_meier(
    table: SurvivalTable,
    arm: str | None,
    noise: Noise,
    *,
    level: float = 0.95,
    replicates: int = 400,
    rng: np.random.Generator,
) -> Curve:
    """The survival curve of an arm, or of all arms together, from a table with noise.

    The curve starts from the usual one of what the cells are believed to hold (see `believed`). To
    see what noise and its cleaning do to it, patients are drawn again from those that the arm is
    believed to hold, and log(-log S) is computed from them as they are and after noise was added
    and cleaned away (a parametric bootstrap). The median of the difference is the bias, and is
    taken off: in cells that hold hardly anybody cleaning finds patients who are not there, and the
    curve runs too high. The mean square of the difference is added to Greenwood's variance, which
    stands for chance; its variance alone would take the bias for known. Without noise there is no
    difference, and this is `kaplan_meier`.

    Args:
        table: Events and censorings with noise; cells may be negative.
        arm: The label of an arm; None takes all arms together.
        noise: The law of the noise in each cell.
        level: The level of the pointwise bands.
        replicates: How many tables to simulate.
        rng: The source of chance.

    Returns:
        A curve like any other, with both parts in `greenwood`. Numbers of patients are estimates.

    Raises:
        ValueError: There is no such arm, no replicate, or the level is not in (0, 1).
    """
    if replicates < 1:
        raise ValueError(f"at least 1 replicate was expected; got {replicates}")
    shown = table.table.values
    if arm is not None:
        row = row_of(table.arms, arm)
        shown = shown[row : row + 1]
    expectation, neighbours = Expectation(noise), neighbours_of(table)
    by_day = table.grid.unit is Unit.DAY
    found = believed(shown, expectation, neighbours, rounds=_ROUNDS)
    survival, greenwood = _product_limit(found.sum(axis=0), by_day=by_day)
    counts = rounded(found)
    drawn = drawn_again(counts, counts.sum(axis=(1, 2)), replicates, rng)
    shown = drawn + noise.sample(drawn.shape, rng)
    again = believed(shown, expectation, neighbours, rounds=_ROUNDS)
    least = 1.0 / (4.0 * max(int(counts.sum()), 1))  # a quarter of a patient
    bias, spread = _done_by_noise(drawn.astype(np.float64), again, least, by_day=by_day)
    variance = greenwood + spread * np.log(np.maximum(survival, least)) ** 2
    survival, variance = _unbiased(survival, variance, bias)
    return _with(table, counts, *_tamed(survival, variance, least), level)


def _done_by_noise(
    drawn: Reals, again: Reals, least: float, *, by_day: bool
) -> tuple[Reals, Reals]:
    """Median and mean square of what noise does to log(-log S), each of shape (cells,)."""
    before, after = (
        np.log(-np.log(np.clip(survival, least, 1.0 - least)))
        for survival, _ in (
            _product_limit(cells.sum(axis=1), by_day=by_day) for cells in (drawn, again)
        )
    )
    difference = after - before
    return np.median(difference, axis=0), (difference**2).mean(axis=0)


def _unbiased(survival: Reals, variance: Reals, bias: Reals) -> tuple[Reals, Reals]:
    """The curve and its variance with a bias of log(-log S) taken off, never rising.

    log(-log S) - b is log(-log S^f) with f = e^-b; its variance stays, so that of log S goes by f
    squared.
    """
    factor = np.exp(-bias)
    return np.minimum.accumulate(survival**factor), variance * factor**2


def _tamed(survival: Reals, variance: Reals, least: float) -> tuple[Reals, Reals]:
    """The curve and its variance where fractions of a patient would make them meaningless.

    Where less than a quarter of a patient is believed to have had the event, nobody has. What is
    known of log(-log S) to no better than 20 is not known. And as a sum the variance never falls.
    None of this touches a curve of whole patients.
    """
    tamed = np.where(survival > 1.0 - least, 1.0, survival)
    logs = np.log(np.maximum(tamed, np.finfo(np.float64).tiny))
    return tamed, np.minimum(np.maximum.accumulate(variance), (_UNKNOWN * logs) ** 2)


def _product_limit(cells: Reals, *, by_day: bool) -> tuple[Reals, Reals]:
    """Survival and Greenwood's sum of many tables, shapes (..., cells, 2) -> (..., cells)."""
    events, censored = cells[..., 0], cells[..., 1]
    exposed = np.cumsum(cells.sum(axis=-1)[..., ::-1], axis=-1)[..., ::-1].copy()
    if not by_day:
        exposed[..., :-1] -= censored[..., :-1] / 2.0
    surviving = np.maximum(exposed - events, 0.0)
    factors, terms = np.ones_like(exposed), np.zeros_like(exposed)
    np.divide(surviving, exposed, out=factors, where=(events > 0.0) & (exposed > 0.0))
    np.divide(events, exposed * surviving, out=terms, where=surviving > 1e-9)
    return np.cumprod(factors, axis=-1), np.cumsum(terms, axis=-1)


def _with(
    table: SurvivalTable, counts: Counts, survival: Reals, greenwood: Reals, level: float
) -> Curve:
    """A curve of these counts, with survival and its variance put in the place of theirs."""
    only = SurvivalTable(
        table.grid,
        Table(survival_layout(("all",), table.grid), counts.sum(axis=0, keepdims=True)),
    )
    lower, upper = log_log_bands(survival, greenwood, level)
    return replace(
        kaplan_meier(only, level=level),
        survival=survival,
        lower=lower,
        upper=upper,
        greenwood=greenwood,
    )
