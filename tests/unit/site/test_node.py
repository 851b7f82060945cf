"""What stands at a site's door: every request gets an answer, and none says more than it should."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import duckdb
import numpy as np
import pytest

from simulator.messages.catalogue import Knowledge
from simulator.messages.codec import decode_answer, decode_cells, encode
from simulator.messages.needs import layout_of
from simulator.messages.requests import (
    Apology,
    CatalogueAnswer,
    CatalogueRequest,
    Refusal,
    RoundAnswer,
    Trouble,
)
from simulator.site.answering import answer as real
from simulator.site.ledger import (
    LEDGER,
    Entry,
    FileLedger,
    FreshLedger,
    LedgerError,
    Objector,
    read_ledger,
)
from simulator.site.policy import NO_POLICY
from simulator.site.pool import StorePool
from simulator.site.store import DATABASE
from tests.support.asking import question
from tests.support.omop import write_omop
from tests.support.records import record, rows
from tests.unit.site.doors import (
    ASKED,
    NEEDS,
    NOON,
    Clock,
    CountingPool,
    clear,
    make_node,
    told,
    write_site,
)

CHANGED = "the run has changed its roster or its question"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_site(tmp_path / "north")


def test_the_tables_come_back_in_the_order_of_the_needs(folder: Path) -> None:
    answer = told(make_node(folder), clear())
    assert isinstance(answer, RoundAnswer)
    assert (answer.site, answer.run, answer.round) == ("north", "run", 1)
    attrition, assignment, survival = (
        decode_cells(data, layout_of(need, ASKED).cells)
        for need, data in zip(NEEDS, answer.cells, strict=True)
    )
    assert attrition.tolist() == [24, 24, 24]
    assert assignment.tolist() == [8, 16, 0, 0]  # 24 / 3, the rest, none, several
    deaths = survival.reshape(2, 12, 2)[:, :, 0]
    assert np.argwhere(deaths).tolist() == [[0, 1], [1, 1]]  # day 40 is in the second month
    assert deaths[:, 1].tolist() == [4, 8]


def test_a_catalogue_is_told_without_opening_the_database(folder: Path) -> None:
    stores = CountingPool()
    node = make_node(folder, stores=stores)
    (folder / DATABASE).unlink()
    answer = decode_answer(node.handle(encode(CatalogueRequest(ASKED.codes)), 60.0))
    assert isinstance(answer, CatalogueAnswer)
    assert answer.described.catalogue.persons == 20  # 24, rounded down to tens
    assert [known.entries for known in answer.described.codes] == [(Knowledge.FOUND,)] * 3
    assert stores.lent == 0


# The same request again, and another one in its place


def test_a_request_that_comes_twice_is_answered_alike_and_looked_up_once(folder: Path) -> None:
    stores, ledger = CountingPool(), FreshLedger()
    node = make_node(folder, stores=stores, ledger=ledger)
    first = node.handle(encode(clear()), 60.0)
    assert node.handle(encode(clear()), 60.0) == first
    assert stores.lent == 1
    assert [entry.repeated for entry in ledger.entries] == [False, True]


@pytest.mark.parametrize(
    "other",
    [
        clear(number=2, roster=("north", "east", "west")),
        clear(asked=question()),
        clear(needs=NEEDS[:1]),
        clear(number=2, asked=question()),
    ],
    ids=["another roster", "another question", "other needs", "another question later"],
)
def test_a_run_cannot_change_what_it_is(folder: Path, other: object) -> None:
    stores, ledger = CountingPool(), FreshLedger()
    node = make_node(folder, stores=stores, ledger=ledger)
    first = node.handle(encode(clear()), 60.0)
    changed = node.handle(encode(other), 60.0)  # type: ignore[arg-type]  # requests, all of them
    assert decode_answer(changed) == Refusal("north", CHANGED)
    assert ledger.entries[-1].reason == CHANGED
    assert stores.lent == 1
    # What was refused leaves nothing behind: the run itself goes on.
    assert node.handle(encode(clear()), 60.0) == first
    assert isinstance(told(node, clear(number=2)), RoundAnswer)


def test_a_run_may_go_on_in_rounds(folder: Path) -> None:
    node = make_node(folder)
    assert isinstance(told(node, clear()), RoundAnswer)
    assert isinstance(told(node, clear(number=2)), RoundAnswer)


def test_another_run_may_have_another_roster(folder: Path) -> None:
    node = make_node(folder)
    assert isinstance(told(node, clear()), RoundAnswer)
    other = clear(run="run-2", roster=("north", "east", "south", "west"))
    assert isinstance(told(node, other), RoundAnswer)


def test_a_round_is_forgotten_after_an_hour(folder: Path) -> None:
    clock, stores, ledger = Clock(), CountingPool(), FreshLedger()
    node = make_node(folder, clock=clock, stores=stores, ledger=ledger)
    told(node, clear())
    clock.now = NOON + dt.timedelta(minutes=59)
    told(node, clear())
    assert stores.lent == 1
    clock.now = NOON + dt.timedelta(minutes=61)
    told(node, clear())
    assert stores.lent == 2
    assert [entry.repeated for entry in ledger.entries] == [False, True, False]


def test_the_oldest_of_many_rounds_is_forgotten(folder: Path) -> None:
    stores = CountingPool()
    node = make_node(folder, stores=stores)
    for place in range(33):
        told(node, clear(run=f"run {place}"))
    told(node, clear(run="run 32"))
    assert stores.lent == 33
    told(node, clear(run="run 0"))
    assert stores.lent == 34


# Refusals and the ledger


def test_a_refusal_is_decided_without_opening_the_database(folder: Path) -> None:
    stores, ledger = CountingPool(), FreshLedger()
    node = make_node(folder, policy=None, stores=stores, ledger=ledger)
    (folder / DATABASE).unlink()
    answer = told(node, clear())
    reason = "its policy is missing or cannot be read, so nothing is let out"
    assert answer == Refusal("north", reason)
    assert stores.lent == 0
    assert [(entry.answered, entry.reason) for entry in ledger.entries] == [(False, reason)]


def test_without_a_policy_not_even_the_catalogue_is_told(folder: Path) -> None:
    asked = CatalogueRequest(question().codes)
    answer = decode_answer(make_node(folder, policy=None).handle(encode(asked), 60.0))
    assert answer == Refusal("north", NO_POLICY)


def test_a_ledger_that_cannot_be_written_is_an_error_of_its_own(tmp_path: Path) -> None:
    ledger = FileLedger(tmp_path / "nowhere" / LEDGER)
    with pytest.raises(LedgerError):
        ledger.append(Entry(NOON, "run", 1, "secure-sum", "0", (), answered=True))


def test_the_ledger_says_what_was_asked_and_answered(folder: Path) -> None:
    node = make_node(folder, ledger=FileLedger(folder / LEDGER))
    told(node, clear())
    told(node, clear(number=2, needs=NEEDS[:1]))
    first, second = read_ledger(folder / LEDGER)
    assert (first.at, first.run, first.round, first.release) == (NOON, "run", 1, "exact")
    assert first.needs == ("attrition", "assignment", "survival")
    assert first.answered
    assert first.reason is None
    assert second.needs == ("attrition",)
    assert first.request != second.request


class BrokenLedger(FreshLedger):
    """Cannot be written."""

    def append(self, entry: Entry, unless: Objector | None = None) -> str | None:  # noqa: ARG002
        raise LedgerError(f"no room for {entry.run}")


@pytest.mark.parametrize("allowed", [True, False])
def test_without_a_ledger_nothing_is_said(folder: Path, *, allowed: bool) -> None:
    node = make_node(folder, ledger=BrokenLedger())
    asked = clear() if allowed else clear(roster=("north",))
    assert told(node, asked) == Apology("north", Trouble.LEDGER)


# What goes wrong at the site


@pytest.mark.parametrize("data", [b"", b"\xff", b"not a message", encode(Refusal("a", "b"))])
def test_what_is_no_request_is_told_so(folder: Path, data: bytes) -> None:
    answer = decode_answer(make_node(folder).handle(data, 60.0))
    assert answer == Apology("north", Trouble.REQUEST)


def test_a_database_that_is_gone_is_told_so(folder: Path) -> None:
    node = make_node(folder)
    (folder / DATABASE).unlink()
    assert told(node, clear()) == Apology("north", Trouble.DATABASE)


def test_what_could_not_be_answered_stands_in_the_ledger_too(folder: Path) -> None:
    ledger = FreshLedger()
    node = make_node(folder, ledger=ledger)
    (folder / DATABASE).unlink()
    told(node, clear())
    (entry,) = ledger.entries
    assert (entry.answered, entry.reason) == (False, str(Trouble.DATABASE))


def test_a_damaged_database_is_told_so(folder: Path) -> None:
    node = make_node(folder)
    (folder / DATABASE).write_bytes(b"damaged" * 1000)
    assert told(node, clear()) == Apology("north", Trouble.DATABASE)


def test_a_foreign_database_is_told_so(folder: Path) -> None:
    node = make_node(folder)
    (folder / DATABASE).unlink()
    with duckdb.connect(str(folder / DATABASE)) as other:
        other.execute("CREATE TABLE person (person_id INTEGER)")
    assert told(node, clear()) == Apology("north", Trouble.DATABASE)


def test_a_failure_is_not_remembered(folder: Path) -> None:
    node = make_node(folder)
    content = (folder / DATABASE).read_bytes()
    (folder / DATABASE).write_bytes(b"damaged" * 1000)
    told(node, clear())
    (folder / DATABASE).write_bytes(content)
    assert isinstance(told(node, clear()), RoundAnswer)


def test_a_defect_is_told_without_its_details(folder: Path) -> None:
    class Leaking(StorePool):
        def lend(self, folder: Path) -> object:  # type: ignore[override]  # it never returns
            raise RuntimeError(f"patient 4711 of {folder}")

    data = make_node(folder, stores=Leaking()).handle(encode(clear()), 60.0)
    assert decode_answer(data) == Apology("north", Trouble.DEFECT)
    assert b"4711" not in data


# The deadline


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One patient has so many facts that each around each takes minutes to look at."""
    scans = ", ".join(f"scan on {day % 900}" for day in range(60_000))
    people = [f"index on 0, tumour on -9, {scans}", *["index on 0"] * 11]
    drawn = enumerate(map(record, people), start=1)
    return write_omop(tmp_path_factory.mktemp("slow") / "north", rows(drawn))


