"""Whatever is done to a ledger but writing all of it anew is found."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.site.chain import Head, beginning, chained, write_head
from simulator.site.ledger import LEDGER, Entry, FileLedger
from simulator.site.ledger_check import Checked, check_ledger
from simulator.site.ledger_file import LEDGER_HEAD
from tests.unit.site.doors import NOON

COUNT = 6


def entry(run: str, at: dt.datetime = NOON) -> Entry:
    return Entry(at, run, 1, "secure-sum", "00ff", ("attrition",), answered=True)


def _written() -> tuple[bytes, bytes]:
    """The bytes of a ledger and of its head."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / LEDGER
        ledger = FileLedger(path, "north")
        for run in "abcdef":
            ledger.append(entry(run))
        return path.read_bytes(), path.with_name(LEDGER_HEAD).read_bytes()


CONTENT, HEAD = _written()
LINES = CONTENT.splitlines(keepends=True)


def checked(content: bytes, head: bytes | None = HEAD, site: str = "north") -> Checked:
    with TemporaryDirectory() as folder:
        path = Path(folder) / LEDGER
        path.write_bytes(content)
        if head is not None:
            path.with_name(LEDGER_HEAD).write_bytes(head)
        return check_ledger(path, site)


def wrong(found: Checked) -> list[tuple[int, str]]:
    return [(fault.line, fault.wrong) for fault in found.faults]


def test_what_nobody_touched_is_intact() -> None:
    found = checked(CONTENT)
    assert found.faults == ()
    assert [one.run for one in found.entries] == list("abcdef")
    assert found.head.number == COUNT
    assert found.head.hash.encode() in LINES[-1]


@given(place=st.integers(0, len(CONTENT) - 1), flip=st.integers(1, 255))
def test_any_byte_that_is_changed_is_found(place: int, flip: int) -> None:
    changed = bytearray(CONTENT)
    changed[place] ^= flip
    found = checked(bytes(changed))
    assert found.faults
    assert found.faults[0].line == CONTENT.count(b"\n", 0, place) + 1


def test_every_byte_is_looked_at() -> None:
    """Each in turn, by one bit drawn once."""
    draw = random.Random(1)  # noqa: S311 - not for secrets
    for place in range(len(CONTENT)):
        changed = bytearray(CONTENT)
        changed[place] ^= 1 << draw.randrange(8)
        assert checked(bytes(changed)).faults, place


@given(place=st.integers(0, len(HEAD) - 1), flip=st.integers(1, 255))
def test_any_byte_of_the_head_that_is_changed_is_found(place: int, flip: int) -> None:
    changed = bytearray(HEAD)
    changed[place] ^= flip
    (fault,) = checked(CONTENT, bytes(changed)).faults
    assert fault.line == COUNT + 1


@given(st.permutations(LINES))
def test_another_order_is_found(lines: list[bytes]) -> None:
    assert bool(checked(b"".join(lines)).faults) == (lines != LINES)


@given(st.sets(st.integers(0, COUNT - 1), min_size=1))
def test_lines_that_were_taken_out_are_found(taken: set[int]) -> None:
    left = [line for place, line in enumerate(LINES) if place not in taken]
    assert checked(b"".join(left)).faults


@given(st.integers(0, COUNT), st.sampled_from([*LINES, b"\n", b"{}\n", b"x\n"]))
def test_lines_that_were_put_in_are_found(place: int, line: bytes) -> None:
    assert checked(b"".join([*LINES[:place], line, *LINES[place:]])).faults


@given(st.integers(0, len(CONTENT) - 1))
def test_an_end_that_was_cut_off_is_found(length: int) -> None:
    found = checked(CONTENT[:length])
    assert found.faults
    assert "the end has been cut off: 'ledger.head' names 6 entries" in found.faults[-1].wrong


def test_a_line_that_was_forged_with_its_hash_is_found_by_the_next() -> None:
    third = msgspec.json.decode(LINES[2])
    forged, _ = chained(checked(b"".join(LINES[:2])).head, msgspec.json.encode(entry("forged")))
    assert msgspec.json.decode(forged)["number"] == third["number"]
    found = checked(b"".join([*LINES[:2], forged, *LINES[3:]]))
    assert wrong(found) == [(4, "it does not follow from the line before it")]


