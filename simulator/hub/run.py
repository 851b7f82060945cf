"""A run, from the plan to the result: one roster, one pass over each site for each round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain

from simulator.aggregates.table import Table
from simulator.hub.aggregator import Opened, open_sums
from simulator.hub.analyses.released import Analysis
from simulator.hub.answers import (
    Answered,
    add_up,
    check_masked,
    read_answer,
    sites_with_matches,
)
from simulator.hub.auditing import audit
from simulator.hub.completeness import check_completeness, check_least_roster, check_noise
from simulator.hub.exchanging import Exchanges, Loss, Progress, Traffic
from simulator.hub.masked import masked_sum, ring_of
from simulator.hub.past import KeptSum, Past, as_kept, key_of, to_keep
from simulator.hub.planner import Plan
from simulator.hub.requesting import round_request
from simulator.hub.wire import Wire
from simulator.messages.codec import MalformedMessage, encode
from simulator.messages.needs import Need, in_order
from simulator.messages.protocol import Answer
from simulator.messages.requests import (
    RoundAnswer,
    RoundRequest,
)
from simulator.privacy.sources import ByteSource


@dataclass(frozen=True)
class Finished:
    """A run that came to its end.

    Attributes:
        parts: The results of the analyses.
        roster: The sites whose answers are in the sums.
        lost: The sites that were asked and are not.
        opened: The rounds of the last attempt.
        attempts: How often the run was started.
        warnings: What the aggregator has to say of the sums, beside what it let out before.
        spent: What all noisy sums of this aggregator have cost together; empty without noise.
    """

    parts: tuple[object, ...]
    roster: tuple[str, ...]
    lost: tuple[Loss, ...]
    opened: tuple[Opened, ...]
    attempts: int
    warnings: tuple[str, ...] = ()
    spent: Mapping[str, str] = field(default_factory=dict)


@dataclass
class _Attempt:
    """One start of a run; the roster is what is left of the sites that it began with."""

    run: str
    roster: tuple[str, ...]
    opened: list[Opened] = field(default_factory=list)
    lost: list[Loss] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Failed:
    """A start that lost sites after sums had been opened, or in the clear."""

    lost: tuple[Loss, ...]


def carry_out(
    plan: Plan,
    wire: Wire,
    *,
    run: str,
    seconds: float,
    traffic: Traffic,
    source: ByteSource,
    past: Past | None = None,
    progress: Progress = lambda _site: None,
) -> Finished:
    """Runs a plan; if sites are lost it goes on or starts anew, as far as the study allows.

    A masked round that is the run's first goes on without the sites that it loses: nothing has been
    opened yet, so no two sums differ by them. Any other round starts the run anew.

    Args:
        plan: The plan.
        wire: The way to the sites.
        run: The run's identifier; each new start appends its number.
        seconds: The deadline of each exchange.
        traffic: Is added to.
        source: Where the hub's own chance comes from.
        past: What the aggregator knows of earlier runs; None: nothing.
        progress: Is called with the name of each site that has answered.

    Raises:
        Refused: A release rule, or the policies of too many sites, say no.
        TooFewAnswers: Fewer sites answered than the study demands.
        VerificationFailed: A masked sum cannot be true.
    """
    aggregator = _Aggregator(plan, Exchanges(wire, seconds, traffic), source, past or Past())
    roster, lost, number = plan.roster, tuple[Loss, ...](), 0
    while True:
        number += 1
        attempt = _Attempt(f"{run}-{number}", roster)
        outcome = _attempt(aggregator, attempt, progress)
        lost += tuple(attempt.lost)
        if not isinstance(outcome, _Failed):
            opened, warnings = tuple(attempt.opened), tuple(attempt.warnings)
            spent = aggregator.past.noisy.spent() if plan.release.noise is not None else {}
            return Finished(outcome, attempt.roster, lost, opened, number, warnings, spent)
        lost += outcome.lost
        gone = {loss.site for loss in lost}
        roster = tuple(site for site in plan.roster if site not in gone)
        check_completeness(plan, roster, lost)


@dataclass(frozen=True)
class _Aggregator:
    """The plan of a run, the way to the sites, and what the aggregator brings itself."""

    plan: Plan
    exchanges: Exchanges
    source: ByteSource
    past: Past


def _attempt(
    aggregator: _Aggregator, attempt: _Attempt, progress: Progress
) -> tuple[object, ...] | _Failed:
    """Drives all analyses in step; gives up at the first round that loses a site too late."""
    plan = aggregator.plan
    analyses = plan.begin()
    waiting: dict[Analysis, frozenset[Need]] = {part: next(part) for part in analyses}
    results: dict[Analysis, object] = {}
    while waiting:
        number = len(attempt.opened) + 1
        needs = in_order(chain.from_iterable(waiting.values()))
        request = round_request(plan, attempt.run, attempt.roster, number, needs)
        ask = _masked if plan.release.masked else _clear
        opened = ask(aggregator, request, attempt, progress)
        if isinstance(opened, _Failed):
            return opened
        attempt.opened.append(opened)
        for part in tuple(waiting):
            try:
                waiting[part] = part.send(opened.released)
            except StopIteration as stop:
                results[part] = stop.value
                del waiting[part]
    return tuple(results[part] for part in analyses)


def _clear(
    aggregator: _Aggregator, request: RoundRequest, attempt: _Attempt, progress: Progress
) -> Opened | _Failed:
    """One round in which the aggregator sees each site's answer."""
    plan = aggregator.plan

    def read(site: str, answer: Answer) -> Answered:
        if not isinstance(answer, RoundAnswer):
            raise MalformedMessage("it is to another kind of request")
        return read_answer(request, site, answer, plan.release, plan.persons_at(site))

    data = encode(request)
    answers, lost = aggregator.exchanges.ask(dict.fromkeys(attempt.roster, data), read, progress)
    if lost:
        return _Failed(lost)
    given = [answers[site] for site in attempt.roster]
    matches = sites_with_matches(request, given, plan.release)
    sums, source = add_up(request, given), aggregator.source
    return open_sums(request, plan.release, sums, len(given), source, matches)


