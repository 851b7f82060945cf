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
from simulator.site.compile import compile_question
from simulator.site.concepts import resolve
from simulator.site.store import Store

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Groups:
    """Groups of patients, shape (n,) each.

    Attributes:
        passed: How many leading steps hold.
        arm: The place of the one arm, or one of the two places after the last arm.
        days: Days from index to the end of follow-up.
        event: Whether follow-up ended with the outcome.
        patients: How many patients the group holds.
    """

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
    resolution = store.once(question.codes, lambda: resolve(store, question.codes))
    statement = compile_question(question, resolution, death_by_month=death_by_month)
    groups = _groups(question, store.numpy(statement.sql, statement.parameters))
    return tuple(_table(need, question, groups) for need in needs)


def _groups(question: Question, columns: dict[str, Any]) -> _Groups:
    """Reads the statement's bits: one for each step in order, then one for each arm."""
    steps, arms = len(question.cohort.steps), len(question.arms)
    held = np.asarray(columns["held"], dtype=np.int64)
    bits = (held[:, None] >> np.arange(steps + arms)) & 1
    passed = np.cumprod(bits[:, :steps], axis=1).sum(axis=1)
    matched = bits[:, steps:].sum(axis=1)
    # The one arm that holds is the sum of the places of those that hold.
    place = (bits[:, steps:] * np.arange(arms)).sum(axis=1)
    arm = np.where(matched == 1, place, arms + (matched > 1))
    return _Groups(
        passed,
        arm,
        np.asarray(columns["days"], dtype=np.int64),
        np.asarray(columns["event"], dtype=np.bool_),
        np.asarray(columns["patients"], dtype=np.int64),
    )


def _table(need: Need, question: Question, groups: _Groups) -> Table:
    layout = layout_of(need, question)
    complete = groups.passed == len(question.cohort.steps)
    assigned = complete & (groups.arm < len(question.arms))
    match need:
        case AttritionNeed():
            return _attrition(layout, groups, assigned)
        case AssignmentNeed():
            return Table.from_flat(
                layout, _counted(groups.arm[complete], groups.patients[complete], layout.cells)
            )
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
    exactly = _counted(groups.passed, groups.patients, layout.cells - 1)
    at_least = np.cumsum(exactly[::-1])[::-1]
    return Table.from_flat(layout, np.append(at_least, groups.patients[assigned].sum()))


def _counted(places: Integers, patients: Integers, size: int) -> Integers:
    """The number of patients at each place, shape (size,)."""
    counts = np.zeros(size, dtype=np.int64)
    np.add.at(counts, places, patients)
    return counts
