from __future__ import annotations

import math

import numpy as np
import pytest

from simulator.aggregates.grid import DAYS_PER_MONTH, Grid, Unit
from simulator.aggregates.survival import SurvivalTable, survival_layout
from simulator.aggregates.table import Table
from simulator.statistics.estimates import Estimate, normal_quantile
from simulator.statistics.kaplan_meier import (
    Curve,
    at_risk_at,
    kaplan_meier,
    reverse_kaplan_meier,
    survival_at,
)
from simulator.statistics.quantiles import median
from tests.unit.statistics.drawn import by_month, followed

# month            1   2   3   4
DRAWN = {"A": "    2/0 1/2 0/2 1/2"}
# at risk         10   8   5   3
S = (8 / 10, 8 / 10 * (1 - 1 / (8 - 1)), 8 / 10 * 6 / 7, 8 / 10 * 6 / 7 * (1 - 1 / 3))


def nothing(estimate: Estimate) -> bool:
    return estimate == Estimate(None, None, None)


def close(one: Estimate, other: Estimate) -> bool:
    """Equal to rounding, and absent in the same places."""
    pairs = zip(
        (one.estimate, one.lower, one.upper),
        (other.estimate, other.lower, other.upper),
        strict=True,
    )
    return all(
        a is b if a is None or b is None else math.isclose(a, b, rel_tol=1e-12) for a, b in pairs
    )


def day(number: float) -> float:
    """A day in months."""
    return number / DAYS_PER_MONTH


