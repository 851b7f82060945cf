"""The noise of a round, which site and hub work out alike from its request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from fractions import Fraction
from typing import Final

from simulator.messages.needs import kind_of
from simulator.messages.requests import RoundRequest
from simulator.privacy.budget import Cost, sequential
from simulator.privacy.noise.laws import Law, Mechanism, sum_law
from simulator.privacy.release import least_honest
from simulator.privacy.spending import Scale, plan_spending

_EPSILON: Final = re.compile(r"[0-9]{1,40}(?:[./][0-9]{1,40})?")


def noise_scales(request: RoundRequest) -> Mapping[str, Scale]:
    """The noise of each kind of request in a round; none where the release adds none.

    Raises:
        ValueError: The epsilon is not above 0, or there is no noise for a kind of request.
    """
    noise = request.release.noise
    if noise is None:
        return {}
    if not 1 <= noise.least_honest <= 100:
        raise ValueError(f"expected 1 to 100 hundredths of the sites; found {noise.least_honest}")
    return plan_spending(
        [kind_of(need) for need in request.needs],
        _epsilon(noise.epsilon),
        mechanism=Mechanism(noise.mechanism),
        sites_per_patient=noise.sites_per_patient,
    )


def _epsilon(text: str) -> Fraction:
    """An epsilon above 0 as it stands in a message: digits, and a point or a stroke between them.

    Exponents are left out, as ten letters of them can make a number that fills the memory.

    Raises:
        ValueError: It is something else.
    """
    if _EPSILON.fullmatch(text):
        with suppress(ZeroDivisionError):
            epsilon = Fraction(text)
            if epsilon > 0:
                return epsilon
    raise ValueError(f"expected an epsilon above 0, such as 1 or 3/10; found '{text[:40]}'")


def cost_of(request: RoundRequest) -> Cost | None:
    """What a round costs of a budget; None where the release adds no noise.

    Raises:
        ValueError: As `noise_scales`.
    """
    scales = noise_scales(request)
    return sequential(scale.cost for scale in scales.values()) if scales else None


def parts_of(request: RoundRequest) -> int:
    """For how many honest sites each share of the noise is made; 1 where there is no noise."""
    noise = request.release.noise
    return 1 if noise is None else least_honest(noise, request.roster_size)


def noise_laws(request: RoundRequest, answering: int) -> Mapping[str, Law]:
    """The law of the noise in the sums of a round, by kind of request.

    Args:
        request: What was asked.
        answering: How many sites added a share.

    Raises:
        ValueError: As `noise_scales`.
    """
    parts = parts_of(request)
    return {
        kind: sum_law(scale.mechanism, scale.parameter, parts, answering)
        for kind, scale in noise_scales(request).items()
    }
