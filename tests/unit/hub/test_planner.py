"""Who is asked and who is not, by catalogues alone."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from simulator.errors import TooFewAnswers, UserError
from simulator.hub.planner import Candidate, make_plan
from simulator.hub.sizes import message_sizes
from simulator.language.codes import Code
from simulator.language.criteria import Domain
from simulator.language.reading import parse_study
from simulator.language.study import Study
from simulator.messages.catalogue import CodeKnowledge, Described, Holding, Knowledge
from simulator.privacy.releases import EXACT, SECURE_SUM
from tests.unit.hub.wires import TEXT, described, plan_of, study

ASKED = study()


def candidate(site: str, described_: Described | None = None, lost: str = "") -> Candidate:
    if described_ is None and not lost:
        described_ = described(site, ASKED.question)
    return Candidate(site, described_, lost)


def lacking(site: str, *domains: Domain) -> Candidate:
    whole = described(site, ASKED.question)
    held = tuple(one for one in whole.catalogue.holdings if one.domain not in domains)
    return candidate(site, described(site, ASKED.question, holdings=held))


def knowing(site: str, asked: Study = ASKED, **entries: tuple[Knowledge, ...]) -> Candidate:
    """A site that knows of some concept sets only this."""
    whole = described(site, asked.question)
    codes = tuple(
        CodeKnowledge(known.name, entries.get(known.name, known.entries)) for known in whole.codes
    )
    return candidate(site, msgspec.structs.replace(whole, codes=codes))


def spanning(site: str, first: str, last: str) -> Candidate:
    held = tuple(
        Holding(domain, dt.date.fromisoformat(first), dt.date.fromisoformat(last))
        for domain in Domain
    )
    return candidate(site, described(site, ASKED.question, holdings=held))


def verdicts(*sites: Candidate) -> dict[str, str]:
    """Why each site beside a whole one is left out."""
    plan = make_plan(ASKED, SECURE_SUM, [candidate("whole"), *sites])
    assert plan.roster[0] == "whole"
    return {site: verdict.reason for site, verdict in plan.left_out.items()}


ABSENT = (Knowledge.VOCABULARY_ABSENT,)


@pytest.mark.parametrize(
    ("site", "reason"),
    [
        (candidate("a"), None),
        (candidate("a", lost="off line"), "off line"),
        (candidate("a", lost="no answer"), "no catalogue: no answer"),
        (lacking("a", Domain.PROCEDURE), "no procedures held"),
        (lacking("a", Domain.DRUG), None),  # the second arm asks for no drug
        (lacking("a", Domain.VISIT, Domain.DEATH, Domain.MEASUREMENT), None),
        (knowing("a", embolization=ABSENT), "no code of 'embolization' known"),
        (knowing("a", drug=ABSENT), None),
        (spanning("a", "2010-01-01", "2015-12-31"), "procedures end before 2016-01-01"),
        (spanning("a", "2010-01-01", "2016-01-31"), None),
        (spanning("a", "2024-08-01", "2025-01-31"), "procedures begin after 2024-07-31"),
        (spanning("a", "2024-07-01", "2025-01-31"), None),
    ],
)
def test_a_site_is_left_out_only_where_it_cannot_hold_a_patient(
    site: Candidate, reason: str | None
) -> None:
    assert verdicts(site) == ({} if reason is None else {"a": reason})


def test_a_study_whose_every_arm_is_impossible_leaves_a_site_out() -> None:
    text = TEXT.replace("COMPLETENESS", "1.0")
    text = text.replace("{none: [{drug: drug, days: -90 to -1}]}", "{drug: drug, days: 0}")
    both = parse_study(text)
    plan = make_plan(both, SECURE_SUM, [candidate("whole"), lacking("a", Domain.DRUG)])
    assert plan.left_out["a"].reason == "no drugs held"


def test_the_numbers_of_a_plan_are_different_numbers() -> None:
    plan = make_plan(
        ASKED,
        SECURE_SUM,
        [
            candidate("a"),
            candidate("b", lost="off line"),
            lacking("c", Domain.PROCEDURE),
            lacking("d", Domain.PROCEDURE),
            spanning("e", "2010-01-01", "2012-12-31"),
            candidate("f", lost="no answer before the deadline"),
        ],
    )
    assert (len(plan.candidates), plan.online, plan.roster) == (6, 5, ("a",))
    told = {(found.ground, found.sites): found.reasons for found in plan.grounds()}
    assert told == {
        ("off line", 1): {"off line": 1},
        ("no catalogue", 1): {"no catalogue: no answer before the deadline": 1},
        ("does not hold what is needed", 2): {"no procedures held": 2},
        ("its dates do not fit", 1): {"procedures end before 2016-01-01": 1},
    }


def test_a_code_that_some_do_not_know_is_told() -> None:
    plan = make_plan(ASKED, SECURE_SUM, [candidate("a"), knowing("b", drug=ABSENT)])
    assert plan.roster == ("a", "b")
    assert plan.unknown == {Code("RxNorm", "3639"): 1}


def test_a_code_that_only_sites_that_are_not_asked_know_is_the_users_error() -> None:
    sites = [knowing("a", drug=ABSENT), lacking("b", Domain.PROCEDURE)]
    with pytest.raises(UserError) as caught:
        make_plan(ASKED, SECURE_SUM, sites)
    assert "no eligible site knows the code 'RxNorm 3639'" in str(caught.value)
    assert "`cohortium check`" in str(caught.value)


def test_a_concept_set_that_nobody_knows_is_the_users_error() -> None:
    with pytest.raises(UserError, match="no site knows any code of 'embolization'"):
        make_plan(ASKED, SECURE_SUM, [knowing("a", embolization=ABSENT)])


@pytest.mark.parametrize(
    "sites",
    [
        [],
        [candidate("a", lost="off line")],
        [lacking("a", Domain.PROCEDURE), lacking("b", Domain.PROCEDURE)],
    ],
)
def test_without_an_eligible_site_nobody_is_asked(sites: list[Candidate]) -> None:
    with pytest.raises(TooFewAnswers, match=f"none of the {len(sites)} sites is eligible"):
        make_plan(ASKED, SECURE_SUM, sites)


def test_the_plan_says_how_large_the_messages_are() -> None:
    for release in (SECURE_SUM, EXACT):
        plan = plan_of(ASKED, ("a", "b"), release)
        ((sent, received),) = message_sizes(plan, masked=False)
        request, answer = sent // 2, received // 2
        cells = {"secure-sum": 12, "exact": 366}[release.name]  # months, or days 0 to 365
        # attrition 3, assignment 4, survival: 2 arms x cells x 2 measures, 8 bytes each
        assert answer > 8 * (3 + 4 + 2 * cells * 2)
        assert 500 < request < 3000


def test_a_study_asks_one_round() -> None:
    assert len(plan_of(ASKED, ("a",)).needs) == 1
