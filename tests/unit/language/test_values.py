"""Ranges of values and their units."""

from __future__ import annotations

import math

import pytest

from simulator.language.units import bundled_units
from simulator.language.values import ValueRange


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("above 2 mg/dL", ValueRange(2.0, None, "mg/dL", strict=True)),
        ("below 2", ValueRange(None, 2.0, "1", strict=True)),
        ("at least 2.50 mg/dL", ValueRange(2.5, None, "mg/dL")),
        ("at most 0.5 10*3/uL", ValueRange(None, 0.5, "10*3/uL")),
        ("-1 to 5 mmol/L", ValueRange(-1.0, 5.0, "mmol/L")),
    ],
)
def test_a_range_of_values_is_read_and_written(text: str, said: ValueRange) -> None:
    assert ValueRange.parse(text) == said
    assert ValueRange.parse(str(said)) == said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2", "expected 'above 2 mg/dL', 'at most 2 mg/dL' or '1 to 2 mg/dL'; found '2'"),
        ("above two", "expected 'above 2 mg/dL'"),
        ("above 2 mg per dL", "expected 'above 2 mg/dL'"),
        ("5 to 2 mg/dL", "an impossible range: 5 is more than 2"),
        ("above 9999999999999", "a bound of a value is at most 1e\\+12"),
    ],
)
def test_a_range_that_does_not_fit(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ValueRange.parse(text)


def test_units_convert_within_a_measurement_and_nowhere_else() -> None:
    units = bundled_units()
    # Bilirubin, C33H36N4O6, has 584.66 g/mol: 1 mg/dL is 17.1 umol/L (PubChem CID 5280352).
    factor = units.factor("1975-2", "umol/L", "mg/dL")
    assert factor is not None
    assert math.isclose(factor, 584.66 / 10_000, rel_tol=1e-3)
    back = units.factor("1975-2", "mg/dL", "umol/L")
    assert back is not None
    assert math.isclose(factor * back, 1.0)
    assert units.factor(None, "mg/dL", "mg/dL") == 1.0
    assert units.factor(None, "umol/L", "mg/dL") is None
    assert units.factor("1975-2", "kg", "mg/dL") is None
    assert units.factor("1975-2", "mg/dL", "kg") is None
    assert units.factor("6301-6", "{INR}", "1") == 1.0
