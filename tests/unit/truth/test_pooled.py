from __future__ import annotations

import math
import random

import polars as pl
import pytest

from simulator.aggregates.grid import DAYS_PER_MONTH, Grid, Unit
from simulator.aggregates.survival import SurvivalTable
from simulator.language.reading import parse_study
from simulator.language.study import Study
from simulator.statistics.cox import all_contrasts, cox
from simulator.statistics.fixed_point import cumulative_hazard_ratio, survival_difference
from simulator.statistics.kaplan_meier import (
    at_risk_at,
    kaplan_meier,
    reverse_kaplan_meier,
    survival_at,
)
from simulator.statistics.log_rank import log_rank
from simulator.statistics.quantiles import median
from simulator.truth.pooled import pooled_truth
from simulator.truth.values import Interval, LogRankTruth, PooledTruth

NOTHING = Interval(None, None, None)
Row = tuple[int | None, int, bool]


def study(*arms: str, months: int = 12, landmarks: str = "[1, 12]") -> Study:
    named = "\n".join(f"  {arm}: {{sex: male}}" for arm in arms)
    return parse_study(
        "study: s\nversion: 1\ntitle: t\ncodes: {}\nindex: {drug: any, occurrence: first}\n"
        f"steps: []\narms:\n{named}\noutcome: death\nfollow up: {{months: {months}}}\n"
        f"analyses: {{survival at months: {landmarks}}}\n"
    )


def frame(*rows: Row) -> pl.DataFrame:
    """What the interpreter returns for patients given as (place of the arm, days, event)."""
    columns = {"arm": pl.Int64, "days": pl.Int64, "event": pl.Boolean}
    return pl.DataFrame(rows, schema=columns, orient="row").with_columns(
        steps_passed=pl.lit(0, pl.Int64),
        arms_matched=pl.col("arm").is_not_null().cast(pl.Int64),
    )


# Therneau's six patients: a tied death, a death tied with a censoring, a lone death and a lone
# censoring. First arm x = 0, second x = 1.
SIX = frame((0, 9, True), (0, 6, True), (0, 8, False), (1, 1, True), (1, 1, False), (1, 6, True))


def test_six_patients_by_hand() -> None:
    found = pooled_truth([SIX], study("zero", "one"))
    zero, one = found.arms
    # Of 3 one dies on day 6, and on day 9 the last one.
    assert (zero.patients, zero.events) == (3, 2)
    assert zero.median_months.estimate == 9 / DAYS_PER_MONTH  # S = 2/3, then 0
    # Of 3 one dies on day 1 while another is censored, and on day 6 the last one.
    assert (one.patients, one.events) == (3, 2)
    assert one.median_months.estimate == 6 / DAYS_PER_MONTH  # S = 2/3, then 0
    assert one.survival[0].survival == Interval(0.0, 0.0, None)
    # Efron's score is zero: 2 = r/(r+1) + r/(r+3) + r/(r+5), r being the hazard ratio.
    (ratio,) = found.hazard_ratios
    r = ratio.ratio.estimate
    assert r is not None
    assert r / (r + 1) + r / (r + 3) + r / (r + 5) == pytest.approx(2.0, abs=1e-9)
    assert (ratio.arm, ratio.reference) == ("one", "zero")
    assert ratio.p_adjusted == ratio.p


def test_sites_are_pooled_and_those_outside_exactly_one_arm_left_out() -> None:
    outside = frame((None, 5, True))
    apart = pooled_truth([SIX[:2], outside, SIX[2:]], study("zero", "one"))
    assert apart == pooled_truth([SIX], study("zero", "one"))


def test_time_beyond_the_horizon_is_censored_at_it() -> None:
    (arm,) = pooled_truth([frame((0, 366, True), (0, 365, True))], study("a", months=12)).arms
    assert (arm.patients, arm.events) == (2, 1)
    assert arm.survival[1].survival.estimate == pytest.approx(1 / 2)  # at 365.25 days
    assert arm.survival[1].at_risk == 1


