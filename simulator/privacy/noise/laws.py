"""What law the noise in a released sum has, for those who compute with it afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import ceil, expm1, pi, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

_FAR: Final = 50


class Mechanism(StrEnum):
    """Which noise."""

    LAPLACE = "laplace"
    SKELLAM = "skellam"


@dataclass(frozen=True)
class Law:
    """The law of the sum of shares.

    Attributes:
        mechanism: Which noise.
        parameter: Of the sum of `parts` shares: the scale (Laplace) or the variance (Skellam).
        parts: For how many parties a share was made.
        answering: How many added one.
    """

    mechanism: Mechanism
    parameter: Fraction
    parts: int
    answering: int

    @property
    def weight(self) -> float:
        """How many times the whole noise is in the sum."""
        return self.answering / self.parts

    @property
    def variance(self) -> float:
        """Of each number: with q = e^(-1/scale), weight x 2 q / (1 - q)^2, or weight x variance."""
        if self.mechanism is Mechanism.SKELLAM:
            return self.weight * float(self.parameter)
        chance, q = self._geometric()
        return self.weight * 2 * q / chance**2

    def sample(self, shape: int | tuple[int, ...], rng: np.random.Generator) -> NDArray[np.int64]:
        """Noise of this law for simulations.

        It is fast and rounds, and its generator can be guessed from what it gave: it serves to see
        what noise does to an estimate, never to protect anybody.
        """
        if self.mechanism is Mechanism.SKELLAM:
            mean = self.weight * float(self.parameter) / 2
            return rng.poisson(mean, shape) - rng.poisson(mean, shape)
        chance, _ = self._geometric()
        return rng.negative_binomial(self.weight, chance, shape) - rng.negative_binomial(
            self.weight, chance, shape
        )

    def probabilities(self, reach: int) -> NDArray[np.float64]:
        """The chances of -reach, ..., 0, ..., reach, to within 1e-14.

        Fourier's inversion of the characteristic function, which is
        ((1 - q)^2 / (1 - 2 q cos t + q^2))^weight, or e^(-weight variance (1 - cos t)).

        Returns:
            Shape (2 reach + 1,).
        """
        width = float(self.parameter) if self.mechanism is Mechanism.LAPLACE else 1.0
        points = 2 * (reach + ceil(_FAR * (1 + width + sqrt(self.variance))))
        swing = 1 - np.cos(2 * pi * np.arange(points // 2 + 1) / points)
        if self.mechanism is Mechanism.SKELLAM:
            transform = np.exp(-self.weight * float(self.parameter) * swing)
        else:
            chance, q = self._geometric()
            transform = (1 + 2 * q * swing / chance**2) ** -self.weight
        chances = np.fft.irfft(transform, points)
        return np.concatenate([chances[reach:0:-1], chances[: reach + 1]])

    def _geometric(self) -> tuple[float, float]:
        """1 - q and q."""
        chance = -expm1(-1 / float(self.parameter))
        return chance, 1 - chance


def sum_law(mechanism: Mechanism, parameter: Fraction, parts: int, answering: int) -> Law:
    """The law of the sum of the shares of those who answered.

    Args:
        mechanism: Which noise.
        parameter: The scale (Laplace) or variance (Skellam) that the sum of `parts` shares has.
        parts: For how many parties shares were made, which is the least number of honest ones.
        answering: How many answered; with fewer than `parts` the promised privacy is not there.

    Raises:
        ValueError: A number is out of range.
    """
    if parameter <= 0 or parts < 1 or answering < 1:
        raise ValueError(
            "expected a parameter above 0 and at least 1 party; "
            f"found {parameter}, {parts} parts and {answering} answering"
        )
    return Law(mechanism, parameter, parts, answering)
