"""Which query sets are part of which, as far as their literals and sites show it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, permutations, product

import numpy as np
from numpy.typing import NDArray

from simulator.privacy.memory.implying import follows, pairs, topics
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
    every, cut = [*others, *new], len(others)
    literals = sorted(frozenset[str]().union(*(each.literals for each in every)))
    latest = frozenset[str]().union(*(each.literals for each in new))
    asked = _asked(every, literals)
    following, size = _following(literals, latest, known), asked.sum(axis=1)
    own = [place for place, literal in enumerate(literals) if literal in latest]
    parts, wholes = _rosters(others, new), _rosters(new, others).T
    theirs = np.minimum(asked[:cut] @ following[:, own], 1.0)
    mine = np.minimum(asked[cut:] @ following, 1.0)
    inside = (theirs @ asked[cut:, own].T >= size[cut:]) & parts
    around = (mine @ asked[:cut].T >= size[:cut]).T & wholes
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


def _following(literals: Sequence[str], latest: Collection[str], known: Definitions) -> _Matrix:
    """Literal x literal: 1 where the second follows from the first, one of them of a new set."""
    places = {literal: place for place, literal in enumerate(literals)}
    found = np.eye(len(literals), dtype=np.float32)
    here = {literal[1:]: known[literal[1:]] for literal in literals if literal[1:] in known}
    names = [name for name in here if HOLDS + name in latest or FAILS + name in latest]
    for one, other in chain(_implied(here, names), _excluded(here)):
        if one in places and other in places:
            found[places[one], places[other]] = 1.0
    about = {literal: topics(literal[1:], known) for literal in literals}
    groups = {literal for literal in literals if isinstance(here.get(literal[1:]), Several)}
    for one, other in product(sorted(latest), literals):
        if (one in groups or other in groups) and not about[one].isdisjoint(about[other]):
            found[places[one], places[other]] = follows(one, other, known)
            found[places[other], places[one]] = follows(other, one, known)
    return found


def _implied(known: Definitions, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    for one, other in pairs(known, names):
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


def _rosters(one: Sequence[QuerySet], other: Sequence[QuerySet]) -> NDArray[np.bool_]:
    """Set x set: whether the sites of the first are among those of the second."""
    different = list(dict.fromkeys(each.sites for each in (*one, *other)))
    places = {sites: place for place, sites in enumerate(different)}
    parts = np.array([[a <= b for b in different] for a in different], dtype=np.bool_)
    rows, columns = ([places[each.sites] for each in sets] for sets in (one, other))
    return parts[np.ix_(rows, columns)]
