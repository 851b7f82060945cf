"""Criteria as SQL conditions, with the relations that they need.

Only an event with conditions of its own, or a first or last one, becomes a relation of its own; all
others share one join (see `simulator.site.gathering`). Whatever comes from the question enters as a
parameter, never as text.
"""

from __future__ import annotations

from typing import Final, assert_never

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
    SexCriterion,
)
from simulator.language.walk import edge_kinds, events_of
from simulator.site.expressions import (
    Parameters,
    count_condition,
    group_condition,
    is_of_sex,
    never_before_in_month,
)
from simulator.site.facts import Facts
from simulator.site.gathering import FACTS, Anchors, Gathering

EDGE: Final = {Occurrence.ANY: "", Occurrence.FIRST: "min", Occurrence.LAST: "max"}


class Conditions:
    """Gathers common table expressions and parameters while criteria are put into SQL.

    Args:
        facts: The kinds of fact that the question asks about.
        many: Whether a patient may have several indexes.
    """

    def __init__(self, facts: Facts, *, many: bool) -> None:
        self.facts = facts
        self.many = many
        self.relations: list[tuple[str, str]] = []
        # Relations of events that were chosen anew for each of a patient's indexes.
        self.by_index: set[str] = set()
        self.parameters = Parameters()
        self._names = 0

    def add(self, name: str, sql: str, *, kept: bool = False) -> str:
        """A relation; one that is `kept` is computed once however often it is read."""
        self.relations.append((name, f"{'MATERIALIZED ' if kept else ''}({sql})"))
        return name

    def fresh(self, stem: str) -> str:
        """A name that no relation has yet."""
        self._names += 1
        return f"{stem}_{self._names}"

    def events(self, events: Events, *, indexed: bool) -> tuple[str, str | None]:
        """The relation of the events that fit, and what is left to ask of each as a condition.

        Plain events stay a condition on the facts, so that many of them can share one join; events
        with conditions of their own become a relation that needs no condition.
        """
        condition = self.own_condition(events)
        if events.occurrence is Occurrence.ANY and not events.related:
            return FACTS, condition
        indexed = indexed and not (self.many and not _refers_to_index(events))
        anchors = self.candidates(events, condition, indexed=indexed)
        flags, source = self.conditions(anchors, events.related)
        function = EDGE[events.occurrence]
        whose = "index_id" if "index_id" in anchors.key else "person_id"
        qualify = (
            f" QUALIFY a.day = {function}(a.day) OVER (PARTITION BY a.{whose})" if function else ""
        )
        kept = ", ".join(f"a.{column}" for column in dict.fromkeys(("person_id", whose, "day")))
        mask = ", a.mask" if "mask" in anchors.extra else ""
        name = self.add(
            self.fresh("fitting"),
            f"SELECT {kept}{mask} FROM {source} WHERE {' AND '.join(flags) or 'true'}{qualify}",
        )
        self.by_index |= {name} if "index_id" in anchors.key else set()
        return name, None

    def candidates(self, events: Events, condition: str, *, indexed: bool) -> Anchors:
        """The relation of the facts `e` for which a condition holds, as anchors."""
        person = " JOIN person p ON p.person_id = e.person_id" if events.age else ""
        extra = ("mask",) if events.domain is Domain.MEASUREMENT else ()
        index, columns = "", "".join(f", e.{column}" for column in extra)
        if indexed:
            index = " JOIN index_event i ON i.person_id = e.person_id"
            columns += ", i.day AS index_day" + (", i.index_id" if self.many else "")
        relation = self.add(
            self.fresh("candidate"),
            f"SELECT e.id, e.person_id, e.day{columns} FROM facts e{person}{index}"
            f" WHERE {condition}",
        )
        return Anchors(relation, indexed, self.many, extra)

    def own_condition(self, events: Events) -> str:
        """Codes, value, dates and age of an event `e` (and person `p` where an age is asked)."""
        parts = [f"e.mask & {self.facts.bit(events)} <> 0"]
        if events.dates is not None:
            parts.append(self.parameters.dates("e.day", events.dates))
        if events.age is not None:
            parts.append(self.parameters.age("e.day", events.age))
        return " AND ".join(parts)

    def conditions(
        self, anchors: Anchors, criteria: tuple[Criterion, ...]
    ) -> tuple[list[str], str]:
        """A condition for each criterion at the anchors `a`, and the FROM clause that it needs."""
        gathering = Gathering(anchors, self.fresh, self.by_index)
        conditions = [self.condition(gathering, criterion) for criterion in criteria]
        return conditions, gathering.source(self.add)

    def condition(self, gathering: Gathering, criterion: Criterion) -> str:
        """Whether a criterion holds at the anchors `a`; never unknown."""
        match criterion:
            case EventCriterion():
                return self._event_condition(gathering, criterion)
            case Group():
                members = [self.condition(gathering, member) for member in criterion.members]
                return group_condition(criterion, members)
            case SexCriterion(sex=sex):
                gathering.needs_person = True
                return is_of_sex(sex)
            case AgeCriterion(age=age):
                gathering.needs_person = True
                return f"coalesce({self.parameters.age('a.day', age)}, false)"
            case DateCriterion(dates=dates):
                return self.parameters.dates("a.day", dates)
            case ObservedCriterion():
                return self._observed(gathering, criterion)
            case _:
                assert_never(criterion)

    def _observed(self, gathering: Gathering, criterion: ObservedCriterion) -> str:
        earliest, latest = (
            self.parameters.refer(day, "INTEGER")
            for day in (criterion.window.earliest, criterion.window.latest)
        )
        number = gathering.column(
            FACTS,
            f"count(*) FILTER (WHERE e.mask & {self.facts.watched} <> 0"
            f" AND e.day <= a.day + {earliest} AND e.until >= a.day + {latest})",
        )
        return f"({number} >= 1)"

    def _event_condition(self, gathering: Gathering, criterion: EventCriterion) -> str:
        if criterion.edge is not None:
            return self._edge_condition(gathering, criterion, criterion.edge)
        counted = "DISTINCT e.day" if criterion.count.distinct_days else "*"
        number = self.over_events(gathering, criterion, f"count({counted})", counts=True)
        return count_condition(number, criterion.count)

    def _edge_condition(
        self, gathering: Gathering, criterion: EventCriterion, edge: EdgeValue
    ) -> str:
        """Whether the first or last day with a value has one in the range.

        Day and answer are kept in one whole number, the answer in its last bit, so that the
        greatest or least of these numbers gives the answer of the day at the edge.
        """
        usable, inside = (self.facts.bits[kind] for kind in edge_kinds(criterion.events, edge))
        answer = f"(e.mask & {inside} <> 0)::INTEGER"
        if edge.occurrence is Occurrence.FIRST:
            answer = f"(1 - {answer})"
        function = EDGE[edge.occurrence]
        number = self.over_events(
            gathering,
            criterion,
            f"{function}(({{day}} - DATE '1970-01-01') * 2 + {answer})",
            f"e.mask & {usable} <> 0",
        )
        wanted = 0 if edge.occurrence is Occurrence.FIRST else 1
        return f"coalesce({number} & 1 = {wanted}, false)"

    def over_events(
        self,
        gathering: Gathering,
        criterion: EventCriterion,
        aggregate: str,
        also: str = "",
        *,
        counts: bool = False,
    ) -> str:
        """A reference to an aggregate over the events that fit and lie in the window.

        In the aggregate ``{day}`` stands for the day of the event. `also` is a further condition of
        the events; where `counts`, the aggregate is 0 where there is none of them.
        """
        events, anchors = criterion.events, gathering.anchors
        source, condition = self.events(events, indexed=anchors.indexed)
        anchor = "a.index_day" if criterion.anchor is Anchor.INDEX else "a.day"
        parts = [text for text in (condition, also) if text]
        day = self.day(events.domain, "e.day", anchor)
        parts += self.parameters.window(day, anchor, criterion.window)
        where = " AND ".join(parts) or "true"
        refer = gathering.count if counts else gathering.column
        return refer(
            source,
            f"{aggregate.format(day=day)} FILTER (WHERE {where})",
            person=events.age is not None and condition is not None,
        )

    def day(self, domain: Domain, day: str, anchor: str) -> str:
        """The day of an event; a death by month is never before an anchor in its month."""
        if domain is Domain.DEATH and self.facts.death_by_month:
            return never_before_in_month(day, anchor)
        return day


def _refers_to_index(events: Events) -> bool:
    """Whether the choice of such events depends on the index, and not on the patient alone."""
    return any(
        event.anchor is Anchor.INDEX
        for criterion in events.related
        for event in events_of(criterion)
    )
