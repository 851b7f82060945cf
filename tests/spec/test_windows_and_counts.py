"""Windows of days around the index, and how many events there must be."""

from __future__ import annotations

import pytest

from tests.support.asking import Site


def test_a_window_includes_both_its_ends(site: Site) -> None:
    site.fits(
        "{drug: chemo, days: -2 to 1}",
        """
        record                  | fits | because
        index on 0, chemo on -3 | no   | a day too early
        index on 0, chemo on -2 | yes  | the first day
        index on 0, chemo on 1  | yes  | the last day
        index on 0, chemo on 2  | no   | a day too late
        """,
    )


def test_a_lone_number_is_that_day_alone(site: Site) -> None:
    site.fits(
        "{drug: chemo, days: 0}",
        """
        record                  | fits | because
        index on 0, chemo on -1 | no   |
        index on 0, chemo on 0  | yes  | the day of the index itself
        index on 0, chemo on 1  | no   |
        """,
    )


@pytest.mark.parametrize(
    ("days", "long_ago", "day_minus_1", "day_1", "far_ahead"),
    [
        ("any", "yes", "yes", "yes", "yes"),
        ("any to -1", "yes", "yes", "no", "no"),
        ("1 to any", "no", "no", "yes", "yes"),
    ],
)
def test_any_is_without_end(
    site: Site, days: str, long_ago: str, day_minus_1: str, day_1: str, far_ahead: str
) -> None:
    site.fits(
        f"{{drug: chemo, days: {days}}}",
        f"""
        record                          | fits
        index on 0, chemo on 1930-01-01 | {long_ago}
        index on 0, chemo on -1         | {day_minus_1}
        index on 0, chemo on 1          | {day_1}
        index on 0, chemo on 2090-01-01 | {far_ahead}
        """,
    )


@pytest.mark.parametrize(
    ("count", "none", "one", "two_on_a_day", "three_on_two_days"),
    [
        ("at least 0", "yes", "yes", "yes", "yes"),
        ("at least 1", "no", "yes", "yes", "yes"),
        ("at least 2", "no", "no", "yes", "yes"),
        ("at least 3", "no", "no", "no", "yes"),
        ("at most 0", "yes", "no", "no", "no"),
        ("at most 2", "yes", "yes", "yes", "no"),
        ("exactly 0", "yes", "no", "no", "no"),
        ("exactly 2", "no", "no", "yes", "no"),
        ("at least 2 days", "no", "no", "no", "yes"),
        ("at most 1 days", "yes", "yes", "yes", "no"),
        ("exactly 1 days", "no", "yes", "yes", "no"),
    ],
)
def test_counts_of_events_and_of_distinct_days(
    site: Site, count: str, none: str, one: str, two_on_a_day: str, three_on_two_days: str
) -> None:
    site.fits(
        f"{{drug: chemo, days: 0 to 9, count: {count}}}",
        f"""
        record                                         | fits
        index on 0, chemo on -1                        | {none}
        index on 0, chemo on 1                         | {one}
        index on 0, chemo on 1, chemo on 1             | {two_on_a_day}
        index on 0, chemo on 1, chemo on 1, chemo on 2 | {three_on_two_days}
        """,
    )
