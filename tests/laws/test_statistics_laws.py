"""What holds for every survival table: federated is pooled, and every number has a second way.

Each law is a plain function of a cohort. All laws run on a few small cohorts; with `-m laws` they
run on many.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test
from numpy.typing import NDArray
from pandas import DataFrame

from simulator.aggregates.grid import DAYS_PER_MONTH, Grid, Unit
from simulator.aggregates.survival import SurvivalTable, survival_layout
from simulator.aggregates.table import Table
from simulator.statistics.cox import CoxFit, all_contrasts, cox, holm, stratified_cox
from simulator.statistics.fixed_point import cumulative_hazard_ratio, survival_difference
from simulator.statistics.kaplan_meier import (
    at_risk_at,
    kaplan_meier,
    reverse_kaplan_meier,
    survival_at,
)
from simulator.statistics.log_rank import Weights, log_rank, stratified_log_rank
from simulator.statistics.partial_likelihood import Ties
from simulator.statistics.quantiles import median, quantile
from simulator.statistics.restricted_mean import (
    restricted_mean,
    restricted_mean_difference,
    restricted_mean_ratio,
)
from simulator.statistics.subgroups import subgroup_fit

ARMS = ("TARE", "TACE", "SABR", "none")
WEIGHTS: tuple[Weights, ...] = ("log-rank", "wilcoxon", "tarone-ware", "peto")
TIES: tuple[Ties, ...] = ("efron", "breslow")
CONTRASTS = (
    restricted_mean_difference,
    restricted_mean_ratio,
    survival_difference,
    cumulative_hazard_ratio,
)
MANY = int(os.environ.get("EXAMPLES", "1000"))


@dataclass(frozen=True, eq=False)
class Cohort:
    """Rows of patients, and the site of each; arrays of shape (n,)."""

    arms: int
    months: int
    arm: NDArray[np.int64]
    days: NDArray[np.int64]
    event: NDArray[np.bool_]
    site: NDArray[np.int64]

    def table(self, unit: Unit = Unit.DAY, where: NDArray[np.bool_] | None = None) -> SurvivalTable:
        """The table of the patients chosen, by default all."""
        kept = np.ones(self.arm.size, dtype=np.bool_) if where is None else where
        return SurvivalTable.from_rows(
            ARMS[: self.arms],
            Grid(unit, self.months),
            arm=self.arm[kept],
            days=self.days[kept],
            event=self.event[kept],
        )

    @property
    def units(self) -> list[Unit]:
        """The units of which the horizon is a multiple."""
        return [unit for unit in Unit if self.months % max(unit.width_months, 1) == 0]

    @property
    def seen(self) -> Cohort:
        """The same patients as the horizon lets them be seen."""
        last = Grid(Unit.DAY, self.months).last_day
        return replace(
            self, days=np.minimum(self.days, last), event=self.event & (self.days <= last)
        )

    @property
    def untied(self) -> Cohort:
        """The same patients, each on a day of their own, in the same order."""
        order = np.argsort(np.argsort(self.days, kind="stable"))
        return replace(self, months=12, days=order + 1)

    @property
    def all_dead(self) -> Cohort:
        """The same patients without censoring."""
        return replace(self, months=600, event=np.ones_like(self.event))


@st.composite
def cohorts(draw: st.DrawFn) -> Cohort:
    """A few patients in two to four arms, many on the same day, some past the horizon."""
    arms = draw(st.integers(2, 4))
    last = draw(st.sampled_from([6, 40, 300]))
    patient = st.tuples(
        st.integers(0, arms - 1), st.integers(0, last), st.booleans(), st.integers(0, 6)
    )
    rows = np.array(draw(st.lists(patient, min_size=1, max_size=40)), dtype=np.int64)
    months = draw(st.sampled_from([1, 3, 10, 24, 36]))
    return Cohort(arms, months, rows[:, 0], rows[:, 1], rows[:, 2] == 1, rows[:, 3])


def study(seed: int, patients: int = 418) -> Cohort:
    """A cohort as large as the reported study: four arms, exponential lives, uniform accrual."""
    rng = np.random.default_rng(seed)
    arm = rng.integers(0, 4, patients)
    medians = np.array([38.0, 36.0, 33.0, 30.0])[arm] * DAYS_PER_MONTH
    death = np.ceil(rng.exponential(medians / np.log(2)))
    end = rng.integers(365, 2200, patients)
    site = rng.integers(0, 68, patients)
    days = np.minimum(death, end).astype(np.int64)
    return Cohort(4, 120, arm, days, death <= end, site)


# Federated is pooled


def everything(table: SurvivalTable) -> list[object]:
    """All that the estimators say about a table, to the last bit."""
    said: list[object] = []
    for arm in (*table.arms, None):
        for curve in (kaplan_meier(table, arm), reverse_kaplan_meier(table, arm)):
            said += [curve.survival.tobytes(), curve.lower.tobytes(), curve.greenwood.tobytes()]
            said += [median(curve), survival_at(curve, 1), at_risk_at(curve, 1)]
            said += [restricted_mean(curve, 1), quantile(curve, 0.25), quantile(curve, 0.75)]
    for arm in table.arms[1:]:
        one, other = kaplan_meier(table, arm), kaplan_meier(table, table.arms[0])
        said += [contrast(one, other, 1) for contrast in CONTRASTS]
    said += [log_rank(table, weights=weights) for weights in WEIGHTS]
    for ties in TIES:
        strata = subgroup_fit([table, table.select(table.arms)], ties=ties)
        said += [strata.interaction, strata.common.covariance.tobytes()]
        fit = cox(table, ties=ties)
        said += [fit.log_likelihood, fit.score, fit.covariance.tobytes(), all_contrasts(fit)]
    return said


def summed(cohort: Cohort, unit: Unit, sites: int) -> SurvivalTable:
    """The table that the sites' own tables add up to; a site may be without patients."""
    parts = [cohort.table(unit, cohort.site == site).table for site in range(sites)]
    total = sum(parts[1:], start=parts[0])
    return SurvivalTable(Grid(unit, cohort.months), total)


