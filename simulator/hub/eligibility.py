"""Which sites can hold a patient of a cohort, judged by their catalogues and the question alone.

A site is left out only where it is certain that it holds no such patient: for each thing that every
patient must have, it is asked whether the site holds that kind of fact at all, knows any of the
codes, and has years that meet the dates. What patients must not have is never a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from simulator.language.criteria import (
    AgeCriterion,
    Criterion,
    DateCriterion,
    Domain,
    EventCriterion,
    Events,
    Group,
    ObservedCriterion,
    SexCriterion,
)
from simulator.language.study import Question
from simulator.language.windows import DateRange
from simulator.messages.catalogue import Described


class Ground(StrEnum):
    """Why a site is not asked."""

    OFF_LINE = "off line"
    NO_CATALOGUE = "no catalogue"
    DOMAIN = "does not hold what is needed"
    CODES = "knows none of the codes"
    DATES = "its dates do not fit"


@dataclass(frozen=True)
class Verdict:
    """Why a site cannot hold a patient of the cohort."""

    ground: Ground
    reason: str


_PLURAL = {
    Domain.CONDITION: "diagnoses",
    Domain.PROCEDURE: "procedures",
    Domain.DRUG: "drugs",
    Domain.MEASUREMENT: "measurements",
    Domain.VISIT: "visits",
    Domain.DEATH: "deaths",
}


def cannot_hold(question: Question, site: Described) -> Verdict | None:
    """Why no patient of a question's cohort and arms can be at a site; None if one can be."""
    index = question.cohort.index
    verdict = _no_events(index, site)
    if verdict is not None:
        return verdict
    for step in question.cohort.steps:
        verdict = _impossible(step.require, site, index.domain)
        if verdict is not None:
            return verdict
    arms = [_impossible(arm.require, site, index.domain) for arm in question.arms]
    return arms[0] if arms and all(arms) else None


def _no_events(events: Events, site: Described) -> Verdict | None:
    """Why a site cannot hold an event that fits."""
    facts = _PLURAL[events.domain]
    if site.catalogue.holding(events.domain) is None:
        return Verdict(Ground.DOMAIN, f"no {facts} held")
    if events.codes is not None and not site.knows(events.codes):
        return Verdict(Ground.CODES, f"no code of '{events.codes}' known")
    if events.dates is not None:
        verdict = _outside(events.dates, events.domain, site)
        if verdict is not None:
            return verdict
    for criterion in events.related:
        verdict = _impossible(criterion, site, events.domain)
        if verdict is not None:
            return verdict
    return None


def _outside(dates: DateRange, domain: Domain, site: Described) -> Verdict | None:
    """Why no fact of a kind can lie within dates."""
    held = site.catalogue.holding(domain)
    if held is not None and dates.earliest is not None and held.last < dates.earliest:
        return Verdict(Ground.DATES, f"{_PLURAL[domain]} end before {dates.earliest}")
    if held is not None and dates.latest is not None and held.first > dates.latest:
        return Verdict(Ground.DATES, f"{_PLURAL[domain]} begin after {dates.latest}")
    return None


def _impossible(criterion: Criterion, site: Described, anchor: Domain) -> Verdict | None:
    """Why a criterion cannot hold at any anchor of a kind; None if it may."""
    match criterion:
        case EventCriterion():
            if criterion.count.at_least == 0:
                return None
            return _no_events(criterion.events, site)
        case Group():
            return _impossible_group(criterion, site, anchor)
        case DateCriterion(dates=dates):
            return _outside(dates, anchor, site)
        case SexCriterion() | AgeCriterion() | ObservedCriterion():
            return None
        case _:
            assert_never(criterion)


def _impossible_group(group: Group, site: Described, anchor: Domain) -> Verdict | None:
    verdicts = [
        verdict
        for member in group.members
        if (verdict := _impossible(member, site, anchor)) is not None
    ]
    least, _ = group.bounds
    return verdicts[0] if len(group.members) - len(verdicts) < least else None
