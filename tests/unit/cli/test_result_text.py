"""Numbers with their intervals as the text output has them."""

from __future__ import annotations

import pytest

from simulator.cli.arms_text import _bare, _estimate
from simulator.hub.analyses.results import Bounds, Landmark


@pytest.mark.parametrize(
    ("numbers", "scale", "said"),
    [
        ((0.53, 0.42, 0.62), 100.0, "53 (42-62)"),
        ((0.0, 0.0, None), 100.0, "0 (-)"),
        ((17.0, 5.1, None), 1.0, "17.0 (5.1-)"),
        ((17.0, None, 20.0), 1.0, "17.0 (-20.0)"),
        ((None, 5.1, None), 1.0, "not reached"),
    ],
)
def test_a_share_has_two_bounds_or_no_interval_and_a_median_may_have_one(
    numbers: tuple[float | None, float | None, float | None], scale: float, said: str
) -> None:
    assert _estimate(*numbers, scale) == said


@pytest.mark.parametrize(
    ("estimate", "bounds", "said"),
    [
        (0.534, Bounds(0.4, 0.6), "53"),
        (0.0, Bounds(0.0, 0.44), "0-44"),
        (0.0, None, "0-100"),
        (0.0, Bounds(0.0, 0.0), "0"),
        (None, Bounds(0.0, 0.44), "-"),
    ],
)
def test_a_curve_that_rounding_brings_to_0_is_told_by_its_bounds(
    estimate: float | None, bounds: Bounds | None, said: str
) -> None:
    assert _bare(Landmark(12, 7, estimate, None, None, bounds)) == said
