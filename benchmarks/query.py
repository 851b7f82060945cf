"""Measures what a run costs, and prints target, measured value and verdict.

python benchmarks/query.py            the default network (a minute)
python benchmarks/query.py --large    145 sites x 20,000 patients instead (some minutes, 5 GB)
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from simulator.aggregates.grid import Grid, Unit
from simulator.hub.requesting import round_request
from simulator.language.reading import read_study
from simulator.language.study import Study
from simulator.messages.needs import AssignmentNeed, AttritionNeed, SurvivalNeed
from simulator.network import BuiltNetwork, connect, find_network
from simulator.privacy.releases import SECURE_SUM
from simulator.site.answering import answer
from simulator.site.catalogue import read_catalogue
from simulator.site.store import DATABASE, Store

COUNT_PERSONS = """
import sys, concurrent.futures, duckdb
def count(path):
    with duckdb.connect(path, read_only=True, config={"threads": 1}) as connection:
        return connection.execute("SELECT count(*) FROM person").fetchone()[0]
with concurrent.futures.ThreadPoolExecutor(int(sys.argv[1])) as pool:
    print(sum(pool.map(count, sys.argv[2:])))
"""


def median_seconds(run: Callable[[], object], times: int) -> float:
    """The median wall time of several runs."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def line(what: str, target: float, measured: float, unit: str) -> None:
    """One line of the table; every target is an upper bound."""
    verdict = "met" if measured <= target else "MISSED"
    print(f"| {what} | <= {target:g} {unit} | {measured:.3g} {unit} | {verdict} |", flush=True)


def command(*arguments: str) -> list[str]:
    """The command line of `cohortium` with this Python."""
    return [sys.executable, "-m", "simulator", *arguments]


def peak_megabytes(arguments: list[str]) -> float:
    """The peak resident memory of one command."""
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    return usage.ru_maxrss / 1024


def roster(network: BuiltNetwork, study: Study) -> tuple[str, ...]:
    """The eligible sites."""
    client = connect(network, laboratory=False, jobs=2, seconds=60, clock=_now)
    return client.plan(study, SECURE_SUM).roster


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def cold(data: Path, network: BuiltNetwork, study: Study, times: int) -> None:
    """A whole command against opening the same files and counting persons, turn by turn."""
    jobs = "2"
    run = command("run", "bclm", "--data", str(data), "--jobs", jobs, "--quiet")
    files = [str(network.folder_of(site) / DATABASE) for site in roster(network, study)]
    bare = [sys.executable, "-c", COUNT_PERSONS, jobs, *files]
    whole, opening = [], []
    for _ in range(times):
        whole.append(median_seconds(lambda: _quietly(run), 1))
        opening.append(median_seconds(lambda: _quietly(bare), 1))
    line("`run bclm`, cold, wall", 3.0, statistics.median(whole), "s")
    ratio = statistics.median(a / b for a, b in zip(whole, opening, strict=True))
    line("the same over opening 68 files and counting persons", 2.0, ratio, "x")
    line("peak memory of `run bclm`", 600.0, peak_megabytes(run), "MB")
    line("`--help`", 0.25, median_seconds(lambda: _quietly(command("--help")), times), "s")


def _quietly(arguments: list[str]) -> None:
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def once_open(network: BuiltNetwork, study: Study) -> None:
    """Milliseconds for one round at one site whose database is open."""
    needs = (
        AttritionNeed(),
        AssignmentNeed(),
        SurvivalNeed(Grid(Unit.MONTH, study.question.follow_up.months)),
    )
    taken = []
    for site in roster(network, study):
        folder = network.folder_of(site)
        by_month = read_catalogue(folder).catalogue.death_by_month
        store = Store(folder)

        def ask(store: Store = store, *, by_month: bool = by_month) -> None:
            answer(store, study.question, needs, death_by_month=by_month)

        ask()
        taken.append(median_seconds(ask, 5))
        store.close()
    line("a round at a site once open (median of sites)", 3.0, 1e3 * statistics.median(taken), "ms")