class TestByDay:
    """Six patients: days 2, 3 and 3+, 5+, 7, 8+."""

    curve = kaplan_meier(followed({"A": "2 3 3+ 5+ 7 8+"}, months=1), "A")

    def test_a_death_precedes_a_censoring_of_the_same_day(self) -> None:
        steps = {0: 1.0, 1: 1.0, 2: 5 / 6, 3: 5 / 6 * 4 / 5, 6: 5 / 6 * 4 / 5}
        steps |= {7: 5 / 6 * 4 / 5 * 1 / 2, 30: 5 / 6 * 4 / 5 * 1 / 2}
        assert {d: self.curve.survival[d] for d in steps} == pytest.approx(steps, abs=1e-15)

    def test_greenwood_adds_d_over_n_times_n_less_d(self) -> None:
        assert self.curve.greenwood[7] == pytest.approx(
            1 / (6 * 5) + 1 / (5 * 4) + 1 / (2 * 1), abs=1e-15
        )

    def test_numbers_at_risk_are_those_before_the_day(self) -> None:
        assert self.curve.at_risk[[0, 2, 3, 4, 5, 7, 8, 9]].tolist() == [6, 6, 5, 3, 3, 2, 1, 0]

    def test_days_are_the_days_themselves(self) -> None:
        assert self.curve.days[[0, 7, 30]].tolist() == [0.0, 7.0, 30.0]

    def test_the_bands_are_symmetric_on_the_log_log_scale(self) -> None:
        greenwood = 1 / (6 * 5)
        reach = 1.959963984540054 * math.sqrt(greenwood) / math.log(5 / 6)
        assert self.curve.lower[2] == pytest.approx(
            math.exp(-math.exp(math.log(-math.log(5 / 6)) - reach)), abs=1e-15
        )
        assert self.curve.upper[2] == pytest.approx(
            math.exp(-math.exp(math.log(-math.log(5 / 6)) + reach)), abs=1e-15
        )

    def test_before_the_first_death_the_bands_are_at_1(self) -> None:
        assert (self.curve.lower[1], self.curve.upper[1]) == (1.0, 1.0)

    def test_a_wider_level_makes_wider_bands(self) -> None:
        wide = kaplan_meier(followed({"A": "2 3 3+ 5+ 7 8+"}, months=1), level=0.99)
        assert wide.lower[2] < self.curve.lower[2] < self.curve.upper[2] < wide.upper[2]

    def test_a_landmark_reads_the_last_whole_day(self) -> None:
        assert survival_at(self.curve, day(2.9)).estimate == pytest.approx(5 / 6, abs=1e-15)
        assert survival_at(self.curve, day(3)).estimate == pytest.approx(4 / 6, abs=1e-15)

    @pytest.mark.parametrize("number", [123, 125])
    def test_a_day_turned_into_months_is_still_that_day(self, number: int) -> None:
        # 123 / 30.4375 * 30.4375 is a little over 123, and 125 comes out a little under
        assert day(number) * DAYS_PER_MONTH != number
        curve = kaplan_meier(followed({"A": f"{number} {number}+ 200"}))
        assert survival_at(curve, day(number)).estimate == pytest.approx(2 / 3)
        assert at_risk_at(curve, day(number)) == 3

    def test_a_landmark_brings_its_bands(self) -> None:
        assert survival_at(self.curve, day(3)) == Estimate(
            float(self.curve.survival[3]), float(self.curve.lower[3]), float(self.curve.upper[3])
        )

    def test_nobody_followed_that_long_means_no_number(self) -> None:
        assert survival_at(self.curve, day(8)).estimate == pytest.approx(1 / 3, abs=1e-15)
        assert nothing(survival_at(self.curve, day(8.5)))

    def test_at_risk_at_a_moment_are_those_whose_day_is_not_before_it(self) -> None:
        moments = [0, 2, 2.5, 3, 3.5, 7, 8, 8.5, 30]
        assert [at_risk_at(self.curve, day(d)) for d in moments] == [6, 6, 5, 5, 3, 2, 1, 0, 0]

    def test_the_median_is_the_first_day_at_or_under_half(self) -> None:
        assert median(self.curve).estimate == pytest.approx(day(7))

    def test_the_median_is_the_first_day_of_a_stretch_at_exactly_half(self) -> None:
        # 12 of 24 died by day 12: 23/24 * 22/23 * .. * 12/13, which is 0.5000000000000001 here
        deaths = " ".join(str(d) for d in range(1, 13))
        curve = kaplan_meier(followed({"A": deaths + " 30" + " 40+" * 11}))
        assert curve.survival[12] > 0.5
        assert median(curve).estimate == pytest.approx(day(12))

    def test_a_median_that_is_not_reached_is_none(self) -> None:
        found = median(kaplan_meier(followed({"A": "1 9+ 9+ 9+ 9+ 9+ 9+ 9+ 9+ 9+"})))
        assert found == Estimate(None, day(1), None)  # the lower band is at 0.47 from day 1

    def test_where_all_died_there_is_no_upper_end(self) -> None:
        curve = kaplan_meier(followed({"A": "2 3"}, months=1))
        assert survival_at(curve, day(3)) == Estimate(0.0, 0.0, None)
        assert survival_at(curve, 1.0) == Estimate(0.0, 0.0, None)
        assert np.isnan(curve.upper[3])
        assert median(curve).upper is None

    def test_an_arm_without_patients_has_no_numbers(self) -> None:
        curve = kaplan_meier(followed({"A": "2 3", "B": ""}), "B")
        assert nothing(survival_at(curve, 0.0))
        assert nothing(median(curve))
        assert at_risk_at(curve, 0.0) == 0

    def test_all_arms_together_are_one_arm_with_all_patients(self) -> None:
        apart = kaplan_meier(followed({"A": "2 3+ 7", "B": "3 5+ 8+"}, months=1))
        assert np.array_equal(apart.survival, self.curve.survival)
        assert np.array_equal(apart.upper, self.curve.upper)


