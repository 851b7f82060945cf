"""Levels of a subgroup: survival by arm and level."""

from __future__ import annotations

from tests.support.asking import Site, question


def test_patients_are_counted_in_their_one_level(site: Site) -> None:
    asked = question(
        arms="""
  chemo: {drug: chemo}
  none: {none: [{drug: chemo}]}""",
        more="""
subgroups:
  sex:
    women: {sex: female}
    men: {sex: male}
  scan:
    before: {procedure: scan, days: any to -1}
    after: {procedure: scan, days: 0 to any}
""",
    )
    people = """
    record                                   | sex    | scan
    index on 0, chemo on 0                   | women  | none
    male, index on 0, chemo on 0, scan on -1 | men    | before
    index on 0, scan on 5                    | women  | after
    male, index on 0, scan on -1, scan on 5  | men    | both
    sex unknown, index on 0, scan on -1      | none   | before
    """
    assert site.levels(asked, people, "sex") == {
        ("chemo", "women"): 1,
        ("chemo", "men"): 1,
        ("none", "women"): 1,
        ("none", "men"): 1,
        ("none", "in no level"): 1,
    }
    assert site.levels(asked, people, "scan") == {
        ("chemo", "in no level"): 1,
        ("chemo", "before"): 1,
        ("none", "after"): 1,
        ("none", "in several levels"): 1,
        ("none", "before"): 1,
    }