def split_does_not_matter(cohort: Cohort) -> None:
    sites = int(cohort.site.max()) + 1
    for unit in cohort.units:
        assert everything(summed(cohort, unit, sites)) == everything(cohort.table(unit))


# The estimators against lifelines on the same rows


def curves_are_those_of_lifelines(cohort: Cohort) -> None:
    rows, table = cohort.seen, cohort.table()
    for arm in np.unique(rows.arm):
        mine = rows.arm == arm
        fit = KaplanMeierFitter().fit(rows.days[mine], rows.event[mine])
        curve = kaplan_meier(table, ARMS[arm])
        days = fit.survival_function_.index.to_numpy().astype(np.int64)
        theirs = fit.survival_function_.to_numpy()[:, 0]
        assert curve.survival[days] == pytest.approx(theirs, abs=1e-12)
        alive = theirs > 0  # at 0 they print a band of 0 to 1
        bands = fit.confidence_interval_.to_numpy()[alive]
        assert curve.lower[days][alive] == pytest.approx(bands[:, 0], abs=1e-9)
        assert curve.upper[days][alive] == pytest.approx(bands[:, 1], abs=1e-9)
        assert curve.at_risk[days] == pytest.approx(fit.event_table["at_risk"].to_numpy())
        found = median(curve)
        assert same(found.estimate, first_day(days, theirs))
        if theirs[-1] > 0:
            assert same(found.lower, first_day(days, bands[:, 0]))
            assert same(found.upper, first_day(days, bands[:, 1]))


def first_day(days: NDArray[np.int64], values: NDArray[np.float64]) -> float | None:
    """The first of the days with a value of at most 0.5, but for rounding, in months."""
    passed = days[values <= 0.5 + 1e-11]
    return float(passed[0]) / DAYS_PER_MONTH if passed.size else None


def same(one: float | None, other: float | None) -> bool:
    return one == (None if other is None else pytest.approx(other, abs=1e-9))


