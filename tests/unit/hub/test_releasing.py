"""What each release lets out of tables that describe a cohort."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import pytest

from simulator.aggregates.released import Between, Of, Released, Rounded, Withheld
from simulator.aggregates.survival import SurvivalTable
from simulator.aggregates.table import Table
from simulator.hub.analyses.released import (
    ReleasedCounts,
    ReleasedEntries,
    ReleasedGrid,
    ReleasedPaths,
    ReleasedTable,
    ReleasedYears,
)
from simulator.hub.releasing import release_description, release_entries
from simulator.language.codes import Code, ConceptSet
from simulator.language.criteria import Domain, Events
from simulator.language.study import Question
from simulator.messages.describing import (
    ArrivalNeed,
    CalendarNeed,
    CodesNeed,
    DescribingNeed,
    FollowUpNeed,
    LabsNeed,
    LabTest,
    PathwaysNeed,
    RaceNeed,
    Years,
)
from simulator.messages.needs import EntriesNeed, kind_of, layout_of
from simulator.privacy.releases import EXACT, PLATFORM, SECURE_SUM, Release
from tests.unit.hub.wires import study

SMALL, NEAR, PART = Withheld(11), Withheld(11, Of.DIFFERENCE), Withheld(11, Of.PART)
TEN: Final = Rounded(10, Between(1, 10))


def asked() -> Question:
    """A question with two kinds of treatment."""
    question = study().question
    names = [codes.name for codes in question.codes][:2]
    lines = tuple(Events(Domain.DRUG, name) for name in names)
    return msgspec.structs.replace(question, lines=lines)


def let_out(release: Release, need: DescribingNeed, values: Sequence[object]) -> ReleasedTable:
    """What is released of a table whose first cells are given; the others are 0."""
    layout = layout_of(need, asked())
    cells = np.zeros(layout.shape, dtype=np.int64)
    given = np.array(values, dtype=np.int64)
    cells[tuple(slice(size) for size in given.shape)] = given
    treatment = release.treatments[kind_of(need)]
    return release_description(need, Table(layout, cells), treatment, release.threshold)


def line(release: Release, values: Sequence[int]) -> tuple[Released, ...]:
    found = let_out(release, RaceNeed(), [[value] for value in values])
    assert isinstance(found, ReleasedGrid)
    return (*found.cells[0], found.everyone)


def test_a_small_group_takes_another_with_it() -> None:
    assert line(SECURE_SUM, [40, 4, 20]) == (40, PART, PART, 0, 0, 0, 64)
    assert line(EXACT, [40, 4, 20]) == (40, 4, 20, 0, 0, 0, 64)
    assert line(PLATFORM, [40, 4, 20]) == (40, TEN, 20, 0, 0, 0, 64)


def test_a_quarter_does_not_follow_from_its_year() -> None:
    need = ArrivalNeed(Years(2019, 2020))
    quarters = [[[0]] * 4, [[12], [3], [0], [0]], [[20], [20], [20], [20]]]
    found = let_out(SECURE_SUM, need, quarters)
    assert isinstance(found, ReleasedGrid)
    assert found.cells[1] == (PART, PART, 0, 0)
    assert found.cells[2] == (20, 20, 20, 20)
    assert found.row_totals == (0, 15, 80, 0)
    assert found.column_totals == ()
    assert found.everyone == 95


def test_each_test_adds_up_to_everyone() -> None:
    need = LabsNeed((LabTest("a", "g/L", (1.0, 2.0)), LabTest("b", "g/L", (1.0,))))
    found = let_out(SECURE_SUM, need, [[[30], [30], [0], [4]], [[32], [32], [0], [0]]])
    assert isinstance(found, ReleasedGrid)
    assert found.cells[0].count(PART) == 2
    assert found.cells[0][3] == PART
    assert found.cells[1] == (32, 32, 0, 0)
    assert found.everyone == 64


def test_codes_that_most_or_few_have_are_withheld() -> None:
    sets = tuple(ConceptSet(name, (Code("CPT4", name),)) for name in "abcde")
    need = CodesNeed(Domain.PROCEDURE, sets)
    counts = [[100], [100], [95], [50], [4], [0]]
    found = let_out(SECURE_SUM, need, counts)
    assert isinstance(found, ReleasedCounts)
    assert found.labels == ("everyone", *"abcde")
    assert found.counts == (100, 100, NEAR, 50, SMALL, 0)
    few = let_out(SECURE_SUM, need, [[9], [9], [0]])
    assert isinstance(few, ReleasedCounts)
    assert few.counts == (SMALL, SMALL, 0, 0, 0, 0)
    rounded = let_out(PLATFORM, need, counts)
    assert isinstance(rounded, ReleasedCounts)
    assert rounded.counts == (100, 100, 95, 50, TEN, 0)


def test_years_of_few_people_are_withheld_with_their_days() -> None:
    found = let_out(SECURE_SUM, CalendarNeed(Years(2019, 2020)), [[9, 2, 700], [90, 85, 7000]])
    assert isinstance(found, ReleasedYears)
    assert found.observed == (SMALL, 90)
    assert found.prevalent == (SMALL, NEAR)
    assert found.days == (SMALL, 7000)


@pytest.mark.parametrize(
    ("release", "patients", "told"),
    [
        *((SECURE_SUM, 10, False), (SECURE_SUM, 11, True), (SECURE_SUM, 0, True)),
        *((EXACT, 1, True), (PLATFORM, 1, True)),
    ],
)
def test_follow_up_is_all_or_nothing(release: Release, patients: int, *, told: bool) -> None:
    found = let_out(release, FollowUpNeed(12), [[[patients, 0]]])
    assert isinstance(found, SurvivalTable) == told
    assert told or found == SMALL


def test_a_path_does_not_follow_from_how_it_began() -> None:
    """The last place of each axis is none."""
    cells = np.zeros((3, 3, 3, 1), dtype=np.int64)
    cells[0, 1, 2], cells[0, 2, 2], cells[1, 2, 2], cells[2, 2, 2] = 4, 30, 40, 50
    found = let_out(SECURE_SUM, PathwaysNeed(), cells.tolist())
    assert isinstance(found, ReleasedPaths)
    first, second = (str(events.codes) for events in asked().lines)
    assert found.paths == {
        (first,): 34,
        (first, second): PART,
        (first, second, "none"): PART,
        (first, "none"): PART,
        (second,): 40,
        (second, "none"): 40,
        ("none",): 50,
    }
    assert found.everyone == 124


def test_events_of_few_patients_are_withheld() -> None:
    layout = layout_of(EntriesNeed(), asked())
    cells = np.zeros(layout.shape, dtype=np.int64)
    cells[0], cells[1:] = (50, 80, 120), (4, 20, 40)
    treatment = SECURE_SUM.treatments["entries"]
    found = release_entries(Table(layout, cells), treatment, SECURE_SUM.threshold)
    assert isinstance(found, ReleasedEntries)
    assert (found.patients[0], found.days[0], found.events[0]) == (50, 80, 120)
    assert (found.patients[-1], found.days[-1], found.events[-1]) == (SMALL,) * 3
