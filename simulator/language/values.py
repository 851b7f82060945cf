"""Ranges of a measured value, in a unit that sites convert their own values to."""

from __future__ import annotations

import math
import re
from typing import Final

import msgspec

PLAIN: Final = "1"
"""How UCUM writes that a number has no unit."""

_NUMBER: Final = r"[+-]?\d+(?:\.\d+)?"
_ONE_SIDED: Final = re.compile(rf"(above|below|at least|at most) ({_NUMBER})(?: (\S+))?")
_TWO_SIDED: Final = re.compile(rf"({_NUMBER}) to ({_NUMBER})(?: (\S+))?")
_ANNOTATION: Final = re.compile(r"\{[^{}]*\}")
_REACH: Final = 1e12
_MICRO: Final = str.maketrans("µμ", "uu")
# What a conversion in floating point may be off, so that 111 g/L are 11.1 g/dL.
_SLACK: Final = 1e-9


def is_plain(unit: str) -> bool:
    """Whether a unit is a plain number: ``1`` or a mere annotation in braces, such as ``{INR}``."""
    return unit == PLAIN or bool(_ANNOTATION.fullmatch(unit))


class ValueRange(msgspec.Struct, frozen=True):
    """Values between two bounds; None is unbounded.

    A value that differs from a bound by less than one part in 10^9 is the bound.

    Attributes:
        at_least: The lower bound. Range: -1e12 to 1e12.
        at_most: The upper bound. Range: -1e12 to 1e12.
        unit: The unit of the bounds, as UCUM writes it; ``1`` for a plain number.
        strict: Whether a value equal to a bound is outside.
    """

    at_least: float | None = None
    at_most: float | None = None
    unit: str = PLAIN
    strict: bool = False

    def __post_init__(self) -> None:
        bounds = [bound for bound in (self.at_least, self.at_most) if bound is not None]
        if not bounds:
            raise ValueError("a range of values needs a bound")
        if not all(math.isfinite(bound) and abs(bound) <= _REACH for bound in bounds):
            raise ValueError(f"a bound of a value is at most {_REACH:g}; found '{self}'")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(
                f"an impossible range: {self.at_least:g} is more than {self.at_most:g}"
            )
        if not self.unit or any(letter.isspace() for letter in self.unit):
            raise ValueError(f"expected a unit such as 'mg/dL'; found '{self.unit}'")

    @property
    def limits(self) -> tuple[float | None, float | None]:
        """What a converted value is compared with: beyond the bounds, or within them if strict."""
        sign = -1.0 if self.strict else 1.0
        low, high = self.at_least, self.at_most
        return (
            None if low is None else low - sign * _SLACK * abs(low),
            None if high is None else high + sign * _SLACK * abs(high),
        )

    @classmethod
    def parse(cls, text: str) -> ValueRange:
        """Reads ``above 2 mg/dL``, ``at most 3.5 g/dL``, ``2 to 5 mg/dL`` or ``above 1.5``.

        Raises:
            ValueError: The text is not of that form, or no value could lie in it.
        """
        text = text.translate(_MICRO)
        both = _TWO_SIDED.fullmatch(text)
        if both:
            return cls(float(both[1]), float(both[2]), both[3] or PLAIN)
        one = _ONE_SIDED.fullmatch(text)
        if not one:
            raise ValueError(
                f"expected 'above 2 mg/dL', 'at most 2 mg/dL' or '1 to 2 mg/dL'; found '{text}'"
            )
        bound, unit, strict = float(one[2]), one[3] or PLAIN, one[1] in {"above", "below"}
        if one[1] in {"above", "at least"}:
            return cls(bound, None, unit, strict)
        return cls(None, bound, unit, strict)

    def __str__(self) -> str:
        unit = "" if self.unit == PLAIN else f" {self.unit}"
        if self.at_least is None:
            return f"{'below' if self.strict else 'at most'} {_said(self.at_most)}{unit}"
        if self.at_most is None:
            return f"{'above' if self.strict else 'at least'} {_said(self.at_least)}{unit}"
        return f"{_said(self.at_least)} to {_said(self.at_most)}{unit}"


def _said(bound: float | None) -> str:
    """A bound as it would be typed: no more digits than it needs, never an exponent."""
    return "any" if bound is None else f"{bound:f}".rstrip("0").rstrip(".")
