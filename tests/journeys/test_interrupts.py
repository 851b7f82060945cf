"""Ctrl-C, typed into the foreground: exit code 130, a line in words, and nothing half-written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from simulator.site.ledger import LEDGER, read_ledger
from simulator.synthesis.site_build import TEMPORARY
from tests.journeys.commands import Shell

_PATIENCE_SECONDS = 120.0


def interrupted(words: list[str], when: Callable[[], bool]) -> subprocess.CompletedProcess[str]:
    """Starts a command and types Ctrl-C once a condition holds."""
    with subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "simulator", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        ends = time.monotonic() + _PATIENCE_SECONDS
        while not when() and process.poll() is None and time.monotonic() < ends:
            time.sleep(0.005)
        assert process.poll() is None, "it ended before it could be interrupted"
        # A terminal sends Ctrl-C to every process in the foreground, workers too.
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=_PATIENCE_SECONDS)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def said_so(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 130
    assert done.stdout == ""
    assert done.stderr.lstrip() == "interrupted; nothing half-written is left\n"


def test_a_run_that_is_interrupted(network: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["run", "bclm", "--network", str(network), "--jobs", "1", "--out", str(out)]
    done = interrupted(words, lambda: any(network.glob(f"*/{LEDGER}")))
    said_so(done)
    assert not out.exists()
    # Whoever answered has written it down whole, and the next run is not disturbed.
    ledgers = [read_ledger(path) for path in network.glob(f"*/{LEDGER}")]
    assert 1 <= len(ledgers) < 68
    assert all(len(entries) == 1 for entries in ledgers)
    assert not list(network.rglob("*.partial"))


def test_a_build_that_is_interrupted_goes_on_the_next_time(
    shell: Shell, as_reported: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "as-reported"
    words = ["build", "--data", str(tmp_path), "--patients", "10000", "--jobs", "2"]
    done = interrupted(words, lambda: len(list(folder.glob("*/cdm.duckdb"))) >= 3)
    said_so(done)
    assert not (folder / TEMPORARY).exists()
    assert not (folder / "network.yaml").exists()
    whole = sorted(path.parent.name for path in folder.glob("*/cdm.duckdb"))
    assert 3 <= len(whole) < 145
    for site in whole:
        names = {path.name for path in (folder / site).iterdir()}
        assert names == {"cdm.duckdb", "catalogue.json", "policy.yaml", "site.yaml"}
    before = {site: (folder / site / "cdm.duckdb").stat().st_mtime_ns for site in whole}
    said = shell(*words)
    assert said.code == 0
    assert f"{145 - len(whole)} sites built, {len(whole)} were there already" in said.out
    assert before == {site: (folder / site / "cdm.duckdb").stat().st_mtime_ns for site in whole}
    # It is the network that an undisturbed build makes.
    for path in as_reported.glob("*/catalogue.json"):
        assert (folder / path.parent.name / path.name).read_bytes() == path.read_bytes()
    assert (folder / "network.yaml").read_bytes() == (as_reported / "network.yaml").read_bytes()
