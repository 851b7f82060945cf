"""Comparisons in coarser units of time than a release asks for."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.survival import SurvivalTable
from simulator.hub.analyses.comparison import Comparison, comparison, grid_of
from simulator.hub.analyses.released import ReleasedTables
from simulator.hub.analyses.subgroups import subgroups
from simulator.hub.of_study import estimators
from simulator.language.criteria import AgeCriterion
from simulator.language.study import Arm, Study, Subgroup
from simulator.language.windows import AgeRange
from simulator.messages.needs import SurvivalNeed
from simulator.privacy.releases import EXACT, PLATFORM, SECURE_SUM, Release
from tests.unit.hub.wires import study

RNG = np.random.default_rng(5)
ARM, DAYS, EVENT = RNG.integers(0, 2, 300), RNG.integers(0, 365, 300), RNG.random(300) < 0.5


def table(unit: Unit) -> SurvivalTable:
    arms = tuple(arm.name for arm in study().question.arms)
    return SurvivalTable.from_rows(arms, Grid(unit, 12), arm=ARM, days=DAYS, event=EVENT)


def with_subgroup() -> Study:
    levels = tuple(
        Arm(str(age.at_least), AgeCriterion(age)) for age in (AgeRange(18, 49), AgeRange(50, None))
    )
    question = replace(study().question, subgroups=(Subgroup("age", levels),))
    return replace(study(), question=question)


def compared(release: Release, unit: Unit | None = None) -> Comparison:
    analysis = comparison(study(), release, unit)
    (need,) = next(analysis)
    assert isinstance(need, SurvivalNeed)
    released: ReleasedTables = {need: table(need.grid.unit)}
    with pytest.raises(StopIteration) as stop:
        analysis.send(released)
    found: Comparison = stop.value.value
    return found


@pytest.mark.parametrize("release", [EXACT, SECURE_SUM, PLATFORM])
@pytest.mark.parametrize("unit", [Unit.QUARTER, Unit.YEAR])
def test_a_coarser_unit_is_that_of_every_table_and_of_what_is_said(
    release: Release, unit: Unit
) -> None:
    found = compared(release, unit)
    assert found.unit is unit
    assert estimators(found.unit).startswith(f"by {unit}: ")
    (by_level,) = next(subgroups(with_subgroup(), release, unit))
    assert isinstance(by_level, SurvivalNeed)
    assert by_level.grid == Grid(unit, 12)


def test_every_unit_finds_much_the_same() -> None:
    by_day, by_month, by_quarter = (
        compared(EXACT, unit).arms for unit in (Unit.DAY, Unit.MONTH, Unit.QUARTER)
    )
    for day, month, quarter in zip(by_day, by_month, by_quarter, strict=True):
        assert day.patients == month.patients == quarter.patients
        assert [mark.months for mark in quarter.curve] == list(range(1, 13))
        median = day.median_months.estimate
        assert median is not None
        assert month.median_months.estimate == pytest.approx(median, abs=0.5)
        assert quarter.median_months.estimate == pytest.approx(median, abs=1.0)


def test_a_unit_is_never_finer_than_the_releases_own() -> None:
    with pytest.raises(ValueError, match="'secure-sum' lets survival out by month at the finest"):
        grid_of(study(), SECURE_SUM, Unit.DAY)
    assert compared(SECURE_SUM).unit is Unit.MONTH
    assert compared(EXACT).unit is Unit.DAY
    assert estimators(Unit.DAY).startswith("Kaplan-Meier on days")
