"""How fast a network is built: prints target, measured value and verdict.

python benchmarks/build.py             200,000 patients, and the ratio to a bare write
python benchmarks/build.py --large     5,000,000 patients as well (needs some 8 GB of disk)
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simulator.synthesis.build import build
from simulator.synthesis.codebook import Codebook, site_coding
from simulator.synthesis.database import Templates, write_database
from simulator.synthesis.networks import NetworkFile, read_network
from simulator.synthesis.plan import draw_plan
from simulator.synthesis.rows import Writer, site_tables
from simulator.synthesis.site_build import SiteBuilder

SMALL, LARGE = 200_000, 5_000_000
SECONDS_SMALL = 20.0
PATIENTS_A_SECOND = 60_000
RATIO = 3.0
PLAN_SECONDS = 2.0


@contextmanager
def folder(place: Path) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="benchmark-build-", dir=place))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def timed_build(network: NetworkFile, place: Path, patients: int, jobs: int) -> float:
    with folder(place) as path:
        start = time.perf_counter()
        build(network, destination=path, patients=patients, seed=network.seed, jobs=jobs)
        return time.perf_counter() - start


def bare_write(network: NetworkFile, place: Path, patients: int) -> tuple[float, int]:
    """Seconds that writing the ready rows of all sites takes in one process, and the rows."""
    plan = draw_plan(network, patients=patients, seed=network.seed)
    codebook, templates = Codebook(network.hierarchy), Templates(network.hierarchy)
    seconds, written = 0.0, 0
    with folder(place) as path:
        builder = SiteBuilder(network, network.seed, path)
        for one in plan.sites:
            organisation = network.organisations[one.number]
            rows = builder.draw(one)
            tables = site_tables(
                Writer(codebook, site_coding(codebook, organisation)),
                rows.people,
                rows.facts,
                network.population,
                frozenset(organisation.domains),
            )
            file = path / "bare.duckdb"
            start = time.perf_counter()
            write_database(file, tables, organisation, templates, "benchmark")
            seconds += time.perf_counter() - start
            file.unlink()
            written += sum(table.num_rows for table in tables.values())
    return seconds, written


def line(what: str, target: str, measured: str, *, holds: bool) -> None:
    print(f"{what:<46} {target:>18} {measured:>22}   {'holds' if holds else 'MISSED'}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--place", type=Path, default=Path(tempfile.gettempdir()))
    chosen = parser.parse_args()
    network = read_network("as-reported")
    print(f"{'':<46} {'target':>18} {'measured':>22}   verdict")
    plans = []
    for seed in range(5):
        start = time.perf_counter()
        draw_plan(network, patients=SMALL, seed=seed)
        plans.append(time.perf_counter() - start)
    took = max(plans)
    line(
        "plan, slowest of 5 seeds",
        f"< {PLAN_SECONDS} s",
        f"{took:.2f} s",
        holds=took < PLAN_SECONDS,
    )
    runs = [timed_build(network, chosen.place, SMALL, chosen.jobs) for _ in range(chosen.runs)]
    took = statistics.median(runs)
    line(
        f"{SMALL:,} patients, {chosen.jobs} jobs, median of {chosen.runs}",
        f"< {SECONDS_SMALL} s",
        f"{took:.1f} s ({min(runs):.1f} to {max(runs):.1f})",
        holds=took < SECONDS_SMALL,
    )
    alone = timed_build(network, chosen.place, SMALL, 1)
    bare, written = bare_write(network, chosen.place, SMALL)
    line(
        f"build over bare write of {written:,} rows, 1 job",
        f"<= {RATIO}",
        f"{alone / bare:.2f} ({alone:.1f} s / {bare:.1f} s)",
        holds=alone / bare <= RATIO,
    )
    if chosen.large:
        took = timed_build(network, chosen.place, LARGE, chosen.jobs)
        speed = LARGE / took
        line(
            f"{LARGE:,} patients, {chosen.jobs} jobs",
            f">= {PATIENTS_A_SECOND:,} a second",
            f"{speed:,.0f} ({took:.0f} s)",
            holds=speed >= PATIENTS_A_SECOND,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