def reverse_curve_is_that_of_lifelines_with_deaths_a_moment_earlier(cohort: Cohort) -> None:
    rows, curve = cohort.seen, reverse_kaplan_meier(cohort.table())
    moments = rows.days - np.where(rows.event, 0.5, 0.0)
    fit = KaplanMeierFitter().fit(moments + 1.0, ~rows.event)
    for day in range(0, int(rows.days.max()) + 1, 7):
        theirs = float(fit.survival_function_at_times(day + 1.0).iloc[0])
        assert curve.survival[day] == pytest.approx(theirs, abs=1e-12)


def log_rank_is_that_of_lifelines(cohort: Cohort) -> None:
    for unit in cohort.units:
        cells = Grid(unit, cohort.months).cell_of(cohort.seen.days) + 1
        for weights in WEIGHTS:
            ours = log_rank(cohort.table(unit), weights=weights)
            if ours.degrees_of_freedom == 0:
                continue
            theirs = multivariate_logrank_test(
                cells,
                cohort.arm,
                cohort.seen.event,
                weightings=None if weights == "log-rank" else weights,
            )
            assert ours.statistic == pytest.approx(theirs.test_statistic, rel=1e-9, abs=1e-9)
            if ours.degrees_of_freedom == theirs.degrees_of_freedom:
                assert ours.p == pytest.approx(theirs.p_value, rel=1e-9)


# A second way to the same number


def without_ties_breslow_is_efron_and_its_score_is_the_log_rank(cohort: Cohort) -> None:
    table = cohort.untied.table()
    efron, breslow = (cox(table, ties=ties) for ties in TIES)
    assert efron.coefficients == pytest.approx(breslow.coefficients, rel=1e-9, abs=1e-9)
    assert efron.log_likelihood == pytest.approx(breslow.log_likelihood, rel=1e-12)
    test = log_rank(table)
    assert breslow.score.statistic == pytest.approx(test.statistic, rel=1e-9, abs=1e-12)
    assert breslow.score.degrees_of_freedom == test.degrees_of_freedom


def without_censoring_all_is_counting(cohort: Cohort) -> None:
    lives = cohort.all_dead
    curve = kaplan_meier(lives.table())
    patients = lives.days.size
    for day in range(0, 300, 23):
        alive = float((lives.days > day).mean())
        assert curve.survival[day] == pytest.approx(alive, abs=1e-13)
        variance = curve.survival[day] ** 2 * curve.greenwood[day]
        assert variance == pytest.approx(alive * (1 - alive) / patients, abs=1e-13)
        spent = np.minimum(lives.days, day)
        mean = restricted_mean(curve, day / DAYS_PER_MONTH)
        assert mean.estimate == pytest.approx(spent.mean() / DAYS_PER_MONTH, abs=1e-12)
        assert mean.upper is not None
        error = (mean.upper - spent.mean() / DAYS_PER_MONTH) / 1.959963984540054
        assert error == pytest.approx(spent.std() / np.sqrt(patients) / DAYS_PER_MONTH, abs=1e-9)


def curve_times_reverse_is_the_share_still_there(cohort: Cohort) -> None:
    table = cohort.table()
    alive, followed = kaplan_meier(table), reverse_kaplan_meier(table)
    share = np.append(alive.at_risk[1:], 0) / cohort.arm.size
    assert alive.survival * followed.survival == pytest.approx(share, abs=1e-12)


def bins_lie_between_their_bounds(cohort: Cohort) -> None:
    """Censorings all at the end of their bins, or all at the start: both curves must hold."""
    bins, days = kaplan_meier(cohort.table(Unit.MONTH)), kaplan_meier(cohort.table())
    exposed = {"late": bins.at_risk, "early": bins.at_risk - bins.censored}
    bound = {when: np.cumprod(1 - bins.events / np.maximum(n, 1)) for when, n in exposed.items()}
    at_edges = days.survival[bins.days.astype(np.int64)]
    for curve in (at_edges, bins.survival):
        assert (curve[:-1] <= bound["late"][:-1] + 1e-12).all()
        assert (curve[:-1] >= bound["early"][:-1] - 1e-12).all()


def one_stratum_is_no_stratum(cohort: Cohort) -> None:
    assert stratified_log_rank([cohort.table()]) == log_rank(cohort.table())
    one, other = stratified_cox([cohort.table()]), cox(cohort.table())
    assert one.covariance.tobytes() == other.covariance.tobytes()


