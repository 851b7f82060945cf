"""The result of an exploration as values, and the analyses that make it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from simulator.aggregates.grid import Unit as Bin
from simulator.aggregates.grid import whole
from simulator.aggregates.released import Withheld
from simulator.errors import TooFewAnswers, UserError
from simulator.hub.analyses.cohort import arrival, calendar, demographics, follow_up
from simulator.hub.analyses.counting import Counted, Unit, counting
from simulator.hub.analyses.descriptions import (
    Arrival,
    CalendarYear,
    CodeList,
    Demographics,
    FollowUpFound,
    Lab,
    Pathways,
)
from simulator.hub.analyses.listing import codes, labs, pathways
from simulator.hub.analyses.released import Analysis
from simulator.hub.analyses.results import AttritionStep
from simulator.hub.of_study import outcome_name
from simulator.hub.offered import check_offered
from simulator.hub.planner import Begin, Candidate, Plan
from simulator.hub.result import NetworkResult, ReleaseResult, RunRecord, fingerprint_of
from simulator.hub.run import Finished
from simulator.hub.telling import Settings, fingerprints_of, network_of, notes_of, release_of
from simulator.language.criteria import DateCriterion, Domain
from simulator.language.study import Inquiry, Question, Study
from simulator.language.walk import sets_named
from simulator.messages.describing import Years
from simulator.privacy.releases import Release

_YEARS: Final = 15


class Show(StrEnum):
    """What may be looked at."""

    DEMOGRAPHICS = "demographics"
    CONDITIONS = "conditions"
    PROCEDURES = "procedures"
    DRUGS = "drugs"
    LABS = "labs"
    CALENDAR = "calendar"
    ARRIVAL = "arrival"
    FOLLOW_UP = "follow-up"
    PATHWAYS = "pathways"


_CODES: Final = "conditions, procedures, drugs"
ANALYSES_OF: Final[dict[str, str]] = {
    shown.value: _CODES if shown in {Show.CONDITIONS, Show.PROCEDURES, Show.DRUGS} else shown.value
    for shown in Show
}
"""The analysis that makes each part, by which a release says whether it offers it."""


class Described(msgspec.Struct, frozen=True):
    """What was found of a cohort; None what was not looked at."""

    demographics: Demographics | None = None
    conditions: CodeList | None = None
    procedures: CodeList | None = None
    drugs: CodeList | None = None
    labs: tuple[Lab, ...] | None = None
    calendar: tuple[CalendarYear, ...] | None = None
    arrival: Arrival | None = None
    follow_up: FollowUpFound | Withheld | None = None
    pathways: Pathways | None = None


class ExplorationResult(msgspec.Struct, frozen=True):
    """The reproducible part of an exploration.

    Attributes:
        name: The study's or cohort's name.
        kind: ``study`` or ``cohort``.
        version: Its version.
        title: Its title.
        outcome: What follow-up waits for, in a word or two; ``death`` where that is it.
        network: Who was asked and answered.
        attrition: What each step leaves; the last are the patients who are described.
        described: What was found.
        release: The release that the numbers stand under.
        notes: What is to be known of them.
        fingerprints: What identifies the question, the sites and the data.
    """

    name: str
    kind: str
    version: int
    title: str
    outcome: str
    network: NetworkResult
    attrition: tuple[AttritionStep, ...]
    described: Described
    release: ReleaseResult
    notes: tuple[str, ...]
    fingerprints: dict[str, str]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the result's JSON, as hexadecimal text."""
        return fingerprint_of(self)


class ExplorationReport(msgspec.Struct, frozen=True):
    """An exploration with its run, as `cohortium explore --format json` prints it."""

    schema: int
    result: ExplorationResult
    run: RunRecord


def without_arms(question: Question) -> Question:
    """The question about the cohort alone, with the concept sets that it still needs."""
    moments = (question.outcome, *question.follow_up.exits)
    named = sets_named(question.cohort, (), moments, question.lines)
    codes = tuple(codes for codes in question.codes if codes.name in named)
    return msgspec.structs.replace(question, codes=codes, arms=(), subgroups=())


def check(inquiry: Inquiry, question: Question, show: tuple[Show, ...], release: Release) -> None:
    """Refuses what a document does not say enough for, and what the release does not offer.

    Raises:
        UserError: The order of treatments is asked for, and there are no kinds of treatment.
        Refused: The release does not offer a part.
    """
    check_offered(show, ANALYSES_OF, release)
    if Show.PATHWAYS in show and not question.lines:
        raise UserError(
            f"'{inquiry.name}' names no kinds of treatment, so they have no order",
            hint="Name their drugs or procedures under the key 'lines', or leave pathways out.",
        )


