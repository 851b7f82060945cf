"""Turns a study's YAML into a `Study`, naming the place of everything that does not fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NoReturn, TypeVar

from simulator.bundled import locate
from simulator.errors import UserError, nearest, one_of
from simulator.language.codes import Code, ConceptSet
from simulator.language.criteria import (
    AgeCriterion,
    Anchor,
    Criterion,
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
from simulator.language.documents import Node, parse_document, read_document
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
from simulator.language.windows import AgeRange, Count, DateRange, Window

Built = TypeVar("Built")

_DOMAINS: Final = tuple(str(domain) for domain in Domain)
_GROUPS: Final = (Rule.ALL, Rule.ANY, Rule.NONE)
_COUNTED: Final = (Rule.AT_LEAST, Rule.AT_MOST)
_EVENT_KEYS: Final = ("occurrence", "dates", "age", "with")
_PLACE_KEYS: Final = ("days", "relative to", "count")
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

ConceptSets = Mapping[str, ConceptSet]


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
    return _build(
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


def _build(node: Node, make: Callable[[], Built]) -> Built:
    """Calls `make`; a value that cannot be (ValueError) is told at the node's place."""
    try:
        return make()
    except ValueError as error:
        node.fail(str(error))


def _parsed(node: Node, parse: Callable[[str], Built]) -> Built:
    """The node's text through a parser whose own words explain what does not fit."""
    return _build(node, lambda: parse(node.text()))


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
    return _build(
        node,
        lambda: ConceptSet(name, _codes(include), _codes(exclude) if exclude else ()),
    )


def _codes(node: Node) -> tuple[Code, ...]:
    return tuple(_parsed(item, Code.parse) for item in node.items())


def _question(given: Mapping[str, Node], sets: ConceptSets) -> Question:
    steps = given["steps"]
    cohort = _build(
        given["index"],
        lambda: Cohort(
            _index(given["index"], sets),
            tuple(_step(item, sets) for item in steps.items()),
        ),
    )
    arms = tuple(
        Arm(key.text(), _criterion(value, sets, Anchor.INDEX))
        for key, value in given["arms"].entries()
    )
    if not arms:
        given["arms"].fail("a study needs at least one arm")
    used = {events.codes for events in events_asked(cohort, arms)}
    return _build(
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
    return _build(
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
    return Step(given["step"].text(), _criterion(given["require"], sets, Anchor.INDEX))


def _index(node: Node, sets: ConceptSets) -> Events:
    given = node.fields((), (*_DOMAINS, *_EVENT_KEYS))
    if "occurrence" not in given:
        node.fail("expected 'occurrence: first' or 'occurrence: last'")
    return _events(node, _domain(node, given), given, sets)


def _domain(node: Node, given: Mapping[str, Node]) -> Domain:
    domains = [word for word in _DOMAINS if word in given]
    if len(domains) != 1:
        node.fail(f"expected one kind of event ({one_of(_DOMAINS)}); found {len(domains)}")
    return Domain(domains[0])


def _criterion(node: Node, sets: ConceptSets, anchor: Anchor) -> Criterion:
    """One criterion; the key that tells its form is looked for first."""
    keys = [key.text() for key, _ in node.entries()]
    if any(key in _DOMAINS for key in keys):
        return _event_criterion(node, sets, anchor)
    if len(keys) != 1:
        if not keys:
            node.fail("expected a criterion; found an empty mapping")
        node.fail(f"expected one criterion; found {len(keys)}", "List them under 'all:' or 'any:'.")
    key, value = node.entries()[0]
    rule = _rule(key)
    if rule is not None:
        members = tuple(_criterion(item, sets, anchor) for item in value.items())
        return _build(value, lambda: Group(rule[0], members, rule[1]))
    return _patient_criterion(node, key.text(), value)


def _patient_criterion(node: Node, word: str, value: Node) -> Criterion:
    if word == "sex":
        return SexCriterion(value.word(Sex))
    if word == "age":
        return AgeCriterion(_parsed(value, AgeRange.parse))
    if word != "dates":
        _unknown_form(node, word)
    return DateCriterion(_dates(value))


def _unknown_form(node: Node, word: str) -> NoReturn:
    known = [*_DOMAINS, *_GROUPS, "at least <n>", "at most <n>", "sex", "age", "dates"]
    node.fail(f"'{word}' begins no criterion; expected {one_of(known)}", nearest(word, known))


def _rule(key: Node) -> tuple[Rule, int] | None:
    """The rule of a group from its key, such as ``any`` or ``at least 2``."""
    text = key.text()
    if text in _GROUPS:
        return Rule(text), 0
    for rule in _COUNTED:
        if text.startswith(f"{rule} "):
            number = text.removeprefix(f"{rule} ")
            if not number.isdecimal():
                key.fail(f"expected '{rule} <n>' with a whole number; found '{text}'")
            return rule, int(number)
    return None


def _event_criterion(node: Node, sets: ConceptSets, anchor: Anchor) -> EventCriterion:
    given = node.fields((), (*_DOMAINS, *_EVENT_KEYS, *_PLACE_KEYS))
    domain = _domain(node, given)
    window = _parsed(given["days"], Window.parse) if "days" in given else Window()
    count = _parsed(given["count"], Count.parse) if "count" in given else Count()
    if "relative to" in given:
        anchor = given["relative to"].word(Anchor)
    return EventCriterion(_events(node, domain, given, sets), window, anchor, count)


def _events(node: Node, domain: Domain, given: Mapping[str, Node], sets: ConceptSets) -> Events:
    occurrence = given.get("occurrence")
    related = given["with"].items() if "with" in given else ()
    return _build(
        node,
        lambda: Events(
            domain=domain,
            codes=_codes_named(given[str(domain)], sets),
            occurrence=occurrence.word(Occurrence) if occurrence else Occurrence.ANY,
            dates=_dates(given["dates"]) if "dates" in given else None,
            age=_parsed(given["age"], AgeRange.parse) if "age" in given else None,
            related=tuple(_criterion(item, sets, Anchor.EVENT) for item in related),
        ),
    )


def _dates(node: Node) -> DateRange:
    """A span of dates; whatever does not fit is told in the document's own words."""
    try:
        return DateRange.parse(node.text())
    except ValueError as error:
        if "impossible" in str(error):
            node.fail(str(error))
        node.fail(f"expected 'YYYY-MM-DD to YYYY-MM-DD' or 'any'; found '{node.text()}'")


def _codes_named(node: Node, sets: ConceptSets) -> str | None:
    name = node.text()
    if name == "any":
        return None
    if name not in sets:
        known = [*sets, "any"]
        node.fail(f"there is no concept set '{name}' under 'codes'", nearest(name, known))
    return name
