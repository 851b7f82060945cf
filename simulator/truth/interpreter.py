"""Answers a question from the rows of one site in plain polars, by another way than the compiler.

Every criterion is evaluated at *anchors*: rows of person_id, date (the anchor), index_date. It is
true or false for each of them, and what is unknown is false: there is no third value.
"""

from __future__ import annotations

from typing import assert_never

import msgspec
import numpy as np
import polars as pl

from simulator.aggregates.table import Table
from simulator.language.codes import ConceptSet
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
from simulator.language.study import Question
from simulator.language.windows import Window
from simulator.messages.needs import (
    EntriesNeed,
    layout_of,
)
from simulator.site.store import Store
from simulator.truth.columns import (
    arm_of,
    between,
    how_many,
    in_range,
    leading,
    level_of,
    of_age,
    of_sex,
)
from simulator.truth.outcome import with_outcome
from simulator.truth.rows import Rows, never_before


def patients(store: Store, question: Question, *, death_by_month: bool) -> pl.DataFrame:
    """Everyone who has an index event, and all that the question asks about them.

    Args:
        store: The site's database.
        question: What is asked.
        death_by_month: Whether of a death only the month may be believed.

    Returns:
        One row a person, by person_id: person_id, index_date, steps_passed (how many of the leading
        steps hold), arm (the place of the one arm they are in, null for none or several),
        arms_matched, level_0, level_1, ... (for each subgroup, the place of the one level, or one
        of the two places after the levels for none and several), days (from the index, >= 0),
        event; line_0, line_1, ... (for each kind of treatment, its first day from the index on).
    """
    rows = Rows(store, death_by_month=death_by_month)
    reader = _Interpreter(rows, question)
    chosen = reader.chosen()
    anchors = chosen.select("person_id", "index_date", date="index_date")
    in_arms = [reader.holds(arm.require, anchors) for arm in question.arms]
    levels = [
        level_of([reader.holds(level.require, anchors) for level in subgroup.levels], place)
        for place, subgroup in enumerate(question.subgroups)
    ]
    lines = [
        reader.first(EventCriterion(events, Window(earliest=0)), anchors).alias(f"line_{place}")
        for place, events in enumerate(question.lines)
    ]
    frame = chosen.with_columns(*arm_of(in_arms, anchors.height), *levels, *lines)
    outcome, exits = None, [reader.first(found, anchors) for found in question.follow_up.exits]
    if not question.outcome_is_death:
        outcome = reader.first(question.outcome, anchors)
    return with_outcome(frame, rows, question.follow_up.censored_at, outcome, exits)


def entries(store: Store, question: Question, *, death_by_month: bool) -> Table:
    """The table of events, days and patients that may be the index, after each step."""
    rows = Rows(store, death_by_month=death_by_month)
    every = msgspec.structs.replace(question.cohort.index, occurrence=Occurrence.ANY)
    reader = _Interpreter(rows, _with_index(question, every))
    passed = reader.passed()
    events = reader.index_events.join(passed, on=["person_id", "index_date"])
    counted = []
    for step in range(len(question.cohort.steps) + 1):
        left = events.filter(pl.col("steps_passed") >= step)
        days = left.select("person_id", "index_date").unique()
        counted.append([left["person_id"].n_unique(), days.height, left.height])
    return Table(layout_of(EntriesNeed(), question), np.array(counted, dtype=np.int64))


def _with_index(question: Question, index: Events) -> Question:
    cohort = msgspec.structs.replace(question.cohort, index=index)
    return msgspec.structs.replace(question, cohort=cohort)


