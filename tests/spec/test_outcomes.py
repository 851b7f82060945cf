"""Death as the outcome, by day or month, and until when a patient is watched."""

from __future__ import annotations

from simulator.aggregates.grid import Unit
from tests.support.asking import Site, question


def test_a_death_by_the_end_of_observation_is_the_event(site: Site) -> None:
    people = """
    record                                | day | event
    index on 0, watched -9 to 40, dead on 7  |  7  | yes
    index on 0, watched -9 to 40, dead on 40 | 40  | yes: the last day counts
    index on 0, watched -9 to 40, dead on 41 | 40  | no: seen alive to day 40
    index on 0, watched -9 to 40          | 40  | no
    index on 0, watched 0 to 0            |  0  | no
    """
    assert site.survival(question(), people) == ({7: 1, 40: 1}, {40: 1 + 1, 0: 1})


def test_days_count_from_the_index(site: Site) -> None:
    people = """
    record                                      | day
    index on 30, watched 0 to 100, dead on 37   | 37 - 30 = 7
    index on 30, watched 0 to 100               | 100 - 30 = 70
    """
    assert site.survival(question(), people) == ({7: 1}, {70: 1})


def test_the_observation_period_that_holds_the_index_is_the_one(site: Site) -> None:
    people = """
    record                                             | day
    index on 5, watched 0 to 10, watched 20 to 90      | 10 - 5 = 5
    index on 20, watched 0 to 10, watched 20 to 90     | 90 - 20 = 70
    index on 15, watched 0 to 10, watched 20 to 90     | none holds it: 0
    index on 5, watched 0 to 10, watched 20 to 90, dead on 30 | 5, and the death is not seen
    """
    assert site.survival(question(), people) == ({}, {5: 1 + 1, 70: 1, 0: 1})


def test_without_an_observation_period_follow_up_ends_at_the_index(site: Site) -> None:
    people = """
    record                            | day
    index on 5                        | 0
    index on 5, dead on 5             | 0, and no event
    index on 5, watched ? to 90       | 0: a period without a start
    index on 5, watched 0 to ?        | 0: a period without an end
    """
    assert site.survival(question(), people) == ({}, {0: 4})


def test_a_death_before_the_index_happens_on_day_0(site: Site) -> None:
    people = """
    record                                      | day
    index on 9, watched 0 to 90, dead on 5      | 0, an event
    index on 9, watched 0 to 90, dead on ?      | 81: a death without a date is not seen
    """
    assert site.survival(question(), people) == ({0: 1}, {81: 1})


def test_overlapping_periods_are_one_patient_and_the_latest_end(site: Site) -> None:
    people = """
    record                                       | day
    index on 5, watched 0 to 10, watched 3 to 50 | 50 - 5 = 45
    """
    assert site.survival(question(), people) == ({}, {45: 1})
    assert site.attrition(question(), people)["in exactly one arm"] == 1


def test_a_death_recorded_twice_is_one_death_the_earlier(site: Site) -> None:
    people = """
    record                                              | day
    index on 0, watched 0 to 90, dead on 20, dead on 10 | 10
    """
    assert site.survival(question(), people) == ({10: 1}, {})
    assert site.attrition(question(), people)["in exactly one arm"] == 1


def test_time_beyond_the_horizon_is_censored_at_it(site: Site) -> None:
    people = """
    record                                         | day
    index on 0, watched 0 to 9999, dead on 365     | 365: the last day of 12 months of 30.4375
    index on 0, watched 0 to 9999, dead on 366     | 365, no event
    """
    assert site.survival(question(months=12), people) == ({365: 1}, {365: 1})


def test_a_month_holds_its_last_day_and_day_0_is_in_the_first(site: Site) -> None:
    people = """
    record                                    | month of 30.4375 days
    index on 0, watched 0 to 999, dead on 0   | the first
    index on 0, watched 0 to 999, dead on 30  | the first: 30 <= 30.4375
    index on 0, watched 0 to 999, dead on 31  | the second
    index on 0, watched 0 to 60               | the second: 60 <= 60.875
    index on 0, watched 0 to 61               | the third
    """
    assert site.survival(question(), people, Unit.MONTH) == ({0: 1 + 1, 1: 1}, {1: 1, 2: 1})


def test_only_those_in_exactly_one_arm_are_followed(site: Site) -> None:
    asked = question(
        steps="  - {step: a tumour, require: {condition: tumour}}",
        arms="\n  chemo: {drug: chemo}\n  immuno: {drug: immuno}",
    )
    people = """
    record                                                       | because
    index on 0, watched 0 to 9, tumour on 0, chemo on 0          | followed
    index on 0, watched 0 to 9, tumour on 0, chemo on 0, immuno on 0 | in both arms
    index on 0, watched 0 to 9, tumour on 0                      | in none
    index on 0, watched 0 to 9, chemo on 0                       | not in the cohort
    """
    assert site.survival(asked, people) == ({}, {9: 1})
