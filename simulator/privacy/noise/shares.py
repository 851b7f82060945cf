"""Shares of noise: each party adds one of its own, and only the sum is noise enough.

Discrete Laplace noise is the difference of two geometric counts, and each of those the sum of as
many negative binomial ones as there are parties; Skellam noise is the difference of two Poisson
counts, likewise. So the sum of all shares has the central law exactly, and nobody knows it.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.privacy.noise.counting import NegativeBinomial, Poisson
from simulator.privacy.noise.inversion import draw
from simulator.privacy.sources import ByteSource

MOST_SCALE: Final = 10_000
"""The greatest scale of a Laplace share; its table has 45 times as many entries."""

_MOST_MEAN: Final = 4096
_MOST_PIECES: Final = 256
MOST_VARIANCE: Final = 2 * _MOST_MEAN * _MOST_PIECES
"""The greatest variance of one Skellam share."""


def laplace_share(size: int, scale: Fraction, parts: int, source: ByteSource) -> NDArray[np.int64]:
    """One of `parts` shares whose sum has probability in proportion to e^(-|x| / scale).

    Args:
        size: How many numbers.
        scale: Above 0, at most 10,000; L1 sensitivity over epsilon.
        parts: How many honest parties add a share at the least; 1: the whole noise.
        source: Where the bytes come from.

    Returns:
        Shape (size,).

    Raises:
        ValueError: The scale or the number of parts is out of range.
    """
    _check(parts, scale, MOST_SCALE, "scale")
    both = draw(NegativeBinomial(1 / Fraction(scale), parts), 2 * size, source)
    return both[:size] - both[size:]


def skellam_share(
    size: int, variance: Fraction, parts: int, source: ByteSource
) -> NDArray[np.int64]:
    """One of `parts` shares whose sum is the difference of two Poisson counts of that variance.

    A Poisson count of a great mean is drawn as the sum of several.

    Args:
        size: How many numbers.
        variance: Of the sum of all shares; above 0, and at most 2,097,152 for each part.
        parts: How many honest parties add a share at the least; 1: the whole noise.
        source: Where the bytes come from.

    Returns:
        Shape (size,).

    Raises:
        ValueError: The variance or the number of parts is out of range.
    """
    _check(parts, variance, MOST_VARIANCE * max(parts, 1), "variance")
    mean = Fraction(variance) / (2 * parts)
    pieces = ceil(mean / _MOST_MEAN)
    counts = draw(Poisson(mean / pieces), 2 * size * pieces, source)
    both = counts.reshape(2, size, pieces).sum(axis=2)
    return np.asarray(both[0] - both[1])


def _check(parts: int, parameter: Fraction, most: int, name: str) -> None:
    if parts < 1:
        raise ValueError(f"expected at least 1 part; found {parts}")
    if not isinstance(parameter, Fraction | int) or not 0 < parameter <= most:
        raise ValueError(
            f"expected a {name} that is a fraction above 0 and at most {most}; found {parameter!r}"
        )
