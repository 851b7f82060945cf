"""What a client may see: a number, an interval, or that a cell was withheld."""

from __future__ import annotations

import msgspec


class Withheld(msgspec.Struct, frozen=True):
    """A cell that was not released because its count is positive and below a threshold.

    It is a type of its own so that it can never be taken for a number.
    """

    below: int


class Between(msgspec.Struct, frozen=True):
    """A number of which only bounds were released, both included."""

    at_least: int
    at_most: int


Released = int | Withheld | Between
