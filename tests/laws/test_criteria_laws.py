"""The compiler and the plain interpreter agree on every question, whatever the rows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from simulator.aggregates.grid import Grid, Unit
from simulator.language.study import Question
from simulator.messages.needs import AssignmentNeed, AttritionNeed, EntriesNeed, Need, SurvivalNeed
from simulator.site.store import Store
from tests.support.engines import ENGINES
from tests.support.omop import write_omop
from tests.support.people import crowd, people
from tests.support.questions import describing, questions
from tests.support.records import Drawn, rows

_MANY: Final = int(os.environ.get("EXAMPLES", "1000"))
_CROWDS: Final = 4
_HEALTH: Final = (
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.function_scoped_fixture,
)
_crowded = settings(derandomize=True, max_examples=80, deadline=None, suppress_health_check=_HEALTH)
_few = settings(_crowded, max_examples=30)
_many = settings(max_examples=_MANY, deadline=None, suppress_health_check=_HEALTH, database=None)


@pytest.fixture(scope="module")
def crowds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, ...]]:
    """Databases of 200 patients, each asked many questions."""
    folder = tmp_path_factory.mktemp("crowds")
    stores = tuple(
        Store(write_omop(folder / str(seed), rows(enumerate(crowd(seed, 200), start=1))))
        for seed in range(_CROWDS)
    )
    yield stores
    for store in stores:
        store.close()


@_crowded
@given(asked=questions(), place=st.integers(0, _CROWDS - 1), death_by_month=st.booleans())
def test_the_same_counts_over_a_crowd(
    crowds: tuple[Store, ...], asked: Question, place: int, *, death_by_month: bool
) -> None:
    _agree(crowds[place], asked, death_by_month=death_by_month)


@_few
@given(asked=questions(), drawn=st.lists(people(), max_size=4), death_by_month=st.booleans())
def test_the_same_counts_over_a_few(
    tmp_path: Path, asked: Question, drawn: list[Drawn], *, death_by_month: bool
) -> None:
    _agree_over(tmp_path, asked, drawn, death_by_month=death_by_month)


# One test for each crowd, so that they run side by side: with the next, five times EXAMPLES cases.
@pytest.mark.laws
@pytest.mark.parametrize("place", range(_CROWDS))
@_many
@given(asked=questions(3), death_by_month=st.booleans())
def test_the_same_counts_over_a_crowd_for_long(
    crowds: tuple[Store, ...], asked: Question, place: int, *, death_by_month: bool
) -> None:
    _agree(crowds[place], asked, death_by_month=death_by_month)


@pytest.mark.laws
@_many
@given(asked=questions(), drawn=st.lists(people(), max_size=4), death_by_month=st.booleans())
def test_the_same_counts_over_a_few_for_long(
    tmp_path: Path, asked: Question, drawn: list[Drawn], *, death_by_month: bool
) -> None:
    _agree_over(tmp_path, asked, drawn, death_by_month=death_by_month)


def _agree_over(folder: Path, asked: Question, drawn: list[Drawn], *, death_by_month: bool) -> None:
    store = Store(write_omop(folder, rows(enumerate(drawn, start=1))))
    try:
        _agree(store, asked, death_by_month=death_by_month)
    finally:
        store.close()


def _agree(store: Store, asked: Question, *, death_by_month: bool) -> None:
    needs: list[Need] = [AttritionNeed(), AssignmentNeed()]
    needs += [EntriesNeed(), *describing(asked.follow_up.months)]
    horizon = asked.follow_up.months
    for unit in Unit:
        if horizon % max(unit.width_months, 1):
            continue
        grid = Grid(unit, horizon)
        needs.append(SurvivalNeed(grid))
        needs += [SurvivalNeed(grid, subgroup.name) for subgroup in asked.subgroups]
    answers = {
        name: engine(store, asked, needs, death_by_month=death_by_month)
        for name, engine in ENGINES.items()
    }
    first, *others = answers.values()
    for other in others:
        for one, two in zip(first, other, strict=True):
            axes = " x ".join(axis.name for axis in one.layout.axes)
            note(f"{axes}: {one.flat().tolist()} and {two.flat().tolist()}")
            assert one == two
