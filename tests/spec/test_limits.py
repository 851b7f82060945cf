"""As much as a study can ask."""

from __future__ import annotations

from tests.support.asking import CODES, Site, question


def test_as_many_kinds_of_events_as_a_study_can_have(site: Site) -> None:
    # 61 kinds: the index, 59 sets that nobody has, and the scan.
    sets = "\n".join(f"  set {number}: [CPT4 {number}]" for number in range(59))
    asked = ", ".join(f"{{procedure: set {number}}}" for number in range(59))
    steps = f"  - step: scanned\n    require: {{any: [{asked}, {{procedure: scan}}]}}"
    funnel = site.attrition(
        question(steps=steps, codes=CODES + sets),
        """
        record
        index on 0, scan on 5, dead on 9
        index on 0, chemo on 5
        """,
    )
    assert funnel["with an index event"] == 2
    assert funnel["scanned"] == 1


def test_as_many_conditions_as_a_study_can_have(site: Site) -> None:
    steps = "\n".join(
        f"  - step: step {number}\n    require: {{procedure: scan, days: 0 to {number}}}"
        for number in range(61)
    )
    funnel = site.attrition(
        question(steps=steps),
        """
        record
        index on 0, scan on 0
        index on 0, scan on 1
        """,
    )
    assert (funnel["step 0"], funnel["step 60"]) == (1, 1)
