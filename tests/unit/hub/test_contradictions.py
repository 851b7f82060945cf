"""What cannot be true costs the site that said it, or ends the run whose sum it is."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.table import Table
from simulator.errors import VerificationFailed
from simulator.hub.answers import Answered, check_masked, read_answer
from simulator.hub.contradictions import contradiction
from simulator.messages.codec import MalformedMessage, encode_cells
from simulator.messages.describing import CalendarNeed, Years
from simulator.messages.needs import (
    AssignmentNeed,
    AttritionNeed,
    EntriesNeed,
    Need,
    SurvivalNeed,
    layout_of,
)
from simulator.messages.requests import ReleaseTerms, RoundAnswer, RoundRequest
from simulator.privacy.release import Noise
from simulator.privacy.releases import EXACT
from tests.unit.hub.test_aggregator import asked

PERSONS = 10_000
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
    full = int(np.argmax(values[0, 0, :, 0]))
    values[0, 0, full, 0] -= 1
    values[0, 0, full - 1, 0] += 1
    return Table(by_level.layout, values)


def test_levels_that_add_up_to_the_arms() -> None:
    assert contradiction(NEEDS, tables(), PERSONS) is None


def test_levels_that_do_not() -> None:
    everyone, _ = tables()
    assert contradiction(NEEDS, (everyone, moved()), PERSONS) == (
        "the levels of 'age' do not add up to its arms"
    )


def test_levels_alone_contradict_nothing() -> None:
    assert contradiction(NEEDS[1:], (moved(),), PERSONS) is None
    assert contradiction(NEEDS[:1], tables()[:1], PERSONS) is None


def test_a_site_that_contradicts_itself_is_not_added() -> None:
    request = RoundRequest("r", 1, "h", 2, ReleaseTerms("exact", 1), asked(), NEEDS)
    everyone, by_level = tables()

    def read(second: Table) -> Answered:
        cells = tuple(encode_cells(table.flat()) for table in (everyone, second))
        return read_answer(request, "a", RoundAnswer("a", "r", 1, "h", cells), EXACT, PERSONS)

    assert read(by_level) == (everyone, by_level)
    values = by_level.values.copy()
    values[0, 0, 3, 0] += 1
    with pytest.raises(MalformedMessage, match="do not add up to its arms"):
        read(Table(by_level.layout, values))


def table(need: Need, *cells: int) -> Table:
    """The table of a need, its first cells given and the others 0."""
    layout = layout_of(need, asked())
    values = np.zeros(layout.cells, dtype=np.int64)
    values[: len(cells)] = cells
    return Table.from_flat(layout, values)


ATTRITION, ASSIGNMENT, SURVIVAL = AttritionNeed(), AssignmentNeed(), SurvivalNeed(GRID)
CALENDAR = CalendarNeed(Years(2020, 2021))
WRONG: dict[str, tuple[dict[Need, Table], str]] = {
    "negative": ({ATTRITION: table(ATTRITION, 5, -1)}, "a count is negative"),
    "too many": ({ATTRITION: table(ATTRITION, 101)}, "a count is above 100"),
    "too many in all months": ({SURVIVAL: table(SURVIVAL, 60, 41)}, "a count is above 100"),
    "too many with events": ({EntriesNeed(): table(EntriesNeed(), 101, 200, 300)}, "above 100"),
    "too many days": ({CALENDAR: table(CALENDAR, 9, 9, 36_601)}, "a count is above 100"),
    "rising": ({ATTRITION: table(ATTRITION, 5, 6)}, "a step leaves more patients than the one"),
    "other arms": (
        {ASSIGNMENT: table(ASSIGNMENT, 3), SURVIVAL: table(SURVIVAL, 1, 1)},
        "the arms' patients are not those of their survival",
    ),
}
RIGHT: dict[str, dict[Need, Table]] = {
    "as many as there are": {ATTRITION: table(ATTRITION, 100, 100)},
    "in all months": {SURVIVAL: table(SURVIVAL, 60, 40)},
    "many events": {EntriesNeed(): table(EntriesNeed(), 100, 200, 300)},
    "many days": {CALENDAR: table(CALENDAR, 9, 9, 36_600)},
    "the same arms": {ASSIGNMENT: table(ASSIGNMENT, 3), SURVIVAL: table(SURVIVAL, 1, 2)},
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_is_found(case: str) -> None:
    given, told = WRONG[case]
    found = contradiction([*given], [*given.values()], 100)
    assert found is not None
    assert told in found


@pytest.mark.parametrize("case", RIGHT)
def test_what_can_be_passes(case: str) -> None:
    assert contradiction([*RIGHT[case]], [*RIGHT[case].values()], 100) is None


def test_a_masked_sum_that_cannot_be_ends_the_run() -> None:
    terms = ReleaseTerms("secure-sum", 1, 11)
    request = RoundRequest("r", 1, "h", 3, terms, asked(), (ATTRITION,))
    check_masked(request, {ATTRITION: table(ATTRITION, 100, 7)}, 100, 3)
    with pytest.raises(VerificationFailed, match="cannot be true: a count is negative"):
        check_masked(request, {ATTRITION: table(ATTRITION, 100, -7)}, 100, 3)


@pytest.mark.parametrize("mechanism", ["laplace", "skellam"])
def test_with_noise_a_sum_is_held_against_what_noise_can_do(mechanism: str) -> None:
    terms = ReleaseTerms("dp", 1, noise=Noise("1", mechanism))
    request = RoundRequest("r", 1, "h", 3, terms, asked(), (ASSIGNMENT, SURVIVAL))
    sums: dict[Need, Table] = {
        ASSIGNMENT: table(ASSIGNMENT, 50),
        SURVIVAL: table(SURVIVAL, 60),
    }
    # Noise lets counts be negative, a few above everybody, and against each other.
    check_masked(request, sums, 100, 3)
    for wrong in (-30, 130):
        check_masked(request, sums | {SURVIVAL: table(SURVIVAL, 60, wrong)}, 100, 3)
    for wrong in (-100_000, 100_000, 2**31 - 1):
        with pytest.raises(VerificationFailed, match="further from 0 to 100 than noise goes"):
            check_masked(request, sums | {SURVIVAL: table(SURVIVAL, 60, wrong)}, 100, 3)
