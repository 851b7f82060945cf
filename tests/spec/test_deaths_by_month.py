"""Sites that know only the month of a death, and what is made of it."""

from __future__ import annotations

from simulator.aggregates.grid import Unit
from tests.support.asking import Site, question


def test_the_middle_of_the_month_stands_for_the_day(site: Site) -> None:
    people = """
    record                                                                | day
    index on 2020-01-01, watched 2020-01-01 to 2020-12-31, dead on 2020-03-02 | 31 + 29 + 14
    index on 2020-01-01, watched 2020-01-01 to 2020-12-31, dead on 2020-03-30 | the same
    """
    survival = site.survival(question(), people, death_by_month=True)
    assert survival == ({31 + 29 + 14: 2}, {})


def test_a_death_is_never_before_an_index_of_its_month(site: Site) -> None:
    people = """
    record                                                                | day
    index on 2020-01-20, watched 2020-01-01 to 2020-12-31, dead on 2020-01-30 | 0, not -5
    index on 2020-01-10, watched 2020-01-01 to 2020-12-31, dead on 2020-01-30 | 15 - 10 = 5
    index on 2020-02-10, watched 2020-01-01 to 2020-12-31, dead on 2020-01-30 | before it: 0
    """
    survival = site.survival(question(), people, death_by_month=True)
    assert survival == ({0: 1 + 1, 5: 1}, {})


def test_a_death_in_the_month_in_which_observation_ends_counts(site: Site) -> None:
    people = """
    record                                                                | day
    index on 2020-01-01, watched 2020-01-01 to 2020-02-03, dead on 2020-02-03 | 31 + 14, an event
    index on 2020-01-01, watched 2020-01-01 to 2020-02-03, dead on 2020-03-01 | 31 + 2, none
    index on 2020-01-01, watched 2020-01-01 to 2020-02-03                 | 31 + 2, none
    """
    survival = site.survival(question(), people, death_by_month=True)
    assert survival == ({31 + 14: 1}, {31 + 2: 2})
    # In months: day 45 is in the second (30.4375 < 45 <= 60.875), day 33 too.
    by_month = site.survival(question(), people, Unit.MONTH, death_by_month=True)
    assert by_month == ({1: 1}, {1: 2})


def test_without_an_observation_period_there_is_still_no_event(site: Site) -> None:
    people = """
    record
    index on 2020-01-01, dead on 2020-01-01
    """
    assert site.survival(question(), people, death_by_month=True) == ({}, {0: 1})


def test_as_an_event_a_death_is_on_the_15th_or_on_a_later_anchor_of_its_month(site: Site) -> None:
    site.fits(
        "{death: any, days: any to -1}",
        """
        record                                  | fits | because
        index on 2020-01-20, dead on 2020-01-02 | no   | then it is on the day of the index
        index on 2020-01-10, dead on 2020-01-02 | no   | then it is on the 15th, five days after
        index on 2020-02-01, dead on 2020-01-31 | yes  | an earlier month
        index on 2020-01-01, dead on 2020-02-01 | no   | a later month
        """,
        death_by_month=True,
    )
    site.fits(
        "{death: any, days: 5}",
        """
        record                                  | fits | because
        index on 2020-01-10, dead on 2020-01-02 | yes  | 15 - 10 = 5
        index on 2020-01-10, dead on 2020-01-31 | yes  | the day of the month is not known
        index on 2020-01-11, dead on 2020-01-16 | no   | 15 - 11 = 4
        """,
        death_by_month=True,
    )


def test_the_anchor_is_that_of_the_event_inside_with(site: Site) -> None:
    site.fits(
        "{drug: chemo, with: [{death: any, days: 0}]}",
        """
        record                                                         | fits | because
        index on 2020-01-10, chemo on 2020-01-20, dead on 2020-01-02   | yes  | on the drug's day
        index on 2020-01-20, chemo on 2020-01-10, dead on 2020-01-02   | no   | on the 15th
        """,
        death_by_month=True,
    )
    site.fits(
        "{drug: chemo, with: [{death: any, days: 0, relative to: index}]}",
        """
        record                                                         | fits | because
        index on 2020-01-10, chemo on 2020-01-20, dead on 2020-01-02   | no   | on the 15th
        index on 2020-01-20, chemo on 2020-01-10, dead on 2020-01-02   | yes  | on the index's day
        """,
        death_by_month=True,
    )


def test_for_dates_and_ages_a_death_is_on_the_15th(site: Site) -> None:
    site.fits(
        "{death: any, dates: 2020-01-15 to 2020-01-15}",
        """
        record                                  | fits | because
        index on 2020-01-20, dead on 2020-01-02 | yes  | whatever its day and the index
        index on 2020-01-20, dead on 2020-02-15 | no   | another month
        """,
        death_by_month=True,
    )
    site.fits(
        "{death: any, age: 60}",
        """
        record                                  | fits | because
        index on 2020-01-20, dead on 2020-12-31 | yes  | 2020 - 1960 = 60
        index on 2020-01-20, dead on 2021-01-01 | no   | 2021 - 1960 = 61
        """,
        death_by_month=True,
    )


def test_as_an_index_a_death_is_on_the_15th(site: Site) -> None:
    site.fits(
        "{drug: chemo, days: 0}",
        """
        record                                  | fits | because
        dead on 2020-01-02, chemo on 2020-01-15 | yes  |
        dead on 2020-01-02, chemo on 2020-01-02 | no   | the 2nd is not known
        """,
        index="{death: any, occurrence: first}",
        death_by_month=True,
    )


def test_around_a_death_days_count_from_the_15th(site: Site) -> None:
    site.fits(
        "{death: any, with: [{drug: chemo, days: -5 to 0}]}",
        """
        record                                                       | fits | because
        index on 2020-01-01, chemo on 2020-01-10, dead on 2020-01-30 | yes  | 10 - 15 = -5
        index on 2020-01-01, chemo on 2020-01-28, dead on 2020-01-30 | no   | 28 - 15 = 13
        """,
        death_by_month=True,
    )


def test_where_the_day_is_known_it_is_believed(site: Site) -> None:
    site.fits(
        "{death: any, days: any to -1}",
        """
        record                                  | fits | because
        index on 2020-01-20, dead on 2020-01-02 | yes  | 18 days before
        index on 2020-01-20, dead on 2020-01-20 | no   | on the day
        """,
    )