def test_the_place_and_what_is_wrong_are_told() -> None:
    changed = CONTENT.replace(b'"run":"c"', b'"run":"x"')
    said = "it has been changed: its hash is not that of what stands there"
    assert wrong(checked(changed)) == [(3, said)]
    taken = checked(b"".join([*LINES[:2], *LINES[3:]]))
    said = "entry 4 stands here and 3 was expected"
    ((line, told),) = wrong(taken)
    assert (line, told[: len(said)]) == (3, said)
    spoiled = checked(b"".join([*LINES[:2], b"x\n", *LINES[3:]]))
    assert wrong(spoiled) == [(3, "this is no entry of a chained ledger")]


def test_another_sites_ledger_is_told_from_its_own() -> None:
    said = "the chain does not begin with the name of this site"
    assert wrong(checked(CONTENT, site="south")) == [(1, said)]


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (None, "'ledger.head' is missing: whether the end has been cut off cannot be told"),
        (b"", "'ledger.head' cannot be read, or holds no head"),
        (b"06 " + HEAD[2:], "'ledger.head' cannot be read, or holds no head"),
        (b"3 " + HEAD[2:], "'ledger.head' names entry 3 with another hash or number"),
        (b"5 " + HEAD[2:], "'ledger.head' names entry 5 with another hash or number"),
    ],
)
def test_what_is_wrong_with_the_head_is_told(head: bytes | None, said: str) -> None:
    ((line, told),) = wrong(checked(CONTENT, head))
    assert line == COUNT + 1
    assert told.startswith(said)


def test_a_ledger_that_was_emptied_is_told_from_one_that_is_new() -> None:
    assert checked(b"", None).faults == ()
    assert "cut off" in checked(b"").faults[0].wrong


def test_whoever_writes_all_anew_is_not_found_but_has_another_head() -> None:
    """What a chain cannot show; who kept the head elsewhere sees it."""
    head, lines = checked(b"", None).head, b""
    assert head.hash == beginning("north")
    for run in "abxdef":
        line, head = chained(head, msgspec.json.encode(entry(run)))
        lines += line
    found = checked(lines, b"%d %s\n" % (head.number, head.hash.encode()))
    assert found.faults == ()
    assert found.head.number == COUNT
    assert found.head != checked(CONTENT).head


# Ledgers from before they were chained

OLD = b"".join(msgspec.json.encode(entry(run)) + b"\n" for run in "yz")


def test_an_older_ledger_is_said_to_be_not_chained() -> None:
    found = checked(OLD, None)
    assert (found.older, len(found.entries)) == (2, 2)
    said = "from before ledgers were chained, and need not be as written"
    assert wrong(found) == [(1, f"this line and the next 1 are {said}")]
    ((_, told),) = wrong(checked(OLD.splitlines(keepends=True)[0], None))
    assert told == f"this line is {said}"


def test_the_first_chained_line_seals_those_before(tmp_path: Path) -> None:
    path = tmp_path / LEDGER
    path.write_bytes(OLD)
    ledger = FileLedger(path, "north")
    for run in "ab":
        ledger.append(entry(run))
    content, head = path.read_bytes(), path.with_name(LEDGER_HEAD).read_bytes()
    assert content.startswith(OLD)
    found = checked(content, head)
    assert [line for line, _ in wrong(found)] == [1]
    assert (found.older, [one.run for one in found.entries]) == (2, ["y", "z", "a", "b"])
    assert found.head.number == 4
    for place in range(len(OLD)):
        changed = bytearray(content)
        changed[place] ^= 1
        assert wrong(checked(bytes(changed), head)) != wrong(found), place


def test_times_that_go_back_are_told_and_are_no_fault() -> None:
    """A site writes none any more; it did while it took every time from its clock."""
    head, lines = Head(0, beginning("north")), b""
    for run, hours in zip("abcdef", (5, 5, 1, 2, 9, 8), strict=True):
        written = entry(run, NOON + dt.timedelta(hours=hours))
        line, head = chained(head, msgspec.json.encode(written))
        lines += line
    found = checked(lines, write_head(head))
    assert (found.faults, found.back) == ((), (3, 6))
    assert checked(CONTENT).back == ()


def test_a_chain_cannot_be_taken_off() -> None:
    """Lines without their links pass for older ones, but then the head's file tells."""
    bare = b"".join(msgspec.json.encode(entry(run)) + b"\n" for run in "abcdef")
    assert [line for line, _ in wrong(checked(bare))] == [1, COUNT + 1]
