"""Answers a request while measuring every step of it; for the laboratory, as counts show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from simulator.errors import UserError
from simulator.messages.codec import decode_request, encode, encode_cells
from simulator.messages.requests import RoundAnswer, RoundRequest
from simulator.site.answering import answer, know
from simulator.site.catalogue import read_catalogue
from simulator.site.plans import FINAL, Relation, planning_seconds, relations
from simulator.site.store import DATABASE, Parameters, Store

Timer = Callable[[], float]
QUERY = "query"


class Step(msgspec.Struct, frozen=True):
    """What one step of an answer took.

    Attributes:
        step: Such as ``open``, ``compile``, ``query``, or a relation of the query.
        within: ``query`` for what is known from running it again: that it took so long once more,
            what of that was planning, and its relations; otherwise nothing.
        milliseconds: How long it took. Of a relation: its operators, under DuckDB's profiler.
        rows: How many rows, concepts or cells came out.
        estimated_rows: The same as estimated beforehand.
        bytes: How large what came out is: the database, the SQL, the rows, the message.
        estimated_bytes: The same as estimated beforehand.
    """

    step: str
    milliseconds: float
    within: str | None = None
    rows: int | None = None
    estimated_rows: int | None = None
    bytes: int | None = None
    estimated_bytes: int | None = None


class SiteProfile(msgspec.Struct, frozen=True):
    """What each step of a site's answer to one round took, in order."""

    site: str
    round: int
    milliseconds: float
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class _Asked:
    """A statement that was run: when, and what came out."""

    sql: str
    parameters: Parameters
    begun: float
    ended: float
    rows: int
    size: int


class _WatchedStore(Store):
    """A store that remembers what it was asked, and how long that took."""

    def __init__(self, folder: Path, timer: Timer) -> None:
        super().__init__(folder)
        self._timer = timer
        self.asked: list[_Asked] = []

    def numpy(self, sql: str, parameters: Parameters = ()) -> dict[str, Any]:
        """The result of a query as named numpy columns."""
        begun = self._timer()
        found = super().numpy(sql, parameters)
        columns = list(found.values())
        rows, size = len(columns[0]), sum(column.nbytes for column in columns)
        self.asked.append(_Asked(sql, parameters, begun, self._timer(), rows, size))
        return found


class _Laps:
    """Milliseconds since it was last asked."""

    def __init__(self, timer: Timer) -> None:
        self._timer = timer
        self._last = timer()

    def __call__(self) -> float:
        last, self._last = self._last, self._timer()
        return 1000.0 * (self._last - last)


def profile_site(folder: Path, data: bytes, sizes: tuple[int, int], timer: Timer) -> SiteProfile:
    """Answers a round's request as a node does, less policy and ledger, and measures each step.

    The statements then run again, once as they are and once under DuckDB's profiler, which slows
    them; and are planned once with its whole optimizer, without which it estimates next to nothing.

    Args:
        folder: The site's folder.
        data: The request, as it crosses the wire.
        sizes: The bytes of request and answer as they were estimated.
        timer: The time in seconds, from any start.

    Raises:
        UserError: There is no database, or the request is for a catalogue.
        duckdb.Error: A statement failed.
    """
    by_month = read_catalogue(folder).catalogue.death_by_month
    lap = _Laps(timer)
    request = decode_request(data)
    read = Step("read request", lap(), bytes=len(data), estimated_bytes=sizes[0])
    if not isinstance(request, RoundRequest):
        raise UserError("only a request for tables can be profiled")
    store = _WatchedStore(folder, timer)
    try:
        opened = Step("open", lap(), bytes=(folder / DATABASE).stat().st_size)
        known = know(store, request.question, death_by_month=by_month)
        resolved = Step("resolve concepts", lap(), rows=len(known.resolution.concept_ids))
        store.asked.clear()
        begun = timer()
        tables = answer(store, request.question, request.needs, death_by_month=by_month)
        answered = lap()
        cells = tuple(encode_cells(table.flat()) for table in tables)
        sent = RoundAnswer(folder.name, request.run, request.round, request.roster, cells)
        size = len(encode(sent))
        encoded = Step("encode", lap(), bytes=size, estimated_bytes=sizes[1])
        asked = tuple(store.asked)
        queried = (*_queried(folder, asked, *_again(store, asked, timer)),)
    finally:
        store.close()
    compiled = _compiled(asked, begun)
    rest = answered - queried[0].milliseconds - compiled.milliseconds
    made = Step("tables", rest, rows=sum(len(each) // 8 for each in cells))
    steps = (read, opened, resolved, compiled, *queried, made, encoded)
    once = sum(step.milliseconds for step in steps if step.within is None)
    return SiteProfile(folder.name, request.round, once, steps)


def _compiled(asked: tuple[_Asked, ...], begun: float) -> Step:
    """What comes before the first statement; what comes after the last makes tables of its rows."""
    size = sum(len(one.sql.encode()) for one in asked)
    return Step("compile", 1000.0 * (asked[0].begun - begun), bytes=size)


def _again(store: Store, asked: tuple[_Asked, ...], timer: Timer) -> tuple[Step, list[Any]]:
    """How long the statements take once more, and their plans under the profiler.

    The store is then closed: it cannot be open twice with two configurations.
    """
    lap = _Laps(timer)
    for one in asked:
        store.numpy(one.sql, one.parameters)
    again = Step("once more", lap(), QUERY)
    plans = [store.plan(one.sql, one.parameters, analyze=True) for one in asked]
    store.close()
    return again, plans


def _queried(
    folder: Path, asked: tuple[_Asked, ...], again: Step, plans: list[Any]
) -> Iterator[Step]:
    """The query as it ran, then what is known of it from running it again."""
    measured, estimated = _together(plans), _together(_planned(folder, asked))
    yield Step(
        QUERY,
        1000.0 * sum(one.ended - one.begun for one in asked),
        rows=sum(one.rows for one in asked),
        estimated_rows=estimated[FINAL].rows,
        bytes=sum(one.size for one in asked),
    )
    yield again
    yield Step("planning", 1000.0 * sum(planning_seconds(plan) for plan in plans), QUERY)
    for name, part in measured.items():
        yield Step(
            name,
            1000.0 * part.seconds,
            QUERY,
            rows=part.rows,
            estimated_rows=estimated[name].rows if name in estimated else None,
            bytes=part.size,
        )


def _together(plans: list[Any]) -> dict[str, Relation]:
    """The relations of all statements, those of one name added up."""
    found: dict[str, Relation] = {}
    for plan in plans:
        for name, part in relations(plan).items():
            found[name] = found[name] + part if name in found else part
    return found


def _planned(folder: Path, asked: tuple[_Asked, ...]) -> list[Any]:
    """The statements' plans as DuckDB makes them when it estimates."""
    store = Store(folder, estimating=True)
    try:
        return [store.plan(one.sql, one.parameters, analyze=False) for one in asked]
    finally:
        store.close()
