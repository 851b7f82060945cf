"""What each kind of noise costs, from how far one patient can move what is released."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from simulator.privacy.budget import Cost, pure_cost

_GRID: Final = 1024


def laplace_cost(scale: Fraction, l1: int) -> Cost:
    """Discrete Laplace noise in every cell: epsilon is L1 / scale.

    Args:
        scale: Of the noise; above 0.
        l1: By how much one patient can change all cells together.
    """
    return pure_cost(l1 / Fraction(scale))


def gaussian_cost(variance: Fraction, l2_squared: int) -> Cost:
    """Discrete Gaussian noise: rho is L2^2 / (2 variance) (Canonne, Kamath, Steinke 2020, 1.7).

    Args:
        variance: The parameter sigma^2; above 0.
        l2_squared: The greatest sum of squares of the changes that one patient can make.
    """
    return Cost(None, l2_squared / (2 * Fraction(variance)))


def skellam_cost(variance: Fraction, l1: int, l2_squared: int) -> Cost:
    """Skellam noise in every cell.

    Agarwal, Kairouz and Liu, "The Skellam Mechanism for Differentially Private Federated Learning"
    (2021): of every whole order a of at least 2, with v the variance, the Renyi divergence is at
    most a L2^2 / (2 v) + min(((2 a - 1) L2^2 + 6 L1) / (4 v^2), 3 L1 / (2 v)). What is returned is
    the least rho known so that this is at most rho a for all of them: a part of the minimum over a
    is greatest at a = 2 or at the end.

    Args:
        variance: Of the noise in each cell; above 0.
        l1: By how much one patient can change all cells together.
        l2_squared: The greatest sum of squares of these changes.
    """
    exact = Fraction(variance)
    fine = max(Fraction(2 * l2_squared), Fraction(3 * l2_squared, 2) + 3 * l1) / (4 * exact**2)
    coarse = 3 * l1 / (4 * exact)
    return Cost(None, l2_squared / (2 * exact) + min(fine, coarse))


def skellam_variance(zcdp: Fraction, l1: int, l2_squared: int) -> Fraction:
    """The least variance, in steps of 1/1024, of Skellam noise that costs no more than rho.

    Args:
        zcdp: rho; above 0.
        l1: As for the cost.
        l2_squared: As for the cost.
    """
    enough = 1
    while skellam_cost(Fraction(enough, _GRID), l1, l2_squared).zcdp > zcdp:
        enough *= 2
    low, high = enough // 2, enough
    while high - low > 1:
        middle = (low + high) // 2
        if skellam_cost(Fraction(middle, _GRID), l1, l2_squared).zcdp > zcdp:
            low = middle
        else:
            high = middle
    return Fraction(high, _GRID)
