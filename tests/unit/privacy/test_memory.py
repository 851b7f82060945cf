"""What earlier counts and new ones say together: differencing, site toggling, trackers."""

from __future__ import annotations

import datetime as dt
import itertools
import time

import pytest

from simulator.language.codes import Code, ConceptSet
from simulator.language.criteria import (
    AgeCriterion,
    Criterion,
    DateCriterion,
    Domain,
    EventCriterion,
    Events,
    Group,
    Rule,
    Sex,
    SexCriterion,
)
from simulator.language.windows import AgeRange, Count, DateRange, Window
from simulator.privacy.memory.dangers import dangers, examine
from simulator.privacy.memory.literals import Dictionary
from simulator.privacy.memory.values import Danger, QuerySet, Remembered

DAY = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
SETS = (
    ConceptSet("drug", (Code("RxNorm", "3639"),)),
    ConceptSet("drugs", (Code("RxNorm", "3639"), Code("RxNorm", "3002"))),
)
DRUG, DRUGS = (
    EventCriterion(Events(Domain.DRUG, name), Window(-90, -1)) for name in ("drug", "drugs")
)
WOMAN = SexCriterion(Sex.FEMALE)
OLD = AgeCriterion(AgeRange(65, None))
WORDS = Dictionary(SETS)


def no(criterion: Criterion) -> Group:
    return Group(Rule.NONE, (criterion,))


def either(*criteria: Criterion) -> Group:
    return Group(Rule.ANY, criteria)


def asked(*criteria: Criterion, sites: str = "abc", divisible: bool = True) -> QuerySet:
    literals = frozenset[str]().union(*(WORDS.literals(each) for each in criteria))
    return QuerySet("base", literals, frozenset(sites), divisible)


def told(
    name: str, of: QuerySet, count: int, run: str = "old", *, released: bool = True
) -> Remembered:
    return Remembered(name, of, count, released, run, DAY)


def found(old: list[Remembered], *new: Remembered, threshold: int = 11) -> tuple[Danger, ...]:
    return dangers(old, new, threshold, WORDS.known)


def test_a_cohort_less_one_patient_is_a_danger() -> None:
    everyone, women = told("all", asked(), 100), told("women", asked(WOMAN), 99, "new")
    assert found([everyone], women) == (
        Danger("women", ("old",), "the patients in 'all' who are not in 'women'"),
    )


@pytest.mark.parametrize(("count", "danger"), [(100, False), (99, True), (90, True), (89, False)])
def test_a_difference_of_none_or_of_the_threshold_is_no_danger(count: int, danger: bool) -> None:  # noqa: FBT001
    everyone, women = told("all", asked(), 100), told("women", asked(WOMAN), count, "new")
    assert bool(found([everyone], women)) is danger
    assert bool(found([women], everyone)) is danger


def test_the_same_question_is_free_however_often_it_is_asked() -> None:
    women = told("women", asked(WOMAN), 30)
    assert found([women, women], told("the same", asked(WOMAN), 30, "new")) == ()


def test_the_same_question_after_a_few_have_come_is_a_danger() -> None:
    women = told("women", asked(WOMAN), 30)
    (danger,) = found([women], told("women", asked(WOMAN), 31, "new"))
    assert danger.what == "who came to 'women', or left it, since then"
    assert found([women], told("women", asked(WOMAN), 41, "new")) == ()


def test_a_count_that_was_withheld_tells_nothing() -> None:
    everyone = told("all", asked(), 100, released=False)
    women = told("women", asked(WOMAN), 99, "new")
    assert found([everyone], women) == ()
    assert found([told("all", asked(), 100)], told("women", asked(WOMAN), 99, released=False)) == ()


def test_sites_that_are_left_out_are_a_danger() -> None:
    every, some = told("all", asked(), 100), told("all", asked(sites="ab"), 95, "new")
    (danger,) = found([every], some)
    assert danger.what == "the patients in 'all' at c"
    assert found([some], every)[0].what == "the patients in 'all' at c"


