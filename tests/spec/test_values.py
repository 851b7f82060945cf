"""Measured values: ranges, units, and the first or the last value in a window."""

from __future__ import annotations

import pytest

from tests.support.asking import Site


@pytest.mark.parametrize(
    ("value", "one", "two", "three"),
    [
        ("above 2 mg/dL", "no", "no", "yes"),
        ("at least 2 mg/dL", "no", "yes", "yes"),
        ("below 2 mg/dL", "yes", "no", "no"),
        ("at most 2 mg/dL", "yes", "yes", "no"),
        ("1 to 2 mg/dL", "yes", "yes", "no"),
        ("2 to 2 mg/dL", "no", "yes", "no"),
    ],
)
def test_a_range_of_values(site: Site, value: str, one: str, two: str, three: str) -> None:
    site.fits(
        f"{{measurement: bilirubin, value: {value}}}",
        f"""
        record                            | fits
        index on 0, bilirubin 1 mg/dL on 0 | {one}
        index on 0, bilirubin 2 mg/dL on 0 | {two}
        index on 0, bilirubin 3 mg/dL on 0 | {three}
        index on 0, bilirubin on 0         | no
        index on 0                         | no
        """,
    )


def test_values_in_another_unit_are_converted(site: Site) -> None:
    # 17.104 umol/L of bilirubin are 1 mg/dL; 34.2 umol/L are just below 2 mg/dL.
    site.fits(
        "{measurement: bilirubin, value: at least 2 mg/dL}",
        """
        record                               | fits | because
        index on 0, bilirubin 34.1 umol/L on 0 | no   | 1.99 mg/dL
        index on 0, bilirubin 34.3 umol/L on 0 | yes  | 2.01 mg/dL
        index on 0, bilirubin 2 umol/L on 0    | no   | 0.12 mg/dL
        index on 0, bilirubin 2 mg/dL on 0     | yes  | as it stands
        index on 0, bilirubin 9 g/L on 0       | no   | a unit that is not known of bilirubin
        index on 0, bilirubin 9 spoons on 0    | no   | a unit that nothing converts
        index on 0, bilirubin 9 on 0           | no   | no unit
        """,
    )


def test_the_asked_unit_may_be_any_that_converts(site: Site) -> None:
    site.fits(
        "{measurement: bilirubin, value: above 34.2 umol/L}",
        """
        record                                 | fits
        index on 0, bilirubin 1.9 mg/dL on 0   | no
        index on 0, bilirubin 2.1 mg/dL on 0   | yes
        index on 0, bilirubin 34.2 umol/L on 0 | no
        index on 0, bilirubin 34.3 umol/L on 0 | yes
        """,
    )


def test_a_plain_number_may_have_no_unit_or_a_mere_name_in_braces(site: Site) -> None:
    site.fits(
        "{measurement: clotting, value: above 1.5}",
        """
        record                               | fits
        index on 0, clotting 1.6 on 0        | yes
        index on 0, clotting 1.6 {INR} on 0  | yes
        index on 0, clotting 1.5 {INR} on 0  | no
        index on 0, clotting 1.6 mg/dL on 0  | no
        index on 0, clotting nan on 0        | no
        index on 0, clotting inf on 0        | no
        """,
    )


def test_a_value_is_asked_of_each_event_before_the_count(site: Site) -> None:
    site.fits(
        "{measurement: bilirubin, value: above 2 mg/dL, days: -9 to 0, count: at least 2 days}",
        """
        record                                                            | fits | because
        index on 0, bilirubin 3 mg/dL on -2, bilirubin 3 mg/dL on -1      | yes  |
        index on 0, bilirubin 3 mg/dL on -2, bilirubin 1 mg/dL on -1      | no   | one is low
        index on 0, bilirubin 3 mg/dL on -1, bilirubin 4 mg/dL on -1      | no   | one day
        index on 0, bilirubin 3 mg/dL on -10, bilirubin 3 mg/dL on -1     | no   | one too early
        """,
    )


def test_the_first_with_a_value_is_the_first_of_those_in_range(site: Site) -> None:
    site.fits(
        "{measurement: bilirubin, value: above 2 mg/dL, occurrence: first, days: 0}",
        """
        record                                                      | fits | because
        index on 0, bilirubin 1 mg/dL on -5, bilirubin 3 mg/dL on 0 | yes  | the first high one
        index on 0, bilirubin 3 mg/dL on -5, bilirubin 3 mg/dL on 0 | no   | that was on -5
        """,
    )


def test_the_last_value_in_the_window(site: Site) -> None:
    site.fits(
        "{measurement: bilirubin, days: -90 to 0, last value: above 2 mg/dL}",
        """
        record                                                          | fits | because
        index on 0, bilirubin 1 mg/dL on -9, bilirubin 3 mg/dL on -1    | yes  | the later is high
        index on 0, bilirubin 3 mg/dL on -9, bilirubin 1 mg/dL on -1    | no   | the later is low
        index on 0, bilirubin 3 mg/dL on -9, bilirubin 1 mg/dL on 1     | yes  | that is outside
        index on 0, bilirubin 3 mg/dL on -9, bilirubin on -1            | yes  | without a value
        index on 0, bilirubin 3 mg/dL on -9, bilirubin 1 spoons on -1   | yes  | unit not known
        index on 0, bilirubin 3 mg/dL on -9, bilirubin 20 umol/L on -1  | no   | 1.2 mg/dL
        index on 0, bilirubin 1 mg/dL on -1, bilirubin 3 mg/dL on -1    | yes  | one of that day
        index on 0, bilirubin 3 mg/dL on -91                            | no   | too early
        """,
    )


def test_the_first_value_in_the_window(site: Site) -> None:
    site.fits(
        "{measurement: bilirubin, days: -90 to 0, first value: at most 2 mg/dL}",
        """
        record                                                        | fits
        index on 0, bilirubin 1 mg/dL on -9, bilirubin 3 mg/dL on -1  | yes
        index on 0, bilirubin 3 mg/dL on -9, bilirubin 1 mg/dL on -1  | no
        index on 0, bilirubin 3 mg/dL on -91, bilirubin 1 mg/dL on 0  | yes
        index on 0, bilirubin 3 mg/dL on -9, bilirubin 2 mg/dL on -9  | yes
        index on 0                                                    | no
        """,
    )


def test_a_last_value_around_another_event(site: Site) -> None:
    site.fits(
        "{drug: chemo, with: [{measurement: bilirubin, days: any to 0,"
        " last value: below 2 mg/dL}]}",
        """
        record                                                                    | fits
        index on 0, chemo on 5, bilirubin 3 mg/dL on 1, bilirubin 1 mg/dL on 4    | yes
        index on 0, chemo on 5, bilirubin 1 mg/dL on 1, bilirubin 3 mg/dL on 4    | no
        index on 0, chemo on 2, chemo on 5, bilirubin 1 mg/dL on 1, bilirubin 3 mg/dL on 4 | yes
        """,
    )


def test_a_converted_value_that_is_the_bound_lies_on_it(site: Site) -> None:
    # 111 * 0.1 is a little more than 11.1 in floating point.
    site.fits(
        "{all: [{measurement: test, value: at most 11.1 g/dL},"
        " {none: [{measurement: test, value: above 11.1 g/dL}]}]}",
        """
        record                        | fits
        index on 0, test 111 g/L on 0 | yes
        index on 0, test 112 g/L on 0 | no
        """,
    )
