"""Describes a cohort from the rows that the interpreter chose, by another way than the sites."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from simulator.aggregates.survival import SurvivalTable
from simulator.aggregates.table import Layout, Table
from simulator.language.codes import Code, ConceptSet
from simulator.language.study import Question
from simulator.messages.describing import (
    AGES,
    RACES,
    SEXES,
    ArrivalNeed,
    CalendarNeed,
    CodesNeed,
    DemographicsNeed,
    DescribingNeed,
    FollowUpNeed,
    LabsNeed,
    LabTest,
    PathwaysNeed,
    RaceNeed,
    Years,
)
from simulator.site.store import Store
from simulator.truth.rows import Rows

_RACES = "SELECT person_id, race_concept_id FROM person"
_SEX = {8532: "female", 8507: "male"}
_RACE = {
    8527: "White",
    8516: "Black or African American",
    8515: "Asian",
    8657: "American Indian or Alaska Native",
    8557: "Native Hawaiian or other Pacific Islander",
}


def described(store: Store, frame: pl.DataFrame, question: Question, need: DescribingNeed) -> Table:
    """The table that answers a need about those of `patients` who pass every step."""
    rows = Rows(store, death_by_month=False)
    cohort = frame.filter(pl.col("steps_passed") == len(question.cohort.steps))
    layout = need.layout(question)
    match need:
        case CalendarNeed(years=years):
            return _calendar(layout, cohort, rows, years)
        case CodesNeed():
            return _codes(layout, cohort, rows, need)
        case LabsNeed():
            return _labs(layout, cohort, rows, need)
        case FollowUpNeed(grid=grid):
            return SurvivalTable.from_rows(
                ("everyone",),
                grid,
                arm=np.zeros(cohort.height, dtype=np.int64),
                days=cohort["days"].to_numpy(),
                event=cohort["event"].to_numpy(),
            ).table
        case _:
            return _counted(layout, _places(need, cohort, rows, store))


def _places(
    need: DemographicsNeed | RaceNeed | ArrivalNeed | PathwaysNeed,
    cohort: pl.DataFrame,
    rows: Rows,
    store: Store,
) -> Iterable[tuple[int, ...]]:
    """The place of each patient along the axes of the table."""
    match need:
        case DemographicsNeed():
            return _demographics(cohort, rows)
        case RaceNeed():
            return _race(cohort, store)
        case ArrivalNeed(years=years):
            return _arrival(cohort, years)
        case PathwaysNeed():
            lines = [name for name in cohort.columns if name.startswith("line_")]
            return _pathways(cohort, len(lines))


def _counted(layout: Layout, places: Iterable[tuple[int, ...]]) -> Table:
    """Each place counted once for each time it is named."""
    values = np.zeros(layout.shape, dtype=np.int64)
    for place in places:
        values[(*place, 0)] += 1
    return Table(layout, values)


def _demographics(cohort: pl.DataFrame, rows: Rows) -> Iterable[tuple[int, ...]]:
    known = cohort.join(rows.persons, on="person_id", how="left")
    for index, born, gender in known.select("index_date", "year_of_birth", "gender").rows():
        sex = SEXES.index(_SEX.get(gender, "not recorded"))
        yield sex, AGES.index(_age_group(None if born is None else index.year - born))


def _age_group(age: int | None) -> str:
    if age is None or age < 0:
        return "not recorded"
    if age >= 80:
        return "80+"
    for group in AGES[:-2]:
        low, high = (int(bound) for bound in group.split("-"))
        if low <= age <= high:
            return group
    raise AssertionError(age)


def _race(cohort: pl.DataFrame, store: Store) -> Iterable[tuple[int, ...]]:
    races = pl.DataFrame(store.arrow(_RACES))
    races.columns = ["person_id", "race"]
    for race in cohort.join(races, on="person_id", how="left")["race"]:
        yield (RACES.index(_RACE.get(race, "other or not recorded")),)


def _arrival(cohort: pl.DataFrame, years: Years) -> Iterable[tuple[int, ...]]:
    for day in cohort["index_date"]:
        place = 0 if day.year < years.first else min(day.year, years.last + 1) - years.first + 1
        yield place, (day.month - 1) // 3


def _calendar(layout: Layout, cohort: pl.DataFrame, rows: Rows, years: Years) -> Table:
    """Counts day by day: every day on which someone was observed is a row of its own."""
    spans = rows.periods.drop_nulls().filter(pl.col("start") <= pl.col("end"))
    days = (
        spans.select("person_id", day=pl.date_ranges("start", "end"))
        .explode("day")
        .unique()
        .join(cohort.select("person_id", "index_date"), on="person_id", how="left")
    )
    values = np.zeros(layout.shape, dtype=np.int64)
    for place, year in enumerate(range(years.first, years.last + 1)):
        inside = days.filter(pl.col("day").dt.year() == year)
        has = inside.filter(pl.col("index_date").dt.year() <= year)
        before = inside.filter(
            pl.col("index_date").is_null() | (pl.col("day") < pl.col("index_date"))
        )
        values[place] = inside["person_id"].n_unique(), has["person_id"].n_unique(), before.height
    return Table(layout, values)


def _pathways(cohort: pl.DataFrame, lines: int) -> Iterable[tuple[int, ...]]:
    for row in cohort.select([f"line_{line}" for line in range(lines)]).rows():
        taken = [line for _, line in sorted((day, line) for line, day in enumerate(row) if day)]
        yield tuple((taken + [lines] * 3)[:3])
    if not lines:
        yield from [(0, 0, 0)] * cohort.height


def _codes(layout: Layout, cohort: pl.DataFrame, rows: Rows, need: CodesNeed) -> Table:
    counts = [cohort.height]
    for codes in need.sets:
        facts = cohort.join(rows.events(need.domain, codes), on="person_id")
        before = facts.filter(pl.col("date") <= pl.col("index_date"))
        counts.append(before["person_id"].n_unique())
    return Table(layout, np.array(counts, dtype=np.int64)[:, None])


def _labs(layout: Layout, cohort: pl.DataFrame, rows: Rows, need: LabsNeed) -> Table:
    values = np.zeros(layout.shape, dtype=np.int64)
    for place, test in enumerate(need.tests):
        for number in _latest(cohort, rows, test):
            values[place, sum(edge <= number for edge in test.edges), 0] += 1
        values[place, -1, 0] = cohort.height - values[place].sum()
    return Table(layout, values)


def _latest(cohort: pl.DataFrame, rows: Rows, test: LabTest) -> list[float]:
    """The greatest value of each patient's last day with a value in the year up to index."""
    codes = ConceptSet(test.loinc, (Code("LOINC", test.loinc),))
    found = (
        cohort.select("person_id", "index_date")
        .join(rows.values(codes, test.unit).drop_nulls("value"), on="person_id")
        .filter((pl.col("index_date") - pl.col("date")).dt.total_days().is_between(0, 365))
    )
    last = found.filter(pl.col("date") == pl.col("date").max().over("person_id"))
    return last.group_by("person_id").agg(pl.col("value").max())["value"].to_list()
