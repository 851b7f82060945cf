"""The people of a site in columns: who they are, and when they are under observation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.synthesis.courses import Courses, Flags
from simulator.synthesis.days import (
    DAYS_PER_YEAR,
    NEVER,
    Days,
    day_number,
    middle_of_month,
)
from simulator.synthesis.organisations import Organisation
from simulator.synthesis.population_file import AGE_EDGES, AGE_GROUPS, Population

_GROUPS = len(AGE_GROUPS)
_SHORTEST_STAY = 30


@dataclass(frozen=True)
class People:
    """n persons of one site, shape (n,) each. All dates are as recorded.

    Attributes:
        man: Whether a man.
        birth: Day of birth.
        group: Age group at the start of observation.
        start: First day under observation.
        end: Last day under observation.
        death: Recorded day of death, or `NEVER`.
        race: Number of the race in the population.
        hispanic: Whether Hispanic.
        oncology: Whether one of the patients that the plan or a near miss made.
    """

    man: Flags
    birth: Days
    group: NDArray[np.int16]
    start: Days
    end: Days
    death: Days
    race: NDArray[np.int16]
    hispanic: Flags
    oncology: Flags

    def __len__(self) -> int:
        return len(self.birth)


@dataclass(frozen=True)
class Milestones:
    """When the disease of oncology patients was found, shape (n,) each; recorded days."""

    diagnosis: Days
    metastasis: Days
    start: Days

    @staticmethod
    def concatenate(parts: Sequence[Milestones]) -> Milestones:
        """Those of all patients of several, in order."""
        return Milestones(
            np.concatenate([part.diagnosis for part in parts]),
            np.concatenate([part.metastasis for part in parts]),
            np.concatenate([part.start for part in parts]),
        )


def draw_milestones(
    rng: np.random.Generator, courses: Courses, organisation: Organisation
) -> Milestones:
    """Days of diagnosis and metastasis before index, inside the site's records."""
    count = len(courses)
    first = np.int32(day_number(organisation.first))
    latest = courses.index - 100
    diagnosis = np.minimum(
        np.maximum(courses.index - rng.integers(200, 3000, count), first), latest
    )
    metastasis = np.maximum(courses.index - rng.integers(30, 700, count), diagnosis)
    start = np.maximum(diagnosis - rng.integers(0, 365, count), np.minimum(first, diagnosis))
    return Milestones(
        diagnosis.astype(np.int32), metastasis.astype(np.int32), start.astype(np.int32)
    )


def _background_days(
    rng: np.random.Generator, count: int, organisation: Organisation, population: Population
) -> tuple[Days, Days]:
    first, last = day_number(organisation.first), day_number(organisation.last)
    start = rng.integers(first, last - _SHORTEST_STAY, count)
    length = _SHORTEST_STAY + rng.exponential(population.observed_years * DAYS_PER_YEAR, count)
    end = np.minimum(start + length.astype(np.int64), last)
    shift = rng.integers(-organisation.shift, organisation.shift + 1, count)
    return (start + shift).astype(np.int32), (end + shift).astype(np.int32)


def draw_people(
    rng: np.random.Generator,
    count: int,
    courses: Courses,
    who: NDArray[np.int64],
    milestones: Milestones,
    organisation: Organisation,
    population: Population,
) -> People:
    """Draws all persons of a site; those at positions `who` are the oncology patients.

    Args:
        rng: Source of randomness.
        count: Persons of the site.
        courses: Its oncology patients, shape (k,).
        who: Their positions among the persons, shape (k,).
        milestones: When their disease was found, shape (k,).
        organisation: The site.
        population: The people around them.
    """
    group = rng.choice(_GROUPS, size=count, p=np.array(population.ages))
    edges = np.array(AGE_EDGES, dtype=np.float64)
    age = edges[group] + rng.random(count) * (edges[group + 1] - edges[group])
    man = rng.random(count) >= population.women
    start, end = _background_days(rng, count, organisation, population)
    dies = rng.random(count) < np.array(population.deaths)[group] * organisation.capture
    dies &= "death" in organisation.domains
    if organisation.month_deaths:
        end = np.where(dies, np.maximum(middle_of_month(end), start), end).astype(np.int32)
    death = np.where(dies, end, np.int32(NEVER)).astype(np.int32)
    birth = (start - (age * DAYS_PER_YEAR)).astype(np.int32)
    start[who], end[who] = milestones.start, courses.end
    death[who], man[who] = courses.death, courses.man
    birth[who] = courses.index - (courses.age * DAYS_PER_YEAR).astype(np.int32)
    age[who] = (start[who] - birth[who]) / DAYS_PER_YEAR
    oncology = np.zeros(count, dtype=np.bool_)
    oncology[who] = True
    return People(
        man=man,
        birth=birth,
        group=(np.searchsorted(edges, age, side="right") - 1).clip(0, _GROUPS - 1).astype(np.int16),
        start=start,
        end=end,
        death=death,
        race=rng.choice(
            len(population.races), size=count, p=np.array(list(population.races.values()))
        ).astype(np.int16),
        hispanic=rng.random(count) < population.hispanic,
        oncology=oncology,
    )
