"""What is asked about a cohort as a whole: who, when, how long, with what before, with what next.

Each need is about the patients who pass every step; arms play no part.
"""

from __future__ import annotations

from typing import Final

import msgspec

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.survival import survival_layout
from simulator.aggregates.table import Axis, Layout, Measure
from simulator.language.codes import ConceptSet
from simulator.language.criteria import Domain
from simulator.language.study import Question

PATIENTS: Final = "patients"
OBSERVED: Final = "observed"
PREVALENT: Final = "in the cohort"
DAYS_AT_RISK: Final = "days at risk"
EVERYONE: Final = "everyone"
NOT_RECORDED: Final = "not recorded"
NO_VALUE: Final = "no value"
NO_LINE: Final = "none"
SEXES: Final = ("female", "male", NOT_RECORDED)
AGE_EDGES: Final = (18, 30, 40, 50, 60, 70, 80)
AGES: Final = ("0-17", "18-29", "30-39", "40-49", "50-59", "60-69", "70-79", "80+", NOT_RECORDED)
RACES: Final = (
    "White",
    "Black or African American",
    "Asian",
    "American Indian or Alaska Native",
    "Native Hawaiian or other Pacific Islander",
    "other or not recorded",
)
QUARTERS: Final = ("first quarter", "second quarter", "third quarter", "fourth quarter")
DEPTH: Final = 3

# What a question may cost is bounded by the question alone.
_YEARS: Final = 60
_CODES: Final = 1000
_TESTS: Final = 60
_EDGES: Final = 20


