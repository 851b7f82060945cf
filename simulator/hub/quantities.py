"""Every number of two results side by side, each under the name that it has in both."""

from __future__ import annotations

from collections.abc import Iterator
from math import hypot, inf
from typing import Any, Final

import msgspec

from simulator.aggregates.released import Between, Noisy, Partial, Released, Rounded, Withheld
from simulator.hub.analyses.results import Bounds

Value = Released | Bounds | float | None
Name = tuple[str, ...]

# What a result says beside its numbers, and the fields that tell members of a list apart.
_WORDS: Final = frozenset(
    {
        "study",
        "version",
        "title",
        "estimand",
        "network",
        "release",
        "notes",
        "fingerprints",
        "definition",
        "frozen",
        "seed",
    }
)
# What only some releases give; elsewhere it is no number that is missing.
_IF_ANY: Final = frozenset({"bounds", "naive_p"})
_NAMES: Final = {
    "name": "",
    "step": "",
    "subgroup": "",
    "level": "",
    "arm": "",
    "reference": "against ",
    "months": "at ",
    "share": "at ",
}


class Quantity(msgspec.Struct, frozen=True):
    """A number that differs between two results.

    Attributes:
        name: Its way from the top, such as arms, the arm, survival, 36, estimate.
        first: In the first result; None where it is not reached, or is not there.
        second: In the second.
        only_in: ``first`` or ``second`` where the other does not have it.
        difference: Second less first, where both are numbers, with noise or without.
        noise: The standard error of the noise in that difference; None where there is none.
        agree: Where one is known between bounds only: whether the other may be the same.
    """

    name: Name
    first: Value
    second: Value
    only_in: str | None
    difference: float | None
    noise: float | None = None
    agree: bool | None = None


class Compared(msgspec.Struct, frozen=True):
    """The numbers that differ, in the order of the results, and how many there are in all."""

    differing: tuple[Quantity, ...]
    numbers: int


def compare(one: dict[Name, Value], other: dict[Name, Value]) -> Compared:
    """Holds the numbers of two results side by side; a withheld one is equal to a withheld only."""
    names = _in_order(list(one), list(other))
    found = [
        _quantity(name, one, other)
        for name in names
        if name not in one or name not in other or one[name] != other[name]
    ]
    return Compared(tuple(found), len(names))


def _in_order(one: list[Name], other: list[Name]) -> list[Name]:
    """All names: as the second has them, what only the first has behind what it follows there."""
    rest, names = list(other), list[Name]()
    known, there = set(one), set(other)
    for name in one:
        if name in there:
            while rest and rest[0] != name and rest[0] not in known:
                names.append(rest.pop(0))
            if name in rest:
                rest.remove(name)
        names.append(name)
    return [*names, *rest]


def _quantity(name: Name, one: dict[Name, Value], other: dict[Name, Value]) -> Quantity:
    first, second = one.get(name), other.get(name)
    only_in = None
    if name not in other:
        only_in = "first"
    elif name not in one:
        only_in = "second"
    difference = noise = agree = None
    here, there = _plain(first), _plain(second)
    if here is not None and there is not None:
        difference = there - here
        errors = [value.standard_error for value in (first, second) if isinstance(value, Noisy)]
        noise = hypot(*errors) if errors else None
    elif only_in is None:
        agree = may_agree(first, second)
    return Quantity(name, first, second, only_in, difference, noise, agree)


def _plain(value: Value) -> float | None:
    """A number, or what stands in the place of one with noise."""
    if isinstance(value, Noisy):
        return value.noisy
    return value if isinstance(value, int | float) else None


def may_agree(first: Value, second: Value) -> bool | None:
    """Whether two numbers may be the same in truth; None where bounds are known of neither."""
    bounded = Between | Rounded | Partial | Bounds
    if not any(isinstance(value, bounded) for value in (first, second)):
        return None
    one, other = _ends(first), _ends(second)
    if one is None or other is None:
        return None
    return max(one[0], other[0]) <= min(one[1], other[1])


def _ends(value: Value) -> tuple[float, float] | None:
    """Between what a number lies for sure; None where that is not told."""
    match value:
        case int() | float():
            return value, value
        case Bounds(at_least=least, at_most=greatest):
            return -inf if least is None else least, inf if greatest is None else greatest
        case (
            Between(at_least=low, at_most=high)
            | Rounded(stands_for=Between(at_least=low, at_most=high))
        ):
            return low, high
        case Partial(at_least=low, at_most=most):
            return low, inf if most is None else most
    return None


def numbers_of(result: dict[str, Any]) -> Iterator[tuple[Name, Value]]:
    """Every number of a result's reproducible part, as JSON has it, with its name.

    Raises:
        msgspec.ValidationError: A withheld number or an interval is not of its form.
    """
    matches = result["network"].get("with_matches")
    if matches is not None:
        yield ("network", "with matches"), matches
    for part, value in result.items():
        if part not in _WORDS:
            yield from _inside((part,), value)


def _inside(name: Name, value: object) -> Iterator[tuple[Name, Value]]:
    if isinstance(value, dict):
        released = _bounds(name, value) or _released(value)
        if released is not None:
            yield name, released
            return
        for key, inner in value.items():
            if inner is not None or key not in _IF_ANY:
                yield from _inside((*name, key), inner)
    elif isinstance(value, list):
        for place, member in enumerate(value):
            yield from _member(name, place, member)
    elif value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        yield name, value


def _member(name: Name, place: int, member: object) -> Iterator[tuple[Name, Value]]:
    """A member of a list, called by what tells it apart, or else by its place."""
    if not isinstance(member, dict):
        yield from _inside((*name, str(place + 1)), member)
        return
    names = [f"{word}{member[key]}" for key, word in _NAMES.items() if key in member]
    called = " ".join(names).removeprefix("at ") or str(place + 1)
    rest = {key: value for key, value in member.items() if key not in _NAMES}
    yield from _inside((*name, called), rest)


def _bounds(name: Name, value: dict[str, Any]) -> Bounds | None:
    """What a release leaves open of an estimate; counts have bounds that are whole numbers."""
    return msgspec.convert(value, Bounds) if name[-1] == "bounds" else None


def _released(value: dict[str, Any]) -> Released | None:
    if set(value) == {"withheld"}:
        return msgspec.convert(value["withheld"], Withheld)
    if set(value) == {"at_least", "at_most"}:
        return msgspec.convert(value, Between)
    if set(value) == {"shown", "stands_for"}:
        return msgspec.convert(value, Rounded)
    if set(value) == {"shown", "withheld_parts", "at_least", "at_most"}:
        return msgspec.convert(value, Partial)
    if set(value) == {"noisy", "standard_error"}:
        return msgspec.convert(value, Noisy)
    return None
