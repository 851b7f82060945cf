from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from simulator.aggregates.grid import DAYS_PER_MONTH, Grid, Unit
from simulator.aggregates.survival import SurvivalTable
from simulator.statistics.estimates import NO_CONTRAST, Contrast, Estimate, normal_quantile
from simulator.statistics.kaplan_meier import Curve, kaplan_meier
from simulator.statistics.restricted_mean import (
    restricted_mean,
    restricted_mean_difference,
    restricted_mean_ratio,
)
from tests.unit.statistics.drawn import AML, by_month, followed

# month            1   2   3   4
DRAWN = {"A": "    2/0 1/2 0/2 1/2"}
P = (8 / 10, 1 - 1 / (8 - 1), 1.0, 1 - 1 / 3)
GREENWOOD = (2 / (10 * 8), 1 / (7 * 6), 0.0, 1 / (3 * 2))


def error_of(estimate: Estimate, level: float = 0.95) -> float:
    """The standard error that the interval was made from."""
    assert estimate.lower is not None
    assert estimate.upper is not None
    return (estimate.upper - estimate.lower) / 2.0 / normal_quantile(level)


def in_days(months: float | None) -> float:
    assert months is not None
    return months * DAYS_PER_MONTH


class TestByDay:
    """Six patients: days 2, 3 and 3+, 5+, 7, 8+; S = 1, 5/6 from 2, 4/6 from 3, 1/3 from 7."""

    curve = kaplan_meier(followed({"A": "2 3 3+ 5+ 7 8+"}, months=1))

    def test_the_area_of_the_steps(self) -> None:
        mean = restricted_mean(self.curve, 7.5 / DAYS_PER_MONTH)
        area = 2 * 1 + 1 * 5 / 6 + 4 * 4 / 6 + 0.5 * 1 / 3
        assert in_days(mean.estimate) == pytest.approx(area, abs=1e-12)

    def test_the_error_weighs_each_step_by_the_area_after_it(self) -> None:
        mean = restricted_mean(self.curve, 7.5 / DAYS_PER_MONTH)
        after_7 = 0.5 * 1 / 3
        after_3 = 4 * 4 / 6 + after_7
        after_2 = 1 * 5 / 6 + after_3
        variance = after_2**2 / (6 * 5) + after_3**2 / (5 * 4) + after_7**2 / (2 * 1)
        assert in_days(error_of(mean)) == pytest.approx(math.sqrt(variance), abs=1e-12)

    def test_a_step_at_the_end_itself_adds_nothing(self) -> None:
        mean = restricted_mean(self.curve, 3 / DAYS_PER_MONTH)
        assert in_days(mean.estimate) == pytest.approx(2 + 5 / 6, abs=1e-12)
        assert in_days(error_of(mean)) == pytest.approx((5 / 6) / math.sqrt(6 * 5), abs=1e-12)

    def test_the_whole_span_before_the_first_death_is_certain(self) -> None:
        whole = restricted_mean(self.curve, 1.5 / DAYS_PER_MONTH)
        assert in_days(whole.estimate) == pytest.approx(1.5)
        assert whole.estimate == whole.lower == whole.upper

    def test_where_all_died_the_mean_is_that_of_the_deaths(self) -> None:
        mean = restricted_mean(kaplan_meier(followed({"A": "2 3 7"}, months=1)), 1.0)
        assert in_days(mean.estimate) == pytest.approx((2 + 3 + 7) / 3)

    def test_nobody_followed_that_long_means_no_number(self) -> None:
        assert restricted_mean(self.curve, 9 / DAYS_PER_MONTH) == Estimate(None, None, None)

    def test_it_may_reach_to_the_horizon(self) -> None:
        curve = kaplan_meier(followed({"A": "5 99+"}, months=1))
        assert in_days(restricted_mean(curve, 1).estimate) == pytest.approx(5 + 25.4375 / 2)

    @pytest.mark.parametrize("months", [-1.0, 1.5])
    def test_a_span_off_the_grid_is_refused(self, months: float) -> None:
        with pytest.raises(ValueError, match="from 0 to 1 months was expected"):
            restricted_mean(self.curve, months)

    def test_the_interval_is_at_the_level_of_the_curve(self) -> None:
        table = followed({"A": "2 3 3+ 5+ 7 8+"}, months=1)
        narrow = restricted_mean(kaplan_meier(table, level=0.8), 7.5 / DAYS_PER_MONTH)
        usual = restricted_mean(self.curve, 7.5 / DAYS_PER_MONTH)
        assert error_of(narrow, 0.8) == pytest.approx(error_of(usual), rel=1e-12)


