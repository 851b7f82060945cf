"""Whether the tables of one answer can be true together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulator.aggregates.table import Table
from simulator.messages.needs import Need, SurvivalNeed


def contradiction(needs: Sequence[Need], tables: Sequence[Table]) -> str | None:
    """What cannot be in one site's answer, or None: the levels of a subgroup add up to the arms.

    Args:
        needs: What was asked.
        tables: The table of each need, in the layout of the need.
    """
    found = dict(zip(needs, tables, strict=True))
    for need, table in found.items():
        if not isinstance(need, SurvivalNeed) or not need.subgroup:
            continue
        everyone = found.get(SurvivalNeed(need.grid))
        levels = table.values.sum(axis=1)
        if everyone is not None and not np.array_equal(levels, everyone.values):
            return f"the levels of '{need.subgroup}' do not add up to its arms"
    return None