def test_the_sites_of_two_runs_give_a_third() -> None:
    old = [told("a and b", asked(sites="ab"), 60), told("c and d", asked(sites="cd"), 44)]
    (danger,) = found(old, told("a, c and d", asked(sites="acd"), 99, "new"))
    assert danger.what == "a group that follows from 'a and b', and 'c and d', less 'a, c and d'"
    assert found(old, told("a and c", asked(sites="ac"), 60, "new")) == ()


def test_a_narrower_question_at_fewer_sites_is_a_danger() -> None:
    every = told("all", asked(), 100)
    (danger,) = found([every], told("women", asked(WOMAN, sites="ab"), 95, "new"))
    assert danger.what == "the patients in 'all' who are not in 'women', with all at c"


def test_a_complement_gives_its_total() -> None:
    old = [told("women", asked(WOMAN), 60), told("not women", asked(no(WOMAN)), 40)]
    (danger,) = found(old, told("old", asked(either(WOMAN, OLD)), 97, "new"))
    assert danger.what == "a group that follows from 'women', and 'not women', less 'old'"


def test_a_part_of_a_complement_gives_the_rest() -> None:
    old = [told("all", asked(), 100), told("women", asked(WOMAN), 60)]
    assert found(old, told("old men", asked(no(WOMAN), OLD), 39, "new"))
    assert not found(old, told("old men", asked(no(WOMAN), OLD), 20, "new"))


def test_the_general_tracker_is_caught() -> None:
    old = [told("all", asked(), 100), told("C or T", asked(either(DRUG, WOMAN)), 62)]
    last = told("C or not T", asked(either(DRUG, no(WOMAN))), 41, "new")
    (danger,) = found(old, last)
    assert danger.what == "a group that follows from 'C or T', and 'C or not T', less 'all'"
    assert found([last, old[1]], told("all", asked(), 100, "new"))


def test_the_tracker_in_other_words_is_caught() -> None:
    neither = Group(Rule.AT_MOST, (DRUG, WOMAN), 0)
    old = [told("all", asked(), 100), told("neither", asked(neither), 38)]
    assert found(old, told("C or not T", asked(either(no(WOMAN), DRUG)), 41, "new"))


def test_every_order_of_a_tracker_ends_in_the_danger() -> None:
    counts = [
        told("all", asked(), 100),
        told("C or T", asked(either(DRUG, WOMAN)), 62),
        told("C or not T", asked(either(DRUG, no(WOMAN))), 41),
    ]
    for order in itertools.permutations(counts):
        assert not found(list(order[:1]), order[1])
        assert found(list(order[:2]), order[2])


def test_three_parts_give_the_fourth() -> None:
    ages = [AgeRange(None, 39), AgeRange(40, 59), AgeRange(60, 79)]
    parts = [told(str(age), asked(AgeCriterion(age)), 30) for age in ages]
    known = told("any age", asked(AgeCriterion(AgeRange())), 97, "new")
    (danger,) = found(parts, known)
    assert danger.what.startswith("a group that follows from 'any age', less 'any to 39'")
    # Whoever has no age on record is in the whole, too, but in none of the parts.
    assert found(
        [*parts, told("80", asked(AgeCriterion(AgeRange(80, None))), 20)],
        told("all", asked(), 113, "new"),
    )


NARROWER: list[tuple[Criterion, Criterion]] = [
    (
        DateCriterion(DateRange(None, dt.date(2020, 1, 1))),
        DateCriterion(DateRange(None, dt.date(2020, 1, 2))),
    ),
    (OLD, AgeCriterion(AgeRange(64, None))),
    (DRUG, DRUGS),
    (DRUG, EventCriterion(Events(Domain.DRUG, "drug"), Window(-91, -1))),
    (EventCriterion(Events(Domain.DRUG, "drug"), Window(-90, -1), count=Count(2)), DRUG),
    (no(DRUGS), no(DRUG)),
    (DRUG, either(DRUGS, WOMAN)),
    (Group(Rule.AT_LEAST, (DRUG, WOMAN, OLD), 2), either(DRUG, WOMAN, OLD)),
]


