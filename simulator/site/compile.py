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
from typing import assert_never

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
    SexCriterion,
)
from simulator.language.study import Question
from simulator.site.concepts import Resolution
from simulator.site.expressions import (
    Parameters,
    count_condition,
    group_condition,
    is_of_sex,
    never_before_in_month,
)
from simulator.site.facts import Facts


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
        self._facts = Facts(question, resolution, death_by_month)
        self._relations: list[tuple[str, str]] = []
        self._parameters = Parameters()
        self._names = 0

    def statement(self) -> Statement:
        """The whole statement."""
        self._add("people", self._facts.people(self._parameters), kept=True)
        self._add("codes", self._facts.codes(self._parameters))
        self._add("recorded", self._facts.recorded())
        self._add("facts", self._facts.facts(), kept=True)
        self._add_index()
        counted = self._counted()
        text = ",\n".join(f"{name} AS {sql}" for name, sql in self._relations)
        return Statement(f"WITH {text}\n{counted}", self._parameters.values)

    # -- small things -------------------------------------------------------------------------

    def _add(self, name: str, sql: str, *, kept: bool = False) -> str:
        """A relation; one that is `kept` is computed once however often it is read."""
        self._relations.append((name, f"{'MATERIALIZED ' if kept else ''}({sql})"))
        return name

    def _fresh(self, stem: str) -> str:
        self._names += 1
        return f"{stem}_{self._names}"

    # -- facts --------------------------------------------------------------------------------

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
        parts = [f"e.mask & {self._facts.bit(events)} <> 0"]
        if events.dates is not None:
            parts.append(self._parameters.dates("e.day", events.dates))
        if events.age is not None:
            parts.append(self._parameters.age("e.day", events.age))
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
                return group_condition(criterion, members)
            case SexCriterion(sex=sex):
                return is_of_sex(sex)
            case AgeCriterion(age=age):
                return f"coalesce({self._parameters.age('a.day', age)}, false)"
            case DateCriterion(dates=dates):
                return self._parameters.dates("a.day", dates)
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
        day = self._day(events.domain, "e.day", anchor)
        parts += self._parameters.window(day, anchor, criterion.window)
        where = " AND ".join(parts) or "true"
        counted = "DISTINCT e.day" if criterion.count.distinct_days else "*"
        text = f"count({counted}) FILTER (WHERE {where})"
        column = tally.columns.setdefault(text, f"n{len(tally.columns)}")
        number = f"a.{column}" if source == "facts" else f"coalesce({tally.name}.{column}, 0)"
        return count_condition(number, criterion.count)

    def _day(self, domain: Domain, day: str, anchor: str) -> str:
        """The day of an event; a death by month is never before an anchor in its month."""
        if domain is Domain.DEATH and self._facts.death_by_month:
            return never_before_in_month(day, anchor)
        return day

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
            died=f"min(e.day) FILTER (WHERE e.mask & {self._facts.bit(Events(Domain.DEATH))} <> 0)",
            ended=(
                f"max(e.until) FILTER (WHERE e.mask & {self._facts.watched} <> 0"
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
        last_day = "last_day(a.ended)" if self._facts.death_by_month else "a.ended"
        self._add(
            "patient",
            f"SELECT {held} AS held, a.day, a.ended, {died} AS died,"
            f" coalesce({died} <= {last_day}, false) AS event FROM {source}",
        )
        days = "coalesce(greatest(0, CASE WHEN event THEN died ELSE ended END - day), 0)"
        return f"SELECT held, {days} AS days, event, count(*) AS patients FROM patient GROUP BY ALL"


def _asks_person(criterion: Criterion) -> bool:
    match criterion:
        case Group(members=members):
            return any(_asks_person(member) for member in members)
        case SexCriterion() | AgeCriterion():
            return True
        case _:
            return False
