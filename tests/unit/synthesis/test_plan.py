from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
import pytest

from simulator.errors import UserError
from simulator.synthesis.courses import Courses
from simulator.synthesis.labels import EXCLUDED_BY, NEAR_MISSES, Label
from simulator.synthesis.networks import NetworkFile, read_network
from simulator.synthesis.plan import Plan, draw_plan
from simulator.synthesis.scenario import Scenario
from tests.unit.synthesis.counting import study_steps

MONTH = 365.25 / 12


def with_scenario(network: NetworkFile, scenario: Scenario) -> NetworkFile:
    return dataclasses.replace(network, scenario=scenario)


def without_acceptance(scenario: Scenario) -> Scenario:
    return msgspec.structs.replace(
        scenario, acceptance=msgspec.structs.replace(scenario.acceptance, required=False)
    )


def cohort(plan: Plan) -> Courses:
    return Courses.concatenate([one.cohort for one in plan.sites])


@pytest.mark.parametrize("seed", [0, 1, 20240731])
def test_any_seed_shows_the_reported_figures(whole: NetworkFile, seed: int) -> None:
    plan = draw_plan(whole, patients=200_000, seed=seed)
    assert [one.patients for one in plan.figures] == [167, 42, 167, 42]
    for found, arm in zip(plan.figures, whole.scenario.arms, strict=True):
        assert found.lie_near(arm, whole.scenario.acceptance)


def test_each_site_that_can_answer_has_a_cohort_patient_and_no_other(whole: NetworkFile) -> None:
    plan = draw_plan(whole, patients=5_000, seed=3)
    sizes = np.array([len(one.cohort) for one in plan.sites])
    assert sizes.sum() == 418
    assert plan.can_answer.sum() == 68
    assert np.array_equal(sizes > 0, plan.can_answer)
    assert sum(one.patients for one in plan.sites) == 5_000


def test_near_misses_are_never_few_and_grow_with_the_network(whole: NetworkFile) -> None:
    for patients, total in ((3_000, 0), (200_000, 3_000)):
        plan = draw_plan(whole, patients=patients, seed=3)
        for label in NEAR_MISSES:
            count = sum(one.near_misses.get(label, 0) for one in plan.sites)
            wanted = whole.scenario.near_misses[label] * patients // 200_000
            assert count == max(wanted, whole.scenario.least)
        assert sum(sum(one.near_misses.values()) for one in plan.sites) > total


def test_recorded_dates_lie_in_the_window_and_true_ones_before_the_cut(whole: NetworkFile) -> None:
    courses = cohort(draw_plan(whole, patients=5_000, seed=5))
    dates = courses.index.astype("datetime64[D]")
    assert dates.min() >= np.datetime64("2016-01-01")
    assert dates.max() <= np.datetime64("2024-07-31")
    assert ((courses.index - courses.shift).astype("datetime64[D]").max()) <= np.datetime64(
        "2024-07-31"
    )
    assert (courses.shift != 0).any()


def test_the_same_hazards_drawn_plainly_differ_in_size_and_survival() -> None:
    modelled = read_network("as-modelled")
    plans = [draw_plan(modelled, patients=5_000, seed=seed) for seed in range(3)]
    assert len({tuple(one.patients for one in plan.figures) for plan in plans}) == 3
    assert len({plan.figures[0].survival_by_day for plan in plans}) == 3
    assert all(one.draws == 1 for plan in plans for one in plan.figures)


def test_the_scenario_gives_the_figures_without_acceptance_in_a_large_sample(
    whole: NetworkFile,
) -> None:
    large = tuple(msgspec.structs.replace(arm, patients=20_000) for arm in whole.scenario.arms)
    scenario = msgspec.structs.replace(without_acceptance(whole.scenario), arms=large)
    plan = draw_plan(with_scenario(whole, scenario), patients=200_000, seed=1)
    for found, arm in zip(plan.figures, scenario.arms, strict=True):
        assert found.survival_by_day == pytest.approx(arm.recorded_survival, abs=0.025)
        assert found.median_by_day == pytest.approx(arm.recorded_median, abs=1.6)


def test_a_hazard_of_15_percent_more_leaves_the_tolerance(whole: NetworkFile) -> None:
    def median_off(factor: float) -> float:
        arms = tuple(
            msgspec.structs.replace(
                arm, patients=20_000, true_median=arm.true_median * factor ** (-1 / arm.shape)
            )
            for arm in whole.scenario.arms
        )
        scenario = msgspec.structs.replace(without_acceptance(whole.scenario), arms=arms)
        plan = draw_plan(with_scenario(whole, scenario), patients=200_000, seed=1)
        return min(
            abs((found.median_by_day or 0.0) - arm.recorded_median)
            for found, arm in zip(plan.figures, arms, strict=True)
        )

    assert median_off(1.15) > 1.0


def test_a_limit_of_draws_ends_the_build_and_names_the_seed(whole: NetworkFile) -> None:
    acceptance = msgspec.structs.replace(
        whole.scenario.acceptance, at_most=2, survival_within=0.0, median_within=0.0
    )
    scenario = msgspec.structs.replace(whole.scenario, acceptance=acceptance)
    with pytest.raises(UserError, match="none of 2 draws of the arm") as caught:
        draw_plan(with_scenario(whole, scenario), patients=5_000, seed=99)
    assert "seed 99" in str(caught.value)


def test_too_few_patients_are_refused_with_the_least_number(whole: NetworkFile) -> None:
    with pytest.raises(UserError, match="100 patients are too few") as caught:
        draw_plan(whole, patients=100, seed=1)
    assert "or more" in (caught.value.hint or "")


def test_a_cohort_smaller_than_its_sites_is_refused(whole: NetworkFile) -> None:
    arms = tuple(msgspec.structs.replace(arm, patients=2) for arm in whole.scenario.arms)
    scenario = msgspec.structs.replace(whole.scenario, arms=arms)
    with pytest.raises(UserError, match="8 patients of the cohort cannot be at 68 sites"):
        draw_plan(with_scenario(whole, scenario), patients=5_000, seed=1)


def test_arms_keep_their_distribution_and_share_their_random_numbers(whole: NetworkFile) -> None:
    arms = tuple(msgspec.structs.replace(arm, patients=20_000) for arm in whole.scenario.arms)
    scenario = msgspec.structs.replace(without_acceptance(whole.scenario), arms=arms)
    courses = cohort(draw_plan(with_scenario(whole, scenario), patients=200_000, seed=2))
    for number, arm in enumerate(arms):
        own = courses.arm == number
        assert np.median(courses.true_days[own]) / MONTH == pytest.approx(arm.true_median, rel=0.03)
        assert np.array_equal(courses.true_days[own], courses.under[own, number])
    # Better arms are better for every single patient.
    assert (courses.under[:, 0] >= courses.under[:, 2]).all()
    burdened = np.median(courses.true_days[courses.high_burden])
    assert burdened < 0.75 * np.median(courses.true_days[~courses.high_burden])


def test_labels_name_steps_that_the_study_has() -> None:
    steps = set(study_steps())
    assert set(EXCLUDED_BY) == set(Label)
    assert {step for step in EXCLUDED_BY.values() if step} - {"index", "site"} == steps
