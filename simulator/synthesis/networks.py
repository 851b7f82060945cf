"""A network file and all that it names, read and resolved."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from simulator.bundled import library, locate
from simulator.language.documents import Node, read_document
from simulator.language.hierarchy import Hierarchy, read_hierarchy
from simulator.synthesis.organisations import Organisation, read_organisations
from simulator.synthesis.population_file import Population, read_population
from simulator.synthesis.scenario import Scenario
from simulator.synthesis.scenario_file import read_scenario


@dataclass(frozen=True)
class NetworkFile:
    """A network as its file states it, with everything that it names.

    Attributes:
        name: Its name, which is also its folder's.
        title: One line for people.
        organisations: In the file's order.
        scenario: How its people are made.
        population: The people around the study's patients.
        hierarchy: The codes that its sites know.
        policies: Policy name -> text of the template.
        patients: The default number of patients.
        seed: The default seed.
    """

    name: str
    title: str
    organisations: tuple[Organisation, ...]
    scenario: Scenario
    population: Population
    hierarchy: Hierarchy
    policies: dict[str, str]
    patients: int
    seed: int

    @property
    def fingerprint(self) -> str:
        """SHA-256 over everything that shapes its rows, except patients and seed."""
        parts = (
            self.scenario.fingerprint.encode(),
            msgspec.json.encode(self.organisations),
            msgspec.json.encode(self.population),
            self.hierarchy.fingerprint.encode(),
            msgspec.json.encode(self.policies),
        )
        return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _bundled(folder: str, node: Node) -> Path:
    return locate(f"sites/{folder}", node.text())


def read_network(name_or_path: str) -> NetworkFile:
    """Reads a network by its bundled name or by a path.

    Raises:
        UserError: The file, or one that it names, is missing or does not fit.
    """
    found = read_document(locate("sites/networks", name_or_path)).fields(
        ("network", "title", "organisations", "scenario", "patients", "seed")
    )
    organisations = read_organisations(_bundled("organisations", found["organisations"]))
    scenario = read_scenario(_bundled("scenarios", found["scenario"]))
    policies = sorted({organisation.policy for organisation in organisations})
    return NetworkFile(
        name=found["network"].text(),
        title=found["title"].text(),
        organisations=organisations,
        scenario=scenario,
        population=read_population(locate("sites/populations", scenario.population)),
        hierarchy=read_hierarchy(library("queries") / "codes"),
        policies={
            policy: locate("sites/policies", policy).read_text(encoding="utf-8")
            for policy in policies
        },
        patients=found["patients"].integer(1),
        seed=found["seed"].integer(0),
    )
