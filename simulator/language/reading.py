"""Turns a study's YAML into a `Study`, naming the place of everything that does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from simulator.bundled import locate
from simulator.errors import UserError, nearest, one_of
from simulator.language.codes import Code, ConceptSet
from simulator.language.criteria import Anchor
from simulator.language.documents import Node, parse_document, read_document
from simulator.language.reading_criteria import (
    ConceptSets,
    built,
    parsed,
    read_criterion,
    read_index,
)
from simulator.language.study import (
    Analyses,
    Arm,
    Censoring,
    Cohort,
    FollowUp,
    Outcome,
    Question,
    Reported,
    ReportedArm,
    Step,
    Study,
    events_asked,
)

_TOP_REQUIRED: Final = (
    "study",
    "version",
    "title",
    "codes",
    "index",
    "steps",
    "arms",
    "outcome",
    "follow up",
    "analyses",
)
_TOP_OPTIONAL: Final = ("based on", "least completeness", "reported")


def read_study(name_or_path: str) -> Study:
    """The study of a bundled name or a file.

    Raises:
        UserError: There is no such study, or something in it does not fit.
    """
    return _study(read_document(locate("queries/studies", name_or_path)))


def parse_study(text: str, name: str = "-") -> Study:
    """The study written in a text; `name` is what messages call it."""
    return _study(parse_document(text, name))


def _study(top: Node) -> Study:
    given = _merged(top)
    missing = [key for key in _TOP_REQUIRED if key not in given]
    if missing:
        top.fail(f"the key {one_of(missing[:1])} is missing")
    sets = _concept_sets(given["codes"])
    try:
        question = _question(given, sets)
    except RecursionError:
        top.fail("criteria stand inside each other without end: an alias contains itself")
    completeness = given.get("least completeness")
    return built(
        top,
        lambda: Study(
            name=given["study"].text(),
            version=given["version"].integer(at_least=1),
            title=given["title"].text(),
            question=question,
            analyses=_analyses(given["analyses"], question),
            least_completeness=completeness.number(0.0, 1.0) if completeness else 1.0,
            reported=_reported(given["reported"], question) if "reported" in given else None,
        ),
    )


def _merged(top: Node) -> dict[str, Node]:
    """The top's own keys over those of the study that it is based on, if it names one."""
    given = top.fields((), (*_TOP_REQUIRED, *_TOP_OPTIONAL))
    if "based on" not in given:
        return given
    base = given["based on"]
    if "study" not in given:
        top.fail("the key 'study' is missing: a study has a name of its own")
    if base.text() == given["study"].text():
        base.fail("a study cannot be based on itself")
    try:
        below = read_document(_beside(base))
    except UserError as error:
        base.fail(error.message, error.hint)
    if any(key.text() == "based on" for key, _ in below.entries()):
        base.fail("a study can only be based on one that stands on its own")
    return below.fields((), (*_TOP_REQUIRED, *_TOP_OPTIONAL)) | given


def _beside(base: Node) -> Path:
    return locate("queries/studies", base.text())


def _concept_sets(node: Node) -> dict[str, ConceptSet]:
    found: dict[str, ConceptSet] = {}
    for key, value in node.entries():
        found[key.text()] = _concept_set(key.text(), value)
    return found


def _concept_set(name: str, node: Node) -> ConceptSet:
    if node.is_list:
        include, exclude = node, None
    else:
        given = node.fields(("include",), ("exclude",))
        include, exclude = given["include"], given.get("exclude")
    return built(
        node,
        lambda: ConceptSet(name, _codes(include), _codes(exclude) if exclude else ()),
    )


def _codes(node: Node) -> tuple[Code, ...]:
    return tuple(parsed(item, Code.parse) for item in node.items())


def _question(given: Mapping[str, Node], sets: ConceptSets) -> Question:
    steps = given["steps"]
    cohort = built(
        given["index"],
        lambda: Cohort(
            read_index(given["index"], sets),
            tuple(_step(item, sets) for item in steps.items()),
        ),
    )
    arms = tuple(
        Arm(key.text(), read_criterion(value, sets, Anchor.INDEX))
        for key, value in given["arms"].entries()
    )
    if not arms:
        given["arms"].fail("a study needs at least one arm")
    used = {events.codes for events in events_asked(cohort, arms)}
    return built(
        given["arms"],
        lambda: Question(
            codes=tuple(codes for name, codes in sets.items() if name in used),
            cohort=cohort,
            arms=arms,
            outcome=given["outcome"].word(Outcome),
            follow_up=_follow_up(given["follow up"]),
        ),
    )


def _follow_up(node: Node) -> FollowUp:
    given = node.fields(("months",), ("censored at",))
    censored_at = given.get("censored at")
    return built(
        given["months"],
        lambda: FollowUp(
            months=given["months"].integer(),
            censored_at=censored_at.word(Censoring) if censored_at else FollowUp(1).censored_at,
        ),
    )


def _analyses(node: Node, question: Question) -> Analyses:
    given = node.fields(("survival at months",), ("reference arm", "mean survival to month"))
    months = tuple(item.integer(at_least=1) for item in given["survival at months"].items())
    if list(months) != sorted(set(months)):
        given["survival at months"].fail("months must ascend, each once")
    horizon = question.follow_up.months
    for item, month in zip(given["survival at months"].items(), months, strict=True):
        if month > horizon:
            item.fail(f"month {month} is outside the follow-up of {horizon} months")
    arms = [arm.name for arm in question.arms]
    mean = given.get("mean survival to month")
    to_month = mean.integer(at_least=1, at_most=horizon) if mean else None
    reference = given.get("reference arm")
    if reference is None:
        return Analyses(months, arms[0], to_month)
    if reference.text() not in arms:
        hint = nearest(reference.text(), arms)
        reference.fail(f"there is no arm '{reference.text()}'; expected {one_of(arms)}", hint)
    return Analyses(months, reference.text(), to_month)


def _reported(node: Node, question: Question) -> Reported:
    given = node.fields(("source",), ("patients", "arms"))
    arms = given["arms"].entries() if "arms" in given else ()
    known = [arm.name for arm in question.arms]
    for key, _ in arms:
        if key.text() not in known:
            hint = nearest(key.text(), known)
            key.fail(f"there is no arm '{key.text()}'; expected {one_of(known)}", hint)
    return Reported(
        source=given["source"].text(),
        patients=given["patients"].integer(at_least=0) if "patients" in given else None,
        arms=tuple(_reported_arm(key.text(), value) for key, value in arms),
    )


def _reported_arm(arm: str, node: Node) -> ReportedArm:
    given = node.fields((), ("median months", "survival"))
    median = given.get("median months")
    survival = given["survival"].entries() if "survival" in given else ()
    return ReportedArm(
        arm,
        median.number(at_least=0.0) if median else None,
        tuple((key.integer(at_least=1), value.number(0.0, 1.0)) for key, value in survival),
    )


def _step(node: Node, sets: ConceptSets) -> Step:
    given = node.fields(("step", "require"))
    return Step(given["step"].text(), read_criterion(given["require"], sets, Anchor.INDEX))
