"""Conditions and counts on columns of anchors, as the interpreter evaluates them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from simulator.language.criteria import Sex
from simulator.language.values import ValueRange
from simulator.language.windows import AgeRange, DateRange

_GENDER: Final = {Sex.FEMALE: 8532, Sex.MALE: 8507}


def in_range(dates: DateRange) -> pl.Expr:
    """Whether the anchor's date lies within dates."""
    holds = pl.col("date").is_not_null()
    if dates.earliest is not None:
        holds &= pl.col("date") >= dates.earliest
    if dates.latest is not None:
        holds &= pl.col("date") <= dates.latest
    return holds


def between(value: ValueRange, of: pl.Series | None = None) -> pl.Expr | pl.Series:
    """Whether a value lies in a range; false where there is none."""
    holds = pl.lit(value=True) if of is None else of.is_not_null()
    here: pl.Expr | pl.Series = pl.col("value") if of is None else of
    low, high = value.limits
    if low is not None:
        holds &= here > low if value.strict else here >= low
    if high is not None:
        holds &= here < high if value.strict else here <= high
    return holds.fill_null(value=False)


def of_age(age: AgeRange) -> pl.Expr:
    """Whether the person is of that age at the date; false for all ages where birth is unknown."""
    years = pl.col("date").dt.year() - pl.col("year_of_birth")
    holds = years.is_not_null()
    if age.at_least is not None:
        holds &= years >= age.at_least
    if age.at_most is not None:
        holds &= years <= age.at_most
    return holds.fill_null(value=False)


def of_sex(sex: Sex) -> pl.Expr:
    """Whether the person is recorded with a sex; false where none is recorded."""
    return (pl.col("gender") == _GENDER[sex]).fill_null(value=False)


def how_many(answers: Sequence[pl.Series], height: int) -> pl.Series:
    """How many of the answers are true in each row."""
    number = pl.zeros(height, pl.Int64, eager=True)
    for answer in answers:
        number = number + answer.cast(pl.Int64)
    return number


def leading(steps: Sequence[pl.Series], height: int) -> pl.Series:
    """How many steps hold before the first that does not."""
    still = pl.ones(height, pl.Int64, eager=True)
    passed = pl.zeros(height, pl.Int64, eager=True)
    for step in steps:
        still = still * step.cast(pl.Int64)
        passed = passed + still
    return passed


def arm_of(answers: Sequence[pl.Series], height: int) -> list[pl.Series]:
    """How many arms each row is in, and the place of the arm where that is one."""
    matched = how_many(answers, height)
    places = pl.zeros(height, pl.Int64, eager=True)
    for place, answer in enumerate(answers):
        places = places + place * answer.cast(pl.Int64)
    one = pl.select(pl.when(matched == 1).then(places)).to_series()
    return [one.alias("arm"), matched.alias("arms_matched")]


def level_of(answers: Sequence[pl.Series], place: int) -> pl.Series:
    """The place of the one level that holds, or a place after the levels for none and several."""
    matched = how_many(answers, len(answers[0]))
    places = pl.zeros(len(answers[0]), pl.Int64, eager=True)
    for level, answer in enumerate(answers):
        places = places + level * answer.cast(pl.Int64)
    beyond = len(answers) + (matched > 1).cast(pl.Int64)
    return (
        pl.select(pl.when(matched == 1).then(places).otherwise(beyond))
        .to_series()
        .alias(f"level_{place}")
    )
