"""Turns people and facts into Arrow tables with the columns that a site fills."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulator.synthesis.codebook import Codebook, Coding
from simulator.synthesis.days import NEVER, Days, parts
from simulator.synthesis.facts import Facts, SiteFacts, Visits
from simulator.synthesis.population import People
from simulator.synthesis.population_file import Population

_DOSE_DAYS: Final = 30
_CODED: Final = ("concept_id", "type_concept_id", "source_value", "source_concept_id")


def _fact_columns(table: str, prefix: str, *others: str) -> tuple[str, ...]:
    coded = (f"{prefix}_{name}" for name in _CODED)
    return (f"{table}_id", "person_id", "visit_occurrence_id", *coded, *others)


# The columns that rows have here, so that the database can be told which ones stay empty.
FILLED: Final[Mapping[str, tuple[str, ...]]] = {
    "person": (
        "person_id",
        "gender_concept_id",
        "year_of_birth",
        "month_of_birth",
        "day_of_birth",
        "race_concept_id",
        "ethnicity_concept_id",
        "gender_source_value",
    ),
    "visit_occurrence": (
        "visit_occurrence_id",
        "person_id",
        "visit_concept_id",
        "visit_start_date",
        "visit_end_date",
        "visit_type_concept_id",
        "visit_source_value",
    ),
    "condition_occurrence": _fact_columns(
        "condition_occurrence", "condition", "condition_start_date"
    ),
    "procedure_occurrence": _fact_columns("procedure_occurrence", "procedure", "procedure_date"),
    "drug_exposure": _fact_columns(
        "drug_exposure",
        "drug",
        "drug_exposure_start_date",
        "drug_exposure_end_date",
        "days_supply",
    ),
    "measurement": _fact_columns(
        "measurement",
        "measurement",
        "measurement_date",
        "value_as_number",
        "unit_concept_id",
        "unit_source_value",
    ),
    "death": ("person_id", "death_date", "death_type_concept_id"),
}


class Writer:
    """Makes the rows of one site in its own coding.

    Args:
        codebook: All codes.
        coding: How the site writes them.
    """

    def __init__(self, codebook: Codebook, coding: Coding) -> None:
        self._codebook = codebook
        self._coding = coding
        self._values = pa.array(coding.source_values)
        self._type = codebook.hierarchy.by_code["Type Concept", "EHR"].concept_id

    def _source(self, code: NDArray[np.int16]) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(code), self._values)

    def _constant(self, count: int) -> NDArray[np.int32]:
        return np.full(count, self._type, dtype=np.int32)

    def _common(self, table: str, prefix: str, facts: Facts) -> dict[str, object]:
        return {
            f"{table}_id": np.arange(1, len(facts) + 1, dtype=np.int32),
            "person_id": facts.person + np.int32(1),
            f"{prefix}_concept_id": self._coding.concepts[facts.code],
            f"{prefix}_type_concept_id": self._constant(len(facts)),
            "visit_occurrence_id": facts.visit + np.int32(1),
            f"{prefix}_source_value": self._source(facts.code),
            f"{prefix}_source_concept_id": self._coding.source_concepts[facts.code],
        }

    def _choice(self, vocabulary: str, codes: tuple[str, ...], which: NDArray[np.intp]) -> pa.Array:
        return self._coding.concepts[self._codebook.rows(vocabulary, *codes)][which]

    def person(self, people: People, population: Population) -> pa.Table:
        """The table person."""
        year, month, day = parts(people.birth)
        codes = pa.array(("F", "M"))
        man = people.man.astype(np.int8)
        races = tuple(population.races)
        return pa.table(
            {
                "person_id": np.arange(1, len(people) + 1, dtype=np.int32),
                "gender_concept_id": self._choice("Gender", ("F", "M"), man.astype(np.intp)),
                "year_of_birth": year,
                "month_of_birth": month,
                "day_of_birth": day,
                "race_concept_id": self._choice("Race", races, people.race.astype(np.intp)),
                "ethnicity_concept_id": self._choice(
                    "Ethnicity", ("Not Hispanic", "Hispanic"), people.hispanic.astype(np.intp)
                ),
                "gender_source_value": pa.DictionaryArray.from_arrays(pa.array(man), codes),
            }
        )

    def observation_period(self, people: People) -> pa.Table:
        """The table observation_period, one period a person."""
        ids = np.arange(1, len(people) + 1, dtype=np.int32)
        return pa.table(
            {
                "observation_period_id": ids,
                "person_id": ids,
                "observation_period_start_date": _dates(people.start),
                "observation_period_end_date": _dates(people.end),
                "period_type_concept_id": self._constant(len(people)),
            }
        )

    def death(self, people: People) -> pa.Table:
        """The table death."""
        dead = np.flatnonzero(people.death != NEVER)
        return pa.table(
            {
                "person_id": (dead + 1).astype(np.int32),
                "death_date": _dates(people.death[dead]),
                "death_type_concept_id": self._constant(len(dead)),
            }
        )

    def visit_occurrence(self, visits: Visits) -> pa.Table:
        """The table visit_occurrence."""
        return pa.table(
            {
                "visit_occurrence_id": np.arange(1, len(visits) + 1, dtype=np.int32),
                "person_id": visits.person + np.int32(1),
                "visit_concept_id": self._coding.concepts[visits.kind],
                "visit_start_date": _dates(visits.start),
                "visit_end_date": _dates(visits.end),
                "visit_type_concept_id": self._constant(len(visits)),
                "visit_source_value": self._source(visits.kind),
            }
        )

    def condition_occurrence(self, facts: Facts) -> pa.Table:
        """The table condition_occurrence."""
        return pa.table(
            {
                **self._common("condition_occurrence", "condition", facts),
                "condition_start_date": _dates(facts.date),
            }
        )

    def procedure_occurrence(self, facts: Facts) -> pa.Table:
        """The table procedure_occurrence."""
        return pa.table(
            {
                **self._common("procedure_occurrence", "procedure", facts),
                "procedure_date": _dates(facts.date),
            }
        )

    def drug_exposure(self, facts: Facts, people: People) -> pa.Table:
        """The table drug_exposure; an exposure ends with observation at the latest."""
        end = np.minimum(facts.date + np.int32(_DOSE_DAYS - 1), people.end[facts.person])
        return pa.table(
            {
                **self._common("drug_exposure", "drug", facts),
                "drug_exposure_start_date": _dates(facts.date),
                "drug_exposure_end_date": _dates(end),
                "days_supply": np.full(len(facts), _DOSE_DAYS, dtype=np.int32),
            }
        )

    def fact_relationship(self, links: NDArray[np.int64]) -> pa.Table:
        """The table fact_relationship: each link between a condition and a procedure, both ways."""
        known = self._codebook.hierarchy.by_code
        condition, procedure, after, before = (
            np.full(len(links), known[vocabulary, code].concept_id, dtype=np.int32)
            for vocabulary, code in (
                ("Domain", "Condition"),
                ("Domain", "Procedure"),
                ("Relationship", "Occurs after"),
                ("Relationship", "Occurs before"),
            )
        )
        first, second = links.astype(np.int32).T
        columns = {
            "domain_concept_id_1": (condition, procedure),
            "fact_id_1": (first, second),
            "domain_concept_id_2": (procedure, condition),
            "fact_id_2": (second, first),
            "relationship_concept_id": (after, before),
        }
        return pa.table({name: np.concatenate(both) for name, both in columns.items()})

    def measurement(self, facts: Facts) -> pa.Table:
        """The table measurement; values are whole thousandths, a unit of -1 is none."""
        no_unit = facts.unit < 0
        unit = np.maximum(facts.unit, 0)
        value = pa.Array.from_buffers(
            pa.decimal64(18, 3), len(facts), [None, pa.py_buffer(np.ascontiguousarray(facts.value))]
        )
        return pa.table(
            {
                **self._common("measurement", "measurement", facts),
                "measurement_date": _dates(facts.date),
                "value_as_number": value,
                "unit_concept_id": pa.array(self._coding.concepts[unit], mask=no_unit),
                "unit_source_value": pa.DictionaryArray.from_arrays(
                    pa.array(unit, mask=no_unit), self._values
                ),
            }
        )


def _dates(days: Days) -> pa.Array:
    return pa.array(days).cast(pa.date32())


def site_tables(
    writer: Writer,
    people: People,
    facts: SiteFacts,
    population: Population,
    domains: frozenset[str],
    links: NDArray[np.int64],
) -> Mapping[str, pa.Table]:
    """Table name -> rows, for the clinical tables of the domains that a site holds.

    Args:
        writer: Makes the rows in the site's coding.
        people: Its persons.
        facts: What happened to them.
        population: The population.
        domains: The domains that the site holds.
        links: Identifiers of conditions and of the procedures they belong to, shape (links, 2).
    """
    tables = {
        "person": writer.person(people, population),
        "observation_period": writer.observation_period(people),
        "visit_occurrence": writer.visit_occurrence(facts.visits),
    }
    if "condition" in domains:
        tables["condition_occurrence"] = writer.condition_occurrence(facts.conditions)
    if "procedure" in domains:
        tables["procedure_occurrence"] = writer.procedure_occurrence(facts.procedures)
    if "drug" in domains:
        tables["drug_exposure"] = writer.drug_exposure(facts.drugs, people)
    if "measurement" in domains:
        tables["measurement"] = writer.measurement(facts.measurements)
    if "death" in domains:
        tables["death"] = writer.death(people)
    if {"condition", "procedure"} <= domains:
        tables["fact_relationship"] = writer.fact_relationship(links)
    return tables
