"""Writes a site's OMOP database: a template with the vocabularies once, then the site's rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from simulator.language.hierarchy import Hierarchy
from simulator.site.schema import CDM_VERSION, TABLES, create_table
from simulator.synthesis.codebook import ALWAYS
from simulator.synthesis.organisations import Organisation
from simulator.synthesis.rows import FILLED

# A commit above the threshold goes straight into the file, not through the log first.
_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "threads": 1,
    "checkpoint_threshold": "1B",
    # A quarter of the usual: most sites are small, and each column takes a block of its own.
    "default_block_size": 65536,
}
_EVER: Final = dt.date(1970, 1, 1)
_NEVER: Final = dt.date(2099, 12, 31)


def _concepts(hierarchy: Hierarchy, held: frozenset[str]) -> pa.Table:
    kept = [concept for concept in hierarchy.concepts if concept.vocabulary in held]
    return pa.table(
        {
            "concept_id": pa.array([one.concept_id for one in kept], pa.int32()),
            "concept_name": [one.description for one in kept],
            "domain_id": [one.domain for one in kept],
            "vocabulary_id": [one.vocabulary for one in kept],
            "concept_class_id": [one.concept_class for one in kept],
            "standard_concept": pa.array(
                ["S" if one.standard else None for one in kept], pa.string()
            ),
            "concept_code": [one.code for one in kept],
            "valid_start_date": [_EVER] * len(kept),
            "valid_end_date": [_NEVER] * len(kept),
        }
    )


def _ancestors(hierarchy: Hierarchy, held: frozenset[str]) -> pa.Table:
    known = hierarchy.by_id
    kept = [one for one in hierarchy.descents if known[one.descendant].vocabulary in held]
    columns = {
        "ancestor_concept_id": [one.ancestor for one in kept],
        "descendant_concept_id": [one.descendant for one in kept],
        "min_levels_of_separation": [one.least_levels for one in kept],
        "max_levels_of_separation": [one.most_levels for one in kept],
    }
    return pa.table({name: pa.array(values, pa.int32()) for name, values in columns.items()})


def _vocabularies(hierarchy: Hierarchy, held: frozenset[str]) -> pa.Table:
    kept = sorted(held)
    return pa.table(
        {
            "vocabulary_id": kept,
            "vocabulary_name": [hierarchy.vocabularies[one] for one in kept],
            "vocabulary_version": [f"hand-made {hierarchy.version}"] * len(kept),
            "vocabulary_concept_id": pa.array([0] * len(kept), pa.int32()),
        }
    )


def insert(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    """Appends rows to a table; columns that the rows lack stay empty."""
    if table not in TABLES:
        raise ValueError(f"there is no table {table}")
    connection.register("incoming", rows)
    connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM incoming")  # noqa: S608
    connection.unregister("incoming")


class Templates:
    """Databases with all tables and one set of vocabularies, kept as bytes after the first use.

    Args:
        hierarchy: The codes.
    """

    def __init__(self, hierarchy: Hierarchy) -> None:
        self._hierarchy = hierarchy
        self._made: dict[frozenset[str], bytes] = {}

    def copy(self, vocabularies: tuple[str, ...], path: Path) -> None:
        """Writes a database that holds these vocabularies and no patients."""
        held = frozenset({*ALWAYS, *vocabularies})
        if held in self._made:
            path.write_bytes(self._made[held])
        else:
            self._made[held] = self._make(held, path)

    def _make(self, held: frozenset[str], path: Path) -> bytes:
        with duckdb.connect(path, config=_CONFIG) as connection:
            for table in TABLES:
                connection.execute(create_table(table, filled=FILLED.get(table)))
            insert(connection, "concept", _concepts(self._hierarchy, held))
            insert(connection, "concept_ancestor", _ancestors(self._hierarchy, held))
            insert(connection, "vocabulary", _vocabularies(self._hierarchy, held))
        return path.read_bytes()


def _source(organisation: Organisation, version: str) -> pa.Table:
    return pa.table(
        {
            "cdm_source_name": [organisation.name],
            "cdm_source_abbreviation": [organisation.site[:25]],
            "cdm_holder": [organisation.name],
            "source_description": ["Synthetic patients; nobody in here has lived."],
            "source_release_date": [organisation.last],
            "cdm_release_date": [organisation.last],
            "cdm_version": [f"v{CDM_VERSION}"],
            "cdm_version_concept_id": pa.array([0], pa.int32()),
            "vocabulary_version": [version],
        }
    )


def write_database(
    path: Path,
    tables: Mapping[str, pa.Table],
    organisation: Organisation,
    templates: Templates,
    version: str,
) -> None:
    """Writes a site's database in one transaction and one checkpoint.

    Args:
        path: The file, which must not be there.
        tables: Table name -> rows.
        organisation: The site.
        templates: Where the vocabularies come from.
        version: The version of the code hierarchy.
    """
    templates.copy(organisation.vocabularies, path)
    with duckdb.connect(path, config=_CONFIG) as connection:
        # DuckDB would draw a bar of its own over ours where a table takes seconds.
        connection.execute("SET enable_progress_bar = false")
        connection.begin()
        insert(connection, "cdm_source", _source(organisation, f"hand-made {version}"))
        for table, rows in tables.items():
            if rows.num_rows:
                insert(connection, table, rows)
        connection.commit()
