"""The tables that describe a cohort, made of the rows of their endings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from simulator.aggregates.survival import SurvivalTable
from simulator.aggregates.table import Layout, Table
from simulator.language.study import Question
from simulator.messages.describing import EVERYONE, DescribingNeed, FollowUpNeed, LabsNeed

Columns = Mapping[str, NDArray[np.int64]]


def described_table(need: DescribingNeed, question: Question, columns: Columns) -> Table:
    """The table that answers a need, from the columns a, b, c, d and n of its ending."""
    layout = need.layout(question)
    match need:
        case FollowUpNeed(grid=grid):
            return SurvivalTable.from_rows(
                (EVERYONE,),
                grid,
                arm=np.zeros_like(columns["a"]),
                days=columns["a"],
                event=columns["b"].astype(np.bool_),
                patients=columns["n"],
            ).table
        case LabsNeed(tests=tests):
            everyone = columns["a"] == len(tests)
            values = _placed(layout, {name: at[~everyone] for name, at in columns.items()})
            values[:, -1, 0] = columns["n"][everyone].sum() - values.sum(axis=(1, 2))
            return Table(layout, values)
        case _:
            return Table(layout, _placed(layout, columns))


def _placed(layout: Layout, columns: Columns) -> NDArray[np.int64]:
    """Counts at their places: a, b, ... are the places along the axes, then of the measure."""
    values = np.zeros(layout.shape, dtype=np.int64)
    places = [columns[name] for name in "abcd"[: len(layout.axes) + (len(layout.measures) > 1)]]
    if len(layout.measures) == 1:
        values = values[..., 0]
    np.add.at(values, tuple(places), columns["n"])
    return values.reshape(layout.shape)
