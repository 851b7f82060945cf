"""Measures what everyday commands cost, and prints target, measured value and verdict.

python benchmarks/everyday.py         the default network (some minutes)
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from simulator.bundled import names
from simulator.language.reading import COHORTS, STUDIES

TIMES = 5
# Their one hospital answers in the laboratory only.
LABORATORY = ("srfa", "srfa-overall", "srfa-complete", "srfa-recurrences")


def seconds(arguments: Sequence[str]) -> float:
    """The wall time of one command."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "simulator", *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - started


def line(what: str, target: float, measured: float) -> None:
    """One line of the table; every target is an upper bound in seconds."""
    verdict = "met" if measured <= target else "MISSED"
    print(f"| {what} | < {target:g} s | {measured:.3g} s | {verdict} |", flush=True)


def counts(data: Path) -> None:
    """Every bundled count, cold: one process each."""
    for name in (*names(STUDIES), *names(COHORTS)):
        release = ["--release", "exact"] if name in LABORATORY else []
        command = ["count", name, "--data", str(data), "--quiet", *release]
        line(f"`count {name}`", 1.0, statistics.median(seconds(command) for _ in range(TIMES)))


def report(data: Path, out: Path) -> None:
    """What `--out` adds to a run, side by side."""
    run = ["run", "bclm", "--data", str(data), "--quiet"]
    added = [seconds([*run, "--out", str(out)]) - seconds(run) for _ in range(TIMES)]
    line("the report beyond `run bclm`", 2.0, statistics.median(added))


def main() -> None:
    """Builds the default network and prints the table."""
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "data"
        seconds(["build", "--data", str(data), "--quiet"])
        print("| what | target | measured | verdict |\n| --- | --- | --- | --- |")
        counts(data)
        report(data, Path(scratch) / "out")


if __name__ == "__main__":
    main()
