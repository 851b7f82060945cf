"""Compiles a question into one SQL statement that passes once over a site's tables.

The statement returns one row per group of patients: which steps and arms hold (a bit for each step
in order, then for each arm), day and kind of the end of follow-up, and the number of patients.
Every need of a round is counted from these groups.

Criteria that ask about the same kind of fact around the same anchor share one join and one
aggregation; only an event with conditions of its own, or a first or last one, becomes a relation
of its own. Whatever comes from the question enters as a parameter, never as text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, assert_never

import numpy as np

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
    Sex,
    SexCriterion,
)
from simulator.language.study import Question, all_events
from simulator.language.windows import AgeRange, Count, DateRange, Window
from simulator.site.concepts import Resolution
from simulator.site.tables import EVENT_TABLES

_GENDER: Final = {Sex.FEMALE: 8532, Sex.MALE: 8507}


@dataclass(frozen=True)
class Statement:
    """SQL with named parameters."""

    sql: str
    parameters: dict[str, object]


def compile_question(
    question: Question, resolution: Resolution, *, death_by_month: bool
) -> Statement:
    """The statement that answers every need about a question.

    Args:
        question: What is asked.
        resolution: The site's concepts for the question's concept sets.
        death_by_month: Whether the site knows of a death only its month.

    Returns:
        A statement whose result has the columns held, days, event and patients.
    """
    return _Compiler(question, resolution, death_by_month=death_by_month).statement()


@dataclass(frozen=True)
class _Anchors:
    """A relation of anchors with the columns id, person_id, day and, if indexed, index_day."""

    relation: str
    indexed: bool


@dataclass
class _Tally:
    """Counts of facts around the anchors of one relation, in one join and one aggregation."""

    name: str
    source: str
    columns: dict[str, str] = field(default_factory=dict)
    needs_person: bool = False


class _Compiler:
    """Gathers common table expressions and parameters while it walks a question."""

    def __init__(self, question: Question, resolution: Resolution, *, death_by_month: bool) -> None:
        self._question = question
        self._resolution = resolution
        self._death_by_month = death_by_month
        self._relations: list[tuple[str, str]] = []
        self._parameters: dict[str, object] = {}
        self._names = 0
        # Deaths are always looked at: they end follow-up.
        kinds = {(events.domain, events.codes): None for events in all_events(question)}
        kinds[Domain.DEATH, None] = None
        self._bits = {kind: 1 << position for position, kind in enumerate(kinds)}
        self._watched = 1 << len(kinds)

    def statement(self) -> Statement:
        """The whole statement."""
        self._add_people()
        self._add_facts()
        self._add_index()
        counted = self._counted()
        text = ",\n".join(f"{name} AS {sql}" for name, sql in self._relations)
        return Statement(f"WITH {text}\n{counted}", self._parameters)

    # -- small things -------------------------------------------------------------------------

    def _value(self, value: object, kind: str) -> str:
        """A reference to a parameter of an SQL type; equal values share one."""
        for name, known in self._parameters.items():
            if type(known) is type(value) and known == value:
                return f"${name}::{kind}"
        name = f"p{len(self._parameters)}"
        self._parameters[name] = value
        return f"${name}::{kind}"

    def _add(self, name: str, sql: str, *, kept: bool = False) -> str:
        """A relation; one that is `kept` is computed once however often it is read."""
        self._relations.append((name, f"{'MATERIALIZED ' if kept else ''}({sql})"))
        return name

    def _fresh(self, stem: str) -> str:
        self._names += 1
        return f"{stem}_{self._names}"

    # -- facts --------------------------------------------------------------------------------

    def _add_people(self) -> None:
        """Whoever has any event that could be the index: nobody else is looked at again."""
        index = self._question.cohort.index
        place = EVENT_TABLES[index.domain]
        where = f"{place.date} IS NOT NULL"
        if index.codes is not None:
            ids = self._value(self._resolution.members(index.codes), "BIGINT[]")
            found = " OR ".join(f"list_contains({ids}, {column})" for column in place.concepts)
            where += f" AND ({found})"
        self._add(
            "people", f"SELECT DISTINCT person_id FROM {place.table} WHERE {where}", kept=True
        )

    def _add_facts(self) -> None:
        """The dated facts of these people, each with a bit for every kind that is asked for."""
        masks = np.zeros_like(self._resolution.masks)
        for (_, codes), bit in self._bits.items():
            if codes is not None:
                member = self._resolution.masks & self._resolution.bit(codes)
                masks |= np.where(member != 0, bit, 0)
        ids = self._value(self._resolution.concept_ids.tolist(), "BIGINT[]")
        bits = self._value(masks.tolist(), "BIGINT[]")
        self._add("codes", f"SELECT unnest({ids}) AS concept_id, unnest({bits}) AS mask")
        domains = [domain for domain in Domain if any(domain is kind for kind, _ in self._bits)]
        branches = [*(self._recorded(domain) for domain in domains), self._periods()]
        self._add("recorded", " UNION ALL ".join(branches))
        mask = "((coalesce(c.mask, 0) | coalesce(s.mask, 0)) & r.coded) | r.always"
        self._add(
            "facts",
            f"SELECT r.person_id, r.id, r.day, r.until, {mask} AS mask FROM recorded r"
            " LEFT JOIN codes c ON c.concept_id = r.concept_id"
            " LEFT JOIN codes s ON s.concept_id = r.source_id AND r.source_id IS DISTINCT FROM r.concept_id"
            f" WHERE ({mask}) <> 0",
            kept=True,
        )

    def _recorded(self, domain: Domain) -> str:
        """The facts of one table, with the bits that their codes or mere presence may give."""
        place = EVENT_TABLES[domain]
        day, once = f"t.{place.date}", ""
        if domain is Domain.DEATH:
            # A death happens once, on the earliest day recorded.
            day, once = f"min({day})", " GROUP BY t.person_id"
            if self._death_by_month:
                day = _middle_of_month(day)
        standard, source = (f"t.{column}" for column in place.concepts or ("0", "0"))
        if not place.concepts:
            standard, source = "0", "0"
        coded = sum(
            bit for (kind, codes), bit in self._bits.items() if kind is domain and codes is not None
        )
        return (
            f"SELECT t.person_id, t.{place.identifier} AS id, {day} AS day, NULL::DATE AS until,"
            f" {standard} AS concept_id, {source} AS source_id,"
            f" {coded}::BIGINT AS coded, {self._bits.get((domain, None), 0)}::BIGINT AS always"
            f" FROM {place.table} t SEMI JOIN people USING (person_id)"
            f" WHERE t.{place.date} IS NOT NULL{once}"
        )

    def _periods(self) -> str:
        """Periods of observation, as facts that last until a day."""
        return (
            "SELECT t.person_id, t.observation_period_id AS id,"
            " t.observation_period_start_date AS day, t.observation_period_end_date AS until,"
            " 0 AS concept_id, 0 AS source_id, 0::BIGINT AS coded,"
            f" {self._watched}::BIGINT AS always"
            " FROM observation_period t SEMI JOIN people USING (person_id)"
        )

    def _events(self, events: Events, *, indexed: bool) -> tuple[str, str | None]:
        """The relation of the events that fit, and what is left to ask of each as a condition.

        Plain events stay a condition on the facts, so that many of them can share one join; events
        with conditions of their own become a relation that needs no condition.
        """
        condition = self._own_condition(events)
        if events.occurrence is Occurrence.ANY and not events.related:
            return "facts", condition
        anchors = self._candidates(events, condition, indexed=indexed)
        flags, source = self._conditions(anchors, events.related)
        edge = {Occurrence.ANY: None, Occurrence.FIRST: "min", Occurrence.LAST: "max"}
        function = edge[events.occurrence]
        qualify = (
            f" QUALIFY a.day = {function}(a.day) OVER (PARTITION BY a.person_id)"
            if function
            else ""
        )
        name = self._add(
            self._fresh("fitting"),
            f"SELECT a.person_id, a.id, a.day FROM {source}"
            f" WHERE {' AND '.join(flags) or 'true'}{qualify}",
        )
        return name, None

    def _candidates(self, events: Events, condition: str, *, indexed: bool) -> _Anchors:
        person = " JOIN person p ON p.person_id = e.person_id" if events.age else ""
        index, column = "", ""
        if indexed:
            index = " JOIN index_event i ON i.person_id = e.person_id"
            column = ", i.day AS index_day"
        relation = self._add(
            self._fresh("candidate"),
            f"SELECT e.id, e.person_id, e.day{column} FROM facts e{person}{index}"
            f" WHERE {condition}",
        )
        return _Anchors(relation, indexed)

    def _own_condition(self, events: Events) -> str:
        """Codes, dates and age of an event `e` (and person `p` where an age is asked)."""
        parts = [f"e.mask & {self._bits[events.domain, events.codes]} <> 0"]
        if events.dates is not None:
            parts.append(self._dates("e.day", events.dates))
        if events.age is not None:
            parts.append(self._age("e.day", events.age))
        return " AND ".join(parts)

    # -- criteria -----------------------------------------------------------------------------

    def _conditions(
        self, anchors: _Anchors, criteria: tuple[Criterion, ...], **sought: str
    ) -> tuple[list[str], str]:
        """A condition for each criterion at the anchors `a`, and the FROM clause that it needs.

        An anchor is itself a fact, so that counting facts around anchors loses none of them: the
        counts of facts become columns of the anchors, and so does whatever else is `sought` of
        them by name. Other relations are counted beside them.
        """
        tallies: dict[str, _Tally] = {}
        if sought:
            columns = {text: name for name, text in sought.items()}
            tallies["facts"] = _Tally(self._fresh("tally"), "facts", columns)
        conditions = [self._condition(anchors, criterion, tallies) for criterion in criteria]
        source = f"{anchors.relation} a"
        if "facts" in tallies:
            source = f"{self._add_tally(anchors, tallies.pop('facts'))} a"
        for tally in tallies.values():
            source += f" LEFT JOIN {self._add_tally(anchors, tally)} ON {tally.name}.anchor = a.id"
        if any(_asks_person(criterion) for criterion in criteria):
            source += " LEFT JOIN person p ON p.person_id = a.person_id"
        return conditions, source

    def _add_tally(self, anchors: _Anchors, tally: _Tally) -> str:
        columns = "".join(f", {text} AS {name}" for text, name in tally.columns.items())
        person = " JOIN person p ON p.person_id = a.person_id" if tally.needs_person else ""
        kept = "a.id AS anchor"
        if tally.source == "facts":
            kept = f"a.id, a.person_id, a.day{', a.index_day' if anchors.indexed else ''}"
        return self._add(
            tally.name,
            f"SELECT {kept}{columns} FROM {anchors.relation} a"
            f" JOIN {tally.source} e ON e.person_id = a.person_id{person} GROUP BY ALL",
        )

    def _condition(
        self, anchors: _Anchors, criterion: Criterion, tallies: dict[str, _Tally]
    ) -> str:
        match criterion:
            case EventCriterion():
                return self._event_condition(anchors, criterion, tallies)
            case Group():
                members = [
                    self._condition(anchors, member, tallies) for member in criterion.members
                ]
                return _group_condition(criterion, members)
            case SexCriterion(sex=sex):
                return f"coalesce(p.gender_concept_id = {_GENDER[sex]}, false)"
            case AgeCriterion(age=age):
                return f"coalesce({self._age('a.day', age)}, false)"
            case DateCriterion(dates=dates):
                return self._dates("a.day", dates)
            case _:
                assert_never(criterion)

    def _event_condition(
        self, anchors: _Anchors, criterion: EventCriterion, tallies: dict[str, _Tally]
    ) -> str:
        events = criterion.events
        source, condition = self._events(events, indexed=anchors.indexed)
        if source not in tallies:
            tallies[source] = _Tally(self._fresh("tally"), source)
        tally = tallies[source]
        tally.needs_person |= events.age is not None and condition is not None
        anchor = "a.day"
        if criterion.anchor is Anchor.INDEX:
            anchor = "a.index_day"
        parts = [condition] if condition else []
        parts += self._window(self._day(events.domain, "e.day", anchor), anchor, criterion.window)
        where = " AND ".join(parts) or "true"
        counted = "DISTINCT e.day" if criterion.count.distinct_days else "*"
        text = f"count({counted}) FILTER (WHERE {where})"
        column = tally.columns.setdefault(text, f"n{len(tally.columns)}")
        number = f"a.{column}" if source == "facts" else f"coalesce({tally.name}.{column}, 0)"
        return _count_condition(number, criterion.count)

    def _day(self, domain: Domain, day: str, anchor: str) -> str:
        """The day of an event; a death by month is never before an anchor in its month."""
        if domain is Domain.DEATH and self._death_by_month:
            return _never_before_in_month(day, anchor)
        return day

    def _window(self, day: str, anchor: str, window: Window) -> list[str]:
        parts = []
        if window.earliest is not None:
            parts.append(f"{day} >= {anchor} + {self._value(window.earliest, 'INTEGER')}")
        if window.latest is not None:
            parts.append(f"{day} <= {anchor} + {self._value(window.latest, 'INTEGER')}")
        return parts

    def _dates(self, day: str, dates: DateRange) -> str:
        parts = []
        if dates.earliest is not None:
            parts.append(f"{day} >= {self._value(dates.earliest, 'DATE')}")
        if dates.latest is not None:
            parts.append(f"{day} <= {self._value(dates.latest, 'DATE')}")
        return " AND ".join(parts) or "true"

    def _age(self, day: str, age: AgeRange) -> str:
        years = f"year({day}) - p.year_of_birth"
        parts = [f"{years} IS NOT NULL"]
        if age.at_least is not None:
            parts.append(f"{years} >= {self._value(age.at_least, 'INTEGER')}")
        if age.at_most is not None:
            parts.append(f"{years} <= {self._value(age.at_most, 'INTEGER')}")
        return " AND ".join(parts)

    # -- the question -------------------------------------------------------------------------

    def _add_index(self) -> None:
        """One index per patient: the first or the last day with an event that fits."""
        index = self._question.cohort.index
        anchors = self._candidates(index, self._own_condition(index), indexed=False)
        flags, source = self._conditions(anchors, index.related)
        edge = "min" if index.occurrence is Occurrence.FIRST else "max"
        self._add(
            "index_event",
            f"SELECT a.person_id AS id, a.person_id, {edge}(a.day) AS day,"
            f" {edge}(a.day) AS index_day FROM {source}"
            f" WHERE {' AND '.join(flags) or 'true'} GROUP BY a.person_id",
            kept=True,
        )

    def _counted(self) -> str:
        """Patients per set of conditions held, day and kind of the end of follow-up."""
        steps = [step.require for step in self._question.cohort.steps]
        arms = [arm.require for arm in self._question.arms]
        conditions, source = self._conditions(
            _Anchors("index_event", indexed=True),
            (*steps, *arms),
            died=f"min(e.day) FILTER (WHERE e.mask & {self._bits[Domain.DEATH, None]} <> 0)",
            ended=(
                f"max(e.until) FILTER (WHERE e.mask & {self._watched} <> 0"
                " AND a.day BETWEEN e.day AND e.until)"
            ),
        )
        held = (
            " + ".join(
                f"CASE WHEN {text} THEN {1 << place} ELSE 0 END"
                for place, text in enumerate(conditions)
            )
            or "0"
        )
        died = self._day(Domain.DEATH, "a.died", "a.day")
        last_day = "last_day(a.ended)" if self._death_by_month else "a.ended"
        self._add(
            "patient",
            f"SELECT {held} AS held, a.day, a.ended, {died} AS died,"
            f" coalesce({died} <= {last_day}, false) AS event FROM {source}",
        )
        days = "coalesce(greatest(0, CASE WHEN event THEN died ELSE ended END - day), 0)"
        return f"SELECT held, {days} AS days, event, count(*) AS patients FROM patient GROUP BY ALL"


def _middle_of_month(day: str) -> str:
    return f"(date_trunc('month', {day})::DATE + 14)"


def _never_before_in_month(day: str, anchor: str) -> str:
    """The day, or the anchor where the anchor is later in the same calendar month."""
    same = f"date_trunc('month', {day}) = date_trunc('month', {anchor})"
    return f"(CASE WHEN {same} THEN greatest({day}, {anchor}) ELSE {day} END)"


def _asks_person(criterion: Criterion) -> bool:
    match criterion:
        case Group(members=members):
            return any(_asks_person(member) for member in members)
        case SexCriterion() | AgeCriterion():
            return True
        case _:
            return False


def _group_condition(group: Group, members: list[str]) -> str:
    least, most = group.bounds
    everyone = len(members)
    if least == everyone:
        return "(" + " AND ".join(members) + ")"
    if most == 0:
        return "NOT (" + " OR ".join(members) + ")"
    if (least, most) == (1, everyone):
        return "(" + " OR ".join(members) + ")"
    held = " + ".join(f"({member})::INTEGER" for member in members)
    return f"({held} BETWEEN {least} AND {most})"


def _count_condition(number: str, count: Count) -> str:
    if count.at_most is None:
        return f"({number} >= {count.at_least})"
    return f"({number} BETWEEN {count.at_least} AND {count.at_most})"
