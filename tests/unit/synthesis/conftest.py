"""A small network, built once for all tests of this room."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import msgspec
import pytest

from simulator.synthesis.ablations import site_of
from simulator.synthesis.build import build
from simulator.synthesis.networks import NetworkFile, read_network

PATIENTS = 2_000
SEED = 7


@pytest.fixture(scope="session")
def whole() -> NetworkFile:
    return read_network("as-reported")


@pytest.fixture(scope="session")
def small(whole: NetworkFile) -> NetworkFile:
    """Some sites of each kind, few near misses, the second study: quick to build."""
    scenario = whole.scenario
    able = [one for one in whole.organisations if one.can_answer(scenario.first, scenario.last)]
    shifted = [one for one in able if one.shift == 365][:2]
    by_month = [one for one in able if one.month_deaths and one not in shifted][:3]
    supplies = [one for one in able if one.flavour == "HCPCS" and one not in by_month + shifted]
    no_rxnorm = [one for one in able if "RxNorm" not in one.vocabularies][:1]
    chosen = {one.site for one in [*shifted, *by_month, *supplies[:2], *no_rxnorm]}
    assert scenario.second is not None
    ablating = site_of(whole.organisations, scenario.second)
    assert ablating is not None
    chosen.add(whole.organisations[ablating].site)
    for one in whole.organisations:
        if one not in able and len(chosen) < 14:
            chosen.add(one.site)
    organisations = tuple(one for one in whole.organisations if one.site in chosen)
    few = msgspec.structs.replace(scenario, least=4)
    return dataclasses.replace(whole, organisations=organisations, scenario=few)


@pytest.fixture(scope="session")
def built(small: NetworkFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    build(small, destination=folder, patients=PATIENTS, seed=SEED, jobs=1)
    return folder
