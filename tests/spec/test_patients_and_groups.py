"""Sex, age and dates at the index, and groups of criteria."""

from __future__ import annotations

import pytest

from tests.support.asking import Site


@pytest.mark.parametrize(("sex", "woman", "man"), [("female", "yes", "no"), ("male", "no", "yes")])
def test_sex_is_what_is_recorded(site: Site, sex: str, woman: str, man: str) -> None:
    site.fits(
        f"{{sex: {sex}}}",
        f"""
        record                  | fits
        female, index on 0      | {woman}
        male, index on 0        | {man}
        sex unknown, index on 0 | no
        """,
    )


def test_age_is_that_at_the_index(site: Site) -> None:
    site.fits(
        "{age: 18 to 60}",
        """
        record                            | fits | because
        born 1960, index on 2020-12-31    | yes  | 2020 - 1960 = 60, whatever the birthday
        born 1960, index on 2021-01-01    | no   | 2021 - 1960 = 61
        born 2002, index on 2020-01-01    | yes  | 2020 - 2002 = 18
        born 2003, index on 2020-12-31    | no   | 2020 - 2003 = 17
        born ?, index on 2020-01-01       | no   | not known
        """,
    )


def test_dates_are_those_of_the_index(site: Site) -> None:
    site.fits(
        "{dates: 2020-01-02 to any}",
        """
        record              | fits | because
        index on 2020-01-01 | no   | a day too early
        index on 2020-01-02 | yes  | the first day
        index on 2090-01-01 | yes  | no last day
        """,
    )


def test_what_is_unknown_is_false_and_so_its_negation_true(site: Site) -> None:
    site.fits(
        "{none: [{sex: female}, {age: any}]}",
        """
        record                          | fits | because
        sex unknown, born ?, index on 0 | yes  | neither is known to hold
        sex unknown, index on 0         | no   | an age is known
        born ?, index on 0              | no   | a woman
        """,
    )


@pytest.mark.parametrize(
    ("rule", "none", "one", "two", "three"),
    [
        ("all", "no", "no", "no", "yes"),
        ("any", "no", "yes", "yes", "yes"),
        ("none", "yes", "no", "no", "no"),
        ("at least 0", "yes", "yes", "yes", "yes"),
        ("at least 2", "no", "no", "yes", "yes"),
        ("at most 1", "yes", "yes", "no", "no"),
        ("at most 3", "yes", "yes", "yes", "yes"),
    ],
)
def test_a_group_holds_when_enough_of_its_members_do(
    site: Site, rule: str, none: str, one: str, two: str, three: str
) -> None:
    site.fits(
        f"{{{rule}: [{{drug: chemo}}, {{measurement: test}}, {{visit: stay}}]}}",
        f"""
        record                                       | fits
        index on 0                                   | {none}
        index on 0, test on 1                        | {one}
        index on 0, chemo on 1, stay on 1            | {two}
        index on 0, chemo on 1, test on 1, stay on 1 | {three}
        """,
    )


def test_groups_nest(site: Site) -> None:
    site.fits(
        "{any: [{all: [{drug: chemo}, {none: [{measurement: test}]}]}, {visit: stay}]}",
        """
        record                                       | fits | because
        index on 0, chemo on 1                       | yes  | the drug and no test
        index on 0, chemo on 1, test on 1            | no   | a test, and no stay
        index on 0, chemo on 1, test on 1, stay on 1 | yes  | the stay is enough
        index on 0                                   | no   |
        """,
    )


def test_one_fact_asked_twice_with_different_windows(site: Site) -> None:
    site.fits(
        "{all: [{drug: chemo, days: -9 to -1}, {none: [{drug: chemo, days: 1 to 9}]}]}",
        """
        record                              | fits | because
        index on 0, chemo on -5             | yes  | before and not after
        index on 0, chemo on -5, chemo on 5 | no   | also after
        index on 0, chemo on 5              | no   | only after
        """,
    )
