"""What a site says that it holds, and what it knows of the codes that a study names."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Final

import msgspec

from simulator.aggregates.grid import Unit
from simulator.language.codes import ConceptSet
from simulator.language.criteria import Domain

ROUNDED: Final = 10
"""A catalogue tells a number of persons rounded down to a multiple of this."""


class Knowledge(StrEnum):
    """What a site's vocabulary tables say of one code."""

    FOUND = "found"
    NOT_FOUND = "not found"
    VOCABULARY_ABSENT = "vocabulary absent"


class Holding(msgspec.Struct, frozen=True):
    """One kind of fact that a site holds.

    Attributes:
        domain: The kind.
        first: The first day of the month of its first fact.
        last: The last day of the month of its last fact.
    """

    domain: Domain
    first: dt.date
    last: dt.date


class Catalogue(msgspec.Struct, frozen=True):
    """A site's description of itself, computed from its database when that was built.

    Attributes:
        site: The site's name in the network.
        persons: How many persons it holds, rounded down to tens so that one person more or less
            does not show.
        holdings: The kinds of fact it holds; a kind that is not there is not held.
        vocabularies: The vocabularies it has concepts of, sorted.
        death_by_month: Whether it knows of a death only its month.
    """

    site: str
    persons: int
    holdings: tuple[Holding, ...]
    vocabularies: tuple[str, ...]
    death_by_month: bool = False

    def holding(self, domain: Domain) -> Holding | None:
        """The holding of one kind of fact, or None where it is not held."""
        return next((held for held in self.holdings if held.domain is domain), None)


class CodeKnowledge(msgspec.Struct, frozen=True):
    """For each included code of a concept set, in order, what the site knows of it."""

    name: str
    entries: tuple[Knowledge, ...]

    @property
    def known(self) -> bool:
        """Whether the site knows at least one of the codes."""
        return Knowledge.FOUND in self.entries


class PolicyTerms(msgspec.Struct, frozen=True):
    """What a site tells of its policy, so that it can be asked for what it allows.

    It binds nobody: the site holds every request against its whole policy.

    Attributes:
        releases: The names of the releases it answers to.
        answers: ``masked``: only as part of a sum; ``clear``: never so; or ``either``.
        finest_bin: The finest time bin of a survival table.
        coarsest_bin: The coarsest.
        least_persons: The fewest persons it must hold, by its catalogue, to take part.
        least_roster: The fewest sites that a run must have.
        network_threshold: The lowest network threshold that it accepts.
        differences: ``refuse``, ``warn`` or ``allow``: what it wants to happen where a result
            differs from an earlier one by fewer than the threshold.
    """

    releases: tuple[str, ...]
    answers: str
    finest_bin: Unit
    coarsest_bin: Unit
    least_persons: int
    least_roster: int
    network_threshold: int
    differences: str


class Described(msgspec.Struct, frozen=True):
    """A catalogue together with what the site knows of the codes it was asked about.

    Attributes:
        catalogue: What the site holds.
        codes: What it knows of each concept set, in the order in which they were asked.
        policy: What it tells of its policy; None where nothing is told.
    """

    catalogue: Catalogue
    codes: tuple[CodeKnowledge, ...]
    policy: PolicyTerms | None = None

    def knows(self, name: str) -> bool:
        """Whether the site knows any code of the concept set of that name."""
        return any(known.name == name and known.known for known in self.codes)


def knowledge(
    known: dict[str, frozenset[str]], sets: tuple[ConceptSet, ...]
) -> tuple[CodeKnowledge, ...]:
    """What a site that knows these codes (by vocabulary) says of some concept sets."""
    return tuple(
        CodeKnowledge(
            codes.name,
            tuple(_of_code(known, code.vocabulary, code.code) for code in codes.include),
        )
        for codes in sets
    )


def _of_code(known: dict[str, frozenset[str]], vocabulary: str, code: str) -> Knowledge:
    if vocabulary not in known:
        return Knowledge.VOCABULARY_ABSENT
    return Knowledge.FOUND if code in known[vocabulary] else Knowledge.NOT_FOUND
