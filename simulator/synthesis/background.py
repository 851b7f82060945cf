"""Ordinary visits with their diagnoses, procedures, drugs and values, for everyone, in columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.synthesis.codebook import Codebook
from simulator.synthesis.days import Days
from simulator.synthesis.facts import Facts, SiteFacts, Visits
from simulator.synthesis.population import People
from simulator.synthesis.population_file import AGE_GROUPS, Disease, Population, Service

# A weighted choice is a look-up in a table of this many equal parts: far faster than a search, and
# exact to one part in 4096.
_PARTS: Final = 4096
_SLOTS: Final = 4  # chronic diseases of a person, repeats allowed; a power of two
_GROUPS: Final = len(AGE_GROUPS)
_LARGEST_COUNT: Final = 60

Small = NDArray[np.int16]


def _spread(weights: NDArray[np.float64]) -> Small:
    """A look-up table of `_PARTS` parts with choices in proportion to their weights."""
    edges = np.cumsum(weights) / weights.sum()
    return np.searchsorted(edges, (np.arange(_PARTS) + 0.5) / _PARTS).astype(np.int16)


def _poisson_table(mean: float) -> Small:
    numbers = np.arange(1, _LARGEST_COUNT)
    terms = np.concatenate([[1.0], np.cumprod(mean / numbers)]) * np.exp(-mean)
    return _spread(terms)


def _draw(rng: np.random.Generator, count: int) -> NDArray[np.uint16]:
    return rng.integers(0, _PARTS, size=count, dtype=np.uint16)


def _by_group(items: Sequence[Disease | Service], *, cancers: bool) -> NDArray[np.int16]:
    """Look-up tables by person group (age x sex), shape (2 * groups, parts)."""
    tables = []
    for age in range(_GROUPS):
        for man in (False, True):
            weights = np.array(
                [item.use[age] * (item.men if man else item.women) for item in items]
            )
            if not cancers:
                weights *= [not item.cancer for item in items]
            tables.append(_spread(weights))
    return np.stack(tables)


@dataclass(frozen=True)
class Background:
    """The look-up tables of a population, made once for all sites of a worker."""

    population: Population
    codebook: Codebook
    chronic: Small
    acute: Small
    services: Small
    labs: Small
    chronic_codes: Small
    acute_codes: Small
    service_codes: Small
    chronic_drugs: Small
    acute_drugs: Small
    diabetes: NDArray[np.bool_]
    counts: tuple[Small, ...]

    @staticmethod
    def of(population: Population, codebook: Codebook) -> Background:
        """The tables of a population in a codebook's numbers."""
        # Oncology patients (the second half) have no other cancer by chance, nor its treatment: it
        # could change the step at which they leave the study.
        chronic, services = (
            np.concatenate([_by_group(items, cancers=cancers) for cancers in (True, False)])
            for items in (population.chronic, population.procedures)
        )
        return Background(
            population,
            codebook,
            chronic,
            _by_group(population.acute, cancers=True),
            services,
            _spread(np.array([lab.use for lab in population.labs])),
            codebook.rows("ICD10CM", *(disease.code for disease in population.chronic)),
            codebook.rows("ICD10CM", *(disease.code for disease in population.acute)),
            np.array(
                [codebook.row(*item.code.split(" ", 1)) for item in population.procedures],
                dtype=np.int16,
            ),
            _drug_table(population.chronic, codebook),
            _drug_table(population.acute, codebook),
            np.array([disease.diabetes for disease in population.chronic]),
            tuple(_poisson_table(mean) for mean in population.facts),
        )


def _drug_table(diseases: Sequence[Disease], codebook: Codebook) -> Small:
    """Rows of drugs by disease and a number from 0 to 11, which 1 to 4 and 6 divide."""
    return np.stack(
        [np.resize(codebook.rows("RxNorm", *disease.drugs), 12) for disease in diseases]
    )


def draw_visits(rng: np.random.Generator, people: People, background: Background) -> Visits:
    """Visits by person and day, every person with one or more, inside observation."""
    population, codebook = background.population, background.codebook
    shape = population.visit_shape
    mean = rng.gamma(shape, (population.visits - 1.0) / shape, len(people))
    counts = 1 + rng.poisson(mean)
    person = np.repeat(np.arange(len(people), dtype=np.int64), counts)
    length = (people.end - people.start + 1).astype(np.float32)
    offset = (rng.random(len(person), dtype=np.float32) * length[person]).astype(np.int64)
    # One number holds person and day, so that one fast sort orders both.
    key = np.sort((person << 32) + np.minimum(offset, (people.end - people.start)[person]))
    start = people.start[person] + (key & 0xFFFFFFFF).astype(np.int32)
    shares = np.array(
        [
            population.outpatient,
            population.emergency,
            1.0 - population.outpatient - population.emergency,
        ]
    )
    kind = _spread(shares)[_draw(rng, len(person))]
    stay = np.where(kind == 2, population.stay_days, 0)
    end = np.minimum(start + stay, people.end[person]).astype(np.int32)
    rows = codebook.rows("Visit", "OP", "ER", "IP")
    return Visits(person.astype(np.int32), start, end, rows[kind])


