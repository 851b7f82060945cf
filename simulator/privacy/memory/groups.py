"""Which groups of patients several query sets tell apart, as the criteria can combine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.privacy.memory.implying import excludes, pairs
from simulator.privacy.memory.values import (
    HOLDS,
    Definition,
    Definitions,
    Kind,
    QuerySet,
    Several,
)

Membership = NDArray[np.bool_]
"""Query set x group: whether the group is part of the set."""

# Both fit in whole numbers of 64 bits.
MOST_SETS: Final = 60
_MOST_NAMES: Final = 60
_MOST_STATES: Final = 4096


@dataclass
class _States:
    """What is possible after some names were decided.

    Attributes:
        alive: For each state, a bit for each set that none of its literals has ruled out.
        values: For each state, a bit for each name that later ones depend on.
    """

    alive: NDArray[np.int64]
    values: NDArray[np.int64]

    def merged(self) -> _States:
        """Each state once, without those that are outside every set."""
        order = np.lexsort((self.values, self.alive))
        alive, values = self.alive[order], self.values[order]
        fresh = np.ones(len(order), dtype=np.bool_)
        fresh[1:] = (np.diff(alive) != 0) | (np.diff(values) != 0)
        kept = fresh & (alive != 0)
        return _States(alive[kept], values[kept])


@dataclass(frozen=True)
class _Rules:
    """How names depend on each other, by their places in the order of decision.

    Attributes:
        below: For each place, bits of earlier ones that fail where it holds fails to imply them.
        above: For each place, bits of earlier ones that imply it.
        apart: For each place, bits of earlier ones that it excludes.
        needed: For each place, bits of those up to it on which later ones depend.
    """

    below: list[int]
    above: list[int]
    apart: list[int]
    needed: list[int]


def tell_apart(sets: Sequence[QuerySet], known: Definitions) -> Membership | None:
    """The groups that belong to the same query sets, of those that the criteria allow.

    A group that is in no set is left out. Criteria are decided one by one; what is kept of each
    combination is only which sets it can still be in, and what later criteria depend on. So there
    are about as many states as groups, however many criteria there are.

    Args:
        sets: Of one base, in which each patient has one index.
        known: What the literals stand for; one that is not known depends on nothing.

    Returns:
        Query set x group, or None where there are too many sets, criteria or groups.
    """
    names = _ordered(sets, known)
    if len(sets) > MOST_SETS or len(names) > _MOST_NAMES:
        return None
    rules, states = _rules(names, known), _by_roster(sets)
    for place, name in enumerate(names):
        states = _decided(states, place, names, known.get(name), rules)
        holds, fails = (
            sum(1 << at for at, found in enumerate(sets) if sign + name in found.literals)
            for sign in "-+"
        )
        value = (states.values >> place) & 1
        alive = states.alive & np.where(value == 1, ~np.int64(holds), ~np.int64(fails))
        states = _States(alive, states.values & np.int64(rules.needed[place])).merged()
        if len(states.alive) > _MOST_STATES:
            return None
    bits = np.arange(len(sets), dtype=np.int64)[:, None]
    return ((states.alive[None, :] >> bits) & 1).astype(np.bool_)


def _by_roster(sets: Sequence[QuerySet]) -> _States:
    """A state for each group of sites that the rosters tell apart."""
    seen: dict[str, int] = {}
    for at, found in enumerate(sets):
        for site in found.sites:
            seen[site] = seen.get(site, 0) | 1 << at
    alive = np.array(sorted(set(seen.values())), dtype=np.int64)
    return _States(alive, np.zeros(len(alive), dtype=np.int64))


def _ordered(sets: Sequence[QuerySet], known: Definitions) -> list[str]:
    """The names that literals stand for, the members of a group before it.

    Those of the same kind come one after another, as they depend on each other.
    """
    found: dict[str, None] = {}

    def visit(name: str) -> None:
        definition = known.get(name)
        if isinstance(definition, Several):
            for member in definition.members:
                visit(member[1:])
        found[name] = None

    names = {literal[1:] for each in sets for literal in each.literals}
    for name in sorted(names, key=lambda name: (_sort(known.get(name)), name)):
        visit(name)
    return list(found)


def _sort(definition: Definition | None) -> tuple[str, int]:
    match definition:
        case Several(members=members):
            return "several", len(members)
        case Kind(of=of):
            return of, 0
        case None:
            return "", 0
        case _:
            return str(definition.__struct_config__.tag), getattr(definition, "at_least", 0)


def _rules(names: Sequence[str], known: Definitions) -> _Rules:
    places = {name: place for place, name in enumerate(names)}
    size = len(names)
    rules = _Rules([0] * size, [0] * size, [0] * size, [0] * size)
    last = list(range(size))
    here = {name: known[name] for name in names if name in known}
    for one, other in pairs(here, here):
        early, late = sorted((places[one], places[other]))
        side = rules.above if places[one] == early else rules.below
        side[late] |= 1 << early
        last[early] = max(last[early], late)
    kinds = [name for name, found in here.items() if isinstance(found, Kind)]
    for late, name in enumerate(names):
        for other in kinds:
            early = places[other]
            if early < late and name in here and excludes(here[name], here[other]):
                rules.apart[late] |= 1 << early
                last[early] = max(last[early], late)
        found = here.get(name)
        for member in found.members if isinstance(found, Several) else ():
            last[places[member[1:]]] = max(last[places[member[1:]]], late)
    for place in range(size):
        rules.needed[place] = sum(1 << at for at in range(place + 1) if last[at] > place)
    return rules


def _decided(
    states: _States,
    place: int,
    names: Sequence[str],
    definition: Definition | None,
    rules: _Rules,
) -> _States:
    """Each state with the name at a place holding and failing, as far as either can be."""
    bit = np.int64(1 << place)
    if isinstance(definition, Several):
        number = np.zeros(len(states.values), dtype=np.int64)
        for member in definition.members:
            value = (states.values >> names.index(member[1:])) & 1
            number += value if member[0] == HOLDS else 1 - value
        held = np.where(number >= definition.number, bit, np.int64(0))
        return _States(states.alive, states.values | held)
    below, above, apart = (
        np.int64(rule[place]) for rule in (rules.below, rules.above, rules.apart)
    )
    may_hold = ((states.values & below) == below) & ((states.values & apart) == 0)
    may_fail = (states.values & above) == 0
    return _States(
        np.concatenate([states.alive[may_hold], states.alive[may_fail]]),
        np.concatenate([states.values[may_hold] | bit, states.values[may_fail]]),
    )
