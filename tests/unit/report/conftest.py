"""A real result: the study of the network as reported, run once."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from simulator.hub.result import Report
from simulator.language.reading import read_study
from simulator.language.study import Study
from simulator.network import connect, find_network
from simulator.privacy.releases import find_release


@pytest.fixture(scope="session")
def study() -> Study:
    return read_study("bclm")


@pytest.fixture(scope="session")
def report(as_reported: Path, study: Study) -> Report:
    client = connect(
        find_network(str(as_reported), as_reported.parent),
        laboratory=False,
        jobs=2,
        seconds=60.0,
        clock=lambda: dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    )
    return client.run(study, find_release("secure-sum"), run="a" * 32)