def _at_visits(
    rng: np.random.Generator, visits: Visits, table: Small
) -> tuple[NDArray[np.int32], NDArray[np.int32], Days]:
    """How many facts each visit has: positions of visit and person, and days, one a fact."""
    counts = table[_draw(rng, len(visits))]
    visit = np.repeat(np.arange(len(visits), dtype=np.int32), counts)
    return visit, visits.person[visit], visits.start[visit]


def _facts(visit: NDArray[np.int32], person: NDArray[np.int32], date: Days, code: Small) -> Facts:
    none = np.empty(0, dtype=np.int64)
    return Facts(person, date, code, visit, none, none.astype(np.int16))


def draw_background(rng: np.random.Generator, people: People, background: Background) -> SiteFacts:
    """Everything that happens to everyone for ordinary reasons."""
    group = (people.group * 2 + people.man).astype(np.int16)
    half = (group + np.where(people.oncology, 2 * _GROUPS, 0)).astype(np.int16)
    slots = background.chronic[
        half[:, None],
        _draw(rng, len(people) * _SLOTS).reshape(-1, _SLOTS),
    ]
    visits = draw_visits(rng, people, background)
    return SiteFacts(
        visits,
        _diagnoses(rng, visits, group, slots, background, drugs=False),
        _services(rng, visits, half, background),
        _diagnoses(rng, visits, group, slots, background, drugs=True),
        _values(rng, visits, people, slots, background),
    )


def _diagnoses(
    rng: np.random.Generator,
    visits: Visits,
    group: Small,
    slots: Small,
    background: Background,
    *,
    drugs: bool,
) -> Facts:
    """Diagnoses of visits, or the drugs that such diagnoses bring."""
    visit, person, date = _at_visits(rng, visits, background.counts[2 if drugs else 0])
    draw = _draw(rng, len(visit))
    chronic = slots[person, draw & (_SLOTS - 1)]
    acute = background.acute[group[person], draw]
    stays = _draw(rng, len(visit)) < np.uint16(background.population.chronic_share * _PARTS)
    if drugs:
        which = rng.integers(0, 12, len(visit), dtype=np.uint8)
        code = np.where(
            stays, background.chronic_drugs[chronic, which], background.acute_drugs[acute, which]
        )
    else:
        code = np.where(stays, background.chronic_codes[chronic], background.acute_codes[acute])
    return _facts(visit, person, date, code)


def _services(
    rng: np.random.Generator, visits: Visits, group: Small, background: Background
) -> Facts:
    visit, person, date = _at_visits(rng, visits, background.counts[1])
    chosen = background.services[group[person], _draw(rng, len(visit))]
    return _facts(visit, person, date, background.service_codes[chosen])


def _values(
    rng: np.random.Generator,
    visits: Visits,
    people: People,
    slots: Small,
    background: Background,
) -> Facts:
    labs = background.population.labs
    visit, person, date = _at_visits(rng, visits, background.counts[3])
    lab = background.labs[_draw(rng, len(visit))]
    kind = people.man + 2 * background.diabetes[slots].any(axis=1)
    means = np.array(
        [[one.women, one.men, one.women + one.diabetes, one.men + one.diabetes] for one in labs],
        dtype=np.float32,
    )
    spread = np.array([one.sd for one in labs], dtype=np.float32)
    value = means[lab, kind[person]]
    value += spread[lab] * rng.standard_normal(len(lab), dtype=np.float32)
    low = np.array([one.low for one in labs], dtype=np.float32)[lab]
    high = np.array([one.high for one in labs], dtype=np.float32)[lab]
    np.clip(value, low, high, out=value)
    # Values are kept as whole thousandths, rounded to the digits that a laboratory reports.
    scale = np.array([10.0**one.digits for one in labs], dtype=np.float32)[lab]
    steps = np.array([10 ** (3 - one.digits) for one in labs], dtype=np.int64)[lab]
    codes = background.codebook.rows("LOINC", *(one.code for one in labs))
    units = background.codebook.rows("UCUM", *(one.unit for one in labs))
    thousandths = np.rint(value * scale).astype(np.int64) * steps
    return Facts(person, date, codes[lab], visit, thousandths, units[lab])
