from __future__ import annotations

import pytest

from simulator.statistics.estimates import normal_quantile


def test_the_usual_level_reaches_1_96_standard_errors() -> None:
    assert normal_quantile(0.95) == pytest.approx(1.959963984540054, abs=1e-15)


def test_half_the_mass_lies_within_two_thirds_of_a_standard_error() -> None:
    assert normal_quantile(0.5) == pytest.approx(0.6744897501960817, abs=1e-15)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0, -0.5, float("nan")])
def test_a_level_that_is_no_share_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="a level between 0 and 1 was expected"):
        normal_quantile(level)
