"""What is kept of a count that was let out, and what is said of a danger."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec

from simulator.language.codes import ConceptSet
from simulator.language.criteria import Criterion

_LENGTH: Final = 24
HOLDS: Final = "+"
FAILS: Final = "-"


class Leaf(msgspec.Struct, frozen=True, tag="criterion"):
    """A criterion that is no group, anchored at the index.

    Attributes:
        criterion: The criterion, in which each concept set is named after its content.
        codes: The concept sets that it names.
    """

    criterion: Criterion
    codes: tuple[ConceptSet, ...] = ()


class Bound(msgspec.Struct, frozen=True, tag="bound"):
    """Whether something that is ordered, such as the date of the index, is at least so much."""

    of: str
    at_least: int


class Kind(msgspec.Struct, frozen=True, tag="kind"):
    """Whether something that has one value at most, such as the recorded sex, has this one."""

    of: str
    value: str


class Several(msgspec.Struct, frozen=True, tag="several"):
    """Whether at least so many of several literals hold."""

    number: int
    members: tuple[str, ...]


Definition = Leaf | Bound | Kind | Several
Definitions = Mapping[str, Definition]
"""What each fingerprint stands for."""


class QuerySet(msgspec.Struct, frozen=True):
    """Who is counted: patients of some sites for whom all of several literals hold.

    Attributes:
        base: The fingerprint of who can be in it at all, and of which day is their index.
        literals: Fingerprints of criteria, each with ``+`` where it holds or ``-`` where it fails.
        sites: The sites whose patients are counted.
        divisible: Whether a patient's index is the same whatever the literals. Where it is not, a
            narrower set is part of a wider one, but what is left need not be what fails.
    """

    base: str
    literals: frozenset[str]
    sites: frozenset[str]
    divisible: bool = True


class Remembered(msgspec.Struct, frozen=True):
    """A count of patients that was asked for.

    Attributes:
        name: What the count was called.
        of: Who was counted.
        count: How many they are in truth.
        released: Whether this number was let out.
        run: The run's identifier.
        at: When, in UTC.
    """

    name: str
    of: QuerySet
    count: int
    released: bool
    run: str
    at: dt.datetime


class Danger(msgspec.Struct, frozen=True):
    """A group of few patients whose number would follow, told without the number.

    Attributes:
        new: What the new count is called.
        earlier: The earlier runs whose counts are needed, in order of time.
        what: The group, in words.
    """

    new: str
    earlier: tuple[str, ...]
    what: str


def fingerprint(value: object) -> str:
    """The first 96 bits of the SHA-256 of a value, as hexadecimal text."""
    data = msgspec.json.encode(value, order="deterministic")
    return hashlib.sha256(data).hexdigest()[:_LENGTH]


def opposite(literal: str) -> str:
    """The literal that holds exactly where this one fails."""
    return (FAILS if literal[0] == HOLDS else HOLDS) + literal[1:]
