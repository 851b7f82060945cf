from __future__ import annotations

import threading
from pathlib import Path

import msgspec

from simulator.site.ledger import Entry, FileLedger, FreshLedger, read_ledger
from tests.unit.site.doors import NOON


def entry(run: str, reason: str | None = None) -> Entry:
    return Entry(NOON, run, 1, "secure-sum", "00ff", ("attrition",), reason is None, reason)


def test_a_file_keeps_entries_in_their_order(tmp_path: Path) -> None:
    ledger = FileLedger(tmp_path / "ledger.jsonl")
    ledger.append(entry("a"))
    FileLedger(tmp_path / "ledger.jsonl").append(entry("b", "too few"))
    assert read_ledger(tmp_path / "ledger.jsonl") == (entry("a"), entry("b", "too few"))


def test_an_entry_is_a_line_of_json_that_names_no_reason_where_there_is_none(
    tmp_path: Path,
) -> None:
    FileLedger(tmp_path / "ledger.jsonl").append(entry("a"))
    (line,) = (tmp_path / "ledger.jsonl").read_bytes().splitlines()
    assert msgspec.json.decode(line) == {
        "at": "2026-01-01T12:00:00Z",
        "run": "a",
        "round": 1,
        "release": "secure-sum",
        "request": "00ff",
        "needs": ["attrition"],
        "answered": True,
    }


def test_where_nothing_was_asked_there_is_no_entry(tmp_path: Path) -> None:
    assert read_ledger(tmp_path / "ledger.jsonl") == ()


def test_threads_do_not_write_into_each_others_lines(tmp_path: Path) -> None:
    ledger = FileLedger(tmp_path / "ledger.jsonl")

    def write(name: str) -> None:
        for place in range(50):
            ledger.append(entry(f"{name}{place}"))

    writers = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len({kept.run for kept in read_ledger(tmp_path / "ledger.jsonl")}) == 4 * 50


def test_a_fresh_ledger_begins_empty() -> None:
    ledger = FreshLedger()
    assert ledger.entries == []
    ledger.append(entry("a"))
    assert ledger.entries == [entry("a")]
