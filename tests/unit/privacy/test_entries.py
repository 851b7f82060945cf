"""Days and events beside their patients: what is told of them tells of nobody few."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from simulator.aggregates.released import Between, Of, Rounded, Withheld
from simulator.privacy.entries import round_entries, withhold_entries

SMALL, NEAR = Withheld(11), Withheld(11, Of.DIFFERENCE)


def test_where_patients_are_withheld_so_are_their_days_and_events() -> None:
    patients, days, events = withhold_entries((50, 4), (80, 40), (120, 60), 11)
    assert patients == (50, SMALL)
    assert days == (80, SMALL)
    assert events == (120, SMALL)


def test_a_few_days_more_than_patients_are_a_few_patients_with_several() -> None:
    assert withhold_entries((50,), (53,), (90,), 11) == ((50,), (NEAR,), (90,))
    assert withhold_entries((50,), (50,), (53,), 11) == ((50,), (50,), (NEAR,))
    assert withhold_entries((50,), (61,), (64,), 11) == ((50,), (61,), (NEAR,))


def test_a_few_events_fewer_after_a_step_are_a_few_patients_who_lost_one() -> None:
    patients, _, events = withhold_entries((50, 50), (50, 50), (93, 90), 11)
    assert patients == (50, 50)
    assert events == (NEAR, 90)


def test_without_a_threshold_everything_is_told() -> None:
    assert withhold_entries((3, 1), (4, 1), (5, 2), 0) == ((3, 1), (4, 1), (5, 2))


def test_rounding_withholds_the_events_of_few_patients() -> None:
    ten = Rounded(10, Between(1, 10))
    assert round_entries((50, 4, 0), (80, 40, 0), (120, 60, 0), 11) == (
        (50, ten, 0),
        (80, SMALL, 0),
        (120, SMALL, 0),
    )


steps = st.lists(st.tuples(*[st.integers(0, 30)] * 3), max_size=5)


@given(steps)
def test_no_released_numbers_differ_by_few(drawn: list[tuple[int, int, int]]) -> None:
    """Steps that fall, with at least as many days as patients and events as days."""
    columns: list[tuple[int, ...]] = []
    for parts in zip(*drawn, strict=True):
        falling = tuple(sorted(parts, reverse=True))
        below = columns[-1] if columns else (0,) * len(falling)
        columns.append(tuple(a + b for a, b in zip(falling, below, strict=True)))
    if not columns:
        return
    patients, days, events = columns
    told = withhold_entries(patients, days, events, 5)
    for column, shown in zip(columns, told, strict=True):
        numbers = [count for count in shown if isinstance(count, int)]
        assert all(count == 0 or count >= 5 for count in numbers)
        assert all(a == b or a - b >= 5 for a, b in pairwise(numbers))
        assert all(
            isinstance(count, Withheld) or count == true
            for count, true in zip(shown, column, strict=True)
        )
    for row in zip(*told, strict=True):
        numbers = sorted(count for count in row if isinstance(count, int))
        assert all(a == b or b - a >= 5 for a, b in pairwise(numbers))
