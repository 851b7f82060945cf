"""What describes a cohort, as values."""

from __future__ import annotations

import msgspec

from simulator.aggregates.released import Released, Withheld
from simulator.hub.analyses.results import Interval, Quantile


class Part(msgspec.Struct, frozen=True):
    """A part of a cohort and its share of everyone, 0 to 1, where both are told exactly."""

    label: str
    patients: Released
    share: float | None


class SexAndAge(msgspec.Struct, frozen=True):
    """Patients of a sex in an age group."""

    sex: str
    age: str
    patients: Released


class Demographics(msgspec.Struct, frozen=True):
    """Who the patients are at index.

    Attributes:
        everyone: All of them.
        sexes: By recorded sex.
        ages: By age in completed calendar years.
        sexes_and_ages: By both.
        races: By recorded race.
        years: By year of index.
    """

    everyone: Released
    sexes: tuple[Part, ...]
    ages: tuple[Part, ...]
    sexes_and_ages: tuple[SexAndAge, ...]
    races: tuple[Part, ...]
    years: tuple[Part, ...]


class CodeCount(msgspec.Struct, frozen=True):
    """Patients with a code, or one under it, at or before index."""

    code: str
    description: str
    patients: Released
    share: float | None


class CodeList(msgspec.Struct, frozen=True):
    """The most frequent of a list of codes.

    Attributes:
        domain: The kind of fact.
        listed: How many codes were asked about.
        withheld: Of how many the count is withheld.
        everyone: All patients.
        top: The most frequent of those told, in order.
    """

    domain: str
    listed: int
    withheld: int
    everyone: Released
    top: tuple[CodeCount, ...]


class Bin(msgspec.Struct, frozen=True):
    """Patients whose value is at least one bound and below the other; None is unbounded."""

    at_least: float | None
    below: float | None
    patients: Released


class Within(msgspec.Struct, frozen=True):
    """Between which bounds a quantile lies; None is unbounded."""

    share: float
    at_least: float | None
    below: float | None


class Lab(msgspec.Struct, frozen=True):
    """The latest value of a test in the year before index.

    Attributes:
        loinc: The test's code.
        description: What it measures.
        unit: The unit of the bounds.
        without: Patients without a value.
        bins: Those with one.
        quantiles: Quartiles and median of those with one, as far as the bins tell.
    """

    loinc: str
    description: str
    unit: str
    without: Released
    bins: tuple[Bin, ...]
    quantiles: tuple[Within, ...]


class CalendarYear(msgspec.Struct, frozen=True):
    """One calendar year of everyone at the sites.

    Attributes:
        year: The year.
        observed: People with a day under observation in it.
        new: Patients whose index lies in it.
        person_years_at_risk: Observed before index, in years of 365.25 days.
        incidence: New patients per 1,000 person-years at risk, with the exact Poisson interval.
        in_the_cohort: People observed in the year whose index is not later than its end.
        prevalence: Their share of all observed, 0 to 1.
    """

    year: int
    observed: Released
    new: Released
    person_years_at_risk: float | Withheld
    incidence: Interval | None
    in_the_cohort: Released
    prevalence: float | None


class Quarter(msgspec.Struct, frozen=True):
    """Patients whose index lies in a quarter."""

    quarter: str
    patients: Released


class Projected(msgspec.Struct, frozen=True):
    """How many new patients a coming quarter may bring, each for the quarter by itself."""

    quarter: str
    by_mean: Interval
    by_trend: Interval | None


class Arrival(msgspec.Struct, frozen=True):
    """How patients came into the cohort, and how they may go on to.

    Attributes:
        quarters: The last twelve whole quarters of data.
        basis: What the projection stands on, or why there is none.
        projection: The next four quarters.
    """

    quarters: tuple[Quarter, ...]
    basis: str
    projection: tuple[Projected, ...]


class FollowedYear(msgspec.Struct, frozen=True):
    """Patients whose watching ended in a year after index, with the outcome or without it."""

    year: str
    with_outcome: Released
    without: Released


class FollowUpFound(msgspec.Struct, frozen=True):
    """How long patients were watched.

    Attributes:
        patients: All of them.
        median_months: The median time of watching, by the reverse Kaplan-Meier curve.
        quantiles_months: By when a quarter, half and three quarters were no longer watched.
        years: By year after index, of whom watching ended within the months that are told.
        watched_longer: All others.
    """

    patients: Released
    median_months: Interval
    quantiles_months: tuple[Quantile, ...]
    years: tuple[FollowedYear, ...]
    watched_longer: Released


class Path(msgspec.Struct, frozen=True):
    """Patients who took these kinds of treatment first, in this order."""

    steps: tuple[str, ...]
    patients: Released
    share: float | None


class Pathways(msgspec.Struct, frozen=True):
    """In which order kinds of treatment first followed the index."""

    everyone: Released
    paths: tuple[Path, ...]


def share_of(patients: Released, everyone: Released) -> float | None:
    """The share of a part, where both numbers are told exactly."""
    if isinstance(patients, int) and isinstance(everyone, int) and everyone > 0:
        return patients / everyone
    return None
