"""The one module that opens a site's database."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import duckdb
import pyarrow as pa

from simulator.errors import UserError

DATABASE: Final = "cdm.duckdb"
Found = TypeVar("Found")
Parameters = list[object] | tuple[object, ...] | dict[str, object]
_LOCKED: Final[dict[str, str | bool | int | float | list[str]]] = {
    "memory_limit": "1GB",
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "lock_configuration": "true",
}

# Of the optimizer's passes, those that spare reading. A site's tables are small and its statements
# are written in the order in which they should run: the other passes cost more than they save.
_PASSES: Final = frozenset(
    {
        "build_side_probe_side",
        "column_lifetime",
        "filter_pushdown",
        "join_filter_pushdown",
        "unused_columns",
    }
)


# What estimates need: every pass but the one that dissolves named relations.
_DISSOLVES: Final = "cte_inlining"


@cache
def _locked(threads: int, *, estimating: bool) -> dict[str, str | bool | int | float | list[str]]:
    """The configuration of every store; asked once which optimizer passes this DuckDB has."""
    with duckdb.connect() as connection:
        found = [
            name
            for (name,) in connection.execute("FROM duckdb_optimizers() SELECT name").fetchall()
        ]
    skipped = sorted(
        name for name in found if (name == _DISSOLVES if estimating else name not in _PASSES)
    )
    return {"disabled_optimizers": ",".join(skipped), "threads": threads, **_LOCKED}


class Store:
    """A site's database, open for reading only and locked in.

    A memory limit, no access to other files, no extensions, a configuration that cannot
    be changed. A store belongs to the thread that uses it; `interrupt` may come from another.

    Args:
        folder: The site's folder, which holds ``cdm.duckdb``.
        threads: How many threads a query may use. Sites use one each; a single file with the rows
            of many, held beside them for comparison, as many as they have together.
        estimating: Whether nearly all passes of the optimizer are on: with the few of a site,
            DuckDB estimates hardly any number of rows. Not for answering.

    Raises:
        UserError: There is no database, or it is damaged or not DuckDB's.
    """

    def __init__(self, folder: Path, *, threads: int = 1, estimating: bool = False) -> None:
        self._path = folder / DATABASE
        self._found: dict[Hashable, Any] = {}
        if not self._path.is_file():
            raise UserError(
                f"there is no database '{DATABASE}'",
                where=f"site '{folder.name}'",
                hint="Run `cohortium build` first.",
            )
        try:
            self._connection = duckdb.connect(
                str(self._path), read_only=True, config=_locked(threads, estimating=estimating)
            )
        except duckdb.Error as error:
            raise UserError(
                f"the database '{DATABASE}' cannot be opened: {_first_line(error)}",
                where=f"site '{folder.name}'",
                hint="Remove the site's folder and run `cohortium build` again.",
            ) from error

    def arrow(self, sql: str, parameters: Parameters = ()) -> pa.Table:
        """The result of a query as an Arrow table.

        Raises:
            duckdb.Error: The query failed or was interrupted.
        """
        return self._connection.sql(sql, params=parameters).to_arrow_table()

    def numpy(self, sql: str, parameters: Parameters = ()) -> dict[str, Any]:
        """The result of a query as named numpy columns."""
        return self._connection.execute(sql, parameters).fetchnumpy()

    def plan(self, sql: str, parameters: Parameters = (), *, analyze: bool) -> Any:
        """How a query would be carried out or, to analyze it, was: DuckDB's plan, decoded.

        Raises:
            duckdb.Error: The query failed or was interrupted.
        """
        form = "ANALYZE, FORMAT json" if analyze else "FORMAT json"
        rows = self._connection.execute(f"EXPLAIN ({form}) {sql}", parameters).fetchall()
        return json.loads(rows[0][1])

    def tables(self) -> dict[str, tuple[str, ...]]:
        """The names of the tables and of their columns, in lower case."""
        rows = self._connection.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal"
            " ORDER BY table_name, column_index"
        ).fetchall()
        found: dict[str, tuple[str, ...]] = {}
        for table, column in rows:
            found[table.lower()] = (*found.get(table.lower(), ()), column.lower())
        return found

    def once(self, about: Hashable, look_up: Callable[[], Found]) -> Found:
        """What was found about something the first time: an open database does not change."""
        if about not in self._found:
            self._found = {about: look_up()}
        found: Found = self._found[about]
        return found

    def holds(self, table: str, columns: Sequence[str]) -> bool:
        """Whether a table with these columns is there; far cheaper than listing all of them."""
        try:
            # The names are ours (see the catalogue's list), never a question's.
            self._connection.execute(f"SELECT {', '.join(columns)} FROM {table} LIMIT 0")  # noqa: S608
        except (duckdb.CatalogException, duckdb.BinderException):
            return False
        return True

    def interrupt(self) -> None:
        """Stops a query that runs in another thread; it then raises duckdb.InterruptException."""
        self._connection.interrupt()

    def close(self) -> None:
        """Closes the database."""
        self._connection.close()


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
