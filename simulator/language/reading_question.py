"""Turns the YAML of what a site is asked into a `Question`."""

from __future__ import annotations

from collections.abc import Mapping

from simulator.language.criteria import Anchor, EventCriterion
from simulator.language.documents import Node
from simulator.language.reading_criteria import (
    ConceptSets,
    built,
    read_criterion,
    read_index,
    read_line,
    read_moment,
)
from simulator.language.study import (
    DEATH,
    Arm,
    Censoring,
    Cohort,
    FollowUp,
    Question,
    Step,
    Subgroup,
)
from simulator.language.walk import sets_named


def read_question(top: Node, given: Mapping[str, Node], sets: ConceptSets) -> Question:
    """The question in the values of a document's keys.

    Raises:
        UserError: Something in it does not fit.
    """
    try:
        return _question(given, sets)
    except RecursionError:
        top.fail("criteria stand inside each other without end: an alias contains itself")


def _question(given: Mapping[str, Node], sets: ConceptSets) -> Question:
    steps = given["steps"]
    cohort = built(
        given["index"],
        lambda: Cohort(
            read_index(given["index"], sets),
            tuple(_step(item, sets) for item in steps.items()),
        ),
    )
    arms = _groups(given["arms"], sets) if "arms" in given else ()
    outcome = _outcome(given["outcome"], sets) if "outcome" in given else DEATH
    follow_up = _follow_up(given["follow up"], sets) if "follow up" in given else FollowUp(120)
    subgroups = _subgroups(given["subgroups"], sets) if "subgroups" in given else ()
    listed = given["lines"].items() if "lines" in given else ()
    lines = tuple(read_line(item, sets) for item in listed)
    levels = [level for subgroup in subgroups for level in subgroup.levels]
    used = sets_named(cohort, (*arms, *levels), (outcome, *follow_up.exits), lines)
    return built(
        given["arms" if "arms" in given else "steps"],
        lambda: Question(
            codes=tuple(codes for name, codes in sets.items() if name in used),
            cohort=cohort,
            arms=arms,
            outcome=outcome,
            follow_up=follow_up,
            subgroups=subgroups,
            lines=lines,
        ),
    )


def _step(node: Node, sets: ConceptSets) -> Step:
    given = node.fields(("step", "require"))
    return Step(given["step"].text(), read_criterion(given["require"], sets, Anchor.INDEX))


def _groups(node: Node, sets: ConceptSets) -> tuple[Arm, ...]:
    """Arms, or the levels of a subgroup."""
    return tuple(
        Arm(key.text(), read_criterion(value, sets, Anchor.INDEX)) for key, value in node.entries()
    )


def _subgroups(node: Node, sets: ConceptSets) -> tuple[Subgroup, ...]:
    return tuple(_subgroup(key.text(), value, sets) for key, value in node.entries())


def _subgroup(name: str, node: Node, sets: ConceptSets) -> Subgroup:
    levels = _groups(node, sets)
    return built(node, lambda: Subgroup(name, levels))


def _outcome(node: Node, sets: ConceptSets) -> EventCriterion:
    """``death``, or an event."""
    if node.is_text:
        if node.text() != "death":
            node.fail(f"expected 'death' or an event; found '{node.text()}'")
        return DEATH
    return read_moment(node, sets)


def _follow_up(node: Node, sets: ConceptSets) -> FollowUp:
    given = node.fields(("months",), ("censored at", "exit"))
    censored_at = given.get("censored at")
    exits = given["exit"].items() if "exit" in given else ()
    return built(
        given["months"],
        lambda: FollowUp(
            months=given["months"].integer(),
            censored_at=censored_at.word(Censoring) if censored_at else FollowUp(1).censored_at,
            exits=tuple(read_moment(item, sets) for item in exits),
        ),
    )
