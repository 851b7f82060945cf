from __future__ import annotations

from typing import Any

import msgspec
import pytest

from simulator.language.criteria import Domain, Events, Sex, SexCriterion
from simulator.language.reading import parse_study
from simulator.language.study import Arm, Reported, ReportedArm, Study
from simulator.language.walk import events_of
from tests.unit.language.broken import STUDY, changed, fails, study


@pytest.mark.parametrize(
    ("part", "changes", "said"),
    [
        ("analyses", {"reference": "nobody"}, "the reference arm 'nobody' is not among the arms"),
        ("analyses", {"landmarks": (25,)}, "month 25 is outside the follow-up of 24 months"),
        ("analyses", {"restricted_mean": 25}, "month 25 is outside the follow-up of 24 months"),
        ("", {"least_completeness": 1.5}, "a completeness is 0 to 1; found 1.5"),
        ("question", {"arms": ()}, "a study needs at least one arm"),
        (
            "question",
            {"arms": (Arm("a", SexCriterion(Sex.MALE)),) * 2},
            "the arm 'a' stands there twice",
        ),
    ],
)
def test_a_study_that_exists_is_valid(part: str, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        _with(study(), part, changes)


def _with(whole: Study, part: str, changes: dict[str, Any]) -> Study:
    """The study with some fields of it, or of one of its parts, replaced."""
    if not part:
        return msgspec.structs.replace(whole, **changes)
    return msgspec.structs.replace(
        whole, **{part: msgspec.structs.replace(getattr(whole, part), **changes)}
    )


def test_a_concept_set_may_exclude() -> None:
    text = "\n    include: [RxNorm 3639 with descendants]\n    exclude: [RxNorm 1790099]"
    (chemo, _) = parse_study(changed("[RxNorm 3639]", text)).question.codes
    assert [str(code) for code in chemo.include] == ["RxNorm 3639 with descendants"]
    assert [str(code) for code in chemo.exclude] == ["RxNorm 1790099"]


def test_what_was_reported_stands_beside_the_study() -> None:
    read = parse_study(
        STUDY
        + """\
reported:
  source: a congress abstract
  patients: 418
  arms:
    one: {median months: 38, survival: {36: 0.52}}
    two: {}
"""
    )
    one = ReportedArm("one", 38.0, ((36, 0.52),))
    assert read.reported == Reported("a congress abstract", 418, (one, ReportedArm("two")))
    bare = parse_study(STUDY + "reported: {source: a letter}\n").reported
    assert bare == Reported("a letter")


def test_what_was_reported_is_of_arms_that_there_are() -> None:
    fails(
        STUDY + "reported: {source: a letter, arms: {ones: {}}}\n",
        "17:37",
        "reported.arms: there is no arm 'ones'; expected 'one' or 'two'",
        "Did you mean 'one'?",
    )


def test_events_are_walked_outer_before_inner() -> None:
    inner = "{any: [{drug: chemo, with: [{visit: any}]}, {sex: male}, {death: any}]}"
    (step,) = study("{condition: tumour}", inner).question.cohort.steps
    assert [event.events.domain for event in events_of(step.require)] == [
        Domain.DRUG,
        Domain.VISIT,
        Domain.DEATH,
    ]


def test_causes_of_death_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="causes of death cannot be asked for"):
        Events(Domain.DEATH, "tumour")


def test_the_wire_knows_the_forms_apart() -> None:
    whole = study()
    assert msgspec.json.decode(msgspec.json.encode(whole), type=Study) == whole
