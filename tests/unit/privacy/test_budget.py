"""What releases cost, how costs add, and that an account refuses by costs alone."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import opendp.prelude as dp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.errors import Refused
from simulator.privacy.budget import (
    NOTHING,
    Account,
    Budget,
    BudgetSpent,
    Cost,
    epsilon_of,
    parallel,
    pure_cost,
    sequential,
    zcdp_of,
)

DELTA = Fraction(1, 10**6)
_quick = settings(derandomize=True, max_examples=100, deadline=None)
positive = st.fractions(min_value=Fraction(1, 1000), max_value=20, max_denominator=1000)
costs = st.one_of(
    st.builds(pure_cost, positive), st.builds(Cost, st.none(), positive), st.just(NOTHING)
)
budgets = st.builds(Budget, positive, st.sampled_from([Fraction(0), DELTA]))


def closed(zcdp: float, delta: float) -> float:
    """Bun and Steinke 2016, proposition 1.3."""
    return zcdp + 2 * math.sqrt(zcdp * math.log(1 / delta))


@pytest.mark.parametrize(
    ("zcdp", "epsilon"), [("0.005", 0.53), ("0.05", 1.71), ("0.1", 2.45), ("0.5", 5.76)]
)
def test_rho_becomes_epsilon(zcdp: str, epsilon: float) -> None:
    assert round(float(epsilon_of(Fraction(zcdp), DELTA)), 2) == epsilon
    assert round(closed(float(zcdp), 1e-6), 2) == epsilon


@_quick
@given(zcdp=positive, delta=st.sampled_from([DELTA, Fraction(1, 100), Fraction(1, 10**12)]))
def test_whole_orders_cost_little_and_never_less(zcdp: Fraction, delta: Fraction) -> None:
    """Below 2, where whole orders are far apart, a budget is large enough not to mind."""
    ours, theirs = float(epsilon_of(zcdp, delta)), closed(float(zcdp), float(delta))
    assert theirs - 1e-9 <= ours
    if zcdp < 1 and delta <= DELTA:
        assert ours <= 1.01 * theirs


@_quick
@given(epsilon=positive)
def test_epsilon_becomes_the_greatest_rho(epsilon: Fraction) -> None:
    zcdp = zcdp_of(epsilon, DELTA)
    assert epsilon * (1 - Fraction(1, 10**6)) < epsilon_of(zcdp, DELTA) <= epsilon


@pytest.mark.parametrize("epsilon", ["1/10", "1", "7"])
def test_opendp_prices_no_higher(epsilon: str) -> None:
    """Its conversion of rho is tighter; its pure epsilon costs the same rho."""
    dp.enable_features("contrib", "honest-but-curious")
    noise: Any = dp.m.make_laplace(
        dp.atom_domain(T=int), dp.absolute_distance(T=int), scale=1 / float(Fraction(epsilon))
    )
    cost = pure_cost(Fraction(epsilon))
    assert noise.map(1) == pytest.approx(float(Fraction(epsilon)))
    concentrated: Any = dp.c.make_pureDP_to_zCDP(noise)
    assert concentrated.map(1) == pytest.approx(float(cost.zcdp), abs=1e-12)
    approximate: Any = dp.c.make_zCDP_to_approxDP(concentrated)
    profile = approximate.map(1)
    assert (
        0.7 * epsilon_of(cost.zcdp, DELTA) < profile.epsilon(1e-6) <= epsilon_of(cost.zcdp, DELTA)
    )


@_quick
@given(known=st.lists(costs, max_size=5))
def test_groups_that_share_nobody_cost_no_more_than_one_after_the_other(known: list[Cost]) -> None:
    at_once, in_turn = parallel(known), sequential(known)
    assert at_once.zcdp <= in_turn.zcdp
    assert (at_once.pure is None) == (in_turn.pure is None)
    if at_once.pure is not None and in_turn.pure is not None:
        assert at_once.pure <= in_turn.pure


def test_four_arms_cost_the_dearest_and_four_questions_their_sum() -> None:
    arms = [pure_cost(Fraction(1, place)) for place in (1, 2, 3, 4)]
    assert parallel(arms) == arms[0]
    assert sequential(arms) == Cost(Fraction(25, 12), Fraction(205, 288))
    assert parallel([]) == sequential([]) == NOTHING


@_quick
@given(budget=budgets, known=st.lists(costs, max_size=5), one=costs)
def test_more_releases_never_cost_less(budget: Budget, known: list[Cost], one: Cost) -> None:
    before, after = budget.spent(known), budget.spent([*known, one])
    assert after is None or (before is not None and before <= after)


@_quick
@given(budget=budgets, known=st.lists(costs, max_size=5), data=st.data())
def test_the_order_of_releases_does_not_matter(
    budget: Budget, known: list[Cost], data: st.DataObject
) -> None:
    assert budget.spent(known) == budget.spent(data.draw(st.permutations(known)))


def spend(account: Account, charges: list[tuple[str, Cost]]) -> tuple[Account, list[str]]:
    """Charges what can be charged, and which were refused."""
    refused = []
    for key, cost in charges:
        try:
            account = account.charge(key, cost)
        except BudgetSpent:
            refused.append(key)
    return account, refused


@_quick
@given(budget=budgets, known=st.lists(costs, min_size=1, max_size=6))
def test_an_account_never_passes_its_limit_and_repeats_are_free(
    budget: Budget, known: list[Cost]
) -> None:
    charges = [(f"query {place}", cost) for place, cost in enumerate(known)]
    account, refused = spend(Account(budget), charges)
    assert account.spent is not None
    assert account.spent <= budget.epsilon
    paid = [(key, cost) for key, cost in charges if key not in refused]
    assert account.charged == tuple(paid)
    assert spend(account, paid * 3) == (account, [])
    # Read back from a ledger it is the same, and refuses the same.
    again = Account(budget, tuple(paid))
    assert spend(again, charges) == (account, refused)


def test_a_budget_of_one_pays_for_two_halves_and_tells_what_is_spent() -> None:
    account = Account(Budget(Fraction(1)))
    for key in ("first", "second"):
        account = account.charge(key, pure_cost(Fraction(1, 2)))
    assert account.spent == 1
    with pytest.raises(BudgetSpent, match="epsilon 1 does not cover this: 1 is spent") as refused:
        account.charge("third", pure_cost(Fraction(1, 1000)))
    assert "with it 1.001 would be" in str(refused.value)
    assert isinstance(refused.value, Refused)
    assert account.charge("first", pure_cost(Fraction(1, 2))) is account


def test_with_a_delta_many_small_releases_cost_less_than_their_sum() -> None:
    many = [pure_cost(Fraction(1, 100))] * 1000
    assert Budget(Fraction(1)).spent(many) == 10
    spent = Budget(Fraction(1), DELTA).spent(many)
    assert spent is not None
    assert float(spent) == pytest.approx(closed(0.05, 1e-6), rel=1e-3)
    assert Budget(Fraction(1), DELTA).spent(many[:1]) == Fraction(1, 100)


def test_noise_without_a_pure_epsilon_needs_a_delta() -> None:
    cost = Cost(None, Fraction(1, 100))
    assert Account(Budget(Fraction(1), DELTA)).charge("one", cost).charged == (("one", cost),)
    with pytest.raises(BudgetSpent, match="without bound"):
        Account(Budget(Fraction(1))).charge("one", cost)


def test_a_key_stands_for_one_cost() -> None:
    account = Account(Budget(Fraction(1))).charge("one", pure_cost(Fraction(1, 4)))
    with pytest.raises(ValueError, match="'one' was charged at"):
        account.charge("one", pure_cost(Fraction(1, 8)))


@pytest.mark.parametrize(("pure", "zcdp"), [(Fraction(-1), Fraction(1)), (None, Fraction(-1))])
def test_negative_costs_are_refused(pure: Fraction | None, zcdp: Fraction) -> None:
    with pytest.raises(ValueError, match="costs of at least 0"):
        Cost(pure, zcdp)


@pytest.mark.parametrize(("epsilon", "delta"), [(0, 0), (-1, 0), (1, 1), (1, -1)])
def test_limits_that_cannot_be_are_refused(epsilon: int, delta: int) -> None:
    with pytest.raises(ValueError, match="expected an epsilon above 0 and a delta"):
        Budget(Fraction(epsilon), Fraction(delta))


@pytest.mark.parametrize("delta", [Fraction(0), Fraction(1), Fraction(-1)])
def test_a_delta_out_of_range_is_refused(delta: Fraction) -> None:
    for convert in (epsilon_of, zcdp_of):
        with pytest.raises(ValueError, match="expected a delta above 0 and below 1"):
            convert(Fraction(1), delta)


def test_nothing_costs_nothing() -> None:
    assert epsilon_of(Fraction(0), DELTA) == 0
    assert Account(Budget(Fraction(1), DELTA)).spent == 0
