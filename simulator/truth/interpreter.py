"""Answers a question from the rows of one site in plain polars, by another way than the compiler.

Every criterion is evaluated at *anchors*: rows of person_id, date (the anchor), index_date. It is
true or false for each of them, and what is unknown is false: there is no third value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, assert_never

import numpy as np
import polars as pl

from simulator.aggregates.survival import SurvivalTable
from simulator.aggregates.table import Table
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
from simulator.language.study import Question
from simulator.language.windows import AgeRange, DateRange
from simulator.messages.needs import AssignmentNeed, AttritionNeed, Need, SurvivalNeed, layout_of
from simulator.site.store import Store
from simulator.truth.outcome import with_outcome
from simulator.truth.rows import Rows, never_before

_GENDER: Final = {Sex.FEMALE: 8532, Sex.MALE: 8507}


def patients(store: Store, question: Question, *, death_by_month: bool) -> pl.DataFrame:
    """Everyone who has an index event, and all that the question asks about them.

    Args:
        store: The site's database.
        question: What is asked.
        death_by_month: Whether of a death only the month may be believed.

    Returns:
        One row a person, by person_id: person_id, index_date, steps_passed (how many of the leading
        steps hold), arm (the place of the one arm they are in, null for none or several),
        arms_matched, days (from the index, >= 0), event.
    """
    rows = Rows(store, death_by_month=death_by_month)
    reader = _Interpreter(rows, question)
    anchors = reader.index()
    steps = [reader.holds(step.require, anchors) for step in question.cohort.steps]
    arms = [reader.holds(arm.require, anchors) for arm in question.arms]
    frame = anchors.select(
        "person_id",
        "index_date",
        _leading(steps, anchors.height).alias("steps_passed"),
        *_arms(arms, anchors.height),
    )
    return with_outcome(frame, rows)


def tables(frame: pl.DataFrame, question: Question, needs: Sequence[Need]) -> tuple[Table, ...]:
    """The table that answers each need, counted from the rows that `patients` returned."""
    return tuple(_table(frame, question, need) for need in needs)


def in_an_arm(frame: pl.DataFrame, question: Question) -> pl.DataFrame:
    """The rows of those whom the analyses follow: all steps hold, and exactly one arm."""
    return _cohort(frame, question).filter(pl.col("arms_matched") == 1)


class _Interpreter:
    def __init__(self, rows: Rows, question: Question) -> None:
        self._rows = rows
        self._sets = {codes.name: codes for codes in question.codes}
        self._question = question
        self._index: pl.DataFrame | None = None

    def index(self) -> pl.DataFrame:
        """One anchor a patient: the day of the index event, which is also the index date."""
        fitting = self._fitting(self._question.cohort.index)
        self._index = fitting.select("person_id", index_date="date").unique().sort("person_id")
        return self._index.with_columns(date="index_date")

    def holds(self, criterion: Criterion, anchors: pl.DataFrame) -> pl.Series:
        """Whether the criterion is true at each anchor, in their order."""
        match criterion:
            case EventCriterion():
                return self._enough(criterion, anchors)
            case Group(members=members, bounds=(least, most)):
                answers = [self.holds(member, anchors) for member in members]
                return _how_many(answers, anchors.height).is_between(least, most)
            case SexCriterion(sex=sex):
                return self._with_person(anchors).select(holds=_of_sex(sex))["holds"]
            case AgeCriterion(age=age):
                return self._with_person(anchors).select(holds=_of_age(age))["holds"]
            case DateCriterion(dates=dates):
                return anchors.select(holds=_in_range(dates))["holds"]
            case _:
                assert_never(criterion)

    def _enough(self, criterion: EventCriterion, anchors: pl.DataFrame) -> pl.Series:
        """Whether there are as many events in the window as there must be."""
        number = self._number(criterion, anchors)
        count = criterion.count
        enough = number >= count.at_least
        return enough if count.at_most is None else enough & (number <= count.at_most)

    def _number(self, criterion: EventCriterion, anchors: pl.DataFrame) -> pl.Series:
        """How many events, or days with one, lie inside the window around each anchor."""
        own = "index_date" if criterion.anchor is Anchor.INDEX else "date"
        places = anchors.select("person_id", anchor=own).with_row_index("place")
        happened = pl.col("date")
        if criterion.events.domain is Domain.DEATH and self._rows.death_by_month:
            happened = never_before(happened, pl.col("anchor"))
        pairs = places.join(
            self._fitting(criterion.events).select("person_id", "date"), on="person_id"
        ).with_columns(day=(happened - pl.col("anchor")).dt.total_days())
        window = criterion.window
        if window.earliest is not None:
            pairs = pairs.filter(pl.col("day") >= window.earliest)
        if window.latest is not None:
            pairs = pairs.filter(pl.col("day") <= window.latest)
        counted = pl.col("day").n_unique() if criterion.count.distinct_days else pl.len()
        numbers = pairs.group_by("place").agg(number=counted.cast(pl.Int64))
        joined = places.join(numbers, on="place", how="left", maintain_order="left")
        return joined["number"].fill_null(0)

    def _fitting(self, events: Events) -> pl.DataFrame:
        """The events that fit on their own, as anchors; the first or last day's where asked."""
        codes = None if events.codes is None else self._sets[events.codes]
        found = self._as_anchors(self._rows.events(events.domain, codes))
        if events.dates is not None:
            found = found.filter(_in_range(events.dates))
        if events.age is not None:
            found = self._with_person(found).filter(_of_age(events.age)).select(found.columns)
        for related in events.related:
            # Narrowing in turn is the same as asking all at once: each is asked of one event alone.
            found = found.filter(self.holds(related, found))
        match events.occurrence:
            case Occurrence.ANY:
                return found
            case Occurrence.FIRST:
                return found.filter(pl.col("date") == pl.col("date").min().over("person_id"))
            case Occurrence.LAST:
                return found.filter(pl.col("date") == pl.col("date").max().over("person_id"))
            case _:
                assert_never(events.occurrence)

    def _as_anchors(self, found: pl.DataFrame) -> pl.DataFrame:
        """Events with their patient's index; while that is being sought, nobody has one yet."""
        if self._index is None:
            return found.with_columns(index_date=pl.lit(None, pl.Date))
        return found.join(self._index, on="person_id")

    def _with_person(self, anchors: pl.DataFrame) -> pl.DataFrame:
        return anchors.join(self._rows.persons, on="person_id", how="left", maintain_order="left")


