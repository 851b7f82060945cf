"""Laws of building that take many seeds."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.synthesis.ablations import draw_second_study, site_of
from simulator.synthesis.networks import read_network
from simulator.synthesis.plan import draw_plan, generator

pytestmark = pytest.mark.laws


@pytest.mark.parametrize("seed", range(20))
def test_any_seed_builds_and_shows_the_reported_figures(seed: int) -> None:
    network = read_network("as-reported")
    plan = draw_plan(network, patients=200_000, seed=seed)
    acceptance = network.scenario.acceptance
    for found, arm in zip(plan.figures, network.scenario.arms, strict=True):
        assert found.lie_near(arm, acceptance)
        assert found.draws < acceptance.at_most / 4
    sizes = np.array([len(one.cohort) for one in plan.sites])
    assert sizes.sum() == 418
    assert (sizes > 0).sum() == 68


@pytest.mark.parametrize("first", range(0, 200, 20))
def test_any_seed_shows_the_reported_medians_of_the_second_study(first: int) -> None:
    network = read_network("as-reported")
    study = network.scenario.second
    assert study is not None
    site = site_of(network.organisations, study)
    assert site is not None
    for seed in range(first, first + 20):
        courses, found = draw_second_study(
            lambda part, seed=seed: generator(network, seed, part),  # type: ignore[misc]
            site,
            network.organisations,
            network.scenario,
            study,
            seed,
        )
        assert len(courses) == study.patients
        assert found.median_by_day == pytest.approx(study.recorded_median, abs=study.median_within)
        for group in study.groups:
            if group.recorded_median is not None:
                assert found.medians_by_day[group.name] == pytest.approx(
                    group.recorded_median, abs=study.median_within
                )
        assert max(found.draws.values()) < study.at_most / 4


def test_plain_draws_scatter_around_what_acceptance_asks_for() -> None:
    network = read_network("as-modelled")
    plans = [draw_plan(network, patients=5_000, seed=seed) for seed in range(200)]
    for number, arm in enumerate(network.scenario.arms):
        survival = np.array([plan.figures[number].survival_by_day for plan in plans], dtype=float)
        sizes = np.array([plan.figures[number].patients for plan in plans])
        assert np.nanmean(survival) == pytest.approx(arm.recorded_survival, abs=0.03)
        assert np.nanstd(survival) > 0.03
        assert sizes.mean() == pytest.approx(arm.patients, rel=0.05)
