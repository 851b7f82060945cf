"""Networks that are built once for all tests of a session, whichever worker comes first."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import polars as pl
import pytest

from simulator.network import find_network
from simulator.synthesis.build import build
from simulator.synthesis.networks import read_network
from tests.journeys.copies import cohort, link_copy, only

PATIENTS = 10_000


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of the session share."""
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


def _once(place: Path, make: Callable[[], object]) -> None:
    """Calls `make` unless some worker has; the others wait until it is done."""
    done = place.with_suffix(".done")
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            make()
            done.touch()


def _build(folder: Path, sites: Sequence[str] | None = None) -> None:
    network = read_network(folder.name)
    build(network, destination=folder, patients=PATIENTS, seed=network.seed, jobs=1, sites=sites)


@pytest.fixture(scope="session")
def as_reported(shared: Path) -> Path:
    """The folder of the network as reported; to be read only."""
    folder = shared / "as-reported"
    _once(folder, lambda: _build(folder))
    return folder


@pytest.fixture(scope="session")
def as_shipped(shared: Path) -> Path:
    """The network as reported in the size that it ships in, for laws; to be read only."""
    folder = shared / "shipped" / "as-reported"
    folder.parent.mkdir(exist_ok=True)
    network = read_network(folder.name)
    patients, seed = network.patients, network.seed
    _once(
        folder,
        lambda: build(network, destination=folder, patients=patients, seed=seed, jobs=2),
    )
    return folder


@pytest.fixture(scope="session")
def as_modelled(as_reported: Path, shared: Path) -> Path:
    """The network as modelled, but only those of its sites that can answer; to be read only."""
    plan = msgspec.json.decode((as_reported / "truth" / "plan.json").read_bytes())
    folder = shared / "as-modelled"
    _once(folder, lambda: _build(folder, plan["can_answer"]))
    return folder


@pytest.fixture(scope="session")
def truth(as_reported: Path, shared: Path) -> pl.DataFrame:
    """The patients of bclm's cohort in the network as reported, as the interpreter finds them."""
    path = shared / "cohort.parquet"

    def look() -> None:
        members = find_network(str(as_reported), shared).members
        frames = [
            cohort(as_reported / member.site).with_columns(site=pl.lit(member.site))
            for member in members
        ]
        pl.concat(frames).write_parquet(path)

    _once(path, look)
    return pl.read_parquet(path)


@pytest.fixture
def network(as_reported: Path, tmp_path: Path) -> Path:
    """A copy of the network as reported that a test may change (see `tests.journeys.copies`)."""
    return link_copy(as_reported, tmp_path / "as-reported")


@pytest.fixture(scope="session")
def few_to_read(as_reported: Path, truth: pl.DataFrame, shared: Path) -> Path:
    """The twelve sites with the most patients of the cohort, as a network; to be read only."""
    folder = shared / "few"
    largest = truth["site"].value_counts().sort(["count", "site"], descending=True)["site"].head(12)
    _once(folder, lambda: only(link_copy(as_reported, folder), largest.to_list()))
    return folder


@pytest.fixture
def few(few_to_read: Path, tmp_path: Path) -> Path:
    """A copy of those twelve sites that a test may change."""
    return link_copy(few_to_read, tmp_path / "few")
