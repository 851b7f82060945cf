"""Strategies for questions of every form, over a few codes and days so close that windows hit."""

from __future__ import annotations

import datetime as dt
from typing import Final, TypeVar

from hypothesis import strategies as st

from simulator.language.codes import Code, ConceptSet
from simulator.language.criteria import (
    AgeCriterion,
    Anchor,
    Criterion,
    DateCriterion,
    Domain,
    EventCriterion,
    Events,
    Group,
    Occurrence,
    Rule,
    Sex,
    SexCriterion,
)
from simulator.language.study import Arm, Cohort, FollowUp, Outcome, Question, Step, events_asked
from simulator.language.windows import AgeRange, Count, DateRange, Window

Value = TypeVar("Value")

FIRST_DAY: Final = dt.date(2019, 12, 1)
# Few days, so that much falls on one: around the middles and the turns of two months, one of them
# the turn of the year.
DAYS: Final = (0, 5, 13, 14, 15, 16, 20, 29, 30, 31, 32, 38, 44, 45, 46, 50, 59, 61, 62, 75)
CONCEPTS: Final = (0, 1001, 1002, 1003, 1004, 1201, 1302)
BIRTHS: Final = (1959, 1960, 1961, None)
GENDERS: Final = (8532, 8507, 0, None)
_AGES: Final = (58, 61)

SETS: Final = (
    ConceptSet("tree", (Code("ICD10CM", "C50", descendants=True),)),
    ConceptSet("leaf", (Code("ICD10CM", "C50.911"),)),
    ConceptSet(
        "pruned",
        (Code("ICD10CM", "C50", descendants=True),),
        (Code("ICD10CM", "C50.9", descendants=True),),
    ),
    ConceptSet("mixed", (Code("CPT4", "37243"), Code("RxNorm", "3639", descendants=True))),
    ConceptSet("unknown", (Code("CPT4", "99999", descendants=True),)),
)
_FREQUENT: Final = (*("tree", "mixed") * 3, "leaf", "pruned", "unknown")


def _bound(low: int, high: int) -> st.SearchStrategy[int | None]:
    return st.none() | st.integers(low, high)


def _seldom(strategy: st.SearchStrategy[Value]) -> st.SearchStrategy[Value | None]:
    """None three times of four, so that enough patients are left for the arms."""
    return st.one_of(st.none(), st.none(), st.none(), strategy)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    """Windows of some days around the anchor, also open ones."""
    earliest = draw(_bound(-40, 10))
    first = -5 if earliest is None else earliest
    return Window(earliest, draw(_bound(first, first + 50)))


@st.composite
def dates(draw: st.DrawFn) -> DateRange:
    """Spans that cut through the days on which things happen."""
    earliest = draw(_bound(DAYS[0], DAYS[-1]))
    latest = draw(st.none() | st.integers(earliest or 0, DAYS[-1] + 5))
    place = [None if day is None else FIRST_DAY + dt.timedelta(day) for day in (earliest, latest)]
    return DateRange(*place)


@st.composite
def ages(draw: st.DrawFn) -> AgeRange:
    """Ages that some of the patients have."""
    at_least = draw(_bound(*_AGES))
    return AgeRange(at_least, draw(st.none() | st.integers(at_least or _AGES[0], _AGES[1])))


@st.composite
def counts(draw: st.DrawFn) -> Count:
    """At least, at most and exactly, of events and of days; most often at least one."""
    at_least = draw(st.sampled_from((1, 1, 1, 0, 2, 2, 3)))
    at_most = draw(_seldom(st.integers(at_least, 5)))
    return Count(at_least, at_most, draw(st.booleans()))


@st.composite
def events(draw: st.DrawFn, depth: int, *, indexed: bool, ordered: bool = False) -> Events:
    """Events of any kind; `ordered` asks for the first or the last."""
    domain = draw(st.sampled_from((*Domain, Domain.DEATH)))
    named = None
    if domain is not Domain.DEATH:
        named = draw(st.none() | st.sampled_from(_FREQUENT))
    order = [Occurrence.FIRST, Occurrence.LAST] if ordered else list(Occurrence)
    related: tuple[Criterion, ...] = ()
    if depth and draw(st.sampled_from((False, False, True))):
        inner = criteria(depth - 1, indexed=indexed, anchors=list(Anchor))
        related = tuple(draw(st.lists(inner, min_size=1, max_size=2)))
    return Events(
        domain=domain,
        codes=named,
        occurrence=draw(st.sampled_from(order)),
        dates=draw(_seldom(dates())),
        age=draw(_seldom(ages())),
        related=related,
    )


@st.composite
def event_criteria(
    draw: st.DrawFn, depth: int, *, indexed: bool, anchors: list[Anchor]
) -> EventCriterion:
    """Events in a window; without an index, anchored at the event around them."""
    anchor = draw(st.sampled_from(anchors)) if indexed else Anchor.EVENT
    return EventCriterion(
        draw(events(depth, indexed=indexed)), draw(windows()), anchor, draw(counts())
    )


@st.composite
def groups(draw: st.DrawFn, depth: int, *, indexed: bool, anchors: list[Anchor]) -> Group:
    """Groups under every rule."""
    inner = criteria(depth - 1, indexed=indexed, anchors=anchors)
    members = tuple(draw(st.lists(inner, min_size=1, max_size=3)))
    rule = draw(st.sampled_from(Rule))
    counted = rule in {Rule.AT_LEAST, Rule.AT_MOST}
    return Group(rule, members, draw(st.integers(0, len(members))) if counted else 0)


def criteria(
    depth: int, *, indexed: bool = True, anchors: list[Anchor] | None = None
) -> st.SearchStrategy[Criterion]:
    """Every form of criterion; at the top `relative to: event` means the index too."""
    given = anchors or list(Anchor)
    event = event_criteria(depth, indexed=indexed, anchors=given)
    simple = st.one_of(
        st.sampled_from(Sex).map(SexCriterion), ages().map(AgeCriterion), dates().map(DateCriterion)
    )
    if not depth:
        return st.one_of(event, event, simple)
    group = groups(depth, indexed=indexed, anchors=given)
    return st.one_of(event, event, event, group, group, simple)


@st.composite
def questions(draw: st.DrawFn, depth: int = 2) -> Question:
    """Whole questions with up to two steps and three arms."""
    index = draw(events(depth, indexed=False, ordered=True))
    asked = criteria(depth)
    steps = draw(st.lists(asked, max_size=2))
    number = draw(st.sampled_from((1, 2, 3, 0)))
    arms = draw(st.lists(asked, min_size=number, max_size=number))
    cohort = Cohort(index, tuple(Step(f"step {n}", step) for n, step in enumerate(steps)))
    named = tuple(Arm(f"arm {n}", arm) for n, arm in enumerate(arms))
    used = {kind.codes for kind in events_asked(cohort, named)}
    return Question(
        codes=tuple(codes for codes in SETS if codes.name in used),
        cohort=cohort,
        arms=named,
        outcome=Outcome.DEATH,
        follow_up=FollowUp(months=draw(st.integers(1, 3))),
    )
