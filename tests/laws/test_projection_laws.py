"""How often the next count falls into the interval that was projected for it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from simulator.statistics.poisson import Bounds, next_by_mean, next_by_trend

QUARTERS, AHEAD, TIMES = 12, 4, 1000
Projects = Callable[[list[int]], tuple[Bounds, ...]]
BY: dict[str, Projects] = {
    "mean": lambda counts: (next_by_mean(counts, 4),) * AHEAD,
    "trend": lambda counts: next_by_trend(counts, AHEAD),
}


def covered(project: Projects, means: list[float], spread: float = 0.0) -> list[float]:
    """The share of drawn histories after which each of the next counts lay in its interval.

    Args:
        project: What projects.
        means: The true means of the quarters that are seen, then of those to come.
        spread: By how much the variance exceeds the mean, as a multiple of the mean.
    """
    random = np.random.default_rng(20260101)
    expected = np.array(means)
    inside = np.zeros(AHEAD)
    for _ in range(TIMES):
        drawn = random.gamma(expected / spread, spread) if spread else expected
        counts = random.poisson(drawn)
        found = project(counts[:QUARTERS].tolist())
        inside += [
            bounds.lower <= count <= bounds.upper
            for bounds, count in zip(found, counts[QUARTERS:], strict=True)
        ]
    return [float(share) for share in inside / TIMES]


@pytest.mark.laws
@pytest.mark.parametrize("mean", [0.1, 0.5, 1.0, 2.0, 5.0, 20.0, 200.0])
@pytest.mark.parametrize("by", BY)
def test_nine_of_ten_counts_around_one_mean_are_covered(by: str, mean: float) -> None:
    assert min(covered(BY[by], [mean] * (QUARTERS + AHEAD))) >= 0.9


@pytest.mark.laws
@pytest.mark.parametrize("first", [2.0, 5.0, 10.0, 20.0, 50.0])
def test_a_line_that_falls_to_one_is_covered(first: float) -> None:
    means = np.linspace(first, 1.0, QUARTERS + AHEAD).tolist()
    assert min(covered(BY["trend"], means)) >= 0.85


@pytest.mark.laws
@pytest.mark.parametrize("last", [5.0, 20.0, 100.0])
def test_a_line_that_rises_from_one_is_covered(last: float) -> None:
    means = np.linspace(1.0, last, QUARTERS + AHEAD).tolist()
    assert min(covered(BY["trend"], means)) >= 0.9


@pytest.mark.laws
@pytest.mark.parametrize("by", BY)
def test_counts_that_vary_more_than_poisson_are_covered(by: str) -> None:
    assert min(covered(BY[by], [20.0] * (QUARTERS + AHEAD), spread=2.0)) >= 0.85