def span_of(question: Question, sites: Iterable[Candidate]) -> tuple[dt.date, dt.date]:
    """From which to which day patients can have come into a cohort, by catalogues and dates.

    Raises:
        TooFewAnswers: No site holds such an event.
    """
    index = question.cohort.index
    held = [
        holding
        for site in sites
        if site.described is not None
        and (holding := site.described.catalogue.holding(index.domain)) is not None
    ]
    if not held:
        raise TooFewAnswers("no site holds an event that could be the index")
    first = min(holding.first for holding in held)
    last = max(holding.last for holding in held)
    asked = [index.dates] if index.dates is not None else []
    asked += [
        step.require.dates
        for step in question.cohort.steps
        if isinstance(step.require, DateCriterion)
    ]
    for dates in asked:
        first = max(first, dates.earliest or first)
        last = min(last, dates.latest or last)
    return first, max(first, last)


def begin_exploring(
    question: Question,
    release: Release,
    show: tuple[Show, ...],
    span: tuple[dt.date, dt.date],
    top: int,
) -> Begin:
    """The analyses of an exploration: what each step leaves, then what is to be shown, in order.

    Args:
        question: The question, without arms.
        release: The release.
        show: What is looked at.
        span: From which to which day patients can have come into the cohort.
        top: How many codes are shown.
    """
    first, last = span
    years = Years(max(first.year, last.year - _YEARS + 1), last.year)
    domains = {
        Show.CONDITIONS: Domain.CONDITION,
        Show.PROCEDURES: Domain.PROCEDURE,
        Show.DRUGS: Domain.DRUG,
    }

    def analysis(shown: Show, unit: Bin) -> Analysis:
        if shown in domains:
            return codes(domains[shown], top)
        width, months = Bin.MONTH if unit is Bin.DAY else unit, question.follow_up.months
        made: dict[Show, Analysis] = {
            Show.DEMOGRAPHICS: demographics(years),
            Show.LABS: labs(),
            Show.CALENDAR: calendar(years),
            Show.ARRIVAL: arrival(years, last),
            Show.FOLLOW_UP: follow_up(whole(months, width), release, width),
            Show.PATHWAYS: pathways(),
        }
        return made[shown]

    return lambda unit: (counting(Unit.PATIENT), *(analysis(shown, unit) for shown in show))


def exploration_result(
    show: tuple[Show, ...],
    span: tuple[dt.date, dt.date],
    plan: Plan,
    finished: Finished,
    settings: Settings,
) -> ExplorationResult:
    """Everything that an exploration found and says of itself.

    Args:
        show: What was looked at.
        span: From which to which day patients can have come into the cohort.
        plan: The plan that was carried out.
        finished: The run.
        settings: What is known of the network.
    """
    counted, *parts = finished.parts
    inquiry = plan.inquiry
    kind = "study" if isinstance(inquiry, Study) else "cohort"
    found = {shown.name.lower(): part for shown, part in zip(show, parts, strict=True)}
    return ExplorationResult(
        name=inquiry.name,
        kind=kind,
        version=inquiry.version,
        title=inquiry.title,
        outcome=outcome_name(plan.question),
        network=network_of(plan, finished, settings),
        attrition=tuple(
            AttritionStep(step.step, step.patients)
            for step in (counted.steps if isinstance(counted, Counted) else ())
        ),
        described=msgspec.structs.replace(Described(), **found),
        release=release_of(plan.release, settings, _ESTIMATORS),
        notes=(
            *notes_of(plan, finished, settings),
            *_notes([part for part in show if not _without_projection(found, part)], span, kind),
        ),
        fingerprints=fingerprints_of(finished, settings, {kind: inquiry.fingerprint}),
    )


_ESTIMATORS: Final = "sums of counts; reverse Kaplan-Meier by month; exact Poisson intervals"


def _without_projection(found: dict[str, object], shown: Show) -> bool:
    """Whether a part would have a projection but has none, so that nothing is to be said of it."""
    arrived = found.get(Show.ARRIVAL.name.lower())
    return shown is Show.ARRIVAL and isinstance(arrived, Arrival) and not arrived.projection


def _notes(show: Sequence[Show], span: tuple[dt.date, dt.date], kind: str) -> list[str]:
    said = {
        Show.CALENDAR: (
            "incidence is new patients over person-years observed before index, of everyone at "
            "the sites whether or not they could have an index; new patients count also where "
            "their index lies outside observation; patients can have come into the cohort from "
            f"{span[0]} to {span[1]}, while years are observed whole"
        ),
        Show.ARRIVAL: "a projection says what counts like these lead to, not what will come",
        Show.LABS: "of a test the latest value of the 365 days up to index counts",
        Show.PATHWAYS: (
            "kinds of treatment that begin on one day go by their order in the document"
        ),
    }
    notes = [said[shown] for shown in show if shown in said]
    if kind == "study":
        notes.insert(0, "all patients who pass every step are described, whatever their arm")
    return notes
