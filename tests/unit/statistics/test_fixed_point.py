from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.statistics import survival_difference_at_fixed_point_in_time_test

from simulator.aggregates.grid import DAYS_PER_MONTH
from simulator.aggregates.survival import SurvivalTable
from simulator.statistics.estimates import NO_CONTRAST, Contrast
from simulator.statistics.fixed_point import cumulative_hazard_ratio, survival_difference
from simulator.statistics.kaplan_meier import Curve, kaplan_meier
from tests.unit.statistics.drawn import AML, by_month, followed

Z = 1.959963984540054
MONTHLY = {"A": "2/0 1/2 0/2 1/2", "B": "1/1 3/0 1/1 2/3"}


def curves(table: SurvivalTable, *, level: float = 0.95) -> tuple[Curve, Curve]:
    one, other = (kaplan_meier(table, arm, level=level) for arm in table.arms)
    return one, other


def rows_of(drawing: str) -> tuple[list[int], list[bool]]:
    times = drawing.split()
    return [int(t.rstrip("+")) for t in times], [not t.endswith("+") for t in times]


@pytest.mark.parametrize("week", [12, 23, 31, 34])
def test_the_log_log_test_is_that_of_lifelines(week: int) -> None:
    every = np.arange(200)  # else lifelines draws straight lines between two events
    fits = [KaplanMeierFitter().fit(*rows_of(drawn), timeline=every) for drawn in AML.values()]
    theirs = survival_difference_at_fixed_point_in_time_test(week, *fits)
    ours = cumulative_hazard_ratio(*curves(followed(AML)), week / DAYS_PER_MONTH)
    assert ours.p == pytest.approx(theirs.p_value, rel=1e-9)
    assert ours.estimate is not None
    assert ours.lower is not None
    error = (math.log(ours.estimate) - math.log(ours.lower)) / Z
    statistic = (math.log(ours.estimate) / error) ** 2
    assert statistic == pytest.approx(theirs.test_statistic, rel=1e-9)


def test_the_plain_difference_from_printed_figures() -> None:
    """R, tests/doaml.Rout.save: at week 23 S 0.614 (0.1526) and 0.4861 (0.1481)."""
    found = survival_difference(*curves(followed(AML)), 23 / DAYS_PER_MONTH)
    error = math.hypot(0.1526, 0.1481)
    assert found.estimate == pytest.approx(0.614 - 0.4861, abs=6e-4)
    assert found.lower == pytest.approx(0.614 - 0.4861 - Z * error, abs=1e-3)
    assert found.upper == pytest.approx(0.614 - 0.4861 + Z * error, abs=1e-3)
    assert found.p == pytest.approx(math.erfc((0.614 - 0.4861) / error / math.sqrt(2)), abs=3e-3)


def test_without_censoring_it_is_the_difference_of_two_shares() -> None:
    """Greenwood's variance is then p (1 - p) / n: the textbook interval of two proportions."""
    drawing = {"A": "1 2 3 9 9 9 9 9 9 9", "B": "1 1 2 2 3 4 9 9"}
    found = survival_difference(*curves(followed(drawing)), 5 / DAYS_PER_MONTH)
    error = math.sqrt(0.7 * 0.3 / 10 + 0.25 * 0.75 / 8)
    assert found.estimate == pytest.approx(0.7 - 0.25)
    assert found.lower == pytest.approx(0.45 - Z * error)
    assert found.p == pytest.approx(math.erfc(0.45 / error / math.sqrt(2)))


@pytest.mark.parametrize("sign", [1, -1])
def test_no_interval_passes_what_two_shares_can_differ_by(sign: int) -> None:
    """3 of 4 against 1 of 4: by Wald from -0.10 to 1.10; the test is that of the uncut one."""
    one, other = curves(followed({"A": "1 9 9 9", "B": "1 2 3 9"}))[::sign]
    found = survival_difference(one, other, 5 / DAYS_PER_MONTH)
    error = math.sqrt(2 * 0.75 * 0.25 / 4)
    ends = (0.5 - Z * error, 1.0)
    assert 0.5 + Z * error > 1.0
    expected = sorted(sign * end for end in ends)
    assert [found.lower, found.upper] == pytest.approx(expected)
    assert found.p == pytest.approx(math.erfc(0.5 / error / math.sqrt(2)))


def test_few_who_are_left_are_no_reason_to_have_no_interval() -> None:
    """One of 12 is left and nobody was censored: the interval of two proportions."""
    drawing = {"A": "1 1 2 2 2 3 3 3 4 4 4 9", "B": "1 2 3 9 9 9 9 9"}
    found = survival_difference(*curves(followed(drawing)), 5 / DAYS_PER_MONTH)
    error = math.sqrt(1 / 12 * 11 / 12 / 12 + 5 / 8 * 3 / 8 / 8)
    assert found.lower == pytest.approx(1 / 12 - 5 / 8 - Z * error)
    assert found.upper == pytest.approx(1 / 12 - 5 / 8 + Z * error)


def test_at_the_edge_of_a_month_both_are_their_formulas() -> None:
    one, other = curves(by_month(MONTHLY))
    s, g = one.survival[1], one.greenwood[1]
    t, h = other.survival[1], other.greenwood[1]
    plain, ratio = (f(one, other, 2) for f in (survival_difference, cumulative_hazard_ratio))
    assert plain.estimate == pytest.approx(s - t)
    assert plain.upper == pytest.approx(s - t + Z * math.sqrt(s**2 * g + t**2 * h))
    assert ratio.estimate == pytest.approx(math.log(s) / math.log(t))
    error = math.sqrt(g / math.log(s) ** 2 + h / math.log(t) ** 2)
    assert ratio.upper == pytest.approx(math.log(s) / math.log(t) * math.exp(Z * error))