EVERY_PAIR = question(
    steps="""  - step: a scan around a scan
    require: {procedure: scan, with: [{procedure: scan, days: 0 to 2, count: at least 90000}]}"""
)


@pytest.mark.parametrize("seconds", [0.4, 0.0, -1.0])
def test_a_site_keeps_the_deadline_itself(slow: Path, seconds: float) -> None:
    stores, ledger = CountingPool(), FreshLedger()
    node = make_node(slow, stores=stores, ledger=ledger)
    started = time.monotonic()
    answer = told(node, clear(asked=EVERY_PAIR), seconds)
    assert answer == Apology("north", Trouble.DEADLINE)
    assert time.monotonic() - started < 10
    assert not any(entry.answered for entry in ledger.entries)


def test_an_interrupt_that_falls_between_two_queries_is_repeated(slow: Path) -> None:
    """The deadline passes while nothing runs; the query that starts then must end too."""

    def late(*given: object, **named: object) -> object:
        time.sleep(0.3)
        return real(*given, **named)  # type: ignore[arg-type]  # passed on as they came

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("simulator.site.looking.answer", late)
        answer = told(make_node(slow), clear(asked=EVERY_PAIR), 0.1)
    assert answer == Apology("north", Trouble.DEADLINE)


def test_a_store_that_was_interrupted_is_not_used_again(slow: Path) -> None:
    node = make_node(slow)
    told(node, clear(asked=EVERY_PAIR), 0.2)
    assert isinstance(told(node, clear(run="next", needs=NEEDS[:1])), RoundAnswer)
