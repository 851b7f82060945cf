"""Finds what is allowed but likely to mislead, and says what it does to the result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from simulator.language.criteria import (
    Anchor,
    Criterion,
    Domain,
    EventCriterion,
    Events,
    Group,
    ObservedCriterion,
    Occurrence,
    Rule,
)
from simulator.language.study import Arm, Censoring, Inquiry, Question, Study

Told = tuple[str, str, str]
"""A rule, what it says, and the place that it is about."""


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


def lint(inquiry: Inquiry) -> tuple[Finding, ...]:
    """Every warning about a study, once each, with all the places it is about.

    A cohort that is only counted compares nothing, so that few rules are about it.
    """
    told = list(_of_any(inquiry.question))
    if isinstance(inquiry, Study):
        told = [*_of_study(inquiry.question), *told]
    found: dict[tuple[str, str], dict[str, None]] = {}
    for rule, message, where in told:
        found.setdefault((rule, message), {})[where] = None
    return tuple(Finding(rule, message, tuple(where)) for (rule, message), where in found.items())


def _of_any(question: Question) -> Iterator[Told]:
    yield from _no_look_back(question)


def _of_study(question: Question) -> Iterator[Told]:
    index = question.cohort.index
    for where, criterion in _places(question):
        for event in _required(criterion):
            if isinstance(event, ObservedCriterion):
                yield from _observed_later(event, where)
            elif event.anchor is Anchor.INDEX or where == "index":
                yield from _after_index(event, where)
                # Where the index is itself a drug, as with new users, it tells the arms apart.
                if index.domain is not Domain.DRUG and where != "index":
                    yield from _same_day_drug(event, where)
        yield from _ruled_out_deaths(criterion, where)
    yield from _hindsight(question)
    yield from _outcome_before(question)
    yield from _last_fact(question)
    yield from _overlaps("arm", question.arms)
    for subgroup in question.subgroups:
        yield from _overlaps("level", subgroup.levels)


def _places(question: Question) -> Iterator[tuple[str, Criterion]]:
    """Every criterion that decides who is studied, or in which group, and what it is called."""
    yield from (("index", related) for related in question.cohort.index.related)
    yield from ((f"step '{step.name}'", step.require) for step in question.cohort.steps)
    yield from ((f"arm '{arm.name}'", arm.require) for arm in question.arms)
    for subgroup in question.subgroups:
        yield from ((f"level '{level.name}'", level.require) for level in subgroup.levels)


def _required(criterion: Criterion) -> Iterator[EventCriterion | ObservedCriterion]:
    """What must be there, however deep it stands: with none or at most so many it need not be.

    Inside an event only what counts from the index is of use.
    """
    match criterion:
        case ObservedCriterion():
            yield criterion
        case EventCriterion():
            yield criterion
            for inner in criterion.events.related:
                for found in _required(inner):
                    if isinstance(found, EventCriterion) and found.anchor is Anchor.INDEX:
                        yield found
        case Group(rule=rule, members=members) if rule not in {Rule.NONE, Rule.AT_MOST}:
            for member in members:
                yield from _required(member)
        case _:
            return


def _after_index(event: EventCriterion, where: str) -> Iterator[Told]:
    latest = event.window.latest
    required = event.count.at_least > 0
    if required and event.events.domain is not Domain.DEATH and (latest is None or latest > 0):
        until = "any time" if latest is None else f"day {latest}"
        yield (
            "after-index",
            f"counts a {event.events.domain} up to {until} after index: patients must survive to "
            "have it, so their survival looks longer (immortal time); end the window at -1 or 0",
            where,
        )


def _observed_later(observed: ObservedCriterion, where: str) -> Iterator[Told]:
    latest = observed.window.latest
    if latest is not None and latest > 0:
        yield (
            "observed-after",
            f"asks for observation up to day {latest} after index: who dies or leaves earlier is "
            "left out, so survival looks longer (survivors only); end the window at 0",
            where,
        )


def _same_day_drug(event: EventCriterion, where: str) -> Iterator[Told]:
    window = event.window
    within = (window.earliest is None or window.earliest <= 0) and window.latest == 0
    if event.events.domain is Domain.DRUG and within and event.count.at_least > 0:
        yield (
            "same-day-drug",
            "counts drugs of the index day itself: a drug given as part of the procedure then "
            "decides the arm; end the window at -1",
            where,
        )


def _ruled_out_deaths(criterion: Criterion, where: str) -> Iterator[Told]:
    for event in _ruled_out(criterion):
        of_death = event.events.domain is Domain.DEATH
        if not of_death or not (event.anchor is Anchor.INDEX or where == "index"):
            continue
        latest = event.window.latest
        if latest == 0:
            yield (
                "death-excluded",
                "excludes deaths of the index day: where deaths are known by month only, this also "
                "removes who died later in the month of index, so survival looks longer (immortal "
                "time); end the window at -1",
                where,
            )
        elif latest is None or latest > 0:
            until = "any time" if latest is None else f"day {latest}"
            yield (
                "death-excluded",
                f"excludes deaths up to {until} after index: only those stay who live longer, so "
                "survival looks longer (immortal time); end the window at -1",
                where,
            )


def _ruled_out(criterion: Criterion, *, negated: bool = False) -> Iterator[EventCriterion]:
    """What must not be there, however deep it stands in groups."""
    match criterion:
        case EventCriterion(count=count):
            if negated != (count.at_most == 0):
                yield criterion
        case Group(members=members):
            none = criterion.bounds[1] == 0
            for member in members:
                yield from _ruled_out(member, negated=negated != none)
        case _:
            return


def _no_look_back(question: Question) -> Iterator[Told]:
    """A first drug is first only as far back as a site looked."""
    index = question.cohort.index
    if index.domain is not Domain.DRUG or index.occurrence is not Occurrence.FIRST:
        return
    asked = [*index.related, *(step.require for step in question.cohort.steps)]
    observed = [
        found.window.earliest
        for criterion in asked
        for found in _required(criterion)
        if isinstance(found, ObservedCriterion)
    ]
    if not any(earliest is not None and earliest < 0 for earliest in observed):
        yield (
            "no-look-back",
            "begins at a first drug without asking for observation before it: who came to the site "
            "already treated counts as new, and has survived the early harm of the drug; add a "
            "step such as 'observed: -365 to 0'",
            "index",
        )


def _hindsight(question: Question) -> Iterator[Told]:
    if question.cohort.index.occurrence is Occurrence.LAST:
        yield (
            "hindsight-index",
            "begins at a patient's last event, which is known to be the last only afterwards: the "
            "time before it was survived and is not counted, so survival looks shorter; begin at "
            "the first",
            "index",
        )


def _outcome_before(question: Question) -> Iterator[Told]:
    if question.outcome_is_death:
        return
    sought = question.outcome.events
    asked = [*question.cohort.index.related, *(step.require for step in question.cohort.steps)]
    if not any(_excludes_before(criterion, sought) for criterion in asked):
        yield (
            "outcome-before",
            f"keeps patients who had the outcome, a {sought.domain}, before index: an old one that "
            "is recorded again counts as new, so the outcome looks more frequent; add a step with "
            "'none' of it up to day -1 or 0",
            "outcome",
        )


def _excludes_before(criterion: Criterion, sought: Events) -> bool:
    """Whether a criterion leaves out who had such an event before the anchor."""
    match criterion:
        case Group(rule=Rule.NONE, members=members):
            return any(_looks_before(member, sought) for member in members)
        case Group(rule=Rule.ALL, members=members):
            return any(_excludes_before(member, sought) for member in members)
        case EventCriterion(count=count):
            return count.at_most == 0 and _looks_before(criterion, sought)
        case _:
            return False


def _looks_before(criterion: Criterion, sought: Events) -> bool:
    match criterion:
        case EventCriterion(events=events, window=window):
            same = (events.domain, events.codes) == (sought.domain, sought.codes)
            begins = window.earliest is None or window.earliest < 0
            return same and begins and (window.latest is None or window.latest >= -1)
        case Group(rule=Rule.ANY, members=members):
            return any(_looks_before(member, sought) for member in members)
        case _:
            return False


def _last_fact(question: Question) -> Iterator[Told]:
    if question.follow_up.censored_at is Censoring.LAST_FACT:
        yield (
            "last-fact",
            "watches the living to their last record but the dead to their death: the living leave "
            "early, so survival looks shorter; write 'censored at: end of observation'",
            "follow up",
        )


def _overlaps(what: str, groups: Iterable[Arm]) -> Iterator[Told]:
    """Groups of which one asks everything that the other asks, and perhaps more."""
    asked = [(group.name, _conjuncts(group.require)) for group in groups]
    for place, (name, these) in enumerate(asked):
        for other, those in asked[place + 1 :]:
            if these <= those or those <= these:
                inner, outer = (other, name) if these <= those else (name, other)
                yield (
                    "overlap",
                    f"whoever is in '{inner}' is in '{outer}' too: if anybody is, the study is "
                    "refused; add to each what the other excludes",
                    f"{what}s '{name}' and '{other}'",
                )


def _conjuncts(criterion: Criterion) -> frozenset[Criterion]:
    """The criteria that all must hold."""
    match criterion:
        case Group(rule=Rule.ALL, members=members):
            return frozenset(inner for member in members for inner in _conjuncts(member))
        case _:
            return frozenset((criterion,))
