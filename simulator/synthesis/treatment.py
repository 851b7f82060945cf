"""What is done to oncology patients and written down: diagnoses, procedures, drugs, values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.synthesis.codebook import Codebook
from simulator.synthesis.collector import Collector
from simulator.synthesis.courses import Courses, Flags
from simulator.synthesis.days import day_number
from simulator.synthesis.facts import Facts
from simulator.synthesis.illness import of_arms
from simulator.synthesis.labels import NUMBER, Label
from simulator.synthesis.liver_values import add_liver_values
from simulator.synthesis.organisations import Organisation
from simulator.synthesis.population import Milestones
from simulator.synthesis.scenario import Drug, Scenario, Trait

WOMEN: Final = ("C50.911", "C50.912", "C50.411", "C50.412", "C50.811", "C50.919", "C50.211")
MEN: Final = ("C50.921", "C50.922")
_OTHER: Final = ("C34.11", "C34.90", "C43.9", "C69.31", "C25.9", "C56.9", "C64.9", "C7A.00")
_SECOND: Final = ("C22.0", "C22.1", "C18.7", "C18.2", "C19", "C20")
_IN_SITU: Final = ("D05.11", "D05.12", "D05.01")
_SPREAD: Final = ("C79.51", "C78.00", "C77.3", "C79.31")
_CYCLE: Final = 21  # days between doses
_DOSES: Final = 3
_LATE_DOSES: Final = 4


@dataclass(frozen=True)
class Treated:
    """The facts of oncology patients by table; persons are positions among the courses."""

    conditions: Facts
    procedures: Facts
    drugs: Facts
    measurements: Facts


class _Writer:
    """Turns the courses of one site into facts, kind by kind."""

    def __init__(
        self,
        rng: np.random.Generator,
        courses: Courses,
        milestones: Milestones,
        scenario: Scenario,
        organisation: Organisation,
        codebook: Codebook,
    ) -> None:
        self.rng, self.courses, self.milestones = rng, courses, milestones
        self.scenario, self.organisation, self.codebook = scenario, organisation, codebook
        self.count = len(courses)
        self.immunotherapy, self.tace = of_arms(scenario.arms, courses.arm)

    def _labelled(self, *labels: Label) -> Flags:
        return np.isin(self.courses.label, [NUMBER[label] for label in labels])

    def _happens(self, share: float) -> Flags:
        flags: Flags = self.rng.random(self.count) < share
        return flags

    def _pick(self, codes: Iterable[str]) -> NDArray[np.int16]:
        rows = self.codebook.rows("ICD10CM", *codes)
        return rows[self.rng.integers(0, len(rows), self.count)]

    def _cpt(self, code: str) -> int:
        return self.codebook.row("CPT4", code)

    def conditions(self) -> Collector:
        """The primary, its spread, receptors, and what the label calls for."""
        courses, miles, facts = self.courses, self.milestones, Collector()
        everyone = np.ones(self.count, dtype=np.bool_)
        primary = np.where(courses.man, self._pick(MEN), self._pick(WOMEN))
        primary = np.where(self._labelled(Label.OTHER_PRIMARY), self._pick(_OTHER), primary)
        primary = np.where(self._labelled(Label.IN_SITU), self._pick(_IN_SITU), primary)
        late = self._labelled(Label.BEFORE_METASTASIS)
        liver = self.codebook.row("ICD10CM", "C78.7")
        found = np.where(
            late, courses.index + self.rng.integers(10, 90, self.count), miles.metastasis
        )
        for date in (miles.diagnosis, miles.metastasis, courses.index):
            facts.add(everyone, date, primary)
        facts.add(everyone, found, liver)
        facts.add(~late, courses.index, liver)
        facts.add(
            self._labelled(Label.SECOND_PRIMARY),
            np.maximum(courses.index - self.rng.integers(5, 400, self.count), miles.start),
            self._pick(_SECOND),
        )
        receptors = self.codebook.rows("ICD10CM", "Z17.0", "Z17.1")
        breast = ~self._labelled(Label.OTHER_PRIMARY)
        known = breast & self._captured(self.scenario.covariates.receptor_negative)
        facts.add(known, miles.diagnosis, receptors[courses.receptor_negative.astype(np.intp)])
        spread = courses.extrahepatic & self._captured(self.scenario.covariates.extrahepatic)
        facts.add(spread, miles.metastasis, self._pick(_SPREAD))
        return facts

    def _captured(self, trait: Trait) -> Flags:
        return self._happens(trait.captured)

    def procedures(self) -> Collector:
        """The mapping session, the embolization itself, and a second one for some."""
        index, facts = self.courses.index, Collector()
        only_mapped = self._labelled(Label.MAPPING_ONLY)
        mapped = (~self.tace & ~self._labelled(Label.CODE_OMITTED)) | only_mapped
        when = np.where(only_mapped, index, index - self.rng.integers(7, 22, self.count))
        for code in ("37242", "78803", "75726", "36247"):
            facts.add(mapped, when, self._cpt(code))
        treated = ~only_mapped
        self._session(facts, treated, index, coded=~self._labelled(Label.CODE_OMITTED))
        again = self._labelled(Label.COHORT, Label.ELSEWHERE)
        again &= self._happens(self.scenario.treatment.second_session)
        later = index + self.rng.integers(30, 91, self.count)
        self._session(facts, again, later, coded=again)
        return facts

    def _session(
        self, facts: Collector, flags: Flags, date: NDArray[np.integer], *, coded: Flags
    ) -> None:
        for code in ("37243", "36247", "75726"):
            facts.add(flags, date, self._cpt(code))
        if self.organisation.flavour == "HCPCS":
            supplies = self.codebook.rows("HCPCS", "S2095", "C2616")
            spheres = supplies[self.rng.integers(0, 2, self.count)].astype(np.int64)
        else:
            spheres = np.full(self.count, self._cpt("79445"))
        push = np.where(
            self._happens(self.scenario.treatment.infusion), self._cpt("96422"), self._cpt("96420")
        )
        facts.add(flags & coded, date, np.where(self.tace, push, spheres))

    def _choose(self, drugs: tuple[Drug, ...], date: NDArray[np.integer]) -> NDArray[np.int16]:
        """One drug a patient among those in use on the day, by relative use."""
        since = np.array([day_number(drug.since) for drug in drugs])
        use = np.array([drug.use for drug in drugs]) * (date[:, None] >= since)
        use[:, 0] += use.sum(axis=1) == 0  # before all of them: the first
        edges = np.cumsum(use, axis=1)
        draw = self.rng.random(len(date)) * edges[:, -1]
        chosen = (draw[:, None] >= edges).sum(axis=1)
        rows: NDArray[np.int16] = self.codebook.rows("RxNorm", *(drug.code for drug in drugs))
        given: NDArray[np.int16] = rows[chosen]
        return given

    def drugs(self) -> Collector:
        """Systemic therapy before index as the arm and the label have it, and what follows."""
        index, facts, plan = self.courses.index, Collector(), self.scenario.treatment
        immuno = self._choose(plan.immunotherapy, index - 60)
        chemo = self._choose(plan.chemotherapy, index - 60)
        own = np.where(self.immunotherapy, immuno, chemo)
        outside = self._labelled(
            Label.NO_DRUGS, Label.SAME_DAY, Label.DRUGS_AFTER, Label.DRUGS_EARLY
        )
        first = self.rng.integers(44, 91, self.count)
        self._doses(facts, ~outside, index - first, own)
        both = ~outside & self.immunotherapy & self._happens(plan.both_kinds)
        self._doses(facts, both, index - self.rng.integers(44, 91, self.count), chemo)
        early = self._labelled(Label.DRUGS_EARLY)
        self._doses(facts, early, index - self.rng.integers(140, 201, self.count), own)
        after = self._labelled(Label.DRUGS_AFTER)
        self._doses(facts, after, index + self.rng.integers(1, 48, self.count), own)
        doxorubicin = self.codebook.row("RxNorm", "3639")
        # The drug that goes through the artery stands among the drugs of the day.
        facts.add(self.tace & ~outside, index, doxorubicin)
        facts.add(self._labelled(Label.SAME_DAY), index, doxorubicin)
        complete = self._labelled(Label.COHORT, Label.ELSEWHERE)
        for cycle in range(1, _LATE_DOSES + 1):
            facts.add(complete, index + _CYCLE * cycle, own)
        late = complete & ~self.immunotherapy & self._happens(plan.late_immunotherapy)
        self._doses(facts, late, index + self.rng.integers(1, 91, self.count), immuno)
        return facts

    def _doses(
        self,
        facts: Collector,
        flags: Flags,
        first: NDArray[np.integer],
        code: NDArray[np.int16],
    ) -> None:
        for cycle in range(_DOSES):
            facts.add(flags, first + _CYCLE * cycle, code)

    def measurements(self) -> Collector:
        """Liver values before index and every three months after it, and performance status."""
        courses, facts = self.courses, Collector()
        covariates = self.scenario.covariates
        before = courses.index - self.rng.integers(1, 15, self.count)
        known = np.flatnonzero(self._happens(covariates.bilirubin_captured))
        add_liver_values(self.rng, facts, courses, known, before, self.codebook)
        status = np.where(
            courses.poor_performance,
            self.rng.integers(2, 4, self.count),
            self.rng.integers(0, 2, self.count),
        )
        facts.add(
            self._captured(covariates.poor_performance),
            before,
            self.codebook.row("LOINC", "89247-1"),
            status * 1000,
            self.codebook.row("UCUM", "{score}"),
        )
        return facts


def treat(
    rng: np.random.Generator,
    courses: Courses,
    milestones: Milestones,
    scenario: Scenario,
    organisation: Organisation,
    codebook: Codebook,
) -> Treated:
    """Writes down the courses of a site's oncology patients as facts inside observation."""
    writer = _Writer(rng, courses, milestones, scenario, organisation, codebook)
    start, end = milestones.start, courses.end
    return Treated(
        writer.conditions().facts(start, end, values=False),
        writer.procedures().facts(start, end, values=False),
        writer.drugs().facts(start, end, values=False),
        writer.measurements().facts(start, end, values=True),
    )
