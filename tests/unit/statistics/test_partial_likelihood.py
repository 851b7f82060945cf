from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from simulator.aggregates.survival import SurvivalTable
from simulator.statistics import partial_likelihood as module
from simulator.statistics.chi_squared import Reals
from simulator.statistics.partial_likelihood import Ties, partial_likelihood, rising_sums
from tests.unit.statistics.drawn import SIX_PATIENTS, by_month, followed


class TestSixPatients:
    """The closed forms of R survival, vignettes/validate.Rnw, in r = exp(beta)."""

    table = followed(SIX_PATIENTS)

    @pytest.mark.parametrize("beta", [0.0, 0.7, 1.475, -3.0])
    def test_breslow(self, beta: float) -> None:
        r = math.exp(beta)
        found = partial_likelihood(self.table, np.array([0.0, beta]), ties="breslow")
        assert found.value == pytest.approx(2 * beta - math.log(3 * r + 3) - 2 * math.log(r + 3))
        assert found.score[1] == pytest.approx(2 - r / (r + 1) - 2 * r / (r + 3))
        assert found.information[1, 1] == pytest.approx(r / (r + 1) ** 2 + 6 * r / (r + 3) ** 2)

    @pytest.mark.parametrize("beta", [0.0, 0.7, 1.677, -3.0])
    def test_efron(self, beta: float) -> None:
        r = math.exp(beta)
        found = partial_likelihood(self.table, np.array([0.0, beta]))
        assert found.value == pytest.approx(
            2 * beta - math.log(3 * r + 3) - math.log(r + 3) - math.log(r / 2 + 5 / 2)
        )
        assert found.score[1] == pytest.approx(2 - r / (r + 1) - r / (r + 3) - r / (r + 5))
        assert found.information[1, 1] == pytest.approx(
            r / (r + 1) ** 2 + 3 * r / (r + 3) ** 2 + 5 * r / (r + 5) ** 2
        )


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_only_differences_of_log_hazards_matter(ties: Ties) -> None:
    table = by_month({"A": "3/1 90/4 2/1", "B": "1/1 85/9 1/3", "C": "0/2 4/1 9/1"})
    here = partial_likelihood(table, np.array([0.1, -0.4, 0.9]), ties=ties)
    there = partial_likelihood(table, np.array([1.1, 0.6, 1.9]), ties=ties)
    assert here.value == pytest.approx(there.value, rel=1e-13)
    assert here.score == pytest.approx(there.score, rel=1e-10)
    assert here.score.sum() == pytest.approx(0, abs=1e-12)
    assert here.information.sum(axis=1) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_score_and_information_are_the_derivatives(ties: Ties) -> None:
    table = by_month({"A": "3/1 90/4 2/1", "B": "1/1 85/9 1/3", "C": "0/2 4/1 9/1"})
    at = np.array([0.1, -0.4, 0.9])
    here = partial_likelihood(table, at, ties=ties)
    for arm in range(3):
        h = 1e-5 * np.eye(3)[arm]
        up, down = (partial_likelihood(table, at + s * h, ties=ties) for s in (1, -1))
        assert here.score[arm] == pytest.approx((up.value - down.value) / 2e-5, abs=1e-6)
        slope = -(up.score - down.score) / 2e-5
        assert here.information[arm] == pytest.approx(slope, abs=1e-6)


class TestManyTies:
    """Above 64 events in a cell Efron's sums are taken in closed form."""

    @pytest.mark.parametrize(
        "table",
        [
            by_month({"A": "40/10", "B": "25/30"}),  # 65 events, the fewest
            by_month({"A": "400/0 7/9", "B": "300/0 3/8"}),
            by_month({"A": "50/0", "B": "60/0"}),  # everyone dies in the cell
            by_month({"A": "90/9", "B": "0/500", "C": "1/0"}),
            by_month({"A": "70/4000000", "B": "80/6000000"}),  # few of very many
        ],
    )
    def test_the_closed_form_is_the_sum(
        self, table: SurvivalTable, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at = np.linspace(-0.8, 0.5, len(table.arms))
        closed = partial_likelihood(table, at)
        monkeypatch.setattr(module, "_DIRECT_SUM_UP_TO", 10**9)
        direct = partial_likelihood(table, at)
        assert closed.value == pytest.approx(direct.value, rel=1e-12)
        assert closed.score == pytest.approx(direct.score, rel=1e-12, abs=1e-11)
        assert closed.information == pytest.approx(direct.information, rel=1e-12)

    def test_the_work_does_not_grow_with_the_events(self, monkeypatch: pytest.MonkeyPatch) -> None:
        singly = []

        def watched(events: Reals, at_risk: Reals, hazards: Reals) -> object:
            singly.append(events.sum())
            return direct(events, at_risk, hazards)

        direct = module._efron_sums
        monkeypatch.setattr(module, "_efron_sums", watched)
        partial_likelihood(by_month({"A": "30/1 9000/1", "B": "34/2 1/5"}), np.zeros(2))
        assert singly == [64]

    @pytest.mark.parametrize("start", [1, Fraction(3, 2), 40, 10**4, 10**9])
    @pytest.mark.parametrize("terms", [33, 65, 1000])
    def test_rising_sums_are_the_sums(self, start: Fraction, terms: int) -> None:
        values = [start + i for i in range(terms)]
        logs, inverses, squares = (
            float(sums[0])
            for sums in rising_sums(np.array([float(start)]), np.array([terms * 1.0]))
        )
        assert logs == pytest.approx(math.fsum(math.log(v) for v in values), rel=2e-15, abs=2e-13)
        assert inverses == pytest.approx(
            float(sum(1 / Fraction(v) for v in values)), rel=4e-15, abs=0
        )
        assert squares == pytest.approx(
            float(sum(1 / Fraction(v) ** 2 for v in values)), rel=4e-15, abs=0
        )

    def test_rising_sums_are_log_gamma_digamma_and_trigamma(self) -> None:
        from scipy.special import digamma, gammaln, polygamma

        start, terms = np.array([1.0, 2.5, 77.0]), np.array([100.0, 5000.0, 64.0])
        logs, inverses, squares = rising_sums(start, terms)
        end = start + terms
        assert logs == pytest.approx(gammaln(end) - gammaln(start), rel=1e-13)
        assert inverses == pytest.approx(digamma(end) - digamma(start), rel=1e-13)
        assert squares == pytest.approx(polygamma(1, start) - polygamma(1, end), rel=1e-13)


def test_a_table_without_events_has_nothing_to_say() -> None:
    for ties in ("efron", "breslow"):
        nothing = partial_likelihood(followed({"A": "1+", "B": "2+"}), np.zeros(2), ties=ties)
        assert nothing.value == 0.0
        assert not nothing.score.any()
        assert not nothing.information.any()
