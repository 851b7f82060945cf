"""Which query sets are part of which, as far as their literals and sites show it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, permutations, product

import numpy as np
from numpy.typing import NDArray

from simulator.privacy.memory.implying import follows, pairs
from simulator.privacy.memory.values import (
    FAILS,
    HOLDS,
    Definitions,
    Kind,
    QuerySet,
    Several,
)

_Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Compared:
    """New query sets against others.

    Attributes:
        inside: Other x new: whether the other is part of the new one.
        around: Other x new: whether the new one is part of the other.
        distance: Other x new: how many literals, and rosters, they do not share.
    """

    inside: NDArray[np.bool_]
    around: NDArray[np.bool_]
    distance: NDArray[np.float32]


def compare(others: Sequence[QuerySet], new: Sequence[QuerySet], known: Definitions) -> Compared:
    """Compares sets of one base.

    Args:
        others: The sets that the new ones are compared with.
        new: The new sets.
        known: What the literals stand for.
    """
    every = [*others, *new]
    literals = sorted(frozenset[str]().union(*(each.literals for each in every)))
    asked = _asked(every, literals)
    given = np.minimum(asked @ _following(literals, known), 1.0)
    size = asked.sum(axis=1)
    cut, rosters = len(others), _rosters(every)
    parts, wholes = rosters[:cut, cut:], rosters[cut:, :cut].T
    inside = (given[:cut] @ asked[cut:].T >= size[cut:]) & parts
    around = ((given[cut:] @ asked[:cut].T >= size[:cut]) & wholes.T).T
    shared = asked[:cut] @ asked[cut:].T
    apart = 2.0 - parts.astype(np.float32) - wholes.astype(np.float32)
    distance = size[:cut, None] + size[None, cut:] - 2 * shared + apart
    return Compared(inside, around, distance.astype(np.float32))


def _asked(sets: Sequence[QuerySet], literals: Sequence[str]) -> _Matrix:
    """Set x literal: 1 where the set asks for it."""
    places = {literal: place for place, literal in enumerate(literals)}
    found = np.zeros((len(sets), len(literals)), dtype=np.float32)
    for row, each in enumerate(sets):
        found[row, [places[literal] for literal in each.literals]] = 1.0
    return found


def _following(literals: Sequence[str], known: Definitions) -> _Matrix:
    """Literal x literal: 1 where the second follows from the first."""
    places = {literal: place for place, literal in enumerate(literals)}
    found = np.eye(len(literals), dtype=np.float32)
    here = {literal[1:]: known[literal[1:]] for literal in literals if literal[1:] in known}
    for one, other in chain(_implied(here), _excluded(here)):
        if one in places and other in places:
            found[places[one], places[other]] = 1.0
    groups = [literal for literal in literals if isinstance(here.get(literal[1:]), Several)]
    for literal, other in product(groups, literals):
        found[places[literal], places[other]] = follows(literal, other, known)
        found[places[other], places[literal]] = follows(other, literal, known)
    return found


def _implied(known: Definitions) -> Iterator[tuple[str, str]]:
    for one, other in pairs(known):
        yield HOLDS + one, HOLDS + other
        yield FAILS + other, FAILS + one


def _excluded(known: Definitions) -> Iterator[tuple[str, str]]:
    kinds: defaultdict[str, list[str]] = defaultdict(list)
    for name, definition in known.items():
        if isinstance(definition, Kind):
            kinds[definition.of].append(name)
    for names in kinds.values():
        for one, other in permutations(names, 2):
            yield HOLDS + one, FAILS + other


def _rosters(sets: Sequence[QuerySet]) -> NDArray[np.bool_]:
    """Set x set: whether the sites of the first are among those of the second."""
    different = list(dict.fromkeys(each.sites for each in sets))
    places = {sites: place for place, sites in enumerate(different)}
    parts = np.array([[one <= other for other in different] for one in different], dtype=np.bool_)
    at = [places[each.sites] for each in sets]
    return parts[np.ix_(at, at)]