def test_survival_is_not_known_where_nobody_was_watched() -> None:
    (arm,) = pooled_truth([frame((0, 20, True), (0, 40, False))], study("a", months=12)).arms
    assert arm.survival[0].at_risk == 1  # one month is 30.4375 days
    assert arm.survival[0].survival.estimate == pytest.approx(1 / 2)
    assert arm.survival[1].at_risk == 0
    assert arm.survival[1].survival == NOTHING


def test_the_median_is_the_first_day_with_half_or_less() -> None:
    (arm,) = pooled_truth([frame((0, 10, True), (0, 20, True))], study("a")).arms
    assert arm.median_months.estimate == 10 / DAYS_PER_MONTH  # S = 1/2 exactly
    (arm,) = pooled_truth([frame((0, 10, True), (0, 20, False), (0, 30, False))], study("a")).arms
    assert arm.median_months.estimate is None  # S stays at 2/3


def test_follow_up_counts_deaths_before_censorings_of_the_day() -> None:
    rows = frame((0, 10, True), (0, 10, False), (0, 20, False), (0, 20, False))
    (arm,) = pooled_truth([rows], study("a")).arms
    # On day 10 one of the three still there is censored: 2/3. On day 20 all are: 0. Were the death
    # counted as still there, day 10 would give 3/4.
    assert arm.median_follow_up_months.estimate == 20 / DAYS_PER_MONTH
    rows = frame((0, 10, True), (0, 10, False), (0, 20, False))
    (arm,) = pooled_truth([rows], study("a")).arms
    assert arm.median_follow_up_months.estimate == 10 / DAYS_PER_MONTH  # 1/2 on day 10


def test_an_arm_without_patients_has_no_numbers() -> None:
    found = pooled_truth([SIX], study("zero", "one", "nobody"))
    nobody = found.arms[2]
    assert (nobody.patients, nobody.events) == (0, 0)
    assert nobody.median_months == nobody.median_follow_up_months == NOTHING
    assert [(mark.at_risk, mark.survival) for mark in nobody.survival] == [(0, NOTHING)] * 2
    assert found.log_rank == pooled_truth([SIX], study("zero", "one")).log_rank
    ratios = {(ratio.arm, ratio.reference): ratio for ratio in found.hazard_ratios}
    assert ratios["nobody", "zero"].ratio == NOTHING
    assert ratios["nobody", "one"].p_adjusted is None
    assert ratios["one", "zero"].ratio.estimate is not None


def test_an_arm_without_events_has_no_ratio_and_changes_no_other() -> None:
    quiet = frame((2, 4, False), (2, 7, False))
    found = pooled_truth([SIX, quiet], study("zero", "one", "quiet"))
    (alone,) = pooled_truth([SIX], study("zero", "one")).hazard_ratios
    first, *others = found.hazard_ratios
    assert first.ratio.estimate == pytest.approx(alone.ratio.estimate, abs=1e-9)
    assert [other.ratio for other in others] == [NOTHING, NOTHING]
    assert found.log_rank.degrees_of_freedom == 2


def test_nothing_to_compare() -> None:
    nothing = LogRankTruth(0.0, 0, 1.0)
    assert pooled_truth([frame((0, 5, False), (1, 5, False))], study("a", "b")).log_rank == nothing
    gone = frame((0, 5, True), (0, 6, False), (1, 4, False))  # nobody of b is left on day 5
    assert pooled_truth([gone], study("a", "b")).log_rank == nothing


def test_arms_that_never_ran_side_by_side_have_no_finite_ratio() -> None:
    # Everyone of the first arm dies before anyone of the second does.
    rows = [(0, day, True) for day in range(1, 9)] + [(1, day, True) for day in range(20, 28)]
    (ratio,) = pooled_truth([frame(*rows)], study("a", "b")).hazard_ratios
    assert (ratio.ratio, ratio.p) == (NOTHING, None)