class TestByMonth:
    """Straight lines between the edges of the bins."""

    curve = kaplan_meier(by_month(DRAWN), "A")

    @staticmethod
    def area(factors: tuple[float, ...], months: float) -> float:
        """The area under straight lines, by a very fine sum."""
        edges = np.append(1.0, np.cumprod(factors))
        middles = (np.arange(400_000) + 0.5) / 400_000 * months
        return float(np.interp(middles, np.arange(edges.size), edges).mean() * months)

    def test_the_area_of_the_trapezia(self) -> None:
        s = [1.0, *np.cumprod(P)]
        area = (s[0] + s[1]) / 2 + (s[1] + s[2]) / 2 + (s[2] + s[3]) / 2 + (s[3] + s[4]) / 2
        assert restricted_mean(self.curve, 4).estimate == pytest.approx(area)

    def test_a_part_of_a_bin(self) -> None:
        assert restricted_mean(self.curve, 1.5).estimate == pytest.approx(
            (1 + P[0]) / 2 + (P[0] + P[0] * (1 + P[1]) / 2) / 2 * 0.5
        )

    @pytest.mark.parametrize("months", [0.5, 1.0, 1.7, 3.2, 4.0])
    def test_the_error_is_that_of_the_delta_method(self, months: float) -> None:
        variance = 0.0
        for i, term in enumerate(GREENWOOD):
            up, down = ((*P[:i], P[i] * math.exp(h), *P[i + 1 :]) for h in (1e-4, -1e-4))
            slope = (self.area(up, months) - self.area(down, months)) / 2e-4
            variance += slope**2 * term
        mean = restricted_mean(self.curve, months)
        assert mean.estimate == pytest.approx(self.area(P, months), rel=1e-8)
        assert error_of(mean) == pytest.approx(math.sqrt(variance), rel=1e-6)

    def test_nobody_followed_that_long_means_no_number(self) -> None:
        curve = kaplan_meier(by_month({"A": "1/2 0/1 0/0"}))
        assert restricted_mean(curve, 2).estimate == pytest.approx((1 + 2 / 3) / 2 + 2 / 3)
        assert restricted_mean(curve, 2.5) == Estimate(None, None, None)


def test_days_and_bins_are_close_to_each_other() -> None:
    """All see the same exponential lives with a median of 20 months."""
    days = np.ceil(-np.log((np.arange(400) + 0.5) / 400) * 20 / math.log(2) * DAYS_PER_MONTH)
    drawing = {"A": " ".join(str(int(day)) for day in days)}
    day, month, quarter, year = (
        restricted_mean(kaplan_meier(followed(drawing, unit=unit)), 36).estimate for unit in Unit
    )
    expected = (1 - 0.5 ** (36 / 20)) * 20 / math.log(2)
    assert day == pytest.approx(expected, abs=0.02)
    assert month == pytest.approx(expected, abs=0.02)
    # Straight lines over the hollow of an exponential curve lie above it: h^2 / 12 times the
    # difference of its slopes at both ends, with bins of h months.
    slopes = math.log(2) / 20 * (1 - 0.5 ** (36 / 20))
    assert quarter == pytest.approx(expected + 9 / 12 * slopes, abs=0.02)
    assert year == pytest.approx(expected + 144 / 12 * slopes, abs=0.05)


