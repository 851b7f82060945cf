"""Lines: kinds of treatment by the order in which each first follows the index, up to three."""

from __future__ import annotations

from tests.support.asking import Site, question

LINES = "lines:\n  - {drug: chemo}\n  - {drug: immuno}\n  - {procedure: scan}\n"


def test_treatments_go_by_their_first_use_from_the_index_on(site: Site) -> None:
    people = """
    record                                               | order
    index on 0, chemo on 5, immuno on 9, chemo on 20     | chemo, then immuno
    index on 0, immuno on 0, chemo on 9                  | immuno, then chemo: day 0 counts
    index on 0, chemo on -3, immuno on 3                 | immuno: what came before does not count
    index on 0, immuno on 3, chemo on 3                  | chemo, then immuno: one day, as listed
    index on 0, scan on 1, immuno on 2, chemo on 3       | scan, then immuno, then chemo
    index on 0, test on 1                                | none
    """
    assert site.pathways(question(more=LINES), people) == {
        "chemo, then immuno": 2,
        "immuno, then chemo": 1,
        "immuno": 1,
        "scan, then immuno, then chemo": 1,
        "none": 1,
    }


def test_a_line_may_say_more_of_its_events(site: Site) -> None:
    people = """
    record                                     | order
    index on 0, chemo on 5, test on 5          | chemo
    index on 0, chemo on 5, chemo on 9, test on 9, immuno on 7 | immuno, then chemo
    index on 0, chemo on 5, immuno on 7        | immuno: no test with the drug
    """
    lines = "lines:\n  - {drug: chemo, with: [{measurement: test, days: 0}]}\n  - {drug: immuno}\n"
    assert site.pathways(question(more=lines), people) == {
        "chemo": 1,
        "immuno, then chemo": 1,
        "immuno": 1,
    }
