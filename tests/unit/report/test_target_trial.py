from __future__ import annotations

import pytest

from simulator.hub.result import Report
from simulator.language.reading import parse_study, read_study
from simulator.language.study import Study
from simulator.report.target_trial import index_name, target_trial
from tests.support.asking import CODES


def trial(study: Study, report: Report) -> dict[str, str]:
    return dict(target_trial(study, report.result))


def drawn(arms: str, rest: str = "outcome: death\nfollow up: {months: 24}\n") -> Study:
    return parse_study(
        f"study: example\nversion: 1\ntitle: an example\ncodes:\n{CODES}\n"
        "index: {procedure: index, occurrence: last}\nsteps:\n  []\n"
        f"arms:\n{arms}\n{rest}analyses: {{survival at months: []}}\n"
    )


def test_the_items_are_those_of_the_framework_in_its_order(study: Study, report: Report) -> None:
    assert [item for item, _ in target_trial(study, report.result)] == [
        *("Eligibility", "Time zero", "Assignment", "Grace period", "Outcome", "Follow-up"),
        *("Censoring", "Estimand", "Analysis"),
    ]


def test_every_step_is_part_of_the_eligibility(study: Study, report: Report) -> None:
    said = trial(study, report)["Eligibility"]
    for step in study.question.cohort.steps:
        assert step.name in said


def test_it_says_what_the_study_says(study: Study, report: Report) -> None:
    said = trial(study, report)
    assert "first procedure 'tumour embolization'" in said["Time zero"]
    assert "liver metastasis" in said["Time zero"]
    assert "not by chance: TARE + immunotherapy, TACE + imm" in said["Assignment"]
    assert said["Follow-up"] == "from time zero, for at most 103 months"
    assert said["Censoring"] == "at the end of the recorded observation"
    assert said["Estimand"] == report.result.estimand
    assert report.result.release.estimators in said["Analysis"]
    assert index_name(study) == "tumour embolization"


def test_arms_of_the_past_need_no_grace(study: Study, report: Report) -> None:
    assert trial(study, report)["Grace period"] == "not needed: arms are settled by time zero"


def test_arms_of_the_future_are_told(report: Report) -> None:
    said = trial(read_study("bclm-as-commonly-done"), report)["Grace period"]
    assert "up to day 90" in said
    assert "immortal time" in said


@pytest.mark.parametrize(
    ("arm", "said"),
    [
        ("{drug: chemo}", "any time after time zero"),
        ("{all: [{dates: any}, {any: [{drug: chemo, days: 0 to 7}]}]}", "day 7"),
        ("{none: [{drug: chemo, days: 0 to 7}]}", "not needed"),
        ("{drug: chemo, days: -7 to 0}", "not needed"),
    ],
)
def test_grace_is_found_however_deep_it_stands(arm: str, said: str, report: Report) -> None:
    assert said in trial(drawn(f"  treated: {arm}"), report)["Grace period"]


def test_one_arm_is_assigned_to_nobody(report: Report) -> None:
    said = trial(drawn("  treated: {dates: any}"), report)
    assert said["Assignment"].startswith("not needed")
    assert "Holm" not in said["Analysis"]


def test_two_arms_have_one_ratio_and_arms_may_be_anything(report: Report) -> None:
    arms = "  young: {age: any to 59}\n  old: {age: 60 to any}"
    said = trial(drawn(arms), report)
    assert said["Assignment"] == (
        "by what the record says, not by chance: young and old. Patients of different arms may "
        "differ in other ways too, and nothing is adjusted for that"
    )
    assert "the hazard ratio against young" in said["Analysis"]
    assert "Holm" not in said["Analysis"]


def test_more_than_two_arms_are_corrected_for(study: Study, report: Report) -> None:
    assert "p values of pairs adjusted by Holm's method" in trial(study, report)["Analysis"]


def test_another_outcome_ends_at_death_and_at_exits(report: Report) -> None:
    study = drawn(
        "  treated: {dates: any}",
        "outcome: {condition: tumour, days: 1 to any}\n"
        "follow up: {months: 24, exit: [{procedure: scan, days: 1 to any}]}\n",
    )
    said = trial(study, report)
    assert "'tumour'" in said["Outcome"]
    assert "'scan'" in said["Censoring"]
    assert said["Censoring"].endswith("at death, whichever comes first")