def _masked(
    aggregator: _Aggregator, request: RoundRequest, attempt: _Attempt, progress: Progress
) -> Opened | _Failed:
    """One round in which the aggregator sees nothing but the sum."""
    plan, first = aggregator.plan, not attempt.opened
    if plan.release.noise is not None:
        kept = aggregator.past.noisy.find(key_of(request))
        if kept is not None:
            return _again(aggregator, request, attempt, kept)

    def go_on(left: tuple[str, ...], lost: tuple[Loss, ...]) -> bool:
        """Ends the run before anything is opened, where too few sites are left."""
        if first:
            check_completeness(plan, left, (*attempt.lost, *lost))
            check_noise(plan, request, left)
            check_least_roster(plan, left)
        return first

    outcome = masked_sum(
        aggregator.exchanges,
        request,
        attempt.roster,
        ring_of(plan.persons, request),
        go_on=go_on,
        progress=progress,
    )
    if not outcome.tables:
        return _Failed(outcome.lost)
    attempt.lost += outcome.lost
    attempt.roster = outcome.roster
    return _open(aggregator, request, attempt, outcome.tables)


def _open(
    aggregator: _Aggregator,
    request: RoundRequest,
    attempt: _Attempt,
    tables: tuple[Table, ...],
) -> Opened:
    """Releases a masked sum, once it is held against what was let out before."""
    plan, past = aggregator.plan, aggregator.past
    sums = dict(zip(request.needs, tables, strict=True))
    answering = len(attempt.roster)
    check_masked(request, sums, plan.persons, answering)
    if plan.release.noise is not None:
        past.noisy.keep(to_keep(request, tables, attempt.roster, past.clock()))
    opened = open_sums(request, plan.release, sums, answering, aggregator.source)
    attempt.warnings += audit(
        past.memory,
        request,
        plan.release,
        plan.differences,
        roster=attempt.roster,
        sums=sums,
        released=opened.released,
        at=past.clock(),
    )
    return opened


def _again(
    aggregator: _Aggregator, request: RoundRequest, attempt: _Attempt, kept: KeptSum
) -> Opened:
    """A sum with noise that was opened before: given out again, it costs nobody anything."""
    tables = as_kept(request, kept)
    attempt.roster = kept.roster
    attempt.warnings.append(
        f"this was asked before, on {kept.at.date()}: the same answer, at no cost; sites that have "
        "other data since then were not asked"
    )
    sums = dict(zip(request.needs, tables, strict=True))
    return open_sums(request, aggregator.plan.release, sums, len(kept.roster), aggregator.source)
