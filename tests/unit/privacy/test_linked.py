"""What is withheld of a table with totals does not follow from what is shown, whatever the table.

The law is held against a search through every table that fits what is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.aggregates.released import Of, Released, Withheld
from simulator.privacy.linked import (
    Shape,
    grid_shape,
    line_shape,
    rows_shape,
    tree_shape,
    withhold_linked,
)

PART = Withheld(11, Of.PART)


def released(shape: Shape, counts: Sequence[int], threshold: int) -> tuple[Released, ...]:
    return withhold_linked(shape.arcs, counts, threshold, {shape.told})


def line(*cells: int) -> list[int]:
    return [*cells, sum(cells)]


def grid(rows: Sequence[Sequence[int]]) -> list[int]:
    sums = [sum(row) for row in rows]
    columns = [sum(column) for column in zip(*rows, strict=True)]
    return [*(cell for row in rows for cell in row), *sums, *columns, sum(sums)]


def by_rows(rows: Sequence[Sequence[int]]) -> list[int]:
    sums = [sum(row) for row in rows]
    return [*(cell for row in rows for cell in row), *sums, sum(sums)]


def test_what_is_large_is_shown() -> None:
    assert released(line_shape(3), line(20, 0, 30), 11) == (20, 0, 30, 50)


def test_one_small_count_takes_the_next_with_it() -> None:
    assert released(line_shape(3), line(4, 30, 20), 11) == (PART, 30, PART, 54)


def test_two_small_counts_that_are_1_each_take_another() -> None:
    assert released(line_shape(3), line(1, 1, 20), 11) == (PART, PART, PART, 22)


def test_a_small_total_is_withheld_with_all_that_is_in_it() -> None:
    assert released(line_shape(3), line(3, 0, 2), 11) == (PART, 0, PART, Withheld(11))


def test_ones_alone_take_the_zeros_too() -> None:
    assert released(line_shape(4), line(1, 1, 1, 0), 3) == (*[Withheld(3, Of.PART)] * 4, 3)


def test_a_small_cell_of_a_grid_takes_a_rectangle() -> None:
    rows = [[4, 20, 90], [30, 40, 90], [90, 90, 90]]
    found = released(grid_shape(3, 3), grid(rows), 11)
    assert found[:9] == (PART, PART, 90, PART, PART, 90, 90, 90, 90)
    assert found[9:] == tuple(grid(rows)[9:])


def test_without_a_threshold_everything_is_shown() -> None:
    assert released(line_shape(2), line(1, 2), 0) == (1, 2, 3)


def test_a_tree_hides_beside_a_small_leaf_or_above_it() -> None:
    # 0: 40 = 1: 36 + 2: 4; 3: 50
    shape = tree_shape([None, 0, 0, None])
    assert released(shape, [40, 36, 4, 50, 90], 11) == (40, PART, PART, 50, 90)


Build = Callable[[Sequence[int]], list[int]]
"""All counts of a table from the cells that its totals are made of."""


def in_grid(cells: Sequence[int]) -> list[int]:
    return grid([cells[:2], cells[2:]])


def in_rows(cells: Sequence[int]) -> list[int]:
    return by_rows([cells[:2], cells[2:]])


def in_tree(leaves: Sequence[int]) -> list[int]:
    """Everyone is 0 and 5; 0 is 1 and 4; 1 is 2 and 3."""
    a, b, c, d = leaves
    return [a + b + c, a + b, a, b, c, d, a + b + c + d]


def fits(shown: Sequence[Released], counts: Sequence[int], told: int) -> bool:
    """Whether a table may be what is shown.

    A withheld count is positive, but where nothing is shown besides the whole: it may be zero then.
    """
    nothing = all(isinstance(count, Withheld) for count in [*shown[:told], *shown[told + 1 :]])
    for place, (seen, count) in enumerate(zip(shown, counts, strict=True)):
        if isinstance(seen, int):
            agrees = seen == count
        elif place == told:
            agrees = isinstance(seen, Withheld) and 0 < count < seen.below
        else:
            agrees = count > 0 or nothing
        if not agrees:
            return False
    return True


def holds(shape: Shape, build: Build, cells: Sequence[int], threshold: int) -> None:
    counts = build(cells)
    shown = released(shape, counts, threshold)
    for count, seen in zip(counts, shown, strict=True):
        assert isinstance(seen, Withheld) or seen == count
        assert isinstance(seen, Withheld) or not 0 < count < threshold
    hidden = [place for place, seen in enumerate(shown) if isinstance(seen, Withheld)]
    possible: list[set[int]] = [set() for _ in shown]
    if hidden:
        for tried in product(range(max(cells) + 3), repeat=len(cells)):
            others = build(tried)
            if fits(shown, others, shape.told):
                for values, value in zip(possible, others, strict=True):
                    values.add(value)
    assert all(len(possible[place]) >= 2 for place in hidden)


fours = st.lists(st.integers(0, 4), min_size=4, max_size=4)
thresholds = st.integers(3, 5)


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), min_size=2, max_size=4), thresholds)
def test_nothing_follows_along_a_line(cells: list[int], threshold: int) -> None:
    holds(line_shape(len(cells)), lambda found: line(*found), cells, threshold)


@settings(deadline=None)
@given(fours, thresholds)
def test_nothing_follows_in_a_grid(cells: list[int], threshold: int) -> None:
    holds(grid_shape(2, 2), in_grid, cells, threshold)


@settings(deadline=None)
@given(fours, thresholds)
def test_nothing_follows_in_rows(cells: list[int], threshold: int) -> None:
    holds(rows_shape(2, 2), in_rows, cells, threshold)


@settings(deadline=None)
@given(fours, thresholds)
def test_nothing_follows_in_a_tree(leaves: list[int], threshold: int) -> None:
    holds(tree_shape([None, 0, 1, 1, 0, None]), in_tree, leaves, threshold)


@pytest.mark.parametrize("columns", [9, 40])
def test_a_large_grid_takes_no_time(columns: int) -> None:
    rows = [[(7 * row + 3 * column) % 23 for column in range(columns)] for row in range(12)]
    found = released(grid_shape(12, columns), grid(rows), 11)
    assert any(isinstance(count, int) and count > 0 for count in found)
