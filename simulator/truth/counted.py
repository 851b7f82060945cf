"""Counts the rows that the interpreter chose, table by table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.survival import SurvivalTable
from simulator.aggregates.table import Table
from simulator.language.study import Question
from simulator.messages.needs import (
    EVERYONE,
    AssignmentNeed,
    AttritionNeed,
    Need,
    SurvivalNeed,
    layout_of,
)


def tables(frame: pl.DataFrame, question: Question, needs: Sequence[Need]) -> tuple[Table, ...]:
    """The table that answers each need, counted from the rows that `patients` returned."""
    return tuple(_table(frame, question, need) for need in needs)


def in_an_arm(frame: pl.DataFrame, question: Question) -> pl.DataFrame:
    """The rows of those whom the analyses follow: all steps hold, and exactly one arm, if any."""
    cohort = _cohort(frame, question)
    return cohort.filter(pl.col("arms_matched") == 1) if question.arms else cohort


def _cohort(frame: pl.DataFrame, question: Question) -> pl.DataFrame:
    return frame.filter(pl.col("steps_passed") == len(question.cohort.steps))


def _table(frame: pl.DataFrame, question: Question, need: Need) -> Table:
    layout = layout_of(need, question)
    match need:
        case AttritionNeed():
            return Table.from_flat(layout, np.array(_attrition(frame, question), dtype=np.int64))
        case AssignmentNeed():
            return Table.from_flat(layout, np.array(_assignment(frame, question), dtype=np.int64))
        case SurvivalNeed(grid=grid, subgroup=""):
            return _survival(in_an_arm(frame, question), question, grid)
        case SurvivalNeed(grid=grid, subgroup=name):
            place = [subgroup.name for subgroup in question.subgroups].index(name)
            followed, level = in_an_arm(frame, question), pl.col(f"level_{place}")
            tables = [
                _survival(followed.filter(level == number), question, grid)
                for number in range(layout.axes[1].size)
            ]
            return Table(layout, np.stack([table.values for table in tables], axis=1))
        case _:
            raise TypeError(f"{need} is not counted from patients")


def _survival(followed: pl.DataFrame, question: Question, grid: Grid) -> Table:
    arm = followed["arm"] if question.arms else pl.zeros(followed.height, pl.Int64, eager=True)
    return SurvivalTable.from_rows(
        tuple(arm.name for arm in question.arms) or (EVERYONE,),
        grid,
        arm=arm.to_numpy(),
        days=followed["days"].to_numpy(),
        event=followed["event"].to_numpy(),
        last_day=Grid(Unit.DAY, question.follow_up.months).last_day,
    ).table


def _attrition(frame: pl.DataFrame, question: Question) -> list[int]:
    steps = range(len(question.cohort.steps) + 1)
    left = [frame.filter(pl.col("steps_passed") >= step).height for step in steps]
    return [*left, in_an_arm(frame, question).height] if question.arms else left


def _assignment(frame: pl.DataFrame, question: Question) -> list[int]:
    cohort = _cohort(frame, question)
    arms = range(len(question.arms))
    in_each = [cohort.filter(pl.col("arm") == arm).height for arm in arms]
    in_none = cohort.filter(pl.col("arms_matched") == 0).height
    in_several = cohort.filter(pl.col("arms_matched") > 1).height
    return [*in_each, in_none, in_several]
