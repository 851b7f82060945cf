from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.aggregates.released import (
    Between,
    Noisy,
    Partial,
    Released,
    Rounded,
    Withheld,
)
from simulator.hub.analyses.results import Bounds, Landmark
from simulator.laboratory.compare_held import held_count, held_survival, over_runs
from simulator.laboratory.compare_values import Held, HeldRatio, farthest


def mark(estimate: float | None, bounds: Bounds | None = None) -> Landmark:
    return Landmark(36, 10, estimate, None, None, bounds)


def within(
    truth: float, least: float, most: float | None = None, beyond: float = 0.0, **more: float
) -> Held:
    """What bounds say of the truth."""
    width = None if most is None else most - least
    missed = float(beyond > 0)
    return Held(
        truth, at_least=least, at_most=most, outside=missed, beyond=beyond, width=width, **more
    )


@pytest.mark.parametrize(
    ("shown", "held"),
    [
        (850, Held(418, 850, 432)),
        (418, Held(418, 418, 0)),
        (Noisy(409, 17.2), Held(418, 409, -9, outside=0)),
        (Noisy(384, 17.2), Held(418, 384, -34, outside=1)),
        (Withheld(11), Held(418)),
        (Between(400, 500), within(418, 400, 500)),
        (Partial(216, 54, 270, 702), within(418, 270, 702)),
        (Partial(386, 21, 386, None), within(418, 386)),
        (Partial(500, 2, 502, 518), within(418, 502, 518, 84)),
        (Partial(100, 2, 102, 118), within(418, 102, 118, 300)),
    ],
)
def test_a_count_beside_the_truth(shown: Released, held: Held) -> None:
    assert held_count(shown, 418) == held


def test_a_stand_in_is_no_number() -> None:
    held = held_count(Rounded(10, Between(1, 10)), 4)
    assert held == within(4, 1, 10)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_bounds_are_wrong_by_the_way_to_the_nearest_that_they_allow(
    truth: int, least: int, wide: int
) -> None:
    held = held_count(Between(least, least + wide), truth)
    assert held.beyond == min(abs(truth - value) for value in range(least, least + wide + 1))
    assert held.outside == (held.beyond > 0)
    assert held.width == wide
    assert held.farthest == max(abs(truth - least), abs(truth - least - wide))


@pytest.mark.parametrize(
    ("found", "held"),
    [
        (mark(0.5), Held(0.375, 0.5, 0.125)),
        (mark(None), within(0.375, 0.0, 1.0)),
        (mark(None, Bounds(0.5, None)), within(0.375, 0.5, 1.0, 0.125)),
        (mark(0.625, Bounds(0.25, 0.75)), within(0.375, 0.25, 0.75, estimate=0.625, error=0.25)),
        (Landmark(36, 10, 0.5, 0.25, 0.75), Held(0.375, 0.5, 0.125, outside=0)),
        (Landmark(36, 10, 0.5, 0.4375, 0.75), Held(0.375, 0.5, 0.125, outside=1)),
        (None, Held(0.375)),
    ],
)
def test_survival_beside_the_truth(found: Landmark | None, held: Held) -> None:
    assert held_survival(found, 0.375, bounded=True) == held


def test_where_a_release_tells_no_bounds_a_gap_is_no_number() -> None:
    assert held_survival(mark(None), 0.375, bounded=False) == Held(0.375)


def test_what_is_withheld_can_leave_anything() -> None:
    assert held_count(Withheld(11), 5).farthest == math.inf
    assert held_count(Partial(386, 21, 386, None), 418).farthest == math.inf


def test_of_several_runs_the_mean_and_the_spread() -> None:
    runs = [held_count(number, 418) for number in (410, 420, 430)]
    squared = (8**2 + 2**2 + 12**2) / 3
    assert over_runs(runs) == Held(418, 420, 2, deviation=10, root_mean_square=math.sqrt(squared))
    assert over_runs(runs[:1]) == runs[0]
    with pytest.raises(ValueError, match="at least one run"):
        over_runs([])


def test_a_mean_lacks_what_a_run_lacks() -> None:
    runs = [held_count(shown, 418) for shown in (400, Partial(300, 9, 309, 390))]
    assert over_runs(runs) == Held(418)
    bounded = [held_count(Partial(300, 9, 310, most), 418) for most in (390, 400)]
    assert over_runs(bounded) == within(418, 310, 395, 23)


def test_errors_that_cancel_are_errors_still() -> None:
    noisy = over_runs([held_count(Noisy(number, 4.0), 418) for number in (398, 438)])
    assert (noisy.error, noisy.root_mean_square, noisy.outside) == (0, 20, 1)
    steady = over_runs([held_count(number, 418) for number in (420, 420)])
    assert (steady.error, steady.root_mean_square) == (2, 2)
    assert farthest([noisy, steady]) is noisy


@given(st.lists(st.integers(0, 900), min_size=2, max_size=9), st.integers(0, 900))
def test_the_mean_squared_error_is_that_of_bias_and_spread(counts: list[int], truth: int) -> None:
    held = over_runs([held_count(count, truth) for count in counts])
    assert held.error is not None
    assert held.deviation is not None
    assert held.root_mean_square is not None
    spread = held.deviation**2 * (len(counts) - 1) / len(counts)
    assert held.root_mean_square**2 == pytest.approx(held.error**2 + spread, abs=1e-6)
    assert held.farthest >= abs(held.error) - 1e-9


def test_of_several_runs_the_share_whose_interval_misses() -> None:
    runs = [held_count(Noisy(number, 2.0), 418) for number in (415, 418, 421, 430)]
    assert over_runs(runs).outside == 0.25
    bounds = [held_count(Between(400, most), 418) for most in (410, 450)]
    assert over_runs(bounds).outside == 0.5


def test_the_farthest_is_the_one_that_misleads_most() -> None:
    number, bounds, unknown = Held(50, 90, 40), Held(50, at_least=0, at_most=80), Held(50)
    assert farthest([number, bounds]) is bounds
    assert farthest([number, bounds, unknown]) is unknown
    assert farthest([]) is None


@pytest.mark.parametrize(
    ("estimate", "truth", "factor"), [(2.0, 1.0, 2.0), (1.0, 2.0, 2.0), (None, 2.0, None)]
)
def test_a_ratio_is_off_by_a_factor_either_way(
    estimate: float | None, truth: float, factor: float | None
) -> None:
    assert HeldRatio("a", "b", estimate, truth).factor == factor
