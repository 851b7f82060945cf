from __future__ import annotations

import math

import numpy as np
import pytest
from lifelines import CoxPHFitter
from numpy.typing import NDArray
from pandas import DataFrame
from scipy.special import chdtrc

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.survival import SurvivalTable
from simulator.statistics.cox import cox, stratified_cox
from simulator.statistics.partial_likelihood import partial_likelihood
from simulator.statistics.subgroups import subgroup_fit
from tests.unit.statistics.drawn import AML, SIX_PATIENTS, by_month, followed

ARMS = ("A", "B", "C")
YOUNG = {"A": "3/4 5/2 4/3 2/9", "B": "5/2 6/3 2/2 1/5", "C": "1/2 2/3 4/5 4/12"}
OLD = {"A": "6/1 4/2 2/3 1/2", "B": "2/2 3/3 2/4 1/8", "C": "2/2 2/2 5/3 2/3"}


def drawn(seed: int, patients: int = 300) -> DataFrame:
    """Three arms and three levels; the second arm does well in the last level only."""
    random = np.random.default_rng(seed)
    arm, level = random.integers(0, 3, patients), random.integers(0, 3, patients)
    hazard = np.array([1.0, 1.2, 0.8])[arm] * np.where((arm == 1) & (level == 2), 0.5, 1.0)
    death = np.ceil(random.exponential(400 / hazard))
    end = random.integers(60, 900, patients)
    return DataFrame(
        {"arm": arm, "level": level, "time": np.minimum(death, end), "event": death <= end}
    )


def table_of(rows: DataFrame, unit: Unit) -> SurvivalTable:
    return SurvivalTable.from_rows(
        ARMS,
        Grid(unit, 36),
        arm=rows["arm"].to_numpy().astype(np.int64),
        days=rows["time"].to_numpy().astype(np.int64),
        event=rows["event"].to_numpy(),
    )


def lifelines_fit(rows: DataFrame, unit: Unit, *, by_level: bool) -> CoxPHFitter:
    """Level as stratum; with `by_level` each level has its own coefficients."""
    cells: NDArray[np.int64] = Grid(unit, 36).cell_of(rows["time"].to_numpy().astype(np.int64)) + 1
    frame = DataFrame({"time": cells, "event": rows["event"], "level": rows["level"]})
    for arm in (1, 2):
        for level in range(3) if by_level else (None,):
            chosen = rows["arm"] == arm
            if level is not None:
                chosen &= rows["level"] == level
            frame[f"{arm} {level}"] = chosen.astype(float)
    options = {"precision": 1e-12}
    return CoxPHFitter(strata=["level"]).fit(frame, "time", "event", fit_options=options)


@pytest.mark.parametrize("unit", Unit)
@pytest.mark.parametrize("seed", range(3))
class TestAgainstLifelines:
    def test_the_model_over_strata(self, unit: Unit, seed: int) -> None:
        rows = drawn(seed)
        fit = stratified_cox([table_of(part, unit) for _, part in rows.groupby("level")])
        theirs = lifelines_fit(rows, unit, by_level=False)
        assert fit.coefficients[1:] == pytest.approx(theirs.params_.to_numpy(), abs=1e-6)
        assert fit.covariance[1:, 1:] == pytest.approx(theirs.variance_matrix_.to_numpy(), abs=1e-6)
        assert fit.log_likelihood == pytest.approx(theirs.log_likelihood_, rel=1e-9)

    def test_the_interaction(self, unit: Unit, seed: int) -> None:
        rows = drawn(seed)
        found = subgroup_fit([table_of(part, unit) for _, part in rows.groupby("level")])
        own, common = (lifelines_fit(rows, unit, by_level=value) for value in (True, False))
        statistic = 2 * (own.log_likelihood_ - common.log_likelihood_)
        assert found.interaction.statistic == pytest.approx(statistic, rel=1e-7)
        assert found.interaction.degrees_of_freedom == len(own.params_) - len(common.params_) == 4
        assert found.interaction.p == pytest.approx(chdtrc(4, statistic), rel=1e-7)
        ratios = [fit.coefficients[arm] for arm in (1, 2) for fit in found.levels]
        assert ratios == pytest.approx(own.params_.to_numpy().tolist(), abs=1e-6)


