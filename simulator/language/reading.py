"""Turns the YAML of a study or a cohort into values, naming the place of what does not fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from simulator.bundled import locate, meant, names
from simulator.errors import UserError, nearest, one_of
from simulator.language.codes import Code, ConceptSet
from simulator.language.documents import Node, parse_document, read_document
from simulator.language.reading_criteria import built, parsed
from simulator.language.reading_question import read_question
from simulator.language.study import (
    Analyses,
    Inquiry,
    NamedCohort,
    Question,
    Reported,
    ReportedArm,
    Study,
)

STUDIES: Final = "queries/studies"
COHORTS: Final = "queries/cohorts"
_QUESTION: Final = ("codes", "index", "steps")
_OPTIONAL: Final = ("based on", "least completeness", "subgroups", "lines")
_REQUIRED: Final = {
    "study": (*_QUESTION, "arms", "outcome", "follow up", "analyses"),
    "cohort": _QUESTION,
}
_ALLOWED: Final = {
    "study": (*_REQUIRED["study"], *_OPTIONAL, "reported"),
    "cohort": (*_REQUIRED["cohort"], *_OPTIONAL, "follow up"),
}


def read_inquiry(name_or_path: str) -> Inquiry:
    """The study or cohort of a bundled name or a file.

    Raises:
        UserError: There is no such document, or something in it does not fit.
    """
    return _inquiry(read_document(place_of(name_or_path)))


def parse_inquiry(text: str, name: str = "-") -> Inquiry:
    """The study or cohort written in a text; `name` is what messages call it."""
    return _inquiry(parse_document(text, name))


def read_study(name_or_path: str) -> Study:
    """The study of a bundled name or a file.

    Raises:
        UserError: There is no such study, or something in it does not fit.
    """
    return as_study(read_inquiry(name_or_path))


def parse_study(text: str, name: str = "-") -> Study:
    """The study written in a text; `name` is what messages call it."""
    return as_study(parse_inquiry(text, name))


def as_study(inquiry: Inquiry) -> Study:
    """The study, where it is one.

    Raises:
        UserError: It is a cohort without arms.
    """
    if isinstance(inquiry, Study):
        return inquiry
    raise UserError(
        f"'{inquiry.name}' is a cohort, not a study: it has no arms to compare",
        hint=f"Count it with `cohortium count {inquiry.name}`, or write a study based on it.",
    )


def place_of(name_or_path: str) -> Path:
    """Where a document stands; studies and cohorts share one space of names.

    Raises:
        UserError: There is no such document.
    """
    folder = COHORTS if name_or_path in names(COHORTS) else STUDIES
    if folder == STUDIES and name_or_path not in names(STUDIES) and _is_name(name_or_path):
        known = [*names(STUDIES), *names(COHORTS)]
        raise UserError(
            f"there is no bundled study or cohort '{name_or_path}'",
            hint=meant(name_or_path, known) or "`cohortium queries` lists them.",
        )
    return locate(folder, name_or_path)


def _is_name(text: str) -> bool:
    return "/" not in text and not text.endswith(".yaml")


def _inquiry(top: Node) -> Inquiry:
    kind, given = _merged(top)
    missing = [key for key in ("version", "title", *_REQUIRED[kind]) if key not in given]
    if missing:
        top.fail(f"the key {one_of(missing[:1])} is missing")
    sets = _inherited_sets(given) | _concept_sets(given["codes"])
    question = read_question(top, given, sets)
    name, title = given[kind].text(), given["title"].text()
    version = given["version"].integer(at_least=1)
    completeness = given.get("least completeness")
    least = completeness.number(0.0, 1.0) if completeness else 1.0
    if kind == "cohort":
        return built(top, lambda: NamedCohort(name, version, title, question, least))
    if not question.arms:
        given["arms"].fail("a study needs at least one arm")
    return built(
        top,
        lambda: Study(
            name=name,
            version=version,
            title=title,
            question=question,
            analyses=_analyses(given["analyses"], question),
            least_completeness=least,
            reported=_reported(given["reported"], question) if "reported" in given else None,
        ),
    )


def _kind(top: Node) -> str:
    """Whether a document is a study or a cohort."""
    keys = [key.text() for key, _ in top.entries()]
    kinds = [kind for kind in _REQUIRED if kind in keys]
    if len(kinds) == 2:
        top.fail("expected the key 'study' or the key 'cohort'; found both")
    if not kinds:
        top.fields((), _keys("study"))
        told = " with a name of its own" if "based on" in keys else ""
        top.fail(f"the key 'study' is missing: a document begins with 'study' or 'cohort'{told}")
    return kinds[0]


def _keys(kind: str) -> tuple[str, ...]:
    return (kind, "version", "title", *_ALLOWED[kind])


def _merged(top: Node) -> tuple[str, dict[str, Node]]:
    """The top's own keys over those of the document that it is based on, if it names one."""
    kind = _kind(top)
    given = top.fields((), _keys(kind))
    if "based on" not in given:
        return kind, given
    base = given["based on"]
    if base.text() == given[kind].text():
        base.fail(f"a {kind} cannot be based on itself")
    try:
        below = read_document(place_of(base.text()))
        lower = _kind(below)
    except UserError as error:
        base.fail(error.message, error.hint)
    if any(key.text() == "based on" for key, _ in below.entries()):
        base.fail(f"a {kind} can only be based on one that stands on its own")
    taken = below.fields((), _keys(lower))
    own = _keys(kind)[1:]
    return kind, {key: value for key, value in taken.items() if key in own} | given


def _inherited_sets(given: Mapping[str, Node]) -> dict[str, ConceptSet]:
    """The concept sets of the document that this one is based on; its own replace them by name."""
    if "based on" not in given:
        return {}
    below = read_document(place_of(given["based on"].text()))
    return _concept_sets(dict(_texts(below))["codes"])


def _texts(node: Node) -> Iterator[tuple[str, Node]]:
    for key, value in node.entries():
        yield key.text(), value


def _concept_sets(node: Node) -> dict[str, ConceptSet]:
    return {key.text(): _concept_set(key.text(), value) for key, value in node.entries()}


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
