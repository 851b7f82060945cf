from __future__ import annotations

import numpy as np
import pytest

from simulator.statistics.log_rank import log_rank
from simulator.statistics.noisy_cells import Expectation
from simulator.statistics.noisy_log_rank import (
    expected_if_alike,
    log_rank_statistics,
    noisy_log_rank,
    score_statistics,
    under_the_null,
)
from tests.unit.statistics.drawn import AML, followed
from tests.unit.statistics.noises import (
    ALIKE,
    NO_NOISE,
    REPORTED,
    DiscreteLaplace,
    as_table,
    cohorts,
)

ONE = DiscreteLaplace(1.0)


class TestWithoutNoise:
    def test_it_is_the_ordinary_test(self) -> None:
        table = as_table(cohorts(np.random.default_rng(1), 1)[0])
        found = noisy_log_rank(table, NO_NOISE, rng=np.random.default_rng(2))
        exact = log_rank(table)
        assert (found.statistic, found.degrees_of_freedom, found.p, found.naive_p) == (
            exact.statistic,
            3,
            exact.p,
            exact.p,
        )
        assert found.replicates == 0

    def test_many_statistics_at_once_are_those_of_each(self) -> None:
        tables = cohorts(np.random.default_rng(3), 20, months=60)
        found = log_rank_statistics(tables.astype(np.float64))
        each = [log_rank(as_table(table)).statistic for table in tables]
        assert found == pytest.approx(each, rel=1e-11)

    def test_an_arm_without_patients_takes_no_part(self) -> None:
        values = cohorts(np.random.default_rng(4), 1)[0]
        values[0] = 0
        found = log_rank_statistics(values[None].astype(np.float64))
        assert found[0] == pytest.approx(log_rank(as_table(values)).statistic, rel=1e-11)

    def test_what_is_expected_of_exact_cells_is_what_they_show(self) -> None:
        values = followed(AML, months=6).table.values
        found = score_statistics(values[None], Expectation(NO_NOISE), 6)
        assert found[0] == pytest.approx(3.396389, abs=1e-6)  # R survival, tests/doaml


class TestTheNull:
    def test_arms_are_as_large_as_believed_and_alike(self) -> None:
        truth = cohorts(np.random.default_rng(5), 1, survival=(0.9, 0.5, 0.3, 0.1))[0]
        null = under_the_null(truth.astype(np.float64), 400, np.random.default_rng(6))
        assert (null.sum(axis=(2, 3)) == truth.sum(axis=(1, 2))).all()
        deaths = null[..., 0].sum(axis=2).mean(axis=0) / truth.sum(axis=(1, 2))
        assert deaths == pytest.approx(np.full(4, truth[..., 0].sum() / truth.sum()), abs=0.02)

    def test_each_arm_is_followed_as_it_was_but_dies_as_all_do(self) -> None:
        """One arm is followed for a short time; the hazard is one, and so is the truth's."""
        options = {"sizes": (3000, 3000), "survival": (0.5, 0.5)}
        apart = ((20, 300), (900, 1090))
        truth = cohorts(np.random.default_rng(21), 1, censoring=apart, **options)[0]  # type: ignore[arg-type]
        null = under_the_null(truth.astype(np.float64), 50, np.random.default_rng(22))
        found, held = null.sum(axis=2).mean(axis=0), truth.sum(axis=1)
        assert found == pytest.approx(held, rel=0.06)
        assert held[0, 0] < held[1, 0] / 2


class TestExpected:
    def test_of_alike_arms_it_is_each_share_of_the_pooled_cells(self) -> None:
        """Without smoothing, arms that are multiples of one another are expected as they are."""
        one = cohorts(np.random.default_rng(24), 1, sizes=(400,), survival=(0.4,))[0]
        found = np.concatenate([one, 3 * one])[None].astype(np.float64)
        expected = expected_if_alike(found, 0)
        assert expected[0, 1] == pytest.approx(3 * expected[0, 0], rel=0.05)
        assert expected[0].sum(axis=0) == pytest.approx(found[0].sum(axis=0), rel=0.05, abs=0.02)

    def test_nobody_is_lost_and_who_is_followed_shorter_dies_less_often(self) -> None:
        sizes, apart = (3000, 3000), ((20, 500), (900, 1090))
        truth = cohorts(
            np.random.default_rng(25), 1, sizes=sizes, survival=(0.5, 0.5), censoring=apart
        )
        expected = expected_if_alike(truth.astype(np.float64), 6)[0]
        assert expected.sum(axis=(1, 2)) == pytest.approx(np.array(sizes), rel=1e-9)
        died, held = expected[..., 0].sum(axis=1), truth[0, ..., 0].sum(axis=1)
        assert died == pytest.approx(held, rel=0.2)


class TestWithNoise:
    rng = np.random.default_rng(7)
    truth = cohorts(rng, 1)[0]
    shown = truth + ONE.sample(truth.shape, rng)

    def test_the_order_of_the_arms_does_not_matter(self) -> None:
        turned = self.shown[[2, 0, 3, 1]]
        one, other = score_statistics(np.stack([self.shown, turned]), Expectation(ONE), 6)
        assert one == pytest.approx(other, rel=1e-9)

    def test_p_is_a_share_of_the_tables_with_this_one_among_them(self) -> None:
        found = noisy_log_rank(as_table(self.shown), ONE, replicates=49, rng=self.rng)
        assert found.p * 50 == pytest.approx(round(found.p * 50))
        assert 1 / 50 <= found.p <= 1.0
        assert found.replicates == 49

    def test_the_same_source_of_chance_gives_the_same(self) -> None:
        table = as_table(self.shown)
        one, other = (
            noisy_log_rank(table, ONE, replicates=49, rng=np.random.default_rng(8))
            for _ in range(2)
        )
        assert one == other

    @pytest.mark.parametrize("fill", [-1, 0])
    def test_a_table_of_nobody_is_no_evidence(self, fill: int) -> None:
        empty = as_table(np.full((3, 12, 2), fill))
        found = noisy_log_rank(empty, ONE, replicates=19, rng=np.random.default_rng(9))
        assert found.p == 1.0

    def test_no_replicates_are_refused(self) -> None:
        with pytest.raises(ValueError, match="at least 1 replicate"):
            noisy_log_rank(as_table(self.shown), ONE, replicates=0, rng=self.rng)


def rejected(survival: tuple[float, ...], seed: int, runs: int) -> tuple[float, float]:
    """The shares of cohorts in which the test and the naive test reject at 5 %."""
    rng = np.random.default_rng(seed)
    truth = cohorts(rng, runs, survival=survival)
    tests = [
        noisy_log_rank(as_table(shown), ONE, replicates=99, rng=rng)
        for shown in truth + ONE.sample(truth.shape, rng)
    ]
    shares = [
        float(np.mean([p <= 0.05 for p in each]))
        for each in ([test.p for test in tests], [test.naive_p for test in tests])
    ]
    return shares[0], shares[1]


def test_a_true_hypothesis_is_seldom_rejected_but_often_by_the_naive_test() -> None:
    """A small version of the law, on fixed seeds."""
    found, naive = rejected(ALIKE, seed=10, runs=150)
    assert 0.01 <= found <= 0.09
    assert naive > 0.13


def test_a_false_one_is_rejected_as_often_as_noise_allows() -> None:
    weak, _ = rejected(REPORTED, seed=11, runs=60)
    strong, _ = rejected((0.65, 0.50, 0.40, 0.30), seed=12, runs=60)
    assert strong > 0.65
    assert weak < strong
