"""Prints the subgroups of a result: a forest in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding

from simulator.aggregates.released import Withheld
from simulator.cli.layout import heading, indented, number, p_equals, p_value, table

if TYPE_CHECKING:
    from simulator.hub.analyses.results import HazardRatioResult, LevelResult, SubgroupResult


def ratio_text(ratio: HazardRatioResult) -> str:
    """``1.23 (0.89-1.72)``; a ratio that the data do not bound is not estimable."""
    if ratio.estimate is None:
        return "not estimable"
    low, high = ("" if bound is None else f"{bound:.2f}" for bound in (ratio.lower, ratio.upper))
    return f"{ratio.estimate:.2f} ({low}-{high})"


def print_subgroups(
    screen: Console, subgroups: tuple[SubgroupResult, ...], had_it: str = "died"
) -> None:
    """Prints each subgroup variable: the test of interaction, then its levels.

    `had_it` is the heading over the number of those who had the outcome.
    """
    if not subgroups:
        return
    heading(screen, "subgroups")
    for place, subgroup in enumerate(subgroups):
        if place:
            screen.print()
        _variable(screen, subgroup, had_it)


def _variable(screen: Console, subgroup: SubgroupResult, had_it: str) -> None:
    test = subgroup.interaction
    if (
        isinstance(test, Withheld)
        or isinstance(subgroup.levels, Withheld)
        or isinstance(subgroup.in_no_level, Withheld)
    ):
        indented(screen, f"{subgroup.subgroup}: withheld; {subgroup.reason}")
        return
    indented(
        screen,
        f"{subgroup.subgroup}: do the ratios differ between levels? chi-squared "
        f"{test.statistic:.2f}, {test.df} df, {p_equals(test.p)}",
    )
    rows = table("", "patients", had_it, "hazard ratio (95 %)", "p")
    for level in subgroup.levels:
        rows.add_row(level.level, style="bold")
        for cells in _arms(level):
            rows.add_row(*cells)
    if any(arm.patients != 0 for arm in subgroup.in_no_level):
        rows.add_row("in no level", style="bold")
        for arm in subgroup.in_no_level:
            rows.add_row(f"  {arm.arm}", number(arm.patients), number(arm.events), "", "")
    screen.print(Padding(rows, (0, 0, 0, 2)))


def _arms(level: LevelResult) -> list[tuple[str, ...]]:
    """A line for each arm of a level; the reference has nothing to be held against."""
    ratios = {ratio.arm: ratio for ratio in level.hazard_ratios}
    lines: list[tuple[str, ...]] = []
    for arm in level.arms:
        ratio = ratios.get(arm.arm)
        found = ("1", "") if ratio is None else (ratio_text(ratio), p_value(ratio.p))
        lines.append((f"  {arm.arm}", number(arm.patients), number(arm.events), *found))
    return lines