class Years(msgspec.Struct, frozen=True):
    """Calendar years, both ends included; at most 60, between 1900 and 2200."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if not 1900 <= self.first <= self.last <= 2200 or self.size > _YEARS:
            raise ValueError(f"at most {_YEARS} years in order; found {self.first} to {self.last}")

    @property
    def size(self) -> int:
        """How many years there are."""
        return self.last - self.first + 1

    @property
    def labels(self) -> tuple[str, ...]:
        """Each year as text."""
        return tuple(str(year) for year in range(self.first, self.last + 1))


class DemographicsNeed(msgspec.Struct, frozen=True, tag="demographics"):
    """Patients by recorded sex and age at index (year of index minus year of birth)."""

    def layout(self, _question: Question) -> Layout:
        """Sex x age."""
        return Layout((Axis.of("sex", SEXES), Axis.of("age", AGES)), (Measure(PATIENTS),))


class RaceNeed(msgspec.Struct, frozen=True, tag="race"):
    """Patients by recorded race."""

    def layout(self, _question: Question) -> Layout:
        """Race."""
        return Layout((Axis.of("race", RACES),), (Measure(PATIENTS),))


class ArrivalNeed(msgspec.Struct, frozen=True, tag="arrival"):
    """Patients by year and quarter of index, also those before and after the years."""

    years: Years

    def layout(self, _question: Question) -> Layout:
        """Year, with all before first and all after last, x quarter."""
        first, last = self.years.first, self.years.last
        labels = (f"before {first}", *self.years.labels, f"after {last}")
        return Layout((Axis.of("year", labels), Axis.of("quarter", QUARTERS)), (Measure(PATIENTS),))


class CalendarNeed(msgspec.Struct, frozen=True, tag="calendar"):
    """For each year, of everyone at the site: who was observed, in the cohort, and at risk of it.

    Observed is who has a day within a period of observation in the year. In the cohort is who of
    them has an index by the year's end. Days at risk are days observed in the year, of patients of
    the cohort only those before their index.
    """

    years: Years

    def layout(self, _question: Question) -> Layout:
        """Year, with people observed, people in the cohort, and days."""
        measures = (Measure(OBSERVED), Measure(PREVALENT), Measure(DAYS_AT_RISK))
        return Layout((Axis.of("year", self.years.labels),), measures)


class FollowUpNeed(msgspec.Struct, frozen=True, tag="follow-up"):
    """How watching ended, by time from index, with the outcome or without it.

    Attributes:
        months: The horizon. Range: 1 to 600, a multiple of the unit.
        unit: The width of a cell: month, quarter or year.
    """

    months: int
    unit: Unit = Unit.MONTH

    def __post_init__(self) -> None:
        if self.unit is Unit.DAY:
            raise ValueError("how watching ended is told by month at the finest")
        Grid(self.unit, self.months)  # refuses a horizon that cannot be

    @property
    def grid(self) -> Grid:
        """The time axis."""
        return Grid(self.unit, self.months)

    def layout(self, _question: Question) -> Layout:
        """Everyone x time, with outcomes and other ends."""
        return survival_layout((EVERYONE,), self.grid)


class CodesNeed(msgspec.Struct, frozen=True, tag="codes"):
    """Patients with at least one fact at or before index, for each of many concept sets.

    Attributes:
        domain: The kind of fact: conditions, procedures or drugs.
        sets: The concept sets, each with a name of its own; together at most 1,000 codes.
    """

    domain: Domain
    sets: tuple[ConceptSet, ...]

    def __post_init__(self) -> None:
        if self.domain not in {Domain.CONDITION, Domain.PROCEDURE, Domain.DRUG}:
            raise ValueError(f"conditions, procedures or drugs are listed; found '{self.domain}'")
        number = sum(len(codes.include) + len(codes.exclude) for codes in self.sets)
        if number > _CODES:
            raise ValueError(f"at most {_CODES} codes can be listed; found {number}")
        if len({codes.name for codes in self.sets}) < len(self.sets):
            raise ValueError("a name of a concept set stands there twice")

    def layout(self, _question: Question) -> Layout:
        """All patients, then each concept set."""
        names = (EVERYONE, *(codes.name for codes in self.sets))
        return Layout((Axis.of("code", names),), (Measure(PATIENTS),))


class LabTest(msgspec.Struct, frozen=True):
    """A test whose values are counted in bins.

    Attributes:
        loinc: Its code.
        unit: The unit of the edges, as UCUM writes it.
        edges: Where bins end, ascending; a value at an edge is in the bin above. 1 to 20.
    """

    loinc: str
    unit: str
    edges: tuple[float, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.edges) <= _EDGES or list(self.edges) != sorted(set(self.edges)):
            raise ValueError(f"1 to {_EDGES} edges in order are needed; found {self.edges}")


class LabsNeed(msgspec.Struct, frozen=True, tag="labs"):
    """Patients by their latest value in the 365 days up to index, for each of several tests.

    Of several values on that day the greatest counts. A value whose unit is not known does not.
    """

    tests: tuple[LabTest, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.tests) <= _TESTS:
            raise ValueError(f"1 to {_TESTS} tests can be asked for; found {len(self.tests)}")
        if len({test.loinc for test in self.tests}) < len(self.tests):
            raise ValueError("a test stands there twice")

    @property
    def bins(self) -> int:
        """The greatest number of bins that a test has."""
        return max(len(test.edges) for test in self.tests) + 1

    def layout(self, _question: Question) -> Layout:
        """Test x bin, the last for patients without a value."""
        labels = (*(str(place) for place in range(self.bins)), NO_VALUE)
        tests = tuple(test.loinc for test in self.tests)
        return Layout((Axis.of("test", tests), Axis.of("bin", labels)), (Measure(PATIENTS),))


class PathwaysNeed(msgspec.Struct, frozen=True, tag="pathways"):
    """Patients by the order in which the question's kinds of treatment first follow the index.

    Up to three of them, from the day of the index on. Those of one day go by the question's order.
    """

    def layout(self, question: Question) -> Layout:
        """First x second x third kind of treatment, the last place of each for none."""
        lines = (*(str(events.codes) for events in question.lines), NO_LINE)
        axes = tuple(Axis.of(name, lines) for name in ("first", "second", "third"))
        return Layout(axes, (Measure(PATIENTS),))


DescribingNeed = (
    DemographicsNeed
    | RaceNeed
    | ArrivalNeed
    | CalendarNeed
    | FollowUpNeed
    | CodesNeed
    | LabsNeed
    | PathwaysNeed
)
