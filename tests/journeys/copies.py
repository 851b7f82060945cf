"""Copies of a built network that cost nothing until a site of theirs is changed."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from simulator.hub.client import Client
from simulator.hub.result import Report
from simulator.language.reading import read_study
from simulator.language.study import Study
from simulator.network import connect, find_network
from simulator.privacy.releases import find_release
from simulator.site.catalogue import CATALOGUE, read_catalogue
from simulator.site.store import DATABASE, Store
from simulator.truth.counted import in_an_arm
from simulator.truth.interpreter import patients

STUDY: Final[Study] = read_study("bclm")

# What is written to when somebody asks: linked, it would be written to in the source as well.
_WRITTEN: Final = ("ledger.*", "secret.key", "aggregator")


def link_copy(source: Path, destination: Path) -> Path:
    """A copy whose files are hard links: those that a test changes must be made its own first."""
    shutil.copytree(
        source, destination, copy_function=os.link, ignore=shutil.ignore_patterns(*_WRITTEN)
    )
    return destination


def only(folder: Path, sites: Sequence[str]) -> None:
    """Takes all other sites out of a copy."""
    head, _, listed = (folder / "network.yaml").read_text(encoding="utf-8").partition("sites:\n")
    kept = [line for line in listed.splitlines() if line.split("site: ")[1].split(",")[0] in sites]
    own(folder / "network.yaml").write_text(f"{head}sites:\n" + "\n".join(kept) + "\n")
    for path in folder.glob(f"*/{DATABASE}"):
        if path.parent.name not in sites:
            shutil.rmtree(path.parent)


def own(path: Path) -> Path:
    """Makes a linked file the copy's own."""
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    return path


def rewrite(path: Path, was: str, now: str) -> None:
    """Replaces a text that must be there in a linked file."""
    text = own(path).read_text(encoding="utf-8")
    assert was in text
    path.write_text(text.replace(was, now), encoding="utf-8")


@contextmanager
def changing(site: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A site's database to write to; its catalogue is then made anew when it is next asked."""
    path = own(site / DATABASE)
    with duckdb.connect(str(path), config={"threads": "1"}) as database:
        yield database
    (site / CATALOGUE).unlink(missing_ok=True)


def cohort(site: Path, study: Study = STUDY) -> pl.DataFrame:
    """The patients of a study's cohort at a site, as the plain interpreter chooses them."""
    by_month = read_catalogue(site).catalogue.death_by_month
    store = Store(site)
    try:
        found = patients(store, study.question, death_by_month=by_month)
    finally:
        store.close()
    return in_an_arm(found, study.question)


def sites_of(folder: Path) -> list[Path]:
    """The folders of a network's sites, in its order."""
    return [folder / member.site for member in find_network(str(folder), folder.parent).members]


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def client(
    folder: Path, release: str = "secure-sum", *, jobs: int = 2, seconds: float = 300.0
) -> Client:
    """A client of the network in a folder."""
    return connect(
        find_network(str(folder), folder.parent),
        laboratory=find_release(release).laboratory_only,
        jobs=jobs,
        seconds=seconds,
        clock=now,
    )


def asked(
    folder: Path, study: Study = STUDY, release: str = "secure-sum", *, jobs: int = 2
) -> Report:
    """The report of a study's run on the network in a folder."""
    return client(folder, release, jobs=jobs).run(study, find_release(release), run="test")
