"""Discrete Laplace and Gaussian noise by rejection, in rational numbers alone.

The algorithms are those of Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential
Privacy" (2020), section 5: no floating-point number is formed, so what comes out has exactly the
law that the proofs speak of. One draw at a time; shares.py draws whole tables of Laplace noise.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import isqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.privacy.sources import ByteSource

_ONE: Final = Fraction(1)


def bernoulli_exp(gamma: Fraction, source: ByteSource) -> bool:
    """True with probability e^(-gamma) (Algorithm 1).

    Args:
        gamma: At least 0.
        source: Where the bytes come from.

    Raises:
        ValueError: gamma is negative.
    """
    if gamma < 0:
        raise ValueError(f"expected a number of at least 0; found {gamma}")
    whole, rest = divmod(gamma, 1)
    return all(_exp_below_one(_ONE, source) for _ in range(whole)) and _exp_below_one(rest, source)


def discrete_laplace(size: int, scale: Fraction, source: ByteSource) -> NDArray[np.int64]:
    """Noise x with probability in proportion to e^(-|x| / scale) (Algorithm 2).

    Args:
        size: How many numbers.
        scale: Above 0; L1 sensitivity over epsilon.
        source: Where the bytes come from.

    Returns:
        Shape (size,).

    Raises:
        ValueError: The scale is not above 0.
    """
    _check(scale, "scale")
    return _many(size, lambda: _laplace(scale, source))


def discrete_gaussian(size: int, variance: Fraction, source: ByteSource) -> NDArray[np.int64]:
    """Noise x with probability in proportion to e^(-x^2 / (2 variance)) (Algorithm 3).

    Args:
        size: How many numbers.
        variance: The parameter sigma^2, above 0; the noise varies by no more than that.
        source: Where the bytes come from.

    Returns:
        Shape (size,).

    Raises:
        ValueError: The variance is not above 0.
    """
    _check(variance, "variance")
    return _many(size, lambda: _gaussian(variance, source))


def _check(parameter: Fraction, name: str) -> None:
    if not isinstance(parameter, Fraction | int) or parameter <= 0:
        raise ValueError(f"expected a {name} that is a fraction above 0; found {parameter!r}")


def _many(size: int, draw: Callable[[], int]) -> NDArray[np.int64]:
    return np.fromiter((draw() for _ in range(size)), dtype=np.int64, count=size)


def _below(limit: int, source: ByteSource) -> int:
    """A whole number from 0 up to, not including, the limit, all equally likely."""
    bits = (limit - 1).bit_length()
    size = (bits + 7) // 8
    while True:
        number = int.from_bytes(source(size), "big") >> (8 * size - bits)
        if number < limit:
            return number


def _bernoulli(chance: Fraction, source: ByteSource) -> bool:
    return _below(chance.denominator, source) < chance.numerator


def _exp_below_one(gamma: Fraction, source: ByteSource) -> bool:
    """For gamma up to 1: how often gamma / k came true in a row, k = 1, 2, .. , is even."""
    tries = 1
    while _bernoulli(gamma / tries, source):
        tries += 1
    return tries % 2 == 1


def _laplace(scale: Fraction, source: ByteSource) -> int:
    while True:
        rest = _below(scale.numerator, source)
        if not bernoulli_exp(Fraction(rest, scale.numerator), source):
            continue
        whole = 0
        while bernoulli_exp(_ONE, source):
            whole += 1
        size = (rest + scale.numerator * whole) // scale.denominator
        negative = _bernoulli(Fraction(1, 2), source)
        if not (negative and size == 0):
            return -size if negative else size


def _gaussian(variance: Fraction, source: ByteSource) -> int:
    near = isqrt(int(variance)) + 1
    while True:
        drawn = _laplace(Fraction(near), source)
        if bernoulli_exp((abs(drawn) - variance / near) ** 2 / (2 * variance), source):
            return drawn
