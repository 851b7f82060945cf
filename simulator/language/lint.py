"""Finds what is allowed but likely to mislead, and says what it does to the result."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from simulator.language.criteria import (
    Anchor,
    Criterion,
    Domain,
    EventCriterion,
    Events,
    Group,
    Rule,
)
from simulator.language.study import Study


class Finding(msgspec.Struct, frozen=True):
    """One warning.

    Attributes:
        rule: The rule's short name.
        message: What it is and what it does.
        where: The steps and arms it is about.
    """

    rule: str
    message: str
    where: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.message} (in {', '.join(self.where)})"


def lint(study: Study) -> tuple[Finding, ...]:
    """Every warning about a study, once each, with all the places it is about."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    places = [
        *((f"step '{step.name}'", step.require) for step in study.question.cohort.steps),
        *((f"arm '{arm.name}'", arm.require) for arm in study.question.arms),
    ]
    for where, criterion in places:
        for event in _around_index(criterion):
            for finding in _about(event, study.question.cohort.index):
                found.setdefault(finding, {})[where] = None
    return tuple(Finding(rule, message, tuple(where)) for (rule, message), where in found.items())


def _around_index(criterion: Criterion) -> Iterator[EventCriterion]:
    """The event criteria whose windows count from the index, however deep they stand."""
    match criterion:
        case EventCriterion():
            if criterion.anchor is Anchor.INDEX:
                yield criterion
            for inner in criterion.events.related:
                yield from _around_index(inner)
        case Group(rule=Rule.NONE):
            return
        case Group(members=members):
            for member in members:
                yield from _around_index(member)
        case _:
            return


def _about(event: EventCriterion, index: Events) -> Iterator[tuple[str, str]]:
    yield from _after_index(event)
    # Where the index is itself a drug, as with new users, it is what the arms are told apart by.
    if index.domain is not Domain.DRUG:
        yield from _same_day_drug(event)


def _after_index(event: EventCriterion) -> Iterator[tuple[str, str]]:
    latest = event.window.latest
    required = event.count.at_least > 0
    if required and event.events.domain is not Domain.DEATH and (latest is None or latest > 0):
        until = "any time" if latest is None else f"day {latest}"
        yield (
            "after-index",
            f"counts a {event.events.domain} up to {until} after index: patients must survive to "
            "have it, so their survival looks longer (immortal time); end the window at -1 or 0",
        )


def _same_day_drug(event: EventCriterion) -> Iterator[tuple[str, str]]:
    window = event.window
    within = (window.earliest is None or window.earliest <= 0) and window.latest == 0
    if event.events.domain is Domain.DRUG and within and event.count.at_least > 0:
        yield (
            "same-day-drug",
            "counts drugs of the index day itself: a drug given as part of the procedure then "
            "decides the arm; end the window at -1",
        )
