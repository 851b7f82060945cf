"""What sites answered in the clear: read, checked, and added up in roster order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from math import sqrt
from typing import Final

import numpy as np

from simulator.aggregates.bounded import BoundedTable
from simulator.aggregates.table import Layout, Table
from simulator.errors import VerificationFailed
from simulator.hub.contradictions import contradiction
from simulator.messages.codec import MalformedMessage, decode_cells
from simulator.messages.needs import AttritionNeed, Need, kind_of, layout_of
from simulator.messages.noise import noise_laws
from simulator.messages.requests import RoundAnswer, RoundRequest
from simulator.privacy.release import Place, Release
from simulator.privacy.rules.registry import RULES
from simulator.privacy.rules.rule import Cells

# Standard deviations; beyond 64 of them Laplace noise has a chance of e^-90.
_NEVER_SEEN: Final = 64

Answered = tuple[Table | BoundedTable, ...]
"""The table for each need; between bounds where the site's own rule withheld cells."""

Sums = Mapping[Need, Table | BoundedTable]


def read_answer(
    request: RoundRequest, site: str, answer: RoundAnswer, release: Release, persons: int
) -> Answered:
    """The tables in the answer that a site sent to a request.

    Args:
        request: What was asked.
        site: Who was asked.
        answer: What came.
        release: The release that the run stands under.
        persons: How many persons the site holds at most, by its catalogue.

    Raises:
        MalformedMessage: The answer is to something else, has another shape, or cannot be.
    """
    asked = (request.run, request.round, request.roster)
    if (answer.run, answer.round, answer.roster) != asked:
        raise MalformedMessage("the answer is to another request")
    if answer.site != site:
        raise MalformedMessage("it is another site's")
    if len(answer.cells) != len(request.needs):
        raise MalformedMessage(f"{len(request.needs)} tables were expected")
    layouts = [layout_of(need, request.question) for need in request.needs]
    cells = [
        decode_cells(data, layout.cells) for layout, data in zip(layouts, answer.cells, strict=True)
    ]
    if release.rule and release.place is Place.SITE:
        return _by_rule(answer, release, layouts, cells)
    if answer.withheld:
        raise MalformedMessage("it withholds cells, which the release does not do at a site")
    tables = tuple(
        Table.from_flat(layout, flat) for layout, flat in zip(layouts, cells, strict=True)
    )
    wrong = contradiction(request.needs, tables, persons)
    if wrong is not None:
        raise MalformedMessage(wrong)
    return tables


def _by_rule(
    answer: RoundAnswer,
    release: Release,
    layouts: Sequence[Layout],
    cells: Sequence[np.ndarray],
) -> tuple[BoundedTable, ...]:
    """What a site's own rule let out, with the bounds that the rule leaves."""
    if len(answer.withheld) != len(layouts):
        raise MalformedMessage(f"what is withheld was expected for {len(layouts)} tables")
    found = []
    for layout, shown, bits in zip(layouts, cells, answer.withheld, strict=True):
        if len(bits) != -(-layout.cells // 8):
            raise MalformedMessage(f"{layout.cells} bits were expected; got {8 * len(bits)}")
        held = np.unpackbits(np.frombuffer(bits, np.uint8), count=layout.cells).astype(np.bool_)
        found.append(bounded(layout, Cells(np.where(held, 0, shown), held), release))
    return tuple(found)


def bounded(layout: Layout, cells: Cells, release: Release) -> BoundedTable:
    """The cells that a release's rule let out, as a table with their bounds."""
    lowest, highest = RULES[release.rule].bounds(cells)
    parts = (cells.shown, lowest, highest, cells.withheld)
    return BoundedTable(layout, *(part.astype(np.int64).reshape(layout.shape) for part in parts))


def add_up(request: RoundRequest, answers: Sequence[Answered]) -> Sums:
    """The sum of the tables of each need, in roster order."""
    return {
        need: reduce(lambda one, other: one + other, (tables[place] for tables in answers))  # type: ignore[operator]  # of one need all tables are of one kind
        for place, need in enumerate(request.needs)
    }


def check_masked(
    request: RoundRequest, sums: Mapping[Need, Table], persons: int, answering: int
) -> None:
    """Ends a run whose masked sum cannot be true.

    What a single site sent cannot be seen, so a lie that is possible passes. Noise makes counts
    contradict each other; there a sum is only held against the persons of all sites and noise that
    nobody will ever see.

    Args:
        request: What was asked.
        sums: The sum for each need.
        persons: How many persons all sites hold at most.
        answering: How many sites are in the sums.

    Raises:
        VerificationFailed: Counts are negative, above the persons of all sites, or contradict.
    """
    if request.release.noise is None:
        wrong = contradiction(request.needs, [sums[need] for need in request.needs], persons)
    else:
        wrong = _beyond_noise(request, sums, persons, answering)
    if wrong is not None:
        raise VerificationFailed(
            f"the masked sum cannot be true: {wrong}",
            hint="A site sent what cannot be, and masks hide which. Nothing was released.",
        )


def _beyond_noise(
    request: RoundRequest, sums: Mapping[Need, Table], persons: int, answering: int
) -> str | None:
    laws = noise_laws(request, answering)
    for need, table in sums.items():
        # The step of a funnel holds the noise of all cells from it on.
        terms = table.layout.cells if isinstance(need, AttritionNeed) else 1
        most = terms * _NEVER_SEEN * sqrt(laws[kind_of(need)].variance)
        if (table.values < -most).any() or (table.values > persons + most).any():
            return f"a count is further from 0 to {persons} than noise goes"
    return None


def sites_with_matches(
    request: RoundRequest, answers: Sequence[Answered], release: Release
) -> int | None:
    """How many sites hold a patient of the cohort, where the release hides nothing."""
    if release.threshold or release.rule or AttritionNeed() not in request.needs:
        return None
    place = request.needs.index(AttritionNeed())
    return sum(
        int(table.flat()[-1] > 0) for tables in answers if isinstance(table := tables[place], Table)
    )
