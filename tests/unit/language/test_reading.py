from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings

from simulator.bundled import names
from simulator.errors import UserError
from simulator.language.codes import Code, ConceptSet
from simulator.language.criteria import (
    AgeCriterion,
    Anchor,
    DateCriterion,
    Domain,
    EventCriterion,
    Events,
    Group,
    Occurrence,
    Rule,
    Sex,
    SexCriterion,
)
from simulator.language.reading import parse_study, read_study
from simulator.language.study import DEATH, Censoring, FollowUp, Question, Study
from simulator.language.windows import AgeRange, Count, DateRange, Window
from tests.support.questions import questions
from tests.unit.language.broken import STUDY, changed, fails, study

FORMS = (
    "'condition', 'procedure', 'drug', 'measurement', 'visit', 'death', 'all', 'any', 'none', "
    "'at least <n>', 'at most <n>', 'sex', 'age', 'dates' or 'observed'"
)
REQUIRE = "{condition: tumour}"
TUMOUR = Events(Domain.CONDITION, "tumour")


def criterion(text: str) -> object:
    """What a criterion is read as."""
    asked = study(REQUIRE, f"{{all: [{{condition: tumour}}, {text}]}}").question
    group = asked.cohort.steps[0].require
    assert isinstance(group, Group)
    return group.members[1]


def breaks(text: str, column: int, message: str, hint: str | None = None) -> None:
    """Asserts what is said of a criterion; `column` counts from where it begins, at 1."""
    fails(changed(REQUIRE, text), f"10:{13 + column}", message, hint)


def test_a_whole_study() -> None:
    read = study()
    assert (read.name, read.version, read.title) == ("example", 1, "an example")
    asked = read.question
    assert asked.codes == (
        ConceptSet("chemo", (Code("RxNorm", "3639"),)),
        ConceptSet("tumour", (Code("ICD10CM", "C50", descendants=True),)),
    )
    assert asked.cohort.index == Events(Domain.DRUG, "chemo", Occurrence.FIRST)
    assert [(step.name, step.require) for step in asked.cohort.steps] == [
        ("the step", EventCriterion(TUMOUR))
    ]
    assert [arm.name for arm in asked.arms] == ["one", "two"]
    assert (asked.outcome, asked.follow_up) == (DEATH, FollowUp(24))
    assert (read.analyses.landmarks, read.analyses.reference) == ((12, 24), "one")
    assert read.least_completeness == 1.0


def test_what_may_be_left_out_and_said() -> None:
    read = parse_study(
        changed("{months: 24}", "{months: 24, censored at: end of observation}").replace(
            "[12, 24]}", "[], reference arm: two}\nleast completeness: 0.5"
        )
    )
    assert read.question.follow_up.censored_at is Censoring.END_OF_OBSERVATION
    assert (read.analyses.landmarks, read.analyses.reference) == ((), "two")
    assert read.least_completeness == 0.5


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("{sex: male}", SexCriterion(Sex.MALE)),
        ("{age: 18 to any}", AgeCriterion(AgeRange(18))),
        ("{dates: any}", DateCriterion(DateRange())),
        ("{death: any}", EventCriterion(Events(Domain.DEATH))),
        ("{visit: any, days: 0}", EventCriterion(Events(Domain.VISIT), Window(0, 0))),
        (
            "{condition: tumour, count: at least 2 days, relative to: event}",
            EventCriterion(TUMOUR, Window(), Anchor.EVENT, Count(2, None, distinct_days=True)),
        ),
        (
            "{condition: tumour, occurrence: last, age: 40, dates: any, with: [{sex: male}]}",
            EventCriterion(
                Events(
                    Domain.CONDITION,
                    "tumour",
                    Occurrence.LAST,
                    DateRange(),
                    AgeRange(40, 40),
                    related=(SexCriterion(Sex.MALE),),
                )
            ),
        ),
        (
            "{condition: tumour, with: [{death: any}, {death: any, relative to: index}]}",
            EventCriterion(
                Events(
                    Domain.CONDITION,
                    "tumour",
                    related=(
                        EventCriterion(Events(Domain.DEATH), anchor=Anchor.EVENT),
                        EventCriterion(Events(Domain.DEATH), anchor=Anchor.INDEX),
                    ),
                )
            ),
        ),
        (
            "{condition: tumour, with: [{any: [{death: any}]}]}",
            EventCriterion(
                Events(
                    Domain.CONDITION,
                    "tumour",
                    related=(
                        Group(
                            Rule.ANY, (EventCriterion(Events(Domain.DEATH), anchor=Anchor.EVENT),)
                        ),
                    ),
                )
            ),
        ),
        ("{none: [{sex: male}]}", Group(Rule.NONE, (SexCriterion(Sex.MALE),))),
        ("{at least 1: [{sex: male}]}", Group(Rule.AT_LEAST, (SexCriterion(Sex.MALE),), 1)),
        ("{at most 0: [{sex: male}]}", Group(Rule.AT_MOST, (SexCriterion(Sex.MALE),), 0)),
    ],
)
def test_every_form_of_criterion(text: str, read: object) -> None:
    assert criterion(text) == read


