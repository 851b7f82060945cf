"""One event criterion: its kind, its dates, the first or the last, and what is around it."""

from __future__ import annotations

from tests.support.asking import Site


def test_every_kind_of_fact_has_its_table(site: Site) -> None:
    for kind, word in [
        ("condition", "tumour"),
        ("procedure", "scan"),
        ("drug", "chemo"),
        ("measurement", "test"),
        ("visit", "stay"),
    ]:
        site.fits(
            f"{{{kind}: {word}}}",
            f"""
            record                  | fits | because
            index on 0, {word} on 5 | yes  |
            index on 0, {word} on ? | no   | without a date it is no event
            index on 0              | no   |
            """,
        )


def test_death_is_an_event_like_others(site: Site) -> None:
    site.fits(
        "{death: any, days: 0 to 9}",
        """
        record               | fits | because
        index on 0, dead on 9 | yes |
        index on 0, dead on 10 | no | a day too late
        index on 0, dead on ? | no  | without a date it is no event
        index on 0           | no   |
        """,
    )


def test_a_death_happens_once_on_the_earliest_day_recorded(site: Site) -> None:
    site.fits(
        "{death: any, days: 0 to 9, count: exactly 1}",
        """
        record                            | fits | because
        index on 0, dead on 5             | yes  |
        index on 0, dead on 5, dead on 5  | yes  | one death, recorded twice
        index on 0, dead on 5, dead on 7  | yes  | on day 5
        index on 0, dead on 5, dead on -1 | no   | on day -1
        """,
    )


def test_dates_are_those_of_the_event_and_include_both_ends(site: Site) -> None:
    site.fits(
        "{drug: chemo, dates: 2020-01-02 to 2020-01-04}",
        """
        record                             | fits | because
        index on 0, chemo on 2020-01-01    | no   | a day too early
        index on 0, chemo on 2020-01-02    | yes  | the first day
        index on 0, chemo on 2020-01-04    | yes  | the last day
        index on 0, chemo on 2020-01-05    | no   | a day too late
        """,
    )
    site.fits(
        "{drug: chemo, dates: any to 2020-01-04}",
        """
        record                          | fits | because
        index on 0, chemo on 1999-12-31 | yes  | no earliest date
        index on 0, chemo on 2020-01-05 | no   | a day too late
        """,
    )


def test_age_at_the_event_is_its_year_minus_the_year_of_birth(site: Site) -> None:
    site.fits(
        "{drug: chemo, age: 40 to 41}",
        """
        record                                     | fits | because
        index on 0, born 1980, chemo on 2020-01-01 | yes  | 2020 - 1980 = 40
        index on 0, born 1980, chemo on 2021-12-31 | yes  | 2021 - 1980 = 41
        index on 0, born 1980, chemo on 2019-12-31 | no   | 2019 - 1980 = 39
        index on 0, born 1980, chemo on 2022-01-01 | no   | 2022 - 1980 = 42
        index on 0, born ?, chemo on 2020-01-01    | no   | a birth that is not known
        """,
    )


def test_an_open_age_still_needs_a_known_birth(site: Site) -> None:
    site.fits(
        "{drug: chemo, age: any}",
        """
        record                         | fits | because
        index on 0, born 1900, chemo on 1 | yes |
        index on 0, born ?, chemo on 1 | no   | no age at all
        """,
    )


def test_the_first_event_alone_must_lie_in_the_window(site: Site) -> None:
    site.fits(
        "{drug: chemo, occurrence: first, days: 0 to 9}",
        """
        record                              | fits | because
        index on 0, chemo on 3, chemo on 50 | yes  | the first is on day 3
        index on 0, chemo on -1, chemo on 3 | no   | the first is on day -1; the window comes after
        """,
    )


def test_the_last_event_alone_must_lie_in_the_window(site: Site) -> None:
    site.fits(
        "{drug: chemo, occurrence: last, days: 0 to 9}",
        """
        record                              | fits | because
        index on 0, chemo on -1, chemo on 3 | yes  | the last is on day 3
        index on 0, chemo on 3, chemo on 50 | no   | the last is on day 50
        """,
    )


