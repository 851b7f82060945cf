"""Which criteria can leave a site out: what every patient must have, and nothing else."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from simulator.hub.eligibility import cannot_hold
from simulator.language.criteria import Domain
from simulator.messages.catalogue import CodeKnowledge, Described, Holding, Knowledge
from tests.support.asking import question
from tests.unit.hub.wires import described

ASKED = question(
    steps="""
  - step: all of them
    require:
      all: [{condition: tumour}, {drug: chemo}, {drug: immuno}, {measurement: test}, {visit: stay}]
"""
)


def site(
    *lacking: Domain, unknown: tuple[str, ...] = (), span: str = "2012-01-01 to 2024-07-31"
) -> Described:
    """A site without some kinds of fact and some concept sets, whose facts lie in a span."""
    first, last = (dt.date.fromisoformat(day) for day in span.split(" to "))
    held = tuple(Holding(domain, first, last) for domain in Domain if domain not in lacking)
    whole = described("a", ASKED, holdings=held)
    codes = tuple(
        CodeKnowledge(
            known.name, (Knowledge.NOT_FOUND,) if known.name in unknown else known.entries
        )
        for known in whole.codes
    )
    return msgspec.structs.replace(whole, codes=codes)


def reason(step: str, asked_of: Described, index: str | None = None) -> str | None:
    """Why a site is left out by a study with one step."""
    steps = f"  - step: it\n    require: {step}"
    asked = question(steps=steps) if index is None else question(steps=steps, index=index)
    verdict = cannot_hold(asked, asked_of)
    return None if verdict is None else verdict.reason


NO_DRUGS = site(Domain.DRUG)
NO_CHEMO = site(unknown=("chemo",))
EARLY = site(span="2012-01-01 to 2015-12-31")
LATE = site(span="2024-08-01 to 2025-01-31")


@pytest.mark.parametrize(
    ("step", "asked_of", "said"),
    [
        ("{drug: chemo}", NO_DRUGS, "no drugs held"),
        ("{drug: any}", NO_DRUGS, "no drugs held"),
        ("{drug: chemo, count: at least 2}", NO_DRUGS, "no drugs held"),
        ("{drug: chemo, count: at most 2}", NO_DRUGS, None),
        ("{drug: chemo, count: exactly 0}", NO_DRUGS, None),
        ("{none: [{drug: chemo}]}", NO_DRUGS, None),
        ("{at most 0: [{drug: chemo}]}", NO_DRUGS, None),
        ("{any: [{drug: chemo}, {condition: tumour}]}", NO_DRUGS, None),
        ("{any: [{drug: chemo}, {drug: immuno}]}", NO_DRUGS, "no drugs held"),
        ("{all: [{condition: tumour}, {drug: chemo}]}", NO_DRUGS, "no drugs held"),
        ("{at least 1: [{drug: chemo}, {condition: tumour}]}", NO_DRUGS, None),
        ("{at least 2: [{drug: chemo}, {condition: tumour}]}", NO_DRUGS, "no drugs held"),
        ("{all: [{none: [{drug: chemo}]}]}", NO_DRUGS, None),
        ("{none: [{none: [{drug: chemo}]}]}", NO_DRUGS, None),  # it must, but nobody looks
        ("{drug: chemo}", NO_CHEMO, "no code of 'chemo' known"),
        ("{drug: immuno}", NO_CHEMO, None),
        ("{drug: any}", NO_CHEMO, None),
        ("{condition: tumour, with: [{drug: chemo}]}", NO_DRUGS, "no drugs held"),
        ("{condition: tumour, with: [{none: [{drug: chemo}]}]}", NO_DRUGS, None),
        ("{condition: tumour, count: at most 1, with: [{drug: chemo}]}", NO_DRUGS, None),
        ("{death: any}", site(Domain.DEATH), "no deaths held"),
        ("{sex: female}", NO_DRUGS, None),
        ("{age: 18 to 75}", NO_DRUGS, None),
    ],
)
def test_only_what_must_be_there_leaves_a_site_out(
    step: str, asked_of: Described, said: str | None
) -> None:
    assert reason(step, asked_of) == said


# The last day of a site that ends in December 2015 is the 31st, and counts.
@pytest.mark.parametrize(
    ("dates", "asked_of", "said"),
    [
        ("2015-12-31 to any", EARLY, None),
        ("2016-01-01 to any", EARLY, "procedures end before 2016-01-01"),
        ("any to 2024-08-01", LATE, None),
        ("any to 2024-07-31", LATE, "procedures begin after 2024-07-31"),
        ("2012-01-01 to 2024-12-31", EARLY, None),
    ],
)
def test_dates_of_the_index_are_held_against_its_kind_of_fact(
    dates: str, asked_of: Described, said: str | None
) -> None:
    assert reason(f"{{dates: {dates}}}", asked_of) == said


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("{drug: chemo, dates: 2016-01-01 to any}", "drugs end before 2016-01-01"),
        ("{drug: chemo, dates: 2015-12-31 to any}", None),
        (
            "{condition: tumour, with: [{dates: 2016-01-01 to any}]}",
            "diagnoses end before 2016-01-01",
        ),
        ("{none: [{drug: chemo, dates: 2016-01-01 to any}]}", None),
    ],
)
def test_dates_of_an_event_are_held_against_its_own_kind(step: str, said: str | None) -> None:
    assert reason(step, EARLY) == said


@pytest.mark.parametrize(
    ("index", "asked_of", "said"),
    [
        ("{drug: chemo, occurrence: first}", NO_DRUGS, "no drugs held"),
        ("{drug: chemo, occurrence: last}", NO_CHEMO, "no code of 'chemo' known"),
        ("{drug: any, occurrence: first}", NO_CHEMO, None),
        (
            "{condition: any, occurrence: first, dates: 2016-01-01 to any}",
            EARLY,
            "diagnoses end before 2016-01-01",
        ),
        (
            "{condition: any, occurrence: first, with: [{drug: chemo}]}",
            NO_DRUGS,
            "no drugs held",
        ),
    ],
)
def test_the_index_event_must_be_possible(
    index: str, asked_of: Described, said: str | None
) -> None:
    assert reason("{sex: female}", asked_of, index) == said


@pytest.mark.parametrize(
    ("arms", "said"),
    [
        ("  a: {drug: chemo}\n  b: {drug: immuno}", "no drugs held"),
        ("  a: {drug: chemo}\n  b: {none: [{drug: chemo}]}", None),
    ],
)
def test_one_possible_arm_is_enough(arms: str, said: str | None) -> None:
    verdict = cannot_hold(question(arms=arms), NO_DRUGS)
    assert (verdict.reason if verdict else None) == said
