"""Who is studied: an index event, then steps in order, then arms."""

from __future__ import annotations

from tests.support.asking import ANYONE, Site, question


def test_steps_are_asked_in_order_of_those_who_passed_the_ones_before(site: Site) -> None:
    asked = question(
        steps="""
  - {step: a tumour, require: {condition: tumour}}
  - {step: and a scan, require: {procedure: scan}}
  - {step: and a drug, require: {drug: chemo}}""",
        arms="""
  tested: {measurement: test}""",
    )
    people = """
    record                                                       | gets as far as
    index on 0, tumour on 1, scan on 1, chemo on 1, test on 1    | the arm
    index on 0, tumour on 1, scan on 1, chemo on 1               | all steps
    index on 0, tumour on 1, scan on 1                           | two steps
    index on 0, tumour on 1, chemo on 1, test on 1               | one step, though the third holds
    index on 0, scan on 1, chemo on 1, test on 1                 | no step
    tumour on 1, scan on 1, chemo on 1, test on 1                | no index
    """
    assert site.attrition(asked, people) == {
        "with an index event": 5,
        "a tumour": 4,
        "and a scan": 3,
        "and a drug": 2,
        "in exactly one arm": 1,
    }


def test_without_steps_everyone_with_an_index_is_in_the_cohort(site: Site) -> None:
    people = """
    record
    index on 0
    index on 3, index on 3
    chemo on 0
    """
    assert site.attrition(question(), people) == {
        "with an index event": 2,  # the second has two events on one day, which are one index
        "in exactly one arm": 2,
    }


def test_a_patient_of_the_cohort_is_in_one_arm_in_none_or_in_several(site: Site) -> None:
    asked = question(
        steps="  - {step: a tumour, require: {condition: tumour}}",
        arms="""
  chemo: {drug: chemo}
  immuno: {drug: immuno}
  tested: {measurement: test}""",
    )
    people = """
    record                                              | arm
    index on 0, tumour on 0, chemo on 0                 | chemo
    index on 0, tumour on 0, immuno on 0                | immuno
    index on 0, tumour on 0, immuno on 0, immuno on 1   | immuno
    index on 0, tumour on 0                             | none
    index on 0, tumour on 0, chemo on 0, immuno on 0    | two
    index on 0, tumour on 0, chemo on 0, immuno on 0, test on 0 | three
    index on 0, chemo on 0                              | not in the cohort
    """
    assert site.assignment(asked, people) == {
        "chemo": 1,
        "immuno": 2,
        "tested": 0,
        "in no arm": 1,
        "in several arms": 1 + 1,
    }
    assert site.attrition(asked, people)["in exactly one arm"] == 1 + 2


def test_the_index_is_the_first_or_the_last_of_the_events_that_fit(site: Site) -> None:
    people = """
    record                                      | fits
    index on 0, index on 5, test on 0           | {first}
    index on 0, index on 5, test on 5           | {last}
    """
    site.fits("{measurement: test, days: 0}", people.format(first="yes", last="no"))
    site.fits(
        "{measurement: test, days: 0}",
        people.format(first="no", last="yes"),
        index="{procedure: index, occurrence: last}",
    )


def test_the_index_may_need_dates_an_age_and_related_events(site: Site) -> None:
    site.fits(
        "{measurement: test, days: 0}",
        """
        record                                                        | fits | because
        index on 0, metastasis on 0, test on 0                        | yes  | known by then
        index on 0, index on 9, metastasis on 5, test on 9            | yes  | the first after it
        index on 0, index on 9, metastasis on 5, test on 0            | no   | not yet known
        index on 2019-12-31, index on 9, metastasis on 2019-01-01, test on 9 | yes | since 2020
        born 1990, index on 0, metastasis on 0, test on 0             | no   | 2020 - 1990 = 30
        index on 0, test on 0                                         | no   | no index
        """,
        index="{procedure: index, occurrence: first, dates: 2020-01-01 to any, age: 40 to any,"
        " with: [{condition: metastasis, days: any to 0}]}",
    )


def test_any_kind_of_event_may_be_the_index_death_too(site: Site) -> None:
    asked = question(index="{death: any, occurrence: first}")
    people = """
    record
    dead on 5
    dead on ?
    index on 0
    """
    assert site.attrition(asked, people) == {"with an index event": 1, "in exactly one arm": 1}


def test_an_empty_site_answers_with_zeros(site: Site) -> None:
    asked = question(steps=f"  - {{step: anyone, require: {ANYONE}}}")
    assert site.attrition(asked, "record") == {
        "with an index event": 0,
        "anyone": 0,
        "in exactly one arm": 0,
    }
    assert site.assignment(asked, "record") == {"everyone": 0, "in no arm": 0, "in several arms": 0}
    assert site.survival(asked, "record") == ({}, {})
