"""What a client may see: a number, exact or noisy, a stand-in, bounds, or that it is withheld."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Of(StrEnum):
    """What of a withheld cell is positive and below the threshold."""

    COUNT = "count"
    DIFFERENCE = "difference to a released count"
    PART = "a group that it would give away"


class Withheld(msgspec.Struct, frozen=True, omit_defaults=True):
    """A cell that was not released; a type of its own, so that it is never taken for a number.

    Attributes:
        below: The threshold.
        of: Whether the count itself is small, released it would show a small difference, or it
            stands for a table of groups of which one is small.
    """

    below: int
    of: Of = Of.COUNT


class Between(msgspec.Struct, frozen=True):
    """A number of which only bounds were released, both included."""

    at_least: int
    at_most: int


class Rounded(msgspec.Struct, frozen=True):
    """A number that is shown in place of any of several; a type of its own, as it is no count.

    Attributes:
        shown: What stands there.
        stands_for: What it may be in truth.
    """

    shown: int
    stands_for: Between


class Partial(msgspec.Struct, frozen=True):
    """A sum of which some parts were withheld or changed: known only between bounds.

    Attributes:
        shown: The sum of the parts that were shown, which is not the whole.
        withheld_parts: How many parts were withheld; 0 where they were rounded.
        at_least: The least that the whole may be.
        at_most: The greatest; None where nothing bounds it.
    """

    shown: int
    withheld_parts: int
    at_least: int
    at_most: int | None


class Noisy(msgspec.Struct, frozen=True):
    """A number to which noise was added on purpose.

    Attributes:
        noisy: The number with its noise, 0 or above.
        standard_error: Of the noise.
    """

    noisy: int
    standard_error: float


Released = int | Withheld | Between | Rounded | Partial | Noisy
