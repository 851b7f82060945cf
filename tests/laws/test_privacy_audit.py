"""Outputs on neighbours never show more privacy loss than is claimed, and planted faults do.

A study with one patient in a cell, and the same without: what is released of that cell, many times.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.privacy.audit import lower_bound
from simulator.privacy.noise.exact import discrete_laplace
from simulator.privacy.noise.laws import Mechanism
from simulator.privacy.noise.shares import laplace_share, skellam_share
from simulator.privacy.sources import ByteSource, keyed_source
from simulator.privacy.spending import DELTA, plan_spending

_MANY: Final = int(os.environ.get("EXAMPLES", "1000"))
CLAIM: Final = 1.0
PARTS: Final = 68
OUTPUTS: Final = 4000

LAPLACE: Final = plan_spending(["survival"], CLAIM)["survival"].parameter
SKELLAM: Final = plan_spending(["survival"], CLAIM, mechanism=Mechanism.SKELLAM)[
    "survival"
].parameter

Outputs = NDArray[np.int64] | NDArray[np.float64]
Release = Callable[[int, ByteSource], Outputs]
"""Many releases of a count."""


def central(count: int, source: ByteSource) -> Outputs:
    return count + laplace_share(OUTPUTS, LAPLACE, 1, source)


def rejected(count: int, source: ByteSource) -> Outputs:
    return count + discrete_laplace(OUTPUTS, LAPLACE, source)


def distributed(count: int, source: ByteSource) -> Outputs:
    shares = (laplace_share(OUTPUTS, LAPLACE, PARTS, source) for _ in range(PARTS))
    total: NDArray[np.int64] = count + np.stack([*shares]).sum(axis=0)
    return total


def distributed_skellam(count: int, source: ByteSource) -> Outputs:
    shares = (skellam_share(OUTPUTS, SKELLAM, PARTS, source) for _ in range(PARTS))
    total: NDArray[np.int64] = count + np.stack([*shares]).sum(axis=0)
    return total


def with_half_the_noise(count: int, source: ByteSource) -> Outputs:
    return count + laplace_share(OUTPUTS, LAPLACE / 2, 1, source)


def with_a_patient_twice(count: int, source: ByteSource) -> Outputs:
    return central(2 * count, source)


def with_floating_point(count: int, source: ByteSource) -> Outputs:
    """The textbook's: the logarithm of a uniform number, with a sign (Mironov 2012)."""
    bits = np.frombuffer(source(8 * OUTPUTS), dtype=">u8")
    uniform = ((bits >> np.uint64(11)).astype(np.float64) + 0.5) / 2**53
    sign = np.where(bits & np.uint64(1), 1.0, -1.0)
    return count + sign * float(LAPLACE) * -np.log(uniform)


def with_one_share_of_many(count: int, source: ByteSource) -> Outputs:
    """All other sites forgot theirs, or told it: collusion."""
    return count + skellam_share(OUTPUTS, SKELLAM, PARTS, source)


def audited(release: Release, seed: int, delta: float = 0.0) -> float:
    one, other = (keyed_source(b"audit", release.__name__, str(seed), n) for n in ("one", "other"))
    return lower_bound(release(1, one), release(0, other), delta=delta)


SOUND = [
    pytest.param(central, 0.0, id="central"),
    pytest.param(distributed, 0.0, id="68 shares"),
    pytest.param(distributed_skellam, float(DELTA), id="68 Skellam shares"),
]
FAULTY = [with_half_the_noise, with_a_patient_twice, with_floating_point, with_one_share_of_many]


@pytest.mark.parametrize(("release", "delta"), [*SOUND, pytest.param(rejected, 0.0, id="rejected")])
def test_what_is_shown_stays_below_the_claim(release: Release, delta: float) -> None:
    assert max(audited(release, seed, delta) for seed in range(3)) <= CLAIM


def test_the_same_input_twice_shows_nothing() -> None:
    one, other = (central(0, keyed_source(b"audit", name)) for name in ("one", "other"))
    assert lower_bound(one, other) == 0


def test_outputs_that_never_coincide_show_all_that_their_number_allows() -> None:
    """Of n, all against none: ln of the two bounds that Clopper and Pearson have in closed form."""
    ones, zeros = np.ones(2000, dtype=np.int64), np.zeros(2000, dtype=np.int64)
    least = 0.0005 ** (1 / 1000)
    assert lower_bound(ones, zeros) == pytest.approx(math.log(least / (1 - least)))
    assert lower_bound(ones, zeros, delta=0.9) == pytest.approx(
        math.log((least - 0.9) / (1 - least))
    )


@pytest.mark.parametrize(("size", "confidence", "delta"), [(1, 0.9, 0), (2, 1, 0), (2, 0.9, -1)])
def test_an_audit_that_cannot_be_is_refused(size: int, confidence: float, delta: float) -> None:
    outputs = np.zeros(size)
    with pytest.raises(ValueError, match="expected"):
        lower_bound(outputs, outputs, confidence=confidence, delta=delta)


def test_an_audit_is_not_blind() -> None:
    """Discrete Laplace noise gives away as much as it may, and nearly all of that is seen."""
    assert 0.6 < audited(central, 0) <= CLAIM


@pytest.mark.parametrize("release", FAULTY, ids=lambda release: release.__name__)
def test_a_planted_fault_is_caught(release: Release) -> None:
    caught = sum(audited(release, seed, float(DELTA)) > CLAIM for seed in range(20))
    assert caught >= 19


@pytest.mark.laws
@pytest.mark.parametrize(("release", "delta"), SOUND)
def test_false_alarms_are_as_rare_as_stated(release: Release, delta: float) -> None:
    """At 99.9 %: more than 1 in 1000 is chance only up to a point."""
    audits = min(_MANY, 1000)
    alarms = sum(audited(release, seed, delta) > CLAIM for seed in range(100, 100 + audits))
    assert alarms <= 1 + audits // 200


@pytest.mark.laws
@pytest.mark.parametrize("release", FAULTY, ids=lambda release: release.__name__)
def test_faults_are_caught_nineteen_times_of_twenty(release: Release) -> None:
    audits = min(_MANY, 400)
    caught = sum(audited(release, seed, float(DELTA)) > CLAIM for seed in range(100, 100 + audits))
    assert caught >= 0.95 * audits
