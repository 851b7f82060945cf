"""A run, from the plan to the result: one roster, one pass over each site for each round."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain

from simulator.aggregates.table import Table
from simulator.errors import Refused, TooFewAnswers
from simulator.hub.aggregator import Opened, open_round, read_answer
from simulator.hub.analyses.released import Analysis
from simulator.hub.planner import Plan
from simulator.hub.wire import Failure, Lost, Wire
from simulator.messages.codec import MalformedMessage, decode_answer, encode
from simulator.messages.needs import Need, in_order, layout_of
from simulator.messages.requests import (
    Apology,
    Refusal,
    ReleaseTerms,
    RoundAnswer,
    RoundRequest,
    Trouble,
    roster_hash,
)
from simulator.privacy.releases import Release

Progress = Callable[[str], None]

# What a longer deadline may mend.
_TOO_LATE = (str(Lost.SILENT), str(Trouble.DEADLINE))
# What else can be done where all sites refuse, except in the laboratory itself.
_INSIDE = ", or look at it in the laboratory with --release exact"


@dataclass
class Traffic:
    """How much crossed the wire."""

    sent: int = 0
    received: int = 0


@dataclass(frozen=True)
class Loss:
    """A site that was asked and gave no usable answer."""

    site: str
    reason: str
    refused: bool = False


@dataclass(frozen=True)
class Finished:
    """A run that came to its end.

    Attributes:
        parts: The results of the analyses.
        roster: The sites whose answers are in the sums.
        lost: The sites that were asked and are not.
        opened: The rounds of the last attempt.
        attempts: How often the run was started.
    """

    parts: tuple[object, ...]
    roster: tuple[str, ...]
    lost: tuple[Loss, ...]
    opened: tuple[Opened, ...]
    attempts: int


@dataclass
class _Attempt:
    """One start of a run with one roster."""

    run: str
    roster: tuple[str, ...]
    opened: list[Opened] = field(default_factory=list)


def carry_out(
    plan: Plan,
    wire: Wire,
    *,
    run: str,
    seconds: float,
    traffic: Traffic,
    progress: Progress = lambda _site: None,
) -> Finished:
    """Runs a plan; if sites are lost it starts anew without them, as far as the study allows.

    Args:
        plan: The plan.
        wire: The way to the sites.
        run: The run's identifier; each new start appends its number.
        seconds: The deadline of each round.
        traffic: Is added to.
        progress: Is called with the name of each site that has answered.

    Raises:
        Refused: A release rule, or the policies of too many sites, say no.
        TooFewAnswers: Fewer sites answered than the study demands.
    """
    roster, lost, number = plan.roster, tuple[Loss, ...](), 0
    while True:
        number += 1
        attempt = _Attempt(f"{run}-{number}", roster)
        outcome = _attempt(plan, wire, attempt, seconds, traffic, progress)
        if not isinstance(outcome[0], Loss):
            parts = tuple(part for part in outcome if not isinstance(part, Loss))
            return Finished(parts, roster, lost, tuple(attempt.opened), number)
        lost += tuple(loss for loss in outcome if isinstance(loss, Loss))
        gone = {loss.site for loss in lost}
        roster = tuple(site for site in plan.roster if site not in gone)
        _check_completeness(plan, roster, lost)


def _attempt(
    plan: Plan,
    wire: Wire,
    attempt: _Attempt,
    seconds: float,
    traffic: Traffic,
    progress: Progress,
) -> tuple[Loss, ...] | tuple[object, ...]:
    """Drives all analyses in step; gives up at the first round that loses a site."""
    analyses = plan.begin()
    waiting: dict[Analysis, frozenset[Need]] = {part: next(part) for part in analyses}
    results: dict[Analysis, object] = {}
    while waiting:
        number = len(attempt.opened) + 1
        needs = in_order(chain.from_iterable(waiting.values()))
        request = round_request(plan, attempt.run, attempt.roster, number, needs)
        answers, lost = _exchange(wire, request, attempt.roster, seconds, traffic, progress)
        if lost:
            return lost
        opened = open_round(request, plan.release, [answers[site] for site in attempt.roster])
        attempt.opened.append(opened)
        for part in tuple(waiting):
            try:
                waiting[part] = part.send(opened.released)
            except StopIteration as stop:
                results[part] = stop.value
                del waiting[part]
    return tuple(results[part] for part in analyses)


def round_request(
    plan: Plan, run: str, roster: tuple[str, ...], number: int, needs: tuple[Need, ...]
) -> RoundRequest:
    """The message of one round, the same for every site of the roster."""
    return RoundRequest(
        run=run,
        round=number,
        roster=roster_hash(roster),
        roster_size=len(roster),
        release=terms(plan.release),
        question=plan.question,
        needs=needs,
    )


def message_sizes(plan: Plan) -> tuple[tuple[int, int], ...]:
    """For each round, the bytes of the request to one site and of its answer."""
    sizes = []
    for place, needs in enumerate(plan.needs):
        ordered = in_order(needs)
        request = round_request(plan, "0" * 34, plan.roster, place + 1, ordered)
        cells = tuple(bytes(8 * layout_of(need, plan.question).cells) for need in ordered)
        answer = RoundAnswer(plan.roster[0], request.run, place + 1, request.roster, cells)
        sizes.append((len(encode(request)), len(encode(answer))))
    return tuple(sizes)


def terms(release: Release) -> ReleaseTerms:
    """How a release is named in a request."""
    return ReleaseTerms(release.name, release.version, release.threshold)


def _exchange(
    wire: Wire,
    request: RoundRequest,
    roster: tuple[str, ...],
    seconds: float,
    traffic: Traffic,
    progress: Progress,
) -> tuple[dict[str, tuple[Table, ...]], tuple[Loss, ...]]:
    """One message to every site of the roster; what came back, and who is lost."""
    data = encode(request)
    traffic.sent += len(data) * len(roster)
    answers: dict[str, tuple[Table, ...]] = {}
    lost: dict[str, Loss] = {}
    for reply in wire.exchange(dict.fromkeys(roster, data), seconds):
        if isinstance(reply, Failure):
            lost[reply.site] = Loss(reply.site, str(reply.lost))
            continue
        traffic.received += len(reply.data)
        read = _read(request, reply.site, reply.data)
        if isinstance(read, Loss):
            lost[reply.site] = read
        else:
            answers[reply.site] = read
        progress(reply.site)
    for site in roster:
        if site not in answers and site not in lost:
            lost[site] = Loss(site, str(Lost.SILENT))
    return answers, tuple(lost[site] for site in roster if site in lost)


def _read(request: RoundRequest, site: str, data: bytes) -> tuple[Table, ...] | Loss:
    """One site's tables, or why there are none."""
    try:
        answer = decode_answer(data)
        match answer:
            case RoundAnswer():
                return read_answer(request, site, answer)
            case Refusal():
                return Loss(site, answer.reason, refused=True)
            case Apology():
                return Loss(site, str(answer.trouble))
            case _:
                return Loss(site, "its answer is to another kind of request")
    except MalformedMessage as error:
        return Loss(site, f"its answer does not fit: {error}")


def _check_completeness(plan: Plan, roster: tuple[str, ...], lost: tuple[Loss, ...]) -> None:
    """Ends a run that has lost more sites than the study allows."""
    share = len(roster) / len(plan.roster)
    if roster and share >= plan.inquiry.least_completeness:
        return
    told = "; ".join(f"{loss.site}: {loss.reason}" for loss in lost[:5])
    more = f"; and {len(lost) - 5} more" if len(lost) > 5 else ""
    message = (
        f"{len(roster)} of {len(plan.roster)} eligible sites answered; the study demands "
        f"{plan.inquiry.least_completeness:.0%}. {told}{more}"
    )
    if all(loss.refused for loss in lost):
        hint = "Ask for what the sites' policies allow, or mend them"
        inside = "" if plan.release.laboratory_only else _INSIDE
        raise Refused(message, hint=f"{hint}{inside}.")
    in_time = any(loss.reason in _TOO_LATE for loss in lost)
    later = "Run again later, or with a longer --timeout."
    raise TooFewAnswers(message, hint=later if in_time else "Mend the sites, or build them anew.")