@pytest.mark.parametrize(
    ("rule", "number", "bounds"),
    [
        (Rule.ALL, 0, (2, 2)),
        (Rule.ANY, 0, (1, 2)),
        (Rule.NONE, 0, (0, 0)),
        (Rule.AT_LEAST, 1, (1, 2)),
        (Rule.AT_MOST, 1, (0, 1)),
    ],
)
def test_bounds_of_groups(rule: Rule, number: int, bounds: tuple[int, int]) -> None:
    assert Group(rule, (SexCriterion(Sex.MALE),) * 2, number).bounds == bounds


def test_criteria_that_do_not_fit() -> None:
    breaks("[]", 1, "steps[0].require: expected a mapping (key: value); found a list")
    breaks("{}", 1, "steps[0].require: expected a criterion; found an empty mapping")
    breaks(
        "{drg: chemo}",
        1,
        f"steps[0].require: 'drg' begins no criterion; expected {FORMS}",
        "Did you mean 'drug'?",
    )
    breaks(
        "{sex: male, age: 3}",
        1,
        "steps[0].require: expected one criterion; found 2",
        "List them under 'all:' or 'any:'.",
    )
    breaks(
        "{sex: femal}",
        7,
        "steps[0].require.sex: expected 'female' or 'male'; found 'femal'",
        "Did you mean 'female'?",
    )
    breaks("{age: x}", 7, "steps[0].require.age: expected a whole number or 'any'; found 'x'")
    breaks(
        "{dates: 2020}",
        9,
        "steps[0].require.dates: expected 'YYYY-MM-DD to YYYY-MM-DD' or 'any'; found '2020'",
    )
    breaks(
        "{dates: 2021-01-01 to 2020-01-01}",
        9,
        "steps[0].require.dates: an impossible span of dates: 2021-01-01 is later than 2020-01-01",
    )


def test_groups_that_do_not_fit() -> None:
    breaks("{any: []}", 7, "steps[0].require.any: a group 'any' needs at least one member")
    breaks(
        "{any: {sex: male}}",
        7,
        "steps[0].require.any: expected a list; found a mapping (key: value)",
    )
    breaks(
        "{at least two: [{sex: male}]}",
        2,
        "steps[0].require: expected 'at least <n>' with a whole number; found 'at least two'",
    )
    breaks(
        "{at least ²: [{sex: male}]}",
        2,
        "steps[0].require: expected 'at least <n>' with a whole number; found 'at least ²'",
    )
    breaks(
        "{at most 2: [{sex: male}]}",
        13,
        "steps[0].require.at most 2: 'at most 2' of 1 members cannot be",
    )


