"""Answers a round's needs with tables, from one pass over the site's database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.survival import SurvivalTable
from simulator.aggregates.table import Layout, Table
from simulator.language.study import Question
from simulator.messages.describing import CodesNeed, DescribingNeed, LabsNeed
from simulator.messages.needs import (
    EVERYONE,
    AssignmentNeed,
    AttritionNeed,
    EntriesNeed,
    Need,
    SurvivalNeed,
    layout_of,
    subgroup_of,
)
from simulator.site.compile import Known, compile_question
from simulator.site.concepts import resolve
from simulator.site.described import described_table
from simulator.site.describing import Body, body_of, ending_of
from simulator.site.endings import Ending, entries, groups, groups_with_keys
from simulator.site.listed import codes_body, labs_body
from simulator.site.store import Store
from simulator.site.worth import asked_units, worth_of

Integers = NDArray[np.int64]
Columns = Mapping[str, Integers]


@dataclass(frozen=True, eq=False)
class _Groups:
    """Groups of patients, shape (n,) each.

    Attributes:
        bits: For each group of the question, arms then levels, whether it holds; shape (n, groups).
        passed: How many leading steps hold.
        arm: The place of the one arm, or one of the two places after the last arm.
        days: Days from index to the end of follow-up.
        event: Whether follow-up ended with the outcome.
        patients: How many patients the group holds.
    """

    bits: Integers
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
    known = know(store, question, death_by_month=death_by_month)
    described = [need for need in needs if isinstance(need, DescribingNeed)]
    counted = [need for need in needs if isinstance(need, EntriesNeed)]
    grouped = [need for need in needs if need not in described and need not in counted]
    endings: list[Ending] = [groups] if grouped else []
    endings += [ending_of(_body(store, need, question), question) for need in described]
    found: dict[Need, Table] = {}
    if endings:
        columns = _run(store, question, known, endings, every_event=False)
        if grouped:
            made = _groups(question, columns.pop(0))
            found |= {need: _table(need, question, made) for need in grouped}
        for need, rows in zip(described, columns, strict=True):
            found[need] = described_table(need, question, rows)
    if counted:
        (rows,) = _run(store, question, known, [entries], every_event=True)
        found |= {need: _entries(need, question, rows) for need in counted}
    return tuple(found[need] for need in needs)


def answer_with_keys(
    store: Store,
    question: Question,
    needs: Sequence[Need],
    *,
    death_by_month: bool,
    salt: bytes,
) -> tuple[tuple[Table, ...], tuple[Table, ...]]:
    """The table for each need, and one like it with the sum of the patients' keys in each cell.

    A patient's key is a whole number from 0 to 65,535 that follows from the salt and the person's
    identifier alone, so that the same patients always have the same sum.

    Args:
        store: The site's database.
        question: What the needs are about.
        needs: Attrition, assignment and survival without levels.
        death_by_month: Whether the site knows of a death only its month.
        salt: What nobody else knows.

    Raises:
        TypeError: A need is of another kind.
        duckdb.Error: The statement failed or was interrupted.
    """
    known = know(store, question, death_by_month=death_by_month)
    (columns,) = _run(store, question, known, [groups_with_keys(salt)], every_event=False)
    patients, keys = (_groups(question, {**columns, "n": columns[name]}) for name in "nd")
    return (
        tuple(_table(need, question, patients) for need in needs),
        tuple(_table(need, question, keys) for need in needs),
    )


def _body(store: Store, need: DescribingNeed, question: Question) -> Body:
    match need:
        case CodesNeed():
            return codes_body(store, need)
        case LabsNeed():
            return labs_body(store, need)
        case _:
            return body_of(need, question)


def know(store: Store, question: Question, *, death_by_month: bool) -> Known:
    """What a site knows before it compiles a question; looked up once while the store is open."""
    asked = asked_units(question)

    def look_up() -> Known:
        resolution = resolve(store, question.codes)
        return Known(resolution, worth_of(store, asked, resolution), death_by_month)

    return store.once((question.codes, asked, death_by_month), look_up)


def _run(
    store: Store, question: Question, known: Known, endings: Sequence[Ending], *, every_event: bool
) -> list[Columns]:
    """The rows of each ending."""
    statement = compile_question(question, known, endings, every_event=every_event)
    found = store.numpy(statement.sql, statement.parameters)
    whole = {name: np.asarray(column, dtype=np.int64) for name, column in found.items()}
    chosen = [whole["need"] == place for place in range(len(endings))]
    return [{name: column[rows] for name, column in whole.items()} for rows in chosen]


def _groups(question: Question, columns: Columns) -> _Groups:
    """Reads the statement's bits: for each step in order, then each arm, then each level."""
    steps, arms = len(question.cohort.steps), len(question.arms)
    levels = sum(len(subgroup.levels) for subgroup in question.subgroups)
    bits = (columns["a"][:, None] >> np.arange(steps + arms + levels)) & 1
    passed = np.cumprod(bits[:, :steps], axis=1).sum(axis=1)
    matched = bits[:, steps : steps + arms].sum(axis=1)
    # The one arm that holds is the sum of the places of those that hold.
    place = (bits[:, steps : steps + arms] * np.arange(arms)).sum(axis=1)
    arm = np.where(matched == 1, place, arms + (matched > 1))
    if not arms:
        arm = np.zeros_like(passed)
    return _Groups(
        bits[:, steps:], passed, arm, columns["b"], columns["c"].astype(np.bool_), columns["n"]
    )


