from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from simulator.aggregates.grid import Unit
from simulator.aggregates.survival import SurvivalTable
from simulator.statistics.fixed_point import survival_difference
from simulator.statistics.kaplan_meier import Curve, at_risk_at, kaplan_meier, survival_at
from simulator.statistics.noisy_cells import cleaned
from simulator.statistics.noisy_survival import noisy_kaplan_meier
from simulator.statistics.quantiles import median
from simulator.statistics.restricted_mean import restricted_mean
from tests.unit.statistics.drawn import AML, followed
from tests.unit.statistics.noises import NO_NOISE, REPORTED, DiscreteLaplace, as_table, cohorts

ONE = DiscreteLaplace(1.0)


def with_noise(seed: int, **options: int) -> SurvivalTable:
    rng = np.random.default_rng(seed)
    truth = cohorts(rng, 1, **options)[0]  # type: ignore[arg-type]
    return as_table(truth + ONE.sample(truth.shape, rng))


def curve_of(table: SurvivalTable, arm: str | None = "arm 0", seed: int = 0) -> Curve:
    rng = np.random.default_rng(seed)
    return noisy_kaplan_meier(table, arm, ONE, replicates=60, rng=rng)


class TestWithoutNoise:
    @pytest.mark.parametrize("arm", ["arm 1", None])
    @pytest.mark.parametrize("unit", [Unit.MONTH, Unit.QUARTER])
    def test_it_is_the_exact_curve(self, unit: Unit, arm: str | None) -> None:
        truth = cohorts(np.random.default_rng(1), 1, width=unit.width_months)[0]
        self.compare(as_table(truth, unit), arm)

    def test_by_day(self) -> None:
        self.compare(followed(AML, months=6), "Maintained")

    def compare(self, table: SurvivalTable, arm: str | None) -> None:
        rng = np.random.default_rng(2)
        found = noisy_kaplan_meier(table, arm, NO_NOISE, level=0.9, replicates=5, rng=rng)
        exact = kaplan_meier(table, arm, level=0.9)
        for field in fields(Curve):
            one, other = getattr(found, field.name), getattr(exact, field.name)
            if isinstance(one, np.ndarray):
                np.testing.assert_allclose(one, other, rtol=1e-13, atol=0)
            else:
                assert one == other


