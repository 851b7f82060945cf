"""Ctrl-C, typed into the foreground: exit code 130, a line in words, and nothing half-written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from simulator.bundled import find
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

    def begun() -> bool:
        """Whether a site has let its masked cells out: the step that takes long."""
        return any(b'"masked"' in path.read_bytes() for path in network.glob(f"*/{LEDGER}"))

    done = interrupted(words, begun)
    said_so(done)
    assert not out.exists()
    # Whoever answered has written it down whole, and the next run is not disturbed.
    ledgers = [read_ledger(path) for path in network.glob(f"*/{LEDGER}")]
    assert all(entries[0].needs == ("catalogue",) for entries in ledgers)
    steps = [[entry.step for entry in entries[1:]] for entries in ledgers]
    assert 1 <= sum("masked" in asked for asked in steps) < 68
    whole = ["keys", "shares", "masked"]  # and nothing was opened
    assert all(asked == whole[: len(asked)] for asked in steps)
    assert not list(network.rglob("*.partial"))


def small_network(folder: Path) -> Path:
    """A network of the first thirty organisations."""
    organisations = find("sites/organisations", "collaborative-145").read_text()
    head, *sites = organisations.split("\n  - ")
    (folder / "thirty.yaml").write_text("\n  - ".join([head, *sites[:30]]) + "\n")
    path = folder / "small.yaml"
    path.write_text(
        f"network: small\ntitle: thirty sites\norganisations: {folder / 'thirty.yaml'}\n"
        "scenario: as-modelled\npatients: 6000\nseed: 7\n"
    )
    return path


def test_a_build_that_is_interrupted_goes_on_the_next_time(shell: Shell, tmp_path: Path) -> None:
    folder, whole_folder = tmp_path / "cut" / "small", tmp_path / "whole" / "small"
    network = small_network(tmp_path)
    words = ["build", "--network", str(network), "--data"]
    cut = [*words, str(folder.parent), "--jobs", "2"]
    said_so(interrupted(cut, lambda: len(list(folder.glob("*/cdm.duckdb"))) >= 3))
    assert not (folder / TEMPORARY).exists()
    assert not (folder / "network.yaml").exists()
    whole = sorted(path.parent.name for path in folder.glob("*/cdm.duckdb"))
    assert 3 <= len(whole) < 30
    for site in whole:
        names = {path.name for path in (folder / site).iterdir()}
        assert names == {"cdm.duckdb", "catalogue.json", "policy.yaml", "site.yaml"}
    before = {site: (folder / site / "cdm.duckdb").stat().st_mtime_ns for site in whole}
    said = shell(*cut[:-1], "1")
    assert said.code == 0
    assert f"{30 - len(whole)} sites built, {len(whole)} were there already" in said.out
    assert before == {site: (folder / site / "cdm.duckdb").stat().st_mtime_ns for site in whole}
    # It is the network that a build makes that nobody disturbs.
    assert shell(*words, whole_folder.parent, "--jobs", "1").code == 0
    for path in whole_folder.glob("*/catalogue.json"):
        assert (folder / path.parent.name / path.name).read_bytes() == path.read_bytes()
    assert (folder / "network.yaml").read_bytes() == (whole_folder / "network.yaml").read_bytes()
