"""Requests and answers; no request can express a row, and none carries SQL, code or a rule."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from simulator.aggregates.grid import whole
from simulator.language.codes import ConceptSet
from simulator.language.study import Question
from simulator.messages.catalogue import Described
from simulator.messages.needs import Need, SurvivalNeed, subgroup_of
from simulator.privacy.release import Noise, Place


class ReleaseTerms(msgspec.Struct, frozen=True):
    """The release that a request names; each side looks the rule up in its own registry.

    Attributes:
        name: Such as ``secure-sum``.
        version: The version of the rule.
        network_threshold: Counts of patients from 1 up to, not including, this number are withheld
            after the sum. 0 where the release has no network rule.
        place: Where the rule is applied.
        noise: The noise that the sites add; None where the release adds none.
    """

    name: str
    version: int
    network_threshold: int = 0
    place: Place = Place.NETWORK
    noise: Noise | None = None


class CatalogueRequest(msgspec.Struct, frozen=True, tag="catalogue?"):
    """Asks what a site holds and which of these codes it knows."""

    codes: tuple[ConceptSet, ...]


class RoundRequest(msgspec.Struct, frozen=True, tag="round?"):
    """Asks for the tables of one round of a run.

    Attributes:
        run: The run's identifier.
        round: The round's number, from 1.
        roster: `roster_hash` of the sites of the run, the same for all its rounds.
        roster_size: How many sites the run has.
        release: The terms under which the sum will be released.
        question: The cohort, arms, outcome and follow-up that the needs are about.
        needs: What is asked for; the tables come back in this order.
    """

    run: str
    round: int
    roster: str
    roster_size: int
    release: ReleaseTerms
    question: Question
    needs: tuple[Need, ...]

    def __post_init__(self) -> None:
        if len(set(self.needs)) < len(self.needs):
            raise ValueError("a need stands there twice")
        horizon = self.question.follow_up.months
        if any(
            isinstance(need, SurvivalNeed) and need.grid.months > whole(horizon, need.grid.unit)
            for need in self.needs
        ):
            raise ValueError("a survival table looks beyond the question's horizon")
        for need in self.needs:
            if isinstance(need, SurvivalNeed) and need.subgroup:
                subgroup_of(self.question, need.subgroup)


class CatalogueAnswer(msgspec.Struct, frozen=True, tag="catalogue"):
    """What a site says it holds."""

    described: Described


class RoundAnswer(msgspec.Struct, frozen=True, tag="round", omit_defaults=True):
    """The cells of each table, in the clear.

    Attributes:
        site: Who answers.
        run: The run.
        round: The round.
        roster: The roster's hash.
        cells: For each table its cells, as little-endian 64-bit whole numbers in flattening order.
        withheld: For each table which cells the site's rule withheld, a bit each, the first cell in
            the highest bit of the first byte; none where the release has no rule at the sites.
    """

    site: str
    run: str
    round: int
    roster: str
    cells: tuple[bytes, ...]
    withheld: tuple[bytes, ...] = ()


class Refusal(msgspec.Struct, frozen=True, tag="refused"):
    """A site's policy says no; the reason never depends on what an answer would have been."""

    site: str
    reason: str


class Trouble(StrEnum):
    """Why a site could not answer."""

    DEADLINE = "the deadline passed"
    DATABASE = "its database could not be read"
    LEDGER = "its ledger could not be written"
    REQUEST = "it did not understand the request"
    DEFECT = "it failed inside"


class Apology(msgspec.Struct, frozen=True, tag="failed"):
    """A site could not answer. Only the kind of trouble is said: its details may hold data."""

    site: str
    trouble: Trouble


def session_of(request: RoundRequest) -> bytes:
    """What the keys of a masked round are bound to: the run, the round, and the sites invited."""
    return "\n".join((request.run, str(request.round), request.roster)).encode()


def roster_hash(sites: Sequence[str]) -> str:
    """SHA-256 of the sites' names in roster order, as hexadecimal text."""
    return hashlib.sha256("\n".join(sites).encode()).hexdigest()
