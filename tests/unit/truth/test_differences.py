"""Differences from pooled rows, against lifelines and where a scale has no number."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.statistics import survival_difference_at_fixed_point_in_time_test

from simulator.aggregates.grid import DAYS_PER_MONTH
from simulator.truth.differences import mean_differences, survival_differences
from simulator.truth.step_curve import StepCurve, step_curve
from simulator.truth.values import ContrastTruth, Interval

NOTHING = ContrastTruth(Interval(None, None, None), None)
PAIR = [("b", "a")]


def curves(a: list[tuple[int, bool]], b: list[tuple[int, bool]]) -> dict[str, StepCurve]:
    return {"a": step_curve(a, 24), "b": step_curve(b, 24)}


@pytest.mark.parametrize("seed", range(4))
def test_the_log_log_test_is_that_of_lifelines(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = [
        [(int(random.integers(1, 600)), bool(random.random() < 0.6)) for _ in range(80)]
        for _ in range(2)
    ]
    (found,) = survival_differences(curves(rows[0], rows[1]), PAIR, [10])
    every = np.arange(700)
    fits = [
        KaplanMeierFitter().fit([d for d, _ in arm], [e for _, e in arm], timeline=every)
        for arm in rows
    ]
    day = int(10 * DAYS_PER_MONTH)
    theirs = survival_difference_at_fixed_point_in_time_test(day, fits[1], fits[0])
    assert found.ratio.p == pytest.approx(theirs.p_value, rel=1e-9)
    assert found.ratio.p_adjusted == found.ratio.p
    gap = fits[1].predict(day) - fits[0].predict(day)
    assert found.difference.value.estimate == pytest.approx(float(gap), abs=1e-12)


def test_a_mean_of_nothing_has_a_difference_and_no_ratio() -> None:
    (found,) = mean_differences(curves([(0, True)], [(10, True)]), PAIR, 6)
    assert found.difference.value.estimate == pytest.approx(10 / DAYS_PER_MONTH)
    assert found.ratio == NOTHING


def test_an_arm_that_died_out_has_a_difference_and_no_ratio_of_hazards() -> None:
    paths = curves([(3, True)], [(3, True), (99, False)])
    (found,) = survival_differences(paths, PAIR, [1])
    assert found.difference == ContrastTruth(Interval(0.5, None, None), None)
    assert found.ratio == NOTHING


def test_two_arms_in_which_all_are_alive_differ_by_nothing_without_a_test() -> None:
    (found,) = survival_differences(curves([(90, True)], [(99, False)]), PAIR, [1])
    assert found.difference == ContrastTruth(Interval(0.0, None, None), None)


@pytest.mark.parametrize(("pair", "end"), [(("b", "a"), "upper"), (("a", "b"), "lower")])
def test_an_interval_of_shares_ends_at_one(pair: tuple[str, str], end: str) -> None:
    few = [(1, True), (2, True), (3, True), (99, False)]
    most = [(1, True), (99, False), (99, False), (99, False)]
    (found,) = survival_differences(curves(few, most), [pair], [1])
    assert abs(getattr(found.difference.value, end)) == 1.0
    other = found.difference.value.lower if end == "upper" else found.difference.value.upper
    reach = 1.959963984540054 * np.sqrt(2 * 0.75 * 0.25 / 4)
    assert abs(other or 0.0) == pytest.approx(reach - 0.5)


def test_what_is_not_known_of_one_arm_is_not_known_of_the_pair() -> None:
    paths = curves([(3, True), (20, False)], [(3, True), (99, False)])
    (alive,), (mean,) = survival_differences(paths, PAIR, [2]), mean_differences(paths, PAIR, 2)
    assert (alive.difference, alive.ratio) == (mean.difference, mean.ratio) == (NOTHING, NOTHING)
