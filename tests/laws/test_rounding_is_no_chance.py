"""Why rounded curves have no intervals and no tests: taken for patients, they miss far too often.

Cohorts of 418 in arms of 167, 42, 167 and 42 that do not differ: half have died by 37 months, and
half would have been watched for 32 (exponential times, as in the made cohorts of the other laws).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import pytest

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.survival import SurvivalTable
from simulator.aggregates.table import Table
from simulator.privacy.rules.registry import RULES
from simulator.privacy.sources import system_source
from simulator.privacy.steps import midpoint_steps, step_bounds
from simulator.statistics.kaplan_meier import kaplan_meier, survival_at
from simulator.statistics.log_rank import log_rank
from simulator.statistics.stepped_survival import SoFar, between_at, stepped_curve

pytestmark = pytest.mark.laws

COHORTS: Final = 400
SIZES: Final = (167, 42, 167, 42)
MONTHS: Final = 103
LATE: Final = (48, 60)
HALF_DEAD, HALF_LEFT = 37.0, 32.0


def cohorts() -> Iterator[SurvivalTable]:
    for seed in range(COHORTS):
        random = np.random.default_rng([11, seed])
        arm = np.repeat(np.arange(len(SIZES)), SIZES)
        died, left = (
            random.exponential(half / np.log(2.0), arm.size) for half in (HALF_DEAD, HALF_LEFT)
        )
        days = (np.minimum(died, left) * 30.4375).astype(np.int64)
        yield SurvivalTable.from_rows(
            tuple("abcd"), Grid(Unit.MONTH, MONTHS), arm=arm, days=days, event=died < left
        )


def ruled(table: SurvivalTable, rule: str) -> SurvivalTable:
    flat = table.table.flat()
    shown = RULES[rule].mechanism.apply(flat, system_source, None).shown
    return SurvivalTable(table.grid, Table.from_flat(table.table.layout, np.maximum(shown, 0)))


def rejected(tables: Iterable[SurvivalTable]) -> float:
    return float(np.mean([log_rank(table).p < 0.05 for table in tables]))


def covered(tables: Iterable[SurvivalTable], month: int) -> float:
    """How often the 95 % interval of a small arm holds the true survival."""
    truth = 0.5 ** (month / HALF_DEAD)
    held = []
    for table in tables:
        found = survival_at(kaplan_meier(table, "b"), month)
        low, high = found.lower, found.upper
        held.append(low is not None and high is not None and low <= truth <= high)
    return float(np.mean(held))


def test_the_same_numbers_hold_where_nothing_is_rounded() -> None:
    assert rejected(cohorts()) == pytest.approx(0.05, abs=0.03)
    for month in LATE:
        assert covered(cohorts(), month) == pytest.approx(0.95, abs=0.03)


def test_of_rounded_steps_the_test_and_the_intervals_are_wrong() -> None:
    assert rejected(map(midpoint_steps, cohorts())) == pytest.approx(0.14, abs=0.03)
    for month, held in zip(LATE, (0.73, 0.54), strict=True):
        assert covered(map(midpoint_steps, cohorts()), month) == pytest.approx(held, abs=0.04)


@pytest.mark.parametrize(
    ("rule", "found", "held"), [("midpoint-6", 0.38, 0.77), ("round-up-10", 0.83, 0.49)]
)
def test_of_rounded_cells_they_are_worse(rule: str, found: float, held: float) -> None:
    assert rejected(ruled(table, rule) for table in cohorts()) == pytest.approx(found, abs=0.04)
    for month in LATE:
        tables = (ruled(table, rule) for table in cohorts())
        assert covered(tables, month) == pytest.approx(held, abs=0.04)


def test_the_bounds_hold_what_the_exact_counts_give() -> None:
    for table in cohorts():
        least, most = (ends[1] for ends in step_bounds(midpoint_steps(table)))
        told = SoFar(least[:, 0], most[:, 0], least[:, 1], most[:, 1])
        curve, exact = stepped_curve(table.grid, told), kaplan_meier(table, "b")
        for month in (12, 36, *LATE):
            low, high = between_at(curve, month)
            found = survival_at(exact, month).estimate
            assert low <= (0.0 if found is None else found + 1e-9)
            assert found is None or found <= high + 1e-9
