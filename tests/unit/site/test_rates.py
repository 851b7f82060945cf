"""How often a site answers and what that may cost, decided from its ledger and the time alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.messages.requests import ReleaseTerms
from simulator.privacy.release import Noise
from simulator.site.ledger import Entry, Tail, opening
from simulator.site.policy import Policy
from simulator.site.policy_rules import Budget, Quota, Rates
from simulator.site.rates import (
    LOCKED,
    Asking,
    is_limited,
    key_of,
    limit,
    question_of,
    spent,
    too_dear,
    too_often,
)
from tests.unit.site.doors import ASKED, NEEDS, NOON, STANDARD, request

DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)
SEVEN = msgspec.structs.replace(STANDARD, rates=Rates(identical=7, days=30))
QUOTA = msgspec.structs.replace(STANDARD, quota=Quota(soft=3, minutes=1, hard=50, days=7))


def entry(
    run: str,
    at: dt.datetime = NOON,
    *,
    key: str = "key",
    question: str = "question",
    answered: bool = True,
    **more: object,
) -> Entry:
    made = Entry(at, run, 1, "secure-sum", "00ff", ("attrition",), answered)
    return msgspec.structs.replace(made, key=key, question=question, **more)


def asked(run: str = "next-1", key: str = "key", question: str = "question") -> Asking:
    return Asking(run, key, question)


# The same question


def daily(count: int) -> list[Entry]:
    """The same question by another run each day."""
    return [entry(f"r{place}-1", NOON + place * DAY) for place in range(count)]


def test_the_eighth_time_in_30_days_is_refused_and_the_31st_day_is_free_again() -> None:
    said = "its policy allows the same question 7 times in 30 days"
    assert too_often(SEVEN, daily(6), asked(), NOON + 6 * DAY) is None  # the seventh
    assert too_often(SEVEN, daily(7), asked(), NOON + 7 * DAY) == said
    moment = dt.timedelta(microseconds=1)
    assert too_often(SEVEN, daily(7), asked(), NOON + 30 * DAY - moment) == said
    assert too_often(SEVEN, daily(7), asked(), NOON + 30 * DAY) is None


def test_another_question_is_not_the_same() -> None:
    assert too_often(SEVEN, daily(7), asked(key="other"), NOON + 7 * DAY) is None


def starts(count: int, run: str = "r") -> list[Entry]:
    """A run that starts so many times, with every step of a masked round."""
    return [
        entry(f"{run}-{start}", step=step)
        for start in range(1, count + 1)
        for step in ("keys", "shares", "masked", "reveal")
    ]


@pytest.mark.parametrize(("count", "counted"), [(1, 1), (2, 1), (3, 1), (4, 2), (5, 3), (8, 6)])
def test_steps_and_a_few_new_starts_of_a_run_count_once(count: int, counted: int) -> None:
    again = starts(count)
    assert too_often(SEVEN, [*again, *daily(6 - counted)], asked(), NOON + 6 * DAY) is None
    assert too_often(SEVEN, [*again, *daily(7 - counted)], asked(), NOON + 6 * DAY) is not None


def test_a_run_that_has_begun_may_start_anew_twice_and_no_more() -> None:
    later = NOON + 7 * DAY
    assert too_often(SEVEN, daily(7), asked("r3-2"), later) is None
    assert too_often(SEVEN, [*daily(7), entry("r3-2", later)], asked("r3-3"), later) is None
    begun = [*daily(7), entry("r3-2", later), entry("r3-3", later)]
    assert too_often(SEVEN, begun, asked("r3-4"), later) is not None
    # The same start again is no new one: whoever was answered by it was answered.
    assert too_often(SEVEN, daily(7), asked("r3-1"), later) is not None


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 9)), max_size=60))
def test_no_choice_of_identifiers_triples_what_is_allowed(runs: list[tuple[str, int]]) -> None:
    """By names alone, two stems get at most three answers for each of the two that are allowed."""
    two = msgspec.structs.replace(STANDARD, rates=Rates(identical=2, days=30))
    entries: list[Entry] = []
    for stem, number in runs:
        name = f"{stem}-{number}"
        if too_often(two, entries, asked(name), NOON) is None:
            entries.append(entry(name))
    assert len(entries) <= 2 * 3


def test_answers_that_were_kept_and_steps_that_let_nothing_out_do_not_count() -> None:
    kept = [entry("r0-1", repeated=True) for _ in range(9)]
    begun = [entry(f"x{place}-1", step="keys") for place in range(9)]
    assert too_often(SEVEN, [*kept, *begun, *daily(6)], asked(), NOON + 6 * DAY) is None


def test_what_was_not_answered_does_not_count() -> None:
    refused = [entry(f"x{place}-1", answered=False, reason="no") for place in range(9)]
    assert too_often(SEVEN, [*refused, *daily(6)], asked(), NOON + 6 * DAY) is None


def test_without_limits_nothing_is_counted() -> None:
    many = [entry(f"r{place}-1", locked=True) for place in range(100)]
    assert too_often(STANDARD, many, asked(), NOON) is None
    assert not is_limited(STANDARD, asked())
    assert is_limited(SEVEN, asked())
    assert is_limited(QUOTA, asked())
    assert is_limited(STANDARD, Asking("r", "k", "q", Fraction(1)))


# Any question


def runs(count: int, apart: dt.timedelta) -> list[Entry]:
    """Different questions, some time apart."""
    return [
        entry(f"r{place}-1", NOON + place * apart, key=f"k{place}", question=f"q{place}")
        for place in range(count)
    ]


def test_the_soft_quota_refuses_for_a_while() -> None:
    said = "its policy allows 3 questions in a minute; ask again later"
    three = runs(3, MINUTE / 10)
    assert too_often(QUOTA, three[:2], asked(), NOON + MINUTE / 2) is None
    assert too_often(QUOTA, three, asked(), NOON + MINUTE / 2) == said
    assert too_often(QUOTA, three, asked(), NOON + MINUTE) is None
    # A run that has begun is not stopped by it, however it is called when it starts anew.
    own = asked("r1-2", "k1", "q1")
    assert too_often(QUOTA, three, own, NOON + MINUTE / 2) is None


@pytest.mark.parametrize("key", ["key", "k0", "k2"])
def test_a_run_cannot_lend_its_name_to_another_question(key: str) -> None:
    """Nor to another that is asked about the same patients: what else is asked has another key."""
    three = runs(3, MINUTE / 10)
    own = asked("r1-2", key, "q1")
    assert too_often(QUOTA, three, own, NOON + MINUTE / 2) is not None


def test_the_hard_quota_locks() -> None:
    fifty = runs(50, DAY / 10)
    assert too_often(QUOTA, fifty[:49], asked(), NOON + 5 * DAY) is None
    assert too_often(QUOTA, fifty, asked(), NOON + 5 * DAY) == LOCKED


def test_a_lock_stays_until_it_is_lifted_and_then_counting_begins_anew() -> None:
    refused = entry("x-1", NOON + 5 * DAY, answered=False, reason=LOCKED, locked=True)
    locked = [*runs(50, DAY / 10), refused]
    assert too_often(QUOTA, locked, asked(), NOON + 400 * DAY) == LOCKED
    assert too_often(QUOTA, locked, asked("r49-2", "k49", "q49"), NOON + 5 * DAY) == LOCKED
    lifted = [*locked, opening(NOON + 5 * DAY)]
    assert too_often(QUOTA, lifted, asked(), NOON + 5 * DAY) is None
    more = [msgspec.structs.replace(one, at=NOON + 6 * DAY) for one in runs(50, DAY)]
    assert too_often(QUOTA, [*lifted, *more], asked(), NOON + 7 * DAY) == LOCKED


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 20_000)), max_size=60))
def test_a_quota_counts_what_a_person_would_count(given: list[tuple[int, int]]) -> None:
    small = msgspec.structs.replace(STANDARD, quota=Quota(soft=3, minutes=10, hard=6, days=7))
    given.sort(key=lambda item: item[1])
    entries = [
        entry(f"r{run}-1", NOON + at * MINUTE, question=f"q{run}", key=f"k{run}")
        for run, at in given
    ]
    now = 20_000
    week = sum(now - at < 7 * 24 * 60 for _, at in given)
    minutes = sum(now - at < 10 for _, at in given)
    found = too_often(small, entries, asked(), NOON + now * MINUTE)
    if week >= 6:
        assert found == LOCKED
    else:
        assert (found is not None) == (minutes >= 3)


# Budgets

PAID = msgspec.structs.replace(STANDARD, budget=Budget(Fraction(3), None, days=365))
BOTH = msgspec.structs.replace(STANDARD, budget=Budget(Fraction(3), Fraction(1), days=365))


def dear(key: str, cost: str | None, zcdp: str | None = None) -> Asking:
    return Asking("next-1", key, "q", cost and Fraction(cost), zcdp and Fraction(zcdp))  # type: ignore[arg-type]


def bought(key: str, cost: str | None, zcdp: str | None = None, days: int = 0) -> Entry:
    return entry(f"run-{key}", NOON + days * DAY, key=key, cost=cost, zcdp=zcdp)


BEYOND = "it would go beyond its policy's budget of epsilon 3 in 365 days"


def test_a_budget_is_spent_to_the_last_fraction_and_not_beyond() -> None:
    entries = [bought("a", "1/3"), bought("b", "5/3")]
    assert too_dear(PAID, entries, dear("c", "1"), NOON) is None
    assert too_dear(PAID, entries, dear("c", "1000001/1000000"), NOON) == BEYOND
    assert spent(entries, Budget(Fraction(3), None, 365), NOON).epsilon == 2


def test_the_same_key_at_the_same_cost_is_paid_once() -> None:
    entries = [bought("a", "3"), bought("a", "3")]
    assert too_dear(PAID, entries, dear("a", "3"), NOON) is None
    assert too_dear(PAID, entries, dear("a", "1/2"), NOON) == BEYOND
    assert spent(entries, Budget(Fraction(3), None, 365), NOON).epsilon == 3


def test_what_is_paid_is_free_again_after_the_days() -> None:
    assert too_dear(PAID, [bought("a", "3")], dear("b", "3"), NOON + 364 * DAY) == BEYOND
    assert too_dear(PAID, [bought("a", "3")], dear("b", "3"), NOON + 365 * DAY) is None


def test_what_was_refused_was_not_paid() -> None:
    refused = msgspec.structs.replace(bought("a", "3"), answered=False)
    assert too_dear(PAID, [refused], dear("b", "3"), NOON) is None


def test_a_budget_by_two_measures_must_cover_both() -> None:
    entries = [bought("a", "1", "1/2")]
    assert too_dear(BOTH, entries, dear("b", "1", "1/2"), NOON) is None
    assert too_dear(BOTH, entries, dear("b", "1", "3/5"), NOON) == (
        "it would go beyond its policy's budget of rho 1 in 365 days"
    )
    assert too_dear(BOTH, entries, dear("b", "5/2", "1/8"), NOON) == BEYOND
    found = spent(entries, Budget(Fraction(3), Fraction(1), 365), NOON)
    assert (found.epsilon, found.zcdp) == (Fraction(1), Fraction(1, 2))


def test_noise_without_a_pure_epsilon_is_covered_in_rho_where_the_budget_is_in_it() -> None:
    asked = Asking("run", "b", "q", None, Fraction(1, 2))
    assert too_dear(BOTH, [bought("a", "1", "1/2")], asked, NOON) is None
    more = Asking("run", "b", "q", None, Fraction(3, 5))
    assert too_dear(BOTH, [bought("a", "1", "1/2")], more, NOON) == (
        "it would go beyond its policy's budget of rho 1 in 365 days"
    )


def test_what_has_no_cost_in_the_budgets_measure_is_refused() -> None:
    said = "its policy's budget is in epsilon, in which the cost cannot be told"
    assert too_dear(PAID, [], dear("a", None, "1/8"), NOON) == said
    assert too_dear(PAID, [bought("a", None, "1/8")], dear("b", "1"), NOON) == said


def test_without_a_budget_nothing_that_costs_is_let_out() -> None:
    said = "its policy names no budget, so nothing is let out that costs any"
    assert too_dear(STANDARD, [], dear("a", "1/100"), NOON) == said
    assert too_dear(STANDARD, [], dear("a", None), NOON) is None
    assert too_dear(STANDARD, [], dear("a", "0", "0"), NOON) is None


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(1, 5)), max_size=30))
def test_no_order_of_questions_spends_more_than_the_budget(asked: list[tuple[str, int]]) -> None:
    entries: list[Entry] = []
    for key, halves in asked:
        cost = Fraction(halves, 2)
        if too_dear(PAID, entries, Asking("r", key, "q", cost), NOON) is None:
            entries.append(bought(key, str(cost)))
    bill = {(one.key, one.cost) for one in entries}
    assert sum(Fraction(str(cost)) for _, cost in bill) <= 3


# How far back the ledger is read


class CountedTail:
    """Says what it was asked for."""

    def __init__(self, entries: Sequence[Entry], total: int) -> None:
        self._entries = entries
        self.total = total
        self.moments: list[dt.datetime] = []

    def since(self, moment: dt.datetime) -> Sequence[Entry]:
        self.moments.append(moment)
        return self._entries


@pytest.mark.parametrize(
    ("policy", "total", "cost", "back"),
    [
        (SEVEN, 6, None, dt.timedelta()),
        (SEVEN, 7, None, 30 * DAY),
        (QUOTA, 2, None, dt.timedelta()),
        (QUOTA, 3, None, MINUTE),
        (QUOTA, 49, None, MINUTE),
        (QUOTA, 50, None, 7 * DAY),
        (PAID, 1000, None, dt.timedelta()),
        (PAID, 1, Fraction(1), 365 * DAY),
    ],
)
def test_no_more_is_read_than_can_matter(
    policy: Policy, total: int, cost: Fraction | None, back: dt.timedelta
) -> None:
    tail: Tail = (counted := CountedTail([], total))
    assert limit(policy, tail, Asking("r", "k", "q", cost), NOON) is None
    assert counted.moments == [NOON - back]


# Keys


def test_a_key_is_of_what_is_asked_and_not_of_who_asks() -> None:
    key = key_of(request())
    assert key == key_of(request(run="other", number=2))
    assert key == key_of(request(needs=NEEDS[::-1]))
    # Whoever asks can write anything there, and it changes nothing in the site's own tables.
    assert key == key_of(request(roster=("north", "east", "west", "south")))
    higher = msgspec.structs.replace(request().release, network_threshold=12)
    assert key == key_of(request(terms=higher))
    others = [
        request(needs=NEEDS[:1]),
        request(asked=msgspec.structs.replace(ASKED, arms=ASKED.arms[::-1])),
        request(terms=ReleaseTerms("platform", 1, 11)),
        request(terms=ReleaseTerms("dp", 1, noise=Noise("1"))),
        request(terms=ReleaseTerms("dp", 1, noise=Noise("1/2"))),
    ]
    assert len({key, *map(key_of, others)}) == 1 + len(others)


def test_a_question_is_the_same_whatever_is_asked_about_it() -> None:
    same = question_of(request(needs=NEEDS[:1], roster=("a", "b", "c")))
    assert same == question_of(request())
    other = request(asked=msgspec.structs.replace(ASKED, arms=ASKED.arms[::-1]))
    assert question_of(other) != same
