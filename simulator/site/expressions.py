"""Pieces of SQL: conditions on days, ages, counts and groups, with their parameters."""

from __future__ import annotations

from typing import Final

from simulator.language.criteria import Group, Sex
from simulator.language.windows import AgeRange, Count, DateRange, Window

_GENDER: Final = {Sex.FEMALE: 8532, Sex.MALE: 8507}


class Parameters:
    """The parameters of a statement, and the conditions that refer to them."""

    def __init__(self) -> None:
        self.values: dict[str, object] = {}
        self._known: dict[tuple[str, str], str] = {}

    def refer(self, value: object, kind: str) -> str:
        """A reference to a parameter of an SQL type; equal values share one."""
        name = self._known.setdefault((kind, repr(value)), f"p{len(self.values)}")
        self.values[name] = value
        return f"${name}::{kind}"

    def window(self, day: str, anchor: str, window: Window) -> list[str]:
        """The conditions for a day to lie in a window around an anchor."""
        parts = []
        if window.earliest is not None:
            parts.append(f"{day} >= {anchor} + {self.refer(window.earliest, 'INTEGER')}")
        if window.latest is not None:
            parts.append(f"{day} <= {anchor} + {self.refer(window.latest, 'INTEGER')}")
        return parts

    def dates(self, day: str, dates: DateRange) -> str:
        """Whether a day lies within dates."""
        parts = []
        if dates.earliest is not None:
            parts.append(f"{day} >= {self.refer(dates.earliest, 'DATE')}")
        if dates.latest is not None:
            parts.append(f"{day} <= {self.refer(dates.latest, 'DATE')}")
        return " AND ".join(parts) or "true"

    def age(self, day: str, age: AgeRange) -> str:
        """Whether person `p` is of an age on a day, by calendar years."""
        years = f"year({day}) - p.year_of_birth"
        parts = [f"{years} IS NOT NULL"]
        if age.at_least is not None:
            parts.append(f"{years} >= {self.refer(age.at_least, 'INTEGER')}")
        if age.at_most is not None:
            parts.append(f"{years} <= {self.refer(age.at_most, 'INTEGER')}")
        return " AND ".join(parts)


def is_of_sex(sex: Sex) -> str:
    """Whether person `p` is recorded with a sex."""
    return f"coalesce(p.gender_concept_id = {_GENDER[sex]}, false)"


def middle_of_month(day: str) -> str:
    """The 15th of a day's month."""
    return f"(date_trunc('month', {day})::DATE + 14)"


def never_before_in_month(day: str, anchor: str) -> str:
    """The day, or the anchor where the anchor is later in the same calendar month."""
    same = f"date_trunc('month', {day}) = date_trunc('month', {anchor})"
    return f"(CASE WHEN {same} THEN greatest({day}, {anchor}) ELSE {day} END)"


def group_condition(group: Group, members: list[str]) -> str:
    """Whether as many members hold as a group asks for."""
    least, most = group.bounds
    everyone = len(members)
    if least == everyone:
        return "(" + " AND ".join(members) + ")"
    if most == 0:
        return "NOT (" + " OR ".join(members) + ")"
    if (least, most) == (1, everyone):
        return "(" + " OR ".join(members) + ")"
    held = " + ".join(f"({member})::INTEGER" for member in members)
    return f"({held} BETWEEN {least} AND {most})"


def count_condition(number: str, count: Count) -> str:
    """Whether a number is within a count."""
    if count.at_most is None:
        return f"({number} >= {count.at_least})"
    return f"({number} BETWEEN {count.at_least} AND {count.at_most})"