class TestByMonth:
    """Ten patients; see the drawing at the top."""

    curve = kaplan_meier(by_month(DRAWN), "A")

    def test_those_censored_in_a_bin_count_by_half_but_in_the_last_wholly(self) -> None:
        assert self.curve.survival.tolist() == pytest.approx(S, abs=1e-15)

    def test_greenwood_is_on_the_same_risk_set(self) -> None:
        terms = [2 / (10 * 8), 1 / (7 * 6), 0, 1 / (3 * 2)]
        assert self.curve.greenwood.tolist() == pytest.approx(np.cumsum(terms).tolist(), abs=1e-15)

    def test_numbers_at_risk_are_whole(self) -> None:
        assert self.curve.at_risk.tolist() == [10, 8, 5, 3]

    def test_a_landmark_at_an_edge_is_the_curve_there(self) -> None:
        assert [survival_at(self.curve, m).estimate for m in range(5)] == pytest.approx([1.0, *S])

    def test_a_landmark_inside_a_bin_is_on_the_straight_line(self) -> None:
        inside = survival_at(self.curve, 1.25)
        assert inside.estimate == pytest.approx(S[0] + 0.25 * (S[1] - S[0]))
        assert inside.lower == pytest.approx(
            self.curve.lower[0] + 0.25 * (self.curve.lower[1] - self.curve.lower[0])
        )

    def test_at_risk_at_an_edge_are_those_who_leave_later(self) -> None:
        assert [at_risk_at(self.curve, m) for m in (0, 1, 2, 3)] == [10, 8, 5, 3]

    def test_at_risk_inside_a_bin_are_those_who_certainly_are(self) -> None:
        assert at_risk_at(self.curve, 1.5) == 5

    def test_at_risk_at_the_horizon_are_those_censored_in_the_last_bin(self) -> None:
        assert at_risk_at(self.curve, 4) == 2

    def test_the_median_is_inside_the_bin(self) -> None:
        assert median(self.curve).estimate == pytest.approx(3 + (S[2] - 0.5) / (S[2] - S[3]))

    def test_a_median_in_the_first_bin_is_measured_from_1(self) -> None:
        # S_1 = 1 - 3/4, and a straight line from 1 to 0.25 passes 0.5 after two thirds of a month
        assert median(kaplan_meier(by_month({"A": "3/0 0/1"}))).estimate == pytest.approx(2 / 3)

    def test_an_end_of_the_median_is_where_its_band_passes_half(self) -> None:
        lower = [1.0, *self.curve.lower]
        assert lower[1] < 0.5  # already in the first bin
        assert median(self.curve).lower == pytest.approx((1 - 0.5) / (1 - lower[1]))
        assert median(self.curve).upper is None

    def test_a_curve_that_meets_half_at_an_edge_has_its_median_there(self) -> None:
        assert median(kaplan_meier(by_month({"A": "1/0 1/0 1/0 0/3"}))).estimate == pytest.approx(3)

    def test_nobody_followed_that_long_means_no_number(self) -> None:
        curve = kaplan_meier(by_month({"A": "1/2 0/1 0/0"}))
        assert survival_at(curve, 2).estimate == pytest.approx(1 - 1 / (4 - 2 / 2))
        assert nothing(survival_at(curve, 2.5))

    def test_where_all_died_the_band_ends_with_the_last_bin_but_one(self) -> None:
        curve = kaplan_meier(by_month({"A": "1/0 1/0 0/0"}))
        assert survival_at(curve, 1).upper == pytest.approx(float(curve.upper[0]))
        assert survival_at(curve, 1.5).upper is None
        assert survival_at(curve, 3) == Estimate(0.0, 0.0, None)

    def test_days_are_the_edges_of_the_bins(self) -> None:
        assert self.curve.days.tolist() == [30.4375, 60.875, 91.3125, 121.75]


class TestReverse:
    """How long the patients were followed."""

    def test_by_day_the_dead_are_no_longer_there_to_be_censored(self) -> None:
        curve = reverse_kaplan_meier(followed({"A": "2 3 3+ 5+ 7 8+"}, months=1))
        # at risk of censoring: day 3: 5 - 1, day 5: 3, day 8: 1
        steps = {2: 1.0, 3: 3 / 4, 5: 3 / 4 * 2 / 3, 7: 3 / 4 * 2 / 3, 8: 0.0}
        assert {d: curve.survival[d] for d in steps} == pytest.approx(steps, abs=1e-15)
        assert curve.greenwood[5] == pytest.approx(1 / (4 * 3) + 1 / (3 * 2))
        assert median(curve).estimate == pytest.approx(day(5))

    def test_by_month_the_dead_count_by_half_but_in_the_last_bin_are_gone(self) -> None:
        curve = reverse_kaplan_meier(by_month(DRAWN), "A")
        second = 1 - 2 / (8 - 1 / 2)
        third = second * (1 - 2 / (5 - 0 / 2))
        assert curve.survival.tolist() == pytest.approx([1, second, third, 0], abs=1e-15)
        assert median(curve).estimate == pytest.approx(2 + (second - 0.5) / (second - third))

    def test_it_tells_which_counts_make_it_step(self) -> None:
        curve = reverse_kaplan_meier(by_month(DRAWN), "A")
        assert (curve.events.tolist(), curve.censored.tolist()) == ([0, 2, 2, 2], [2, 1, 0, 1])
        assert curve.reverse

    @pytest.mark.parametrize("unit", list(Unit))
    def test_if_most_are_followed_to_the_horizon_that_is_their_follow_up(self, unit: Unit) -> None:
        table = followed({"A": "5 20+ 400+ 400+ 500+ 999+"}, months=12, unit=unit)
        curve = reverse_kaplan_meier(table)
        assert median(curve).estimate == pytest.approx(day(365) if unit is Unit.DAY else 12)
        # In a horizon of one bin whoever left in it is taken to be followed to its end.
        assert at_risk_at(curve, 12) == (5 if unit is Unit.YEAR else 4)

    @pytest.mark.parametrize("unit", list(Unit))
    def test_at_risk_does_not_depend_on_the_direction(self, unit: Unit) -> None:
        table = followed({"A": "5 20+ 77 78 80+ 360 365 365+ 999+"}, months=12, unit=unit)
        forwards, backwards = kaplan_meier(table), reverse_kaplan_meier(table)
        moments = np.linspace(0, 12, 97)
        assert [at_risk_at(forwards, m) for m in moments] == [
            at_risk_at(backwards, m) for m in moments
        ]