def own_ratios_are_never_less_likely_than_common_ones(cohort: Cohort) -> None:
    """Sites as the levels: the likelihoods are nested, and an empty level frees nothing."""
    levels = [cohort.table(Unit.MONTH, cohort.site == site) for site in range(7)]
    found = subgroup_fit(levels)
    own = sum(fit.log_likelihood for fit in found.levels)
    assert own >= found.common.log_likelihood - 1e-8
    assert 0 <= found.interaction.degrees_of_freedom <= 6 * (cohort.arms - 1)


def quantiles_rise_with_their_share(cohort: Cohort) -> None:
    for unit in cohort.units:
        curve = kaplan_meier(cohort.table(unit))
        found = [quantile(curve, share).estimate for share in (0.1, 0.25, 0.5, 0.75, 0.9)]
        reached = [months for months in found if months is not None]
        assert found[: len(reached)] == reached  # what is not reached comes last
        assert all(a <= b + 1e-12 for a, b in pairwise(reached))


def an_interval_holds_no_difference_just_where_its_test_sees_none(cohort: Cohort) -> None:
    for unit in cohort.units:
        one, other = (kaplan_meier(cohort.table(unit), arm) for arm in ARMS[:2])
        for contrast, nothing in zip(CONTRASTS, (0.0, 1.0, 0.0, 1.0), strict=True):
            found = contrast(one, other, 1)
            if found.p is not None and found.lower is not None and found.upper is not None:
                assert (found.lower <= nothing <= found.upper) == (found.p >= 0.05)


# What must change nothing, or only what it should


def an_empty_site_changes_nothing(cohort: Cohort) -> None:
    for unit in cohort.units:
        table = cohort.table(unit)
        more = SurvivalTable(table.grid, table.table + Table.zero(table.table.layout))
        assert everything(more) == everything(table)


def the_order_of_the_arms_does_not_matter(cohort: Cohort) -> None:
    table = cohort.table()
    turned = table.select(table.arms[::-1])
    for weights in WEIGHTS:
        one, other = log_rank(table, weights=weights), log_rank(turned, weights=weights)
        assert one.statistic == pytest.approx(other.statistic, rel=1e-8, abs=1e-9)
        assert one.degrees_of_freedom == other.degrees_of_freedom
        assert one.observed == pytest.approx(other.observed[::-1], rel=1e-12)
    ratios_agree(cox(table), cox(turned))


def the_reference_does_not_matter(cohort: Cohort) -> None:
    table = cohort.table(Unit.MONTH)
    ratios_agree(cox(table), cox(table, reference=table.arms[-1]))


def ratios_agree(one: CoxFit, other: CoxFit) -> None:
    """Every ratio is the same in both fits, and turned round is its inverse."""
    assert one.log_likelihood == pytest.approx(other.log_likelihood, rel=1e-10)
    for arm in one.arms:
        for reference in one.arms:
            if arm != reference:
                here, there = one.contrast(arm, reference), other.contrast(arm, reference)
                back = other.contrast(reference, arm)
                assert (here.estimate is None) == (there.estimate is None)
                if here.estimate and back.estimate and back.lower:
                    assert here.estimate == pytest.approx(there.estimate, rel=1e-7)
                    assert here.estimate == pytest.approx(1 / back.estimate, rel=1e-7)
                    assert here.upper == pytest.approx(1 / back.lower, rel=1e-6)
                    assert here.p == pytest.approx(back.p, rel=1e-6, abs=1e-12)


def an_arm_that_left_before_the_first_event_changes_nothing(cohort: Cohort) -> None:
    later = replace(cohort, days=cohort.days + 1, months=24)
    table = later.table()
    grid, patients = table.grid, np.zeros((1, table.grid.size, 2), dtype=np.int64)
    patients[0, 0, 1] = 5
    arms = (*table.arms, "gone")
    values = np.concatenate([table.table.values, patients])
    more = SurvivalTable(grid, Table(survival_layout(arms, grid), values))
    for weights in WEIGHTS:
        one, other = log_rank(table, weights=weights), log_rank(more, weights=weights)
        assert one.statistic == pytest.approx(other.statistic, rel=1e-12)
        assert one.degrees_of_freedom == other.degrees_of_freedom
        assert one.p == pytest.approx(other.p, rel=1e-9)
    fit, fitted = cox(table), cox(more)
    for arm in table.arms[1:]:
        assert fit.contrast(arm, table.arms[0]) == fitted.contrast(arm, table.arms[0])
        assert fitted.contrast("gone", arm).estimate is None


