"""Outcomes other than death, and what ends watching."""

from __future__ import annotations

import pytest

from tests.support.asking import Site, question

TUMOUR = "{condition: tumour}"


def test_the_first_outcome_after_the_index_is_the_event(site: Site) -> None:
    people = """
    record                                                    | day | event
    index on 0, watched -9 to 90, tumour on 7, tumour on 9    | 7   | yes: the first
    index on 0, watched -9 to 90, tumour on -3                | 90  | no: before the index
    index on 0, watched -9 to 90, tumour on 0                 | 90  | no: the day itself
    index on 0, watched -9 to 90, tumour on 90                | 90  | yes: the last day counts
    index on 0, watched -9 to 90, tumour on 91                | 90  | no: too late
    index on 0, watched -9 to 90                              | 90  | no
    """
    asked = question(outcome=TUMOUR)
    assert site.survival(asked, people) == ({7: 1, 90: 1}, {90: 4})


def test_an_outcome_may_have_a_window(site: Site) -> None:
    people = """
    record                                                  | day | event
    index on 0, watched -9 to 90, tumour on 5, tumour on 30 | 30  | yes: day 5 is before the window
    index on 0, watched -9 to 90, tumour on 61              | 90  | no: after it
    """
    asked = question(outcome="{condition: tumour, days: 10 to 60}")
    assert site.survival(asked, people) == ({30: 1}, {90: 1})


def test_death_ends_watching_for_another_outcome(site: Site) -> None:
    people = """
    record                                                | day | event
    index on 0, watched -9 to 90, dead on 20              | 20  | no
    index on 0, watched -9 to 90, dead on 20, tumour on 9 | 9   | yes
    index on 0, watched -9 to 90, dead on 20, tumour on 20 | 20 | yes: events come first on a day
    index on 0, watched -9 to 90, dead on 20, tumour on 21 | 20 | no: recorded after death
    """
    assert site.survival(question(outcome=TUMOUR), people) == ({9: 1, 20: 1}, {20: 2})


def test_where_death_is_known_by_month_an_outcome_of_that_month_still_counts(site: Site) -> None:
    people = """
    record                                                             | day | event
    index on 0, watched -9 to 90, dead on 2020-01-02, tumour on 20     | 20  | yes
    index on 0, watched -9 to 90, dead on 2020-01-28, tumour on 33     | 14  | no
    """
    found = site.survival(question(outcome=TUMOUR), people, death_by_month=True)
    assert found == ({20: 1}, {14: 1})


@pytest.mark.parametrize("words", ["", ", censored at: end of observation"])
def test_an_exit_ends_watching(site: Site, words: str) -> None:
    people = """
    record                                                 | day | event
    index on 0, watched -9 to 90, scan on 30               | 30  | no
    index on 0, watched -9 to 90, scan on 30, dead on 40   | 30  | no: had left
    index on 0, watched -9 to 90, scan on 30, dead on 30   | 30  | yes: events come first on a day
    index on 0, watched -9 to 90, scan on 30, dead on 20   | 20  | yes
    index on 0, watched -9 to 90, scan on 0                | 90  | no: from the day after index
    index on 0, watched -9 to 90, immuno on 20, scan on 30 | 20  | no: the first of two
    index on 0, watched -9 to 10, scan on 30               | 10  | no: watching ended before
    """
    asked = question(follow_up=f"{words}, exit: [{{procedure: scan}}, {{drug: immuno}}]")
    assert site.survival(asked, people) == ({20: 1, 30: 1}, {10: 1, 20: 1, 30: 2, 90: 1})


def test_watching_may_end_with_the_last_recorded_fact(site: Site) -> None:
    people = """
    record                                                   | day | event
    index on 0, watched -9 to 90, chemo on 30, stay on 50    | 50  | no
    index on 0, chemo on 30                                  | 30  | no: no period is needed
    index on 0, watched -9 to 20, chemo on 30, dead on 70    | 70  | yes: a death is a fact, too
    index on 0, chemo on -5                                  | 0   | no
    """
    asked = question(follow_up=", censored at: last recorded fact")
    assert site.survival(asked, people) == ({70: 1}, {0: 1, 30: 1, 50: 1})
