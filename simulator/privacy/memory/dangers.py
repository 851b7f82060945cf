"""Which small groups would follow from new counts together with those that were let out before.

Every new count is compared with every earlier one; where one is part of the other, what is left is
a group. Then the new counts and those most like them, up to 48 of one base, are searched for any
combination that counts a small group. Not seen are criteria that mean the same in other words,
combinations of counts beyond those 48, groups that inequalities pin down, and what two
interleaving changes of the data hide. What follows from new counts of one run alone, or from
earlier ones alone, is no danger of the new ones: the release lets it out, or it is known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.privacy.memory.combining import Combination, small_groups
from simulator.privacy.memory.groups import tell_apart
from simulator.privacy.memory.nested import Compared, compare
from simulator.privacy.memory.values import Danger, Definitions, QuerySet, Remembered
from simulator.privacy.thresholds import is_small

_FAMILY: Final = 48
_NEW: Final = 24
_SITES_TOLD: Final = 5
_NOTHING: Final[Definitions] = {}
_Counts = Mapping[QuerySet, Remembered]


@dataclass(frozen=True)
class Findings:
    """What an examination found.

    Attributes:
        dangers: What would follow.
        complete: Whether all combinations were tried; pairs always are.
    """

    dangers: tuple[Danger, ...]
    complete: bool


def dangers(
    memory: Sequence[Remembered],
    new: Sequence[Remembered],
    threshold: int,
    known: Definitions = _NOTHING,
) -> tuple[Danger, ...]:
    """What would follow if new counts were let out; see `examine`."""
    return examine(memory, new, threshold, known).dangers


def examine(
    memory: Sequence[Remembered],
    new: Sequence[Remembered],
    threshold: int,
    known: Definitions = _NOTHING,
) -> Findings:
    """Looks for groups of 1 up to threshold - 1 patients that follow from new counts and old.

    A count that was not let out plays no part: nobody was told it. A set that was asked before
    gives nothing new, unless its count has changed.

    Args:
        memory: What was let out before, oldest first.
        new: What one round is about to let out.
        threshold: Groups of fewer patients are small.
        known: What the literals of both stand for; between those that are not known nothing
            follows.
    """
    told = {each.of: each for each in memory if each.released}
    fresh = {each.of: each for each in new if each.released}
    found = _changed(told, fresh, threshold)
    complete = True
    bases: defaultdict[tuple[str, bool], tuple[dict[QuerySet, Remembered], ...]]
    bases = defaultdict(lambda: ({}, {}))
    for place, counts in enumerate((told, fresh)):
        for of, count in counts.items():
            bases[of.base, of.divisible][place][of] = count
    for old, now in bases.values():
        if old and any(of not in old for of in now):
            part = _Examination(old, now, threshold, known).findings()
            found += part.dangers
            complete = complete and part.complete
    return Findings(tuple(dict.fromkeys(found)), complete)


def _changed(told: _Counts, fresh: _Counts, threshold: int) -> tuple[Danger, ...]:
    """Sets that were asked before, of which a few patients have come or gone since."""
    return tuple(
        Danger(count.name, (told[of].run,), f"who came to '{count.name}', or left it, since then")
        for of, count in fresh.items()
        if of in told and is_small(abs(told[of].count - count.count), threshold)
    )


@dataclass(frozen=True)
class _Examination:
    """Old and new counts of one base."""

    old: _Counts
    now: _Counts
    threshold: int
    known: Definitions

    def findings(self) -> Findings:
        """Pairs, and combinations that are no pairs."""
        new = [of for of in self.now if of not in self.old]
        others = [of for of in self.old if of not in self.now] + [
            of for of in self.now if of in self.old
        ]
        compared = compare(others, new, self.known)
        found, complete = self._pairs(others, new, compared), True
        if all(of.divisible for of in new):
            for start in range(0, len(new), _NEW):
                part = self._combinations(others, new, compared, slice(start, start + _NEW))
                found = found | {key: each for key, each in part[0].items() if key not in found}
                complete = complete and part[1]
        return Findings(tuple(found.values()), complete)

    def _count(self, of: QuerySet) -> Remembered:
        return self.now[of] if of in self.now else self.old[of]

    def _pairs(
        self, others: Sequence[QuerySet], new: Sequence[QuerySet], compared: Compared
    ) -> dict[frozenset[QuerySet], Danger]:
        found = {}
        theirs = np.array([self._count(of).count for of in others])[:, None]
        earlier = np.array([of not in self.now for of in others])[:, None]
        mine = np.array([self._count(of).count for of in new])[None, :]
        for nested, more in ((compared.inside, mine - theirs), (compared.around, theirs - mine)):
            few = earlier & nested & (more > 0) & (more < self.threshold)
            for row, column in zip(*np.nonzero(few), strict=True):
                one, other = others[row], new[column]
                wide, narrow = (other, one) if nested is compared.inside else (one, other)
                found[frozenset({one, other})] = Danger(
                    self._count(other).name,
                    (self.old[one].run,),
                    self._left(wide, narrow),
                )
        return found

    def _left(self, wide: QuerySet, narrow: QuerySet) -> str:
        """What a set has that a part of it has not, in words."""
        sites = sorted(wide.sites - narrow.sites)
        more = f" and {len(sites) - _SITES_TOLD} more" if len(sites) > _SITES_TOLD else ""
        listed = f"{', '.join(sites[:_SITES_TOLD])}{more}"
        whole = f"'{self._count(wide).name}'"
        if wide.literals == narrow.literals and wide.base == narrow.base:
            return f"the patients in {whole} at {listed}"
        beside = f", with all at {listed}" if sites else ""
        return f"the patients in {whole} who are not in '{self._count(narrow).name}'{beside}"

    def _combinations(
        self,
        others: Sequence[QuerySet],
        new: Sequence[QuerySet],
        compared: Compared,
        chosen: slice,
    ) -> tuple[dict[frozenset[QuerySet], Danger], bool]:
        """Combinations of some new counts with the counts most like them."""
        few = list(new[chosen])
        nearest = compared.distance[:, chosen].min(axis=1).argsort(kind="stable")
        near = [others[place] for place in nearest[: _FAMILY - len(few)]]
        family = near + few
        membership = tell_apart(family, self.known)
        if membership is None:
            return {}, False
        old = [place for place, of in enumerate(family) if of in self.old]
        own = [place for place, of in enumerate(family) if of in self.now]
        counts = [self._count(of).count for of in family]
        search = small_groups(membership, counts, self.threshold, (old, own))
        whole = search.complete and len(near) == len(others) and len(few) == len(new)
        found = {}
        for combination in search.found:
            used = [of for of, weight in zip(family, combination.weights, strict=True) if weight]
            found[frozenset(used)] = self._combined(family, combination)
        return found, whole

    def _combined(self, family: Sequence[QuerySet], combination: Combination) -> Danger:
        """A group that follows from several counts, in words."""
        weights = dict(zip(family, combination.weights, strict=True))
        used = [of for of in (*self.old, *self.now) if weights.get(of)]
        used = sorted(dict.fromkeys(used), key=lambda of: weights[of] < 0)
        words = [f"{'less' if weights[of] < 0 else 'and'} '{self._count(of).name}'" for of in used]
        told = ", ".join(words).removeprefix("and ")
        runs = dict.fromkeys(self.old[of].run for of in used if of in self.old)
        new = next(self.now[of].name for of in used if of not in self.old)
        return Danger(new, tuple(runs), f"a group that follows from {told}")
