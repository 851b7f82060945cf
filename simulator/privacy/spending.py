"""How the epsilon of one run is split over what it asks, and how far one patient moves each part.

Neighbours are two networks of which one has one patient more. In each table named here that patient
stands in one cell, at each site that holds a record of them. Attrition is noised as how many
patients came just so far and no further, where each is counted once, and is summed up to steps
afterwards; summing is linear, so that a site can sum its own share of the noise. docs/mechanisms/
dp.md gives the argument for the weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import isfinite
from types import MappingProxyType
from typing import Final

import msgspec

from simulator.errors import one_of
from simulator.privacy.budget import Cost, zcdp_of
from simulator.privacy.noise.guarantees import laplace_cost, skellam_cost, skellam_variance
from simulator.privacy.noise.laws import Mechanism
from simulator.privacy.noise.shares import MOST_SCALE

WEIGHTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "survival": 7,
        "subgroups": 7,
        "follow-up": 4,
        "labs": 4,
        "codes": 4,
        "demographics": 3,
        "arrival": 3,
        "pathways": 3,
        "attrition": 2,
        "race": 2,
        "assignment": 1,
    }
)
"""How the kinds of request share an epsilon: each its weight over the sum of those asked."""

UNBOUNDED: Final = frozenset({"entries", "calendar"})
"""Kinds with counts of days or events, which one patient changes without limit."""

DELTA: Final = Fraction(1, 10**6)
"""The delta that Skellam noise comes with unless another is asked for."""


class Part(msgspec.Struct, frozen=True):
    """One kind of request in the split.

    Attributes:
        kind: As releases call it.
        share: Of the run's epsilon (Laplace) or rho (Skellam); above 0, at most 1.
        tables: How many tables, or overlapping counts, each patient is in.
        sites: At how many sites a patient may be.
    """

    kind: str
    share: Fraction
    tables: int
    sites: int

    @property
    def sensitivity(self) -> int:
        """By how much one patient can change all its cells together (L1)."""
        return self.tables * self.sites

    @property
    def squared(self) -> int:
        """The greatest sum of squares of these changes: all sites in the same cell (L2^2)."""
        return self.tables * self.sites**2


class Scale(msgspec.Struct, frozen=True):
    """The noise of one kind of request.

    Attributes:
        part: What it is for.
        mechanism: Which noise.
        parameter: The scale (Laplace) or variance (Skellam) of the noise in each cell.
        cost: What it costs.
    """

    part: Part
    mechanism: Mechanism
    parameter: Fraction
    cost: Cost


def as_epsilon(value: Fraction | float) -> Fraction:
    """An epsilon as a fraction; a floating-point number as the decimal that it is written as.

    Raises:
        ValueError: It is not a finite number above 0.
    """
    if not isfinite(value) or value <= 0:
        raise ValueError(f"expected an epsilon that is a finite number above 0; found {value}")
    return Fraction(str(value))


def plan_spending(
    kinds: Sequence[str],
    epsilon: Fraction | float,
    *,
    mechanism: Mechanism = Mechanism.LAPLACE,
    delta: Fraction = DELTA,
    sizes: Mapping[str, int] | None = None,
    sites_per_patient: int = 1,
) -> Mapping[str, Scale]:
    """The noise of everything that a run asks, so that the run as a whole costs one epsilon.

    With Laplace noise the epsilons of the parts add up to the run's, with delta 0. With Skellam
    noise the rho that epsilon and delta allow is split instead, and the run has both.

    Args:
        kinds: What is asked, each once.
        epsilon: Of the whole run.
        mechanism: Which noise.
        delta: Of the whole run, for Skellam noise.
        sizes: How many tables (labs: tests; subgroups: variables) or overlapping counts (codes:
            lines, everyone included) each patient is in; 1 where nothing is said.
        sites_per_patient: At how many sites a patient may be.

    Returns:
        A scale for each kind, in the order asked.

    Raises:
        ValueError: Epsilon, delta, a kind, a size or the number of sites is not as expected, or
            epsilon is so small for what is asked that nothing would be left but noise.
    """
    whole = as_epsilon(epsilon)
    parts = _split(kinds, sizes or {}, sites_per_patient)
    if mechanism is Mechanism.LAPLACE:
        return {part.kind: _laplace(part, whole) for part in parts}
    allowed = zcdp_of(whole, delta)
    if allowed == 0:
        raise ValueError(f"an epsilon of {whole} is too small to be split; expected a greater one")
    return {part.kind: _skellam(part, allowed) for part in parts}


def _split(kinds: Sequence[str], sizes: Mapping[str, int], sites: int) -> list[Part]:
    for kind in (*kinds, *sizes):
        if kind not in WEIGHTS:
            reason = "one patient changes it without limit" if kind in UNBOUNDED else "unknown"
            raise ValueError(f"expected {one_of(WEIGHTS)}; found '{kind}' ({reason})")
    if not kinds or len(set(kinds)) < len(kinds):
        raise ValueError(f"expected at least one kind, each once; found {list(kinds)}")
    if sites < 1 or any(size < 1 for size in sizes.values()):
        raise ValueError(f"expected sizes and sites of at least 1; found {dict(sizes)}, {sites}")
    together = sum(WEIGHTS[kind] for kind in kinds)
    return [
        Part(kind, Fraction(WEIGHTS[kind], together), sizes.get(kind, 1), sites) for kind in kinds
    ]


def _laplace(part: Part, epsilon: Fraction) -> Scale:
    scale = part.sensitivity / (epsilon * part.share)
    if scale > MOST_SCALE:
        raise ValueError(
            f"an epsilon of {float(epsilon):.4g} leaves {part.kind} noise of scale "
            f"{float(scale):.4g}; expected at most {MOST_SCALE}, so a greater epsilon or less asked"
        )
    return Scale(part, Mechanism.LAPLACE, scale, laplace_cost(scale, part.sensitivity))


def _skellam(part: Part, allowed: Fraction) -> Scale:
    moved = part.sensitivity, part.squared
    variance = skellam_variance(allowed * part.share, *moved)
    return Scale(part, Mechanism.SKELLAM, variance, skellam_cost(variance, *moved))
