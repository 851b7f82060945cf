"""Writes small but real OMOP v5.4 databases, so that no test needs a made-up table."""

from __future__ import annotations

import atexit
import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from simulator.language.criteria import Domain
from simulator.site.schema import TABLES, Column
from simulator.site.store import DATABASE
from simulator.site.tables import EVENT_TABLES

DAY_ZERO: Final = dt.date(2020, 1, 1)

# (concept_id, vocabulary_id, concept_code, standard, parent). Chosen for what tests ask, not for
# medicine: a tree three deep, a drug below an ingredient, two vocabularies that share the code 100.
_VOCABULARY: Final = (
    (0, "None", "0", False, None),
    (1001, "ICD10CM", "C50", False, None),
    (1002, "ICD10CM", "C50.9", False, "C50"),
    (1003, "ICD10CM", "C50.911", False, "C50.9"),
    (1004, "ICD10CM", "C50.1", False, "C50"),
    (1010, "ICD10CM", "C78.7", False, None),
    (1020, "ICD10CM", "C22", False, None),
    (1021, "ICD10CM", "C22.0", False, "C22"),
    (1101, "SNOMED", "254837009", True, None),
    (1102, "SNOMED", "100", True, None),
    (1201, "CPT4", "37243", True, None),
    (1202, "CPT4", "79445", True, None),
    (1203, "CPT4", "100", True, None),
    (1301, "RxNorm", "3639", True, None),
    (1302, "RxNorm", "1790099", True, "3639"),
    (1303, "RxNorm", "1547545", True, None),
    (1401, "LOINC", "718-7", True, None),
    (1402, "LOINC", "1975-2", True, None),
    (1403, "LOINC", "6301-6", True, None),
    (1501, "UCUM", "mg/dL", True, None),
    (1502, "UCUM", "umol/L", True, None),
    (1503, "UCUM", "{INR}", True, None),
    (1504, "UCUM", "g/dL", True, None),
    (1505, "UCUM", "g/L", True, None),
    (1506, "Local", "spoons", False, None),
    (9201, "Visit", "IP", True, None),
    (9202, "Visit", "OP", True, None),
)
CONCEPTS: Final[Mapping[tuple[str, str], tuple[int, bool]]] = {
    (vocabulary, code): (concept_id, standard)
    for concept_id, vocabulary, code, standard, _ in _VOCABULARY
}


def write_omop(folder: Path, rows: Mapping[str, pl.DataFrame], *, long_ids: bool = False) -> Path:
    """Writes ``cdm.duckdb`` into a folder, with the test vocabulary unless `rows` bring their own.

    Columns that are not given are filled: identifiers by counting, the rest with nothing, or with
    what the standard's type has for nothing. The standard's NOT NULL is left out, because real
    records break it and tests say what happens then.

    Args:
        folder: The site's folder; made if need be.
        rows: Some columns of some tables.
        long_ids: Whether person_id is BIGINT, which real databases often use for the standard's
            INTEGER, so that ids above 2^31 fit.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DATABASE).unlink(missing_ok=True)
    filled = vocabulary() | dict(rows)
    unknown = set(filled) - set(TABLES)
    if unknown:
        raise KeyError(f"not tables of OMOP: {sorted(unknown)}")
    place = str(folder / DATABASE).replace("'", "''")
    database = _writer()
    database.execute(f"ATTACH '{place}' AS site (BLOCK_SIZE 16384); USE site; BEGIN")
    try:
        for table, columns in TABLES.items():
            database.execute(_create(table, columns, long_ids=long_ids))
            frame = filled.get(table)
            if frame is not None and frame.height:
                _insert(database, table, _filled(table, frame))
        database.execute("COMMIT")
    except duckdb.Error:
        database.execute("ROLLBACK")
        raise
    finally:
        database.execute("USE memory; DETACH site")
    return folder


def vocabulary() -> dict[str, pl.DataFrame]:
    """The rows of the test vocabulary."""
    parents = {
        concept: CONCEPTS[name, parent][0]
        for concept, name, _, _, parent in _VOCABULARY
        if parent is not None
    }
    pairs = []
    for concept, *_ in _VOCABULARY:
        above, levels = concept, 0
        while True:
            pairs.append((above, concept, levels))
            if above not in parents:
                break
            above, levels = parents[above], levels + 1
    concepts = [
        (concept, f"concept {code}", name, code, "S" if standard else None)
        for concept, name, code, standard, _ in _VOCABULARY
    ]
    names = ("concept_id", "concept_name", "vocabulary_id", "concept_code", "standard_concept")
    levels_of = ("min_levels_of_separation", "max_levels_of_separation")
    ancestors = pl.DataFrame(
        pairs, schema=("ancestor_concept_id", "descendant_concept_id", levels_of[0]), orient="row"
    ).with_columns(pl.col(levels_of[0]).alias(levels_of[1]))
    known = sorted({name for _, name, *_ in _VOCABULARY})
    return {
        "concept": pl.DataFrame(concepts, schema=names, orient="row"),
        "concept_ancestor": ancestors,
        "vocabulary": pl.DataFrame({"vocabulary_id": known, "vocabulary_name": known}),
    }


@cache
def _writer() -> duckdb.DuckDBPyConnection:
    """One connection for all databases: attaching costs a third of connecting anew."""
    # Held to the very end, it would be told as a leak.
    atexit.register(_writer.cache_clear)
    return duckdb.connect(config={"threads": "1"})


def _insert(database: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame) -> None:
    database.register("given", frame.to_arrow())
    database.execute(f"INSERT INTO {table} BY NAME SELECT * FROM given")  # noqa: S608 - a table of the standard
    database.unregister("given")


Event = tuple[int, dt.date | None, int | None, int | None, float | None, int | None]
"""person_id, day, concept_id, source_concept_id, value, unit_concept_id."""


def event_rows(domain: Domain, events: Sequence[Event]) -> dict[str, pl.DataFrame]:
    """The rows of the table that holds events of a kind, with the columns that it has."""
    place = EVENT_TABLES[domain]
    columns = ("person_id", place.date, *place.concepts)
    if domain is Domain.MEASUREMENT:
        columns += ("value_as_number", "unit_concept_id")
    types = {place.date: pl.Date, "value_as_number": pl.Float64}
    schema = {name: types.get(name, pl.Int64) for name in columns}
    kept = [event[: len(columns)] for event in events]
    return {place.table: pl.DataFrame(kept, schema=schema, orient="row")}


def _create(table: str, columns: Sequence[Column], *, long_ids: bool) -> str:
    types = {column.name: column.type for column in columns}
    if "value_as_number" in types:
        # As many databases have it, so that values that are no numbers can be recorded, too.
        types["value_as_number"] = "DOUBLE"
    if long_ids and "person_id" in types:
        types["person_id"] = "BIGINT"
    return f"CREATE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in types.items())})"


def _filled(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    required = [
        column
        for column in TABLES[table]
        if not column.nullable and column.name not in frame.columns
    ]
    return frame.with_columns(_filling(table, frame, column) for column in required)


def _filling(table: str, frame: pl.DataFrame, column: Column) -> pl.Expr:
    if column.name == f"{table}_id":
        return pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(column.name)
    if column.type == "DATE":
        start = column.name.replace("_end_", "_start_")
        day = pl.col(start) if start in frame.columns else pl.lit(DAY_ZERO)
        return day.alias(column.name)
    return pl.lit(0 if column.type == "INTEGER" else "").alias(column.name)
