"""Totals under noise are right on average, and err by as much as is told."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.survival import SurvivalTable, survival_layout
from simulator.aggregates.table import Table
from simulator.privacy.noise.laws import Law, Mechanism
from simulator.statistics.noisy_cells import cleaned
from simulator.statistics.noisy_totals import noisy_totals
from tests.unit.statistics.noises import NO_NOISE, DiscreteLaplace, as_table, cohorts

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


def test_errors_are_those_told_and_smaller_than_what_cleaning_alone_is_off_by() -> None:
    rng = np.random.default_rng(1)
    truth = drawn(rng)
    events, still = int(truth.events.sum()), int(truth.at_risk[0, 12])
    off, told, only_cleaned = [], [], []
    for _ in range(100):
        table = with_noise(truth, rng)
        found = noisy_totals(table, "A", LAW, replicates=60, rng=rng)
        off.append([found.events.estimate - events, found.at_risk[12].estimate - still])
        told.append([found.events.error, found.at_risk[12].error])
        only_cleaned.append(int(cleaned(table, LAW).at_risk[0, 12]) - still)
    errors = np.sqrt((np.array(off, dtype=np.float64) ** 2).mean(axis=0))
    assert np.mean(told, axis=0) == pytest.approx(errors, rel=0.25)
    assert errors[1] < np.sqrt(np.mean(np.square(only_cleaned)))


def test_nobody_is_invented_where_hardly_anybody_is() -> None:
    """40 patients over 60 months: cleaning finds many more, which is seen and taken off."""
    rng = np.random.default_rng(6)
    truth = cohorts(rng, 40, sizes=(40,), survival=(0.45,), months=60)
    noise = DiscreteLaplace(1.0)
    tables = [as_table(one + noise.sample(one.shape, rng)) for one in truth]
    totals = [noisy_totals(each, "arm 0", noise, replicates=60, rng=rng) for each in tables]
    ours = float(np.mean([each.patients.estimate for each in totals])) - 40
    before = float(np.mean([cleaned(each, noise).patients[0] for each in tables])) - 40
    assert before > 5
    assert abs(ours) < before / 2


def test_totals_of_exact_cells_are_exact() -> None:
    values = cohorts(np.random.default_rng(7), 1)[0]
    table = as_table(values)
    found = noisy_totals(table, "arm 1", NO_NOISE, replicates=3, rng=np.random.default_rng(8))
    assert (found.events.estimate, found.censored.estimate) == tuple(values[1].sum(axis=0))
    assert [each.estimate for each in found.at_risk] == table.at_risk[1].tolist()
    assert found.patients == found.at_risk[0]
    assert found.followed.estimate == values[1, -1, 1]
    assert found.events.error == found.patients.error == found.followed.error == 0.0


def test_more_noise_is_more_error_and_the_same_chance_gives_the_same() -> None:
    table = with_noise(drawn(np.random.default_rng(2)), np.random.default_rng(3))
    louder = Law(Mechanism.LAPLACE, Fraction(4), 1, 1)
    little, much, again = (
        noisy_totals(table, "A", law, rng=np.random.default_rng(4)) for law in (LAW, louder, LAW)
    )
    assert little.events.error < much.events.error
    assert little == again
    estimates = [each.estimate for each in much.at_risk]
    assert len(estimates) == GRID.size
    assert (np.diff(estimates) <= 0).all()
    assert min(estimates) >= 0


def test_an_arm_that_is_not_there_and_no_replicates() -> None:
    table = drawn(np.random.default_rng(2))
    with pytest.raises(ValueError, match="not in tuple"):
        noisy_totals(table, "B", LAW, rng=np.random.default_rng(1))
    with pytest.raises(ValueError, match="at least 1 replicate"):
        noisy_totals(table, "A", LAW, replicates=0, rng=np.random.default_rng(1))
