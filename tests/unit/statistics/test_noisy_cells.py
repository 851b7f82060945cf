from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.aggregates.grid import Unit
from simulator.statistics.noisy_cells import (
    Expectation,
    believed,
    cleaned,
    drawn_again,
    neighbours_of,
    rounded,
    smoothed,
    upwards,
)
from tests.unit.statistics.noises import NO_NOISE, DiscreteLaplace, as_table, cohorts

ONE = DiscreteLaplace(1.0)


def cells(events: list[float], censored: list[float]) -> NDArray[np.float64]:
    return np.stack([events, censored], axis=-1).astype(np.float64)


class TestExpectation:
    @pytest.mark.parametrize("scale", [1 / 3, 1.0, 3.0])
    @pytest.mark.parametrize("rate", [0.5, 2.0, 9.0])
    def test_is_the_mean_of_what_such_cells_held(self, scale: float, rate: float) -> None:
        rng, noise = np.random.default_rng(1), DiscreteLaplace(scale)
        held = rng.poisson(rate, 400_000)
        shown = held + noise.sample(held.shape, rng)
        expectation = Expectation(noise)
        for value in (int(rate) - 1, int(rate), int(rate) + 1, int(rate) + 3):
            like = held[shown == value]
            found = expectation(np.array(float(value)), np.array(rate))
            error = like.std() / np.sqrt(like.size)
            # Between tabulated rates it is read off along a straight line: 0.2 % on top.
            assert float(found) == pytest.approx(like.mean(), abs=4 * error + 0.002 * rate + 0.002)

    def test_many_are_taken_as_shown_but_for_a_little(self) -> None:
        found = Expectation(ONE)(np.array([500.0, -3.0]), np.array([490.0, 900.0]))
        v = ONE.variance
        assert found[0] == pytest.approx(500 - 10 * v / (490 + v))
        assert found[1] == 0.0

    def test_there_is_no_seam_where_the_table_ends(self) -> None:
        end = 40.0 + 20.0 * np.sqrt(ONE.variance)
        shown = np.arange(55.0, 80.0)
        before, after = (Expectation(ONE)(shown, np.full(25, end + step)) for step in (-0.01, 0.01))
        assert np.abs(after - before).max() < 0.1

    def test_grows_with_what_is_shown_and_with_the_rate(self) -> None:
        shown, rates = np.meshgrid(np.arange(-20.0, 60.0), np.geomspace(0.001, 60.0, 50))
        found = Expectation(ONE)(shown, rates)
        assert (found >= 0.0).all()
        # Not where so much noise is as good as impossible.
        near = np.abs(shown - rates) < 25.0
        assert (np.diff(found, axis=0)[near[1:] & near[:-1]] >= -1e-9).all()
        assert (np.diff(found, axis=1)[near[:, 1:] & near[:, :-1]] >= -1e-6).all()

    def test_where_none_are_expected_there_are_none(self) -> None:
        assert Expectation(ONE)(np.array([3.0]), np.array([0.0])) == [0.0]

    def test_without_noise_what_is_shown_is_held(self) -> None:
        shown = np.array([0.0, 3.0, 700.0])
        assert (Expectation(NO_NOISE)(shown, np.array([9.0, 0.0, 1.0])) == shown).all()


class TestUpwards:
    def test_takes_the_middle_of_the_running_sums(self) -> None:
        # running sums  2  1  4  3  6: greatest so far 2 2 4 4 6, least from there 1 1 3 3 6
        found = upwards(cells([2, -1, 3, -1, 3], [0, 0, 0, 0, 5]))
        assert np.cumsum(found[:, 0]).tolist() == [1.5, 1.5, 3.5, 3.5, 6.0]
        assert found[:, 1].tolist() == [0, 0, 0, 0, 5]

    def test_counts_stay(self) -> None:
        counts = cohorts(np.random.default_rng(2), 5).astype(np.float64)
        assert (upwards(counts) == counts).all()

    def test_no_running_sum_moves_further_than_it_must(self) -> None:
        shown = np.random.default_rng(3).integers(-3, 5, (50, 20, 2)).astype(np.float64)
        moved = np.abs(np.cumsum(upwards(shown), axis=1) - np.cumsum(shown, axis=1)).max(axis=1)
        sums = np.cumsum(shown, axis=1)
        drop = (np.maximum.accumulate(sums, axis=1) - sums).max(axis=1)
        below = np.maximum(-sums, 0.0).max(axis=1)  # counts cannot be fewer than none
        assert (moved <= np.maximum(drop / 2.0, below) + 1e-12).all()