def federated_over_pooled(network: BuiltNetwork, study: Study, scratch: Path) -> None:
    """The federated answer over the same SQL on one file with the rows of all asked sites."""
    sites = roster(network, study)
    pooled = scratch / "pooled"
    pooled.mkdir()
    _pool([network.folder_of(site) / DATABASE for site in sites], pooled / DATABASE)
    client = connect(network, laboratory=True, jobs=2, seconds=600, clock=_now)
    plan = client.plan(study, SECURE_SUM)
    needs = round_request(plan, "b", plan.roster, 1, tuple(plan.needs[0])).needs
    store = Store(pooled, threads=2)

    runs = itertools.count()

    def federated() -> None:
        # Each time another run: a node answers the same round from memory.
        client.run(study, SECURE_SUM, run=f"benchmark {next(runs)}")

    def single() -> None:
        answer(store, study.question, needs, death_by_month=False)

    federated(), single()
    ratios, seconds = [], []
    for _ in range(5):
        mine = median_seconds(federated, 1)
        ratios.append(mine / median_seconds(single, 1))
        seconds.append(mine)
    store.close()
    line(
        f"{len(sites)} sites of 20,000: federated over the same SQL on one file "
        f"({statistics.median(seconds):.2f} s federated)",
        1.5,
        statistics.median(ratios),
        "x",
    )


def _pool(files: list[Path], target: Path) -> None:
    """One database with the rows of all; keys are made distinct by a number for each site."""
    with duckdb.connect(str(target)) as connection:
        for number, path in enumerate(files):
            connection.execute(f"ATTACH '{path}' AS site (READ_ONLY)")
            for (table,) in connection.execute(
                "SELECT table_name FROM duckdb_tables() WHERE database_name = 'site'"
            ).fetchall():
                _append(connection, table, number)
            connection.execute("DETACH site")


def _append(connection: duckdb.DuckDBPyConnection, table: str, number: int) -> None:
    if table in {"concept", "concept_ancestor", "vocabulary", "cdm_source"}:
        if number == 0 or table == "concept":
            seen = (
                "" if number == 0 else " WHERE concept_id NOT IN (SELECT concept_id FROM concept)"
            )
            create = "CREATE TABLE" if number == 0 else "INSERT INTO"
            middle = "AS" if number == 0 else ""
            connection.execute(f"{create} {table} {middle} SELECT * FROM site.{table}{seen}")
        return
    keys = {"person_id", f"{table}_id"}
    columns = [
        name
        for (name,) in connection.execute(
            "SELECT column_name FROM duckdb_columns() WHERE database_name = 'site' AND "
            "table_name = ? ORDER BY column_index",
            [table],
        ).fetchall()
    ]
    # Room for 10 million keys of each site.
    chosen = ", ".join(
        f"{name}::BIGINT + {number} * 10000000 AS {name}" if name in keys else name
        for name in columns
    )
    create = "CREATE TABLE" if number == 0 else "INSERT INTO"
    middle = "AS" if number == 0 else ""
    connection.execute(f"{create} {table} {middle} SELECT {chosen} FROM site.{table}")


def main() -> None:
    """Builds what is needed in a scratch folder and measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="the large network instead")
    parser.add_argument("--times", type=int, default=7)
    chosen = parser.parse_args()
    study = read_study("bclm")
    print("| what | target | measured | verdict |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as scratch:
        if not chosen.large:
            data = Path(scratch) / "data"
            _quietly(command("build", "--data", str(data), "--quiet"))
            network = find_network("as-reported", data)
            cold(data, network, study, chosen.times)
            once_open(network, study)
        else:
            large = Path(scratch) / "large"
            patients = str(145 * 20_000)
            _quietly(command("build", "--data", str(large), "--patients", patients, "--quiet"))
            federated_over_pooled(find_network("as-reported", large), study, Path(scratch))


if __name__ == "__main__":
    main()
