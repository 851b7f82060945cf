from __future__ import annotations

import datetime as dt
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import msgspec
import pyarrow.parquet as pq
import pytest

from simulator.errors import CohortiumError, UserError
from simulator.language.documents import read_document
from simulator.site.schema import TABLES, column_names
from simulator.synthesis.build import build
from simulator.synthesis.networks import NetworkFile
from simulator.synthesis.plan import draw_plan
from simulator.synthesis.site_build import SiteBuilder
from simulator.synthesis.workers import build_in_processes
from tests.unit.synthesis.conftest import PATIENTS, SEED

SCRIPT = """
import sys
from pathlib import Path
from simulator.synthesis.build import build
from simulator.synthesis.networks import read_network

network = read_network("as-reported")
try:
    build(network, destination=Path(sys.argv[1]), patients=40_000, seed=1, jobs=2,
          on_site=lambda site: print(site, flush=True))
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


def contents(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """All rows of a site's tables, and of its truth."""
    found: dict[str, list[tuple[object, ...]]] = {}
    with duckdb.connect(folder / "cdm.duckdb", read_only=True) as connection:
        for table in TABLES:
            found[table] = connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
    truth = pq.read_table(folder.parent / "truth" / f"{folder.name}.parquet")
    found["truth"] = [tuple(row.values()) for row in truth.to_pylist()]
    return found


def sites_of(folder: Path) -> list[str]:
    return sorted(path.parent.name for path in folder.glob("*/cdm.duckdb"))


def test_a_site_has_its_files(small: NetworkFile, built: Path) -> None:
    assert sites_of(built) == sorted(one.site for one in small.organisations)
    assert not (built / ".building").exists()
    organisation = small.organisations[0]
    folder = built / organisation.site
    assert {path.name for path in folder.iterdir()} == {
        "cdm.duckdb",
        "site.yaml",
        "policy.yaml",
        "catalogue.json",
    }
    said = {
        key.text(): value.text() for key, value in read_document(folder / "site.yaml").entries()
    }
    assert said == {
        "site": organisation.site,
        "name": organisation.name,
        "place": organisation.place,
        "region": organisation.region,
        "kind": organisation.kind,
        "death dates": "month" if organisation.month_deaths else "day",
    }
    assert (folder / "policy.yaml").read_text() == small.policies["standard"]


def test_the_networks_file_lists_the_sites(small: NetworkFile, built: Path) -> None:
    found = read_document(built / "network.yaml").fields(("network", "title", "built", "sites"))
    inputs = {key.text(): value.text() for key, value in found["built"].entries()}
    assert inputs["scenario"] == "as-reported"
    assert inputs["seed"] == str(SEED)
    assert inputs["patients"] == str(PATIENTS)
    assert inputs["codes"] == small.hierarchy.fingerprint
    assert inputs["conditioned"] == "true"
    members = [node.fields(("site", "name", "online")) for node in found["sites"].items()]
    assert [one["site"].text() for one in members] == [one.site for one in small.organisations]
    assert [one["online"].boolean() for one in members] == [
        one.online for one in small.organisations
    ]


def test_the_plan_counts_its_redraws(built: Path) -> None:
    plan = msgspec.json.decode((built / "truth" / "plan.json").read_bytes())
    assert plan["seed"] == SEED
    assert plan["conditioned"] is True
    assert plan["redraws"] == sum(arm["draws"] - 1 for arm in plan["arms"])


def test_the_same_rows_for_any_number_of_workers_and_any_choice_of_sites(
    small: NetworkFile, built: Path, tmp_path: Path
) -> None:
    done: list[str] = []
    build(small, destination=tmp_path, patients=PATIENTS, seed=SEED, jobs=3, on_site=done.append)
    assert sorted(done) == sites_of(tmp_path) == sites_of(built)
    for site in sites_of(built):
        assert contents(tmp_path / site) == contents(built / site), site
    one = small.organisations[3].site
    alone = tmp_path / "alone"
    report = build(small, destination=alone, patients=PATIENTS, seed=SEED, jobs=2, sites=[one])
    assert report.built == (one,)
    assert sites_of(alone) == [one]
    assert contents(alone / one) == contents(built / one)


