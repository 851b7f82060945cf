"""What is written down of the second study: sessions, lesions, tumour left or grown again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.synthesis.codebook import Codebook
from simulator.synthesis.collector import Collector
from simulator.synthesis.courses import Courses, Flags
from simulator.synthesis.days import Days
from simulator.synthesis.facts import Facts
from simulator.synthesis.population import Milestones
from simulator.synthesis.scenario import SecondStudy
from simulator.synthesis.treatment import MEN, WOMEN, Treated

# What the site of the second study holds besides its own vocabularies.
EXTRA_VOCABULARIES: Final = ("Domain", "Relationship", "Local")


@dataclass(frozen=True)
class Ablated:
    """The facts of the second study's patients, and which diagnosis belongs to which ablation.

    Attributes:
        treated: The facts.
        links: Row of a diagnosis and row of a procedure among the facts, int64, shape (links, 2).
    """

    treated: Treated
    links: NDArray[np.int64]


@dataclass(frozen=True)
class _Sessions:
    """Lesions, days and findings of n patients, shape (n,) each; 0 lesions: no such session."""

    lesions: NDArray[np.int64]
    later_lesions: NDArray[np.int64]
    later: Days
    residual: Flags
    residual_found: Days
    recurrence: Flags
    recurrence_found: Days


def _lesions(study: SecondStudy) -> NDArray[np.int64]:
    """The lesions of the first session of all patients in order, shape (patients,)."""
    return np.concatenate([np.array(group.lesions, dtype=np.int64) for group in study.groups])


def _groups(study: SecondStudy) -> NDArray[np.int64]:
    """The number of the group of all patients in order, shape (patients,)."""
    return np.repeat(np.arange(len(study.groups)), [len(group.lesions) for group in study.groups])


def _may_keep_a_rest(days: Days, study: SecondStudy) -> Flags:
    """Who had one lesion treated, ever, and was watched until a rest of it would be seen."""
    once = np.array([not group.later_lesions for group in study.groups])[_groups(study)]
    may: Flags = (_lesions(study) == 1) & once & (days >= study.residual.days[1])
    return may


def _may_recur(days: Days, study: SecondStudy) -> Flags:
    return days > study.recurrence.days[0]


def have_room(courses: Courses, study: SecondStudy) -> bool:
    """Whether enough of the patients are watched long enough for what is to be found in them."""
    days = courses.recorded_days
    residual = int(_may_keep_a_rest(days, study).sum())
    recurrence = int(_may_recur(days, study).sum()) - study.residual.lesions
    return residual >= study.residual.lesions and recurrence >= study.recurrence.lesions


def _some(rng: np.random.Generator, who: Flags, count: int) -> NDArray[np.int64]:
    """Up to `count` of the flagged patients in random order."""
    return rng.permutation(np.flatnonzero(who))[:count]


def _sessions(rng: np.random.Generator, courses: Courses, study: SecondStudy) -> _Sessions:
    """Draws who has a second session, who keeps a rest and whose tumour grows again, and when."""
    count, days = len(courses), courses.recorded_days
    groups, later_lesions = _groups(study), np.zeros(count, dtype=np.int64)
    for number, group in enumerate(study.groups):
        again = (groups == number) & (days >= study.session_days[1])
        chosen = _some(rng, again, len(group.later_lesions))
        later_lesions[chosen] = group.later_lesions[: len(chosen)]

    def flags(who: Flags, lesions: int) -> Flags:
        found = np.zeros(count, dtype=np.bool_)
        found[_some(rng, who, lesions)] = True
        return found

    def after(window: tuple[int, int]) -> Days:
        first, last = window
        passed = rng.integers(first, np.maximum(np.minimum(last, days), first) + 1)
        return (courses.index + passed).astype(np.int32)

    residual = flags(_may_keep_a_rest(days, study), study.residual.lesions)
    recurrence = flags(_may_recur(days, study) & ~residual, study.recurrence.lesions)
    return _Sessions(
        _lesions(study),
        later_lesions,
        after(study.session_days),
        residual,
        after(study.residual.days),
        recurrence,
        after(study.recurrence.days),
    )


class _Writer:
    """Turns the second study's sessions into facts."""

    def __init__(
        self,
        rng: np.random.Generator,
        courses: Courses,
        milestones: Milestones,
        sessions: _Sessions,
        codebook: Codebook,
    ) -> None:
        self.rng, self.courses, self.milestones = rng, courses, milestones
        self.sessions, self.codebook = sessions, codebook
        self.everyone = np.ones(len(courses), dtype=np.bool_)
        self.ablation = codebook.row("CPT4", "47382")
        self.residual = codebook.row("Local", "SRFA-REST")
        self.recurrence = codebook.row("Local", "SRFA-AGAIN")

    def _primary(self) -> NDArray[np.int16]:
        women, men = (self.codebook.rows("ICD10CM", *codes) for codes in (WOMEN, MEN))
        number = self.rng.integers(0, len(women), len(self.courses))
        return np.where(self.courses.man, men[number % len(men)], women[number])

    def conditions(self) -> Collector:
        """The cancer, its spread to the liver, and what was found after the ablations."""
        courses, miles, sessions, facts = self.courses, self.milestones, self.sessions, Collector()
        primary = self._primary()
        metastasis = self.codebook.row("ICD10CM", "C78.7")
        for date in (miles.diagnosis, miles.metastasis, courses.index):
            facts.add(self.everyone, date, primary)
        for date in (miles.metastasis, courses.index):
            facts.add(self.everyone, date, metastasis)
        facts.add(sessions.residual, sessions.residual_found, self.residual)
        facts.add(sessions.recurrence, sessions.recurrence_found, self.recurrence)
        return facts

    def procedures(self) -> Collector:
        """One ablation for each lesion, and the guidance once a session."""
        sessions, facts = self.sessions, Collector()
        for date, lesions in (
            (self.courses.index, sessions.lesions),
            (sessions.later, sessions.later_lesions),
        ):
            facts.add(lesions > 0, date, self.codebook.row("Local", "SRFA-GUIDE"))
            for number in range(int(lesions.max(initial=0))):
                facts.add(lesions > number, date, self.ablation)
        return facts

    def links(self, conditions: Facts, procedures: Facts) -> NDArray[np.int64]:
        """Ties what was found to an ablation of the same patient's first session."""
        found = np.flatnonzero(np.isin(conditions.code, (self.residual, self.recurrence)))
        person = conditions.person[found]
        ablations = np.flatnonzero(procedures.code == self.ablation)
        # They stand by patient and day: the first session's come first.
        first = np.searchsorted(procedures.person[ablations], person)
        lesion = self.rng.integers(0, self.sessions.lesions[person])
        return np.stack([found, ablations[first + lesion]], axis=1)


def ablate(
    rng: np.random.Generator,
    courses: Courses,
    milestones: Milestones,
    study: SecondStudy,
    codebook: Codebook,
) -> Ablated:
    """Writes down the courses of the second study's patients as facts inside observation.

    Args:
        rng: Source of randomness.
        courses: All of them, in the order in which they were drawn.
        milestones: When their disease was found.
        study: The second study.
        codebook: All codes.
    """
    sessions = _sessions(rng, courses, study)
    writer = _Writer(rng, courses, milestones, sessions, codebook)
    start, end = milestones.start, courses.end
    conditions = writer.conditions().facts(start, end, values=False)
    procedures = writer.procedures().facts(start, end, values=False)
    treated = Treated(conditions, procedures, Facts.none(), Facts.none())
    return Ablated(treated, writer.links(conditions, procedures))
