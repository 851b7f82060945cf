from __future__ import annotations

import duckdb

from simulator.site.schema import TABLES, column_names, create_table

# How many columns the standard's own definition of each table has, and which it requires.
STANDARD = {
    "person": (18, 5),
    "observation_period": (5, 5),
    "visit_occurrence": (17, 6),
    "condition_occurrence": (16, 5),
    "drug_exposure": (23, 6),
    "procedure_occurrence": (16, 5),
    "measurement": (23, 5),
    "death": (7, 2),
    "fact_relationship": (5, 5),
    "cdm_source": (11, 7),
    "concept": (10, 8),
    "concept_ancestor": (4, 4),
    "vocabulary": (5, 3),
}


def test_tables_have_the_columns_of_the_standard() -> None:
    assert {
        table: (len(columns), sum(not column.nullable for column in columns))
        for table, columns in TABLES.items()
    } == STANDARD


def test_a_few_types_and_names() -> None:
    measurement = {column.name: column.type for column in TABLES["measurement"]}
    assert measurement["value_as_number"] == "NUMERIC"
    assert measurement["measurement_id"] == "INTEGER"
    assert measurement["measurement_date"] == "DATE"
    assert measurement["unit_source_value"] == "VARCHAR(50)"
    assert column_names("concept_ancestor")[0] == "ancestor_concept_id"


def test_columns_that_stay_empty_are_not_compressed() -> None:
    text = create_table("death", filled=("person_id", "death_date"))
    assert "    death_type_concept_id INTEGER USING COMPRESSION uncompressed" in text
    assert "    cause_source_value VARCHAR(50)," in text
    assert "    person_id INTEGER NOT NULL," in text


def test_duckdb_makes_the_tables_in_the_standards_order() -> None:
    with duckdb.connect() as connection:
        for table in TABLES:
            connection.execute(create_table(table))
            found = connection.execute(f"DESCRIBE {table}").fetchall()
            assert tuple(row[0] for row in found) == column_names(table)
            assert [row[2] == "YES" for row in found] == [one.nullable for one in TABLES[table]]