def test_all_events_of_the_first_day_are_first(site: Site) -> None:
    site.fits(
        "{drug: chemo, occurrence: first, count: exactly 2}",
        """
        record                                          | fits | because
        index on 0, chemo on 3, chemo on 3, chemo on 4  | yes  | two on the first day
        index on 0, chemo on 3, chemo on 4              | no   | one on the first day
        """,
    )


def test_first_is_the_first_of_those_that_fit(site: Site) -> None:
    site.fits(
        "{drug: chemo, occurrence: first, dates: 2020-01-01 to any, days: 0 to 9}",
        """
        record                              | fits | because
        index on 0, chemo on -1, chemo on 3 | yes  | day -1 lies before the dates: day 3 is first
        index on 0, chemo on 10             | no   | outside the window
        """,
    )


def test_what_is_related_is_counted_from_the_event(site: Site) -> None:
    site.fits(
        "{drug: chemo, with: [{measurement: test, days: -2 to 0}]}",
        """
        record                                       | fits | because
        index on 0, chemo on 50, test on 48          | yes  | two days before the drug
        index on 0, chemo on 50, test on 47          | no   | three days before the drug
        index on 0, chemo on 50, test on 51          | no   | a day after it
        index on 0, chemo on 9, chemo on 50, test on 49 | yes | one of the drugs is enough
        index on 0, test on 0                        | no   | no drug
        """,
    )


def test_an_event_may_be_related_to_the_index(site: Site) -> None:
    site.fits(
        "{drug: chemo, with: [{measurement: test, days: 0 to 5, relative to: index}]}",
        """
        record                             | fits | because
        index on 0, chemo on 50, test on 5 | yes  | five days after the index
        index on 0, chemo on 50, test on 50 | no  | the drug's day does not matter
        """,
    )


def test_an_event_may_be_related_to_itself(site: Site) -> None:
    site.fits(
        "{drug: chemo, with: [{drug: chemo, days: 0, count: at least 2}]}",
        """
        record                             | fits | because
        index on 0, chemo on 5, chemo on 5 | yes  | itself and another on the same day
        index on 0, chemo on 5, chemo on 6 | no   | each finds itself only
        """,
    )


def test_all_that_is_related_must_hold_for_one_and_the_same_event(site: Site) -> None:
    site.fits(
        "{drug: chemo, with: [{measurement: test, days: 0}, {visit: stay, days: 0}]}",
        """
        record                                          | fits | because
        index on 0, chemo on 5, test on 5, stay on 5    | yes  |
        index on 0, chemo on 5, test on 5, chemo on 6, stay on 6 | no | each drug has but one
        """,
    )


def test_first_is_asked_after_what_is_related(site: Site) -> None:
    site.fits(
        "{drug: chemo, occurrence: first, days: 5, with: [{measurement: test, days: 0}]}",
        """
        record                                     | fits | because
        index on 0, chemo on 1, chemo on 5, test on 5 | yes | the first with a test is on day 5
        index on 0, chemo on 1, test on 1, chemo on 5, test on 5 | no | the first is on day 1
        """,
    )


def test_relations_nest(site: Site) -> None:
    site.fits(
        "{drug: chemo, with: [{measurement: test, days: 1, with: [{visit: stay, days: 1}]}]}",
        """
        record                                     | fits | because
        index on 0, chemo on 5, test on 6, stay on 7 | yes | the stay is counted from the test
        index on 0, chemo on 5, test on 6, stay on 6 | no | that is a day from the drug
        """,
    )


def test_inside_with_age_and_dates_are_those_of_the_event(site: Site) -> None:
    site.fits(
        "{drug: chemo, with: [{all: [{dates: 2021-01-01 to any}, {age: 61}, {sex: female}]}]}",
        """
        record                                    | fits | because
        index on 2020-01-01, chemo on 2021-06-01  | yes  | in 2021, and 2021 - 1960 = 61
        index on 2021-01-01, chemo on 2020-06-01  | no   | the index is, but not the drug
        index on 2020-01-01, chemo on 2022-06-01  | no   | 2022 - 1960 = 62
        male, index on 2020-01-01, chemo on 2021-06-01 | no |
        """,
    )
