from __future__ import annotations

import math

import numpy as np
import pytest

from simulator.aggregates.survival import SurvivalTable, survival_layout
from simulator.aggregates.table import Table
from simulator.statistics import cox as module
from simulator.statistics.chi_squared import Reals
from simulator.statistics.cox import CoxFit, HazardRatio, all_contrasts, cox, holm
from simulator.statistics.log_rank import log_rank
from simulator.statistics.partial_likelihood import PartialLikelihood, Ties, partial_likelihood
from tests.unit.statistics.drawn import AML, SIX_PATIENTS, by_month, followed

FOUR = {
    "A": "3/4 5/2 4/3 2/9",
    "B": "5/2 6/3 2/2 1/5",
    "C": "1/2 2/3 4/5 4/12",
    "D": "4/1 4/1 2/3 3/4",
}


def ratio_of(contrast: HazardRatio) -> float:
    assert contrast.estimate is not None
    return contrast.estimate


class TestContrast:
    fit = cox(by_month(FOUR))

    def test_the_ratio_is_the_exponential_of_the_difference(self) -> None:
        found = self.fit.contrast("D", "B")
        difference = float(self.fit.coefficients[3] - self.fit.coefficients[1])
        variance = self.fit.covariance[3, 3] + self.fit.covariance[1, 1]
        error = math.sqrt(variance - 2 * self.fit.covariance[1, 3])
        assert found.estimate == pytest.approx(math.exp(difference))
        assert found.lower == pytest.approx(math.exp(difference - 1.959963984540054 * error))
        assert found.upper == pytest.approx(math.exp(difference + 1.959963984540054 * error))

    def test_p_is_that_of_the_two_sided_wald_test(self) -> None:
        found = self.fit.contrast("B", "A", level=0.9)
        from scipy.special import ndtr, ndtri

        assert found.lower is not None
        assert found.upper is not None
        error = math.log(found.upper / found.lower) / 2 / ndtri(0.95)
        assert found.p == pytest.approx(2 * ndtr(-abs(math.log(ratio_of(found))) / error))
        assert found.p_adjusted is None

    def test_turned_round_it_is_the_inverse(self) -> None:
        one, other = self.fit.contrast("C", "D"), self.fit.contrast("D", "C")
        assert ratio_of(one) == pytest.approx(1 / ratio_of(other), rel=1e-14)
        assert one.upper == pytest.approx(1 / (other.lower or math.nan), rel=1e-14)
        assert one.p == other.p

    def test_it_does_not_depend_on_the_reference_of_the_fit(self) -> None:
        other = cox(by_month(FOUR), reference="C").contrast("D", "B")
        assert ratio_of(other) == pytest.approx(ratio_of(self.fit.contrast("D", "B")), rel=1e-12)
        assert other.p == pytest.approx(self.fit.contrast("D", "B").p, rel=1e-12)

    def test_the_reference_has_nothing_to_estimate(self) -> None:
        fit = cox(by_month(FOUR), reference="C")
        assert fit.coefficients[2] == 0.0
        assert not fit.covariance[2].any()

    @pytest.mark.parametrize(("arm", "reference"), [("A", "E"), ("E", "A")])
    def test_an_arm_that_is_not_there(self, arm: str, reference: str) -> None:
        with pytest.raises(ValueError, match=r"one of the arms 'A', 'B', 'C', 'D' .* got 'E'"):
            self.fit.contrast(arm, reference)

    def test_an_arm_against_itself(self) -> None:
        with pytest.raises(ValueError, match="two different arms were expected; got A twice"):
            self.fit.contrast("A", "A")

    def test_a_level_that_is_no_share(self) -> None:
        with pytest.raises(ValueError, match="a level between 0 and 1"):
            self.fit.contrast("A", "B", level=1.0)


