"""A study asked of processes: the same result, and what is seen when one of them ends."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from simulator.cli.commands import cli
from simulator.engines.processes import ProcessesWire
from simulator.errors import TooFewAnswers
from simulator.hub.client import Client
from simulator.hub.wire import Failure, Reply
from simulator.network import Engine, connect, find_network
from simulator.privacy.releases import find_release
from simulator.site.ledger import LEDGER, read_ledger
from simulator.site.store import DATABASE
from tests.journeys.commands import Shell
from tests.journeys.copies import STUDY, now, rewrite, sites_of
from tests.journeys.test_interrupts import interrupted, said_so
from tests.support.guide import typed
from tests.unit.engines.test_processes import gone, running

RUN: tuple[str | Path, ...] = ("run", "bclm", "--network")
GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "processes.md"


class Killing:
    """A wire that kills a process in one of its exchanges, after the first answer to it.

    The process is made to stand still before, so that its sites have not answered by then.
    """

    def __init__(self, wire: ProcessesWire, pid: int, ends: int) -> None:
        self._wire = wire
        self._pid = pid
        self._ends = ends
        self._number = 0

    def exchange(self, messages: Mapping[str, bytes], seconds: float) -> Iterator[Reply | Failure]:
        self._number += 1
        if self._number == self._ends:
            os.kill(self._pid, signal.SIGSTOP)
        for place, reply in enumerate(self._wire.exchange(messages, seconds)):
            if self._number == self._ends and place == 0:
                os.kill(self._pid, signal.SIGKILL)
            yield reply


@contextmanager
def losing(
    folder: Path, jobs: int, ends: int = 2, release: str = "secure-sum"
) -> Iterator[tuple[Client, tuple[str, ...]]]:
    """A client of which a process is killed in an exchange, and the sites that it holds.

    The first exchange asks for catalogues. Nothing of it is left running.
    """
    client = connect(
        find_network(str(folder), folder.parent),
        laboratory=find_release(release).laboratory_only,
        jobs=jobs,
        seconds=300.0,
        clock=now,
        engine=Engine.PROCESSES,
    )
    wire = client._wire
    assert isinstance(wire, ProcessesWire)
    pids = list(wire.processes)
    with client:
        pid, held = list(wire.processes.items())[-1]
        client._wire = Killing(wire, pid, ends)
        yield client, held
    assert not any(running(pid) for pid in pids)


# The same result


@pytest.mark.parametrize(("jobs", "release"), [(1, "secure-sum"), (3, "exact"), (12, "secure-sum")])
def test_the_result_is_that_of_one_process_byte_by_byte(
    shell: Shell, few_to_read: Path, jobs: int, release: str
) -> None:
    words = [*RUN, few_to_read, "--format", "json", "--release", release]
    local = shell(*words)
    there = shell(*words, "--engine", "processes", "--jobs", str(jobs))
    assert (local.code, there.code, there.err) == (0, 0, local.err)
    ours, theirs = (json.loads(said.out) for said in (local, there))
    assert (ours["run"].pop("engine"), theirs["run"].pop("engine")) == ("local", "processes")
    assert json.dumps(ours["result"]) == json.dumps(theirs["result"])
    for key in ("result_fingerprint", "bytes_sent", "bytes_received", "attempts", "rounds"):
        assert ours["run"][key] == theirs["run"][key]


@pytest.mark.parametrize(
    "words", [("count", "bclm"), ("explore", "bclm", "--show", "demographics"), ("explain", "bclm")]
)
def test_other_commands_print_the_same(
    shell: Shell, few_to_read: Path, words: tuple[str, ...]
) -> None:
    local = shell(*words, "--network", few_to_read)
    there = shell(*words, "--network", few_to_read, "--engine", "processes", "--jobs", "2")
    assert (local.code, local.out, local.err) == (there.code, there.out, there.err)
    assert local.code == 0


def test_the_sites_write_their_ledgers_and_ask_their_policies(shell: Shell, few: Path) -> None:
    words = [*RUN, few, "--engine", "processes", "--jobs", "4"]
    run = json.loads(shell(*words, "--format", "json").out)["run"]["run"]
    for site in sites_of(few):
        catalogue, *entries = read_ledger(site / LEDGER)
        assert (catalogue.answered, catalogue.needs) == (True, ("catalogue",))
        assert {(entry.answered, entry.run) for entry in entries} == {(True, f"{run}-1")}
        rewrite(site / "policy.yaml", "persons: 10", "persons: 1000000")
    said = shell(*words)
    assert (said.code, said.out) == (3, "")
    assert "at least 1000000 persons in its database" in said.err


def test_the_command_offers_what_there_is() -> None:
    for name in ("run", "count", "explore", "explain"):
        (option,) = (one for one in cli.commands[name].params if one.name == "engine")
        assert list(option.type.choices) == list(Engine)  # type: ignore[attr-defined]


@pytest.mark.parametrize("words", [("--analyze",), ("--sql", "north")])
def test_what_looks_into_this_process_goes_with_no_other(
    shell: Shell, few_to_read: Path, words: tuple[str, ...]
) -> None:
    said = shell("explain", "bclm", "--network", few_to_read, "--engine", "processes", *words)
    assert (said.code, said.out) == (2, "")
    assert "leave --engine out" in said.err


# Who is lost


def test_a_site_without_a_database_is_told_as_in_one_process(shell: Shell, few: Path) -> None:
    site = sites_of(few)[5]
    (site / DATABASE).unlink()
    words = [*RUN, few, "--format", "json"]
    local, there = shell(*words), shell(*words, "--engine", "processes")
    assert json.loads(local.out)["result"] == json.loads(there.out)["result"]
    (site / "catalogue.json").unlink()
    local, there = shell(*words), shell(*words, "--engine", "processes")
    assert (local.code, local.err) == (there.code, there.err)
    assert local.code == 2
    assert f"error: site '{site.name}': there is no database" in there.err


@pytest.mark.parametrize("release", ["secure-sum", "exact"])
def test_a_process_that_ends_on_the_way_loses_its_site(few: Path, release: str) -> None:
    rule = find_release(release)
    with losing(few, 12, release=release) as (client, (lost,)):
        network = client.run(STUDY, rule, run="test").result.network
        # It is not started anew: the next run does without it from the beginning.
        again = client.run(STUDY, rule, run="again").result.network
    assert [(one.site, one.reason) for one in network.failed] == [(lost, "its process ended")]
    assert (network.asked, network.answered) == (12, 11)
    assert (again.organisations, again.asked, again.answered) == (12, 11, 11)
    assert [dict(ground.reasons) for ground in again.not_eligible] == [
        {"no catalogue: its process ended": 1}
    ]


def test_in_a_later_step_of_a_secure_round_too(few: Path) -> None:
    with losing(few, 12, ends=4) as (client, (lost,)):
        report = client.run(STUDY, find_release("secure-sum"), run="test")
    network = report.result.network
    assert network.asked == network.answered + len(network.failed) == 12
    assert {one.site for one in network.failed} <= {lost}
    assert report.result.cohort.attrition


def test_a_run_that_loses_too_many_sites_ends_with_4(few: Path) -> None:
    with losing(few, 3) as (client, lost), pytest.raises(TooFewAnswers) as caught:
        client.run(STUDY, find_release("secure-sum"), run="test")
    assert len(lost) == 4
    assert caught.value.exit_code == 4
    assert "8 of 12 eligible sites answered; the study demands 90%" in str(caught.value)
    named = [site.name for site in sites_of(few) if site.name in lost]
    assert f"{', '.join(named[:3])} and 1 more: its process ended" in str(caught.value)
    assert caught.value.hint == "Run again: its sites are started anew."


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="looks into /proc")
def test_a_run_that_is_interrupted_leaves_no_process(network: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["run", "bclm", "--network", str(network), "--jobs", "2", "--out", str(out)]
    pids: list[int] = []

    def begun() -> bool:
        pids[:] = hosting(network)
        return len(pids) == 2 and any(network.glob(f"*/{LEDGER}"))

    done = interrupted([*words, "--engine", "processes"], begun)
    said_so(done)
    assert not out.exists()
    assert gone(pids)
    # Whoever has written into its ledger has written whole lines.
    assert all(read_ledger(path) for path in network.glob(f"*/{LEDGER}"))


def hosting(network: Path) -> list[int]:
    """The processes that hold sites and have a file of a network's folder open."""
    return [
        int(folder.name)
        for folder in Path("/proc").glob("[0-9]*")
        if "simulator.engines.hosting" in command_of(folder) and holds(folder, network)
    ]


def command_of(folder: Path) -> str:
    try:
        return (folder / "cmdline").read_text()
    except OSError:
        return ""


def holds(folder: Path, network: Path) -> bool:
    try:
        links = [str(link.readlink()) for link in (folder / "fd").iterdir()]
    except OSError:
        return False
    return any(link.startswith(str(network)) for link in links)


# The guide


def test_the_guide_can_be_followed(
    shell: Shell, few_to_read: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "as-reported").symlink_to(few_to_read)
    monkeypatch.setenv("COHORTIUM_DATA", str(tmp_path / "data"))
    lines: list[str] = []

    def run(words: Sequence[str]) -> tuple[int, str]:
        said = shell(*words)
        lines.append(" ".join(words))
        return said.code, said.out + said.err

    typed(GUIDE.read_text(encoding="utf-8"), tmp_path, run)
    assert any("--engine processes" in line for line in lines)
