"""What a client may see: a number, an interval, or that a cell was withheld."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Of(StrEnum):
    """What of a withheld cell is positive and below the threshold."""

    COUNT = "count"
    DIFFERENCE = "difference to a released count"


class Withheld(msgspec.Struct, frozen=True, omit_defaults=True):
    """A cell that was not released; a type of its own, so that it is never taken for a number.

    Attributes:
        below: The threshold.
        of: Whether the count itself is small, or released it would show a small difference.
    """

    below: int
    of: Of = Of.COUNT


class Between(msgspec.Struct, frozen=True):
    """A number of which only bounds were released, both included."""

    at_least: int
    at_most: int


Released = int | Withheld | Between
