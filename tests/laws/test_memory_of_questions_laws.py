"""What is remembered of questions fits the answers: whatever is asked of whichever patients.

Sets that are called the same have the same patients, parts have no more than their whole, and some
numbers of patients in the groups that the sets tell apart, none of them negative, give all counts.
"""

from __future__ import annotations

import datetime as dt
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.aggregates.grid import Grid, Unit
from simulator.hub.aggregator import open_sums
from simulator.hub.analyses.released import ReleasedCounts
from simulator.hub.query_sets import Asking
from simulator.hub.recollection import remember
from simulator.language.study import Arm, Cohort, Question, Step
from simulator.messages.needs import AssignmentNeed, AttritionNeed, EntriesNeed, Need, SurvivalNeed
from simulator.messages.requests import ReleaseTerms, RoundRequest
from simulator.privacy.memory.groups import tell_apart
from simulator.privacy.memory.nested import compare
from simulator.privacy.memory.values import Definition, QuerySet, Remembered
from simulator.privacy.releases import EXACT
from simulator.privacy.sources import system_source
from simulator.site.answering import answer
from simulator.site.store import Store
from tests.support.omop import write_omop
from tests.support.people import crowd
from tests.support.questions import ages, dates, describing, questions, sets_of
from tests.support.records import rows

_MANY: Final = int(os.environ.get("EXAMPLES", "1000"))
_quick = settings(
    derandomize=True, max_examples=12, deadline=None, suppress_health_check=[*HealthCheck]
)
_long = settings(_quick, derandomize=False, max_examples=max(_MANY // 5, 1), database=None)
DAY: Final = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
_FAMILY: Final = 16


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A database of 200 patients."""
    found = Store(write_omop(tmp_path_factory.mktemp("crowd"), rows(enumerate(crowd(7, 200), 1))))
    yield found
    found.close()


@st.composite
def families(draw: st.DrawFn) -> list[Question]:
    """A question, and others of the same parts: other steps and arms, and other limits of index."""
    first = draw(questions())
    cohort, parts = first.cohort, [step.require for step in first.cohort.steps]
    parts += [arm.require for arm in first.arms]
    found = [first]
    for _ in range(2):
        changed: dict[str, Any] = {}
        if draw(st.booleans()):
            changed["dates"] = draw(st.none() | dates())
        if draw(st.booleans()):
            changed["age"] = draw(st.none() | ages())
        index = msgspec.structs.replace(cohort.index, **changed)
        order = draw(st.permutations(parts))
        cut = draw(st.integers(0, len(parts)))
        steps = tuple(Step(f"step {n}", part) for n, part in enumerate(order[:cut]))
        arms = tuple(Arm(f"arm {n}", part) for n, part in enumerate(order[cut:]))
        others = Cohort(index, steps)
        codes = sets_of(
            others, (*arms, *_levels(first)), (first.outcome, *first.follow_up.exits), first.lines
        )
        found.append(msgspec.structs.replace(first, codes=codes, cohort=others, arms=arms))
    return found


def _levels(question: Question) -> tuple[Arm, ...]:
    return tuple(level for subgroup in question.subgroups for level in subgroup.levels)


def _needs(question: Question) -> tuple[Need, ...]:
    months = question.follow_up.months
    found: tuple[Need, ...] = (AttritionNeed(), EntriesNeed(), *describing(months))
    return (*found, SurvivalNeed(Grid(Unit.MONTH, months)))


def _asked(store: Store, question: Question, known: dict[str, Definition]) -> list[Remembered]:
    """All counts of a question, under a release that hides nothing."""
    needs = _needs(question)
    terms = ReleaseTerms(EXACT.name, EXACT.version)
    request = RoundRequest("run-1", 1, "", 1, terms, question, needs)
    sums = dict(zip(needs, answer(store, question, needs, death_by_month=False), strict=True))
    released = dict(open_sums(request, EXACT, sums, 1, system_source).released)
    # Arms that overlap would end a run; here their counts are as good as others.
    overlapping = AssignmentNeed()
    (sums[overlapping],) = answer(store, question, (overlapping,), death_by_month=False)
    labels = sums[overlapping].layout.axes[0].labels
    released[overlapping] = ReleasedCounts(labels, tuple(sums[overlapping].flat().tolist()))
    asking = Asking(question, ("site",))
    counts = remember(asking, sums, released, run="run-1", at=DAY)
    known.update(asking.known)
    return [count for count in counts if count.released]


def _check(store: Store, asked: Sequence[Question]) -> None:
    known: dict[str, Definition] = {}
    bases: defaultdict[tuple[str, bool], dict[QuerySet, int]] = defaultdict(dict)
    for question in asked:
        for each in _asked(store, question, known):
            counts = bases[each.of.base, each.of.divisible]
            assert counts.setdefault(each.of, each.count) == each.count, each.name
    for (_, divisible), counts in bases.items():
        sets, numbers = list(counts), np.array(list(counts.values()))
        compared = compare(sets, sets, known)
        assert (~compared.inside | (numbers[:, None] <= numbers[None, :])).all()
        assert (~compared.around | (numbers[:, None] >= numbers[None, :])).all()
        for start in range(0, len(sets) if divisible else 0, _FAMILY):
            _check_groups(sets[start : start + _FAMILY], numbers[start : start + _FAMILY], known)


def _check_groups(
    sets: Sequence[QuerySet], numbers: np.ndarray[Any, Any], known: dict[str, Definition]
) -> None:
    from scipy.optimize import linprog

    membership = tell_apart(sets, known)
    if membership is None:
        return
    if not membership.shape[1]:
        assert not numbers.any()
        return
    costs = np.zeros(membership.shape[1])
    found = linprog(costs, A_eq=membership.astype(float), b_eq=numbers.astype(float))
    assert found.status == 0, found.message


@_quick
@given(asked=families())
def test_the_counts_fit_what_is_remembered_of_them(store: Store, asked: list[Question]) -> None:
    _check(store, asked)


@pytest.mark.laws
@_long
@given(asked=families())
def test_the_counts_fit_what_is_remembered_of_them_for_long(
    store: Store, asked: list[Question]
) -> None:
    _check(store, asked)
