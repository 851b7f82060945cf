"""Answers a round's needs with tables, from one pass over the site's database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from simulator.aggregates.survival import SurvivalTable
from simulator.aggregates.table import Layout, Table
from simulator.language.study import Question
from simulator.messages.needs import (
    AssignmentNeed,
    AttritionNeed,
    Need,
    SurvivalNeed,
    layout_of,
)
from simulator.site.compile import IN_NO_ARM, IN_SEVERAL_ARMS, compile_question
from simulator.site.concepts import resolve
from simulator.site.store import Store

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Groups:
    """Groups of patients, shape (n,) each; days are 0 where follow-up was not asked for."""

    passed: Integers
    arm: Integers
    days: Integers
    event: NDArray[np.bool_]
    patients: Integers


def answer(
    store: Store, question: Question, needs: Sequence[Need], *, death_by_month: bool
) -> tuple[Table, ...]:
    """The table for each need, in the order of the needs.

    Raises:
        duckdb.Error: The statement failed or was interrupted.
    """
    resolution = resolve(store, question.codes)
    statement = compile_question(question, resolution, death_by_month=death_by_month)
    groups = _groups(store.numpy(statement.sql, statement.parameters))
    return tuple(_table(need, question, groups) for need in needs)


def _groups(columns: dict[str, Any]) -> _Groups:
    def whole(name: str) -> Integers:
        return np.ma.filled(columns[name], 0).astype(np.int64)

    event = np.ma.filled(columns["event"], 0).astype(np.bool_)
    return _Groups(whole("passed"), whole("arm"), whole("days"), event, whole("patients"))


def _table(need: Need, question: Question, groups: _Groups) -> Table:
    layout = layout_of(need, question)
    complete = groups.passed == len(question.cohort.steps)
    assigned = complete & (groups.arm >= 0)
    match need:
        case AttritionNeed():
            return _attrition(layout, groups, assigned)
        case AssignmentNeed():
            return _assignment(layout, groups, complete, len(question.arms))
        case SurvivalNeed(grid=grid):
            return SurvivalTable.from_rows(
                tuple(arm.name for arm in question.arms),
                grid,
                arm=groups.arm[assigned],
                days=groups.days[assigned],
                event=groups.event[assigned],
                patients=groups.patients[assigned],
            ).table
        case _:
            assert_never(need)


def _attrition(layout: Layout, groups: _Groups, assigned: NDArray[np.bool_]) -> Table:
    """Patients who passed at least k steps, for k = 0 ... n, then those in exactly one arm."""
    steps = layout.axes[0].size - 2
    exactly = np.bincount(groups.passed, weights=groups.patients, minlength=steps + 1)
    at_least = np.cumsum(exactly[::-1])[::-1]
    counts = np.append(at_least, groups.patients[assigned].sum())
    return Table.from_flat(layout, counts.astype(np.int64))


def _assignment(layout: Layout, groups: _Groups, complete: NDArray[np.bool_], arms: int) -> Table:
    place = np.where(groups.arm == IN_NO_ARM, arms, groups.arm)
    place = np.where(groups.arm == IN_SEVERAL_ARMS, arms + 1, place)[complete]
    counts = np.bincount(place, weights=groups.patients[complete], minlength=arms + 2)
    return Table.from_flat(layout, counts.astype(np.int64))