def test_a_second_build_goes_on_and_another_seed_begins_anew(
    small: NetworkFile, built: Path, tmp_path: Path
) -> None:
    first, second = (small.organisations[number].site for number in (0, 1))
    build(small, destination=tmp_path, patients=PATIENTS, seed=SEED, jobs=1, sites=[first])
    (tmp_path / "notes.txt").write_text("mine")
    made = (tmp_path / first / "cdm.duckdb").stat().st_mtime_ns
    report = build(
        small, destination=tmp_path, patients=PATIENTS, seed=SEED, jobs=1, sites=[first, second]
    )
    assert (report.kept, report.built) == ((first,), (second,))
    assert (tmp_path / first / "cdm.duckdb").stat().st_mtime_ns == made
    report = build(
        small, destination=tmp_path, patients=PATIENTS, seed=SEED + 1, jobs=1, sites=[first]
    )
    assert report.built == (first,)
    assert sites_of(tmp_path) == [first]
    assert contents(tmp_path / first) != contents(built / first)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_an_unknown_site_is_refused_with_the_nearest_name(
    small: NetworkFile, tmp_path: Path
) -> None:
    site = small.organisations[0].site
    with pytest.raises(UserError, match="there is no site") as caught:
        build(small, destination=tmp_path, patients=PATIENTS, seed=1, jobs=1, sites=[site + "x"])
    assert caught.value.hint == f"Did you mean '{site}'?"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupt_leaves_whole_sites_and_no_process(
    small: NetworkFile, tmp_path: Path, jobs: int
) -> None:
    def stop(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(small, destination=tmp_path, patients=PATIENTS, seed=1, jobs=jobs, on_site=stop)
    assert not multiprocessing.active_children()
    assert not (tmp_path / ".building").exists()
    assert not (tmp_path / "network.yaml").exists()
    left = sites_of(tmp_path)
    assert 1 <= len(left) < len(small.organisations)
    report = build(small, destination=tmp_path, patients=PATIENTS, seed=1, jobs=1)
    assert sorted(report.kept) == left
    assert len(report.built) == len(small.organisations) - len(left)


def test_a_dead_worker_ends_the_build_with_words(small: NetworkFile, tmp_path: Path) -> None:
    def kill(_: str) -> None:
        for child in multiprocessing.active_children():
            child.kill()

    with pytest.raises(CohortiumError, match="the process that built site") as caught:
        build(small, destination=tmp_path, patients=PATIENTS, seed=1, jobs=2, on_site=kill)
    assert "goes on with the missing sites" in (caught.value.hint or "")


def test_an_error_of_a_worker_is_raised_here(small: NetworkFile, tmp_path: Path) -> None:
    plan = draw_plan(small, patients=PATIENTS, seed=1)
    nowhere = tmp_path / "nowhere"
    with pytest.raises(FileNotFoundError, match="truth"):
        # There is no folder for the truth.
        build_in_processes(
            plan.sites, small, seed=1, destination=nowhere, jobs=2, on_site=lambda _: None
        )
    assert not list(nowhere.glob("*/cdm.duckdb"))


def test_a_site_that_fails_is_taken_away(small: NetworkFile, tmp_path: Path) -> None:
    plan = draw_plan(small, patients=PATIENTS, seed=1)
    with pytest.raises(FileNotFoundError, match="truth"):
        SiteBuilder(small, 1, tmp_path).build(plan.sites[0])
    assert not list(tmp_path.rglob("cdm.duckdb"))


def _started(tmp_path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _wait_until_gone(group: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError("a process of the build is still there")


def test_ctrl_c_on_the_whole_group_stops_all_without_a_traceback(tmp_path: Path) -> None:
    process = _started(tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)
    said, complaints = process.communicate(timeout=30)
    assert said.strip().endswith("stopped")
    assert "Traceback" not in complaints
    assert not (tmp_path / ".building").exists()
    assert sites_of(tmp_path)
    _wait_until_gone(process.pid)


def test_a_killed_build_leaves_no_half_site(whole: NetworkFile, tmp_path: Path) -> None:
    process = _started(tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline()
    process.kill()
    process.communicate(timeout=30)
    _wait_until_gone(process.pid)
    left = sites_of(tmp_path)
    assert left
    for site in left:
        with duckdb.connect(tmp_path / site / "cdm.duckdb", read_only=True) as connection:
            assert connection.execute("SELECT count(*) FROM person").fetchone() != (0,)
        assert (tmp_path / "truth" / f"{site}.parquet").is_file()
    report = build(whole, destination=tmp_path, patients=40_000, seed=1, jobs=1, sites=left[:1])
    assert report.kept == (left[0],)
    assert not (tmp_path / ".building").exists()


def test_no_column_of_the_standard_is_missing(small: NetworkFile, built: Path) -> None:
    with duckdb.connect(
        built / small.organisations[0].site / "cdm.duckdb", read_only=True
    ) as connection:
        for table in TABLES:
            names = [row[0] for row in connection.execute(f"DESCRIBE {table}").fetchall()]
            assert tuple(names) == column_names(table)
        source = connection.execute("SELECT * FROM cdm_source").fetchall()
    assert len(source) == 1
    assert dt.date(2024, 7, 31) in source[0] or small.organisations[0].last in source[0]