class TestHorizon:
    """All time beyond the horizon is censored in the last cell."""

    long = followed({"A": "10 40 50+ 70 100 400 401+ 500+ 600+ 700 800 900"}, unit=Unit.MONTH)
    cut = followed(
        {"A": "10 40 50+ 70 100 400 401+ 500+ 600+ 700 800 900"}, unit=Unit.MONTH, months=3
    )

    def test_the_curve_does_not_depend_on_where_the_table_was_cut(self) -> None:
        # three deaths by day 91, and one patient lost on day 50; the rest were there at the cut
        assert close(
            survival_at(kaplan_meier(self.cut), 3), survival_at(kaplan_meier(self.long), 3)
        )

    def test_those_cut_are_under_observation_at_the_cut(self) -> None:
        assert at_risk_at(kaplan_meier(self.cut), 3) == at_risk_at(kaplan_meier(self.long), 3) == 8

    def test_by_day_the_horizon_lies_a_part_of_a_day_after_the_last_cell(self) -> None:
        # 12 months are 365.25 days; the last cell is day 365
        curve = kaplan_meier(followed({"A": "7 365 365+ 999+"}, months=12))
        assert at_risk_at(curve, day(365)) == 3
        assert at_risk_at(curve, 12) == 2
        assert survival_at(curve, 12).estimate == pytest.approx(3 / 4 * 2 / 3)


@pytest.mark.parametrize("unit", list(Unit))
class TestRefusals:
    def curve(self, unit: Unit) -> Curve:
        return kaplan_meier(followed({"A": "5 9+"}, months=12, unit=unit))

    @pytest.mark.parametrize("months", [-0.1, 12.1, float("nan")])
    def test_a_moment_off_the_grid(self, unit: Unit, months: float) -> None:
        with pytest.raises(ValueError, match=f"from 0 to 12 months was expected.*got {months}"):
            survival_at(self.curve(unit), months)
        with pytest.raises(ValueError, match=f"from 0 to 12 months was expected.*got {months}"):
            at_risk_at(self.curve(unit), months)

    def test_an_arm_that_is_not_there(self, unit: Unit) -> None:
        table = followed({"TARE": "5", "TACE": "9+"}, unit=unit)
        with pytest.raises(ValueError, match=r"one of the arms 'TARE', 'TACE' .* got 'TAE'"):
            kaplan_meier(table, "TAE")

    def test_a_level_that_is_no_share(self, unit: Unit) -> None:
        with pytest.raises(ValueError, match="a level between 0 and 1"):
            kaplan_meier(followed({"A": "5"}, unit=unit), level=95)

    @pytest.mark.parametrize("estimator", [kaplan_meier, reverse_kaplan_meier])
    def test_a_negative_count(self, unit: Unit, estimator: type) -> None:
        grid = Grid(unit, 24)
        values = np.full((1, grid.size, 2), 1, dtype=np.int64)
        values[0, 1, 0] = -1
        table = SurvivalTable(grid, Table(survival_layout(("A",), grid), values))
        with pytest.raises(ValueError, match="counts of 0 and above were expected"):
            estimator(table)


def test_the_bands_at_another_level_have_another_reach() -> None:
    curve = kaplan_meier(followed({"A": "2 3 3+ 5+ 7 8+"}, months=1), level=0.8)
    scale = math.log(-math.log(curve.lower[2])) - math.log(-math.log(curve.survival[2]))
    assert scale == pytest.approx(-normal_quantile(0.8) * math.sqrt(1 / 30) / math.log(5 / 6))
