"""Periods of observation, and windows in months and years."""

from __future__ import annotations

from tests.support.asking import Site


def test_one_period_of_observation_spans_the_window(site: Site) -> None:
    site.fits(
        "{observed: -365 to 0}",
        """
        record                                              | fits | because
        index on 0, watched -365 to 0                       | yes  | both ends are included
        index on 0, watched -364 to 90                      | no   | a day too short
        index on 0, watched -400 to -1                      | no   | ended the day before
        index on 0, watched -400 to -9, watched -8 to 90    | no   | two periods do not make one
        index on 0, watched -400 to -9, watched -365 to 90  | yes  | one of two is enough
        index on 0, watched ? to 90                         | no   | no start is recorded
        index on 0, watched -400 to ?                       | no   | no end is recorded
        index on 0                                          | no   | not observed at all
        """,
    )


def test_observation_around_another_event(site: Site) -> None:
    site.fits(
        "{drug: chemo, with: [{observed: 0 to 30}]}",
        """
        record                                         | fits
        index on 0, chemo on 9, watched 0 to 39        | yes
        index on 0, chemo on 9, watched 0 to 38        | no
        index on 0, chemo on 9, chemo on 5, watched 0 to 38 | yes
        """,
    )


def test_a_window_in_years_and_months(site: Site) -> None:
    # A year is 365.25 days: 2 years are 730.5 days, so that day 730 is before and day 731 after.
    site.fits(
        "{drug: chemo, years: 2 to any}",
        """
        record                    | fits
        index on 0, chemo on 730  | no
        index on 0, chemo on 731  | yes
        """,
    )
    site.fits(
        "{drug: chemo, years: -2 to 0}",
        """
        record                    | fits
        index on 0, chemo on -731 | no
        index on 0, chemo on -730 | yes
        index on 0, chemo on 0    | yes
        index on 0, chemo on 1    | no
        """,
    )
    site.fits(
        "{drug: chemo, months: 1 to 2}",
        """
        record                   | fits | because
        index on 0, chemo on 30  | no   | a month is 30.4375 days
        index on 0, chemo on 31  | yes  |
        index on 0, chemo on 60  | yes  |
        index on 0, chemo on 61  | no   | two months are 60.875 days
        """,
    )
