from __future__ import annotations

import math

import numpy as np
import pytest

from simulator.aggregates.grid import Unit
from simulator.aggregates.survival import SurvivalTable, survival_layout
from simulator.aggregates.table import Table
from simulator.statistics.log_rank import LogRank, Weights, log_rank, stratified_log_rank
from tests.unit.statistics.drawn import AML, by_month, followed

TWO = {"A": "2 3 5+ 6", "B": "3 4 6+ 7"}
# day      2     3     4     6     7
# D / N   1/8   2/7   1/5   1/3   1/1
# A / n_A 1/4   1/3   0/2   1/1   0/0


class TestByHand:
    test = log_rank(followed(TWO))
    cells = ((1, 8, 4), (2, 7, 3), (1, 5, 1 + 1), (1, 3, 1), (1, 1, 0))

    def test_observed_and_expected(self) -> None:
        expected = sum(d * n_a / n for d, n, n_a in self.cells)
        assert self.test.observed == (3.0, 3.0)
        assert self.test.expected == pytest.approx((expected, 6 - expected), abs=1e-15)

    def test_the_variance_is_hypergeometric(self) -> None:
        expected = sum(d * n_a / n for d, n, n_a in self.cells)
        variance = sum(
            d * (n - d) / (n - 1) * (n_a / n) * (1 - n_a / n) for d, n, n_a in self.cells if n > 1
        )
        assert self.test.statistic == pytest.approx((3 - expected) ** 2 / variance, rel=1e-14)
        assert self.test.degrees_of_freedom == 1

    @pytest.mark.parametrize(
        ("weights", "weight"),
        [
            ("log-rank", [1, 1, 1, 1, 1]),
            ("wilcoxon", [8, 7, 5, 3, 1]),
            ("tarone-ware", [math.sqrt(n) for n in (8, 7, 5, 3, 1)]),
            ("peto", np.cumprod([8 / 9, 6 / 8, 5 / 6, 3 / 4, 1 / 2]).tolist()),
        ],
    )
    def test_a_weight_multiplies_the_score_and_its_square_the_variance(
        self, weights: Weights, weight: list[float]
    ) -> None:
        rows = list(zip(weight, self.cells, (1, 1, 0, 1, 0), strict=True))
        observed = sum(w * d_a for w, _, d_a in rows)
        expected = sum(w * d * n_a / n for w, (d, n, n_a), _ in rows)
        variance = sum(
            w**2 * d * (n - d) / (n - 1) * (n_a / n) * (1 - n_a / n)
            for w, (d, n, n_a), _ in rows
            if n > 1
        )
        test = log_rank(followed(TWO), weights=weights)
        assert (test.observed[0], test.expected[0]) == pytest.approx((observed, expected))
        assert test.statistic == pytest.approx((observed - expected) ** 2 / variance, rel=1e-13)


def test_by_month_the_risk_set_is_the_whole_one() -> None:
    # month                     1   2   3           1   2   3
    table = by_month({"A": "   2/3 1/2 0/2", "B": " 1/0 3/4 1/1"})
    # at risk                   10  5   2           10  9   2
    expected = 3 * 10 / 20 + 4 * 5 / 14 + 1 * 2 / 4
    assert log_rank(table).expected[0] == pytest.approx(expected, abs=1e-15)


class TestWhatCannotBeCompared:
    def test_an_arm_gone_before_the_first_event_changes_nothing(self) -> None:
        # R survival, tests/difftest.R: a dummy third group of early censorings
        with_dummy = log_rank(followed(AML | {"Dummy": "1+ 2+ 2+ 4+"}))
        without = log_rank(followed(AML))
        assert with_dummy.statistic == pytest.approx(without.statistic, rel=1e-14)
        assert (with_dummy.degrees_of_freedom, with_dummy.p) == (1, without.p)
        assert (with_dummy.observed[2], with_dummy.expected[2]) == (0.0, 0.0)

    def test_an_arm_without_patients_changes_nothing(self) -> None:
        with_dummy = log_rank(followed({"Nobody": ""} | AML))
        assert with_dummy.statistic == pytest.approx(log_rank(followed(AML)).statistic, rel=1e-14)
        assert with_dummy.degrees_of_freedom == 1

    @pytest.mark.parametrize(
        "arms",
        [{"A": "1 5+"}, {"A": "1+ 5+", "B": "3+"}, {"A": "9 9", "B": "9"}, {"A": "", "B": ""}],
    )
    def test_nothing_to_compare_is_no_degree_of_freedom(self, arms: dict[str, str]) -> None:
        test = log_rank(followed(arms))
        assert (test.statistic, test.degrees_of_freedom, test.p) == (0.0, 0, 1.0)
        assert test.observed == test.expected


class TestStrata:
    def test_one_stratum_is_no_stratum(self) -> None:
        assert stratified_log_rank([followed(AML)]) == log_rank(followed(AML))

    def test_two_equal_strata_double_the_statistic(self) -> None:
        twice, once = stratified_log_rank([followed(AML)] * 2), log_rank(followed(AML))
        assert twice.statistic == pytest.approx(2 * once.statistic, rel=1e-14)
        assert twice.observed == tuple(2 * value for value in once.observed)

    def test_arms_are_compared_within_their_stratum_only(self) -> None:
        # in each stratum both arms die alike, but one stratum lives longer and has more of A
        strata = [
            followed({"A": "10 20 10 20 10 20", "B": "10 20"}),
            followed({"A": "1 2", "B": "1 2 1 2 1 2"}),
        ]
        assert stratified_log_rank(strata).statistic == pytest.approx(0.0, abs=1e-25)
        assert log_rank(strata[0]).degrees_of_freedom == 1
        together = log_rank(followed({"A": "10 20 10 20 10 20 1 2", "B": "10 20 1 2 1 2 1 2"}))
        assert together.p < 0.1

    def test_strata_may_be_on_different_grids(self) -> None:
        days, bins = followed(AML), followed(AML, unit=Unit.MONTH, months=12)
        assert stratified_log_rank([days, bins]).observed == (14.0, 22.0)

    @pytest.mark.parametrize(
        "strata", [[], [followed({"A": "1", "B": "2"}), followed({"B": "1", "A": "2"})]]
    )
    def test_strata_with_other_arms_are_refused(self, strata: list[SurvivalTable]) -> None:
        with pytest.raises(ValueError, match="strata with the same arms in the same order"):
            stratified_log_rank(strata)


def test_a_negative_count_is_refused() -> None:
    table = followed(AML)
    values = table.table.values.copy()
    values[0, 0, 0] = -1
    broken = SurvivalTable(table.grid, Table(survival_layout(table.arms, table.grid), values))
    with pytest.raises(ValueError, match="counts of 0 and above were expected"):
        log_rank(broken)


def test_the_order_of_the_arms_does_not_matter() -> None:
    forwards = log_rank(followed(TWO | {"C": "1 9+"}))
    backwards = log_rank(followed({"C": "1 9+"} | TWO))
    assert forwards.statistic == pytest.approx(backwards.statistic, rel=1e-14)
    assert sorted(forwards.expected) == pytest.approx(sorted(backwards.expected), rel=1e-14)


def test_a_result_is_a_plain_value() -> None:
    found = log_rank(followed({"A": "1", "B": "2"}))
    # day 1: D = 1, N = 2, so E = 1/2 and V = 1/4; day 2 has one patient and adds E = 1 to B
    assert found == LogRank(
        statistic=1.0, degrees_of_freedom=1, p=found.p, observed=(1.0, 1.0), expected=(0.5, 1.5)
    )
    assert found.p == pytest.approx(math.erfc(math.sqrt(0.5)))