class TestSmoothed:
    def test_is_the_mean_of_the_neighbours_there_are(self) -> None:
        found = smoothed(cells([3, 0, 6, 3], [0, 3, 3, 90]), 1)
        assert found[:, 0].tolist() == pytest.approx([1.5, 3.0, 3.0, 4.5])

    def test_those_followed_to_the_horizon_stand_alone(self) -> None:
        found = smoothed(cells([3, 0, 6, 3], [0, 3, 3, 90]), 1)
        assert found[:, 1].tolist() == pytest.approx([1.5, 2.0, 3.0, 90.0])

    def test_one_cell_has_no_neighbours(self) -> None:
        assert smoothed(cells([3], [4]), 6).tolist() == [[3, 4]]

    @pytest.mark.parametrize(("unit", "half_a_year"), [(Unit.MONTH, 6), (Unit.QUARTER, 2)])
    def test_neighbours_make_half_a_year(self, unit: Unit, half_a_year: int) -> None:
        assert neighbours_of(as_table(np.ones((1, 4, 2), dtype=np.int64), unit)) == half_a_year


class TestCleaned:
    def test_without_noise_nothing_changes(self) -> None:
        table = as_table(cohorts(np.random.default_rng(4), 1)[0])
        assert cleaned(table, NO_NOISE).table == table.table

    def test_gives_counts(self) -> None:
        rng = np.random.default_rng(5)
        truth = cohorts(rng, 1, months=60)[0]
        table = as_table(truth + ONE.sample(truth.shape, rng))
        assert (table.table.values < 0).any()
        found = cleaned(table, ONE).table.values
        assert found.dtype == np.int64
        assert (found >= 0).all()

    def test_an_arm_is_cleaned_by_itself(self) -> None:
        rng = np.random.default_rng(6)
        truth = cohorts(rng, 1)[0]
        table = as_table(truth + ONE.sample(truth.shape, rng))
        alone = table.select(("arm 2", "arm 0"))
        assert cleaned(table, ONE).select(("arm 2", "arm 0")).table == cleaned(alone, ONE).table

    @pytest.mark.parametrize("months", [36, 60])
    def test_totals_are_nearer_than_by_cutting_off_at_0(self, months: int) -> None:
        rng = np.random.default_rng(7)
        truth = cohorts(rng, 100, months=months)
        shown = truth + ONE.sample(truth.shape, rng)
        found = rounded(believed(shown, Expectation(ONE), 6, rounds=5))
        sizes = truth.sum(axis=(2, 3))
        ours, cut = (each.sum(axis=(2, 3)) - sizes for each in (found, np.maximum(shown, 0)))
        assert abs(ours.mean()) < cut.mean() / 4
        assert np.abs(ours).mean() < np.abs(cut).mean()


class TestRounded:
    def test_running_sums_are_rounded(self) -> None:
        assert rounded(cells([0.4, 0.4, 0.4], [1.6, 0.0, 0.3])).tolist() == [[0, 2], [1, 0], [0, 0]]


class TestDrawnAgain:
    def test_draws_so_many_patients_of_those_there_are(self) -> None:
        source = cohorts(np.random.default_rng(8), 1)[0]
        sizes = np.array([10, 0, 7, 200])
        drawn = drawn_again(source, sizes, 30, np.random.default_rng(9))
        assert (drawn.sum(axis=(2, 3)) == sizes).all()
        assert (drawn[:, source == 0] == 0).all()

    def test_as_often_as_they_are_there(self) -> None:
        source = np.array([[[3, 0], [1, 6]]])
        drawn = drawn_again(source, np.array([100]), 2000, np.random.default_rng(10))
        assert drawn.mean(axis=0)[0] == pytest.approx(10.0 * source[0], abs=0.5)

    def test_from_nobody_nobody_is_drawn(self) -> None:
        nobody = np.zeros((1, 3, 2), dtype=np.int64)
        assert not drawn_again(nobody, np.array([5]), 4, np.random.default_rng(11)).any()
