"""A study: cohort, index event, arms, outcome, follow-up, analyses, least completeness."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Final

import msgspec

from simulator.language.codes import ConceptSet
from simulator.language.criteria import (
    Anchor,
    Criterion,
    Domain,
    EventCriterion,
    Events,
)
from simulator.language.walk import all_events, all_groups, check_cost, events_of, kinds_of
from simulator.language.windows import Count

# What a site can keep in one whole number of a patient (a bit for each step, arm and level), and of
# a fact (a bit for each kind, deaths among them, and one for periods of observation).
_CONDITIONS: Final = 62
_KINDS: Final = 62
_LINES: Final = 8


DEATH: Final = EventCriterion(Events(Domain.DEATH))
"""Death as an outcome; one recorded before the index happens on day 0."""


class Censoring(StrEnum):
    """When a patient without the outcome stops being watched."""

    END_OF_OBSERVATION = "end of observation"
    LAST_FACT = "last recorded fact"


class Step(msgspec.Struct, frozen=True):
    """One inclusion rule; steps are asked in order, each of those who passed the ones before."""

    name: str
    require: Criterion


class Arm(msgspec.Struct, frozen=True):
    """One group of patients, told apart at index."""

    name: str
    require: Criterion


class Cohort(msgspec.Struct, frozen=True):
    """Who is studied: an index event for each patient, then the steps.

    Attributes:
        index: The events that may be the index; `occurrence` says whether it is the first or the
            last that fits, or, with any, the earliest at which the most leading steps hold. So each
            patient has one index.
        steps: Inclusion rules in order, anchored at the index.
    """

    index: Events
    steps: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        for criterion in self.index.related:
            _forbid_index(criterion)
        _unique("step", [step.name for step in self.steps])


class FollowUp(msgspec.Struct, frozen=True):
    """How long patients are watched.

    Attributes:
        months: The public horizon, in months of 365.25 / 12 days. Range: 1 to 600.
        censored_at: When a patient without the outcome stops being watched.
        exits: What ends watching earlier: the first such event in its window.
    """

    months: int
    censored_at: Censoring = Censoring.END_OF_OBSERVATION
    exits: tuple[EventCriterion, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.months <= 600:
            raise ValueError(f"the follow-up must be 1 to 600 months; found {self.months}")
        for found in self.exits:
            _check_moment("an exit", found)


class Subgroup(msgspec.Struct, frozen=True):
    """A way to divide the cohort at index, such as by age; the levels do not overlap.

    Attributes:
        name: Such as ``age at index``.
        levels: Such as ``under 50`` and ``50 and over``.
    """

    name: str
    levels: tuple[Arm, ...]

    def __post_init__(self) -> None:
        if len(self.levels) < 2:
            raise ValueError(f"the subgroup '{self.name}' needs at least two levels")
        _unique("level", [level.name for level in self.levels])


class Question(msgspec.Struct, frozen=True):
    """The part of a study that a site is asked; it cannot express a row.

    Attributes:
        codes: The concept sets that its events name, each used at least once.
        cohort: Who is studied.
        arms: The groups that are compared; none where only the cohort is looked at.
        outcome: The event whose time is studied: the first in its window after index.
        follow_up: How long patients are watched.
        subgroups: Ways to divide the cohort in which the arms are compared, too.
        lines: Kinds of treatment whose order after index is looked at.
    """

    codes: tuple[ConceptSet, ...]
    cohort: Cohort
    arms: tuple[Arm, ...] = ()
    outcome: EventCriterion = DEATH
    follow_up: FollowUp = FollowUp(120)
    subgroups: tuple[Subgroup, ...] = ()
    lines: tuple[Events, ...] = ()

    def __post_init__(self) -> None:
        check_cost(self)
        if not self.outcome_is_death:
            _check_moment("the outcome", self.outcome)
        elif self.outcome != DEATH:
            raise ValueError("write 'outcome: death': it has no window or condition of its own")
        _unique("arm", [arm.name for arm in self.arms])
        _unique("subgroup", [subgroup.name for subgroup in self.subgroups])
        _check_lines(self.lines)
        _unique("concept set", [codes.name for codes in self.codes])
        named = {events.codes for events in all_events(self)} - {None}
        if named != {codes.name for codes in self.codes}:
            raise ValueError("the concept sets and the names that events use do not agree")
        conditions = len(self.cohort.steps) + len(all_groups(self))
        if conditions > _CONDITIONS:
            raise ValueError(
                f"a study has at most {_CONDITIONS} steps, arms and levels; found {conditions}"
            )
        if len(kinds_of(self)) > _KINDS:
            raise ValueError(
                f"a study has at most {_KINDS} kinds of events; found {len(kinds_of(self))}"
            )

    @property
    def outcome_is_death(self) -> bool:
        """Whether death is what is waited for; otherwise it ends watching."""
        return self.outcome.events.domain is Domain.DEATH


class NamedCohort(msgspec.Struct, frozen=True):
    """A cohort to be counted and looked at, without arms to compare."""

    name: str
    version: int
    title: str
    question: Question
    least_completeness: float = 1.0

    def __post_init__(self) -> None:
        if self.question.arms:
            raise ValueError("a cohort has no arms; write a study")
        _check_completeness(self.least_completeness)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of everything the cohort says, as hexadecimal text."""
        return hashlib.sha256(msgspec.msgpack.encode(self)).hexdigest()


