"""What releases cost in privacy, how costs add, and an account that refuses what it cannot pay.

A cost is counted twice over: as pure epsilon where there is one, and as rho of zero-concentrated
differential privacy (Bun and Steinke 2016), which adds more slowly over many releases. Every number
is a fraction, and every conversion rounds against the spender.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal, localcontext
from fractions import Fraction
from math import isqrt, sqrt
from typing import Final

import msgspec

from simulator.errors import Refused

_DIGITS: Final = 40
_GRID: Final = 2**48


class BudgetSpent(Refused):
    """The budget does not cover another release."""


class Cost(msgspec.Struct, frozen=True):
    """What a release costs whoever may be added or removed.

    Attributes:
        pure: Its epsilon with delta 0; None where the noise gives no such promise.
        zcdp: Its rho: for every whole order a of at least 2 the Renyi divergence between the
            outputs on neighbours is at most rho x a. (Orders between are not used.)

    Raises:
        ValueError: A number is negative.
    """

    pure: Fraction | None
    zcdp: Fraction

    def __post_init__(self) -> None:
        if self.zcdp < 0 or (self.pure is not None and self.pure < 0):
            raise ValueError(f"expected costs of at least 0; found {self.pure} and {self.zcdp}")


NOTHING: Final = Cost(Fraction(0), Fraction(0))


def pure_cost(epsilon: Fraction) -> Cost:
    """The cost of a release with pure epsilon: rho is epsilon^2 / 2 (Bun and Steinke 2016, 1.4)."""
    return Cost(epsilon, epsilon**2 / 2)


def sequential(costs: Iterable[Cost]) -> Cost:
    """The cost of releases about the same patients: each kind of cost adds."""
    pure: Fraction | None = Fraction(0)
    zcdp = Fraction(0)
    for cost in costs:
        pure = None if pure is None or cost.pure is None else pure + cost.pure
        zcdp += cost.zcdp
    return Cost(pure, zcdp)


def parallel(costs: Iterable[Cost]) -> Cost:
    """The cost of releases about groups that share no patient, such as arms: the greatest."""
    known = list(costs)
    pure = [cost.pure for cost in known]
    return Cost(
        None
        if None in pure
        else max((one for one in pure if one is not None), default=Fraction(0)),
        max((cost.zcdp for cost in known), default=Fraction(0)),
    )


def epsilon_of(zcdp: Fraction, delta: Fraction) -> Fraction:
    """An epsilon that holds together with delta, for a cost of rho.

    The least of rho a + ln(1/delta) / (a - 1) over whole orders a (Mironov 2017, proposition 3).
    Over all real orders that is rho + 2 sqrt(rho ln(1/delta)); this is never less, and hardly more.

    Args:
        zcdp: rho, at least 0.
        delta: Above 0 and below 1.

    Raises:
        ValueError: delta is out of range.
    """
    needed = _logarithm(delta)
    if zcdp == 0:
        return Fraction(0)
    best = 1 + isqrt(int(needed / zcdp))
    orders = range(max(best, 2), best + 3)
    return min(zcdp * order + needed / (order - 1) for order in orders)


def zcdp_of(epsilon: Fraction, delta: Fraction) -> Fraction:
    """The greatest rho, to 14 decimals and rounded down, whose epsilon with delta is at most this.

    Args:
        epsilon: Above 0.
        delta: Above 0 and below 1.

    Raises:
        ValueError: delta is out of range.
    """
    needed = _logarithm(delta)
    spread, wide = float(needed), float(epsilon)
    best = 1 + int((spread + sqrt(spread**2 + wide * spread)) / wide)
    orders = range(max(best - 1, 2), best + 3)
    found = max((epsilon - needed / (order - 1)) / order for order in orders)
    return Fraction(int(found * _GRID), _GRID)


def _logarithm(delta: Fraction) -> Fraction:
    """ln(1 / delta), rounded up."""
    if not 0 < delta < 1:
        raise ValueError(f"expected a delta above 0 and below 1; found {delta}")
    exact = Fraction(delta)
    with localcontext(prec=_DIGITS) as context:
        context.rounding = ROUND_CEILING
        inverse = Decimal(exact.denominator) / Decimal(exact.numerator)
        return Fraction(inverse.ln().next_plus())


class Budget(msgspec.Struct, frozen=True):
    """How much may be spent.

    Attributes:
        epsilon: The limit; above 0.
        delta: With which it holds; 0 counts pure costs alone.

    Raises:
        ValueError: A number is out of range.
    """

    epsilon: Fraction
    delta: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        if self.epsilon <= 0 or not 0 <= self.delta < 1:
            raise ValueError(
                "expected an epsilon above 0 and a delta of at least 0 and below 1; "
                f"found {self.epsilon} and {self.delta}"
            )

    def spent(self, costs: Iterable[Cost]) -> Fraction | None:
        """The epsilon that releases about the same patients use up; None if no epsilon holds.

        With a delta it is the lesser of the sum of pure costs and what the sum of rho converts to:
        both hold.
        """
        total = sequential(costs)
        if self.delta == 0:
            return total.pure
        converted = epsilon_of(total.zcdp, self.delta)
        return converted if total.pure is None else min(total.pure, converted)


class Account(msgspec.Struct, frozen=True):
    """A budget and what was charged to it; a value, which a ledger can be read into.

    Attributes:
        budget: The limit.
        charged: What was released, each under the key of its canonical query, noise included.
    """

    budget: Budget
    charged: tuple[tuple[str, Cost], ...] = ()

    @property
    def spent(self) -> Fraction | None:
        """The epsilon used up so far."""
        return self.budget.spent(cost for _, cost in self.charged)

    def charge(self, key: str, cost: Cost) -> Account:
        """The account after one more release; the same one again where the key was charged before.

        A key that was charged stands for numbers that are out already: they are given again, not
        drawn anew. Whether a charge is refused depends on costs alone, never on data.

        Raises:
            BudgetSpent: The limit would be passed.
            ValueError: The key was charged at another cost.
        """
        before = dict(self.charged)
        if key in before:
            if before[key] != cost:
                raise ValueError(f"'{key}' was charged at {before[key]}; found {cost}")
            return self
        after = Account(self.budget, (*self.charged, (key, cost)))
        if after.spent is None or after.spent > self.budget.epsilon:
            raise BudgetSpent(
                f"the privacy budget of epsilon {_told(self.budget.epsilon)} does not cover this: "
                f"{_told(self.spent)} is spent, and with it {_told(after.spent)} would be",
                hint="Ask for what was released before, which costs nothing, or for less at once.",
            )
        return after


def _told(epsilon: Fraction | None) -> str:
    return "without bound" if epsilon is None else f"{float(epsilon):.4g}"
