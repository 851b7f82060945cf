"""What is said of values, observation, outcomes, exits, subgroups and cohorts that do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.errors import UserError
from simulator.language.criteria import Domain, EdgeValue, EventCriterion, Events, Occurrence
from simulator.language.reading import parse_inquiry, parse_study, read_inquiry, read_study
from simulator.language.study import DEATH, Censoring, FollowUp, NamedCohort
from simulator.language.values import ValueRange
from simulator.language.windows import Window
from tests.unit.language.broken import STUDY, changed, fails, study

REQUIRE = "{condition: tumour}"
LAB = "  tumour: [ICD10CM C50 with descendants]"
WITH_LAB = f"{LAB}\n  lab: [LOINC 1975-2]"
COHORT = "cohort: few\nversion: 1\ntitle: a few\n" + STUDY[STUDY.index("codes") :].split("arms:")[0]


def with_lab(text: str) -> str:
    return changed(LAB, WITH_LAB).replace(REQUIRE, text)


def require(text: str) -> object:
    return parse_study(with_lab(text)).question.cohort.steps[0].require


def test_values_are_read() -> None:
    above = ValueRange(2.0, None, "mg/dL", strict=True)
    lab = Events(Domain.MEASUREMENT, "lab")
    assert require("{measurement: lab, value: above 2 mg/dL}") == EventCriterion(
        Events(Domain.MEASUREMENT, "lab", value=above)
    )
    assert require("{measurement: lab, last value: above 2 mg/dL, days: -9 to 0}") == (
        EventCriterion(lab, Window(-9, 0), edge=EdgeValue(Occurrence.LAST, above))
    )


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        (
            "{condition: tumour, value: above 2}",
            14,
            "steps[0].require: only a 'measurement' has a value; this is a 'condition'",
        ),
        (
            "{measurement: any, value: above 2}",
            14,
            "steps[0].require: a value needs a concept set: say which measurement",
        ),
        (
            "{measurement: lab, value: 2 mg/dL}",
            40,
            "steps[0].require.value: expected 'above 2 mg/dL', 'at most 2 mg/dL' or "
            "'1 to 2 mg/dL'; found '2 mg/dL'",
        ),
        (
            "{measurement: lab, last value: above 2 mg/dL, count: at least 2}",
            14,
            "steps[0].require: a 'last value' is one value: drop 'count', or ask for 'value'",
        ),
        (
            "{measurement: lab, first value: above 2 mg/dL, last value: above 2 mg/dL}",
            73,
            "steps[0].require.last value: expected a 'first value' or a 'last value'; found both",
        ),
        (
            "{measurement: lab, days: 0, years: 0 to 1}",
            14,
            "steps[0].require: expected one of 'days', 'months' or 'years'; found 2",
        ),
        (
            "{observed: -365 to any}",
            25,
            "steps[0].require.observed: expected both days, as in '-365 to 0'; found '-365 to any'",
        ),
    ],
)
def test_values_and_observation_that_do_not_fit(text: str, column: int, message: str) -> None:
    fails(with_lab(text), f"11:{column}", message)


def test_outcomes_and_exits_are_read() -> None:
    tumour = EventCriterion(Events(Domain.CONDITION, "tumour"), Window(1, None))
    assert study().question.outcome == DEATH
    assert study("outcome: death", "outcome: {condition: tumour}").question.outcome == tumour
    text = "{months: 24, censored at: last recorded fact, exit: [{condition: tumour}]}"
    assert study("{months: 24}", text).question.follow_up == FollowUp(
        24, Censoring.LAST_FACT, (tumour,)
    )


@pytest.mark.parametrize(
    ("old", "new", "where", "message"),
    [
        (
            "outcome: death",
            "outcome: {condition: tumour, days: -1 to 9}",
            "12:3",
            "arms: the outcome cannot lie before index; found days '-1 to 9'",
        ),
        (
            "outcome: death",
            "outcome: {condition: tumour, count: at least 2}",
            "12:3",
            "arms: the outcome is the first such event: drop 'count' and 'first or last value'",
        ),
        (
            "outcome: death",
            "outcome: {death: any}",
            "12:3",
            "arms: write 'outcome: death': it has no window or condition of its own",
        ),
        (
            "{months: 24}",
            "{months: 24, exit: [{condition: tumour, relative to: event}]}",
            "15:21",
            "follow up.months: an exit is counted from the index: drop 'relative to'",
        ),
    ],
)
def test_moments_that_do_not_fit(old: str, new: str, where: str, message: str) -> None:
    fails(changed(old, new), where, message)


def test_subgroups_that_do_not_fit() -> None:
    more = "outcome: death\nsubgroups:\n  sex: {women: {sex: female}}"
    fails(
        changed("outcome: death", more),
        "16:8",
        "subgroups.sex: the subgroup 'sex' needs at least two levels",
    )


def test_a_cohort_is_read_and_is_no_study(tmp_path: Path) -> None:
    found = parse_inquiry(COHORT)
    assert isinstance(found, NamedCohort)
    assert (found.name, found.question.arms) == ("few", ())
    path = tmp_path / "few.yaml"
    path.write_text(COHORT, encoding="utf-8")
    assert read_inquiry(str(path)) == found
    with pytest.raises(UserError, match="is a cohort, not a study: it has no arms") as caught:
        read_study(str(path))
    assert caught.value.hint is not None
    assert "cohortium count few" in caught.value.hint


def test_a_study_may_be_based_on_a_cohort(tmp_path: Path) -> None:
    path = tmp_path / "few.yaml"
    path.write_text(COHORT, encoding="utf-8")
    rest = STUDY[STUDY.index("arms:") :]
    read = parse_study(f"study: more\nversion: 2\ntitle: more\nbased on: {path}\n{rest}")
    assert read.question.cohort == parse_inquiry(COHORT).question.cohort
    narrower = parse_inquiry(f"cohort: less\nbased on: {path}\nsteps: []\n")
    assert (narrower.title, narrower.question.cohort.steps) == ("a few", ())


def test_a_document_is_a_study_or_a_cohort() -> None:
    fails(f"cohort: x\n{STUDY}", "1:1", "expected the key 'study' or the key 'cohort'; found both")
    with pytest.raises(UserError, match="unknown key 'arms'"):
        parse_inquiry(f"{COHORT}arms:\n  one: {{sex: female}}\n")


@pytest.mark.parametrize(
    ("value", "said", "hint"),
    [
        ("above 2", "found none", None),
        ("above 2 mg/dl", "found 'mg/dl'", "Did you mean 'mg/dL'?"),
        ("above 2 furlongs", "found 'furlongs'", None),
        ("above 2 %", "found '%'", None),
    ],
)
@pytest.mark.parametrize("key", ["value", "first value", "last value"])
def test_a_unit_in_which_no_such_value_is_known(
    key: str, value: str, said: str, hint: str | None
) -> None:
    with pytest.raises(UserError) as caught:
        parse_study(with_lab(f"{{measurement: lab, {key}: {value}}}"), "a.yaml")
    assert caught.value.where == f"a.yaml:11:{36 + len(key) - 1}"
    assert caught.value.message == (
        f"steps[0].require.{key}: expected a unit of 'lab' ('mg/dL', 'umol/L' or 'mg/L'); {said}"
    )
    assert caught.value.hint == hint


def test_the_sign_for_a_millionth_is_written_u() -> None:
    assert ValueRange.parse("above 17.1 µmol/L").unit == "umol/L"


def test_codes_of_a_base_are_kept_where_they_are_not_said_again(tmp_path: Path) -> None:
    path = tmp_path / "few.yaml"
    path.write_text(COHORT, encoding="utf-8")
    text = (
        f"cohort: less\nbased on: {path}\ncodes: {{tumour: [ICD10CM C50.9], lab: [LOINC 1975-2]}}\n"
        "steps:\n  - {step: high, require: {measurement: lab, value: above 2 mg/dL}}\n"
        "  - {step: the step, require: {condition: tumour}}\n"
    )
    sets = {codes.name: codes.include for codes in parse_inquiry(text).question.codes}
    assert sorted(sets) == ["chemo", "lab", "tumour"]
    assert [str(code) for code in sets["tumour"]] == ["ICD10CM C50.9"]