class Analyses(msgspec.Struct, frozen=True):
    """What is computed from the sums.

    Attributes:
        landmarks: Months at which survival is reported, ascending.
        reference: The arm that hazard ratios are first given against.
        restricted_mean: The month up to which mean survival is reported, if it is.
    """

    landmarks: tuple[int, ...]
    reference: str
    restricted_mean: int | None = None


class ReportedArm(msgspec.Struct, frozen=True):
    """What a publication says of one arm; survival as pairs of month and share alive."""

    arm: str
    median_months: float | None = None
    survival: tuple[tuple[int, float], ...] = ()


class Reported(msgspec.Struct, frozen=True):
    """What a publication says, to stand beside what is found."""

    source: str
    patients: int | None = None
    arms: tuple[ReportedArm, ...] = ()


class Study(msgspec.Struct, frozen=True):
    """Everything that is fixed before a run, and what was reported before it, if anything was."""

    name: str
    version: int
    title: str
    question: Question
    analyses: Analyses
    least_completeness: float = 1.0
    reported: Reported | None = None

    def __post_init__(self) -> None:
        arms = [arm.name for arm in self.question.arms]
        if not arms:
            raise ValueError("a study needs at least one arm")
        if self.analyses.reference not in arms:
            raise ValueError(f"the reference arm '{self.analyses.reference}' is not among the arms")
        horizon = self.question.follow_up.months
        asked = (*self.analyses.landmarks, self.analyses.restricted_mean or 1)
        for month in asked:
            if not 1 <= month <= horizon:
                raise ValueError(f"month {month} is outside the follow-up of {horizon} months")
        _check_completeness(self.least_completeness)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of everything the study says, as hexadecimal text."""
        return hashlib.sha256(msgspec.msgpack.encode(self)).hexdigest()


Inquiry = Study | NamedCohort


def _check_completeness(share: float) -> None:
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"a completeness is 0 to 1; found {share}")


def _unique(kind: str, names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"the {kind} '{name}' stands there twice")
        seen.add(name)


def _check_moment(what: str, criterion: EventCriterion) -> None:
    """Refuses what gives no single day after index."""
    if criterion.anchor is not Anchor.INDEX:
        raise ValueError(f"{what} is counted from the index: drop 'relative to'")
    if criterion.count != Count() or criterion.edge is not None:
        raise ValueError(f"{what} is the first such event: drop 'count' and 'first or last value'")
    earliest = criterion.window.earliest
    if earliest is None or earliest < 0:
        raise ValueError(f"{what} cannot lie before index; found days '{criterion.window}'")


def _check_lines(lines: tuple[Events, ...]) -> None:
    """Refuses kinds of treatment that cannot be told apart by their concept sets."""
    if len(lines) > _LINES:
        raise ValueError(f"at most {_LINES} kinds of treatment can be put in order")
    for events in lines:
        if events.codes is None:
            raise ValueError("a line of treatment needs a concept set")
    _unique("line of treatment", [str(events.codes) for events in lines])


def _forbid_index(criterion: Criterion) -> None:
    for event in events_of(criterion):
        if event.anchor is Anchor.INDEX:
            raise ValueError("inside the index event there is no index yet: drop 'relative to'")