class TestContrasts:
    table = followed(AML)
    pair = (kaplan_meier(table, "Maintained"), kaplan_meier(table, "Nonmaintained"))
    tau = 40 / DAYS_PER_MONTH

    def test_the_difference_has_the_sum_of_the_variances(self) -> None:
        means = [restricted_mean(curve, self.tau) for curve in self.pair]
        found = restricted_mean_difference(*self.pair, self.tau)
        error = math.hypot(*(error_of(mean) for mean in means))
        expected = (means[0].estimate or math.nan) - (means[1].estimate or math.nan)
        assert found.estimate == pytest.approx(expected)
        assert found.lower == pytest.approx(expected - 1.959963984540054 * error)
        assert found.upper == pytest.approx(expected + 1.959963984540054 * error)
        assert found.p == pytest.approx(math.erfc(expected / error / math.sqrt(2)))

    def test_without_censoring_it_is_the_z_test_of_two_means(self) -> None:
        days = {"A": [1, 3, 5, 9, 14, 20], "B": [2, 2, 4, 6, 7]}
        drawing = {arm: " ".join(map(str, drawn)) for arm, drawn in days.items()}
        one, other = (kaplan_meier(followed(drawing), arm) for arm in "AB")
        until = 12
        spent = [np.minimum(drawn, until) for drawn in days.values()]
        variances = [float(times.var()) / times.size for times in spent]
        means = [float(times.mean()) for times in spent]
        found = restricted_mean_difference(one, other, until / DAYS_PER_MONTH)
        difference, error = means[0] - means[1], math.sqrt(sum(variances))
        assert in_days(found.estimate) == pytest.approx(difference)
        assert in_days(found.upper) == pytest.approx(difference + 1.959963984540054 * error)
        ratio = restricted_mean_ratio(one, other, until / DAYS_PER_MONTH)
        error = math.sqrt(variances[0] / means[0] ** 2 + variances[1] / means[1] ** 2)
        assert ratio.estimate == pytest.approx(means[0] / means[1])
        assert ratio.lower == pytest.approx(
            means[0] / means[1] * math.exp(-1.959963984540054 * error)
        )
        assert ratio.p == pytest.approx(
            math.erfc(abs(math.log(means[0] / means[1])) / error / math.sqrt(2))
        )

    def test_turned_round(self) -> None:
        one, other = self.pair
        there, back = (
            restricted_mean_difference(*pair, self.tau) for pair in ((one, other), (other, one))
        )
        assert there.estimate == -(back.estimate or math.nan)
        assert there.p == back.p
        ratio, turned = (
            restricted_mean_ratio(*pair, self.tau) for pair in ((one, other), (other, one))
        )
        assert ratio.upper == pytest.approx(1 / (turned.lower or math.nan))

    @pytest.mark.parametrize("contrast", [restricted_mean_difference, restricted_mean_ratio])
    def test_a_mean_that_is_not_known_has_no_contrast(
        self, contrast: Callable[[Curve, Curve, float], Contrast]
    ) -> None:
        one, other = (kaplan_meier(followed({"A": "3 9+", "B": "4 40 90+"}), arm) for arm in "AB")
        assert contrast(one, other, 20 / DAYS_PER_MONTH) == NO_CONTRAST
        assert contrast(other, one, 20 / DAYS_PER_MONTH) == NO_CONTRAST

    def test_a_mean_of_nothing_has_a_difference_and_no_ratio(self) -> None:
        one, other = (kaplan_meier(followed({"A": "0 0", "B": "4 9"}), arm) for arm in "AB")
        assert restricted_mean_ratio(other, one, 0.2) == NO_CONTRAST
        assert restricted_mean_ratio(one, other, 0.2) == NO_CONTRAST
        assert in_days(restricted_mean_difference(other, one, 0.2).estimate) == pytest.approx(
            (4 + 0.2 * DAYS_PER_MONTH) / 2
        )

    def test_two_arms_in_which_nothing_happened_have_no_test(self) -> None:
        one, other = (kaplan_meier(followed({"A": "8 9+", "B": "9 9+"}), arm) for arm in "AB")
        found = restricted_mean_difference(one, other, 5 / DAYS_PER_MONTH)
        assert found == Contrast(0.0, 0.0, 0.0, None)

    def test_curves_of_two_levels_are_refused(self) -> None:
        narrow = kaplan_meier(self.table, "Maintained", level=0.9)
        with pytest.raises(ValueError, match=r"curves of one level were expected; got 0.9 and"):
            restricted_mean_difference(narrow, self.pair[1], self.tau)


@pytest.mark.laws
@pytest.mark.parametrize("unit", Unit)
def test_the_interval_of_the_difference_holds_the_truth_as_often_as_it_says(unit: Unit) -> None:
    """2,000 trials; means to 24 months of exponential lives of 20 and 30 months on average."""
    random, held, trials = np.random.default_rng(36), 0, 2000
    lives = np.repeat([20.0, 30.0], 150)
    truth = 20 * (1 - math.exp(-24 / 20)) - 30 * (1 - math.exp(-24 / 30))
    for _ in range(trials):
        death = np.ceil(random.exponential(lives * DAYS_PER_MONTH)).astype(np.int64)
        end = random.integers(300, 1800, lives.size)
        table = SurvivalTable.from_rows(
            ("A", "B"),
            Grid(unit, 60),
            arm=np.repeat(np.array([0, 1]), 150),
            days=np.minimum(death, end),
            event=death <= end,
        )
        one, other = (kaplan_meier(table, arm) for arm in table.arms)
        found = restricted_mean_difference(one, other, 24)
        assert found.lower is not None
        assert found.upper is not None
        held += found.lower <= truth <= found.upper
    assert abs(held / trials - 0.95) < 3.5 * math.sqrt(0.05 * 0.95 / trials) + 0.003
