"""A site's ledger keeps its order, whoever writes to it, and says nothing where it cannot write."""

from __future__ import annotations

import datetime as dt
import fcntl
import multiprocessing
import os
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from simulator.site import ledger_file
from simulator.site.chain import beginning
from simulator.site.ledger import (
    LEDGER,
    Entry,
    FileLedger,
    FreshLedger,
    Ledger,
    LedgerError,
    Tail,
    opening,
    read_ledger,
)
from simulator.site.ledger_check import check_ledger
from simulator.site.ledger_file import LEDGER_HEAD, read_head
from tests.unit.site.doors import NOON


def entry(run: str, reason: str | None = None, at: dt.datetime = NOON) -> Entry:
    return Entry(at, run, 1, "secure-sum", "00ff", ("attrition",), reason is None, reason)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "north"
    folder.mkdir()
    return folder / LEDGER


def kept(path: Path, runs: str) -> FileLedger:
    """A ledger with an entry for each letter."""
    ledger = FileLedger(path)
    for run in runs:
        ledger.append(entry(run))
    return ledger


def intact(path: Path) -> int:
    """How many entries an intact ledger has."""
    found = check_ledger(path, "north")
    assert (found.faults, found.unfinished) == ((), None)
    assert found.entries == read_ledger(path)
    return len(found.entries)


def test_a_file_keeps_entries_in_their_order(path: Path) -> None:
    ledger = FileLedger(path)
    ledger.append(entry("a"))
    FileLedger(path).append(entry("b", "too few"))
    assert read_ledger(path) == (entry("a"), entry("b", "too few"))
    assert intact(path) == 2


def test_an_entry_is_a_line_of_json_that_names_the_line_before(path: Path) -> None:
    kept(path, "ab")
    first, second = map(msgspec.json.decode, path.read_bytes().splitlines())
    link = {"number": 1, "previous": beginning("north"), "hash": first["hash"]}
    assert first == link | {
        "at": "2026-01-01T12:00:00Z",
        "run": "a",
        "round": 1,
        "release": "secure-sum",
        "request": "00ff",
        "needs": ["attrition"],
        "answered": True,
    }
    assert (second["number"], second["previous"]) == (2, first["hash"])
    head = read_head(path.with_name(LEDGER_HEAD))
    assert head == check_ledger(path, "north").head
    assert head is not None
    assert (head.number, head.hash) == (2, second["hash"])


def test_where_nothing_was_asked_there_is_no_entry(path: Path) -> None:
    assert read_ledger(path) == ()
    assert intact(path) == 0
    assert not path.exists()


def test_an_entry_says_all_that_it_has_to(path: Path) -> None:
    full = Entry(
        *(NOON, "a-1", 2, "dp", "00ff", ("survival",), True),
        roster_size=68,
        place="network",
        cost="1/2",
        zcdp="1/8",
        key="11",
        question="22",
        step="masked",
    )
    FileLedger(path).append(full)
    assert read_ledger(path) == (full,)


