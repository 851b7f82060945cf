"""Whether one more answer, beside all that was let out before, gives few patients away.

An audit looks at the true counts, as it must: what differs by few patients is known by nothing
else. So its refusal depends on the data, and tells that a group of few exists, of which the number
is not told. Auditing whose answers can be simulated from earlier answers alone (Kenthapadi, Mishra
and Nissim, PODS 2005) would tell nothing by refusing; but it must refuse whatever some data that
fit the earlier answers would make dangerous, and between any two nested questions a difference of
few patients always fits until it is asked. It would refuse nearly every second question. Here the
refusal tells a range, 1 up to below the threshold, which a withheld count tells as well.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from simulator.aggregates.table import Table
from simulator.errors import Refused, UserError
from simulator.hub.analyses.released import ReleasedTables
from simulator.hub.answers import Sums
from simulator.hub.memory import Memory
from simulator.hub.query_sets import Asking
from simulator.hub.recollection import remember
from simulator.messages.requests import RoundRequest
from simulator.privacy.memory.dangers import Findings, examine
from simulator.privacy.memory.values import Danger, Definitions, Remembered
from simulator.privacy.releases import Release

_TOLD: Final = 3


class Rule(StrEnum):
    """What happens where a small group would follow."""

    REFUSE = "refuse"
    WARN = "warn"
    ALLOW = "allow"


def is_audited(release: Release) -> bool:
    """Whether a release lets exact totals out of what is not the laboratory."""
    exact = not release.rule and release.noise is None
    return exact and release.masked and not release.laboratory_only


def audit(
    memory: Memory,
    request: RoundRequest,
    release: Release,
    rule: Rule,
    *,
    roster: Sequence[str],
    sums: Sums,
    released: ReleasedTables,
    at: dt.datetime,
) -> tuple[str, ...]:
    """Whether a round may be let out, after all that was; if so it is remembered.

    Earlier rounds of the same start of a run belong to the new counts: what they show together is
    the release's to decide. Starts that were given up told nobody anything and are left out.

    Args:
        memory: What was let out before, and is added to.
        request: What was asked.
        release: The release that the run stands under.
        rule: What happens where a small group would follow.
        roster: The sites whose answers are in the sums.
        sums: The true sum for each need.
        released: What the release would let out of each.
        at: The time in UTC.

    Returns:
        Warnings for the result's notes.

    Raises:
        Refused: The number of patients of a small group would follow, and the rule says no.
        UserError: The memory cannot be read or written, or the run's identifier was used before.
    """
    if not is_audited(release):
        return ()
    asking = Asking(request.question, roster)
    exact = {need: table for need, table in sums.items() if isinstance(table, Table)}
    entries = remember(asking, exact, released, run=request.run, at=at)
    with memory.hold():
        recollection = memory.recall()
        _check_fresh(request, recollection.counts)
        before = _told(recollection.counts, request.run)
        found = Findings((), complete=True)
        if rule is not Rule.ALLOW:
            known = {**recollection.known, **asking.known}
            found = _examined(before, entries, release.threshold, known)
        if found.dangers and rule is Rule.REFUSE:
            raise _refusal(found.dangers, before, release)
        memory.add(entries, asking.known)
    return tuple(_said(danger, before, release.threshold) for danger in found.dangers)


def _examined(
    before: Sequence[Remembered],
    entries: Sequence[Remembered],
    threshold: int,
    known: Definitions,
) -> Findings:
    """What would follow from a round's counts and those of earlier rounds of the same start."""
    runs = {entry.run for entry in entries}
    own = [entry for entry in before if entry.run in runs]
    others = [entry for entry in before if entry.run not in runs]
    return examine(others, (*own, *entries), threshold, known)


def _attempt(run: str) -> tuple[str, int]:
    """The run that a request belongs to, and which start of it."""
    stem, _, number = run.rpartition("-")
    return (stem, int(number)) if stem and number.isdecimal() else (run, 1)


def _check_fresh(request: RoundRequest, counts: Sequence[Remembered]) -> None:
    """Refuses a run that takes another's identifier, whose counts would be taken for its own."""
    stem, number = _attempt(request.run)
    if request.round == 1 and number == 1 and any(_attempt(one.run)[0] == stem for one in counts):
        raise UserError(
            f"a run '{stem}' is in the aggregator's memory already",
            hint="Give each run an identifier of its own.",
        )


def _told(counts: Sequence[Remembered], run: str) -> tuple[Remembered, ...]:
    """The counts of the last start of each run; of the present one, of this start."""
    last: dict[str, int] = {}
    for stem, number in {_attempt(count.run) for count in counts} | {_attempt(run)}:
        last[stem] = max(last.get(stem, 0), number)
    kept = {name: _attempt(name) for name in {count.run for count in counts}}
    return tuple(count for count in counts if kept[count.run][1] == last[kept[count.run][0]])


def _refusal(dangers: Sequence[Danger], before: Sequence[Remembered], release: Release) -> Refused:
    told = "; ".join(_said(danger, before, release.threshold) for danger in dangers[:_TOLD])
    more = f"; and {len(dangers) - _TOLD} more" if len(dangers) > _TOLD else ""
    return Refused(
        f"together with earlier answers, this one would give a few patients away: {told}{more}",
        hint="Ask exactly what was asked before, at the same sites, or ask for something that "
        "differs by more patients, or ask under a release with noise.",
    )


def _said(danger: Danger, before: Sequence[Remembered], threshold: int) -> str:
    """A danger in words, without the number."""
    days = {entry.run: entry.at.date().isoformat() for entry in before}
    runs = " and ".join(f"run {_attempt(run)[0]} of {days[run]}" for run in danger.earlier[:_TOLD])
    rest = len(danger.earlier) - _TOLD
    more = f" and {rest} more" if rest > 0 else ""
    return (
        f"with {runs}{more}, '{danger.new}' tells how many of fewer than {threshold} patients are "
        f"in this group: {danger.what}"
    )
