"""Measures what an engine costs once it is started, and prints target, measured value and verdict.

python benchmarks/engines.py                 the default network, which it builds (a minute or two)
python benchmarks/engines.py --data DIR      one that is built already
"""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import ExitStack
from pathlib import Path

from simulator.hub.client import Client
from simulator.language.reading import read_study
from simulator.language.study import Study
from simulator.network import BuiltNetwork, Engine, connect, find_network
from simulator.privacy.releases import find_release

NETWORK = "as-reported"
ROUNDS = 5


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def line(what: str, target: float | None, measured: float, unit: str) -> None:
    """One line of the table; every target is an upper bound."""
    if target is None:
        print(f"| {what} | - | {measured:.3g} {unit} | - |", flush=True)
        return
    verdict = "met" if measured <= target else "MISSED"
    print(f"| {what} | <= {target:g} {unit} | {measured:.3g} {unit} | {verdict} |", flush=True)


def started(network: BuiltNetwork, engine: Engine, jobs: int) -> tuple[Client, float]:
    """A client, and the seconds that its start took."""
    before = time.perf_counter()
    client = connect(network, laboratory=False, jobs=jobs, seconds=600.0, clock=_now, engine=engine)
    return client, time.perf_counter() - before


def asked(client: Client, study: Study, run: str) -> tuple[float, str]:
    """The seconds that a run took, and the fingerprint of its result."""
    before = time.perf_counter()
    report = client.run(study, find_release("secure-sum"), run=run)
    return time.perf_counter() - before, report.result.fingerprint


def compare(network: BuiltNetwork, study: Study, jobs: int) -> None:
    """The same runs by both engines, turn by turn, so that both meet the same noise."""
    with ExitStack() as both:
        clients = {}
        for engine in Engine:
            client, seconds = started(network, engine, jobs)
            clients[engine] = both.enter_context(client)
            line(f"start of `{engine}`, {jobs} jobs", None, seconds, "s")
        taken: dict[Engine, list[float]] = {engine: [] for engine in Engine}
        results = set()
        for number in range(ROUNDS + 1):
            for engine, client in clients.items():
                seconds, fingerprint = asked(client, study, uuid.uuid4().hex)
                results.add(fingerprint)
                if number:  # the first run opens the databases
                    taken[engine].append(seconds)
    if len(results) != 1:
        raise SystemExit("the engines' results differ")
    for engine in Engine:
        line(f"`run bclm`, warm, `{engine}`", None, statistics.median(taken[engine]), "s")
    ratios = [
        there / here
        for here, there in zip(taken[Engine.LOCAL], taken[Engine.PROCESSES], strict=True)
    ]
    what = f"`run bclm`, warm, `processes` over `local`, {jobs} jobs"
    line(what, 2.0, statistics.median(ratios), "x")
    print(f"  from {min(ratios):.2f} to {max(ratios):.2f} in {ROUNDS} runs", flush=True)


def main() -> None:
    """Prints the table for two numbers of processes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, help="where the default network is built")
    given: Path | None = parser.parse_args().data
    with tempfile.TemporaryDirectory() as scratch:
        data = given or Path(scratch)
        if given is None:
            build = [sys.executable, "-m", "simulator", "build", "--data", scratch, "--quiet"]
            subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
        network, study = find_network(NETWORK, data), read_study("bclm")
        print("| what | target | measured | verdict |\n| --- | --- | --- | --- |")
        for jobs in (2, 4):
            compare(network, study, jobs)


if __name__ == "__main__":
    main()
