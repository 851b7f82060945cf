"""On small universes: what the memory lets pass isolates nobody, and what it stops really would."""

from __future__ import annotations

import datetime as dt
import itertools
import os
from dataclasses import dataclass
from typing import Final

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulator.privacy.memory.combining import small_groups
from simulator.privacy.memory.dangers import dangers, examine
from simulator.privacy.memory.groups import tell_apart
from simulator.privacy.memory.values import Bound, Definitions, QuerySet, Remembered, Several

_MANY: Final = int(os.environ.get("EXAMPLES", "1000"))
_quick = settings(
    derandomize=True, max_examples=50, deadline=None, suppress_health_check=[*HealthCheck]
)
_long = settings(_quick, derandomize=False, max_examples=_MANY, database=None)

DAY: Final = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
SITES: Final = "ab"
# Two free criteria, two bounds of which the second implies the first, and either of two.
KNOWN: Final[Definitions] = {
    "young": Bound("age", 20),
    "old": Bound("age", 60),
    "either": Several(1, ("+drug", "-old")),
    "most": Several(2, ("+drug", "+woman", "+young")),
}
LITERALS: Final = [sign + name for name in ("drug", "woman", *KNOWN) for sign in "+-"]


@dataclass(frozen=True)
class Atom:
    """Patients who are alike in every criterion, at one site."""

    drug: bool
    woman: bool
    age: int
    site: str

    def holds(self, literal: str) -> bool:
        """Whether a literal holds, by plain reading."""
        young, old = self.age >= 20, self.age >= 60
        value = {
            "drug": self.drug,
            "woman": self.woman,
            "young": young,
            "old": old,
            "either": self.drug or not old,
            "most": self.drug + self.woman + young >= 2,
        }[literal[1:]]
        return value is (literal[0] == "+")

    def inside(self, of: QuerySet) -> bool:
        """Whether such a patient is counted."""
        return self.site in of.sites and all(map(self.holds, of.literals))


ATOMS: Final = [
    Atom(*each) for each in itertools.product((False, True), (False, True), (10, 40, 70), SITES)
]

query_sets = st.builds(
    QuerySet,
    st.just("base"),
    st.one_of(
        # Few criteria, of which many combinations meet; all of them, of which few do.
        st.frozensets(st.sampled_from(["+drug", "-drug", "+woman", "-woman"]), max_size=2),
        st.frozensets(st.sampled_from(LITERALS), max_size=3),
    ),
    st.sampled_from([frozenset("a"), *[frozenset("ab")] * 5]),
)
populations = st.lists(
    st.sampled_from([0, 0, 0, 1, 2, 5, 12]), min_size=len(ATOMS), max_size=len(ATOMS)
)


def count_of(of: QuerySet, population: list[int]) -> int:
    return sum(number for atom, number in zip(ATOMS, population, strict=True) if atom.inside(of))


def indicators(sets: list[QuerySet]) -> NDArray[np.int64]:
    """Set x atom."""
    return np.array([[atom.inside(of) for atom in ATOMS] for of in sets], dtype=np.int64)


def remembered(of: QuerySet, population: list[int], run: str) -> Remembered:
    return Remembered("q", of, count_of(of, population), released=True, run=run, at=DAY)


def isolates(old: list[QuerySet], new: QuerySet, population: list[int], threshold: int) -> bool:
    """Whether counts with weights -1, 0 and 1 single out few patients, by trying all weights."""
    weights = np.array(list(itertools.product((-1, 0, 1), repeat=len(old) + 1)))
    groups = weights @ indicators([*old, new])
    once = ((groups == 0) | (groups == 1)).all(axis=1)
    patients = groups @ np.array(population)
    return bool((once & (patients > 0) & (patients < threshold)).any())


def check_nothing_passes(sets: list[QuerySet], population: list[int], threshold: int) -> None:
    """Asks one after another; what is small, or is stopped, is not let out."""
    old: list[QuerySet] = []
    for new in sets:
        if 0 < count_of(new, population) < threshold:
            continue
        counts = [remembered(of, population, "old") for of in old]
        found = examine(counts, [remembered(new, population, "new")], threshold, KNOWN)
        assert found.complete
        if not found.dangers:
            assert not isolates(old, new, population, threshold)
            old.append(new)


lists_of_sets = st.lists(query_sets, min_size=3, max_size=6, unique=True)
thresholds = st.sampled_from([2, 4, 11])


# Combinations of three and more are rare: with fewer examples none would be met.
@settings(_quick, max_examples=250)
@given(sets=lists_of_sets, population=populations, threshold=thresholds)
def test_what_passes_isolates_nobody(
    sets: list[QuerySet], population: list[int], threshold: int
) -> None:
    check_nothing_passes(sets, population, threshold)


@pytest.mark.laws
@_long
@given(sets=lists_of_sets, population=populations, threshold=thresholds)
def test_what_passes_isolates_nobody_in_many_universes(
    sets: list[QuerySet], population: list[int], threshold: int
) -> None:
    check_nothing_passes(sets, population, threshold)


@_quick
@given(sets=lists_of_sets, population=populations, threshold=thresholds)
def test_what_is_stopped_really_follows(
    sets: list[QuerySet], population: list[int], threshold: int
) -> None:
    """The weights that are found count each patient once or not at all, and few of them."""
    sets = list(dict.fromkeys(sets))
    membership = tell_apart(sets, KNOWN)
    assert membership is not None
    counts = [count_of(of, population) for of in sets]
    numbers = np.array(population)
    for found in small_groups(membership, counts, threshold, ()).found:
        group = np.array(found.weights) @ indicators(sets)
        assert all(weight in {0, 1} for weight in group[numbers > 0])
        assert 0 < sum(group * numbers) < threshold


@_quick
@given(sets=lists_of_sets)
def test_the_groups_are_those_that_plain_reading_finds(sets: list[QuerySet]) -> None:
    membership = tell_apart(sets, KNOWN)
    assert membership is not None
    plain = {tuple(column) for column in indicators(sets).T.tolist() if any(column)}
    assert {tuple(column) for column in membership.astype(int).T.tolist()} == plain
    assert membership.shape[1] == len(plain)


@_quick
@given(sets=st.lists(query_sets, min_size=2, max_size=2), population=populations)
def test_a_pair_that_is_told_is_nested(sets: list[QuerySet], population: list[int]) -> None:
    """Also where the index moves with the question, so that nothing but inclusion is known."""
    one, other = (QuerySet(of.base, of.literals, of.sites, divisible=False) for of in sets)
    old, new = remembered(one, population, "old"), remembered(other, population, "new")
    if one != other and dangers([old], [new], 11, KNOWN):
        first, second = indicators([one, other])
        assert (first <= second).all() or (second <= first).all()


@_quick
@given(sets=lists_of_sets, population=populations, data=st.data())
def test_the_order_of_what_is_remembered_decides_nothing(
    sets: list[QuerySet], population: list[int], data: st.DataObject
) -> None:
    *old, new = dict.fromkeys(sets)
    shuffled = data.draw(st.permutations(old))
    last = [remembered(new, population, "new")]
    one, other = (
        dangers([remembered(of, population, "old") for of in each], last, 11, KNOWN)
        for each in (old, shuffled)
    )
    assert bool(one) is bool(other)


@_quick
@given(sets=lists_of_sets, population=populations)
def test_what_was_asked_before_is_free(sets: list[QuerySet], population: list[int]) -> None:
    old = [remembered(of, population, "old") for of in sets]
    assert dangers(old, [remembered(of, population, "new") for of in sets], 11, KNOWN) == ()
