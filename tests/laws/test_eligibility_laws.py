"""No site that is left out holds a patient of the cohort, whatever is asked and whatever it lacks.

Sites lack whole kinds of fact, vocabularies and years; their catalogues are the real ones, made
from their databases. Who is in the cohort, the plain interpreter says.
"""

from __future__ import annotations

import datetime as dt
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import duckdb
import msgspec
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from simulator.hub.eligibility import Ground, Verdict, cannot_hold
from simulator.language.criteria import (
    Criterion,
    Domain,
    EventCriterion,
    Events,
    Occurrence,
)
from simulator.language.study import (
    DEATH,
    Arm,
    Cohort,
    FollowUp,
    Question,
    Step,
)
from simulator.language.walk import all_events
from simulator.language.windows import Count
from simulator.messages.catalogue import Described
from simulator.site.catalogue import CatalogueFile, read_catalogue
from simulator.site.store import DATABASE, Store
from simulator.truth.counted import in_an_arm
from simulator.truth.interpreter import patients
from tests.support.omop import write_omop
from tests.support.people import crowd
from tests.support.questions import FIRST_DAY, criteria, questions, sets_of
from tests.support.records import Drawn, rows

_MANY: Final = int(os.environ.get("EXAMPLES", "1000"))
_quick = settings(
    derandomize=True, max_examples=60, deadline=None, suppress_health_check=[*HealthCheck]
)
_long = settings(_quick, derandomize=False, max_examples=_MANY, database=None)
_SITES: Final = 10
_LAST_DAY: Final = 80

Rule = Callable[[Question, Described], Verdict | None]


class Site:
    """An open database and its catalogue."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self.known: CatalogueFile = read_catalogue(folder)
        self.store = Store(folder)

    def cohort(self, question: Question) -> int:
        """How many patients of the cohort and its arms are here."""
        found = patients(self.store, question, death_by_month=self.known.catalogue.death_by_month)
        steps = len(question.cohort.steps)
        if question.arms:
            return in_an_arm(found, question).height
        return found.filter(pl.col("steps_passed") == steps).height


def _limited(
    drawn: Drawn, chance: random.Random, held: set[Domain], span: tuple[int, int]
) -> Drawn:
    first, last = (FIRST_DAY + dt.timedelta(day) for day in span)
    facts = [
        fact
        for fact in drawn.facts
        if fact[0] in held and (fact[1] is None or first <= fact[1] <= last)
    ]
    return replace(drawn, facts=facts[: chance.randint(0, 24)])


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, ...]]:
    """Sites of a few patients that lack some kinds of fact, vocabularies or years."""
    home = tmp_path_factory.mktemp("eligibility")
    made = []
    for place in range(_SITES):
        chance = random.Random(place)  # noqa: S311 - not for secrets
        domains = [*Domain]
        held = set(chance.sample(domains, chance.choice((1, 2, 3, 4, 5, 6, 6))))
        start = chance.choice((0, 0, 20, 45))
        span = (start, chance.choice((start, start + 5, _LAST_DAY, _LAST_DAY)))
        people = [_limited(one, chance, held, span) for one in crowd(place, 30)]
        folder = write_omop(home / f"site-{place}", rows(enumerate(people, start=1)))
        lacking = chance.sample(["ICD10CM", "CPT4", "RxNorm", "LOINC"], chance.choice((0, 0, 1, 2)))
        with duckdb.connect(str(folder / DATABASE)) as database:
            for vocabulary in lacking:
                database.execute("DELETE FROM concept WHERE vocabulary_id = ?", [vocabulary])
        if chance.random() < 0.3:
            (folder / "site.yaml").write_text("site: some\ndeath dates: month\n")
        made.append(Site(folder))
    yield tuple(made)
    for site in made:
        site.store.close()


def check(rule: Rule, question: Question, sites: tuple[Site, ...]) -> int:
    """Asserts that the rule leaves out nobody's patient; returns how many sites it leaves out."""
    left_out = 0
    for site in sites:
        verdict = rule(question, site.known.describe(question.codes))
        if verdict is not None:
            left_out += 1
            note(f"{site.name}: {verdict.reason}")
            assert site.cohort(question) == 0
    return left_out


