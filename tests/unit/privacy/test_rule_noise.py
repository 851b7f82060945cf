"""The laws of the noise that rules add, against their closed forms."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.privacy.rules.cell_key import CellKey
from simulator.privacy.rules.noise import below, laplaces, normals, uniforms
from simulator.privacy.rules.registry import RULES
from simulator.privacy.sources import keyed_source

DRAWS = 200_000


def counts_of(count: int, draws: int = DRAWS) -> NDArray[np.int64]:
    return np.full(draws, count, dtype=np.int64)


def furthest(draws: NDArray[np.float64], law: object) -> float:
    """The greatest distance between the distribution of the draws and a law (Kolmogorov)."""
    ordered = np.sort(draws)
    expected = np.array([law(value) for value in ordered[:: DRAWS // 1000]])  # type: ignore[operator]
    found = np.arange(DRAWS)[:: DRAWS // 1000] / DRAWS
    return float(np.abs(found - expected).max())


# Kolmogorov's distance is above 1.95 / sqrt(n) once in a thousand; between every 200th, a bit less.
FAR = 1.95 / math.sqrt(DRAWS) + 2 / DRAWS


def test_uniforms_keep_away_from_both_ends() -> None:
    lowest = uniforms(bytes, 1)
    highest = uniforms(lambda size: b"\xff" * size, 1)
    assert lowest[0] == 2.0**-53
    assert highest[0] == 1 - 2.0**-53
    assert uniforms(keyed_source(b"seed"), 0).shape == (0,)
    assert furthest(uniforms(keyed_source(b"seed"), DRAWS), float) < FAR


def test_normal_noise_has_the_normal_law() -> None:
    law = NormalDist(0, 6.5)
    assert furthest(normals(keyed_source(b"seed"), DRAWS, 6.5), law.cdf) < FAR


def test_laplace_noise_has_the_laplace_law() -> None:
    scale = 1 / 0.28

    def law(value: float) -> float:
        tail = 0.5 * math.exp(-abs(value) / scale)
        return tail if value < 0 else 1 - tail

    assert furthest(laplaces(keyed_source(b"seed"), DRAWS, scale), law) < FAR


def test_whole_numbers_are_alike_likely() -> None:
    found = np.bincount(below(keyed_source(b"seed"), DRAWS, 7), minlength=7)
    assert found.size == 7
    # Five standard deviations of a binomial count.
    assert np.abs(found - DRAWS / 7).max() < 5 * math.sqrt(DRAWS * 6 / 49)


def test_i2b2_rounds_normal_noise() -> None:
    shown = RULES["i2b2"].apply(counts_of(100), keyed_source(b"seed")).shown
    assert shown.mean() == pytest.approx(100, abs=5 * 1.354 / math.sqrt(DRAWS))
    # The variance of rounding is 1/12 on top.
    assert shown.var() == pytest.approx(1.323**2 + 1 / 12, rel=0.02)


def test_i2b2_never_shows_less_than_nobody() -> None:
    shown = RULES["i2b2"].apply(counts_of(4), keyed_source(b"seed")).shown
    assert shown.min() == 0
    # 4 with noise that rounds to 0 or less.
    assert (shown == 0).mean() == pytest.approx(NormalDist(4, 1.323).cdf(0.5), rel=0.1)


def test_shrine_withholds_an_eleven_two_times_in_three() -> None:
    cells = RULES["shrine"].apply(counts_of(11), keyed_source(b"seed"))
    # 11 is binned to 10, and withheld where 10 with noise stays below 12.5.
    expected = NormalDist(10, 6.5).cdf(12.5)
    assert expected == pytest.approx(0.65, abs=0.001)
    assert cells.withheld.mean() == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize(
    ("name", "count", "answers", "step"),
    [
        ("i2b2", 20, 30, 1),
        ("random-round-3", 20, 29, 1),
        ("random-round-5", 22, 89, 1),
        ("shrine", 420, 22, 5),
    ],
)
def test_fresh_noise_is_averaged_away(name: str, count: int, answers: int, step: int) -> None:
    """As many answers as the rule says give the count, or its multiple, back 95 times in 100."""
    shown = RULES[name].apply(counts_of(count, 4_000 * answers), keyed_source(b"seed")).shown
    guessed = np.round(shown.reshape(4_000, answers).mean(axis=1) / step) * step
    assert (guessed == count).mean() == pytest.approx(0.95, abs=0.02)


def test_averaging_shrines_answers_tells_no_more_than_the_multiple() -> None:
    means = [
        RULES["shrine"].apply(counts_of(count), keyed_source(b"seed", str(count))).shown.mean()
        for count in (418, 419, 420, 421, 422)
    ]
    assert means == pytest.approx([420] * 5, abs=5 * 6 / math.sqrt(DRAWS))


def test_joining_known_patients_averages_a_kept_shift_away() -> None:
    """62 answers of PIC-SURE, whose shifts have a variance of 4, as if they were fresh."""
    known = np.arange(62, dtype=np.int64)
    right = 0
    for trial in range(300):
        answers = [
            RULES["pic-sure"].apply(counts_of(40 + more, 1), keyed_source(b"salt", str(trial)))
            for more in known.tolist()
        ]
        shown = np.array([int(cells.shown[0]) for cells in answers])
        right += round(float((shown - known).mean())) == 40
    assert right / 300 == pytest.approx(0.95, abs=0.05)


def test_random_rounding_has_its_closed_form() -> None:
    for base in (3, 5):
        for count in range(10, 10 + base):
            rule = RULES[f"random-round-{base}"]
            shown = rule.apply(counts_of(count), keyed_source(b"seed", str(count))).shown
            rest = count % base
            variance = rest * (base - rest)
            assert shown.var() == pytest.approx(variance, rel=0.02)
            error = math.sqrt(variance / DRAWS)
            assert shown.mean() == pytest.approx(count, abs=5 * error + 1e-12)


def test_random_rounding_to_three_of_evenly_spread_rests() -> None:
    """(0 + 2 + 2) / 3 = 4/3 a cell; 68 of them give a total with a deviation of 9.52."""
    counts = np.tile(np.arange(30, 33, dtype=np.int64), DRAWS // 3)
    noise = RULES["random-round-3"].apply(counts, keyed_source(b"seed")).shown - counts
    assert math.sqrt(68 * noise.var()) == pytest.approx(9.52, rel=0.01)


def test_leafs_shifts_are_alike_likely() -> None:
    shown = RULES["leaf"].apply(counts_of(50), keyed_source(b"seed")).shown
    found = np.bincount(shown - 40, minlength=20)
    assert found[10] == 0
    rest = np.delete(found, 10)
    assert np.abs(rest - DRAWS / 19).max() < 5 * math.sqrt(DRAWS * 18 / 361)


KEYS = 256


def noise_of(count: int) -> NDArray[np.int64]:
    """The noise of a count under each of the keys."""
    rule = CellKey(keys=KEYS, largest=5, small=3)
    return rule.noise(counts_of(count, KEYS), np.arange(KEYS, dtype=np.int64))


def test_the_cell_key_table_has_mean_zero_and_small_bounds() -> None:
    for count in range(40):
        noise = noise_of(count)
        assert noise.sum() == 0
        assert np.abs(noise).max() <= 5
        assert set((count + noise).tolist()).isdisjoint({1, 2, 3})


def test_the_cell_key_table_by_hand() -> None:
    assert set(noise_of(0).tolist()) == {0}
    for count in (1, 2, 3):
        shown = (count + noise_of(count)).tolist()
        assert set(shown) == {0, 4}
        assert shown.count(4) == KEYS * count // 4
    assert set(noise_of(4).tolist()) == {0}
    assert set(noise_of(6).tolist()) == {-2, -1, 0, 1, 2}
    # d (d + 1) / 3 is the variance of whole numbers alike likely from -d to d.
    assert noise_of(30).var() == pytest.approx(10, rel=0.01)


def test_the_same_records_get_the_same_noise_whatever_else_is_asked() -> None:
    rule = RULES["cell-key"]
    source = keyed_source(b"seed")
    one = rule.apply(counts_of(20, 1), source, np.array([77], dtype=np.int64))
    two = rule.apply(
        np.array([5, 20], dtype=np.int64), source, np.array([9, 77 + 256], dtype=np.int64)
    )
    assert one.shown[0] == two.shown[1]


@pytest.mark.parametrize(
    ("keys", "found"),
    [(None, "none"), (np.zeros(3), "float64"), (np.zeros(1, dtype=np.int64), "int64")],
)
def test_the_cell_key_rule_wants_a_key_for_each_cell(
    keys: NDArray[np.int64] | None, found: str
) -> None:
    with pytest.raises(ValueError, match=rf"record keys of each cell.* of shape \(3,\).*{found}"):
        RULES["cell-key"].apply(counts_of(5, 3), keyed_source(b"seed"), keys)
