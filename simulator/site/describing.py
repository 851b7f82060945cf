"""Endings that describe a cohort as a whole, and the tables that their rows make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from simulator.language.study import Question
from simulator.messages.describing import (
    AGE_EDGES,
    AGES,
    RACES,
    ArrivalNeed,
    CalendarNeed,
    DemographicsNeed,
    DescribingNeed,
    FollowUpNeed,
    PathwaysNeed,
    RaceNeed,
    Years,
)
from simulator.site.endings import Ending
from simulator.site.expressions import Parameters

Body = Callable[[Parameters, str], str]
"""The selection of a, b, c, d and n, given the relation of the cohort's patients as `q`."""

RACE_CONCEPTS: Final = (8527, 8516, 8515, 8657, 8557)
_FEMALE, _MALE = 8532, 8507


def ending_of(body: Body, question: Question) -> Ending:
    """The ending that counts the patients who pass every step as a body says."""
    cohort = f"(SELECT * FROM patient WHERE passed = {len(question.cohort.steps)}) q"

    def ending(need: int, parameters: Parameters) -> str:
        selected = body(parameters, cohort)
        return f"SELECT {need} AS need, a::BIGINT AS a, b, c, d, n FROM ({selected})"

    return ending


def body_of(need: DescribingNeed, question: Question) -> Body:
    """How patients are counted for a need that takes nothing from the site's vocabulary."""
    match need:
        case DemographicsNeed():
            return _demographics
        case RaceNeed():
            return _race
        case ArrivalNeed(years=years):
            return _arrival(years)
        case CalendarNeed(years=years):
            return _calendar(years)
        case FollowUpNeed():
            return _follow_up
        case PathwaysNeed():
            return _pathways(len(question.lines))
        case _:
            raise TypeError(f"{need} needs the site's vocabulary")


def _demographics(_parameters: Parameters, cohort: str) -> str:
    age = "year(q.day) - p.year_of_birth"
    group = " + ".join(f"({age} >= {edge})::BIGINT" for edge in AGE_EDGES)
    return (
        f"SELECT CASE p.gender_concept_id WHEN {_FEMALE} THEN 0 WHEN {_MALE} THEN 1 ELSE 2 END"
        f" AS a, CASE WHEN {age} >= 0 THEN {group} ELSE {len(AGES) - 1} END AS b,"
        f" 0 AS c, 0 AS d, count(*) AS n FROM {cohort}"
        " LEFT JOIN person p ON p.person_id = q.person_id GROUP BY ALL"
    )


def _race(_parameters: Parameters, cohort: str) -> str:
    places = " ".join(f"WHEN {concept} THEN {place}" for place, concept in enumerate(RACE_CONCEPTS))
    return (
        f"SELECT CASE p.race_concept_id {places} ELSE {len(RACES) - 1} END AS a,"
        f" 0 AS b, 0 AS c, 0 AS d, count(*) AS n FROM {cohort}"
        " LEFT JOIN person p ON p.person_id = q.person_id GROUP BY ALL"
    )


def _arrival(years: Years) -> Body:
    def body(parameters: Parameters, cohort: str) -> str:
        before = parameters.refer(years.first - 1, "BIGINT")
        after = parameters.refer(years.last + 1, "BIGINT")
        return (
            f"SELECT greatest({before}, least({after}, year(q.day))) - {before} AS a,"
            f" quarter(q.day) - 1 AS b, 0 AS c, 0 AS d, count(*) AS n FROM {cohort} GROUP BY ALL"
        )

    return body


# A person may have periods that touch or overlap: each day of a person counts once. A period that
# begins within what came before it belongs to the same stretch.
_STRETCHES: Final = """
SELECT person_id, min(since) AS since, max(until) AS until FROM (
  SELECT *, sum(fresh) OVER (PARTITION BY person_id ORDER BY since, until
                             ROWS UNBOUNDED PRECEDING) AS stretch FROM (
    SELECT *, CASE WHEN since <= max(until) OVER (PARTITION BY person_id ORDER BY since, until
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) THEN 0 ELSE 1 END AS fresh FROM (
        SELECT DISTINCT person_id, observation_period_start_date AS since,
               observation_period_end_date AS until FROM observation_period
        WHERE observation_period_start_date <= observation_period_end_date)))
GROUP BY person_id, stretch"""


def _calendar(years: Years) -> Body:
    def body(parameters: Parameters, cohort: str) -> str:
        first = parameters.refer(years.first, "BIGINT")
        last = parameters.refer(years.last, "BIGINT")
        spans = (
            f"SELECT y - {first} AS a, make_date(y, 1, 1) AS opens, make_date(y, 12, 31) AS closes"
            f" FROM (SELECT unnest(range({first}, {last} + 1)) AS y)"
        )
        days = (
            "sum(greatest(0, least(s.until, c.closes, coalesce(q.day - 1, c.closes))"
            " - greatest(s.since, c.opens) + 1))"
        )
        counted = (
            "SELECT c.a, count(DISTINCT s.person_id) AS seen,"
            " count(DISTINCT CASE WHEN q.day <= c.closes THEN s.person_id END) AS prevalent,"
            f" {days} AS days FROM ({spans}) c"
            f" JOIN ({_STRETCHES}) s ON s.since <= c.closes AND s.until >= c.opens"
            f" LEFT JOIN {cohort} ON q.person_id = s.person_id GROUP BY c.a"
        )
        return (
            "SELECT a, unnest([0, 1, 2]) AS b, 0 AS c, 0 AS d,"
            f" unnest([seen, prevalent, days::BIGINT]) AS n FROM ({counted})"
        )

    return body


def _follow_up(_parameters: Parameters, cohort: str) -> str:
    return (
        "SELECT q.days AS a, q.event::BIGINT AS b, 0 AS c, 0 AS d, count(*) AS n"
        f" FROM {cohort} GROUP BY ALL"
    )


def _pathways(lines: int) -> Body:
    def body(_parameters: Parameters, cohort: str) -> str:
        listed = ", ".join(f"{{'day': q.line{line}, 'line': {line}}}" for line in range(lines))
        # Sorted by day, then by the question's order.
        order = f"list_sort(list_filter([{listed}], lambda one: one.day IS NOT NULL))"
        places = ", ".join(
            f"coalesce(taken[{place + 1}].line, {lines}) AS {name}"
            for place, name in enumerate("abc")
        )
        return (
            f"SELECT {places if lines else '0 AS a, 0 AS b, 0 AS c'}, 0 AS d, count(*) AS n"
            f" FROM (SELECT {order if lines else '0'} AS taken FROM {cohort}) GROUP BY ALL"
        )

    return body