def test_events_that_do_not_fit() -> None:
    breaks(
        "{drug: chmo}",
        8,
        "steps[0].require.drug: there is no concept set 'chmo' under 'codes'",
        "Did you mean 'chemo'?",
    )
    breaks(
        "{drug: chemo, dayz: 0}",
        15,
        "steps[0].require: unknown key 'dayz'; expected 'condition', 'procedure', 'drug', "
        "'measurement', 'visit', 'death', 'occurrence', 'dates', 'age', 'value', 'with', 'days', "
        "'months', 'years', 'relative to', 'count', 'first value' or 'last value'",
        "Did you mean 'days'?",
    )
    breaks(
        "{drug: chemo, visit: any}",
        1,
        "steps[0].require: expected one kind of event ('condition', 'procedure', 'drug', "
        "'measurement', 'visit' or 'death'); found 2",
    )
    breaks(
        "{death: chemo}",
        1,
        "steps[0].require: causes of death cannot be asked for; write 'death: any'",
    )
    breaks(
        "{drug: chemo, days: 2 to 1}",
        21,
        "steps[0].require.days: an impossible window: it starts on day 2 and ends on day 1, "
        "which is earlier",
    )
    breaks(
        "{drug: chemo, count: 2}",
        22,
        "steps[0].require.count: expected 'at least 2' or 'at least 2 days'; found '2'",
    )
    breaks(
        "{drug: chemo, occurrence: frist}",
        27,
        "steps[0].require.occurrence: expected 'any', 'first' or 'last'; found 'frist'",
        "Did you mean 'first'?",
    )
    breaks(
        "{drug: chemo, relative to: indx}",
        28,
        "steps[0].require.relative to: expected 'index' or 'event'; found 'indx'",
        "Did you mean 'index'?",
    )


def test_an_alias_that_contains_itself() -> None:
    fails(
        changed(REQUIRE, "&a {all: [*a]}"),
        "1:1",
        "criteria stand inside each other without end: an alias contains itself",
    )


def test_the_index_says_which_day_and_knows_no_index() -> None:
    index = "{drug: chemo, occurrence: first}"
    fails(
        changed(index, "{drug: chemo}"),
        "7:8",
        "index: expected 'occurrence: first', 'last', or 'any' for the earliest that fits all",
    )
    inner = "{drug: chemo, occurrence: first, with: [{any: [{death: any, relative to: index}]}]}"
    fails(
        changed(index, inner),
        "7:8",
        "index: inside the index event there is no index yet: drop 'relative to'",
    )


def test_parts_of_a_study_that_do_not_fit() -> None:
    fails(changed("outcome: death\n", ""), "1:1", "the key 'outcome' is missing")
    fails(
        changed("outcome: death", "outcome: deaths"),
        "14:10",
        "outcome: expected 'death' or an event; found 'deaths'",
    )
    fails(changed("version: 1", "version: 0"), "2:10", "version: expected at least 1; found 0")
    fails(
        changed("  one: {sex: female}\n  two: {sex: male}", "  {}"),
        "12:3",
        "arms: a study needs at least one arm",
    )
    fails(
        changed("[RxNorm 3639]", "[RxNorm]"),
        "5:11",
        "codes.chemo[0]: expected '<vocabulary> <code>'; found 'RxNorm'",
    )
    fails(
        changed("[RxNorm 3639]", "[]"),
        "5:10",
        "codes.chemo: the concept set 'chemo' includes no code",
    )
    fails(
        changed("{months: 24}", "{months: 601}"),
        "15:21",
        "follow up.months: the follow-up must be 1 to 600 months; found 601",
    )
    fails(
        changed("  - step: the step\n", "  - step: two\n    require: {sex: male}\n  - step: two\n"),
        "7:8",
        "index: the step 'two' stands there twice",
    )


def test_analyses_that_do_not_fit() -> None:
    fails(
        changed("[12, 24]", "[24, 12]"),
        "16:32",
        "analyses.survival at months: months must ascend, each once",
    )
    fails(
        changed("[12, 24]", "[12, 25]"),
        "16:37",
        "analyses.survival at months[1]: month 25 is outside the follow-up of 24 months",
    )
    fails(
        changed("[12, 24]", "[12], reference arm: ones"),
        "16:53",
        "analyses.reference arm: there is no arm 'ones'; expected 'one' or 'two'",
        "Did you mean 'one'?",
    )
    fails(
        STUDY + "least completeness: 2\n",
        "17:21",
        "least completeness: expected at most 1.0; found 2.0",
    )


def test_a_site_can_keep_62_conditions() -> None:
    arms = "\n".join(f"  arm {number}: {{sex: male}}" for number in range(61))
    old = "  one: {sex: female}\n  two: {sex: male}"
    assert len(study(old, arms).question.arms) == 61  # and one step
    fails(
        changed(old, f"{arms}\n  one more: {{sex: male}}"),
        "12:3",
        "arms: a study has at most 62 steps, arms and levels; found 63",
    )