@pytest.mark.parametrize(("narrow", "wide"), NARROWER, ids=str)
def test_a_shifted_limit_is_a_danger(narrow: Criterion, wide: Criterion) -> None:
    for divisible in (True, False):
        one = told("narrow", asked(narrow, divisible=divisible), 50)
        two = told("wide", asked(wide, divisible=divisible), 51, "new")
        assert found([one], two), divisible
        assert found([two], one), divisible


def test_sets_of_other_bases_have_nothing_to_do_with_each_other() -> None:
    other = QuerySet("another", frozenset(), frozenset("abc"))
    assert found([told("all", asked(), 100)], told("others", other, 99, "new")) == ()


def test_what_is_left_of_an_index_that_moves_is_no_complement() -> None:
    """Of someone with two events, one after the drug and one not, both sets hold."""
    old = [told("all", asked(divisible=False), 100), told("drug", asked(DRUG, divisible=False), 60)]
    last = told("no drug, old", asked(no(DRUG), OLD, divisible=False), 39, "new")
    assert found(old, last) == ()


def test_what_one_round_shows_by_itself_is_for_its_release_to_decide() -> None:
    new = (told("all", asked(), 100, "new"), told("women", asked(WOMAN), 99, "new"))
    assert found([told("old", asked(OLD), 40)], *new) == ()


def test_what_was_known_before_is_no_new_danger() -> None:
    old = [told("all", asked(), 100), told("women", asked(WOMAN), 99)]
    assert found(old, told("old", asked(OLD), 50, "new")) == ()


def test_a_zero_tells_that_parts_are_empty() -> None:
    """Nobody has the drug and is old: so those with either are the sum."""
    old = [
        told("both", asked(DRUG, OLD), 0),
        told("drug", asked(DRUG), 40),
        told("old", asked(OLD), 30),
    ]
    assert found(old, told("either, or women", asked(either(DRUG, OLD, WOMAN)), 75, "new"))


def test_too_many_criteria_are_said_and_pairs_still_seen() -> None:
    many = [EventCriterion(Events(Domain.DRUG, "drug"), Window(-day, -day)) for day in range(1, 80)]
    old = [told(str(place), asked(each), 500 + 20 * place) for place, each in enumerate(many)]
    result = examine(old, [told("both", asked(*many[:2]), 495, "new")], 11, WORDS.known)
    assert not result.complete
    assert [danger.what for danger in result.dangers] == [
        "the patients in '0' who are not in 'both'"
    ]


def test_a_thousand_counts_are_looked_through_in_a_moment() -> None:
    """Twenty new counts, each new, among a thousand of the same base; the aim is 50 ms."""
    criteria = [
        EventCriterion(Events(Domain.DRUG, "drug"), Window(-90 - place, -1)) for place in range(10)
    ]
    old = [
        told(
            f"{run}, {step}",
            asked(
                *criteria[:step],
                DateCriterion(DateRange(dt.date(2000 + run % 50, 1, 1 + run // 50))),
            ),
            10_000 - 50 * step - 20 * run,
            f"run {run}",
        )
        for run in range(100)
        for step in range(10)
    ]
    last = DateCriterion(DateRange(dt.date(1999, 1, 1), None))
    new = [
        told(f"new {step}", asked(*criteria[:step], last), 20_000 - 50 * step, "new")
        for step in range(10)
    ]
    began = time.perf_counter()
    for _ in range(3):
        examine(old, new, 11, WORDS.known)
    # Machines differ and may be busy; ten times the aim would be another kind of program.
    assert (time.perf_counter() - began) / 3 < 0.5
