"""Chooses the releases that are compared, and where each is applied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from simulator.errors import UserError
from simulator.laboratory.compare_values import Group
from simulator.privacy.releases import (
    KEYED,
    RELEASES,
    Place,
    Release,
    chosen,
    find_release,
    placed,
)
from simulator.privacy.rules.noised import (
    ClampedGaussian,
    GaussianFromZero,
    HashedShift,
    LaplaceAndRound,
    UniformShift,
)
from simulator.privacy.rules.registry import RULES
from simulator.privacy.rules.rounding import RandomRound

BARE: Final = (
    "round-up-10",
    "suppress-10",
    "random-round-3",
    "random-round-5",
    "midpoint-6",
    "cell-key",
)
"""The rules that are no system's own."""

EPSILONS: Final = ("0.5", "1", "3")
"""What runs under noise cost where nobody says otherwise."""

_BY_CHANCE: Final = (
    ClampedGaussian,
    GaussianFromZero,
    HashedShift,
    LaplaceAndRound,
    RandomRound,
    UniformShift,
)


def releases(
    names: Sequence[str] | None = None, epsilons: Sequence[str] | None = None
) -> tuple[Release, ...]:
    """Each release where it is applied by default, and each rule also once on the sum.

    They stand by group, then as the registries list them.

    Args:
        names: Which; None: all that exist.
        epsilons: What runs of releases with noise cost; None: `EPSILONS`.

    Raises:
        UserError: There is no such release, or none of them takes an epsilon, or it is no number.
    """
    found = [find_release(name) for name in dict.fromkeys(RELEASES if names is None else names)]
    if epsilons is not None and not any(release.noise for release in found):
        raise UserError(
            "none of these releases takes an epsilon: they add no noise of that kind",
            hint="Name dp among --releases, or leave --epsilon out.",
        )
    order = list(Group)
    found.sort(key=lambda release: order.index(group_of(release)))
    return tuple(each for release in found for each in _variants(release, epsilons or EPSILONS))


def _variants(release: Release, epsilons: Sequence[str]) -> list[Release]:
    if release.noise is not None:
        return [chosen(release.name, epsilon=epsilon) for epsilon in epsilons]
    if release.rule and release.rule != KEYED and release.place is Place.SITE:
        return [release, placed(release, Place.NETWORK)]
    return [release]


def group_of(release: Release) -> Group:
    """Whose release it is."""
    if not release.rule:
        return Group.OURS
    return Group.BARE if release.name in BARE else Group.SYSTEMS


def by_chance(release: Release) -> bool:
    """Whether another run, with other secrets, may let out other numbers of the same data."""
    if release.noise is not None or release.rule == KEYED:
        return True
    return bool(release.rule) and isinstance(RULES[release.rule].mechanism, _BY_CHANCE)
