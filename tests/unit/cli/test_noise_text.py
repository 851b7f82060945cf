"""How much noise is in counts is said once for all of a kind."""

from __future__ import annotations

import pytest

from simulator.aggregates.released import Noisy, Partial, Released, Withheld
from simulator.cli.layout import bounds, cell, number, size
from simulator.cli.noise_text import noise_said
from simulator.hub.analyses.results import Bounds


def test_the_least_and_the_greatest_error_are_told() -> None:
    steps: list[Released] = [Noisy(3000, 8.04), Noisy(417, 2.8)]
    said = noise_said({"steps": steps, "patients": [Noisy(3, 1.5), Noisy(4, 1.5)], "others": [7]})
    assert said == (
        "Noise: ~ marks an estimate, of root mean squared error 2.8 to 8.0 (steps), "
        "1.5 (patients).",
    )


def test_without_noise_nothing_is_said() -> None:
    assert noise_said({"steps": [417, Withheld(11)]}) == ()


@pytest.mark.parametrize(
    ("count", "text", "in_csv", "bar"),
    [
        (Noisy(1421, 2.5), "~1,421", "~1421", 1421),
        (Partial(1250, 3, 1270, 3702), "1,270-3,702", "1270-3702", 1250),
        (Partial(0, 3, 12, None), "12 or more", "12 or more", 0),
        (Partial(12, 0, 12, 12), "12", "12", 12),
        (1421, "1,421", 1421, 1421),
        (Withheld(11), "withheld", "withheld", 0),
    ],
)
def test_a_count(count: Released, text: str, in_csv: str | int, bar: int) -> None:
    assert (number(count), cell(count), size(count)) == (text, in_csv, bar)


@pytest.mark.parametrize(
    ("found", "scale", "said"),
    [
        (Bounds(0.0812, 0.924), 100.0, "8-92"),
        (Bounds(0.5, 0.5), 100.0, "50"),
        (None, 100.0, "0-100"),
        (Bounds(8.61, 69.4), 1.0, "8.6-69.4"),
        (Bounds(8.61, None), 1.0, "8.6 or later"),
        (None, 1.0, "not reached"),
    ],
)
def test_bounds_of_an_estimate(found: Bounds | None, scale: float, said: str) -> None:
    assert bounds(found, scale, 0 if scale == 100.0 else 1) == said
