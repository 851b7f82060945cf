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
    drawn_again,
    neighbours_of,
    rounded,
    smoothed,
)

_ROUNDS: Final = 1
_SLACK: Final = 1e-9


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

    The statistic: under the hypothesis the rate at which patients of arm g end in a cell is the
    pooled one times n_g / n. Each cell is replaced by its expectation given what it shows and that
    rate, and the log-rank statistic is computed from these. Replacing missing counts by their
    expectation under the hypothesis is what makes a score test of what is seen.

    The null: patients are drawn from the pooled cleaned table, as many for each arm as that arm is
    believed to hold; noise of the same law is added; the statistic is computed in the same way,
    pooled rates, sizes and all (a parametric bootstrap; p as in Davison & Hinkley 1997, eq. 4.11).

    It supposes that the arms are censored alike. Without noise it is the ordinary test.

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
    """Tables without noise whose arms are alike, shape (replicates, arms, cells, 2).

    Args:
        found: What the cells are believed to hold, shape (arms, cells, 2).
        replicates: How many tables.
        rng: The source of chance.
    """
    sizes = np.rint(found.sum(axis=(1, 2))).astype(np.int64)
    pooled = np.broadcast_to(rounded(found.sum(axis=0)), found.shape)
    return drawn_again(pooled, sizes, replicates, rng)


def score_statistics(shown: Counts, expectation: Expectation, neighbours: int) -> Reals:
    """The statistic of each of many tables, shapes (tables, arms, cells, 2) -> (tables,)."""
    found = believed(shown, expectation, neighbours, rounds=_ROUNDS)
    sizes = found.sum(axis=(-2, -1))
    shares = sizes / np.maximum(sizes.sum(axis=-1, keepdims=True), _SLACK)
    pooled = smoothed(found.sum(axis=-3), neighbours)
    rates = pooled[:, None] * shares[:, :, None, None]
    return log_rank_statistics(expectation(shown.astype(np.float64), rates))


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