def _in_range(dates: DateRange) -> pl.Expr:
    holds = pl.col("date").is_not_null()
    if dates.earliest is not None:
        holds &= pl.col("date") >= dates.earliest
    if dates.latest is not None:
        holds &= pl.col("date") <= dates.latest
    return holds


def _of_age(age: AgeRange) -> pl.Expr:
    """Whether the person is of that age at the date; false for all ages where birth is unknown."""
    years = pl.col("date").dt.year() - pl.col("year_of_birth")
    holds = years.is_not_null()
    if age.at_least is not None:
        holds &= years >= age.at_least
    if age.at_most is not None:
        holds &= years <= age.at_most
    return holds.fill_null(value=False)


def _of_sex(sex: Sex) -> pl.Expr:
    return (pl.col("gender") == _GENDER[sex]).fill_null(value=False)


def _how_many(answers: Sequence[pl.Series], height: int) -> pl.Series:
    """How many of the answers are true in each row."""
    number = pl.zeros(height, pl.Int64, eager=True)
    for answer in answers:
        number = number + answer.cast(pl.Int64)
    return number


def _leading(steps: Sequence[pl.Series], height: int) -> pl.Series:
    """How many steps hold before the first that does not."""
    still = pl.ones(height, pl.Int64, eager=True)
    passed = pl.zeros(height, pl.Int64, eager=True)
    for step in steps:
        still = still * step.cast(pl.Int64)
        passed = passed + still
    return passed


def _arms(answers: Sequence[pl.Series], height: int) -> list[pl.Series]:
    """How many arms each row is in, and the place of the arm where that is one."""
    matched = _how_many(answers, height)
    places = pl.zeros(height, pl.Int64, eager=True)
    for place, answer in enumerate(answers):
        places = places + place * answer.cast(pl.Int64)
    one = pl.select(pl.when(matched == 1).then(places)).to_series()
    return [one.alias("arm"), matched.alias("arms_matched")]


def _cohort(frame: pl.DataFrame, question: Question) -> pl.DataFrame:
    return frame.filter(pl.col("steps_passed") == len(question.cohort.steps))


def _table(frame: pl.DataFrame, question: Question, need: Need) -> Table:
    layout = layout_of(need, question)
    match need:
        case AttritionNeed():
            return Table.from_flat(layout, np.array(_attrition(frame, question), dtype=np.int64))
        case AssignmentNeed():
            return Table.from_flat(layout, np.array(_assignment(frame, question), dtype=np.int64))
        case SurvivalNeed(grid=grid):
            followed = in_an_arm(frame, question)
            arms = tuple(arm.name for arm in question.arms)
            return SurvivalTable.from_rows(
                arms,
                grid,
                arm=followed["arm"].to_numpy(),
                days=followed["days"].to_numpy(),
                event=followed["event"].to_numpy(),
            ).table
        case _:
            assert_never(need)


def _attrition(frame: pl.DataFrame, question: Question) -> list[int]:
    steps = range(len(question.cohort.steps) + 1)
    left = [frame.filter(pl.col("steps_passed") >= step).height for step in steps]
    return [*left, in_an_arm(frame, question).height]


def _assignment(frame: pl.DataFrame, question: Question) -> list[int]:
    cohort = _cohort(frame, question)
    arms = range(len(question.arms))
    in_each = [cohort.filter(pl.col("arm") == arm).height for arm in arms]
    in_none = cohort.filter(pl.col("arms_matched") == 0).height
    in_several = cohort.filter(pl.col("arms_matched") > 1).height
    return [*in_each, in_none, in_several]
