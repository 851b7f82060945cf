"""Criteria: conditions on a patient's record, each true or false at an anchor.

The anchor of a criterion at the top is the patient's index event. A criterion inside an event's
``with`` is anchored at that event unless it says ``relative to: index``.

What an event criterion means, in this order: the events of the domain with one of the codes; of
those, the ones that themselves fit dates, age, value and ``with``; of those, the first, the last or
any (all events of the first day are first); of those, the ones inside the window around the anchor;
and of those, the count. A ``first value`` or ``last value`` stands in place of the count: of the
events in the window that have a value in a unit that can be converted, those of the first or the
last day, of which at least one must lie in the range.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from simulator.language.values import ValueRange
from simulator.language.windows import AgeRange, Count, DateRange, Window


class Domain(StrEnum):
    """A kind of fact, which is a table of the common data model."""

    CONDITION = "condition"
    PROCEDURE = "procedure"
    DRUG = "drug"
    MEASUREMENT = "measurement"
    VISIT = "visit"
    DEATH = "death"


class Occurrence(StrEnum):
    """Which of a patient's events count."""

    ANY = "any"
    FIRST = "first"
    LAST = "last"


class Anchor(StrEnum):
    """The event from which a window counts its days."""

    INDEX = "index"
    EVENT = "event"


class Sex(StrEnum):
    """Sex as the common data model's gender concept records it."""

    FEMALE = "female"
    MALE = "male"


class Rule(StrEnum):
    """How many members of a group must hold."""

    ALL = "all"
    ANY = "any"
    NONE = "none"
    AT_LEAST = "at least"
    AT_MOST = "at most"


class Events(msgspec.Struct, frozen=True):
    """Events of one kind, each fitting on its own.

    Attributes:
        domain: The kind of fact.
        codes: The name of the concept set they are in; None for any of that kind.
        occurrence: Which of a patient's fitting events count.
        dates: Where the event must lie in the calendar.
        age: The patient's age at the event, in completed calendar years (year of event minus year
            of birth, as birth is often known by year only).
        value: Where a measured value must lie; a value whose unit is not known does not.
        related: What must hold relative to each event.
    """

    domain: Domain
    codes: str | None = None
    occurrence: Occurrence = Occurrence.ANY
    dates: DateRange | None = None
    age: AgeRange | None = None
    value: ValueRange | None = None
    related: tuple[Criterion, ...] = ()

    def __post_init__(self) -> None:
        if self.domain is Domain.DEATH and self.codes is not None:
            raise ValueError("causes of death cannot be asked for; write 'death: any'")
        if self.value is not None:
            check_measured(self)


class EdgeValue(msgspec.Struct, frozen=True):
    """The value of the first or the last day in a window, which must lie in a range."""

    occurrence: Occurrence
    value: ValueRange

    def __post_init__(self) -> None:
        if self.occurrence is Occurrence.ANY:
            raise ValueError("the value must be that of the 'first' or the 'last' day")


class EventCriterion(msgspec.Struct, frozen=True, tag="event"):
    """So many events inside a window around the anchor, or one of such a value at its edge."""

    events: Events
    window: Window = Window()
    anchor: Anchor = Anchor.INDEX
    count: Count = Count()
    edge: EdgeValue | None = None

    def __post_init__(self) -> None:
        if self.edge is None:
            return
        check_measured(self.events)
        if self.count != Count():
            raise ValueError(
                f"a '{self.edge.occurrence} value' is one value: drop 'count', or ask for 'value'"
            )


class Group(msgspec.Struct, frozen=True, tag="group"):
    """Several criteria, of which so many must hold."""

    rule: Rule
    members: tuple[Criterion, ...]
    number: int = 0

    def __post_init__(self) -> None:
        if not self.members:
            raise ValueError(f"a group '{self.rule}' needs at least one member")
        counted = self.rule in {Rule.AT_LEAST, Rule.AT_MOST}
        if counted and not 0 <= self.number <= len(self.members):
            raise ValueError(
                f"'{self.rule} {self.number}' of {len(self.members)} members cannot be"
            )

    @property
    def bounds(self) -> tuple[int, int]:
        """The least and the greatest number of members that may hold."""
        everyone = len(self.members)
        return {
            Rule.ALL: (everyone, everyone),
            Rule.ANY: (1, everyone),
            Rule.NONE: (0, 0),
            Rule.AT_LEAST: (self.number, everyone),
            Rule.AT_MOST: (0, self.number),
        }[self.rule]


class SexCriterion(msgspec.Struct, frozen=True, tag="sex"):
    """The patient's recorded sex."""

    sex: Sex


class AgeCriterion(msgspec.Struct, frozen=True, tag="age"):
    """The patient's age at the anchor, in completed calendar years."""

    age: AgeRange


class DateCriterion(msgspec.Struct, frozen=True, tag="dates"):
    """Where the anchor lies in the calendar."""

    dates: DateRange


class ObservedCriterion(msgspec.Struct, frozen=True, tag="observed"):
    """One period of observation spans all days of a window around the anchor.

    Attributes:
        window: The days, both ends given.
    """

    window: Window

    def __post_init__(self) -> None:
        if self.window.earliest is None or self.window.latest is None:
            raise ValueError(f"expected both days, as in '-365 to 0'; found '{self.window}'")


Criterion = EventCriterion | Group | SexCriterion | AgeCriterion | DateCriterion | ObservedCriterion


def check_measured(events: Events) -> None:
    """Refuses values of what is not measured, or of nothing in particular.

    Raises:
        ValueError: The events are no measurements, or name no concept set.
    """
    if events.domain is not Domain.MEASUREMENT:
        raise ValueError(f"only a 'measurement' has a value; this is a '{events.domain}'")
    if events.codes is None:
        raise ValueError("a value needs a concept set: say which measurement")
