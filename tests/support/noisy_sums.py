"""The noise of many runs, each site with its own share, as runs ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.table import Table
from simulator.hub.requesting import round_request
from simulator.messages.needs import (
    AssignmentNeed,
    AttritionNeed,
    SurvivalNeed,
    in_order,
    kind_of,
    layout_of,
)
from simulator.messages.requests import RoundRequest
from simulator.privacy.release import Release
from simulator.privacy.releases import chosen
from simulator.site.chance import seeded_chance
from simulator.site.changing import with_noise
from tests.support.crowds import (
    STUDY,
)
from tests.unit.hub.wires import plan_of

Cells = NDArray[np.int64]
Reals = NDArray[np.float64]

EPSILON: Final = "2"
CLAIM: Final = float(Fraction(EPSILON))
SITES: Final = tuple(f"site-{place}" for place in range(4))
HONEST: Final = 3
"""The least number of honest sites of four, at 67 in a hundred."""
RUNS: Final = 2000
GRID: Final = Grid(Unit.MONTH, STUDY.question.follow_up.months)
ATTRITION, ASSIGNMENT, SURVIVAL = AttritionNeed(), AssignmentNeed(), SurvivalNeed(GRID)
NEEDS: Final = in_order((ATTRITION, ASSIGNMENT, SURVIVAL))


def request_of(release: Release, run: str = "law") -> RoundRequest:
    """What such a run asks of the four sites."""
    return round_request(plan_of(STUDY, SITES, release), run, SITES, 1, NEEDS)


def shares(request: RoundRequest, run: str, site: str, tables: Sequence[Table]) -> Cells:
    """What one site answers in one run, before it is masked: all tables' cells in a row."""
    source = seeded_chance(int(run), site).fresh("noise", run, "1")
    noisy = with_noise(request, tables, source)
    return np.concatenate([table.flat() for table in noisy])


@lru_cache(maxsize=24)
def pool(
    epsilon: str = EPSILON, mechanism: str = "laplace", runs: int = RUNS, first: int = 0
) -> Cells:
    """The noise of each site in many runs, shape (runs, sites, cells).

    That it is the same whatever the tables hold is a law of its own below.
    """
    request = request_of(chosen("dp", None, epsilon, mechanism))
    nobody = [Table.zero(layout_of(need, request.question)) for need in NEEDS]
    return np.stack(
        [
            [shares(request, str(run), site, nobody) for site in SITES]
            for run in range(first, first + runs)
        ]
    )


def parted(cells: Cells) -> dict[str, Cells]:
    """The cells of each kind of request; the last axis is parted."""
    sizes = [layout_of(need, STUDY.question).cells for need in NEEDS]
    parts = np.split(cells, np.cumsum(sizes)[:-1], axis=-1)
    return {kind_of(need): part for need, part in zip(NEEDS, parts, strict=True)}


def apart(cells: Cells) -> Cells:
    """All cells in a row, the steps of the attrition as who came just so far and no further."""
    kinds = parted(cells)
    steps = kinds["attrition"]
    kinds["attrition"] = steps - np.concatenate([steps[..., 1:], 0 * steps[..., :1]], axis=-1)
    return np.concatenate([kinds[kind_of(need)] for need in NEEDS], axis=-1)