def many_times_the_same_patients(cohort: Cohort) -> None:
    """Curves stay; Greenwood's sum and the statistic go with the number of patients.

    (N - D) / (N - 1) is all that does not scale, so the statistic per patient grows by at most
    N / (N - 1) <= 2.
    """
    for unit in cohort.units:
        once = cohort.table(unit)
        often = SurvivalTable(once.grid, Table(once.table.layout, once.table.values * 1000))
        one, thousand = kaplan_meier(once), kaplan_meier(often)
        assert thousand.survival == pytest.approx(one.survival, abs=1e-13)
        assert thousand.greenwood * 1000 == pytest.approx(one.greenwood, rel=1e-10)
        small, large = log_rank(once), log_rank(often)
        assert large.statistic >= 1000 * small.statistic * (1 - 1e-9) - 1e-9
        assert large.statistic <= 2000 * small.statistic * (1 + 1e-9) + 1e-9
        assert small.degrees_of_freedom == large.degrees_of_freedom


# Order


def bands_and_intervals_hold_their_estimates(cohort: Cohort) -> None:
    for unit in cohort.units:
        for make in (kaplan_meier, reverse_kaplan_meier):
            curve = make(cohort.table(unit))
            alive = curve.survival > 0
            assert (np.diff(curve.survival) <= 0).all()
            assert (curve.lower <= curve.survival + 1e-15).all()
            assert (curve.survival[alive] <= curve.upper[alive] + 1e-15).all()
            found = median(curve)
            ends = [v for v in (found.lower, found.estimate, found.upper) if v is not None]
            assert all(a <= b + 1e-12 for a, b in pairwise(ends))


def the_restricted_mean_grows_with_its_span_but_never_beyond_it(cohort: Cohort) -> None:
    for unit in cohort.units:
        curve = kaplan_meier(cohort.table(unit))
        means = [
            (months, mean)
            for months in np.linspace(0, cohort.months, 9)
            if (mean := restricted_mean(curve, months).estimate) is not None
        ]
        assert all(-1e-12 <= mean <= months + 1e-12 for months, mean in means)
        assert all(b[1] - a[1] <= b[0] - a[0] + 1e-12 for a, b in pairwise(means))
        assert all(a[1] <= b[1] + 1e-12 for a, b in pairwise(means))


def the_fit_is_the_most_likely(cohort: Cohort) -> None:
    for unit in cohort.units:
        for ties in TIES:
            fit = cox(cohort.table(unit), ties=ties)
            assert fit.log_likelihood >= fit.log_likelihood_null - 1e-10
            assert (np.diag(fit.covariance) >= 0).all()


LAWS: tuple[Callable[[Cohort], None], ...] = (
    split_does_not_matter,
    curves_are_those_of_lifelines,
    reverse_curve_is_that_of_lifelines_with_deaths_a_moment_earlier,
    log_rank_is_that_of_lifelines,
    without_ties_breslow_is_efron_and_its_score_is_the_log_rank,
    without_censoring_all_is_counting,
    curve_times_reverse_is_the_share_still_there,
    bins_lie_between_their_bounds,
    one_stratum_is_no_stratum,
    own_ratios_are_never_less_likely_than_common_ones,
    quantiles_rise_with_their_share,
    an_interval_holds_no_difference_just_where_its_test_sees_none,
    an_empty_site_changes_nothing,
    the_order_of_the_arms_does_not_matter,
    the_reference_does_not_matter,
    an_arm_that_left_before_the_first_event_changes_nothing,
    many_times_the_same_patients,
    bands_and_intervals_hold_their_estimates,
    the_restricted_mean_grows_with_its_span_but_never_beyond_it,
    the_fit_is_the_most_likely,
)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@settings(derandomize=True, max_examples=40, deadline=None)
@given(cohort=cohorts())
def test_law(law: Callable[[Cohort], None], cohort: Cohort) -> None:
    law(cohort)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law_on_a_cohort_of_the_studys_size(law: Callable[[Cohort], None]) -> None:
    law(study(seed=418))


