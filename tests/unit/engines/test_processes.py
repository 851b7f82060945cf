"""What a wire to processes does when they answer, and when they do whatever else they like."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.engines.processes import ProcessesWire, Stray, Why, deal
from simulator.errors import UserError
from simulator.hub.wire import Failure, Lost, Reply
from tests.unit.engines import odd

ROOT = Path(__file__).parents[3]
_PATIENCE_SECONDS = 60.0


def running(pid: int) -> bool:
    """Whether a process lives; one that has ended and waits to be noticed does not."""
    found = subprocess.run(  # noqa: S603 - a number of ours
        ["ps", "-o", "stat=", "-p", str(pid)],  # noqa: S607 - wherever it is
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip()[:1] not in {"", "Z"}


def gone(pids: list[int]) -> bool:
    """Whether processes end, within a patience."""
    ends = time.monotonic() + _PATIENCE_SECONDS
    while any(running(pid) for pid in pids) and time.monotonic() < ends:
        time.sleep(0.02)
    return not any(running(pid) for pid in pids)


@contextmanager
def closing(wire: ProcessesWire) -> Iterator[ProcessesWire]:
    """Closes a wire, and leaves nothing of it running."""
    pids = list(wire.processes)
    try:
        yield wire
    finally:
        wire.close()
        assert not any(running(pid) for pid in pids)


def ask(
    wire: ProcessesWire, sites: str, number: int = 1, seconds: float = 30.0
) -> list[Reply | Failure]:
    """One exchange; each site is told its number."""
    return list(wire.exchange(dict.fromkeys(sites, b"%d" % number), seconds))


# What is as it should be


def test_replies_come_in_the_order_of_arrival() -> None:
    groups = {"a": "sleep 0.8", "d": "name"}, {"b": "name"}, {"c": "sleep 0.4"}
    with closing(odd.wire(*groups)) as wire:
        replies = ask(wire, "abcd")
    assert {str(reply) for reply in replies[:2]} == {str(Reply("d", b"d")), str(Reply("b", b"b"))}
    assert replies[2:] == [Reply("c", b"1"), Reply("a", b"1")]


def test_each_group_is_a_process_of_its_own_and_stays_it() -> None:
    with closing(odd.wire({"a": "pid", "b": "pid"}, {"c": "pid"})) as wire:
        assert len(wire.processes) == 2
        pids = {str(pid).encode(): sites for pid, sites in wire.processes.items()}
        assert str(os.getpid()).encode() not in pids
        for number in (1, 2):
            for reply in ask(wire, "abc", number):
                assert isinstance(reply, Reply)
                assert reply.site in pids[reply.data]


def test_bytes_of_any_size_arrive_as_they_were_sent() -> None:
    data = os.urandom(5_000_000)
    with closing(odd.wire({"a": "echo", "b": "echo"}, {"c": "echo"})) as wire:
        messages = {"a": data, "b": b"", "c": data[::-1]}
        replies = {reply.site: reply for reply in wire.exchange(messages, 30.0)}
    assert replies == {site: Reply(site, sent) for site, sent in messages.items()}


def test_a_site_that_no_process_holds_is_off_line() -> None:
    with closing(odd.wire({"a": "echo"})) as wire:
        assert ask(wire, "xa") == [Failure("x", Lost.OFF_LINE), Reply("a", b"1")]


def test_only_who_is_asked_answers() -> None:
    with closing(odd.wire({"a": "count", "b": "count"})) as wire:
        assert ask(wire, "a") == [Reply("a", b"1")]
        assert ask(wire, "b", 2) == [Reply("b", b"1")]
        assert ask(wire, "", 3) == []


def test_a_site_is_told_how_little_time_is_left() -> None:
    with closing(odd.wire({"a": "sleep 0.3", "b": "left"}, threads=1)) as wire:
        first, second = ask(wire, "ab", seconds=20.0)
    assert first == Reply("a", b"1")
    assert isinstance(second, Reply)
    assert 10.0 < float(second.data) < 19.7


# Who is late


def test_a_site_that_hangs_is_silent_and_its_neighbour_answers() -> None:
    with closing(odd.wire({"a": "sleep 60", "b": "echo"}, {"c": "echo"})) as wire:
        started = time.monotonic()
        *replies, last = ask(wire, "abc", seconds=0.5)
        assert last == Failure("a", Lost.SILENT)
        assert sorted(map(str, replies)) == [str(Reply("b", b"1")), str(Reply("c", b"1"))]
        assert time.monotonic() - started < 10.0
        # It hangs still, and holds up nobody.
        assert {str(reply) for reply in ask(wire, "bc", 2)} == {
            str(Reply("b", b"2")),
            str(Reply("c", b"2")),
        }


def test_what_nobody_waits_for_is_interrupted() -> None:
    with closing(odd.wire({"a": "once-patient", "b": "sleep 0.5"}, grace=20.0)) as wire:
        started = time.monotonic()
        with closing_early(wire, {"a": b"1", "b": b"1"}) as first:
            assert first == Reply("b", b"1")
        assert time.monotonic() - started < 10.0
        assert wire.strays == (Stray("a", 1, Why.LATE),)
        assert ask(wire, "a", 2) == [Reply("a", b"2")]


@contextmanager
def closing_early(wire: ProcessesWire, messages: dict[str, bytes]) -> Iterator[Reply | Failure]:
    """The first reply; afterwards nobody listens any more."""
    replies = wire.exchange(messages, 60.0)
    yield next(iter(replies))
    replies.close()  # type: ignore[attr-defined]  # a generator


def test_who_stops_listening_stops_the_asking() -> None:
    group = {"a": "echo", "b": "sleep 0.4", "c": "count", "d": "count"}
    with closing(odd.wire(group, threads=1, grace=20.0)) as wire:
        started = time.monotonic()
        with closing_early(wire, dict.fromkeys("abcd", b"1")) as first:
            assert first == Reply("a", b"1")
        assert time.monotonic() - started < 10.0  # b was waited for, not the whole of the grace
        # c and d, which waited behind b, were not asked.
        assert ask(wire, "cd", 2) == [Reply("c", b"1"), Reply("d", b"1")]
        # Whether b was begun by then is chance; if it was, it is named.
        assert set(wire.strays) <= {Stray("b", 1, Why.LATE)}


def test_an_answer_that_comes_late_is_named_and_not_used() -> None:
    with closing(odd.wire({"a": "sleep 1.0", "b": "sleep 2.0"}, grace=0.1)) as wire:
        assert ask(wire, "a", seconds=0.1) == [Failure("a", Lost.SILENT)]
        assert ask(wire, "b", 2) == [Reply("b", b"2")]
        assert wire.strays == (Stray("a", 1, Why.LATE),)
        # The process is a good one and is asked on.
        assert ask(wire, "a", 3) == [Reply("a", b"3")]


def test_a_late_answer_is_not_taken_for_that_of_the_next_exchange() -> None:
    with closing(odd.wire({"a": "sleep 1.0"}, grace=0.1)) as wire:
        assert ask(wire, "a", seconds=0.1) == [Failure("a", Lost.SILENT)]
        assert ask(wire, "a", 2) == [Reply("a", b"2")]
        assert wire.strays == (Stray("a", 1, Why.LATE),)


# Who says too much, or what nobody can read


def test_a_second_answer_is_named_and_not_used() -> None:
    with closing(odd.wire({"a": "again 1", "b": "sleep 0.5"})) as wire:
        assert ask(wire, "ab") == [Reply("a", b"1"), Reply("b", b"1")]
        assert wire.strays == (Stray("a", 1, Why.TWICE),)
        assert ask(wire, "b", 2) == [Reply("b", b"2")]


def test_a_third_answer_ends_its_process() -> None:
    with closing(odd.wire({"a": "again 2", "b": "sleep 60"}, {"c": "echo"})) as wire:
        replies = ask(wire, "abc")
        assert sorted(map(str, replies)) == sorted(
            map(str, [Reply("a", b"1"), Reply("c", b"1"), Failure("b", Lost.CRASHED)])
        )
        assert list(wire.processes.values()) == [("c",)]


@pytest.mark.parametrize("misfit", odd.MISFITS)
def test_a_process_that_sends_what_does_not_fit_is_ended(misfit: str) -> None:
    with closing(odd.wire({"a": misfit, "b": "sleep 60"}, {"c": "echo"})) as wire:
        pids = {sites: pid for pid, sites in wire.processes.items()}
        started = time.monotonic()
        first, *others = ask(wire, "abc", seconds=50.0)
        assert time.monotonic() - started < 30.0
        assert {first, *others} == {
            Reply("c", b"1"),
            Failure("a", Lost.CRASHED),
            Failure("b", Lost.CRASHED),
        }
        assert not running(pids["a", "b"])
        assert running(pids["c",])
        assert wire.strays == ()


# Who ends


@pytest.mark.parametrize("end", ["die", "leave"])
def test_the_sites_of_a_process_that_ends_are_lost_at_once_and_for_good(end: str) -> None:
    with closing(odd.wire({"a": end, "b": "sleep 60"}, {"c": "sleep 1"})) as wire:
        started = time.monotonic()
        replies = ask(wire, "abc", seconds=50.0)
        assert replies == [
            Failure("a", Lost.CRASHED),
            Failure("b", Lost.CRASHED),
            Reply("c", b"1"),
        ]
        assert time.monotonic() - started < 30.0
        assert ask(wire, "bc", 2) == [Failure("b", Lost.CRASHED), Reply("c", b"2")]


def test_what_was_answered_before_the_end_counts() -> None:
    with closing(odd.wire({"a": "echo", "b": "echo", "c": "die"}, threads=1)) as wire:
        assert ask(wire, "abc") == [
            Reply("a", b"1"),
            Reply("b", b"1"),
            Failure("c", Lost.CRASHED),
        ]


def test_a_process_that_is_killed_from_outside() -> None:
    with closing(odd.wire({"a": "sleep 60"}, {"b": "sleep 0.3"})) as wire:
        pids = {sites: pid for pid, sites in wire.processes.items()}
        replies = iter(wire.exchange({"x": b"", "a": b"", "b": b"1"}, 50.0))
        assert next(replies) == Failure("x", Lost.OFF_LINE)
        os.kill(pids["a",], signal.SIGKILL)
        assert next(replies) == Failure("a", Lost.CRASHED)
        assert next(replies) == Reply("b", b"1")
        assert list(replies) == []


def test_a_process_that_stands_still_holds_up_nobody() -> None:
    """Not even where it is sent more than its socket holds; and it does not outlive the wire."""
    with closing(odd.wire({"a": "echo"}, {"b": "echo"})) as wire:
        pids = {sites: pid for pid, sites in wire.processes.items()}
        os.kill(pids["a",], signal.SIGSTOP)
        replies = list(wire.exchange(dict.fromkeys("ab", bytes(3_000_000)), 2.0))
        assert replies == [Reply("b", bytes(3_000_000)), Failure("a", Lost.SILENT)]


def test_ctrl_c_is_the_parents() -> None:
    with closing(odd.wire({"a": "echo"})) as wire:
        (pid,) = wire.processes
        os.kill(pid, signal.SIGINT)
        assert os.getpgid(pid) != os.getpgid(0)
        assert ask(wire, "a") == [Reply("a", b"1")]


# Beginning and end


@given(
    st.lists(st.text("abc", min_size=1), unique=True, max_size=12),
    st.integers(1, 20),
)
def test_every_site_is_dealt_to_one_process_and_none_has_many_more(
    sites: list[str], processes: int
) -> None:
    dealt = deal(sites, processes)
    assert sorted(site for group in dealt for site in group) == sorted(sites)
    assert len(dealt) == min(processes, len(sites))
    sizes = [len(group) for group in dealt]
    assert max(sizes, default=0) - min(sizes, default=0) <= 1


def test_sites_that_cannot_be_opened_are_told_in_the_words_of_their_process() -> None:
    with pytest.raises(UserError) as caught:
        ProcessesWire(["a", "b"], odd.unfit)
    assert str(caught.value) == "site 'b': there is nothing\n  Build it."


def test_a_process_that_ends_before_it_is_ready_has_lost_its_sites() -> None:
    with closing(ProcessesWire(["a", "b"], odd.broken)) as wire:
        assert list(wire.processes.values()) == [("a",)]
        assert {*ask(wire, "ab")} == {Reply("a", b"1"), Failure("b", Lost.CRASHED)}


def test_after_closing_all_are_lost() -> None:
    wire = odd.wire({"a": "echo"})
    pids = list(wire.processes)
    wire.close()
    wire.close()
    assert not any(running(pid) for pid in pids)
    assert wire.processes == {}
    assert ask(wire, "ax") == [Failure("x", Lost.OFF_LINE), Failure("a", Lost.CRASHED)]


def test_a_site_that_hangs_does_not_keep_its_process() -> None:
    wire = odd.wire({"a": "sleep 60"})
    (pid,) = wire.processes
    assert ask(wire, "a", seconds=0.1) == [Failure("a", Lost.SILENT)]
    started = time.monotonic()
    wire.close()
    assert time.monotonic() - started < 10.0
    assert not running(pid)


def test_processes_end_with_the_wire_that_nobody_holds() -> None:
    wire = odd.wire({"a": "echo"}, {"b": "echo"})
    pids = list(wire.processes)
    assert all(running(pid) for pid in pids)
    del wire
    gc.collect()
    assert not any(running(pid) for pid in pids)


PROGRAM = """
import sys, time
from tests.unit.engines import odd
wire = odd.wire({"a": "echo"}, {"b": "sleep 60"})
print(*wire.processes, flush=True)
replies = wire.exchange({"b": b"1", "a": b"1"}, 50.0)
next(replies)
print("asked", flush=True)
if sys.argv[1] == "ends":
    sys.exit(3)
time.sleep(60)
"""


def _nothing(_process: subprocess.Popen[str]) -> None:
    """The program ends by itself."""


def _kill(process: subprocess.Popen[str]) -> None:
    process.kill()


def _terminate(process: subprocess.Popen[str]) -> None:
    process.terminate()


def _interrupt(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)


@pytest.mark.parametrize(
    ("how", "end", "code"),
    [
        ("ends", _nothing, 3),
        ("stays", _kill, -signal.SIGKILL),
        ("stays", _terminate, -signal.SIGTERM),
        ("stays", _interrupt, -signal.SIGINT),
    ],
)
def test_processes_end_with_their_parent_however_it_ends(
    how: str, end: Callable[[subprocess.Popen[str]], None], code: int
) -> None:
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM, how],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        pids = [int(word) for word in process.stdout.readline().split()]
        assert process.stdout.readline() == "asked\n"
        assert len(pids) == 2
        end(process)
        # Nobody else holds the ends of the program's outputs, or this would wait for them.
        process.communicate(timeout=_PATIENCE_SECONDS)
    assert process.returncode == code
    assert gone(pids)
