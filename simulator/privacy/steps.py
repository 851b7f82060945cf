"""Curves whose every step hides at least six people, from cumulative counts at midpoints."""

from __future__ import annotations

import numpy as np

from simulator.aggregates.survival import SurvivalTable
from simulator.aggregates.table import Table
from simulator.privacy.rules.rounding import midpoint_bounds, midpoints
from simulator.privacy.rules.rule import Bounds, check_parameter


def midpoint_steps(table: SurvivalTable, width: int = 6) -> SurvivalTable:
    """A table of which only the midpoints of the cumulative counts are told.

    For each arm and cell of time, how many had the event so far, and how many were censored so
    far, are each shown as the middle of the `width` counts that they are one of: 0 as 0, 1 to 6 as
    3, 7 to 12 as 9, and so on. The table is the differences of these from cell to cell; an arm has
    as many patients as they come to at the end, within `width` of the truth.

    The rule for the steps of a curve is that of OpenSAFELY (kaplan-meier-function, its method
    `constant`). There the size of an arm is rounded as well, from the truth; here it is not told
    apart, for three midpoints together can leave five counts open where two leave six.

    At every moment `width` numbers of events agree with what is told, and as many of censorings,
    but for 0, which is exact. What is told is when a step is taken: the cell in which the first
    event happened, the seventh, and so on. A first step is about half as high as the others.

    Args:
        table: Events and censorings per arm and cell, not negative.
        width: How many counts look the same; 2 or more.

    Returns:
        A table on the same grid, with the same arms.

    Raises:
        ValueError: The width is too small.
    """
    check_parameter("width", width, 2)
    so_far = midpoints(np.cumsum(table.table.values, axis=1), width)
    steps = np.diff(so_far, axis=1, prepend=0)
    return SurvivalTable(table.grid, Table(table.table.layout, steps))


def step_bounds(table: SurvivalTable, width: int = 6) -> Bounds:
    """What the cumulative counts of a table by `midpoint_steps` stand for.

    Args:
        table: As `midpoint_steps` returned it, with the same width.
        width: How many counts look the same.

    Returns:
        The least and the greatest cumulative counts, shape (arms, cells, 2): events, censorings.
    """
    return midpoint_bounds(np.cumsum(table.table.values, axis=1), width)