class TestStratified:
    def test_in_closed_form_the_strata_add_up(self) -> None:
        # the six patients twice are the six patients: the same ratio, twice the likelihood
        table = followed(SIX_PATIENTS)
        once, twice = stratified_cox([table]), stratified_cox([table, table])
        assert twice.coefficients == pytest.approx(once.coefficients, abs=1e-12)
        assert twice.covariance == pytest.approx(once.covariance / 2, abs=1e-12)
        assert twice.log_likelihood == pytest.approx(2 * once.log_likelihood)
        assert twice.log_likelihood_null == pytest.approx(2 * once.log_likelihood_null)

    def test_strata_are_not_one_table(self) -> None:
        young, old = by_month(YOUNG), by_month(OLD)
        apart = stratified_cox([young, old])
        together = cox(SurvivalTable(young.grid, young.table + old.table))
        assert np.max(np.abs(apart.coefficients - together.coefficients)) > 0.01

    def test_at_the_fit_the_scores_of_the_strata_add_up_to_nothing(self) -> None:
        tables = [by_month(YOUNG), by_month(OLD)]
        fit = stratified_cox(tables)
        scores = [partial_likelihood(table, fit.coefficients).score for table in tables]
        assert scores[0] + scores[1] == pytest.approx(np.zeros(3), abs=1e-12)
        assert abs(scores[0]).max() > 0.1

    def test_an_empty_stratum_changes_nothing(self) -> None:
        tables = [by_month(YOUNG), by_month(OLD)]
        more = [*tables, by_month(dict.fromkeys("ABC", "0/0 0/0"))]
        one, other = stratified_cox(tables), stratified_cox(more)
        assert one.coefficients.tolist() == other.coefficients.tolist()
        assert one.log_likelihood == other.log_likelihood

    def test_what_one_stratum_does_not_bound_another_does(self) -> None:
        up, down = followed({"A": "9 10", "B": "1 2"}), followed({"A": "1 2", "B": "9 10"})
        assert cox(up).contrast("B", "A").estimate is None
        assert stratified_cox([up, down]).contrast("B", "A").estimate == pytest.approx(1.0)

    @pytest.mark.parametrize("tables", [[], [followed(AML), followed(SIX_PATIENTS)]])
    def test_strata_of_other_arms(self, tables: list[SurvivalTable]) -> None:
        with pytest.raises(ValueError, match="strata with the same arms in the same order"):
            stratified_cox(tables)


class TestInteraction:
    def test_levels_that_are_alike_do_not_interact(self) -> None:
        table = by_month(YOUNG)
        found = subgroup_fit([table, table])
        assert found.interaction.statistic == pytest.approx(0, abs=1e-12)
        assert found.interaction.degrees_of_freedom == 2
        assert found.interaction.p == pytest.approx(1)

    def test_one_level_has_nothing_to_differ_from(self) -> None:
        found = subgroup_fit([by_month(YOUNG)])
        assert (found.interaction.degrees_of_freedom, found.interaction.p) == (0, 1.0)

    def test_an_arm_that_a_level_lacks_takes_no_degree_of_freedom(self) -> None:
        found = subgroup_fit([by_month(YOUNG), by_month(OLD | {"C": "0/0 0/0 0/0 0/0"})])
        assert found.interaction.degrees_of_freedom == 1
        assert found.levels[1].contrast("C", "A").estimate is None
        assert found.levels[0].contrast("C", "A").estimate is not None

    def test_the_reference_is_that_of_every_model(self) -> None:
        found = subgroup_fit([by_month(YOUNG), by_month(OLD)], reference="B")
        assert {fit.reference for fit in (*found.levels, found.common)} == {"B"}
        other = subgroup_fit([by_month(YOUNG), by_month(OLD)])
        assert found.interaction.statistic == pytest.approx(other.interaction.statistic, rel=1e-9)


@pytest.mark.laws
def test_where_nothing_interacts_p_is_small_as_often_as_it_says() -> None:
    """1,000 trials of 400 patients, two arms, two levels with other hazards; about 3 errors."""
    random, rejected, trials = np.random.default_rng(418), 0, 1000
    for _ in range(trials):
        arm, level = random.integers(0, 2, 400), random.integers(0, 2, 400)
        death = np.ceil(random.exponential(400 / (1.0 + 0.4 * arm) / (1.0 + level)))
        end = random.integers(60, 900, 400)
        rows = DataFrame({"arm": arm, "time": np.minimum(death, end), "event": death <= end})
        tables = [table_of(rows[level == one], Unit.MONTH).select(("A", "B")) for one in (0, 1)]
        rejected += subgroup_fit(tables).interaction.p < 0.05
    assert abs(rejected / trials - 0.05) < 3 * math.sqrt(0.05 * 0.95 / trials)
