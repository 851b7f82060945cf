"""The section that compares the arms within groups of patients."""

from __future__ import annotations

from simulator.aggregates.released import Withheld
from simulator.hub.analyses.results import LevelArm, LevelResult, SubgroupResult
from simulator.hub.result import Report, StudyResult
from simulator.language.study import Study
from simulator.report.ending import ending_of
from simulator.report.forest import Group, forest_svg
from simulator.report.inline import inline
from simulator.report.markup import NOTHING, Markup, element, join, paragraph
from simulator.report.tables import Column, table
from simulator.report.words import (
    NOT_ESTIMABLE,
    count,
    estimate,
    p_equals,
    p_value,
    plural,
    ratio,
    sentence,
)


def forest(report: Report, study: Study) -> Markup:
    """All hazard ratios against the reference: of everyone, then of each level."""
    result, reference = report.result, study.analyses.reference
    groups = _groups(result, reference)
    if not groups:
        return NOTHING
    everyone = tuple(found for found in result.hazard_ratios if found.reference == reference)
    drawing = forest_svg(
        (Group("Everyone", everyone), *groups), f"hazard ratio against {reference}"
    )
    return element(
        "figure",
        inline(drawing, "forest", "Hazard ratios by subgroup; the tables below give the numbers."),
        element(
            "figcaption",
            f"Left of the dotted line those of an arm {ending_of(study).have} later than those of "
            f"{reference}, right of it sooner; the lines are 95\N{NO-BREAK SPACE}% intervals. Many "
            "groups were looked at, and p is not adjusted for that.",
        ),
    )


def _groups(result: StudyResult, reference: str) -> list[Group]:
    return [
        Group(
            f"{subgroup.subgroup}: {level.level}",
            tuple(found for found in level.hazard_ratios if found.reference == reference),
        )
        for subgroup in result.subgroups
        if not isinstance(subgroup.levels, Withheld)
        for level in subgroup.levels
    ]


def tables(report: Report, study: Study) -> Markup:
    """A test and a table for each subgroup; one that was withheld says why."""
    return join(
        part
        for subgroup in report.result.subgroups
        for part in (element("h3", sentence(subgroup.subgroup)[:-1]), _subgroup(subgroup, study))
    )


def _subgroup(subgroup: SubgroupResult, study: Study) -> Markup:
    levels, test, others = subgroup.levels, subgroup.interaction, subgroup.in_no_level
    if isinstance(levels, Withheld) or isinstance(test, Withheld) or isinstance(others, Withheld):
        hidden = next(part for part in (levels, test, others) if isinstance(part, Withheld))
        because = f" Reason: {subgroup.reason}." if subgroup.reason else ""
        return paragraph(f"{sentence(count(hidden))}{because}")
    columns = [
        Column("Group"),
        Column("Patients"),
        Column(ending_of(study).had.capitalize()),
        Column("Hazard ratio (95\N{NO-BREAK SPACE}%)"),
        Column("p"),
    ]
    rows = [row for level in levels for row in _level(level)]
    rows += [_counted("in no group", arm) for arm in others if arm.patients != 0]
    return join(
        [
            paragraph(
                "Test that the hazard ratios are the same in all groups: chi-squared "
                f"{test.statistic:.2f}, {plural(test.df, 'degree')} of freedom, {p_equals(test.p)}."
            ),
            table(columns, rows, f"The arms by {subgroup.subgroup}"),
        ]
    )


def _level(level: LevelResult) -> list[list[str]]:
    """A row for each arm; the reference has nothing to be held against."""
    ratios = {found.arm: found for found in level.hazard_ratios}
    rows = []
    for arm in level.arms:
        found = ratios.get(arm.arm)
        row = _counted(level.level, arm)
        if found is None:
            row[3] = "1, the reference"
        else:
            row[3] = estimate(found.estimate, found.lower, found.upper, ratio, NOT_ESTIMABLE)
            row[4] = p_value(found.p)
        rows.append(row)
    return rows


def _counted(group: str, arm: LevelArm) -> list[str]:
    return [f"{group}: {arm.arm}", count(arm.patients), count(arm.events), "", ""]
