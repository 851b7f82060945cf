"""The error that is told of totals under noise is the one that they have."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.survival import SurvivalTable, survival_layout
from simulator.aggregates.table import Table
from simulator.privacy.noise.laws import Law, Mechanism
from simulator.statistics.noisy_cells import cleaned
from simulator.statistics.noisy_totals import total_errors

LAW = Law(Mechanism.LAPLACE, Fraction(1), 1, 1)
GRID = Grid(Unit.MONTH, 24)


def drawn(rng: np.random.Generator, patients: int = 150) -> SurvivalTable:
    """An arm whose patients die and leave at constant rates."""
    died, left = rng.exponential(700.0, patients), rng.exponential(900.0, patients)
    days = np.minimum(died, left).astype(np.int64)
    arm = np.zeros(patients, dtype=np.int64)
    return SurvivalTable.from_rows(("A",), GRID, arm=arm, days=days, event=died <= left)


def with_noise(table: SurvivalTable, rng: np.random.Generator) -> SurvivalTable:
    layout = survival_layout(table.arms, GRID)
    noise = LAW.sample(layout.shape, rng)
    return SurvivalTable(GRID, Table(layout, table.table.values + noise))


def test_it_is_near_what_many_tables_with_noise_are_off_by() -> None:
    rng = np.random.default_rng(1)
    truth = drawn(rng)
    seen = [with_noise(truth, rng) for _ in range(150)]
    off = [
        [int(found.events.sum() - truth.events.sum()), int(found.at_risk[0, 12] - still)]
        for found in (cleaned(table, LAW) for table in seen)
        for still in [truth.at_risk[0, 12]]
    ]
    events, at_risk = np.sqrt((np.array(off, dtype=np.float64) ** 2).mean(axis=0))
    told = [total_errors(table, "A", LAW, rng=rng) for table in seen[:10]]
    assert np.mean([one.events for one in told]) == pytest.approx(events, rel=0.25)
    assert np.mean([one.at_risk[12] for one in told]) == pytest.approx(at_risk, rel=0.25)


def test_more_noise_is_more_error_and_the_same_chance_gives_the_same() -> None:
    table = with_noise(drawn(np.random.default_rng(2)), np.random.default_rng(3))
    louder = Law(Mechanism.LAPLACE, Fraction(4), 1, 1)
    little, much, again = (
        total_errors(table, "A", law, rng=np.random.default_rng(4)) for law in (LAW, louder, LAW)
    )
    assert little.events < much.events
    assert little.at_risk.shape == (GRID.size,)
    assert (little.events, little.followed) == (again.events, again.followed)
    # Everybody leaves in some cell, so the error of the first number at risk is that of them all.
    assert little.at_risk[0] > 0.0


def test_an_arm_that_is_not_there_and_no_replicates() -> None:
    table = drawn(np.random.default_rng(2))
    with pytest.raises(ValueError, match="not in tuple"):
        total_errors(table, "B", LAW, rng=np.random.default_rng(1))
    with pytest.raises(ValueError, match="at least 1 replicate"):
        total_errors(table, "A", LAW, replicates=0, rng=np.random.default_rng(1))