def test_threads_do_not_write_into_each_others_lines(path: Path) -> None:
    ledger = FileLedger(path)
    other = FileLedger(path)

    def write(name: str, into: FileLedger) -> None:
        for place in range(25):
            into.append(entry(f"{name}{place}"))

    writers = [
        threading.Thread(target=write, args=(name, into))
        for name, into in zip("abcd", (ledger, other, ledger, other), strict=True)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert intact(path) == 4 * 25
    assert len({line.run for line in read_ledger(path)}) == 4 * 25


def _write(path: Path, name: str, count: int) -> None:
    ledger = FileLedger(path)
    for place in range(count):
        ledger.append(entry(f"{name}{place}"))


def test_processes_keep_one_chain(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(path, name, 40)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert intact(path) == 2 * 40
    for name in "ab":
        runs = [line.run for line in read_ledger(path) if line.run.startswith(name)]
        assert runs == [f"{name}{place}" for place in range(40)]


def test_lines_longer_than_what_is_read_at_once(path: Path) -> None:
    ledger = FileLedger(path)
    for run, length in zip("abcd", (10_000, 1, 70_000, 5000), strict=True):
        ledger.append(entry(run, "x" * length))
    ledger.append(entry("e"))
    assert intact(path) == 5
    assert ends(ledger, NOON) == "abcde"


# Fail closed


def fails(ledger: Ledger, told: str) -> None:
    with pytest.raises(LedgerError, match=told):
        ledger.append(entry("z"))
    with pytest.raises(LedgerError, match=told):
        ledger.ask(lambda _: None)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    fails(FileLedger(tmp_path / "nowhere" / LEDGER), "No such file")


def test_a_file_that_is_none(path: Path) -> None:
    path.mkdir()
    fails(FileLedger(path), "directory")
    with pytest.raises(LedgerError, match="directory"):
        check_ledger(path, "north")


def test_a_ledger_that_another_holds(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = kept(path, "a")
    monkeypatch.setattr(ledger_file, "_PATIENCE_SECONDS", 0.05)
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        fails(ledger, "does not let go")
    ledger.append(entry("b"))
    assert intact(path) == 2


def test_a_system_without_locks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    fails(FileLedger(path), "cannot be locked")


@pytest.mark.parametrize(
    "harm",
    [
        lambda lines, _head: lines[:-1],
        lambda _lines, _head: [],
        lambda lines, _head: [*lines[:-1], lines[-1].replace(b'"c"', b'"x"')],
        lambda lines, _head: [*lines[:-1], b"nonsense\n"],
        lambda lines, _head: [*lines[:-1], lines[-1][:-9]],
        lambda lines, head: (head.unlink(), lines)[1],
        lambda lines, head: (head.write_bytes(b"nonsense"), lines)[1],
        lambda lines, head: (head.write_bytes(b"1 " + b"0" * 64 + b"\n"), lines)[1],
    ],
)
def test_on_an_end_that_does_not_fit_nothing_is_written(path: Path, harm: object) -> None:
    ledger = kept(path, "abc")
    lines = path.read_bytes().splitlines(keepends=True)
    left = b"".join(harm(lines, path.with_name(LEDGER_HEAD)))  # type: ignore[operator]
    path.write_bytes(left)
    fails(ledger, "head|last line")
    assert path.read_bytes() == left


def test_where_there_is_no_room_what_was_begun_is_taken_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, write = kept(path, "a"), os.write
    before = path.read_bytes()
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda file, data: write(file, data[:20]))
        with pytest.raises(LedgerError, match="no room"):
            ledger.append(entry("b"))
    assert path.read_bytes() == before
    ledger.append(entry("c"))
    assert intact(path) == 2


# Writes that were broken off


def test_a_line_that_was_never_finished_gives_way(path: Path) -> None:
    ledger = kept(path, "ab")
    with path.open("ab") as file:
        file.write(b'{"number":3,"prev')
    found = check_ledger(path, "north")
    assert (found.faults, len(found.entries)) == ((), 2)
    assert found.unfinished == "line 3 was begun and never finished"
    assert len(read_ledger(path)) == 2
    ledger.append(entry("c"))
    assert [line.run for line in read_ledger(path)] == ["a", "b", "c"]
    assert intact(path) == 3


@pytest.mark.parametrize("count", [1, 3])
def test_a_line_whose_head_was_not_written_stands(path: Path, count: int) -> None:
    head = path.with_name(LEDGER_HEAD)
    before = b"0 %s\n" % beginning("north").encode()
    for run in "abc"[:count]:
        before = head.read_bytes() if head.exists() else before
        kept(path, run)
    head.write_bytes(before)
    found = check_ledger(path, "north")
    assert (found.faults, len(found.entries)) == ((), count)
    assert found.unfinished == "'ledger.head' is one line behind: its last write was broken off"
    kept(path, "z")
    assert intact(path) == count + 1


def test_a_head_that_was_written_before_the_first_line(path: Path) -> None:
    path.with_name(LEDGER_HEAD).write_bytes(b"0 %s\n" % beginning("north").encode())
    assert intact(path) == 0
    kept(path, "a")
    assert intact(path) == 1


# The end, read back as far as needed


def ends(ledger: Ledger, moment: dt.datetime) -> str:
    """The runs that a ledger's end gives from a moment on."""
    found: list[str] = []

    def look(tail: Tail) -> None:
        found.extend(line.run for line in tail.since(moment))

    ledger.ask(look)
    return "".join(found)


@pytest.fixture(params=["file", "memory"])
def hourly(request: pytest.FixtureRequest, path: Path) -> Ledger:
    """Four entries, an hour between them."""
    ledger: Ledger = FileLedger(path) if request.param == "file" else FreshLedger()
    for hour, run in enumerate("abcd"):
        ledger.append(entry(run, at=NOON + dt.timedelta(hours=hour)))
    return ledger


@pytest.mark.parametrize(
    ("hours", "runs"), [(-1, "abcd"), (0, "abcd"), (1, "abcd"), (1.5, "bcd"), (3, "cd"), (4, "d")]
)
def test_the_end_begins_with_the_last_one_before(hourly: Ledger, hours: float, runs: str) -> None:
    assert ends(hourly, NOON + dt.timedelta(hours=hours)) == runs


def test_an_objection_is_returned_and_nothing_written(hourly: Ledger) -> None:
    totals: list[int] = []

    def objects(tail: Tail) -> str | None:
        totals.append(tail.total)
        return "no" if tail.total == 5 else None

    assert hourly.append(entry("e"), objects) is None
    assert hourly.append(entry("f"), objects) == "no"
    assert hourly.ask(objects) == "no"
    assert totals == [4, 5, 5]
    assert ends(hourly, NOON + dt.timedelta(days=1)) == "e"


def test_a_lock_is_carried_on_until_it_is_lifted(hourly: Ledger) -> None:
    def locked() -> bool:
        found: list[bool] = []

        def look(tail: Tail) -> None:
            found.append(tail.since(NOON + dt.timedelta(days=1))[-1].locked)

        hourly.ask(look)
        return found[0]

    hourly.append(msgspec.structs.replace(entry("e", "locked"), locked=True))
    hourly.append(entry("f"))
    assert locked()
    hourly.append(opening(NOON))
    assert not locked()
    hourly.append(entry("g"))
    assert not locked()


def test_a_clock_that_goes_back_makes_nothing_forgotten(hourly: Ledger) -> None:
    """A site reads back only to the first entry that is too old, and so times may not go back."""
    hourly.append(entry("e", at=NOON - dt.timedelta(days=400)))
    hourly.append(entry("f", at=NOON + dt.timedelta(hours=5)))
    assert ends(hourly, NOON - dt.timedelta(days=1)) == "abcdef"
    assert ends(hourly, NOON + dt.timedelta(hours=2.5)) == "cdef"
    times: list[dt.datetime] = []
    hourly.ask(lambda tail: times.extend(each.at for each in tail.since(NOON)))
    assert times == [NOON + dt.timedelta(hours=hours) for hours in (0, 1, 2, 3, 3, 5)]


def test_what_is_no_entry_is_not_read(path: Path) -> None:
    path.write_bytes(b'{"run": 1}\n')
    with pytest.raises(LedgerError, match="no entry"):
        read_ledger(path)


def test_a_fresh_ledger_begins_empty() -> None:
    ledger = FreshLedger()
    assert ledger.entries == []
    assert ends(ledger, NOON) == ""
    ledger.append(entry("a"))
    assert ledger.entries == [entry("a")]


def test_what_somebody_changed_is_not_believed(path: Path) -> None:
    """What was spent is read from further back than the end that the head names."""
    ledger = kept(path, "abcde")
    lines = path.read_bytes().splitlines(keepends=True)
    assert lines[2].count(b'"c"') == 1
    path.write_bytes(b"".join([*lines[:2], lines[2].replace(b'"c"', b'"x"'), *lines[3:]]))
    with pytest.raises(LedgerError, match="line 3 of the ledger is not as it was written"):
        ends(ledger, NOON)
    with pytest.raises(LedgerError, match="line 3"):
        ledger.append(entry("f"), lambda tail: str(len(tail.since(NOON))))
    assert len(path.read_bytes().splitlines()) == 5
