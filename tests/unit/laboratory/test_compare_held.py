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


@pytest.mark.parametrize(
    ("shown", "held"),
    [
        (850, Held(418, 850, 432)),
        (418, Held(418, 418, 0)),
        (Noisy(409, 17.2), Held(418, 409, -9)),
        (Withheld(11), Held(418)),
        (Between(400, 500), Held(418, at_least=400, at_most=500, outside=0, width=100)),
        (Partial(216, 54, 270, 702), Held(418, at_least=270, at_most=702, outside=0, width=432)),
        (Partial(386, 21, 386, None), Held(418, at_least=386, outside=0)),
        (Partial(500, 2, 502, 518), Held(418, at_least=502, at_most=518, outside=84, width=16)),
        (Partial(100, 2, 102, 118), Held(418, at_least=102, at_most=118, outside=300, width=16)),
    ],
)
def test_a_count_beside_the_truth(shown: Released, held: Held) -> None:
    assert held_count(shown, 418) == held


def test_a_stand_in_is_no_number() -> None:
    held = held_count(Rounded(10, Between(1, 10)), 4)
    assert held == Held(4, at_least=1, at_most=10, outside=0, width=9)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_bounds_are_wrong_by_the_way_to_the_nearest_that_they_allow(
    truth: int, least: int, wide: int
) -> None:
    held = held_count(Between(least, least + wide), truth)
    assert held.outside == min(abs(truth - value) for value in range(least, least + wide + 1))
    assert held.width == wide
    assert held.farthest == max(abs(truth - least), abs(truth - least - wide))


@pytest.mark.parametrize(
    ("found", "held"),
    [
        (mark(0.5), Held(0.375, 0.5, 0.125)),
        (mark(None), Held(0.375, at_least=0.0, at_most=1.0, outside=0.0, width=1.0)),
        (
            mark(None, Bounds(0.5, None)),
            Held(0.375, at_least=0.5, at_most=1.0, outside=0.125, width=0.5),
        ),
        (mark(0.625, Bounds(0.25, 0.75)), Held(0.375, 0.625, 0.25, 0.25, 0.75, 0.0, 0.5)),
    ],
)
def test_survival_beside_the_truth(found: Landmark, held: Held) -> None:
    assert held_survival(found, 0.375) == held


def test_what_is_withheld_can_leave_anything() -> None:
    assert held_count(Withheld(11), 5).farthest == math.inf
    assert held_count(Partial(386, 21, 386, None), 418).farthest == math.inf


def test_of_several_runs_the_mean_and_the_spread() -> None:
    runs = [held_count(number, 418) for number in (410, 420, 430)]
    assert over_runs(runs) == Held(418, 420, 2, deviation=10)
    assert over_runs(runs[:1]) == runs[0]
    with pytest.raises(ValueError, match="at least one run"):
        over_runs([])


def test_a_mean_lacks_what_a_run_lacks() -> None:
    runs = [held_count(shown, 418) for shown in (400, Partial(300, 9, 309, 390))]
    assert over_runs(runs) == Held(418)
    bounded = [held_count(Partial(300, 9, 310, most), 418) for most in (390, 400)]
    assert over_runs(bounded) == Held(418, at_least=310, at_most=395, outside=23, width=85)


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
