from __future__ import annotations

import pytest

from simulator.language.lint import lint
from simulator.language.reading import parse_study

_STUDY = """
study: example
version: 1
title: an example
codes:
  embolization: [CPT4 37243]
  chemotherapy: [RxNorm 3639]
index: {index}
steps: []
arms:
  treated: {arm}
outcome: death
follow up: {{months: 12}}
analyses: {{survival at months: [12]}}
"""
_PROCEDURE = "{procedure: embolization, occurrence: first}"
_DRUG = "{drug: chemotherapy, occurrence: first}"


def _rules(index: str, arm: str) -> list[str]:
    return [finding.rule for finding in lint(parse_study(_STUDY.format(index=index, arm=arm)))]


@pytest.mark.parametrize(
    ("index", "arm", "rules"),
    [
        (_PROCEDURE, "{drug: chemotherapy, days: -90 to -1}", []),
        (_PROCEDURE, "{drug: chemotherapy, days: -90 to 0}", ["same-day-drug"]),
        (_PROCEDURE, "{drug: chemotherapy, days: -90 to 90}", ["after-index"]),
        (_PROCEDURE, "{none: [{drug: chemotherapy, days: -90 to 90}]}", []),
        # A new user is told apart by the drug that the index is.
        (_DRUG, "{drug: chemotherapy, days: 0}", []),
        (_DRUG, "{drug: chemotherapy, days: 0 to 90}", ["after-index"]),
    ],
)
def test_what_is_likely_to_mislead_is_found(index: str, arm: str, rules: list[str]) -> None:
    assert _rules(index, arm) == rules