class _Interpreter:
    def __init__(self, rows: Rows, question: Question) -> None:
        self._rows = rows
        self._sets = {codes.name: codes for codes in question.codes}
        self._question = question
        self._index: pl.DataFrame | None = None
        fitting = self._fitting(question.cohort.index)
        self.index_events = fitting.select("person_id", index_date="date")
        self._index = self.index_events.unique().sort("person_id", "index_date")

    def passed(self) -> pl.DataFrame:
        """Every day that may be an index: person_id, index_date, steps_passed."""
        anchors = self._indexes().with_columns(date="index_date")
        steps = [self.holds(step.require, anchors) for step in self._question.cohort.steps]
        passed = leading(steps, anchors.height).alias("steps_passed")
        return self._indexes().with_columns(passed)

    def chosen(self) -> pl.DataFrame:
        """One index a patient: of several, the earliest at which the most steps hold."""
        best = self.passed().sort("person_id", "index_date", descending=[False, False])
        most = best.filter(pl.col("steps_passed") == pl.col("steps_passed").max().over("person_id"))
        return most.group_by("person_id", maintain_order=True).first()

    def first(self, criterion: EventCriterion, anchors: pl.DataFrame) -> pl.Series:
        """The first day in the window at which such an event lies, null where there is none."""
        pairs = self._inside(criterion, anchors)
        found = pairs.group_by("place").agg(first=pl.col("date").min())
        places = anchors.select("person_id").with_row_index("place")
        return places.join(found, on="place", how="left", maintain_order="left")["first"]

    def _indexes(self) -> pl.DataFrame:
        if self._index is None:
            raise RuntimeError("the index is still being sought")
        return self._index

    def holds(self, criterion: Criterion, anchors: pl.DataFrame) -> pl.Series:
        """Whether the criterion is true at each anchor, in their order."""
        match criterion:
            case EventCriterion():
                return self._enough(criterion, anchors)
            case Group(members=members, bounds=(least, most)):
                answers = [self.holds(member, anchors) for member in members]
                return how_many(answers, anchors.height).is_between(least, most)
            case SexCriterion(sex=sex):
                return self._with_person(anchors).select(holds=of_sex(sex))["holds"]
            case AgeCriterion(age=age):
                return self._with_person(anchors).select(holds=of_age(age))["holds"]
            case DateCriterion(dates=dates):
                return anchors.select(holds=in_range(dates))["holds"]
            case ObservedCriterion(window=window):
                return self._observed(window, anchors)
            case _:
                assert_never(criterion)

    def _observed(self, window: Window, anchors: pl.DataFrame) -> pl.Series:
        """Whether one period of observation spans the window around each anchor."""
        places = anchors.select("person_id", "date").with_row_index("place")
        pairs = places.join(self._rows.periods, on="person_id").filter(
            (pl.col("start") - pl.col("date")).dt.total_days() <= window.earliest,
            (pl.col("end") - pl.col("date")).dt.total_days() >= window.latest,
        )
        return places["place"].is_in(pairs["place"].unique().to_list())

    def _enough(self, criterion: EventCriterion, anchors: pl.DataFrame) -> pl.Series:
        """Whether there are as many events in the window as there must be, or such a value."""
        if criterion.edge is not None:
            return self._at_edge(criterion, criterion.edge, anchors)
        counted = pl.col("date").n_unique() if criterion.count.distinct_days else pl.len()
        numbers = self._inside(criterion, anchors).group_by("place").agg(n=counted.cast(pl.Int64))
        places = anchors.select("person_id").with_row_index("place")
        joined = places.join(numbers, on="place", how="left", maintain_order="left")
        number = joined["n"].fill_null(0)
        count = criterion.count
        enough = number >= count.at_least
        return enough if count.at_most is None else enough & (number <= count.at_most)

    def _at_edge(
        self, criterion: EventCriterion, edge: EdgeValue, anchors: pl.DataFrame
    ) -> pl.Series:
        """Whether the first or last day with a value in the window has one in the range."""
        inside = self._inside(criterion, anchors, unit=edge.value.unit).drop_nulls("value")
        ends = pl.col("date").min() if edge.occurrence is Occurrence.FIRST else pl.col("date").max()
        there = inside.filter(pl.col("date") == ends.over("place"), between(edge.value))
        places = pl.Series(range(anchors.height), dtype=pl.UInt32)
        return places.is_in(there["place"].unique().to_list())

    def _inside(
        self, criterion: EventCriterion, anchors: pl.DataFrame, unit: str | None = None
    ) -> pl.DataFrame:
        """The events in the window around each anchor: place (of the anchor), date; value."""
        own = "index_date" if criterion.anchor is Anchor.INDEX else "date"
        places = anchors.select("person_id", "index_date", anchor=own).with_row_index("place")
        happened = pl.col("date")
        if criterion.events.domain is Domain.DEATH and self._rows.death_by_month:
            happened = never_before(happened, pl.col("anchor"))
        # Events that refer to the index are those of the anchor's own index.
        keys = ["person_id"] if self._index is None else ["person_id", "index_date"]
        pairs = places.join(self._fitting(criterion.events, unit), on=keys).with_columns(
            date=happened, day=(happened - pl.col("anchor")).dt.total_days()
        )
        window = criterion.window
        if window.earliest is not None:
            pairs = pairs.filter(pl.col("day") >= window.earliest)
        if window.latest is not None:
            pairs = pairs.filter(pl.col("day") <= window.latest)
        return pairs

    def _fitting(self, events: Events, unit: str | None = None) -> pl.DataFrame:
        """The events that fit on their own, as anchors; the first or last day's where asked.

        Args:
            events: What is sought.
            unit: Where given, the column value is added, in this unit.
        """
        codes = None if events.codes is None else self._sets[events.codes]
        found = self._as_anchors(self._found(events, codes, unit))
        if events.dates is not None:
            found = found.filter(in_range(events.dates))
        if events.age is not None:
            found = self._with_person(found).filter(of_age(events.age)).select(found.columns)
        for related in events.related:
            # Narrowing in turn is the same as asking all at once: each is asked of one event alone.
            found = found.filter(self.holds(related, found))
        whose = ["person_id"] if self._index is None else ["person_id", "index_date"]
        match events.occurrence:
            case Occurrence.ANY:
                return found
            case Occurrence.FIRST:
                return found.filter(pl.col("date") == pl.col("date").min().over(whose))
            case Occurrence.LAST:
                return found.filter(pl.col("date") == pl.col("date").max().over(whose))
            case _:
                assert_never(events.occurrence)

    def _found(self, events: Events, codes: ConceptSet | None, unit: str | None) -> pl.DataFrame:
        """The events with their codes and in their range of values."""
        if codes is None or (events.value is None and unit is None):
            return self._rows.events(events.domain, codes)
        wanted = unit or (events.value.unit if events.value else "")
        found = self._rows.values(codes, wanted)
        if events.value is None:
            return found
        in_range = between(events.value, self._rows.values(codes, events.value.unit)["value"])
        found = found.filter(in_range)
        return found if unit else found.drop("value")

    def _as_anchors(self, found: pl.DataFrame) -> pl.DataFrame:
        """Events with their patient's index; while that is being sought, nobody has one yet."""
        if self._index is None:
            return found.with_columns(index_date=pl.lit(None, pl.Date))
        return found.join(self._index, on="person_id")

    def _with_person(self, anchors: pl.DataFrame) -> pl.DataFrame:
        return anchors.join(self._rows.persons, on="person_id", how="left", maintain_order="left")
