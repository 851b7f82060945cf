"""How often and at what cost a site has answered, and whether it may once more.

Everything is decided from the ledger's entries, the request and the time, never from data.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Final

import msgspec

from simulator.messages.requests import RoundRequest
from simulator.site.ledger import OPENED, Entry, Tail
from simulator.site.policy_rules import Budget, Policy

LOCKED: Final = "it has answered all questions that its policy allows and is locked"
_STARTS: Final = 3
_LET_OUT: Final = frozenset({"", "masked"})


class Asking(msgspec.Struct, frozen=True):
    """What is asked for, as far as rates and budgets go.

    Attributes:
        run: The run's identifier.
        key: `key_of` the request.
        question: `question_of` the request.
        cost: What an answer costs in pure epsilon; None: nothing, or it has no such cost.
        zcdp: What it costs in rho of zero-concentrated differential privacy, likewise.
    """

    run: str
    key: str
    question: str
    cost: Fraction | None = None
    zcdp: Fraction | None = None


class Spent(msgspec.Struct, frozen=True):
    """What answers have cost, in pure epsilon and in rho, as far as each can be told."""

    epsilon: Fraction
    zcdp: Fraction


def question_of(request: RoundRequest) -> str:
    """SHA-256 of the question of a request."""
    return hashlib.sha256(msgspec.msgpack.encode(request.question)).hexdigest()


def key_of(request: RoundRequest) -> str:
    """SHA-256 of what is asked and under which release; not of the run, its round or its sites.

    The order of the needs does not matter. Neither the roster nor the network threshold has a part
    in it: whoever asks can write there what they like, and a site's own tables are the same.
    """
    needs = sorted(msgspec.msgpack.encode(need) for need in request.needs)
    terms = request.release
    asked = (request.question, needs, terms.name, terms.version, terms.place, terms.noise)
    return hashlib.sha256(msgspec.msgpack.encode(asked)).hexdigest()


def asking(
    request: RoundRequest,
    cost: Fraction | None = None,
    zcdp: Fraction | None = None,
    noise: str = "",
) -> Asking:
    """What a request asks for.

    Args:
        request: The request.
        cost: What an answer costs in pure epsilon; None: nothing, or it has no such cost.
        zcdp: What it costs in rho of zero-concentrated differential privacy, likewise.
        noise: Names the noise of the answer. With other noise it is another answer to the same
            request, to be paid for anew, and its key is another.
    """
    key = key_of(request)
    if noise:
        # The number of sites has a part in how much noise each of them adds.
        sites = f"{request.roster} {request.roster_size}"
        key = hashlib.sha256(f"{key} {sites} {noise}".encode()).hexdigest()
    return Asking(request.run, key, question_of(request), cost, zcdp)


def limit(policy: Policy, tail: Tail, asked: Asking, now: dt.datetime) -> str | None:
    """Why a site that has answered what its ledger says does not answer this, or None.

    Args:
        policy: The site's policy.
        tail: The end of its ledger.
        asked: What is asked for.
        now: The time in UTC.
    """
    entries = tail.since(now - _reach(policy, tail.total, asked))
    return too_often(policy, entries, asked, now) or too_dear(policy, entries, asked, now)


def is_limited(policy: Policy, asked: Asking) -> bool:
    """Whether the ledger has to be looked at before this is answered."""
    limits = (policy.rates, policy.quota, asked.cost, asked.zcdp)
    return any(each is not None for each in limits)


def _reach(policy: Policy, total: int, asked: Asking) -> dt.timedelta:
    """How far back the entries matter; a limit above the number of all entries matters nowhere."""
    reach = [dt.timedelta()]
    if policy.rates is not None and total >= policy.rates.identical:
        reach.append(dt.timedelta(days=policy.rates.days))
    if policy.quota is not None and total >= policy.quota.soft:
        reach.append(dt.timedelta(minutes=policy.quota.minutes))
    if policy.quota is not None and total >= policy.quota.hard:
        reach.append(dt.timedelta(days=policy.quota.days))
    if policy.budget is not None and (asked.cost is not None or asked.zcdp is not None):
        reach.append(dt.timedelta(days=policy.budget.days))
    return max(reach)


def too_often(
    policy: Policy, entries: Sequence[Entry], asked: Asking, now: dt.datetime
) -> str | None:
    """Why a site has answered often enough, or None. What let nothing out does not count.

    Each answer counts, each round of a run, too, and a round that is answered anew since the node
    has forgotten it. Only a run that starts anew is not counted again, the first few times: who
    asks chooses what a run is called, so that no more can hang on its name.

    Args:
        policy: The site's policy.
        entries: The entries of its ledger, oldest first, as far back as the policy looks, after
            the last one before those.
        asked: What is asked for.
        now: The time in UTC.
    """
    rates, quota = policy.rates, policy.quota
    if rates is not None:
        same = [entry for entry in entries if entry.key == asked.key]
        earlier = _answers(same, now - dt.timedelta(days=rates.days))
        if _is_counted(earlier, asked) and _count(earlier) >= rates.identical:
            return (
                f"its policy allows the same question {rates.identical} times "
                f"in {_days(rates.days)}"
            )
    if quota is None:
        return None
    if entries and entries[-1].locked:
        return LOCKED
    since = _since_opened(entries)
    long = _answers(since, now - dt.timedelta(days=quota.days))
    if not _is_counted(long, asked):
        return None
    if _count(long) >= quota.hard:
        return LOCKED
    if _count(_answers(since, now - dt.timedelta(minutes=quota.minutes))) >= quota.soft:
        minutes = "a minute" if quota.minutes == 1 else f"{quota.minutes} minutes"
        return f"its policy allows {quota.soft} questions in {minutes}; ask again later"
    return None


def too_dear(
    policy: Policy, entries: Iterable[Entry], asked: Asking, now: dt.datetime
) -> str | None:
    """Why an answer would cost more than is left of the budget, or None.

    A budget in epsilon and in rho must cover the answers in both; noise that has no pure epsilon is
    covered in rho, where the budget is in rho as well. The same key at the same cost is
    paid once: its answer must then be the same, noise and all.

    Args:
        policy: The site's policy.
        entries: The entries of its ledger, as far back as the budget looks.
        asked: What is asked for.
        now: The time in UTC.
    """
    if not asked.cost and not asked.zcdp:
        return None
    budget = policy.budget
    if budget is None:
        return "its policy names no budget, so nothing is let out that costs any"
    paid = _paid(entries, budget, now)
    if (asked.key, asked.cost, asked.zcdp) in paid:
        return None
    pure = [asked.cost, *(cost for _, cost, _ in paid)]
    if budget.zcdp is not None:
        pure = [cost for cost in pure if cost is not None]
    concentrated = [asked.zcdp, *(zcdp for _, _, zcdp in paid)]
    return _beyond("epsilon", pure, budget.epsilon, budget.days) or _beyond(
        "rho", concentrated, budget.zcdp, budget.days
    )


def _beyond(
    unit: str, costs: Iterable[Fraction | None], whole: Fraction | None, days: int
) -> str | None:
    """Why an account cannot pay these costs together, or None; not how much is left of it."""
    if whole is None:
        return None
    total = Fraction(0)
    for cost in costs:
        if cost is None:
            return f"its policy's budget is in {unit}, in which the cost cannot be told"
        total += cost
    if total <= whole:
        return None
    return f"it would go beyond its policy's budget of {unit} {whole} in {_days(days)}"


def spent(entries: Iterable[Entry], budget: Budget, now: dt.datetime) -> Spent:
    """What the answers of a budget's days have cost."""
    return _sum(_paid(entries, budget, now))


