"""What the threshold rule lets out, also against an attacker who knows the rule and the totals."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.aggregates.released import Between, Of, Released, Rounded, Withheld
from simulator.privacy.thresholds import (
    is_small,
    round_small,
    withhold_groups,
    withhold_small,
    withhold_steps,
)

THRESHOLD = 11
SMALL = Withheld(THRESHOLD)
NEAR = Withheld(THRESHOLD, Of.DIFFERENCE)

_counts = st.lists(st.integers(0, 40), max_size=8)
_falling = st.lists(st.integers(0, 15) | st.integers(0, 300), max_size=9).map(
    lambda drops: [sum(drops[place:]) for place in range(len(drops))]
)
_law = settings(derandomize=True, max_examples=400)


def numbers(released: tuple[Released, ...]) -> list[int]:
    return [count for count in released if isinstance(count, int)]


@pytest.mark.parametrize(
    ("count", "small"), [(0, False), (1, True), (10, True), (11, False), (418, False)]
)
def test_small_is_1_to_10(count: int, *, small: bool) -> None:
    assert is_small(count, THRESHOLD) is small


@pytest.mark.parametrize("count", range(30))
def test_1_to_10_are_all_shown_as_the_same_and_nothing_else_is(count: int) -> None:
    shown = round_small(count, THRESHOLD)
    if 1 <= count <= 10:
        assert shown == Rounded(10, Between(1, 10))
    else:
        assert shown == count


@pytest.mark.parametrize(
    ("groups", "withheld"),
    [
        ([], False),
        ([0, 0], False),
        ([11, 200, 0], False),
        ([11, 200, 1], True),
        ([10], True),
        ([10, 10], True),
    ],
)
def test_one_small_group_withholds_them_all(groups: list[int], *, withheld: bool) -> None:
    expected = Withheld(THRESHOLD, Of.PART) if withheld else None
    assert withhold_groups(groups, THRESHOLD) == expected
    assert withhold_groups(groups, 0) is None


@given(st.lists(st.lists(st.integers(0, 40), min_size=2, max_size=4), max_size=4))
@_law
def test_no_sum_or_difference_within_an_arm_is_small_where_groups_are_released(
    arms: list[list[int]],
) -> None:
    """Whoever subtracts any levels of an arm from its total is left with 0 or with many."""
    if withhold_groups([count for arm in arms for count in arm], THRESHOLD) is not None:
        return
    for arm in arms:
        for chosen in product((0, 1), repeat=len(arm)):
            left = sum(arm) - sum(n for n, taken in zip(arm, chosen, strict=True) if taken)
            assert not is_small(left, THRESHOLD)


# A funnel, and what is released of it: the last step is decided first, then upwards.
@pytest.mark.parametrize(
    ("counts", "released"),
    [
        ([], ()),
        ([0], (0,)),
        ([10], (SMALL,)),
        ([11], (11,)),
        ([500, 450, 418], (500, 450, 418)),
        ([500, 428, 418], (500, NEAR, 418)),  # 428 - 418 = 10
        ([500, 429, 418], (500, 429, 418)),  # 429 - 418 = 11
        ([436, 427, 418], (436, NEAR, 418)),  # 436 - 427 = 9, but 427 is not seen
        ([433, 427, 422, 418], (433, NEAR, NEAR, 418)),  # 433 - 418 = 15
        ([418, 418, 418], (418, 418, 418)),
        ([30, 9, 0], (30, SMALL, 0)),
        ([15, 5, 5], (15, SMALL, SMALL)),  # 15 has no released neighbour below it
    ],
)
def test_steps_by_example(counts: list[int], released: tuple[Released, ...]) -> None:
    assert withhold_steps(counts, THRESHOLD) == released


@_law
@given(counts=_falling)
def test_no_released_step_is_small_or_near_the_next(counts: list[int]) -> None:
    released = withhold_steps(counts, THRESHOLD)
    assert len(released) == len(counts)
    assert not any(is_small(count, THRESHOLD) for count in numbers(released))
    assert not any(is_small(a - b, THRESHOLD) for a, b in pairwise(numbers(released)))


@_law
@given(counts=_falling)
def test_a_step_is_withheld_for_the_reason_that_it_says(counts: list[int]) -> None:
    released = withhold_steps(counts, THRESHOLD)
    for place, (count, seen) in enumerate(zip(counts, released, strict=True)):
        below = numbers(released[place + 1 :])
        if seen == SMALL:
            assert is_small(count, THRESHOLD)
        elif seen == NEAR:
            assert not is_small(count, THRESHOLD)
            assert is_small(count - below[0], THRESHOLD)
        else:
            assert seen == count


@_law
@given(counts=_falling)
def test_without_a_threshold_every_step_is_seen(counts: list[int]) -> None:
    assert withhold_steps(counts, 0) == tuple(counts)


@pytest.mark.parametrize(
    ("counts", "released"),
    [
        ([], ()),
        ([0, 0], (0, 0)),
        ([20, 30], (20, 30)),
        ([5, 30, 20], (SMALL, 30, NEAR)),  # alone, 5 would be the total less 50
        ([5, 6, 20], (SMALL, SMALL, 20)),
        ([5, 0], (SMALL, 0)),
        ([1, 11, 40], (SMALL, NEAR, NEAR)),  # 12 of which one is small and one is not: 1 and 11
        ([1, 1, 30, 20], (SMALL, SMALL, 30, NEAR)),  # two of 2 in all are 1 and 1
        ([10, 10, 30, 20], (SMALL, SMALL, 30, NEAR)),  # and two of 20 in all are 10 and 10
    ],
)
def test_parts_by_example(counts: list[int], released: tuple[Released, ...]) -> None:
    assert withhold_small(counts, THRESHOLD) == released


@_law
@given(counts=_counts)
def test_no_released_part_is_small(counts: list[int]) -> None:
    released = withhold_small(counts, THRESHOLD)
    assert not any(is_small(count, THRESHOLD) for count in numbers(released))
    for count, seen in zip(counts, released, strict=True):
        assert isinstance(seen, Withheld) or seen == count
        assert (seen == SMALL) == is_small(count, THRESHOLD)


@_law
@given(counts=st.lists(st.integers(0, 9), min_size=1, max_size=4))
def test_a_published_total_gives_no_withheld_part_back(counts: list[int]) -> None:
    """Every withheld part may have at least two values, for one who knows the total and the marks.

    With a threshold of 4, all parts that could be are tried. Nothing helps where all that is
    positive is already withheld.
    """
    released = withhold_small(counts, 4)
    hidden = [place for place, seen in enumerate(released) if isinstance(seen, Withheld)]
    if len(hidden) == sum(count > 0 for count in counts):
        return
    possible = [
        tried
        for tried in product(range(1, 20), repeat=len(hidden))
        if sum(tried) == sum(counts[place] for place in hidden)
        and all(
            (value < 4) == (released[place] == Withheld(4))
            for place, value in zip(hidden, tried, strict=True)
        )
    ]
    for place in range(len(hidden)):
        assert len({tried[place] for tried in possible}) > 1


@_law
@given(counts=_counts)
def test_without_a_threshold_every_part_is_seen(counts: list[int]) -> None:
    assert withhold_small(counts, 0) == tuple(counts)