@pytest.mark.parametrize("months", [0.4, 1.0, 1.7, 3.25])
def test_inside_a_month_the_error_is_that_of_the_delta_method(months: float) -> None:
    one, other = curves(by_month(MONTHLY))

    def variance(curve: Curve) -> float:
        factors = curve.survival / np.append(1.0, curve.survival[:-1])
        terms = np.diff(curve.greenwood, prepend=0.0)

        def value(changed: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
            edges = np.append(1.0, np.cumprod(changed))
            return float(np.interp(months, np.arange(edges.size), edges))

        total = 0.0
        for i, term in enumerate(terms):
            up, down = (
                factors * np.where(np.arange(4) == i, math.exp(h), 1) for h in (1e-5, -1e-5)
            )
            total += ((value(up) - value(down)) / 2e-5) ** 2 * term
        return total

    found = survival_difference(one, other, months)
    assert found.upper is not None
    assert found.estimate is not None
    expected = math.sqrt(variance(one) + variance(other))
    assert (found.upper - found.estimate) / Z == pytest.approx(expected, rel=1e-7)


def test_turned_round_the_sign_turns_and_the_ratio_is_the_inverse() -> None:
    one, other = curves(followed(AML))
    there, back = survival_difference(one, other, 0.75), survival_difference(other, one, 0.75)
    ends = [-(value or 0.0) for value in (back.estimate, back.upper, back.lower)]
    assert [there.estimate, there.lower, there.upper] == pytest.approx(ends, abs=1e-15)
    assert there.p == pytest.approx(back.p)
    ratio, turned = (cumulative_hazard_ratio(a, b, 0.75) for a, b in ((one, other), (other, one)))
    assert ratio.lower == pytest.approx(1 / (turned.upper or math.nan))
    assert ratio.p == pytest.approx(turned.p)


def test_the_interval_is_at_the_level_of_the_curves() -> None:
    narrow = survival_difference(*curves(followed(AML), level=0.5), 0.75)
    wide = survival_difference(*curves(followed(AML)), 0.75)
    assert narrow.upper is not None
    assert wide.upper is not None
    assert wide.estimate is not None
    share = (narrow.upper - wide.estimate) / (wide.upper - wide.estimate)
    assert share == pytest.approx(0.6744897501960817 / Z)


class TestWhatIsNotKnown:
    @pytest.mark.parametrize("contrast", [survival_difference, cumulative_hazard_ratio])
    def test_nobody_followed_that_long(
        self, contrast: Callable[[Curve, Curve, float], Contrast]
    ) -> None:
        pair = curves(followed({"A": "3 9+", "B": "4 40 90+"}))
        assert contrast(*pair, 20 / DAYS_PER_MONTH) == NO_CONTRAST

    def test_an_arm_in_which_nothing_happened_yet(self) -> None:
        pair = curves(followed({"A": "3 4 9+", "B": "8 9+"}))
        moment = 5 / DAYS_PER_MONTH
        assert cumulative_hazard_ratio(*pair, moment) == NO_CONTRAST
        plain = survival_difference(*pair, moment)
        assert plain.estimate == pytest.approx(1 / 3 - 1)
        assert (plain.lower, plain.upper, plain.p) == (None, None, None)

    def test_an_arm_that_has_died_out(self) -> None:
        pair = curves(followed({"A": "3 4", "B": "3 8 9+"}))
        moment = 5 / DAYS_PER_MONTH
        assert cumulative_hazard_ratio(*pair, moment) == NO_CONTRAST
        plain = survival_difference(*pair, moment)
        assert plain.estimate == pytest.approx(-2 / 3)
        assert (plain.lower, plain.upper, plain.p) == (None, None, None)

    @pytest.mark.parametrize("drawing", ["8 9+", "3 4"])
    def test_two_arms_that_are_all_alive_or_all_dead_have_no_test(self, drawing: str) -> None:
        pair = curves(followed({"A": drawing, "B": drawing}))
        assert survival_difference(*pair, 5 / DAYS_PER_MONTH) == Contrast(0.0, None, None, None)

    def test_curves_of_two_levels_are_refused(self) -> None:
        table = followed(AML)
        with pytest.raises(ValueError, match=r"curves of one level were expected; got 0\.95"):
            survival_difference(kaplan_meier(table), kaplan_meier(table, level=0.9), 0.5)


@pytest.mark.laws
@pytest.mark.parametrize("contrast", [survival_difference, cumulative_hazard_ratio])
def test_where_both_arms_are_alike_p_is_small_as_often_as_it_says(
    contrast: Callable[[Curve, Curve, float], Contrast],
) -> None:
    """4,000 trials of 200 a side; 3.5 standard errors around 5 %."""
    random, rejected, trials = np.random.default_rng(20070415), 0, 4000
    for _ in range(trials):
        death = np.ceil(random.exponential(300, 400)).astype(np.int64)
        end = random.integers(100, 900, 400)
        table = SurvivalTable.from_rows(
            ("A", "B"),
            followed({"A": ""}, months=30).grid,
            arm=np.repeat(np.array([0, 1]), 200),
            days=np.minimum(death, end),
            event=death <= end,
        )
        p = contrast(*curves(table), 12).p
        assert p is not None
        rejected += p < 0.05
    assert abs(rejected / trials - 0.05) < 3.5 * math.sqrt(0.05 * 0.95 / trials) + 0.003
