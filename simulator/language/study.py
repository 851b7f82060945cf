"""A study: cohort, index event, arms, outcome, follow-up, analyses, least completeness."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import msgspec

from simulator.language.codes import ConceptSet
from simulator.language.criteria import (
    Anchor,
    Criterion,
    EventCriterion,
    Events,
    Group,
    Occurrence,
)

# What a site can keep in one whole number of a patient (a bit for each step and arm), and of a fact
# (a bit for each kind, one for deaths and one for periods of observation).
_CONDITIONS: Final = 62
_KINDS: Final = 61
# What a question may cost a site, decided by the question alone: a site that gave up depending on
# its rows would tell of them by giving up.
_CRITERIA: Final = 100
_DEPTH: Final = 8


class Outcome(StrEnum):
    """The event whose time is studied."""

    DEATH = "death"


class Censoring(StrEnum):
    """When a patient without the outcome stops being watched."""

    END_OF_OBSERVATION = "end of observation"


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
        index: The events that may be the index; `occurrence` says whether the first or the last
            that fits is taken, so that each patient has one index.
        steps: Inclusion rules in order, anchored at the index.
    """

    index: Events
    steps: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        if self.index.occurrence is Occurrence.ANY:
            raise ValueError("the index event must be the 'first' or the 'last'")
        for criterion in self.index.related:
            _forbid_index(criterion)
        _unique("step", [step.name for step in self.steps])


class FollowUp(msgspec.Struct, frozen=True):
    """How long patients are watched.

    Attributes:
        months: The public horizon, in months of 365.25 / 12 days. Range: 1 to 600.
        censored_at: When a patient without the outcome stops being watched.
    """

    months: int
    censored_at: Censoring = Censoring.END_OF_OBSERVATION

    def __post_init__(self) -> None:
        if not 1 <= self.months <= 600:
            raise ValueError(f"the follow-up must be 1 to 600 months; found {self.months}")


class Question(msgspec.Struct, frozen=True):
    """The part of a study that a site is asked; it cannot express a row.

    Attributes:
        codes: The concept sets that its events name, each used at least once.
        cohort: Who is studied.
        arms: The groups that are compared.
        outcome: The event whose time is studied.
        follow_up: How long patients are watched.
    """

    codes: tuple[ConceptSet, ...]
    cohort: Cohort
    arms: tuple[Arm, ...]
    outcome: Outcome
    follow_up: FollowUp

    def __post_init__(self) -> None:
        _check_cost(self)
        _unique("arm", [arm.name for arm in self.arms])
        _unique("concept set", [codes.name for codes in self.codes])
        named = {events.codes for events in all_events(self)} - {None}
        if named != {codes.name for codes in self.codes}:
            raise ValueError("the concept sets and the names that events use do not agree")
        conditions = len(self.cohort.steps) + len(self.arms)
        if conditions > _CONDITIONS:
            raise ValueError(
                f"a study has at most {_CONDITIONS} steps and arms; found {conditions}"
            )
        kinds = len({(events.domain, events.codes) for events in all_events(self)})
        if kinds > _KINDS:
            raise ValueError(f"a study has at most {_KINDS} kinds of events; found {kinds}")


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
        if not 0.0 <= self.least_completeness <= 1.0:
            raise ValueError(f"a completeness is 0 to 1; found {self.least_completeness}")

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of everything the study says, as hexadecimal text."""
        return hashlib.sha256(msgspec.msgpack.encode(self)).hexdigest()


def _unique(kind: str, names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"the {kind} '{name}' stands there twice")
        seen.add(name)


def _check_cost(question: Question) -> None:
    """Refuses questions of more criteria, or more deeply nested, than any site would answer."""
    level: list[Criterion] = [
        *question.cohort.index.related,
        *(step.require for step in question.cohort.steps),
        *(arm.require for arm in question.arms),
    ]
    criteria = depth = 0
    while level:
        criteria, depth = criteria + len(level), depth + 1
        if criteria > _CRITERIA:
            raise ValueError(f"a study has at most {_CRITERIA} criteria; found more")
        if depth > _DEPTH:
            raise ValueError(f"criteria stand at most {_DEPTH} levels deep in each other")
        level = [inner for criterion in level for inner in _inside(criterion)]


def _inside(criterion: Criterion) -> tuple[Criterion, ...]:
    match criterion:
        case EventCriterion(events=events):
            return events.related
        case Group(members=members):
            return members
        case _:
            return ()


def _forbid_index(criterion: Criterion) -> None:
    for event in events_of(criterion):
        if event.anchor is Anchor.INDEX:
            raise ValueError("inside the index event there is no index yet: drop 'relative to'")


def events_of(criterion: Criterion) -> Iterator[EventCriterion]:
    """Every event criterion in it, nested ones included, outer before inner."""
    match criterion:
        case EventCriterion():
            yield criterion
            for inner in criterion.events.related:
                yield from events_of(inner)
        case Group():
            for member in criterion.members:
                yield from events_of(member)
        case _:
            return


def all_events(question: Question) -> Iterator[Events]:
    """Every kind of event a question asks about: the index, then steps, then arms."""
    yield from events_asked(question.cohort, question.arms)


def events_asked(cohort: Cohort, arms: tuple[Arm, ...]) -> Iterator[Events]:
    """The same before a question is put together."""
    yield cohort.index
    tops = [
        *cohort.index.related,
        *(step.require for step in cohort.steps),
        *(arm.require for arm in arms),
    ]
    for top in tops:
        for event in events_of(top):
            yield event.events
