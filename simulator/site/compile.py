"""Compiles a question into one SQL statement that passes once over a site's tables.

The statement's relations lead up to `patient`: one row for each person with an index, with the
steps, arms and levels that hold (a bit for each, in that order) and the end of follow-up. Endings
(see `simulator.site.endings`) count these rows; no row leaves the statement uncounted. Criteria are
put into SQL by `simulator.site.conditions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.language.criteria import Domain, Events, Occurrence
from simulator.language.study import Censoring, Question
from simulator.language.walk import all_groups
from simulator.site.concepts import Resolution
from simulator.site.conditions import EDGE, Conditions
from simulator.site.endings import Ending
from simulator.site.facts import Facts
from simulator.site.gathering import FACTS, Anchors, Gathering
from simulator.site.worth import Worth


@dataclass(frozen=True)
class Statement:
    """SQL with named parameters."""

    sql: str
    parameters: dict[str, object]


@dataclass(frozen=True)
class Known:
    """What a site knows before it compiles a question.

    Attributes:
        resolution: Its concepts for the question's concept sets.
        worth: What its units are worth.
        death_by_month: Whether it knows of a death only its month.
    """

    resolution: Resolution
    worth: Worth
    death_by_month: bool


def compile_question(
    question: Question, known: Known, endings: Sequence[Ending], *, every_event: bool = False
) -> Statement:
    """The statement that answers every need about a question.

    Args:
        question: What is asked.
        known: What the site knows.
        endings: What is counted, each of the patients; the rows of ending k have `need` = k.
        every_event: Whether each event that may be the index is counted as an entry of its own.

    Returns:
        A statement whose result has the columns that `Ending` describes.
    """
    return _Compiler(question, known, every_event=every_event).statement(endings)


class _Compiler:
    """Puts the parts of a question together."""

    def __init__(self, question: Question, known: Known, *, every_event: bool) -> None:
        self._question = question
        self._facts = Facts(question, known.resolution, known.worth, known.death_by_month)
        self._every_event = every_event
        self._many = every_event or question.cohort.index.occurrence is Occurrence.ANY
        self._made = Conditions(self._facts, many=self._many)

    def statement(self, endings: Sequence[Ending]) -> Statement:
        """The whole statement."""
        self._made.add("people", self._facts.people(self._made.parameters), kept=True)
        self._made.add("codes", self._facts.codes(self._made.parameters))
        if self._facts.worth.asked:
            self._made.add("units", self._facts.units(self._made.parameters))
        self._made.add("recorded", self._facts.recorded())
        self._made.add(FACTS, self._facts.facts(self._made.parameters), kept=True)
        self._add_index()
        self._add_patients(kept=len(endings) > 1)
        counted = " UNION ALL ".join(
            ending(place, self._made.parameters) for place, ending in enumerate(endings)
        )
        text = ",\n".join(f"{name} AS {sql}" for name, sql in self._made.relations)
        return Statement(f"WITH {text}\n{counted}", self._made.parameters.values)

    def _add_index(self) -> None:
        """The index of each patient: the first or last day with an event that fits, or all days."""
        index = self._question.cohort.index
        anchors = self._made.candidates(index, self._made.own_condition(index), indexed=False)
        flags, source = self._made.conditions(anchors, index.related)
        where = f"FROM {source} WHERE {' AND '.join(flags) or 'true'}"
        edge = EDGE[index.occurrence]
        if self._many:
            each = f"SELECT a.person_id, a.day, count(*) AS events {where} GROUP BY ALL"
            sql = (
                "SELECT i.id, i.id AS index_id, person_id, day, day AS index_day, events FROM"
                f" (SELECT row_number() OVER (ORDER BY person_id, day) AS id, * FROM ({each})) i"
            )
        else:
            sql = (
                f"SELECT a.person_id AS id, a.person_id, {edge}(a.day) AS day,"
                f" {edge}(a.day) AS index_day {where} GROUP BY a.person_id"
            )
        self._made.add("index_event", sql, kept=True)

    def _add_patients(self, *, kept: bool) -> None:
        """One row for each patient, or for each day with an index event where all are counted."""
        question = self._question
        extra = ("events",) if self._many else ()
        anchors = Anchors("index_event", indexed=True, many=self._many, extra=extra)
        gathering = Gathering(anchors, self._made.fresh, self._made.by_index)
        steps = [self._made.condition(gathering, step.require) for step in question.cohort.steps]
        groups = [self._made.condition(gathering, group.require) for group in all_groups(question)]
        follow_up = self._follow_up(gathering)
        lines = self._lines(gathering)
        seen, join = self._seen()
        source = gathering.source(self._made.add)
        columns = ", ".join(
            [
                *("a.person_id", "a.day", *(f"a.{name}" for name in extra)),
                f"{_bits([*steps, *groups])} AS held",
                *(f"{text} AS {name}" for name, text in (follow_up | seen | lines).items()),
            ]
        )
        self._made.add("followed", f"SELECT {columns} FROM {source}{join}")
        self._made.add("patient", self._ended(len(steps)), kept=kept)

    def _follow_up(self, gathering: Gathering) -> dict[str, str]:
        """Columns for death, the end of observation, the first exit and the first outcome."""
        facts, question = self._facts, self._question
        died = gathering.column(
            FACTS, f"min(e.day) FILTER (WHERE e.mask & {facts.bit(Events(Domain.DEATH))} <> 0)"
        )
        ended = gathering.column(
            FACTS,
            f"max(e.until) FILTER (WHERE e.mask & {facts.watched} <> 0"
            " AND a.day BETWEEN e.day AND e.until)",
        )
        exits = [
            self._made.over_events(gathering, found, "min({day})")
            for found in question.follow_up.exits
        ]
        columns = {"died": self._made.day(Domain.DEATH, died, "a.day"), "ended": ended}
        if exits:
            columns["left_on"] = f"least({', '.join(exits)})"
        if not question.outcome_is_death:
            columns["happened"] = self._made.over_events(gathering, question.outcome, "min({day})")
        return columns

    def _seen(self) -> tuple[dict[str, str], str]:
        """The last recorded fact of each patient, where watching ends with it."""
        if self._question.follow_up.censored_at is Censoring.END_OF_OBSERVATION:
            return {}, ""
        self._made.add("seen", self._facts.last())
        return {"seen_on": "s.day"}, " LEFT JOIN seen s ON s.person_id = a.person_id"

    def _lines(self, gathering: Gathering) -> dict[str, str]:
        """For each kind of treatment, its first day from the index on."""
        columns = {}
        for place, events in enumerate(self._question.lines):
            source, condition = self._made.events(events, indexed=True)
            where = " AND ".join([*([condition] if condition else []), "e.day >= a.day"])
            columns[f"line{place}"] = gathering.column(
                source, f"min(e.day) FILTER (WHERE {where})", person=events.age is not None
            )
        return columns

    def _ended(self, steps: int) -> str:
        """Days from index to the end of follow-up, and whether it was the outcome."""
        question = self._question
        by_month, ended = self._facts.death_by_month, "ended"
        if question.follow_up.censored_at is Censoring.LAST_FACT:
            # A death is a recorded fact, too, so that nobody is lost before it.
            ended = "greatest(seen_on, died)"
        left = ["left_on"] if question.follow_up.exits else []
        if question.outcome_is_death:
            happened, stops = "died", [ended, *left]
            # Of a death only the month is believed, so it may lie in the month watching ends in.
            latest = [f"last_day({ended})" if by_month else ended, *left]
        else:
            happened, stops = "happened", [ended, *left, "died"]
            latest = [ended, *left, "last_day(died)" if by_month else "died"]
        # The least of those there are; without an end of watching there is no event.
        event = f"{ended} IS NOT NULL AND {happened} <= least({', '.join(latest)})"
        stop = f"least({', '.join(stops)})"
        event = f"coalesce({event}, false)"
        end = f"CASE WHEN {event} THEN {happened} WHEN {ended} IS NOT NULL THEN {stop} END"
        passed = f"bit_count(xor(held & {(1 << steps) - 1}, (held & {(1 << steps) - 1}) + 1)) - 1"
        sql = (
            f"SELECT *, coalesce(greatest(0, {end} - day), 0) AS days, {event} AS event,"
            f" {passed} AS passed FROM followed"
        )
        if self._many and not self._every_event:
            # Of all days with an index event, the earliest at which the most steps hold.
            sql += (
                " QUALIFY row_number() OVER (PARTITION BY person_id ORDER BY passed DESC, day) = 1"
            )
        return sql


def _bits(conditions: list[str]) -> str:
    return (
        " + ".join(
            f"CASE WHEN {text} THEN {1 << place} ELSE 0 END"
            for place, text in enumerate(conditions)
        )
        or "0"
    )