def _random_rows(seed: int, arms: int) -> list[tuple[int, int, bool]]:
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    return [
        (chance.randrange(arms), chance.randint(0, 400), chance.random() < 0.6) for _ in range(150)
    ]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("unit", list(Unit))
def test_rows_and_sums_give_the_same_numbers(seed: int, unit: Unit) -> None:
    asked = study("a", "b", "c", months=12, landmarks="[1, 6, 11, 12]")
    rows = _random_rows(seed, 3)
    pooled = pooled_truth([frame(*rows[:70]), frame(*rows[70:])], asked, unit)
    _same_comparisons(pooled, _table(rows, unit))
    _same_differences(pooled, _table(rows, unit))
    if unit is Unit.DAY:
        _same_curves(pooled, _table(rows, unit))


def _table(rows: list[tuple[int, int, bool]], unit: Unit) -> SurvivalTable:
    columns = pl.DataFrame(rows, schema=["arm", "days", "event"], orient="row")
    return SurvivalTable.from_rows(
        ("a", "b", "c"),
        Grid(unit, 12),
        arm=columns["arm"].to_numpy(),
        days=columns["days"].to_numpy(),
        event=columns["event"].to_numpy(),
    )


def _same_comparisons(pooled: PooledTruth, table: SurvivalTable) -> None:
    test = log_rank(table)
    assert pooled.log_rank.statistic == pytest.approx(test.statistic, rel=1e-9)
    assert pooled.log_rank.degrees_of_freedom == test.degrees_of_freedom
    assert pooled.log_rank.p == pytest.approx(test.p, rel=1e-9)
    contrasts = all_contrasts(cox(table))
    assert len(contrasts) == len(pooled.hazard_ratios) == 3
    for mine, theirs in zip(pooled.hazard_ratios, contrasts, strict=True):
        assert (mine.arm, mine.reference) == (theirs.arm, theirs.reference)
        found = (mine.ratio.estimate, mine.ratio.lower, mine.ratio.upper, mine.p, mine.p_adjusted)
        expected = (theirs.estimate, theirs.lower, theirs.upper, theirs.p, theirs.p_adjusted)
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)  # where lifelines stops


def _same_differences(pooled: PooledTruth, table: SurvivalTable) -> None:
    """At months 1 and 11 inside a quarter and a year, at 6 inside a year."""
    assert [found.months for found in pooled.survival_differences[::3]] == [1, 6, 11, 12]
    for found in pooled.survival_differences:
        pair = [kaplan_meier(table, arm) for arm in (found.arm, found.reference)]
        difference = survival_difference(pair[0], pair[1], found.months)
        ratio = cumulative_hazard_ratio(pair[0], pair[1], found.months)
        for mine, theirs in ((found.difference, difference), (found.ratio, ratio)):
            assert _numbers(mine.value) == pytest.approx(_numbers(theirs), rel=1e-9)
            assert (mine.p is None) == (theirs.p is None)
            assert mine.p is None or mine.p == pytest.approx(theirs.p, rel=1e-9)


def _same_curves(pooled: PooledTruth, table: SurvivalTable) -> None:
    for arm in pooled.arms:
        curve = kaplan_meier(table, arm.arm)
        for mark in arm.survival:
            assert mark.at_risk == at_risk_at(curve, mark.months)
            assert _numbers(mark.survival) == pytest.approx(
                _numbers(survival_at(curve, mark.months)), rel=1e-9
            )
        assert _numbers(arm.median_months) == pytest.approx(_numbers(median(curve)))
        follow_up = median(reverse_kaplan_meier(table, arm.arm))
        assert arm.median_follow_up_months.estimate == follow_up.estimate


def _numbers(interval: object) -> list[float]:
    """Estimate, lower and upper, with infinity for what there is not."""
    given = [getattr(interval, name) for name in ("estimate", "lower", "upper")]
    return [math.inf if value is None else value for value in given]
