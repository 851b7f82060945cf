"""The people in a cohort by year do not give away how many were new in a year.

Where nobody leaves, those in the cohort are the sum of all who were new so far. The law is held
against a search through every number of new patients that fits what is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, product

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.aggregates.released import Between, Of, Released, Rounded, Withheld
from simulator.aggregates.table import Table
from simulator.hub.analyses.released import ReleasedGrid, ReleasedYears
from simulator.messages.describing import ArrivalNeed, CalendarNeed, Years
from simulator.messages.needs import layout_of
from simulator.messages.requests import ReleaseTerms, RoundRequest
from simulator.privacy.releases import EXACT, PLATFORM, SECURE_SUM, Release
from simulator.privacy.thresholds import bounds_of
from tests.support.rounds import open_round
from tests.unit.hub.wires import study

NEAR, PART = Withheld(11, Of.DIFFERENCE), Withheld(11, Of.PART)
TEN = Rounded(10, Between(1, 10))
FIRST = 2018


def let_out(
    release: Release, new: Sequence[int], had: Sequence[int], *, early: int = 0
) -> tuple[ReleasedGrid, tuple[Released, ...]]:
    """New patients before the years, in each and after all, and who was in the cohort in each.

    Args:
        release: The release.
        new: Before the years, in each year, after the years.
        had: The people in the cohort in each year, of 10,000.
        early: By how many years the table of new patients begins earlier, with nobody in them.
    """
    last = FIRST + len(had) - 1
    arrived, counted = ArrivalNeed(Years(FIRST - early, last)), CalendarNeed(Years(FIRST, last))
    question = study().question
    quarters = np.zeros(layout_of(arrived, question).shape, dtype=np.int64)
    quarters[[0, *range(early + 1, len(quarters))], 0, 0] = new
    years = np.zeros(layout_of(counted, question).shape, dtype=np.int64)
    years[:, 0], years[:, 1], years[:, 2] = 10_000, had, 365
    tables = tuple(
        Table(layout_of(need, question), cells)
        for need, cells in ((arrived, quarters), (counted, years))
    )
    terms = ReleaseTerms(release.name, release.version, release.threshold)
    request = RoundRequest("run", 1, "roster", 2, terms, question, (arrived, counted))
    released = open_round(request, release, [tables]).released
    grid, found = released[arrived], released[counted]
    assert isinstance(grid, ReleasedGrid)
    assert isinstance(found, ReleasedYears)
    return grid, found.prevalent


def so_far(new: Sequence[int]) -> list[int]:
    """Who is in the cohort in each year where nobody leaves."""
    return list(accumulate(new[:-1]))[1:]


def test_a_withheld_number_of_new_patients_does_not_follow_from_who_has_it() -> None:
    new = [0, 9, 6, 6, 1, 30, 0]
    grid, had = let_out(SECURE_SUM, new, so_far(new))
    assert grid.row_totals[1:5] == (PART,) * 4
    assert had == (PART,) * 5


def test_years_before_the_first_that_is_withheld_are_shown() -> None:
    new = [90, 0, 80, 40, 4, 20, 0]
    grid, had = let_out(SECURE_SUM, new, so_far(new))
    assert grid.row_totals == (90, 0, 80, 40, PART, PART, 0)
    assert had == (90, 170, 210, PART, PART)


def test_those_before_all_years_are_protected_too() -> None:
    new = [4, 30, 20, 40, 0]
    grid, had = let_out(SECURE_SUM, new, so_far(new))
    assert grid.row_totals[0] == PART
    assert had == (PART,) * 3


def test_the_years_of_the_two_tables_may_differ() -> None:
    new = [40, 50, 30, 4, 6, 20]
    for early in (0, 3):
        _, had = let_out(SECURE_SUM, new, so_far(new), early=early)
        assert had == (90, 120, PART, PART)


@pytest.mark.parametrize("release", [SECURE_SUM, PLATFORM], ids=["secure-sum", "platform"])
def test_neighbouring_years_that_differ_by_few_are_not_both_shown(release: Release) -> None:
    new = [0, 100, 20, 20, 20, 0, 0]
    # 100; 15 come, 11 leave; 25 leave; nobody
    _, had = let_out(release, new, [100, 104, 111, 86, 86])
    assert had == (100, NEAR, 111, 86, 86)


def test_where_small_numbers_are_rounded_what_would_tell_them_is_withheld() -> None:
    new = [0, 20, 4, 30, 0]
    grid, had = let_out(PLATFORM, new, so_far(new))
    assert grid.row_totals == (0, 20, TEN, 30, 0)
    assert had == (20, PART, PART)


def test_the_laboratory_sees_all() -> None:
    new = [1, 2, 3, 4, 5]
    assert let_out(EXACT, new, so_far(new))[1] == (3, 6, 10)


def possible(
    totals: Sequence[Released], had: Sequence[Released], everyone: Released, most: int
) -> set[tuple[int, ...]]:
    """All numbers of new patients that what is shown may stand for."""

    def may_be(shown: Released, count: int) -> bool:
        low, high = bounds_of(shown)
        return low <= count and (high is None or count <= high)

    return {
        tried
        for tried in product(range(most + 1), repeat=len(totals))
        if may_be(everyone, sum(tried))
        and all(map(may_be, totals, tried))
        and all(map(may_be, had, so_far(tried)))
    }


@settings(deadline=None)
@given(
    st.sampled_from([SECURE_SUM, PLATFORM]),
    st.lists(st.integers(0, 5), min_size=4, max_size=5),
    st.integers(3, 5),
)
def test_who_is_in_the_cohort_tells_nothing_of_who_is_new(
    release: Release, new: list[int], threshold: int
) -> None:
    grid, had = let_out(msgspec.structs.replace(release, threshold=threshold), new, so_far(new))
    most = max(new) + 2
    with_both = possible(grid.row_totals, had, grid.everyone, most)
    alone = possible(grid.row_totals, (), grid.everyone, most)
    assert tuple(new) in with_both
    assert with_both == alone
    if release is SECURE_SUM:
        for place, shown in enumerate(grid.row_totals):
            assert isinstance(shown, int) or len({tried[place] for tried in with_both}) >= 2
