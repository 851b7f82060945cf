"""The log-rank test of a survival table with noise, against a null that has the noise in it too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.aggregates.survival import SurvivalTable
from simulator.statistics.log_rank import log_rank
from simulator.statistics.noisy_cells import (
    Counts,
    Expectation,
    Noise,
    Reals,
    believed,
    cleaned,
    neighbours_of,
    smoothed,
)

_ROUNDS: Final = 1
_SLACK: Final = 1e-9
_LEAST_STAYING: Final = 1e-3


@dataclass(frozen=True)
class NoisyLogRank:
    """A test of the hypothesis that the hazard is the same in all arms, from a noisy table.

    Attributes:
        statistic: Of the cells as they are expected to be if the hazard is the same. It is *not*
            chi-squared under the hypothesis: only `p` says what it means.
        degrees_of_freedom: One less than the arms, for the record.
        p: The share of tables simulated under the hypothesis, noise and all, whose statistic is at
            least as great, the table itself counted among them; in (0, 1].
        naive_p: What the ordinary test says of the cleaned table. WRONG: it takes noise for
            difference, and rejects a true hypothesis far too often.
        replicates: How many tables were simulated; 0 if there was no noise and `p` is that of the
            ordinary test.
    """

    statistic: float
    degrees_of_freedom: int
    p: float
    naive_p: float
    replicates: int


def noisy_log_rank(
    table: SurvivalTable, noise: Noise, *, replicates: int = 999, rng: np.random.Generator
) -> NoisyLogRank:
    """Compares all arms of a table with noise.

    The statistic: under the hypothesis the patients of all arms die of the pooled hazard; an arm's
    patients leave in proportion to the pooled hazard of leaving. So what a cell is expected to hold
    follows from the arm's size and how fast its patients leave. Each cell is replaced by its
    expectation given what it shows and that rate, and the log-rank statistic is computed from
    these. Replacing missing counts by their expectation under the hypothesis is what makes a score
    test of what is seen.

    The null: in each arm as many patients as it is believed to hold die of the pooled hazard and
    leave by the arm's own hazard of being censored; noise of the same law is added; the statistic
    is computed in the same way, pooled hazards, sizes and all (a parametric bootstrap; p as in
    Davison & Hinkley 1997, eq. 4.11). So arms may be followed for different times. Without noise it
    is the ordinary test.

    Args:
        table: Events and censorings with noise; cells may be negative.
        noise: The law of the noise in each cell.
        replicates: How many tables to simulate; p cannot be below 1 / (1 + replicates).
        rng: The source of chance.

    Raises:
        ValueError: No table is to be simulated.
    """
    if replicates < 1:
        raise ValueError(f"at least 1 replicate was expected; got {replicates}")
    naive = log_rank(cleaned(table, noise))
    if noise.variance == 0.0:
        return NoisyLogRank(naive.statistic, naive.degrees_of_freedom, naive.p, naive.p, 0)
    expectation, neighbours = Expectation(noise), neighbours_of(table)
    shown = table.table.values
    found = believed(shown, expectation, neighbours, rounds=_ROUNDS)
    null = under_the_null(found, replicates, rng)
    both = np.concatenate([shown[None], null + noise.sample(null.shape, rng)])
    statistics = score_statistics(both, expectation, neighbours)
    exceeding = np.count_nonzero(statistics[1:] >= statistics[0] * (1.0 - _SLACK))
    return NoisyLogRank(
        statistic=float(statistics[0]),
        degrees_of_freedom=len(table.arms) - 1,
        p=(1 + int(exceeding)) / (1 + replicates),
        naive_p=naive.p,
        replicates=replicates,
    )


def under_the_null(found: Reals, replicates: int, rng: np.random.Generator) -> Counts:
    """Tables without noise of one hazard and each arm's own censoring.

    In a cell deaths come before censorings: of those at risk a share h dies, and of the others a
    share leaves. Who is left in the last cell is censored there.

    Args:
        found: What the cells are believed to hold, shape (arms, cells, 2).
        replicates: How many tables.
        rng: The source of chance.

    Returns:
        Shape (replicates, arms, cells, 2), with as many patients in each arm as are believed.
    """
    sizes = np.rint(found.sum(axis=(1, 2))).astype(np.int64)
    hazard = _ratio(found[..., 0].sum(axis=0), _at_risk(found).sum(axis=0))
    leaving = _ratio(found[..., 1], _at_risk(found) - found[..., 0])
    leaving[:, -1] = 1.0
    staying = np.cumprod((1.0 - hazard) * (1.0 - leaving), axis=-1)
    reached = np.concatenate([np.ones((len(found), 1)), staying[:, :-1]], axis=-1)
    chances = np.stack([reached * hazard, reached * (1.0 - hazard) * leaving], axis=-1)
    drawn = np.empty((replicates, *found.shape), dtype=np.int64)
    for arm, size in enumerate(sizes):
        each = chances[arm].ravel()
        counts = rng.multinomial(size, each / each.sum(), replicates)
        drawn[:, arm] = counts.reshape(replicates, *found.shape[1:])
    return drawn


def score_statistics(shown: Counts, expectation: Expectation, neighbours: int) -> Reals:
    """The statistic of each of many tables, shapes (tables, arms, cells, 2) -> (tables,)."""
    found = believed(shown, expectation, neighbours, rounds=_ROUNDS)
    return log_rank_statistics(
        expectation(shown.astype(np.float64), expected_if_alike(found, neighbours))
    )


def expected_if_alike(found: Reals, neighbours: int) -> Reals:
    """What each cell of each arm holds if there is one hazard, shape (tables, arms, cells, 2).

    Cells of an arm are noisy, its totals less so. Thus the hazards of dying and of leaving are the
    pooled ones, and of the arm itself only two numbers are used: how many patients it has, and how
    many times as fast as on average they leave.
    """
    at_risk, pooled = _at_risk(found), smoothed(found.sum(axis=-3), neighbours)
    everyone = at_risk.sum(axis=-2)
    dying = _ratio(pooled[..., 0], everyone)
    leaving = -np.log(np.maximum(1.0 - _ratio(pooled[..., 1], everyone), _LEAST_STAYING))
    leaving[..., -1] = 0.0
    faster = _times_as_fast(found, at_risk, leaving)
    staying = (1.0 - dying)[..., None, :] * np.exp(-faster * leaving[..., None, :])
    reached = np.roll(np.cumprod(staying, axis=-1), 1, axis=-1)
    reached[..., 0] = 1.0
    there = found.sum(axis=(-2, -1))[..., None] * reached
    died = there * dying[..., None, :]
    left = (there - died) * -np.expm1(-faster * leaving[..., None, :])
    left[..., -1] = there[..., -1] - died[..., -1]
    return np.stack([died, left], axis=-1)


def _times_as_fast(found: Reals, at_risk: Reals, leaving: Reals) -> Reals:
    """How many times as fast as on average an arm's patients leave, shape (tables, arms, 1).

    Those who left before the last cell over those who would have left; one patient is added to
    both, so that an arm of which nothing is known leaves as all do.
    """
    would = (at_risk * leaving[..., None, :])[..., :-1].sum(axis=-1)
    faster: Reals = (found[..., :-1, 1].sum(axis=-1) + 1.0) / (would + 1.0)
    return faster[..., None]


def _at_risk(cells: Reals) -> Reals:
    """Who is there at the start of each cell, shapes (..., cells, 2) -> (..., cells)."""
    still_in: Reals = np.cumsum(cells.sum(axis=-1)[..., ::-1], axis=-1)[..., ::-1]
    return still_in


def _ratio(part: Reals, whole: Reals) -> Reals:
    """A share in [0, 1]; 0 of nobody."""
    share = np.divide(part, whole, out=np.zeros_like(part), where=whole > _SLACK)
    return np.minimum(share, 1.0)


def log_rank_statistics(cells: Reals) -> Reals:
    """Log-rank chi-squared of many tables at once; see `simulator.statistics.log_rank`.

    Args:
        cells: Events and censorings, not necessarily whole, 0 and above, shape (tables, arms,
            cells, 2).

    Returns:
        Shape (tables,).
    """
    events, leaving = cells[..., 0], cells.sum(axis=-1)
    at_risk = np.cumsum(leaving[..., ::-1], axis=-1)[..., ::-1]
    total, everyone = events.sum(axis=1), at_risk.sum(axis=1)
    share = at_risk / np.maximum(everyone, _SLACK)[:, None]
    score = (events - share * total[:, None]).sum(axis=-1)
    spread = total * np.maximum(everyone - total, 0.0) / np.maximum(everyone - 1.0, 1.0)
    weighted = share * spread[:, None]
    variance = -weighted @ share.transpose(0, 2, 1)
    arms = np.arange(events.shape[1])
    variance[:, arms, arms] += weighted.sum(axis=-1)
    inverse = np.linalg.pinv(variance, rcond=_SLACK, hermitian=True)
    statistics: Reals = np.einsum("tg,tgh,th->t", score, inverse, score)
    return statistics
