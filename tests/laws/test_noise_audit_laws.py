"""How much of one patient shows in noisy sums: no more than was paid, and planted faults do.

Neighbouring crowds, of which one has one patient more, by the sums of what all sites answer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import polars as pl
import pytest

from simulator.messages.needs import (
    layout_of,
)
from simulator.messages.noise import noise_laws, noise_scales
from simulator.privacy.audit import lower_bound
from simulator.privacy.noise.laws import Law
from simulator.privacy.releases import DP, chosen
from simulator.privacy.sources import keyed_source
from tests.support.crowds import (
    STUDY,
    crowd,
    exact,
    frame,
    somebody,
)
from tests.support.noisy_sums import (
    ASSIGNMENT,
    ATTRITION,
    CLAIM,
    EPSILON,
    HONEST,
    NEEDS,
    RUNS,
    SITES,
    SURVIVAL,
    Cells,
    Reals,
    apart,
    parted,
    pool,
    request_of,
)

_MANY: Final = int(os.environ.get("EXAMPLES", "20"))


@dataclass(frozen=True)
class Heard:
    """What somebody hears of a run who knows everybody but one patient.

    Attributes:
        noise: The noise in all sums, shape (runs, cells).
        laws: By kind of request the law of the noise, as the listener knows it.
        copies: How often the patient is counted.
        stepwise: Whether each step of the attrition got noise of its own.
    """

    noise: Cells
    laws: Mapping[str, Law]
    copies: int = 1
    stepwise: bool = False

    def without(self) -> dict[str, Cells]:
        """How much likelier each run is with the patient, where there is no such patient."""
        return self._scores(self.noise[::2])

    def with_one(self) -> dict[str, Cells]:
        """The same where there is one: in the first arm, died in the first month."""
        return self._scores(self.noise[1::2] + self.copies * one_patient())

    def _scores(self, sums: Cells) -> dict[str, Cells]:
        """The logarithm of the likelihood ratio in thousandths: of each kind, and of all."""
        found = {
            kind: sum(likelihood(self.laws[kind], cell, self.copies) for cell in cells.T)
            for kind, cells in self.cells(sums).items()
        }
        found["together"] = sum(found.values())
        return {kind: np.round(1000 * score).astype(np.int64) for kind, score in found.items()}

    def cells(self, sums: Cells) -> dict[str, Cells]:
        """The cells in which the patient stands, shape (runs, such cells) each."""
        parts = parted(sums)
        steps = parts["attrition"]
        return {
            "attrition": steps if self.stepwise else steps[:, -1:],
            "assignment": parts["assignment"][:, :1],
            "survival": parts["survival"][:, :1],
        }


def one_patient() -> Cells:
    """The cells of one patient: every step, the first arm, an event in its first month."""
    kinds = {need: np.zeros(layout_of(need, STUDY.question).cells, np.int64) for need in NEEDS}
    kinds[ATTRITION][:] = 1
    kinds[ASSIGNMENT][0] = 1
    kinds[SURVIVAL][0] = 1
    return np.concatenate(list(kinds.values()))


def test_one_patient_more_changes_these_cells_and_no_others() -> None:
    request = request_of(DP)
    one = crowd(np.random.default_rng(2), len(SITES), 40)
    here = frame([somebody(10**6, 0, 3, event=True)])
    other = {**one, "site-2": pl.concat([one["site-2"], here])}
    twice = {**other, "site-3": pl.concat([one["site-3"], here])}
    counts = [
        np.concatenate([table.flat() for table in exact(frames, request)])
        for frames in (one, other, twice)
    ]
    assert np.array_equal(counts[1] - counts[0], one_patient())
    assert np.array_equal(counts[2] - counts[0], 2 * one_patient())


def likelihood(law: Law, heard: Cells, copies: int) -> Reals:
    """ln of the chance of what is heard with so many in a cell against nobody."""
    reach = int(np.abs(heard).max()) + copies
    chances = np.log(np.maximum(law.probabilities(reach), 1e-300))
    found: Reals = chances[heard - copies + reach] - chances[heard + reach]
    return found


def heard_from(
    noise: Cells, epsilon: str, answering: int, copies: int = 1, *, stepwise: bool = False
) -> Heard:
    """What is heard of runs in which so many sites answered."""
    laws = noise_laws(request_of(chosen("dp", None, epsilon)), answering)
    sums = noise[:, :answering].sum(axis=1)
    return Heard(apart(sums) if stepwise else sums, laws, copies, stepwise)


DOUBLE: Final = str(2 * Fraction(EPSILON))


def as_promised(first: int, runs: int) -> Heard:
    return heard_from(pool(EPSILON, "laplace", runs, first), EPSILON, HONEST)


def with_all_answering(first: int, runs: int) -> Heard:
    return heard_from(pool(EPSILON, "laplace", runs, first), EPSILON, len(SITES))


def with_half_the_noise(first: int, runs: int) -> Heard:
    return heard_from(pool(DOUBLE, "laplace", runs, first), DOUBLE, HONEST)


def with_a_patient_at_two_sites(first: int, runs: int) -> Heard:
    return heard_from(pool(EPSILON, "laplace", runs, first), EPSILON, HONEST, copies=2)


def with_too_few_answering(first: int, runs: int) -> Heard:
    return heard_from(pool(EPSILON, "laplace", runs, first), EPSILON, 1)


def with_noise_for_each_step(first: int, runs: int) -> Heard:
    return heard_from(pool(EPSILON, "laplace", runs, first), EPSILON, HONEST, stepwise=True)


def with_two_sites_promised(first: int, runs: int) -> Heard:
    """A patient at two sites, as was stated: the noise is that of half the epsilon."""
    half = str(Fraction(EPSILON) / 2)
    return heard_from(pool(half, "laplace", runs, first), half, HONEST, copies=2)


SOUND: Final = (as_promised, with_all_answering)
FAULTY: Final = (
    with_half_the_noise,
    with_a_patient_at_two_sites,
    with_too_few_answering,
    with_noise_for_each_step,
)


Way = Callable[[int, int], Heard]
"""What is heard of runs: the number of the first, and how many."""


def shows(heard: Heard) -> dict[str, float]:
    """An epsilon that is shown for certain, at 99.9 %: by each kind, and by all together."""
    ones, others = heard.with_one(), heard.without()
    return {kind: lower_bound(ones[kind], others[kind]) for kind in ones}


def paid() -> dict[str, float]:
    """What a run claims to show at the most."""
    scales = noise_scales(request_of(chosen("dp", None, EPSILON)))
    costs = {kind: float(scale.cost.pure or 0) for kind, scale in scales.items()}
    return {**costs, "together": CLAIM}


def is_caught(heard: Heard) -> bool:
    """Whether more shows than was paid."""
    claims = paid()
    return any(epsilon > claims[kind] for kind, epsilon in shows(heard).items())


def caught(way: Way, audits: int) -> int:
    """How many audits find more than was paid."""
    runs = 2000
    return sum(is_caught(way(runs * audit, runs)) for audit in range(audits))


@pytest.mark.parametrize("way", SOUND)
def test_no_more_shows_of_a_patient_than_was_paid(way: Way) -> None:
    assert not is_caught(way(0, RUNS))


def test_the_audit_is_not_blind() -> None:
    """Of what is paid some shows: the patient is told from nobody, only not too well."""
    assert shows(as_promised(0, RUNS))["together"] > CLAIM / 4


@pytest.mark.parametrize("way", FAULTY)
def test_a_fault_in_the_noise_is_caught(way: Way) -> None:
    assert is_caught(way(0, RUNS))


def test_noise_from_floating_point_numbers_is_caught() -> None:
    """The textbook's Laplace noise, added by one site to the cell in which the patient stands."""
    scale = float(noise_scales(request_of(chosen("dp", None, EPSILON)))["survival"].parameter)
    bits = np.frombuffer(keyed_source(b"float")(16 * RUNS), dtype=">u8")
    uniform = ((bits >> np.uint64(11)).astype(np.float64) + 0.5) / 2**53
    noise = np.where(bits & np.uint64(1), scale, -scale) * -np.log(uniform)
    assert lower_bound(1 + noise[::2], noise[1::2]) > CLAIM


@pytest.mark.laws
@pytest.mark.parametrize("way", [*SOUND, with_two_sites_promised])
def test_false_alarms_are_rare(way: Way) -> None:
    audits = min(_MANY, 20)
    assert caught(way, audits) <= 1


@pytest.mark.laws
@pytest.mark.parametrize("way", FAULTY)
def test_faults_are_caught_nineteen_times_of_twenty(way: Way) -> None:
    audits = min(_MANY, 20)
    assert caught(way, audits) >= 0.95 * audits
