"""A site's connection cannot reach anything but its own database, and cannot be talked into it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from simulator.errors import UserError
from simulator.site.store import DATABASE, Store
from tests.support.omop import write_omop
from tests.support.records import record, rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sites beside each other, and a file of secrets."""
    home = tmp_path_factory.mktemp("stores")
    for site in ("ours", "theirs"):
        write_omop(home / site, rows([(1, record("index on 0, watched 0 to 90"))]))
    (home / "secret.csv").write_text("name\nAlice\n")
    return home


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    opened = Store(folder / "ours")
    yield opened
    opened.close()


# What somebody who could write the SQL would try; HOME is the folder above the site's.
REACHING_OUT = {
    "a file": "SELECT * FROM read_csv('HOME/secret.csv')",
    "a file by its bare name": "SELECT * FROM 'HOME/secret.csv'",
    "the text of a file": "SELECT * FROM read_text('HOME/secret.csv')",
    "the bytes of a file": "SELECT * FROM read_blob('HOME/secret.csv')",
    "the names of files": "SELECT * FROM glob('HOME/*')",
    "another site's database": "ATTACH 'HOME/theirs/cdm.duckdb' AS theirs (READ_ONLY)",
    "a file to write to": "COPY (SELECT 1 AS a) TO 'HOME/out.csv'",
    "a copy of the database": "EXPORT DATABASE 'HOME/copy'",
}
CHANGING = {
    "its access": "SET enable_external_access = true",
    "its threads": "SET threads = 4",
    "its memory": "SET memory_limit = '8GB'",
    "its lock": "SET lock_configuration = false",
    "a default back": "RESET threads",
    "a setting by pragma": "PRAGMA threads = 4",
}
WRITING = {
    "a row more": "INSERT INTO death (person_id, death_date) VALUES (1, DATE '2020-01-01')",
    "a row less": "DELETE FROM person",
    "a row changed": "UPDATE person SET year_of_birth = 1900",
    "a table more": "CREATE TABLE more (a INTEGER)",
    "a table less": "DROP TABLE person",
}


def tried(connection: duckdb.DuckDBPyConnection, sql: str, folder: Path) -> None:
    connection.execute(sql.replace("HOME", str(folder))).fetchall()


@pytest.mark.parametrize("what", REACHING_OUT)
def test_a_store_reaches_no_other_file(store: Store, folder: Path, what: str) -> None:
    with pytest.raises(duckdb.PermissionException):
        store.arrow(REACHING_OUT[what].replace("HOME", str(folder)))
    assert not (folder / "out.csv").exists()
    assert not (folder / "copy").exists()


@pytest.mark.parametrize("what", REACHING_OUT)
def test_an_unlocked_connection_does(folder: Path, what: str, tmp_path: Path) -> None:
    """Shows that the attempts above are real ones."""
    with duckdb.connect(str(folder / "ours" / DATABASE), read_only=True) as unlocked:
        sql = REACHING_OUT[what].replace("HOME/out.csv", str(tmp_path / "out.csv"))
        tried(unlocked, sql.replace("HOME/copy", str(tmp_path / "copy")), folder)


@pytest.mark.parametrize("what", CHANGING)
def test_a_store_cannot_be_reconfigured(store: Store, what: str) -> None:
    with pytest.raises(duckdb.InvalidInputException, match="configuration"):
        store.arrow(CHANGING[what])


@pytest.mark.parametrize("what", [*CHANGING][1:])  # which nothing gives back
def test_an_unlocked_connection_can(what: str) -> None:
    with duckdb.connect() as unlocked:
        unlocked.execute(CHANGING[what])


@pytest.mark.parametrize("what", WRITING)
def test_a_store_writes_nothing(store: Store, folder: Path, what: str) -> None:
    before = (folder / "ours" / DATABASE).read_bytes()
    with pytest.raises(duckdb.InvalidInputException, match="read-only"):
        store.arrow(WRITING[what])
    assert (folder / "ours" / DATABASE).read_bytes() == before


@pytest.mark.parametrize("what", WRITING)
def test_an_unlocked_connection_writes(folder: Path, tmp_path: Path, what: str) -> None:
    copy = tmp_path / DATABASE
    copy.write_bytes((folder / "ours" / DATABASE).read_bytes())
    with duckdb.connect(str(copy)) as unlocked:
        unlocked.execute(WRITING[what])


@pytest.mark.parametrize("sql", ["INSTALL httpfs", "LOAD httpfs"])
def test_a_store_loads_no_extension(store: Store, sql: str) -> None:
    with pytest.raises(duckdb.PermissionException):
        store.arrow(sql)


def test_a_store_reads_no_variable_of_the_program(store: Store) -> None:
    names = pl.DataFrame({"name": ["Alice"]})
    with duckdb.connect() as unlocked:
        assert unlocked.execute("SELECT * FROM names").fetchall() == [("Alice",)]
    with pytest.raises(duckdb.CatalogException, match="names"):
        store._connection.sql("SELECT * FROM names")  # from this frame, where the name is known
    assert names.height == 1


def test_a_store_has_one_thread_and_a_memory_limit(store: Store) -> None:
    asked = "SELECT name, value FROM duckdb_settings() WHERE name IN ('threads', 'memory_limit')"
    found = {row["name"]: row["value"] for row in store.arrow(asked).to_pylist()}
    assert found == {"threads": "1", "memory_limit": "953.6 MiB"}  # 1 GB


def test_a_store_tells_its_tables(store: Store) -> None:
    assert store.tables()["death"][:2] == ("person_id", "death_date")


def test_without_a_database_one_is_told_to_build(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        Store(tmp_path)
    assert str(caught.value) == (
        f"site '{tmp_path.name}': there is no database 'cdm.duckdb'\n  Run `cohortium build` first."
    )


@pytest.mark.parametrize(
    "content",
    [b"", b"not a database", os.urandom(64), b"\0" * 20_000],
    ids=["empty", "text", "noise", "zeros"],
)
def test_a_damaged_database_is_told_in_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / DATABASE).write_bytes(content)
    with pytest.raises(UserError, match=r"cannot be opened") as caught:
        Store(tmp_path)
    assert caught.value.where == f"site '{tmp_path.name}'"


def test_a_query_can_be_interrupted_from_outside(store: Store) -> None:
    timer = threading.Timer(0.1, store.interrupt)
    timer.start()
    endless = "SELECT sum(a.range * b.range % 7) AS n FROM range(1000000) a, range(1000000) b"
    with pytest.raises(duckdb.InterruptException):
        store.numpy(endless)
    timer.join()
    assert store.numpy("SELECT 1 AS n")["n"].tolist() == [1]
