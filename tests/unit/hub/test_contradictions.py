"""An answer that cannot be true loses its site; whatever could be true passes."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.table import Table
from simulator.hub.aggregator import read_answer
from simulator.hub.contradictions import contradiction
from simulator.messages.codec import MalformedMessage, encode_cells
from simulator.messages.needs import Need, SurvivalNeed, layout_of
from simulator.messages.requests import ReleaseTerms, RoundAnswer, RoundRequest
from tests.unit.hub.test_aggregator import asked

GRID = Grid(Unit.MONTH, 12)
NEEDS: tuple[Need, ...] = (SurvivalNeed(GRID), SurvivalNeed(GRID, "age"))


def tables() -> tuple[Table, Table]:
    """Patients by arm, and the same by arm and level."""
    levels = np.random.default_rng(1).integers(0, 3, layout_of(NEEDS[1], asked()).shape)
    return (
        Table(layout_of(NEEDS[0], asked()), levels.sum(axis=1)),
        Table(layout_of(NEEDS[1], asked()), levels),
    )


def moved() -> Table:
    """One patient of a level in another month."""
    _, by_level = tables()
    values = by_level.values.copy()
    values[0, 0, 3, 0] += 1
    values[0, 0, 4, 0] -= 1
    return Table(by_level.layout, values)


def test_levels_that_add_up_to_the_arms() -> None:
    assert contradiction(NEEDS, tables()) is None


def test_levels_that_do_not() -> None:
    everyone, _ = tables()
    assert contradiction(NEEDS, (everyone, moved())) == (
        "the levels of 'age' do not add up to its arms"
    )


def test_levels_alone_contradict_nothing() -> None:
    assert contradiction(NEEDS[1:], (moved(),)) is None
    assert contradiction(NEEDS[:1], tables()[:1]) is None


def test_a_site_that_contradicts_itself_is_not_added() -> None:
    request = RoundRequest("r", 1, "h", 2, ReleaseTerms("secure-sum", 1, 11), asked(), NEEDS)
    everyone, by_level = tables()

    def read(second: Table) -> tuple[Table, ...]:
        cells = tuple(encode_cells(table.flat()) for table in (everyone, second))
        return read_answer(request, "a", RoundAnswer("a", "r", 1, "h", cells))

    assert read(by_level) == (everyone, by_level)
    values = by_level.values.copy()
    values[0, 0, 3, 0] += 1
    with pytest.raises(MalformedMessage, match="do not add up to its arms"):
        read(Table(by_level.layout, values))
