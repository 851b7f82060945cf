"""Numbers of two results meet under the same name; what is withheld is never a number."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.aggregates.released import Between, Noisy, Of, Partial, Rounded, Withheld
from simulator.hub.analyses.results import Bounds
from simulator.hub.quantities import Quantity, compare, numbers_of

ROUNDED = {"shown": 10, "stands_for": {"at_least": 1, "at_most": 10}}
RESULT: dict[str, Any] = {
    "study": "s",
    "version": 1,
    "network": {"name": "n", "asked": 3, "with_matches": 2},
    "cohort": {
        "patients": 30,
        "attrition": [
            {"step": "with an index event", "patients": {"withheld": {"below": 11}}},
            {"step": "women", "patients": {"at_least": 20, "at_most": 40}},
            {"step": "men", "patients": ROUNDED},
        ],
    },
    "arms": [
        {
            "arm": "A",
            "events": 4,
            "median_months": {"estimate": None, "lower": 1.5},
            "survival": [{"months": 12, "estimate": 0.5}, {"months": 24, "estimate": 0.25}],
        }
    ],
    "hazard_ratios": [{"arm": "B", "reference": "A", "estimate": 1.5}],
    "log_rank": None,
    "survival_differences": [
        {"arm": "B", "reference": "A", "months": 36, "difference": {"estimate": 0.1}}
    ],
    "subgroups": [{"subgroup": "age", "levels": [{"level": "old", "n": 3}], "in_no_level": []}],
    "disclosure": {"alone_in_a_cell": 0.1, "says": "10%"},
    "flags": [True, 7],
    "release": {"threshold": 11},
}


def test_every_number_has_a_name() -> None:
    assert dict(numbers_of(RESULT)) == {
        ("network", "with matches"): 2,
        ("cohort", "patients"): 30,
        ("cohort", "attrition", "with an index event", "patients"): Withheld(11),
        ("cohort", "attrition", "women", "patients"): Between(20, 40),
        ("cohort", "attrition", "men", "patients"): Rounded(10, Between(1, 10)),
        ("arms", "A", "events"): 4,
        ("arms", "A", "median_months", "estimate"): None,
        ("arms", "A", "median_months", "lower"): 1.5,
        ("arms", "A", "survival", "12", "estimate"): 0.5,
        ("arms", "A", "survival", "24", "estimate"): 0.25,
        ("hazard_ratios", "B against A", "estimate"): 1.5,
        ("log_rank",): None,
        ("survival_differences", "B against A at 36", "difference", "estimate"): 0.1,
        ("subgroups", "age", "levels", "old", "n"): 3,
        ("disclosure", "alone_in_a_cell"): 0.1,
        ("flags", "2"): 7,
    }


def test_a_withheld_number_that_is_none_is_refused() -> None:
    broken = {"network": {}, "cohort": {"patients": {"withheld": "eleven"}}}
    with pytest.raises(msgspec.ValidationError):
        list(numbers_of(broken))


@pytest.mark.parametrize(
    ("first", "second", "difference"),
    [
        (4, 7, 3),
        (0.5, 0.25, -0.25),
        (Withheld(11), 12, None),
        (12, Withheld(11), None),
        (Withheld(11), Withheld(11, Of.DIFFERENCE), None),
        (Withheld(11), 0, None),
        (None, 3.0, None),
    ],
)
def test_only_numbers_have_a_difference(first: Any, second: Any, difference: float | None) -> None:
    found = compare({("a",): first}, {("a",): second})
    assert found.differing == (Quantity(("a",), first, second, None, difference),)
    assert found.numbers == 1


@pytest.mark.parametrize(
    ("first", "second", "agree"),
    [
        (Between(1, 3), Between(1, 4), True),
        (Between(1, 3), Between(3, 4), True),
        (Between(1, 3), Between(4, 6), False),
        (Rounded(10, Between(1, 10)), 11, False),
        (10, Rounded(10, Between(1, 10)), True),
        (Partial(20, 2, 22, 38), 21, False),
        (Partial(20, 2, 22, 38), 38, True),
        (Partial(20, 2, 22, None), 9000, True),
        (Bounds(0.2, 0.4), 0.3, True),
        (Bounds(None, 0.4), Bounds(0.5, None), False),
        (Between(1, 3), Withheld(11), None),
    ],
)
def test_of_bounds_it_is_told_whether_they_may_agree(
    first: Any,
    second: Any,
    agree: bool | None,  # noqa: FBT001  # a table's column
) -> None:
    found = compare({("a",): first}, {("a",): second})
    assert found.differing == (Quantity(("a",), first, second, None, None, agree=agree),)


@pytest.mark.parametrize(
    ("first", "second", "difference", "noise"),
    [
        (Noisy(5, 3.0), 9, 4, 3.0),
        (9, Noisy(5, 3.0), -4, 3.0),
        (Noisy(5, 3.0), Noisy(9, 4.0), 4, 5.0),  # 3 and 4 make 5
    ],
)
def test_a_difference_with_noise_comes_with_its_error(
    first: Any, second: Any, difference: int, noise: float
) -> None:
    found = compare({("a",): first}, {("a",): second})
    assert found.differing == (Quantity(("a",), first, second, None, difference, noise),)


@pytest.mark.parametrize("value", [0, 0.1, None, Withheld(11), Between(1, 2)])
def test_what_is_the_same_does_not_differ(value: Any) -> None:
    assert compare({("a",): value}, {("a",): value}).differing == ()


def test_what_only_one_has_says_so() -> None:
    found = compare({("a",): 1, ("b",): None}, {("a",): 1, ("c",): 2})
    assert [(one.name, one.only_in, one.difference) for one in found.differing] == [
        (("b",), "first", None),
        (("c",), "second", None),
    ]


NUMBERS = st.dictionaries(st.integers(0, 9), st.integers(0, 2))


@given(NUMBERS, NUMBERS)
def test_all_that_differs_is_found_in_an_order_that_both_have(
    one: dict[int, int], other: dict[int, int]
) -> None:
    here, there = ({(str(key),): each[key] for key in sorted(each)} for each in (one, other))
    found = compare(here, there)  # type: ignore[arg-type]
    names = [int(quantity.name[0]) for quantity in found.differing]
    assert set(names) == {key for key in {*one, *other} if one.get(key) != other.get(key)}
    assert found.numbers == len({*one, *other})
    for each in (one, other):
        kept = [name for name in names if name in each]
        assert kept == sorted(kept)


def test_what_a_number_is_shown_for_is_told_from_a_number() -> None:
    ten = {"shown": 10, "stands_for": {"at_least": 1, "at_most": 10}}
    level = {"level": "old", "arms": [{"arm": "A", "patients": ten}]}
    found = dict(numbers_of({"network": {}, "subgroups": [{"subgroup": "age", "levels": [level]}]}))
    name = ("subgroups", "age", "levels", "old", "arms", "A", "patients")
    assert found == {name: Rounded(10, Between(1, 10))}


@pytest.mark.parametrize(
    ("first", "second", "difference", "noise"),
    [
        (418, Noisy(421, 2.5), 3, 2.5),
        (Noisy(421, 3.0), Noisy(418, 4.0), -3, 5.0),
        (Noisy(421, 3.0), None, None, None),
        (Noisy(421, 3.0), Withheld(11), None, None),
    ],
)
def test_a_difference_with_noise_says_how_much(
    first: Any, second: Any, difference: float | None, noise: float | None
) -> None:
    (found,) = compare({("a",): first}, {("a",): second}).differing
    assert (found.difference, found.noise) == (difference, noise)


def test_bounds_and_noise_keep_their_kinds() -> None:
    arm = {
        "arm": "A",
        "patients": {"noisy": 421, "standard_error": 2.5},
        "events": {"shown": 3, "withheld_parts": 2, "at_least": 5, "at_most": None},
        "survival": [{"months": 12, "bounds": {"at_least": 0.08, "at_most": 0.92}}],
        "median_months": {"estimate": None, "bounds": {"at_least": 8.6, "at_most": None}},
        "curve": [{"months": 1, "bounds": None}],
    }
    assert dict(numbers_of({"network": {}, "arms": [arm]})) == {
        ("arms", "A", "patients"): Noisy(421, 2.5),
        ("arms", "A", "events"): Partial(3, 2, 5, None),
        ("arms", "A", "survival", "12", "bounds"): Bounds(0.08, 0.92),
        ("arms", "A", "median_months", "estimate"): None,
        ("arms", "A", "median_months", "bounds"): Bounds(8.6, None),
    }
