"""Of an arm that is hardly larger than its error nothing is told but its totals."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from simulator.aggregates.released import Noisy
from simulator.hub.analyses.compared import Comparison
from simulator.hub.analyses.released import ReleasedNoise
from simulator.hub.analyses.results import Interval
from simulator.hub.analyses.under_noise import of_size, under_noise
from simulator.privacy.noise.laws import Law, Mechanism
from simulator.privacy.releases import DP
from tests.unit.hub.wires import study
from tests.unit.statistics.noises import as_table, cohorts

LOUD = Law(Mechanism.LAPLACE, Fraction(2), 46, 68)


def found(seed: int, sizes: tuple[int, ...]) -> Comparison:
    """Arms of these sizes, a third of each alive after a year, with loud noise."""
    rng = np.random.default_rng(seed)
    truth = cohorts(rng, 1, sizes=sizes, survival=(0.1,) * len(sizes), months=13)[0]
    table = as_table(truth + LOUD.sample(truth.shape, rng))
    return under_noise(study(), DP, ReleasedNoise(table, LOUD))


def test_a_small_arm_has_totals_alone_and_the_notes_say_why() -> None:
    comparison = found(1, (400, 12))
    large, small = comparison.arms
    assert large.is_estimated
    assert all(mark.estimate is not None for mark in large.survival)
    assert not small.is_estimated
    assert isinstance(small.patients, Noisy)
    assert small.patients.noisy < 2 * small.patients.standard_error
    assert small.median_months == Interval(None, None, None)
    assert small.curve
    for mark in (*small.curve, *small.survival):
        assert (mark.estimate, mark.lower, mark.upper) == (None, None, None)
    assert {one.estimate for one in small.quantiles_months} == {None}
    assert small.rmst_months is not None
    assert small.rmst_months.estimate is None
    assert all(isinstance(mark.at_risk, Noisy) for mark in small.survival)
    refused, why = comparison.notes
    assert why.startswith("no curve, median or mean of 'arm 1'")
    assert "ratio" in refused
    assert comparison.log_rank is not None


def test_large_arms_are_told_and_no_note_says_otherwise() -> None:
    comparison = found(2, (400, 300))
    assert len(comparison.notes) == 1
    for arm in comparison.arms:
        assert arm.is_estimated
        assert arm.median_months.estimate is not None
        # nothing is known of its error
        assert arm.median_follow_up_months is None
        assert isinstance(arm.patients, Noisy)
        assert arm.patients.noisy > 2 * arm.patients.standard_error


def test_one_small_arm_alone_is_told_with_its_note() -> None:
    comparison = found(4, (12,))
    assert comparison.log_rank is None
    (why,) = comparison.notes
    assert "'arm 0'" in why


def test_no_number_exceeds_the_patients_counted_apart() -> None:
    """15 are counted; the curve's cells, with more noise, say more."""
    (arm,) = found(5, (60,)).arms
    assert isinstance(arm.patients, Noisy)
    assert arm.patients.noisy > 15
    apart = of_size(arm, Noisy(15, 1.5))
    assert apart.patients == Noisy(15, 1.5)
    counts = [apart.events, apart.censored, *(mark.at_risk for mark in apart.curve)]
    before = [arm.events, arm.censored, *(mark.at_risk for mark in arm.curve)]
    for count, was in zip(counts, before, strict=True):
        assert isinstance(count, Noisy)
        assert isinstance(was, Noisy)
        assert count == Noisy(min(was.noisy, 15), was.standard_error)
    assert of_size(arm, 20).patients == 20
    assert of_size(arm, 20).events == arm.events