@pytest.mark.laws
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@settings(max_examples=MANY, deadline=None)
@given(cohort=cohorts())
def test_law_at_length(law: Callable[[Cohort], None], cohort: Cohort) -> None:
    law(cohort)


@pytest.mark.parametrize("sites", [1, 2, 7, 68, 500])
@pytest.mark.parametrize("unit", list(Unit))
def test_federated_is_pooled_for_any_number_of_sites(unit: Unit, sites: int) -> None:
    cohort = study(seed=sites)
    spread = replace(cohort, site=np.random.default_rng(sites).integers(0, sites, cohort.arm.size))
    assert everything(summed(spread, unit, sites)) == everything(cohort.table(unit))


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(lambda cohort: np.arange(cohort.arm.size), id="each patient at a site alone"),
        pytest.param(lambda cohort: np.full(cohort.arm.size, 417), id="all at one of many sites"),
        pytest.param(lambda cohort: cohort.arm * 100, id="each arm at one site"),
    ],
)
def test_federated_is_pooled_however_they_lie(
    place: Callable[[Cohort], NDArray[np.int64]],
) -> None:
    cohort = study(seed=1)
    placed = replace(cohort, site=place(cohort))
    assert everything(summed(placed, Unit.DAY, 418)) == everything(cohort.table())


def lifelines_cox(cohort: Cohort, cells: NDArray[np.int64]) -> tuple[NDArray[np.float64], ...]:
    """Coefficients and covariance of lifelines' Efron fit, run until it stands still."""
    dummies = {ARMS[arm]: (cohort.arm == arm).astype(float) for arm in range(1, cohort.arms)}
    frame = DataFrame({"time": cells + 1.0, "event": cohort.seen.event} | dummies)
    fit = CoxPHFitter().fit(frame, "time", "event", fit_options={"precision": 1e-12})
    return fit.params_.to_numpy(), fit.variance_matrix_.to_numpy()


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize("seed", range(3))
def test_the_cox_model_is_that_of_lifelines(unit: Unit, seed: int) -> None:
    cohort = study(seed)
    cells = Grid(unit, cohort.months).cell_of(cohort.seen.days)
    coefficients, covariance = lifelines_cox(cohort, cells)
    fit = cox(cohort.table(unit))
    assert fit.coefficients[1:] == pytest.approx(coefficients, abs=1e-6)
    assert fit.covariance[1:, 1:] == pytest.approx(covariance, abs=1e-6)


def test_the_cox_model_of_heavy_ties_is_that_of_lifelines() -> None:
    cohort = study(seed=7, patients=6000)  # some 80 deaths a month: Efron's closed form
    table = cohort.table(Unit.MONTH)
    assert (table.events.sum(axis=0) > 64).sum() > 10
    coefficients, covariance = lifelines_cox(cohort, table.grid.cell_of(cohort.seen.days))
    fit = cox(table)
    assert fit.coefficients[1:] == pytest.approx(coefficients, abs=1e-6)
    assert fit.covariance[1:, 1:] == pytest.approx(covariance, abs=1e-6)


@settings(derandomize=True, max_examples=100)
@given(st.lists(st.floats(0, 1), max_size=12), st.randoms(use_true_random=False))
def test_holms_correction(p_values: list[float], random: object) -> None:
    adjusted = holm(p_values)
    ranked = sorted(zip(p_values, adjusted, strict=True))
    assert all(p <= a <= min(1.0, len(p_values) * p) for p, a in ranked)
    assert all(a[1] <= b[1] for a, b in pairwise(ranked))
    order = list(range(len(p_values)))
    cast(np.random.Generator, random).shuffle(order)
    assert holm([p_values[i] for i in order]) == tuple(adjusted[i] for i in order)
