"""Subgroups and adjusted p values from rows, against tables and against definitions."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.survival import SurvivalTable
from simulator.statistics import cox as estimators
from simulator.statistics.subgroups import subgroup_fit
from simulator.truth.hazards import holm, subgroup_truth
from simulator.truth.values import LogRankTruth, SubgroupTruth

ARMS = ("a", "b", "c")
LEVELS = ("young", "middle", "old")


def drawn(seed: int, size: int = 240) -> pl.DataFrame:
    """Rows with the places of arm and level; level 3 stands for none."""
    random = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "place": random.integers(0, 3, size),
            "level": random.integers(0, 4, size),
            "time": random.integers(0, 24, size),
            "event": random.random(size) < 0.6,
        }
    ).with_columns(arm=pl.col("place").replace_strict(dict(enumerate(ARMS))))


def table_of(rows: pl.DataFrame) -> SurvivalTable:
    """The rows' times are taken as days of a month."""
    return SurvivalTable.from_rows(
        ARMS,
        Grid(Unit.DAY, 1),
        arm=rows["place"].to_numpy(),
        days=rows["time"].to_numpy(),
        event=rows["event"].to_numpy(),
    )


def truth_of(rows: pl.DataFrame, reference: str = "a") -> SubgroupTruth:
    return subgroup_truth(rows, ARMS, reference, "age", LEVELS)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("reference", ["a", "c"])
def test_rows_and_sums_give_the_same_subgroups(seed: int, reference: str) -> None:
    rows = drawn(seed)
    truth = truth_of(rows, reference)
    tables = [table_of(rows.filter(level=place)) for place in range(3)]
    fit = subgroup_fit(tables, reference=reference)
    assert truth.interaction is not None
    assert truth.interaction.statistic == pytest.approx(fit.interaction.statistic, abs=1e-6)
    assert truth.interaction.degrees_of_freedom == fit.interaction.degrees_of_freedom == 4
    assert truth.interaction.p == pytest.approx(fit.interaction.p, abs=1e-6)
    for level, table, model in zip(truth.levels, tables, fit.levels, strict=True):
        assert level.patients == tuple(table.patients.tolist())
        assert level.events == tuple(table.events.sum(axis=1).tolist())
        assert [ratio.reference for ratio in level.hazard_ratios] == [reference] * 2
        for ratio in level.hazard_ratios:
            other = model.contrast(ratio.arm, reference)
            assert ratio.ratio.estimate == pytest.approx(other.estimate, rel=1e-6)
            assert ratio.ratio.upper == pytest.approx(other.upper, rel=1e-6)
            assert ratio.p_adjusted is None


def test_an_arm_that_a_level_lacks_takes_no_degree_of_freedom() -> None:
    rows = drawn(1).filter(~((pl.col("level") == 2) & (pl.col("arm") == "c")))
    truth = truth_of(rows)
    fit = subgroup_fit([table_of(rows.filter(level=place)) for place in range(3)])
    assert truth.interaction is not None
    assert truth.interaction.degrees_of_freedom == fit.interaction.degrees_of_freedom == 3
    assert truth.interaction.statistic == pytest.approx(fit.interaction.statistic, abs=1e-6)
    assert truth.levels[2].patients[2] == 0
    assert truth.levels[2].hazard_ratios[1].ratio.estimate is None


def test_an_arm_without_events_in_a_level_keeps_its_degree_of_freedom() -> None:
    quiet = (pl.col("level") == 2) & (pl.col("arm") == "c")
    rows = drawn(2).with_columns(event=pl.when(quiet).then(statement=False).otherwise("event"))
    truth = truth_of(rows)
    fit = subgroup_fit([table_of(rows.filter(level=place)) for place in range(3)])
    assert truth.interaction is not None
    assert truth.interaction.degrees_of_freedom == fit.interaction.degrees_of_freedom == 4
    assert truth.interaction.statistic == pytest.approx(fit.interaction.statistic, abs=1e-6)


def test_levels_that_share_no_ratio_cannot_differ_in_one() -> None:
    """The one level compares a with b, the other b with c."""
    first = (pl.col("level") == 0) & (pl.col("arm") != "c")
    second = (pl.col("level") == 1) & (pl.col("arm") != "a")
    rows = drawn(4).filter(first | second)
    truth = subgroup_truth(rows, ARMS, "b", "age", LEVELS[:2])
    fit = subgroup_fit([table_of(rows.filter(level=place)) for place in range(2)], reference="b")
    assert truth.interaction == LogRankTruth(0.0, 0, 1.0)
    assert (fit.interaction.degrees_of_freedom, fit.interaction.p) == (0, 1.0)


def test_without_a_likelihood_from_lifelines_there_is_no_test() -> None:
    rows = drawn(3).filter((pl.col("level") != 2) | (pl.col("arm") == "a"))
    assert truth_of(rows).interaction is None  # one arm in a level: nothing to fit there


@pytest.mark.parametrize("seed", range(5))
def test_holm_is_the_other_holm(seed: int) -> None:
    p_values = np.random.default_rng(seed).random(7).tolist()
    assert holm(p_values) == pytest.approx(estimators.holm(p_values))
    assert holm([None, p_values[0], None]) == [None, p_values[0], None]
