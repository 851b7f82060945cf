"""The result of a run as values: `result` is reproducible, `run` is what happened this time."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from simulator.aggregates.released import Released
from simulator.hub.analyses.results import (
    ArmResult,
    AttritionStep,
    HazardRatioResult,
    LogRankResult,
    RestrictedMeanDifference,
    SubgroupResult,
    SurvivalDifference,
)
from simulator.privacy.release import Noise
from simulator.privacy.releases import RELEASES


class CohortResult(msgspec.Struct, frozen=True):
    """The cohort: patients in exactly one arm, and the steps that lead there."""

    patients: Released
    attrition: tuple[AttritionStep, ...]


class LeftOut(msgspec.Struct, frozen=True):
    """How many sites were left out on one ground, with the reasons and how many share each."""

    ground: str
    sites: int
    reasons: dict[str, int]


class LostSite(msgspec.Struct, frozen=True):
    """A site that was asked and did not answer."""

    site: str
    reason: str


class NetworkResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who is in the network, who was asked, who answered, and who did not.

    Attributes:
        name: The network's name.
        organisations: How many organisations there are in it.
        online: How many of them are on line.
        eligible: How many could hold a patient of the cohort, by their catalogues.
        asked: How many were asked.
        answered: How many have their answer in the sums.
        not_eligible: Why the others were not asked.
        failed: Who was asked and did not answer.
        with_matches: How many hold a patient of the cohort, where the release shows it.
        roster: The names of those whose answers are in the sums, in the network's order.
        built: What the network's databases were built from, such as scenario and seed.
    """

    name: str
    organisations: int
    online: int
    eligible: int
    asked: int
    answered: int
    not_eligible: tuple[LeftOut, ...]
    failed: tuple[LostSite, ...]
    with_matches: int | None = None
    roster: tuple[str, ...] = ()
    built: dict[str, str] = {}


class ReleaseResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """Under which release the numbers stand, and how they were made.

    `noise` is the noise that was added on purpose; None where there is none. `parameters` are those
    of a rule of another system.
    """

    name: str
    version: int
    place: str
    threshold: int
    estimators: str
    says: tuple[str, ...]
    secure_aggregation: bool
    laboratory: bool
    noise: Noise | None = None
    parameters: dict[str, int | float | str] = {}


class Disclosure(msgspec.Struct, frozen=True):
    """What the released cells give away.

    Attributes:
        alone_in_a_cell: The share of patients who are alone in a released cell of the survival
            table (arm x time x kind of end), 0 to 1; None under a release whose cells are no
            counts, of which it cannot be said.
        says: The same in words, or what holds in its place.
    """

    alone_in_a_cell: float | None
    says: str


class FrozenResult(msgspec.Struct, frozen=True):
    """Whether what ran is what was frozen before.

    Attributes:
        at: When it was frozen, in ISO 8601.
        by: The version of cohortium that froze it.
        same: Whether nothing differs.
        differs: The parts that do, such as ``arms``, and ``code list``.
    """

    at: str
    by: str
    same: bool
    differs: tuple[str, ...]


def fingerprint_of(result: msgspec.Struct) -> str:
    """SHA-256 of a result's JSON, as hexadecimal text."""
    return hashlib.sha256(msgspec.json.encode(result, order="deterministic")).hexdigest()


class StudyResult(msgspec.Struct, frozen=True):
    """The reproducible part of a result.

    `outcome` is what is waited for, in a word or two; ``death`` where that is it. `definition` is
    everything that the study says, by part, but for what was reported; `frozen` is None where no
    frozen study was held against it.
    """

    study: str
    version: int
    title: str
    estimand: str
    outcome: str
    network: NetworkResult
    cohort: CohortResult
    arms: tuple[ArmResult, ...]
    log_rank: LogRankResult | None
    hazard_ratios: tuple[HazardRatioResult, ...]
    release: ReleaseResult
    disclosure: Disclosure
    notes: tuple[str, ...]
    fingerprints: dict[str, str]
    definition: dict[str, dict[str, Any]]
    frozen: FrozenResult | None = None
    rmst_differences: tuple[RestrictedMeanDifference, ...] = ()
    survival_differences: tuple[SurvivalDifference, ...] = ()
    subgroups: tuple[SubgroupResult, ...] = ()

    @property
    def is_ruled(self) -> bool:
        """Whether a rule of another system was done to each cell."""
        known = RELEASES.get(self.release.name)
        return known is not None and bool(known.rule)

    @property
    def is_as_shown(self) -> bool:
        """Whether survival is of counts that a rule has changed: between bounds, no intervals."""
        known = RELEASES.get(self.release.name)
        return known is not None and known.changes_survival

    @property
    def is_estimated(self) -> bool:
        """Whether the arms have estimates; where a rule withheld cells they have bounds alone."""
        marks = [mark for arm in self.arms for mark in (*arm.curve, *arm.survival)]
        return not self.is_ruled or any(mark.estimate is not None for mark in marks)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the result's JSON without what was frozen before, as hexadecimal text.

        Who freezes a study first gets the same numbers as who does not.
        """
        return fingerprint_of(msgspec.structs.replace(self, frozen=None))


class RunRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """What happened this time; it differs between runs that have the same result.

    `warnings` is what the aggregator says of the numbers beside those that it let out before;
    `spent` what all noisy sums that it has opened have cost together, as fractions.
    """

    run: str
    engine: str
    started: str
    seconds: float
    attempts: int
    rounds: int
    bytes_sent: int
    bytes_received: int
    versions: dict[str, str]
    host: dict[str, str]
    result_fingerprint: str
    warnings: tuple[str, ...] = ()
    spent: dict[str, str] = {}


class Report(msgspec.Struct, frozen=True):
    """A result with its run, as `cohortium run --format json` prints it."""

    schema: int
    result: StudyResult
    run: RunRecord
