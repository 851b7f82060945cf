"""Figures that others published, from our tables.

Each figure names where it was published. R stands for the R package survival 3.8-11, whose own
tests and vignettes print these numbers; where R prints few digits, only those are compared.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from lifelines import datasets

from simulator.aggregates.grid import DAYS_PER_MONTH, Grid, Unit
from simulator.aggregates.survival import SurvivalTable
from simulator.statistics.cox import CoxFit, cox
from simulator.statistics.kaplan_meier import at_risk_at, kaplan_meier, survival_at
from simulator.statistics.log_rank import Weights, log_rank, stratified_log_rank
from simulator.statistics.partial_likelihood import partial_likelihood
from simulator.statistics.quantiles import median
from simulator.statistics.restricted_mean import restricted_mean, restricted_mean_difference
from tests.unit.statistics.drawn import AML, SIX_PATIENTS, followed

DATA = Path(__file__).parent / "data"
Z = 1.959963984540054


def table_of(
    groups: Sequence[int | float | str], days: Sequence[int], events: Sequence[bool]
) -> SurvivalTable:
    """A table by day, with an arm for each value among the groups in ascending order."""
    labels = sorted(set(groups))
    return SurvivalTable.from_rows(
        tuple(str(label) for label in labels),
        Grid(Unit.DAY, 60),
        arm=np.array([labels.index(group) for group in groups], dtype=np.int64),
        days=np.array(days, dtype=np.int64),
        event=np.array(events, dtype=np.bool_),
    )


def error(fit: CoxFit, arm: int = 1) -> float:
    """The standard error of a coefficient."""
    return math.sqrt(fit.covariance[arm, arm])


def in_days(months: float | None) -> float | None:
    return None if months is None else months * DAYS_PER_MONTH


class TestSixPatients:
    """R, vignettes/validate.Rnw, "Test data 1": everything in closed form."""

    table = followed(SIX_PATIENTS)

    def test_breslow(self) -> None:
        beta = math.log((3 + math.sqrt(33)) / 2)
        fit = cox(self.table, ties="breslow")
        assert beta == pytest.approx(1.475285, abs=5e-7)
        assert fit.coefficients[1] == pytest.approx(beta, abs=1e-14)
        # 2 beta - log(3r + 3) - 2 log(r + 3)
        r = math.exp(beta)
        assert fit.log_likelihood == pytest.approx(
            2 * beta - math.log(3 * r + 3) - 2 * math.log(r + 3), abs=1e-14
        )
        assert fit.log_likelihood_null == pytest.approx(-math.log(6) - 2 * math.log(4), abs=1e-14)

    def test_breslows_first_newton_step(self) -> None:
        start = partial_likelihood(self.table, np.zeros(2), ties="breslow")
        assert start.score[1] == pytest.approx(1, abs=1e-15)
        assert start.information[1, 1] == pytest.approx(5 / 8, abs=1e-15)
        assert start.score[1] / start.information[1, 1] == pytest.approx(8 / 5, abs=1e-14)

    def test_efron(self) -> None:
        fit = cox(self.table)
        assert fit.coefficients[1] == pytest.approx(1.676857, abs=5e-7)
        assert fit.log_likelihood_null == pytest.approx(-4.276666, abs=5e-7)
        # The vignette prints -3.358979, but its own formula gives -3.358975 at its own beta.
        r = math.exp(1.676857)
        formula = 2 * 1.676857 - math.log(3 * r + 3) - math.log(r + 3) - math.log(r / 2 + 5 / 2)
        assert fit.log_likelihood == pytest.approx(formula, abs=1e-12)
        assert fit.log_likelihood == pytest.approx(-3.358975, abs=5e-7)

    def test_efrons_score_is_nothing_at_its_solution(self) -> None:
        # 2 - r/(r+1) - r/(r+3) - r/(r+5) = 0 is r^3 - 23 r - 30 = 0
        r = math.exp(cox(self.table).coefficients[1])
        assert r**3 - 23 * r - 30 == pytest.approx(0, abs=1e-11)

    def test_efrons_information(self) -> None:
        start = partial_likelihood(self.table, np.zeros(2))
        assert start.score[1] == pytest.approx(13 / 12, abs=1e-15)
        assert start.information[1, 1] == pytest.approx(83 / 144, abs=1e-15)
        assert 1 / cox(self.table).covariance[1, 1] == pytest.approx(0.612632, abs=5e-7)


class TestAml:
    """R, tests/doaml.Rout.save and the textbook figures for `aml`."""

    table = followed(AML)

    def test_the_curve_of_the_maintained(self) -> None:
        curve = kaplan_meier(self.table, "Maintained")
        weeks = [9, 13, 18, 23, 31, 34, 48]
        survival = [0.909, 0.818, 0.716, 0.614, 0.491, 0.368, 0.184]
        errors = [0.0867, 0.1163, 0.1397, 0.1526, 0.1642, 0.1627, 0.1535]
        assert curve.at_risk[weeks].tolist() == [11, 10, 8, 7, 5, 4, 2]
        assert curve.survival[weeks] == pytest.approx(survival, abs=5.1e-4)
        assert (curve.survival * np.sqrt(curve.greenwood))[weeks] == pytest.approx(errors, abs=5e-5)

    def test_the_curve_of_the_others(self) -> None:
        curve = kaplan_meier(self.table, "Nonmaintained")
        weeks = [5, 8, 12, 23, 27, 30, 33, 43, 45]
        survival = [0.8333, 0.6667, 0.5833, 0.4861, 0.3889, 0.2917, 0.1944, 0.0972, 0]
        errors = [0.1076, 0.1361, 0.1423, 0.1481, 0.1470, 0.1387, 0.1219, 0.0919]
        assert curve.at_risk[weeks].tolist() == [12, 10, 8, 6, 5, 4, 3, 2, 1]
        assert curve.survival[weeks] == pytest.approx(survival, abs=5e-5)
        assert (curve.survival * np.sqrt(curve.greenwood))[weeks[:-1]] == pytest.approx(
            errors, abs=5e-5
        )

    @pytest.mark.parametrize(("arm", "weeks"), [("Maintained", 31), ("Nonmaintained", 23)])
    def test_medians(self, arm: str, weeks: int) -> None:
        found = median(kaplan_meier(self.table, arm))
        assert in_days(found.estimate) == pytest.approx(weeks, abs=1e-12)

    def test_log_rank(self) -> None:
        test = log_rank(self.table)
        assert test.observed == (7, 11)
        assert test.expected == pytest.approx((10.69, 7.31), abs=5e-3)
        assert test.statistic == pytest.approx(3.396389, abs=5e-7)
        assert test.p == pytest.approx(0.07, abs=5e-3)

    def test_cox(self) -> None:
        breslow, efron = cox(self.table, ties="breslow"), cox(self.table)
        assert (breslow.coefficients[1], error(breslow)) == pytest.approx(
            (0.9042, 0.5122), abs=5e-5
        )
        assert (efron.coefficients[1], error(efron)) == pytest.approx((0.9155, 0.5119), abs=5e-5)

    def test_a_dummy_group_of_early_censorings(self) -> None:
        # R, tests/difftest.Rout.save: the same 3.4 on 1 degree of freedom
        test = log_rank(followed(AML | {"dummy": "1+ 1+ 2+ 3+"}))
        assert test.statistic == pytest.approx(3.396389, abs=5e-7)
        assert test.degrees_of_freedom == 1


class TestLung:
    """North Central Cancer Treatment Group, 228 patients (Loprinzi 1994; R, `lung`)."""

    rows = datasets.load_lung()
    sexes = table_of(list(rows["sex"]), list(rows["time"]), list(rows["status"] == 1))

    def test_log_rank_by_sex(self) -> None:
        test = log_rank(self.sexes)  # R prints 10.3 on 1 degree of freedom, p = 0.001
        assert test.observed == (112, 53)
        assert test.expected == pytest.approx((91.6, 73.4), abs=0.05)
        assert test.statistic == pytest.approx(10.326742, abs=5e-7)
        assert test.p == pytest.approx(0.00131, abs=5e-6)

    def test_cox_by_sex(self) -> None:
        fit = cox(self.sexes)  # R prints -0.5310 (0.1672), LR 10.63, score 10.33
        assert (fit.coefficients[1], error(fit)) == pytest.approx((-0.5310, 0.1672), abs=5e-5)
        assert fit.likelihood_ratio.statistic == pytest.approx(10.63, abs=5e-3)
        assert fit.score.statistic == pytest.approx(10.33, abs=5e-3)
        assert cox(self.sexes, ties="breslow").coefficients[1] == pytest.approx(-0.530397, abs=5e-7)

    def test_medians_by_sex(self) -> None:
        found = [
            in_days(median(kaplan_meier(self.sexes, arm)).estimate) for arm in ("1", "2", None)
        ]
        assert found == pytest.approx([270, 426, 310], abs=1e-12)  # R

    @pytest.mark.parametrize(("arm", "days"), [("1", (210, 306)), ("2", (345, 524))])
    def test_intervals_of_the_medians(self, arm: str, days: tuple[int, int]) -> None:
        # lifelines 0.30.3, whose bands are log-log too; R's bands are log: (212, 310), (348, 550)
        found = median(kaplan_meier(self.sexes, arm))
        assert (in_days(found.lower), in_days(found.upper)) == pytest.approx(days, abs=1e-12)

    def test_restricted_means_by_performance(self) -> None:
        # R, survival-Ex.Rout.save: rmean over 730 days 429, 366, 256, 118, se 32.2, 22.4, 30.0, 0
        rows = self.rows[self.rows["ph.ecog"].notna()]
        table = table_of(list(rows["ph.ecog"]), list(rows["time"]), list(rows["status"] == 1))
        means = [
            restricted_mean(kaplan_meier(table, arm), 730 / DAYS_PER_MONTH) for arm in table.arms
        ]
        assert [in_days(mean.estimate) for mean in means] == pytest.approx(
            [428.5833, 366.2657, 255.6205, 118], abs=5e-5
        )
        errors = [
            (mean.upper - mean.lower) / 2 / Z * DAYS_PER_MONTH
            for mean in means
            if mean.upper is not None and mean.lower is not None
        ]
        assert errors == pytest.approx([32.157, 22.416, 29.956, 0], abs=5e-4)
        assert [in_days(median(kaplan_meier(table, arm)).estimate) for arm in table.arms] == (
            pytest.approx([394, 306, 199, 118], abs=1e-12)
        )

    def test_a_difference_of_restricted_means_by_performance(self) -> None:
        # from R's printed means and errors as above: 366.2657 - 428.5833, se 22.416 and 32.157
        rows = self.rows[self.rows["ph.ecog"].notna()]
        table = table_of(list(rows["ph.ecog"]), list(rows["time"]), list(rows["status"] == 1))
        none, some = (kaplan_meier(table, arm) for arm in table.arms[:2])
        found = restricted_mean_difference(some, none, 730 / DAYS_PER_MONTH)
        error = math.hypot(22.416, 32.157)
        assert in_days(found.estimate) == pytest.approx(-62.3176, abs=1e-4)
        assert in_days(found.lower) == pytest.approx(-62.3176 - Z * error, abs=2e-3)
        assert found.p == pytest.approx(math.erfc(62.3176 / error / math.sqrt(2)), abs=1e-5)

    def test_log_rank_by_karnofsky_within_institutions(self) -> None:
        # R, example(survdiff): survdiff(Surv(time, status) ~ pat.karno + strata(inst), data = lung)
        rows = self.rows[self.rows["pat.karno"].notna() & self.rows["inst"].notna()]
        scores = tuple(str(score) for score in range(30, 110, 10))
        strata = []
        for _, site in rows.groupby("inst"):
            strata.append(
                SurvivalTable.from_rows(
                    scores,
                    Grid(Unit.DAY, 60),
                    arm=site["pat.karno"].to_numpy().astype(np.int64) // 10 - 3,
                    days=site["time"].to_numpy().astype(np.int64),
                    event=site["status"].to_numpy() == 1,
                )
            )
        sizes = [int(stratum.patients.sum()) for stratum in strata]
        assert sizes == [36, 5, 18, 4, 9, 14, 8, 4, 18, 23, 19, 6, 15, 13, 17, 6, 7, 2]
        test = stratified_log_rank(strata)
        assert test.statistic == pytest.approx(21.368446, abs=5e-7)  # R prints 21.4
        assert test.degrees_of_freedom == 7
        assert test.p == pytest.approx(0.003, abs=5e-4)
        assert test.observed == (1, 1, 4, 27, 31, 38, 38, 21)
        expected = (0.692, 1.099, 1.166, 16.298, 26.358, 41.938, 47.242, 26.207)
        assert test.expected == pytest.approx(expected, abs=5e-4)


class TestSixMercaptopurine:
    """Freireich 1963: 21 patients on 6-MP (Rx 0) and 21 on placebo (Rx 1), weeks."""

    rows = datasets.load_leukemia()
    table = table_of(list(rows["Rx"]), list(rows["t"]), list(rows["status"] == 1))

    def test_log_rank(self) -> None:
        test = log_rank(self.table)  # R prints 16.8, p = 4e-05
        assert test.statistic == pytest.approx(16.792941, abs=5e-7)
        assert test.p == pytest.approx(4.16881e-5, rel=1e-5)

    @pytest.mark.parametrize(
        ("weights", "statistic"),
        [("wilcoxon", 13.457852), ("tarone-ware", 15.123575), ("peto", 14.084139)],
    )
    def test_weighted(self, weights: Weights, statistic: float) -> None:
        # Kleinbaum & Klein, Survival Analysis, by way of lifelines' tests
        found = log_rank(self.table, weights=weights).statistic
        assert found == pytest.approx(statistic, abs=1.1e-6)

    def test_cox(self) -> None:
        breslow, efron = cox(self.table, ties="breslow"), cox(self.table)
        assert (breslow.coefficients[1], error(breslow)) == pytest.approx(
            (1.509191, 0.409564), abs=5e-7
        )
        assert (efron.coefficients[1], error(efron)) == pytest.approx(
            (1.572125, 0.412397), abs=5e-7
        )

    def test_medians(self) -> None:
        treated, placebo = (median(kaplan_meier(self.table, arm)) for arm in ("0", "1"))
        # Freireich 1963: 23 and 8 weeks; the intervals from lifelines 0.30.3 (log-log bands)
        assert (in_days(treated.estimate), in_days(treated.lower)) == pytest.approx((23, 13))
        assert treated.upper is None
        assert [in_days(v) for v in (placebo.estimate, placebo.lower, placebo.upper)] == (
            pytest.approx([8, 4, 11])
        )

    def test_the_curve_on_treatment(self) -> None:
        # The product-limit column of the textbook table (Cox & Oakes 1984, table 4.1)
        curve = kaplan_meier(self.table, "0")
        weeks = [6, 7, 10, 13, 16, 22, 23]
        survival = [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
        assert curve.survival[weeks] == pytest.approx(survival, abs=5e-4)
        assert curve.at_risk[weeks].tolist() == [21, 17, 15, 12, 11, 7, 6]
        assert at_risk_at(curve, 9 / DAYS_PER_MONTH) == 16
        assert survival_at(curve, 24 / DAYS_PER_MONTH).estimate == pytest.approx(0.448, abs=5e-4)


class TestOvarian:
    """26 patients, two treatments (Edmunson 1979; R, `ovarian`)."""

    with (DATA / "ovarian.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    table = table_of(
        [row["rx"] for row in rows],
        [int(row["futime"]) for row in rows],
        [row["fustat"] == "1" for row in rows],
    )

    def test_log_rank(self) -> None:
        test = log_rank(self.table)  # R, tests/ovarian.Rout.save
        assert self.table.patients.tolist() == [13, 13]
        assert test.observed == (7, 5)
        assert test.expected == pytest.approx((5.23, 6.77), abs=5e-3)
        assert test.statistic == pytest.approx(1.06, abs=5e-3)
        assert test.p == pytest.approx(0.3, abs=0.05)

    def test_cox(self) -> None:
        fit = cox(self.table, ties="breslow")
        assert fit.score.statistic == pytest.approx(1.063, abs=5e-4)
        assert (fit.coefficients[1], error(fit)) == pytest.approx((-0.5964, 0.5870), abs=5e-5)


class TestRegimes:
    """How long 1,808 political regimes lasted: six kinds and heavy ties (lifelines, `load_dd`)."""

    rows = datasets.load_dd()
    table = table_of(list(rows["regime"]), list(rows["duration"]), list(rows["observed"] == 1))

    def test_log_rank(self) -> None:
        test = log_rank(self.table)  # R, by way of lifelines' tests
        assert test.statistic == pytest.approx(322.5991, abs=5e-5)
        assert test.degrees_of_freedom == 5

    def test_ties_matter(self) -> None:
        # most of the cells hold more than 64 events, so both of Efron's forms are at work
        assert (self.table.events.sum(axis=0) > 64).sum() >= 5
        efron, breslow = cox(self.table), cox(self.table, ties="breslow")
        assert np.max(np.abs(efron.coefficients - breslow.coefficients)) > 0.1


def test_rossi_by_financial_aid() -> None:
    """432 convicts, a year, monthly aid (Rossi 1980); figures of several transcripts of R."""
    rows = datasets.load_rossi()
    table = table_of(list(rows["fin"]), list(rows["week"]), list(rows["arrest"] == 1))
    assert log_rank(table).statistic == pytest.approx(3.837570, abs=5e-7)
    fit = cox(table)
    assert (fit.coefficients[1], error(fit)) == pytest.approx((-0.369069, 0.189722), abs=5e-7)


def test_lymphoma_by_stage() -> None:
    """StatsDirect's manual, by way of lifelines' tests."""
    rows = datasets.load_lymphoma()
    table = table_of(list(rows["Stage_group"]), list(rows["Time"]), list(rows["Censor"] == 1))
    test = log_rank(table)
    assert test.statistic == pytest.approx(6.70971, abs=5e-6)
    assert test.p == pytest.approx(0.0096, abs=5e-5)


def test_glioma_by_radioimmunotherapy() -> None:
    """Grana 2002, with R's log-log bands by way of lifelines' tests."""
    rows = datasets.load_g3()
    table = table_of(list(rows["group"]), list(rows["time"]), list(rows["event"]))
    assert log_rank(table).p == pytest.approx(0.0138, abs=5e-5)
    treated, control = kaplan_meier(table, "RIT"), kaplan_meier(table, "Control")
    assert sorted(set(np.round(treated.survival, 3))) == [0.779, 0.909, 1.0]
    assert sorted(set(np.round(control.survival, 3))) == [0.333, 0.5, 0.667, 0.833, 1.0]
    first = int(np.flatnonzero(control.survival < 1)[0])
    assert (control.lower[first], control.upper[first]) == pytest.approx((0.2731, 0.975), abs=5e-4)
