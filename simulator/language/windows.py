"""Spans of days, dates, ages and counts, every bound included."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Final

import msgspec

DAYS_PER_YEAR: Final = 365.25
DAYS_PER_MONTH: Final = DAYS_PER_YEAR / 12

_NUMBER: Final = re.compile(r"[+-]?\d+")
# Far beyond any record, yet no sum of them overflows at a site.
_REACH: Final = 100_000
_MOST: Final = 1_000_000_000


def _bounds(text: str) -> tuple[str | None, str | None]:
    """Splits ``A to B`` where either may be ``any``; a lone ``A`` means ``A to A``."""
    parts = [part.strip() for part in text.split(" to ")]
    if len(parts) == 1:
        parts *= 2
    if len(parts) != 2 or not all(parts):
        raise ValueError(f"expected 'A to B'; found '{text}'")
    earliest, latest = (None if part == "any" else part for part in parts)
    return earliest, latest


def _integer(text: str | None) -> int | None:
    if text is not None and not _NUMBER.fullmatch(text):
        raise ValueError(f"expected a whole number or 'any'; found '{text}'")
    return None if text is None else int(text)


class Window(msgspec.Struct, frozen=True):
    """Days around an anchor: anchor + earliest <= day <= anchor + latest; None is unbounded.

    Range of either: -100,000 to 100,000.
    """

    earliest: int | None = None
    latest: int | None = None

    def __post_init__(self) -> None:
        for day in (self.earliest, self.latest):
            if day is not None and abs(day) > _REACH:
                raise ValueError(f"a window reaches at most {_REACH} days; found {day}")
        if self.earliest is not None and self.latest is not None and self.earliest > self.latest:
            raise ValueError(
                f"an impossible window: it starts on day {self.earliest} and ends on day "
                f"{self.latest}, which is earlier"
            )

    @classmethod
    def parse(cls, text: str, days: float = 1.0) -> Window:
        """Reads ``-90 to -1``, ``any to 0`` or ``0``, in days or in units of so many days.

        Of longer units, such as years of 365.25 days, a day is inside if it lies between the ends.
        """
        earliest, latest = (_integer(bound) for bound in _bounds(text))
        return cls(
            None if earliest is None else math.ceil(earliest * days),
            None if latest is None else math.floor(latest * days),
        )

    def __str__(self) -> str:
        return _span(self.earliest, self.latest)


class DateRange(msgspec.Struct, frozen=True):
    """Calendar dates, as the site records them; None is unbounded."""

    earliest: dt.date | None = None
    latest: dt.date | None = None

    def __post_init__(self) -> None:
        if self.earliest is not None and self.latest is not None and self.earliest > self.latest:
            raise ValueError(
                f"an impossible span of dates: {self.earliest} is later than {self.latest}"
            )

    @classmethod
    def parse(cls, text: str) -> DateRange:
        """Reads ``2016-01-01 to 2024-07-31`` or ``any to 2024-07-31``."""
        earliest, latest = (
            None if part is None else dt.date.fromisoformat(part) for part in _bounds(text)
        )
        return cls(earliest, latest)

    def __str__(self) -> str:
        return _span(self.earliest, self.latest)


class AgeRange(msgspec.Struct, frozen=True):
    """Ages in completed years, range 0 to 130; None is unbounded."""

    at_least: int | None = None
    at_most: int | None = None

    def __post_init__(self) -> None:
        for age in (self.at_least, self.at_most):
            if age is not None and not 0 <= age <= 130:
                raise ValueError(f"an age must be 0 to 130 years; found {age}")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"an impossible age: {self.at_least} is more than {self.at_most}")

    @classmethod
    def parse(cls, text: str) -> AgeRange:
        """Reads ``18 to 75``, ``18 to any`` or ``40``."""
        at_least, at_most = _bounds(text)
        return cls(_integer(at_least), _integer(at_most))

    def __str__(self) -> str:
        return _span(self.at_least, self.at_most)


_COUNT: Final = re.compile(r"(at least|at most|exactly) (\d+)( days?)?")


class Count(msgspec.Struct, frozen=True):
    """How many events, or distinct days with an event, there must be."""

    at_least: int = 1
    at_most: int | None = None
    distinct_days: bool = False

    def __post_init__(self) -> None:
        if self.at_least < 0:
            raise ValueError(f"a count cannot be negative; found {self.at_least}")
        if max(self.at_least, self.at_most or 0) > _MOST:
            raise ValueError(f"a count is at most {_MOST}; found '{self}'")
        if self.at_most is not None and self.at_most < self.at_least:
            raise ValueError(
                f"an impossible count: at least {self.at_least} and at most {self.at_most}"
            )

    @classmethod
    def parse(cls, text: str) -> Count:
        """Reads ``at least 2``, ``at most 1``, ``exactly 3`` or ``at least 2 days``."""
        match = _COUNT.fullmatch(text)
        if not match:
            raise ValueError(f"expected 'at least 2' or 'at least 2 days'; found '{text}'")
        number, days = int(match[2]), match[3] is not None
        if match[1] == "at least":
            return cls(number, None, days)
        return cls(number if match[1] == "exactly" else 0, number, days)

    def __str__(self) -> str:
        unit = " days" if self.distinct_days else ""
        if self.at_most is None:
            return f"at least {self.at_least}{unit}"
        if self.at_least == self.at_most:
            return f"exactly {self.at_least}{unit}"
        if self.at_least == 0:
            return f"at most {self.at_most}{unit}"
        return f"{self.at_least} to {self.at_most}{unit}"


def _span(low: object, high: object) -> str:
    if low is not None and low == high:
        return str(low)
    return f"{'any' if low is None else low} to {'any' if high is None else high}"
