"""Builds one site: its people, its database, its papers, and the truth about it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulator.site.catalogue import write_catalogue
from simulator.synthesis.ablation_facts import EXTRA_VOCABULARIES, Ablated, ablate
from simulator.synthesis.background import Background, draw_background
from simulator.synthesis.codebook import Codebook, site_coding
from simulator.synthesis.courses import Courses
from simulator.synthesis.database import Templates, write_database
from simulator.synthesis.facts import SiteFacts
from simulator.synthesis.merge import merge
from simulator.synthesis.near_misses import draw_near_misses
from simulator.synthesis.networks import NetworkFile
from simulator.synthesis.organisations import Organisation
from simulator.synthesis.plan import SitePlan, generator
from simulator.synthesis.population import Milestones, People, draw_milestones, draw_people
from simulator.synthesis.rows import Writer, site_tables
from simulator.synthesis.treatment import treat
from simulator.synthesis.truth_file import TRUTH_FOLDER, truth_table, write_truth
from simulator.synthesis.units import SiUnits, as_written

DATABASE_FILE: Final = "cdm.duckdb"
SITE_FILE: Final = "site.yaml"
POLICY_FILE: Final = "policy.yaml"
# Sites are made in here under their own names: a catalogue takes the name of its folder.
TEMPORARY: Final = ".building"


@dataclass(frozen=True)
class SiteRows:
    """Everything that a site's files are written from."""

    people: People
    facts: SiteFacts
    courses: Courses
    who: NDArray[np.int64]
    links: NDArray[np.int64]


@dataclass(frozen=True)
class _Second:
    """The second study's patients at a site, and their facts if there are any."""

    who: NDArray[np.int64]
    milestones: Milestones
    ablated: Ablated | None


class SiteBuilder:
    """Builds sites of one network, one after another; look-up tables are made once.

    Args:
        network: The network.
        seed: Its seed.
        destination: The network's folder.
    """

    def __init__(self, network: NetworkFile, seed: int, destination: Path) -> None:
        self.network = network
        self.seed = seed
        self.destination = destination
        self._codebook = Codebook(network.hierarchy)
        self._background = Background.of(network.population, self._codebook)
        self._templates = Templates(network.hierarchy)
        self._si_units = SiUnits.of(network.population, self._codebook)

    def draw(self, plan: SitePlan) -> SiteRows:
        """Draws the people of a site and all that happens to them."""
        network = self.network
        organisation = network.organisations[plan.number]
        rng = generator(network, self.seed, f"site/{organisation.site}")
        near = draw_near_misses(
            rng, plan.near_misses, plan.number, network.organisations, network.scenario
        )
        courses = Courses.concatenate([plan.cohort, near])
        courses = courses.take(rng.permutation(len(courses)))
        who = np.sort(rng.choice(plan.patients, size=len(courses), replace=False)).astype(np.int64)
        milestones = draw_milestones(rng, courses, organisation)
        second = self._second(plan, who, organisation)
        all_courses = Courses.concatenate([courses, plan.second])
        everyone = np.concatenate([who, second.who])
        people = draw_people(
            rng,
            plan.patients,
            all_courses,
            everyone,
            Milestones.concatenate([milestones, second.milestones]),
            organisation,
            network.population,
        )
        facts = draw_background(rng, people, self._background)
        outpatient = self._codebook.row("Visit", "OP")
        if len(courses):
            treated = treat(
                rng, courses, milestones, network.scenario, organisation, self._codebook
            )
            facts = merge(facts, treated, who, outpatient)
        links = np.empty((0, 2), dtype=np.int64)
        if second.ablated is not None:
            # Identifiers count from 1, and these facts come after all others.
            before = np.array([len(facts.conditions), len(facts.procedures)])
            links = second.ablated.links + before + 1
            facts = merge(facts, second.ablated.treated, second.who, outpatient)
        units = generator(network, self.seed, f"units/{organisation.site}")
        values = as_written(units, facts.measurements, organisation, self._si_units)
        return SiteRows(people, replace(facts, measurements=values), all_courses, everyone, links)

    def _second(
        self, plan: SitePlan, taken: NDArray[np.int64], organisation: Organisation
    ) -> _Second:
        """The second study's patients in the places of others; randomness of their own."""
        rng = generator(self.network, self.seed, "second study/people")
        milestones = draw_milestones(rng, plan.second, organisation)
        free = np.setdiff1d(np.arange(plan.patients), taken, assume_unique=True)
        who = np.sort(rng.choice(free, size=len(plan.second), replace=False)).astype(np.int64)
        study = self.network.scenario.second
        if study is None or not len(plan.second):
            return _Second(who, milestones, None)
        ablated = ablate(rng, plan.second, milestones, study, self._codebook)
        return _Second(who, milestones, ablated)

    def write(self, plan: SitePlan, rows: SiteRows) -> None:
        """Writes a site's files beside its place and moves them there when all are whole."""
        organisation = self.network.organisations[plan.number]
        workplace = self.destination / TEMPORARY / organisation.site
        shutil.rmtree(workplace, ignore_errors=True)
        workplace.mkdir(parents=True)
        try:
            self._write_files(workplace, _with_local_codes(organisation, plan), rows)
        except BaseException:
            shutil.rmtree(workplace, ignore_errors=True)
            raise

    def _write_files(self, workplace: Path, organisation: Organisation, rows: SiteRows) -> None:
        network = self.network
        writer = Writer(self._codebook, site_coding(self._codebook, organisation))
        tables = site_tables(
            writer,
            rows.people,
            rows.facts,
            network.population,
            frozenset(organisation.domains),
            rows.links,
        )
        write_database(
            workplace / DATABASE_FILE,
            tables,
            organisation,
            self._templates,
            network.hierarchy.version,
        )
        (workplace / SITE_FILE).write_text(_site_file(organisation), encoding="utf-8")
        (workplace / POLICY_FILE).write_text(
            network.policies[organisation.policy], encoding="utf-8"
        )
        write_catalogue(workplace)
        # The truth goes first: a site that is in its place has its truth.
        truth = workplace / f"{organisation.site}.parquet"
        write_truth(truth_table(rows.courses, rows.who, network.scenario), truth)
        truth.replace(self.destination / TRUTH_FOLDER / truth.name)
        workplace.replace(self.destination / organisation.site)

    def build(self, plan: SitePlan) -> None:
        """Draws and writes a site."""
        self.write(plan, self.draw(plan))


def _with_local_codes(organisation: Organisation, plan: SitePlan) -> Organisation:
    """The organisation with the vocabularies that the second study's facts need, if it has any."""
    if not len(plan.second):
        return organisation
    held = (*organisation.vocabularies, *EXTRA_VOCABULARIES)
    return msgspec.structs.replace(organisation, vocabularies=held)


def _site_file(organisation: Organisation) -> str:
    return (
        f"site: {organisation.site}\n"
        f'name: "{organisation.name}"\n'
        f'place: "{organisation.place}"\n'
        f"region: {organisation.region}\n"
        f"kind: {organisation.kind}\n"
        f"death dates: {'month' if organisation.month_deaths else 'day'}\n"
    )
