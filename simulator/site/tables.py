"""Where each kind of fact stands in OMOP: its table, and the columns for id, date and concepts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from simulator.language.criteria import Domain


@dataclass(frozen=True)
class EventTable:
    """A table of dated facts.

    Attributes:
        table: The table's name.
        identifier: The column that is unique in it.
        date: The column with the day of the fact.
        concepts: The columns with concept ids, the standard one first; empty for deaths.
    """

    table: str
    identifier: str
    date: str
    concepts: tuple[str, ...]


EVENT_TABLES: Final[dict[Domain, EventTable]] = {
    Domain.CONDITION: EventTable(
        "condition_occurrence",
        "condition_occurrence_id",
        "condition_start_date",
        ("condition_concept_id", "condition_source_concept_id"),
    ),
    Domain.PROCEDURE: EventTable(
        "procedure_occurrence",
        "procedure_occurrence_id",
        "procedure_date",
        ("procedure_concept_id", "procedure_source_concept_id"),
    ),
    Domain.DRUG: EventTable(
        "drug_exposure",
        "drug_exposure_id",
        "drug_exposure_start_date",
        ("drug_concept_id", "drug_source_concept_id"),
    ),
    Domain.MEASUREMENT: EventTable(
        "measurement",
        "measurement_id",
        "measurement_date",
        ("measurement_concept_id", "measurement_source_concept_id"),
    ),
    Domain.VISIT: EventTable(
        "visit_occurrence",
        "visit_occurrence_id",
        "visit_start_date",
        ("visit_concept_id", "visit_source_concept_id"),
    ),
    Domain.DEATH: EventTable("death", "person_id", "death_date", ()),
}
