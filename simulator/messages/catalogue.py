"""What a site says that it holds, and what it knows of the codes that a study names."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

import msgspec

from simulator.language.codes import ConceptSet
from simulator.language.criteria import Domain


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


class Described(msgspec.Struct, frozen=True):
    """A catalogue together with what the site knows of the codes it was asked about."""

    catalogue: Catalogue
    codes: tuple[CodeKnowledge, ...]

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
