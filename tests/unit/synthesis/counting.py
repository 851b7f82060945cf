"""The study `bclm` in plain SQL, written apart from the product, to check what it builds."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import duckdb

from simulator.bundled import find, library
from simulator.language.documents import Node, read_document
from simulator.language.hierarchy import read_hierarchy

HIERARCHY = read_hierarchy(library("queries") / "codes")


def _study() -> dict[str, Node]:
    entries = read_document(find("queries/studies", "bclm")).entries()
    return {key.text(): node for key, node in entries}


def study_sets() -> dict[str, list[int]]:
    """Concept ids by the name of each code set of the study."""
    top = _study()
    sets: dict[str, list[int]] = {}
    for name, codes in top["codes"].entries():
        ids: list[int] = []
        for code in codes.items():
            vocabulary, word, *rest = code.text().split()
            concept = HIERARCHY.find(vocabulary, word)
            assert concept is not None, code.text()
            below = HIERARCHY.descendants(vocabulary, word) if rest else (concept,)
            ids.extend(one.concept_id for one in below)
        sets[name.text()] = ids
    return sets


def study_steps() -> list[str]:
    top = _study()
    return [step.fields(("step", "require"))["step"].text() for step in top["steps"].items()]


@dataclass(frozen=True)
class Candidate:
    """A patient with an index event, and the steps that fail."""

    person: int
    index: dt.date
    failed: tuple[str, ...]
    arm: str
    days: int
    event: bool


_EVENTS = {
    "c": ("condition_occurrence", "condition_start_date", "condition"),
    "p": ("procedure_occurrence", "procedure_date", "procedure"),
    "d": ("drug_exposure", "drug_exposure_start_date", "drug"),
}


def _has(kind: str, name: str, sets: dict[str, list[int]], when: str) -> str:
    table, date, prefix = _EVENTS[kind]
    ids = ",".join(map(str, sets[name]))
    coded = f"(x.{prefix}_concept_id IN ({ids}) OR x.{prefix}_source_concept_id IN ({ids}))"
    return (
        f"EXISTS (SELECT 1 FROM {table} x"  # noqa: S608
        f" WHERE x.person_id = i.p AND {coded} AND x.{date} {when})"
    )


def candidates(database: Path) -> list[Candidate]:
    """All patients of a site who have an index event."""
    sets = study_sets()
    ids = ",".join(map(str, sets["tumour embolization"]))
    liver = _has("c", "liver metastasis", sets, "<= i.d")
    before = "BETWEEN i.d - 90 AND i.d - 1"
    drugs = [_has("d", name, sets, before) for name in ("immunotherapy", "chemotherapy")]
    done = [_has("p", name, sets, "= i.d") for name in ("radioembolization", "chemoembolization")]
    sql = f"""
        WITH all_of AS (SELECT person_id p, procedure_date d FROM procedure_occurrence
                        WHERE procedure_concept_id IN ({ids})),
             i AS (SELECT p, min(d) d FROM all_of i WHERE {liver} GROUP BY p)
        SELECT i.p, i.d, i.d BETWEEN DATE '2016-01-01' AND DATE '2024-07-31',
               {_has("c", "breast cancer", sets, "<= i.d")},
               NOT {_has("c", "primary cancer of liver or bowel", sets, "<= i.d")},
               NOT EXISTS (SELECT 1 FROM death x WHERE x.person_id = i.p AND x.death_date < i.d),
               {done[0]} OR {done[1]}, {drugs[0]} OR {drugs[1]}, {done[0]}, {drugs[0]},
               (SELECT death_date FROM death x WHERE x.person_id = i.p),
               (SELECT observation_period_end_date FROM observation_period x
                WHERE x.person_id = i.p)
        FROM i ORDER BY i.p"""  # noqa: S608
    with duckdb.connect(database, read_only=True) as connection:
        rows = connection.execute(sql).fetchall()
    return [_candidate(row) for row in rows]


def _candidate(row: tuple) -> Candidate:  # type: ignore[type-arg]
    failed = tuple(step for step, holds in zip(study_steps(), row[2:8], strict=True) if not holds)
    died, end = row[10], row[11]
    event = died is not None and died <= end
    return Candidate(
        person=row[0],
        index=row[1],
        failed=failed,
        arm=f"{'TARE' if row[8] else 'TACE'} + {'immunotherapy' if row[9] else 'chemotherapy'}",
        days=((died if event else end) - row[1]).days,
        event=event,
    )
