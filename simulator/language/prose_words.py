"""Says windows, dates, ages, values and counts as people say them, every bound included."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Final

import msgspec

from simulator.language.criteria import Domain
from simulator.language.values import PLAIN, ValueRange
from simulator.language.windows import (
    DAYS_PER_MONTH,
    DAYS_PER_YEAR,
    AgeRange,
    Count,
    DateRange,
    Window,
)

_NUMBERS: Final = (
    *("no", "one", "two", "three", "four", "five"),
    *("six", "seven", "eight", "nine", "ten"),
)
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_UNITS: Final = (("year", DAYS_PER_YEAR), ("month", DAYS_PER_MONTH))


class Moment(msgspec.Struct, frozen=True):
    """What days are counted from.

    Attributes:
        name: Such as ``the index`` or ``that procedure``.
        day: Such as ``the index day`` or ``the day of that procedure``.
    """

    name: str
    day: str


INDEX: Final = Moment("the index", "the index day")

_NOUNS: Final = {
    Domain.CONDITION: ("a diagnosis", "diagnosis of", "diagnoses of"),
    Domain.PROCEDURE: ("a procedure", "procedure", "procedures"),
    Domain.DRUG: ("a drug", "drug from", "records of drugs from"),
    Domain.MEASUREMENT: ("a measurement", "measurement of", "measurements of"),
    Domain.VISIT: ("a visit", "visit", "visits"),
    Domain.DEATH: ("a death", "recorded death", "recorded deaths"),
}
_ANY: Final = {
    Domain.CONDITION: ("diagnosis of any kind", "diagnoses of any kind"),
    Domain.PROCEDURE: ("procedure of any kind", "procedures of any kind"),
    Domain.DRUG: ("drug of any kind", "records of drugs of any kind"),
    Domain.MEASUREMENT: ("measurement of any kind", "measurements of any kind"),
    Domain.VISIT: ("visit of any kind", "visits of any kind"),
    Domain.DEATH: ("recorded death", "recorded deaths"),
}


def moment_of(domain: Domain) -> Moment:
    """The event that stands right above a list, as what days are counted from."""
    name = f"that {_NOUNS[domain][0].removeprefix('a ')}"
    return Moment(name, f"the day of {name}")


def noun(domain: Domain, codes: str | None, *, plural: bool) -> str:
    """Such as ``diagnosis of 'liver metastasis'`` or ``visits of any kind``."""
    if codes is None:
        return _ANY[domain][plural]
    return f"{_NOUNS[domain][1 + plural]} '{codes}'"


def number(amount: int) -> str:
    """A small number as a word, a larger one in figures."""
    return _NUMBERS[amount] if 0 <= amount < len(_NUMBERS) else f"{amount:,}"


def several(amount: int, word: str) -> str:
    """Such as ``1 day`` or ``90 days``."""
    return f"{amount:,} {word}{'' if amount == 1 else 's'}"


def window_in_words(window: Window, moment: Moment) -> str:
    """Such as ``in the 90 days before the index`` or ``at any time``."""
    for unit, days in _UNITS:
        ends = in_units(window, unit, days)
        if ends is not None:
            return f"{_span(*ends, unit, moment)} ({_days(window)})"
    return _span(window.earliest, window.latest, "day", moment)


def in_units(window: Window, unit: str, days: float) -> tuple[int | None, int | None] | None:
    """The ends in longer units, where reading those gives exactly these days."""
    ends = (window.earliest, window.latest)
    one_sided = ends[0] and ends[1] and (ends[0] < 0) == (ends[1] < 0)
    if not any(ends) or (unit == "month" and not one_sided):
        return None
    found = [None if end is None else round(end / days) for end in ends]
    if any(end and not amount for end, amount in zip(ends, found, strict=True)):
        return None
    earliest, latest = found
    if earliest is not None and math.ceil(earliest * days) != window.earliest:
        return None
    if latest is not None and math.floor(latest * days) != window.latest:
        return None
    return earliest, latest


def _days(window: Window) -> str:
    if window.earliest is None:
        return f"until day {window.latest}"
    if window.latest is None:
        return f"from day {window.earliest}"
    return f"days {window.earliest} to {window.latest}"


def _span(earliest: int | None, latest: int | None, unit: str, moment: Moment) -> str:
    if earliest is None:
        return "at any time" if latest is None else _until(latest, unit, moment)
    if latest is None:
        return _since(earliest, unit, moment)
    if earliest == latest:
        return _at(earliest, unit, moment)
    if latest <= 0:
        return _near((-earliest, -latest), unit, "before", moment)
    if earliest >= 0:
        return _near((earliest, latest), unit, "after", moment)
    return f"from {several(-earliest, unit)} before to {several(latest, unit)} after {moment.name}"


def _until(latest: int, unit: str, moment: Moment) -> str:
    if latest > 0:
        return f"at any time up to {several(latest, unit)} after {moment.name}"
    if latest == 0:
        return f"on {moment.day} or at any time before"
    if latest == -1 and unit == "day":
        return f"at any time before {moment.day}"
    return f"at least {several(-latest, unit)} before {moment.name}"


def _since(earliest: int, unit: str, moment: Moment) -> str:
    if earliest < 0:
        return f"at any time from {several(-earliest, unit)} before {moment.name} on"
    if earliest == 0:
        return f"on {moment.day} or at any time after"
    if earliest == 1 and unit == "day":
        return f"at any time after {moment.day}"
    return f"at least {several(earliest, unit)} after {moment.name}"


def _at(day: int, unit: str, moment: Moment) -> str:
    if day == 0:
        return f"on {moment.day}"
    side = "before" if day < 0 else "after"
    if abs(day) == 1 and unit == "day":
        return f"on the day {side} {moment.name}"
    return f"exactly {several(abs(day), unit)} {side} {moment.name}"


def _near(ends: tuple[int, int], unit: str, side: str, moment: Moment) -> str:
    """A span on one side, from the earlier to the later of its ends, both as distances."""
    least, most = sorted(ends)
    span = unit if most == 1 else several(most, unit)
    if least == 0:
        return f"on {moment.day} or in the {span} {side}"
    if least == 1 and unit == "day":
        return f"in the {span} {side} {moment.name}"
    first = several(ends[0], unit) if ends[1] == 1 else f"{ends[0]:,}"
    return f"from {first} to {several(ends[1], unit)} {side} {moment.name}"


def day_in_words(day: int, moment: Moment) -> str:
    """Such as ``the index day`` or ``365 days before the index``."""
    if day == 0:
        return moment.day
    return f"{several(abs(day), 'day')} {'before' if day < 0 else 'after'} {moment.name}"


def date_in_words(date: dt.date) -> str:
    """Such as ``31 July 2024``."""
    return f"{date.day} {_MONTHS[date.month - 1]} {date.year}"


def dates_in_words(dates: DateRange) -> str:
    """Such as ``from 1 January 2016 to 31 July 2024``."""
    earliest, latest = dates.earliest, dates.latest
    if earliest is None:
        return "on any date" if latest is None else f"on or before {date_in_words(latest)}"
    if latest is None:
        return f"on or after {date_in_words(earliest)}"
    if earliest == latest:
        return f"on {date_in_words(earliest)}"
    return f"from {date_in_words(earliest)} to {date_in_words(latest)}"


def age_in_words(age: AgeRange) -> str:
    """Such as ``18 to 75``, ``18 or more`` or ``at most 75``."""
    if age.at_least is None:
        return "any that is known" if age.at_most is None else f"at most {age.at_most}"
    if age.at_most is None:
        return f"{age.at_least} or more"
    return str(age.at_least) if age.at_least == age.at_most else f"{age.at_least} to {age.at_most}"


def value_in_words(value: ValueRange) -> str:
    """Such as ``at most 2 mg/dL`` or ``above 1 and below 2``."""
    unit = "" if value.unit == PLAIN else f" {value.unit}"
    if value.at_least is None:
        return f"{'below' if value.strict else 'at most'} {figure(value.at_most)}{unit}"
    if value.at_most is None:
        return f"{'above' if value.strict else 'at least'} {figure(value.at_least)}{unit}"
    if value.strict:
        return f"above {figure(value.at_least)} and below {figure(value.at_most)}{unit}"
    return f"from {figure(value.at_least)} to {figure(value.at_most)}{unit}"


def figure(amount: float | None) -> str:
    """A number with all its digits and no exponent."""
    if amount is None:
        return "any"
    text = f"{Decimal(repr(float(amount))):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def count_in_words(count: Count) -> str:
    """Such as ``at least two``; of days as of events."""
    if count.at_most is None:
        return f"at least {number(count.at_least)}"
    if count.at_least == count.at_most:
        return f"exactly {number(count.at_least)}"
    if count.at_least == 0:
        return f"at most {number(count.at_most)}"
    return f"{number(count.at_least)} to {number(count.at_most)}"


def listed(words: list[str], last: str = "and") -> str:
    """Such as ``12, 24 and 36``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"