class TestAllContrasts:
    @staticmethod
    def pairs(fit: CoxFit) -> list[str]:
        return [f"{ratio.arm}/{ratio.reference}" for ratio in all_contrasts(fit)]

    def test_every_pair_once_the_later_against_the_earlier(self) -> None:
        assert self.pairs(cox(by_month(FOUR))) == ["B/A", "C/A", "D/A", "C/B", "D/B", "D/C"]

    def test_those_against_the_reference_come_first(self) -> None:
        found = self.pairs(cox(by_month(FOUR), reference="C"))
        assert found == ["A/C", "B/C", "D/C", "B/A", "D/A", "D/B"]

    def test_p_is_adjusted_over_all_of_them(self) -> None:
        found = all_contrasts(cox(by_month(FOUR)))
        adjusted = holm([ratio.p for ratio in found if ratio.p is not None])
        assert tuple(ratio.p_adjusted for ratio in found) == adjusted
        assert len(adjusted) == 6

    def test_the_level_goes_to_each_interval(self) -> None:
        fit = cox(by_month(FOUR))
        assert all_contrasts(fit, level=0.8)[3].upper == fit.contrast("C", "B", level=0.8).upper

    def test_one_arm_has_no_contrasts(self) -> None:
        assert all_contrasts(cox(followed({"A": "1 2 3+"}))) == ()


class TestWhatTheDataDoNotBound:
    """An arm without a finite ratio must not take the others' ratios with it."""

    def test_an_arm_without_events_has_no_ratio_and_the_others_keep_theirs(self) -> None:
        fit = cox(followed(AML | {"Quiet": "3+ 9+ 20+ 31+ 99+"}))
        alone = cox(followed(AML))
        assert fit.contrast("Quiet", "Maintained") == HazardRatio(
            "Quiet", "Maintained", None, None, None, None
        )
        # its likelihood tends to that of the others alone as the hazard of the quiet arm tends to 0
        kept, expected = (f.contrast("Nonmaintained", "Maintained") for f in (fit, alone))
        assert ratio_of(kept) == pytest.approx(ratio_of(expected), rel=1e-12)
        assert kept.p == pytest.approx(expected.p, rel=1e-12)
        assert fit.log_likelihood == pytest.approx(alone.log_likelihood, rel=1e-14)

    def test_the_limit_is_what_a_very_low_hazard_tends_to(self) -> None:
        table = followed(AML | {"Quiet": "3+ 9+ 20+ 31+ 99+"})
        fit = cox(table)
        low = np.append(fit.coefficients[:2], -40.0)
        found = partial_likelihood(table, low)
        assert found.value == pytest.approx(fit.log_likelihood, rel=1e-12)
        assert found.score == pytest.approx(np.zeros(3), abs=1e-10)

    def test_it_takes_no_part_in_the_correction(self) -> None:
        found = all_contrasts(cox(followed({"Quiet": "3+ 9+"} | AML)))
        assert [(r.arm, r.reference, r.p is None) for r in found] == [
            ("Maintained", "Quiet", True),
            ("Nonmaintained", "Quiet", True),
            ("Nonmaintained", "Maintained", False),
        ]
        assert found[0].p_adjusted is None
        assert found[2].p_adjusted == found[2].p

    def test_an_arm_without_patients(self) -> None:
        fit = cox(followed({"Nobody": ""} | AML))
        assert fit.contrast("Maintained", "Nobody").estimate is None
        assert fit.contrast("Nonmaintained", "Maintained").estimate is not None
        assert fit.score.degrees_of_freedom == 1

    def test_an_arm_that_dies_first_and_whole(self) -> None:
        # every event of B comes before any of A, with A at risk: the ratio B / A has no upper bound
        fit = cox(followed({"A": "9 10 11+", "B": "1 2 3"}))
        assert fit.contrast("B", "A").upper is None
        # each group's own events: A: log 3, log 2; B: log 3, log 2, log 1
        assert fit.log_likelihood == pytest.approx(-2 * math.log(6))

    def test_a_chain_of_arms_bounds_its_ends(self) -> None:
        # A and C are never at risk at each other's events in both directions, but B links them
        table = followed({"A": "1 4", "B": "3 4+ 6", "C": "5 6 7"})
        assert cox(table).contrast("C", "A").estimate is not None

    def test_nothing_happened_at_all(self) -> None:
        fit = cox(followed({"A": "1+ 2+", "B": "2+"}))
        assert fit.contrast("B", "A").estimate is None
        assert (fit.log_likelihood, fit.log_likelihood_null) == (0.0, 0.0)
        assert fit.score.degrees_of_freedom == 0
        assert fit.likelihood_ratio.p == 1.0