_Paid = tuple[str, Fraction | None, Fraction | None]


def _paid(entries: Iterable[Entry], budget: Budget, now: dt.datetime) -> set[_Paid]:
    """What has been paid for: each key at each cost once."""
    begins = now - dt.timedelta(days=budget.days)
    return {
        (entry.key, _fraction(entry.cost), _fraction(entry.zcdp))
        for entry in entries
        if entry.answered and entry.at > begins and (entry.cost or entry.zcdp)
    }


def _sum(paid: set[_Paid]) -> Spent:
    return Spent(
        sum((cost for _, cost, _ in paid if cost is not None), Fraction(0)),
        sum((zcdp for _, _, zcdp in paid if zcdp is not None), Fraction(0)),
    )


def _fraction(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)


def _answers(entries: Iterable[Entry], after: dt.datetime) -> list[tuple[str, str]]:
    """The run and the key of each answer after a moment, oldest first.

    Answers from a node's memory are none, nor are steps of a masked round but the masked cells.
    """
    return [
        (entry.run, entry.key)
        for entry in entries
        if entry.answered
        and entry.run
        and not entry.repeated
        and entry.step in _LET_OUT
        and entry.at > after
    ]


def _count(answers: Iterable[tuple[str, str]]) -> int:
    """How many answers these are, but for the first few new starts of a run.

    A start is new where the run's whole identifier is; the same one again is another answer.
    """
    counted = 0
    starts: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for run, key in answers:
        begun = starts[_run(run), key]
        counted += not begun or run in begun or len(begun) >= _STARTS
        begun.add(run)
    return counted


def _is_counted(answers: Sequence[tuple[str, str]], asked: Asking) -> bool:
    """Whether what is asked for would count after these answers."""
    return _count([*answers, (asked.run, asked.key)]) > _count(answers)


def _since_opened(entries: Sequence[Entry]) -> Sequence[Entry]:
    """The entries since a lock was last lifted."""
    opened = [place for place, entry in enumerate(entries) if entry.step == OPENED]
    return entries[opened[-1] + 1 :] if opened else entries


def _run(identifier: str) -> str:
    """A run's identifier without the number of its start."""
    base, dash, number = identifier.rpartition("-")
    return base if dash and number.isdecimal() else identifier


def _days(days: int) -> str:
    return "a day" if days == 1 else f"{days} days"