def test_a_site_can_keep_62_kinds_of_events() -> None:
    sets = "\n".join(f"  set {number}: [CPT4 {number}]" for number in range(60))
    asked = ", ".join(f"{{procedure: set {number}}}" for number in range(60))
    text = changed("  tumour: [ICD10CM C50 with descendants]", sets)
    fails(
        text.replace(REQUIRE, f"{{any: [{{visit: any}}, {asked}]}}"),
        "71:3",
        "arms: a study has at most 62 kinds of events; found 63",
    )
    parse_study(text.replace(REQUIRE, f"{{any: [{asked}]}}"))


def test_a_question_holds_the_sets_that_it_names_and_no_others() -> None:
    assert [codes.name for codes in study(REQUIRE, "{sex: male}").question.codes] == ["chemo"]
    asked = study().question
    with pytest.raises(ValueError, match="do not agree"):
        msgspec.structs.replace(asked, codes=asked.codes[:1])


def test_a_study_may_be_based_on_another(tmp_path: Path) -> None:
    base = tmp_path / "base.yaml"
    base.write_text(STUDY, encoding="utf-8")
    text = f"based on: {base}\nstudy: narrower\nsteps: []\n"
    read = parse_study(text)
    assert (read.name, read.title, read.question.cohort.steps) == ("narrower", "an example", ())
    assert [codes.name for codes in read.question.codes] == ["chemo"]


def test_a_base_stands_on_its_own(tmp_path: Path) -> None:
    base = tmp_path / "base.yaml"
    base.write_text(f"based on: bclm\n{STUDY}", encoding="utf-8")
    fails(
        f"based on: {base}\nstudy: x\n",
        "1:11",
        "based on: a study can only be based on one that stands on its own",
    )
    fails(
        f"study: {base}\nbased on: {base}\n", "2:11", "based on: a study cannot be based on itself"
    )
    with pytest.raises(UserError, match="there is no bundled study or cohort 'bclmm'") as caught:
        parse_study("based on: bclmm\nstudy: x\n", "a.yaml")
    assert (caught.value.where, caught.value.hint) == ("a.yaml:1:11", "Did you mean 'bclm'?")
    fails(
        "based on: bclm\n",
        "1:1",
        "the key 'study' is missing: a document begins with 'study' or 'cohort' with a name of "
        "its own",
    )


def test_a_study_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(STUDY, encoding="utf-8")
    assert read_study(str(path)) == study()


@pytest.mark.parametrize("name", names("queries/studies"))
def test_bundled_studies_survive_the_wire(name: str) -> None:
    read = read_study(name)
    for codec in (msgspec.msgpack, msgspec.json):
        assert codec.decode(codec.encode(read), type=Study) == read
    assert len(read.fingerprint) == 64


def test_the_fingerprint_tells_studies_apart() -> None:
    assert study().fingerprint == study().fingerprint
    assert study().fingerprint != study("months: 24", "months: 25").fingerprint


@settings(derandomize=True, max_examples=50, deadline=None)
@given(questions())
def test_questions_survive_the_wire(asked: Question) -> None:
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(asked), type=Question)
    assert again == asked


def test_the_wire_refuses_what_cannot_be() -> None:
    raw = msgspec.to_builtins(study().question)
    raw["follow_up"]["months"] = 601
    with pytest.raises(msgspec.ValidationError, match="1 to 600 months"):
        msgspec.convert(raw, Question)


def test_a_mean_up_to_a_month() -> None:
    read = study("[12, 24]", "[], mean survival to month: 24")
    assert read.analyses.restricted_mean == 24
    fails(
        changed("[12, 24]", "[], mean survival to month: 25"),
        "16:60",
        "analyses.mean survival to month: expected at most 24; found 25",
    )


def test_a_study_cannot_cost_more_than_a_hundred_criteria() -> None:
    members = ", ".join(["{sex: male}"] * 100)
    fails(
        changed(REQUIRE, f"{{any: [{members}]}}"),
        "12:3",
        "arms: a study has at most 100 criteria; found more",
    )


def test_criteria_cannot_stand_deeper_than_eight_levels() -> None:
    deep = "{all: [" * 8 + "{sex: male}" + "]}" * 8
    fails(
        changed(REQUIRE, deep),
        "12:3",
        "arms: criteria stand at most 8 levels deep in each other",
    )
