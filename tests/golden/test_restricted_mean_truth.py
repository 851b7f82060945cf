"""The restricted means that the authors of survRM2 publish, from our tables.

The vignette "Comparing two survival curves using the restricted mean survival time" of the R
package survRM2 (Uno et al.) prints them for the 312 randomized patients of the Mayo Clinic's trial
in primary biliary cirrhosis (Fleming & Harrington 1991, appendix D; R survival, `pbc`): drug is
D-penicillamine, the event is death, a transplant is censored, a year is 365.25 days, tau is 10
years.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.survival import SurvivalTable
from simulator.statistics.kaplan_meier import kaplan_meier
from simulator.statistics.restricted_mean import (
    restricted_mean,
    restricted_mean_difference,
    restricted_mean_ratio,
)

DATA = Path(__file__).parent / "data" / "pbc.csv"
TEN_YEARS = 120  # months of 365.25 / 12 days
LAST = 5e-4  # they print three digits


@pytest.fixture(scope="module")
def table() -> SurvivalTable:
    with DATA.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return SurvivalTable.from_rows(
        ("drug", "placebo"),
        Grid(Unit.DAY, 160),
        arm=np.array([int(row["trt"]) - 1 for row in rows], dtype=np.int64),
        days=np.array([int(row["time"]) for row in rows], dtype=np.int64),
        event=np.array([row["status"] == "2" for row in rows], dtype=np.bool_),
    )


def years(months: float | None) -> float:
    assert months is not None
    return months / 12


def test_the_patients_are_theirs(table: SurvivalTable) -> None:
    assert table.patients.tolist() == [158, 154]
    assert table.events.sum(axis=1).tolist() == [65, 60]


@pytest.mark.parametrize(
    ("arm", "mean", "lower", "upper"),
    [("drug", 7.146, 6.592, 7.701), ("placebo", 7.283, 6.704, 7.863)],
)
def test_each_arm(table: SurvivalTable, arm: str, mean: float, lower: float, upper: float) -> None:
    found = restricted_mean(kaplan_meier(table, arm), TEN_YEARS)
    ends = [years(value) for value in (found.estimate, found.lower, found.upper)]
    assert ends == pytest.approx([mean, lower, upper], abs=LAST)


def test_the_difference(table: SurvivalTable) -> None:
    arms = (kaplan_meier(table, "drug"), kaplan_meier(table, "placebo"))
    found = restricted_mean_difference(*arms, TEN_YEARS)
    ends = [years(value) for value in (found.estimate, found.lower, found.upper)]
    assert ends == pytest.approx([-0.137, -0.939, 0.665], abs=LAST)
    assert found.p == pytest.approx(0.738, abs=LAST)


def test_the_ratio(table: SurvivalTable) -> None:
    arms = (kaplan_meier(table, "drug"), kaplan_meier(table, "placebo"))
    found = restricted_mean_ratio(*arms, TEN_YEARS)
    assert [found.estimate, found.lower, found.upper] == pytest.approx(
        [0.981, 0.878, 1.096], abs=LAST
    )
    assert found.p == pytest.approx(0.738, abs=LAST)
