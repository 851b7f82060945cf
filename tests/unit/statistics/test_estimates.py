from __future__ import annotations

import pytest

from simulator.statistics.estimates import (
    NO_CONTRAST,
    Contrast,
    exponential,
    normal_quantile,
    wald,
)


def test_the_usual_level_reaches_1_96_standard_errors() -> None:
    assert normal_quantile(0.95) == pytest.approx(1.959963984540054, abs=1e-15)


def test_half_the_mass_lies_within_two_thirds_of_a_standard_error() -> None:
    assert normal_quantile(0.5) == pytest.approx(0.6744897501960817, abs=1e-15)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0, -0.5, float("nan")])
def test_a_level_that_is_no_share_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="a level between 0 and 1 was expected"):
        normal_quantile(level)


def test_a_wald_contrast_is_the_textbooks() -> None:
    found = wald(1.0, 0.5, 0.95)  # z = 2: p = 0.0455, and 1 -+ 1.96 / 2
    assert found.p == pytest.approx(0.04550026, abs=1e-8)
    assert (found.lower, found.upper) == pytest.approx((0.0200180, 1.9799820), abs=1e-6)


def test_without_spread_there_is_no_test() -> None:
    assert wald(1.0, 0.0, 0.95) == Contrast(1.0, 1.0, 1.0, None)


def test_a_ratio_is_the_exponential_with_the_same_test() -> None:
    logs = wald(0.0, 1.0, 0.9)
    ratio = exponential(logs)
    assert (ratio.estimate, ratio.p) == (1.0, logs.p)
    assert (ratio.lower or 0.0) * (ratio.upper or 0.0) == pytest.approx(1.0)
    assert exponential(NO_CONTRAST) == NO_CONTRAST