class TestFit:
    def test_at_the_fit_the_score_is_nothing(self) -> None:
        table = by_month(FOUR)
        fit = cox(table)
        found = partial_likelihood(table, fit.coefficients)
        assert found.score == pytest.approx(np.zeros(4), abs=1e-13)
        assert found.value == fit.log_likelihood

    def test_the_covariance_is_the_inverse_of_the_information(self) -> None:
        table = by_month(FOUR)
        fit = cox(table)
        information = partial_likelihood(table, fit.coefficients).information
        assert fit.covariance[1:, 1:] @ information[1:, 1:] == pytest.approx(np.eye(3), abs=1e-12)

    def test_without_ties_the_breslow_score_test_is_the_log_rank_test(self) -> None:
        table = followed({"A": "1 4 6+ 8 9", "B": "2 3 5 7 10+", "C": "11 12+ 13"})
        score, test = cox(table, ties="breslow").score, log_rank(table)
        assert score.statistic == pytest.approx(test.statistic, rel=1e-13)
        assert score.degrees_of_freedom == test.degrees_of_freedom == 2

    def test_without_ties_efron_is_breslow(self) -> None:
        table = followed({"A": "1 4 6+ 8 9", "B": "2 3 5 7 10+"})
        efron, breslow = cox(table), cox(table, ties="breslow")
        assert efron.coefficients == pytest.approx(breslow.coefficients, rel=1e-13)

    @pytest.mark.parametrize("arms", [{"A": "1/2000", "B": "2/0"}, {"A": "4/20", "B": "4/0"}])
    def test_a_step_that_goes_too_far_is_halved(
        self, arms: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        table = by_month(arms)  # with whole steps the second would swing to and fro for ever
        tried: list[float] = []

        def watched(table: SurvivalTable, at: Reals, *, ties: Ties) -> PartialLikelihood:
            found = partial_likelihood(table, at, ties=ties)
            tried.append(found.value)
            return found

        monkeypatch.setattr(module, "partial_likelihood", watched)
        found = cox(table).coefficients
        assert min(np.diff(tried[:-1])) < -0.1  # went down, so the step was taken back
        assert partial_likelihood(table, found).score == pytest.approx(np.zeros(2), abs=1e-12)

    def test_a_table_of_ten_million_patients(self) -> None:
        rates = np.array([[500], [550], [600], [650]])
        events = np.repeat(rates, 36, axis=1) * np.linspace(100, 60, 36)
        censored = np.full((4, 36), 20_000)
        drawing = {
            name: " ".join(f"{int(d)}/{c}" for d, c in zip(events[i], censored[i], strict=True))
            for i, name in enumerate("ABCD")
        }
        fit = cox(by_month(drawing))
        assert fit.iterations <= 6
        assert 1.0 < ratio_of(fit.contrast("B", "A")) < ratio_of(fit.contrast("D", "A")) < 2.0

    def test_a_fit_that_does_not_settle_is_no_fit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "_STEPS_AT_MOST", 1)
        with pytest.raises(ArithmeticError, match="did not settle in 1 steps"):
            cox(followed(SIX_PATIENTS))

    def test_a_reference_that_is_not_there(self) -> None:
        with pytest.raises(ValueError, match=r"one of the arms 'x=0', 'x=1' .* got 'x=2'"):
            cox(followed(SIX_PATIENTS), reference="x=2")

    def test_a_negative_count(self) -> None:
        table = followed(SIX_PATIENTS)
        values = table.table.values.copy()
        values[1, 3, 1] = -2
        broken = SurvivalTable(table.grid, Table(survival_layout(table.arms, table.grid), values))
        with pytest.raises(ValueError, match="counts of 0 and above were expected"):
            cox(broken)


class TestHolm:
    def test_by_hand(self) -> None:
        # 0.01 * 4, 0.02 * 3, 0.03 * 2 (not below 0.06), 0.04 * 1 (not below 0.06)
        assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx((0.06, 0.04, 0.06, 0.06))

    def test_r_p_adjust(self) -> None:
        # R: p.adjust(c(0.01, 0.02, 0.22, 0.5, 0.9), "holm") by its definition
        assert holm([0.01, 0.02, 0.22, 0.5, 0.9]) == pytest.approx((0.05, 0.08, 0.66, 1.0, 1.0))

    def test_never_over_1(self) -> None:
        assert holm([0.6, 0.7]) == (1.0, 1.0)

    def test_ties_stay_tied(self) -> None:
        assert holm([0.02, 0.02, 0.5]) == pytest.approx((0.06, 0.06, 0.5))

    def test_one_is_left_as_it_is_and_none_is_none(self) -> None:
        assert holm([0.04]) == (0.04,)
        assert holm([]) == ()
