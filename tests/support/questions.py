"""Strategies for questions of every form, over a few codes and days so close that windows hit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final, TypeVar

from hypothesis import strategies as st

from simulator.language.codes import Code, ConceptSet
from simulator.language.criteria import (
    AgeCriterion,
    Anchor,
    Criterion,
    DateCriterion,
    Domain,
    EdgeValue,
    EventCriterion,
    Events,
    Group,
    ObservedCriterion,
    Occurrence,
    Rule,
    Sex,
    SexCriterion,
)
from simulator.language.study import (
    DEATH,
    Arm,
    Censoring,
    Cohort,
    FollowUp,
    Question,
    Step,
    Subgroup,
)
from simulator.language.values import ValueRange
from simulator.language.walk import sets_named
from simulator.language.windows import AgeRange, Count, DateRange, Window
from simulator.messages.describing import (
    ArrivalNeed,
    CalendarNeed,
    CodesNeed,
    DemographicsNeed,
    FollowUpNeed,
    LabsNeed,
    LabTest,
    PathwaysNeed,
    RaceNeed,
    Years,
)
from simulator.messages.needs import Need

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
    ConceptSet("bilirubin", (Code("LOINC", "1975-2"),)),
    ConceptSet("clotting", (Code("LOINC", "6301-6"),)),
    ConceptSet("blood", (Code("LOINC", "1975-2"), Code("LOINC", "718-7"), Code("CPT4", "37243"))),
)
_FREQUENT: Final = (*("tree", "mixed") * 3, "leaf", "pruned", "unknown")


# Bilirubin, clotting and haemoglobin with units that convert, that do not, and that are missing.
MEASURES: Final = (1402, 1403, 1401)
UNIT_CONCEPTS: Final = (1501, 1502, 1503, 1504, 1506, 0, None)
VALUES: Final = (0.1, 1.0, 2.0, 2.5, 17.1, 34.2)
RECORDED: Final = (*VALUES, 0.0, -1.0, float("nan"), float("inf"))
UNITS: Final = ("mg/dL", "umol/L", "{INR}", "1", "g/L")
_MEASURED: Final = ("bilirubin", "clotting", "bilirubin", "blood")


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
def values(draw: st.DrawFn) -> ValueRange:
    """Ranges whose bounds some values meet exactly."""
    at_least = draw(st.none() | st.sampled_from(VALUES))
    above = [value for value in VALUES if at_least is None or value >= at_least]
    at_most = draw(
        st.sampled_from(above) if at_least is None else st.none() | st.sampled_from(above)
    )
    return ValueRange(at_least, at_most, draw(st.sampled_from(UNITS)), draw(st.booleans()))


@st.composite
def events(draw: st.DrawFn, depth: int, *, indexed: bool) -> Events:
    """Events of any kind."""
    domain = draw(st.sampled_from((*Domain, Domain.DEATH)))
    named = value = None
    if domain is not Domain.DEATH:
        named = draw(st.none() | st.sampled_from(_FREQUENT))
    if domain is Domain.MEASUREMENT and draw(st.booleans()):
        named, value = draw(st.sampled_from(_MEASURED)), draw(st.none() | values())
    related: tuple[Criterion, ...] = ()
    if depth and draw(st.sampled_from((False, False, True))):
        inner = criteria(depth - 1, indexed=indexed, anchors=list(Anchor))
        related = tuple(draw(st.lists(inner, min_size=1, max_size=2)))
    return Events(
        domain=domain,
        codes=named,
        occurrence=draw(st.sampled_from(Occurrence)),
        dates=draw(_seldom(dates())),
        age=draw(_seldom(ages())),
        value=value,
        related=related,
    )


@st.composite
def event_criteria(
    draw: st.DrawFn, depth: int, *, indexed: bool, anchors: list[Anchor]
) -> EventCriterion:
    """Events in a window; without an index, anchored at the event around them."""
    anchor = draw(st.sampled_from(anchors)) if indexed else Anchor.EVENT
    found, window = draw(events(depth, indexed=indexed)), draw(windows())
    if found.domain is Domain.MEASUREMENT and found.codes is not None and draw(st.booleans()):
        order = draw(st.sampled_from((Occurrence.FIRST, Occurrence.LAST)))
        return EventCriterion(found, window, anchor, Count(), EdgeValue(order, draw(values())))
    return EventCriterion(found, window, anchor, draw(counts()))


@st.composite
def observed(draw: st.DrawFn) -> ObservedCriterion:
    """Spans around the anchor that some periods of observation cover."""
    earliest = draw(st.integers(-20, 10))
    return ObservedCriterion(Window(earliest, earliest + draw(st.integers(0, 30))))


@st.composite
def moments(draw: st.DrawFn, depth: int) -> EventCriterion:
    """Events after index of which the first counts."""
    earliest = draw(st.integers(0, 10))
    latest = draw(st.none() | st.integers(earliest, earliest + 60))
    return EventCriterion(draw(events(depth, indexed=True)), Window(earliest, latest))


@st.composite
def follow_ups(draw: st.DrawFn) -> FollowUp:
    """Every way to end watching."""
    exits = draw(_seldom(st.lists(moments(1), min_size=1, max_size=2)))
    return FollowUp(draw(st.integers(1, 3)), draw(st.sampled_from(Censoring)), tuple(exits or ()))


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
        st.sampled_from(Sex).map(SexCriterion),
        ages().map(AgeCriterion),
        dates().map(DateCriterion),
        observed(),
    )
    if not depth:
        return st.one_of(event, event, simple)
    group = groups(depth, indexed=indexed, anchors=given)
    return st.one_of(event, event, event, group, group, simple)


@st.composite
def questions(draw: st.DrawFn, depth: int = 2) -> Question:
    """Whole questions with up to two steps, three arms and a subgroup."""
    index = draw(events(depth, indexed=False))
    asked = criteria(depth)
    steps = draw(st.lists(asked, max_size=2))
    number = draw(st.sampled_from((1, 2, 3, 0)))
    arms = draw(st.lists(asked, min_size=number, max_size=number))
    outcome = draw(_seldom(moments(1).filter(_is_no_death))) or DEATH
    levels = draw(_seldom(st.lists(asked, min_size=2, max_size=2)))
    lines = draw(_seldom(st.lists(st.sampled_from(_FREQUENT), max_size=3, unique=True)))
    follow_up = draw(follow_ups())
    cohort = Cohort(index, tuple(Step(f"step {n}", step) for n, step in enumerate(steps)))
    named = tuple(Arm(f"arm {n}", arm) for n, arm in enumerate(arms))
    halves = tuple(Arm(f"level {n}", level) for n, level in enumerate(levels or ()))
    treated = tuple(Events(Domain.DRUG, name) for name in lines or ())
    return Question(
        codes=sets_of(cohort, (*named, *halves), (outcome, *follow_up.exits), treated),
        cohort=cohort,
        arms=named,
        outcome=outcome,
        follow_up=follow_up,
        subgroups=(Subgroup("half", halves),) if halves else (),
        lines=treated,
    )


def describing(months: int) -> tuple[Need, ...]:
    """Every way to describe a cohort; two years, of which the people's days meet one or both."""
    sets = tuple(
        codes for codes in SETS if "LOINC" not in {code.vocabulary for code in codes.include}
    )
    tests = (
        LabTest("1975-2", "mg/dL", (0.1, 1.0, 2.0)),
        LabTest("6301-6", "{INR}", (0.1, 2.5)),
        LabTest("718-7", "g/L", (1.0,)),
    )
    return (
        *(DemographicsNeed(), RaceNeed(), FollowUpNeed(months), PathwaysNeed()),
        *(ArrivalNeed(Years(2019, 2020)), ArrivalNeed(Years(2020, 2020))),
        *(CalendarNeed(Years(2019, 2020)), CalendarNeed(Years(2018, 2019))),
        *(CodesNeed(domain, sets) for domain in (Domain.CONDITION, Domain.PROCEDURE, Domain.DRUG)),
        *(LabsNeed(tests), LabsNeed(tests[1:2])),
    )


def sets_of(
    cohort: Cohort,
    groups: Iterable[Arm] = (),
    moments: Iterable[EventCriterion] = (),
    lines: Iterable[Events] = (),
) -> tuple[ConceptSet, ...]:
    """The concept sets that the parts of a question name."""
    used = sets_named(cohort, tuple(groups), tuple(moments), tuple(lines))
    return tuple(codes for codes in SETS if codes.name in used)


def _is_no_death(moment: EventCriterion) -> bool:
    return moment.events.domain is not Domain.DEATH
