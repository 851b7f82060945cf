"""Whether tables can be true: one by one, and together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from simulator.aggregates.table import Table
from simulator.messages.describing import DAYS_AT_RISK
from simulator.messages.needs import (
    AssignmentNeed,
    AttritionNeed,
    EntriesNeed,
    Need,
    SurvivalNeed,
)

_DAYS_IN_A_YEAR = 366


def contradiction(needs: Sequence[Need], tables: Sequence[Table], persons: int) -> str | None:
    """What cannot be in an answer, or in the sum of some; None if all of it can.

    Args:
        needs: What was asked.
        tables: The table of each need, in the layout of the need.
        persons: How many persons there are at most.
    """
    found = dict(zip(needs, tables, strict=True))
    for need, table in found.items():
        if (table.values < 0).any():
            return "a count is negative"
        if _most(need, table) > _limit(table, persons):
            return f"a count is above {persons}, the persons that there are"
    return _apart(found)


def _most(need: Need, table: Table) -> int:
    """The greatest number that must be within the limit: of a survival table, everybody."""
    match need:
        case SurvivalNeed():
            return int(table.values.sum())
        case EntriesNeed():  # a patient may have any number of days and events
            return int(table.values[..., 0].max(initial=0))
        case _:
            return int(table.values.max(initial=0))


def _limit(table: Table, persons: int) -> int:
    in_days = any(measure.name == DAYS_AT_RISK for measure in table.layout.measures)
    return persons * _DAYS_IN_A_YEAR if in_days else persons


def _apart(found: Mapping[Need, Table]) -> str | None:
    """What of several tables does not go together."""
    steps = found.get(AttritionNeed())
    if steps is not None and (np.diff(steps.flat()) > 0).any():
        return "a step leaves more patients than the one before it"
    assigned = found.get(AssignmentNeed())
    in_arms = None if assigned is None else assigned.flat()[:-2]
    for need, table in found.items():
        if not isinstance(need, SurvivalNeed):
            continue
        if need.subgroup:
            everyone = found.get(SurvivalNeed(need.grid))
            levels = table.values.sum(axis=1)
            if everyone is not None and not np.array_equal(levels, everyone.values):
                return f"the levels of '{need.subgroup}' do not add up to its arms"
        elif in_arms is not None and in_arms.size:
            patients = table.values.sum(axis=(1, 2))
            if not np.array_equal(patients, in_arms):
                return "the arms' patients are not those of their survival"
    return None