def _table(need: Need, question: Question, groups: _Groups) -> Table:
    layout = layout_of(need, question)
    complete = groups.passed == len(question.cohort.steps)
    assigned = complete & (groups.arm < max(len(question.arms), 1))
    match need:
        case AttritionNeed():
            return _attrition(layout, question, groups, assigned)
        case AssignmentNeed():
            return Table.from_flat(
                layout, _counted(groups.arm[complete], groups.patients[complete], layout.cells)
            )
        case SurvivalNeed(grid=grid, subgroup=""):
            return _survival(question, groups, assigned, grid).table
        case SurvivalNeed(grid=grid, subgroup=name):
            return _by_level(layout, question, groups, assigned, grid, name)
        case _:
            raise TypeError(f"{need} is answered by another statement")


def _survival(
    question: Question, groups: _Groups, chosen: NDArray[np.bool_], grid: Grid
) -> SurvivalTable:
    return SurvivalTable.from_rows(
        tuple(arm.name for arm in question.arms) or (EVERYONE,),
        grid,
        arm=groups.arm[chosen],
        days=groups.days[chosen],
        event=groups.event[chosen],
        patients=groups.patients[chosen],
        # The last cell of a coarse grid may reach beyond what the study looks at.
        last_day=Grid(Unit.DAY, question.follow_up.months).last_day,
    )


def _by_level(
    layout: Layout,
    question: Question,
    groups: _Groups,
    assigned: NDArray[np.bool_],
    grid: Grid,
    name: str,
) -> Table:
    """Survival by arm and the one level, with those in none and in several after the levels."""
    first = len(question.arms)
    for subgroup in question.subgroups:
        if subgroup.name == name:
            break
        first += len(subgroup.levels)
    size = len(subgroup_of(question, name).levels)
    bits = groups.bits[:, first : first + size]
    matched = bits.sum(axis=1)
    level = np.where(matched == 1, (bits * np.arange(size)).sum(axis=1), size + (matched > 1))
    tables = [
        _survival(question, groups, assigned & (level == place), grid) for place in range(size + 2)
    ]
    return Table(layout, np.stack([table.table.values for table in tables], axis=1))


def _attrition(
    layout: Layout, question: Question, groups: _Groups, assigned: NDArray[np.bool_]
) -> Table:
    """Patients who passed at least k steps, for k = 0 ... n, then those in exactly one arm."""
    steps = len(question.cohort.steps) + 1
    at_least = _at_least(_counted(groups.passed, groups.patients, steps))
    last = [groups.patients[assigned].sum()] if question.arms else []
    return Table.from_flat(layout, np.append(at_least, last).astype(np.int64))


def _entries(need: Need, question: Question, columns: Columns) -> Table:
    """Patients, days and events that passed at least k steps."""
    layout = layout_of(need, question)
    steps, measures = layout.shape
    values = np.zeros(layout.shape, dtype=np.int64)
    for measure in range(measures):
        rows = columns["b"] == measure
        exactly = _counted(columns["a"][rows], columns["n"][rows], steps)
        values[:, measure] = _at_least(exactly)
    return Table(layout, values)


def _at_least(exactly: Integers) -> Integers:
    found: Integers = np.cumsum(exactly[::-1])[::-1]
    return found


def _counted(places: Integers, patients: Integers, size: int) -> Integers:
    """The number of patients at each place, shape (size,)."""
    counts = np.zeros(size, dtype=np.int64)
    np.add.at(counts, places, patients)
    return counts
