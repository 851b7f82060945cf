"""An index that is the earliest event at which the most steps hold, and counts of all events."""

from __future__ import annotations

from tests.support.asking import Site, question

ANY = "{procedure: index, occurrence: any}"


def test_the_earliest_event_at_which_all_steps_hold_is_the_index(site: Site) -> None:
    people = """
    record                                                        | index on
    index on 0, watched 0 to 100, chemo on 5, index on 10         | 10: chemo is before
    index on 0, watched 0 to 100, chemo on 5, index on 9, index on 10 | 9: the earlier of the two
    chemo on -1, index on 0, watched 0 to 100, index on 10        | 0
    """
    steps = "  - {step: chemo before, require: {drug: chemo, days: any to -1}}"
    asked = question(index=ANY, steps=steps)
    assert site.survival(asked, people) == ({}, {90: 1, 91: 1, 100: 1})


def test_the_funnel_counts_how_far_the_best_of_each_patient_gets(site: Site) -> None:
    asked = question(
        index=ANY,
        steps="""
  - {step: a tumour before, require: {condition: tumour, days: any to 0}}
  - {step: and a scan on the day, require: {procedure: scan, days: 0}}""",
    )
    people = """
    record                                                    | gets as far as
    tumour on 0, index on 0, index on 5, scan on 5            | both steps, on day 5
    index on 0, scan on 0, tumour on 3, index on 5            | one step: never both on one day
    index on 0, scan on 0                                     | none
    """
    assert site.attrition(asked, people) == {
        "with an index event": 3,
        "a tumour before": 2,
        "and a scan on the day": 1,
        "in exactly one arm": 1,
    }


def test_events_inside_others_are_those_of_the_index_that_is_tried(site: Site) -> None:
    site.fits(
        "{drug: chemo, occurrence: first, with: [{procedure: scan, days: 0 to 2,"
        " relative to: index}], days: 0 to 9}",
        """
        record                                       | fits | because
        index on 0, scan on 1, chemo on 5            | yes  |
        index on 0, index on 20, scan on 21, chemo on 25 | yes | around the second index
        index on 0, index on 20, scan on 1, chemo on 25  | no  | never both around one index
        """,
        index=ANY,
    )


def test_events_days_and_patients_are_counted_apart(site: Site) -> None:
    asked = question(steps="  - {step: a scan that day, require: {procedure: scan, days: 0}}")
    people = """
    record                                            | patients, days, events
    index on 0, index on 0, index on 7, scan on 7     | 1, 2, 3; then 1, 1, 1
    index on 0, index on 0, scan on 0                 | 1, 1, 2; then 1, 1, 2
    index on 5                                        | 1, 1, 1; then none
    scan on 5                                         | none
    """
    assert site.entries(asked, people) == {
        "with an index event": (3, 4, 6),
        "a scan that day": (2, 2, 3),
    }