class TestWithNoise:
    table = with_noise(3, months=60)

    def test_it_is_a_curve(self) -> None:
        curve = curve_of(self.table)
        assert (np.diff(curve.survival) <= 0.0).all()
        assert ((curve.survival >= 0.0) & (curve.survival <= 1.0)).all()
        assert (np.diff(curve.greenwood) >= 0.0).all()
        inside = curve.survival < 1.0
        assert (curve.lower[inside] < curve.survival[inside]).all()
        assert (curve.upper[inside] > curve.survival[inside]).all()

    def test_its_bands_are_wider_than_those_that_do_not_know_the_noise(self) -> None:
        curve = curve_of(self.table)
        naive = kaplan_meier(cleaned(self.table, ONE), "arm 0")
        assert curve.upper[35] - curve.lower[35] > 1.15 * (naive.upper[35] - naive.lower[35])

    def test_what_is_read_off_a_curve_is_read_off_it(self) -> None:
        curve, other = curve_of(self.table), curve_of(self.table, "arm 3", seed=1)
        landmark, middle = survival_at(curve, 36), median(curve)
        assert landmark.lower is not None
        assert landmark.upper is not None
        assert landmark.lower < REPORTED[0] < landmark.upper
        assert middle.lower is not None
        assert middle.lower < 38.2
        mean = restricted_mean(curve, 36)
        assert mean.lower is not None
        assert mean.upper is not None
        assert mean.lower < 26.7 < mean.upper
        found = survival_difference(curve, other, 36)
        assert found.lower is not None
        assert found.upper is not None
        assert found.lower < REPORTED[0] - REPORTED[3] < found.upper

    def test_numbers_at_risk_are_whole_estimates(self) -> None:
        curve = curve_of(self.table)
        assert curve.at_risk.dtype == np.int64
        assert at_risk_at(curve, 0) == pytest.approx(105, abs=40)
        assert at_risk_at(curve, 36) < at_risk_at(curve, 0)

    def test_other_arms_do_not_matter(self) -> None:
        alone = curve_of(self.table.select(("arm 0",)))
        np.testing.assert_array_equal(curve_of(self.table).upper, alone.upper)

    def test_all_arms_together_are_known_better(self) -> None:
        both, one = curve_of(self.table, None), curve_of(self.table)
        assert both.upper[35] - both.lower[35] < 0.7 * (one.upper[35] - one.lower[35])

    def test_the_same_source_of_chance_gives_the_same(self) -> None:
        np.testing.assert_array_equal(curve_of(self.table).lower, curve_of(self.table).lower)

    def test_much_noise_leaves_a_band_of_nothing_known(self) -> None:
        rng, much = np.random.default_rng(6), DiscreteLaplace(6.0)
        truth = cohorts(rng, 20, sizes=(42,), survival=(0.5,), months=60)
        for shown in truth + much.sample(truth.shape, rng):
            curve = noisy_kaplan_meier(as_table(shown), None, much, replicates=20, rng=rng)
            assert np.isfinite(curve.greenwood).all()
            assert (np.diff(curve.greenwood) >= 0.0).all()
            assert (curve.lower[curve.survival == 1.0] == 1.0).all()
            inside = (curve.survival > 0.0) & (curve.survival < 1.0)
            assert (curve.lower[inside] <= curve.survival[inside]).all()
            assert (curve.upper[inside] >= curve.survival[inside]).all()

    def test_an_arm_of_nobody_has_a_curve_of_which_nothing_is_known(self) -> None:
        curve = curve_of(as_table(np.full((1, 12, 2), -1)))
        assert survival_at(curve, 6).estimate is None
        assert not curve.at_risk.any()

    def test_an_arm_of_few_is_not_drawn_too_high(self) -> None:
        """60 patients over 103 months: cleaning finds some who are not there, and they live."""
        rng, noise = np.random.default_rng(8), DiscreteLaplace(1 / 1.5)
        truth = cohorts(rng, 40, sizes=(60,), survival=(0.45,), months=103)
        off = []
        for shown in truth + noise.sample(truth.shape, rng):
            table = as_table(shown)
            curve = noisy_kaplan_meier(table, "arm 0", noise, replicates=40, rng=rng)
            before = kaplan_meier(cleaned(table, noise), "arm 0")
            off.append([curve.survival[35] - 0.45, before.survival[35] - 0.45])
        ours_off, before_off = np.mean(off, axis=0)
        assert before_off > 0.05
        assert abs(ours_off) < before_off / 2


class TestRefused:
    table = with_noise(4)

    def test_an_arm_that_is_not_there(self) -> None:
        with pytest.raises(ValueError, match="got 'none'"):
            curve_of(self.table, "none")

    def test_no_replicates(self) -> None:
        rng = np.random.default_rng(1)
        with pytest.raises(ValueError, match="at least 1 replicate"):
            noisy_kaplan_meier(self.table, None, ONE, replicates=0, rng=rng)

    def test_a_level_that_is_none(self) -> None:
        rng = np.random.default_rng(1)
        with pytest.raises(ValueError, match="level"):
            noisy_kaplan_meier(self.table, None, ONE, level=95, replicates=1, rng=rng)


def test_intervals_hold_what_they_say() -> None:
    """A small version of the law, on fixed seeds: 60 cohorts, 4 arms."""
    rng = np.random.default_rng(5)
    truth = cohorts(rng, 60)
    hits = naive_hits = 0
    for shown in truth + ONE.sample(truth.shape, rng):
        table = as_table(shown)
        for arm, survival in zip(table.arms, REPORTED, strict=True):
            curve = noisy_kaplan_meier(table, arm, ONE, replicates=50, rng=rng)
            hits += bool(curve.lower[35] <= survival <= curve.upper[35])
            naive = kaplan_meier(cleaned(table, ONE), arm)
            naive_hits += bool(naive.lower[35] <= survival <= naive.upper[35])
    assert 0.91 <= hits / 240 <= 0.985
    assert naive_hits / 240 < 0.91
