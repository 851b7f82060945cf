"""The result of a count as values: `result` is reproducible, `run` is what happened this time."""

from __future__ import annotations

from typing import Final

import msgspec

from simulator.hub.analyses.counting import Counted, CountStep, Unit
from simulator.hub.planner import Plan
from simulator.hub.result import NetworkResult, ReleaseResult, RunRecord, fingerprint_of
from simulator.hub.run import Finished
from simulator.hub.telling import Settings, fingerprints_of, network_of, notes_of, release_of
from simulator.language.study import Study

_ENTRIES: Final = (
    "every event that may be the index is counted, not only the first or the last, with the steps "
    "asked around its day; patients are those who have one"
)


def counts_of(unit: Unit) -> str:
    """What is asked for where a unit is counted, in words."""
    return f"counts of {unit}s"


ANALYSES_OF: Final[dict[str, str]] = {
    counts_of(unit): "count" if unit is Unit.PATIENT else "count of days or events" for unit in Unit
}
"""The analysis that counts each unit, by which a release says whether it offers it."""


class CountResult(msgspec.Struct, frozen=True):
    """The reproducible part of a count.

    Attributes:
        name: The study's or cohort's name.
        kind: ``study`` or ``cohort``.
        version: Its version.
        title: Its title.
        unit: What is counted.
        network: Who was asked and answered.
        steps: What each step leaves; the last is the total.
        release: The release that the numbers stand under.
        notes: What is to be known of them.
        fingerprints: What identifies the question, the sites and the data.
    """

    name: str
    kind: str
    version: int
    title: str
    unit: Unit
    network: NetworkResult
    steps: tuple[CountStep, ...]
    release: ReleaseResult
    notes: tuple[str, ...]
    fingerprints: dict[str, str]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the result's JSON, as hexadecimal text."""
        return fingerprint_of(self)


class CountReport(msgspec.Struct, frozen=True):
    """A count with its run, as `cohortium count --format json` prints it."""

    schema: int
    result: CountResult
    run: RunRecord


def count_result(unit: Unit, plan: Plan, finished: Finished, settings: Settings) -> CountResult:
    """Everything that a count found and says of itself."""
    counted = next(part for part in finished.parts if isinstance(part, Counted))
    inquiry = plan.inquiry
    kind = "study" if isinstance(inquiry, Study) else "cohort"
    notes = notes_of(plan, finished, settings)
    if unit is not Unit.PATIENT:
        notes.append(_ENTRIES)
    return CountResult(
        name=inquiry.name,
        kind=kind,
        version=inquiry.version,
        title=inquiry.title,
        unit=unit,
        network=network_of(plan, finished, settings),
        steps=counted.steps,
        release=release_of(plan.release, settings, "sums of counts"),
        notes=tuple(notes),
        fingerprints=fingerprints_of(finished, settings, {kind: inquiry.fingerprint}),
    )