@st.composite
def lean(draw: st.DrawFn) -> Question:
    """Questions that many patients fit: any event of a kind is the index, one step, some arms."""
    index = Events(draw(st.sampled_from(Domain)), occurrence=Occurrence.FIRST)
    step = Step("step", draw(criteria(1)))
    named = [Arm(f"arm {n}", draw(criteria(1))) for n in range(draw(st.sampled_from((0, 0, 2))))]
    arms = tuple(named)
    cohort = Cohort(index, (step,))
    return Question(
        codes=sets_of(cohort, arms),
        cohort=cohort,
        arms=arms,
        outcome=DEATH,
        follow_up=FollowUp(3),
    )


@settings(_quick, max_examples=120)
@given(question=lean())
def test_no_pruned_site_holds_a_patient_of_a_lean_question(
    sites: tuple[Site, ...], question: Question
) -> None:
    check(cannot_hold, question, sites)


@_quick
@given(question=questions())
def test_no_pruned_site_holds_a_patient(sites: tuple[Site, ...], question: Question) -> None:
    check(cannot_hold, question, sites)


@pytest.mark.laws
@_long
@given(question=st.one_of(lean(), questions(3)))
def test_no_pruned_site_holds_a_patient_for_long(
    sites: tuple[Site, ...], question: Question
) -> None:
    check(cannot_hold, question, sites)


def test_the_law_says_something(sites: tuple[Site, ...]) -> None:
    """Some questions leave some sites out and find patients at others: on every ground."""
    grounds: set[Ground] = set()
    found = 0

    @settings(_quick, max_examples=60)
    @given(question=questions(1))
    def look(question: Question) -> None:
        nonlocal found
        for site in sites:
            verdict = cannot_hold(question, site.known.describe(question.codes))
            if verdict is not None:
                grounds.add(verdict.ground)
            elif found < 40:
                found += site.cohort(question)

    look()
    assert grounds == {Ground.DOMAIN, Ground.CODES, Ground.DATES}
    assert found > 0


# Rules that sound well and are wrong: the law must find each out.


def _asks_for_what_must_not_be(question: Question, site: Described) -> Verdict | None:
    """Leaves out who lacks a kind of fact that is named anywhere, even to exclude it."""
    for events in all_events(question):
        if site.catalogue.holding(events.domain) is None:
            return Verdict(Ground.DOMAIN, "planted")
    return cannot_hold(question, site)


def _takes_at_most_for_at_least(question: Question, site: Described) -> Verdict | None:
    """Leaves out who lacks what may be there at most so often."""
    steps = tuple(
        _counted(step, Count(1)) if _may_be_absent(step.require) else step
        for step in question.cohort.steps
    )
    cohort = Cohort(question.cohort.index, steps)
    return cannot_hold(msgspec.structs.replace(question, cohort=cohort), site)


def _may_be_absent(criterion: Criterion) -> bool:
    return isinstance(criterion, EventCriterion) and criterion.count.at_least == 0


def _counted(step: Step, count: Count) -> Step:
    assert isinstance(step.require, EventCriterion)
    return Step(step.name, msgspec.structs.replace(step.require, count=count))


def _takes_the_first_fact_for_the_first_patient(
    question: Question, site: Described
) -> Verdict | None:
    """Leaves out sites whose index facts begin after the middle of the time."""
    held = site.catalogue.holding(question.cohort.index.domain)
    if held is not None and held.first > FIRST_DAY + dt.timedelta(20):
        return Verdict(Ground.DATES, "planted")
    return cannot_hold(question, site)


@pytest.mark.parametrize(
    "unsound",
    [
        _asks_for_what_must_not_be,
        _takes_at_most_for_at_least,
        _takes_the_first_fact_for_the_first_patient,
    ],
)
def test_the_law_finds_an_unsound_rule(sites: tuple[Site, ...], unsound: Rule) -> None:
    @settings(_quick, max_examples=400, report_multiple_bugs=False, phases=[Phase.generate])
    @given(question=lean())
    def look(question: Question) -> None:
        check(unsound, question, sites)

    with pytest.raises(AssertionError):
        look()
