"""Two laws of counts, each chance of which is held between two whole numbers that are certain.

e^-x and the logarithm come from `decimal`, which rounds both correctly at any number of digits;
from there on only whole numbers are multiplied and divided, rounded down for the one bound and up
for the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction
from itertools import count
from typing import Final, Protocol

Bounds = tuple[int, int]
"""The greatest whole number known to be at most, and the least known to be at least, a value."""

_DIGITS_PER_BIT: Final = Fraction(302, 1000)
_SPARE_DIGITS: Final = 10


class Counting(Protocol):
    """A law of counts 0, 1, 2, ..."""

    def __hash__(self) -> int: ...

    @property
    def lost_bits(self) -> int:
        """About how many bits the first chance has before its first digit."""
        ...

    def masses(self, bits: int) -> Iterator[Bounds]:
        """The chances of 0, 1, 2, ..., each times 2^bits."""
        ...


@dataclass(frozen=True)
class Poisson:
    """The Poisson law.

    Attributes:
        mean: Above 0.
    """

    mean: Fraction

    @property
    def lost_bits(self) -> int:
        """See Counting."""
        return int(self.mean * 3 / 2)

    def masses(self, bits: int) -> Iterator[Bounds]:
        """P(0) = e^-mean, P(k) = P(k - 1) mean / k."""
        low, high = _scaled(*_exp(self.mean, self.mean, bits), bits)
        above, below = self.mean.numerator, self.mean.denominator
        for number in count(1):
            yield low, high
            low, high = low * above // (below * number), -(-high * above // (below * number))


@dataclass(frozen=True)
class NegativeBinomial:
    """One of several equal parts of a geometric law: their sum is k with chance (1 - q) q^k.

    Attributes:
        rate: q is e^-rate; above 0.
        parts: How many parts; 1 is the geometric law itself.
    """

    rate: Fraction
    parts: int

    @property
    def lost_bits(self) -> int:
        """See Counting; (1 - q) is about the rate where that is small."""
        return int(1 / self.rate).bit_length()

    def masses(self, bits: int) -> Iterator[Bounds]:
        """P(0) = (1 - q)^(1/parts), P(k) = P(k - 1) q (k - 1 + 1/parts) / k."""
        least, most = _exp(self.rate, self.rate, bits)
        q_low, q_high = _scaled(least, most, bits)
        low, high = _scaled(*_root(least, most, self.parts, bits), bits)
        for number in count(1):
            yield low, high
            above, below = (number - 1) * self.parts + 1, (number * self.parts) << bits
            low, high = low * q_low * above // below, -(-high * q_high * above // below)


def _exp(least: Fraction, most: Fraction, bits: int) -> tuple[Decimal, Decimal]:
    """Bounds of e^-x for x between the two."""
    with localcontext(prec=_digits(bits)) as context:
        context.rounding = ROUND_CEILING
        greatest = Decimal(most.numerator) / Decimal(most.denominator)
        context.rounding = ROUND_FLOOR
        smallest = Decimal(least.numerator) / Decimal(least.denominator)
        return max((-greatest).exp().next_minus(), Decimal(0)), (-smallest).exp().next_plus()


def _root(q_least: Decimal, q_most: Decimal, parts: int, bits: int) -> tuple[Decimal, Decimal]:
    """Bounds of (1 - q)^(1/parts), which is e^(ln(1 - q) / parts)."""
    with localcontext(prec=_digits(bits)) as context:
        context.rounding = ROUND_FLOOR
        low = (1 - q_most).ln().next_minus()
        context.rounding = ROUND_CEILING
        high = min((1 - q_least).ln().next_plus(), Decimal(0))
    return _exp(-Fraction(high) / parts, -Fraction(low) / parts, bits)


def _digits(bits: int) -> int:
    return int(bits * _DIGITS_PER_BIT) + _SPARE_DIGITS


def _scaled(low: Decimal, high: Decimal, bits: int) -> Bounds:
    """Bounds of a chance as whole numbers, times 2^bits."""
    with localcontext(prec=_digits(bits)) as context:
        context.rounding = ROUND_FLOOR
        least = int((low * 2**bits).to_integral_value(ROUND_FLOOR))
        context.rounding = ROUND_CEILING
        return least, int((high * 2**bits).to_integral_value(ROUND_CEILING))
