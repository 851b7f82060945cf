"""Prints a comparison of releases: the lesson, the cohort, survival, and what it costs."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from simulator.cli.as_json import as_json
from simulator.cli.compare_csv import as_csv
from simulator.cli.layout import console, heading, indented
from simulator.cli.out_files import write_files
from simulator.laboratory.compare_values import Group
from simulator.laboratory.compare_words import (
    WHERE,
    alone,
    arms_off,
    factor,
    off,
    p,
    p_of,
    reasons,
    share_off,
    shown,
    survival_off,
    times,
)

if TYPE_CHECKING:
    from simulator.laboratory.compare_values import Compared, CompareReport, Cost, Held, Row

_STRIP: Final = 11
_NEAR: Final = 0.02
_FAR: Final = 0.2
_Cells = Callable[["Row"], Sequence[Text | str]]


def print_comparison(report: CompareReport, form: str) -> None:
    """Prints a comparison on stdout as ``text``, ``json`` or ``csv``."""
    if form == "text":
        _comparison(console(), report)
        return
    click.echo(as_json(report) if form == "json" else as_csv(report), nl=False)


def write_comparison(report: CompareReport, folder: Path) -> None:
    """Writes compare.json, .csv, .txt, .html, .svg and .png into a folder.

    Raises:
        UserError: Nothing can be written there.
    """
    from simulator.laboratory.compare_drawn import files

    text = io.StringIO()
    _comparison(console(text), report)
    forms = {"json": as_json(report), "csv": as_csv(report), "txt": text.getvalue()}
    contents = {f"compare.{suffix}": content.encode() for suffix, content in forms.items()}
    contents |= files(report)
    write_files("the comparison", contents, folder)


def _comparison(screen: Console, report: CompareReport) -> None:
    result = report.result
    screen.print(Text(result.title, style="bold"))
    screen.print(
        f"{result.study}, version {result.version} | network {result.network} | "
        f"{len(result.rows)} releases and places"
    )
    heading(screen, "what it shows")
    for said in result.lesson:
        indented(screen, said)
    _cohort(screen, result)
    _survival(screen, result)
    _cost(screen, report)
    heading(screen, "how to read this")
    for line in (*_explained(result), *(f"Note: {note}." for note in result.notes)):
        indented(screen, line)


def _cohort(screen: Console, result: Compared) -> None:
    truth = result.truth.patients
    heading(screen, f"the cohort: {truth:,} in truth")
    _grouped(
        screen,
        result.rows,
        ("", "at", _axis(truth), "shown", "off"),
        "lllwr",
        lambda row: (
            Text(_strip(row.total, truth), style=_style(row.total)),
            shown(row),
            Text(
                " ".join(filter(None, (off(row.total), share_off(row.total)))),
                style=_style(row.total),
            ),
        ),
    )


def _axis(truth: int) -> str:
    """What stands over the strips: 0, the truth, and where there is room twice as much."""
    ends, middle = f"0{2 * truth:>{_STRIP - 1}}", f"{truth:^{_STRIP}}"
    if len(ends) > _STRIP or 2 * len(str(2 * truth)) + len(str(truth)) + 2 > _STRIP:
        ends = f"{'0':<{_STRIP}}"
    return "".join(end if other == " " else other for end, other in zip(ends, middle, strict=False))


def _strip(held: Held | None, truth: int) -> str:
    """From 0 to twice the truth, which stands in the middle: a number, or its bounds."""
    width = 2 * max(truth, 1)

    def at(value: float) -> int:
        return max(0, min(_STRIP - 1, round(value / width * (_STRIP - 1))))

    drawn = [" "] * _STRIP
    drawn[at(truth)] = "│"
    if held is None:
        return "".join(drawn)
    if held.estimate is not None:
        drawn[at(held.estimate)] = "▸" if held.estimate > width else "●"
    elif held.at_least is not None:
        least, most = at(held.at_least), _STRIP - 1 if held.at_most is None else at(held.at_most)
        for place in range(least, most + 1):
            drawn[place] = "┿" if place == at(truth) else "━"
        if held.at_most is None or held.at_most > width:
            drawn[-1] = "▸"
    return "".join(drawn)


def _style(held: Held | None) -> str:
    """Green near the truth, red far from it; bounds by how far they can mislead."""
    if held is None:
        return "dim"
    far = held.farthest / max(abs(held.truth), 1e-9)
    return "green" if far <= _NEAR else "red" if far > _FAR else "yellow"


def _survival(screen: Console, result: Compared) -> None:
    truth = result.truth
    months = "" if result.months is None else f" at {result.months} months"
    heading(screen, f"arms, survival{months}, contrasts")
    by_day = any(row.unit == "day" for row in result.rows)
    for place, arm in enumerate(truth.arms):
        share, other = truth.by_month.survival[place], truth.by_day.survival[place]
        alive = "" if share is None else f", {100 * share:.1f} % alive{months}"
        if by_day and other is not None:
            alive += f" ({100 * other:.1f} by day)"
        indented(screen, f"truth: {arm.arm}: {arm.patients:,} patients{alive}", style="dim")
    _grouped(
        screen,
        result.rows,
        ("", "at", "worst arm", "survival", "p", "hazard ratio"),
        "llrrrr",
        lambda row: (
            arms_off(row),
            Text(survival_off(row), style=_style(row.worst_survival)),
            p_of(row),
            factor(row),
        ),
    )
    if truth.by_month.log_rank_p is not None:
        beside = f" ({p(truth.by_day.log_rank_p)} by day)" if by_day else ""
        said = f"true p of the log-rank test: {p(truth.by_month.log_rank_p)}{beside}"
        indented(screen, said, style="dim")
    _naive(screen, result.rows)
    for reason in reasons(result.rows):
        indented(screen, reason)


def _naive(screen: Console, rows: Sequence[Row]) -> None:
    """What an ordinary test would have said of noisy counts."""
    told = [
        f"{row.name} {p(row.log_rank_naive_p)}" for row in rows if row.log_rank_naive_p is not None
    ]
    if told:
        indented(
            screen, f"p of a test that takes the noise for patients: {', '.join(told)}", style="dim"
        )


def _cost(screen: Console, report: CompareReport) -> None:
    heading(screen, "what it gives away, withholds and costs")
    costs = dict(zip(map(id, report.result.rows), report.run.costs, strict=True))

    def cells(row: Row) -> Sequence[str]:
        cost: Cost = costs[id(row)]
        size = (cost.bytes_sent + cost.bytes_received) / 1e6
        took = [f"{size:.1f}", f"{cost.seconds:.1f}"] if cost.seconds else ["-", "-"]
        return (alone(row), f"{row.withheld_sites:,}", f"{row.withheld_cells:,}", *took)

    _grouped(
        screen,
        report.result.rows,
        ("", "at", "alone", "sites withheld", "cells withheld", "MB", "seconds"),
        "llrrrrr",
        cells,
    )


def _grouped(
    screen: Console, rows: Sequence[Row], headings: Sequence[str], sides: str, cells: _Cells
) -> None:
    """A table with a heading for each group; of the two places of a rule one line has its name."""
    made = Table(box=None, padding=(0, 1, 0, 0), show_edge=False, header_style="dim")
    for word, side in zip(headings, sides, strict=True):
        made.add_column(
            word,
            justify="right" if side == "r" else "left",
            no_wrap=side != "w",
            overflow="fold",
            ratio=1 if side == "w" else None,
        )
    for group in Group:
        of_it = [row for row in rows if row.group is group]
        if of_it:
            made.add_row(Text(str(group), style="bold"))
        before = ""
        for row in of_it:
            name = "" if row.name == before else row.name
            before = row.name
            made.add_row(f" {name}", WHERE[row.place], *cells(row))
    screen.print(Padding(made, (0, 0, 0, 2)))


def _explained(result: Compared) -> list[str]:
    survival = (
        []
        if result.months is None
        else [
            f"survival: of the arm that is farthest off, in points at {result.months} months, the "
            "study's landmark nearest to 36"
        ]
    )
    several = (
        [
            "of several runs: rms is the root of the mean squared error, bias the mean error; miss "
            "says how many runs had bounds or a 95 % interval that leave the truth out"
        ]
        if any(row.repeats > 1 for row in result.rows)
        else []
    )
    days = dict.fromkeys(row.name for row in result.rows if row.unit == "day")
    by_day = f"; by day for {', '.join(days)}" if days else ""
    return [
        f"{line}."
        for line in (
            "at: done at each site before adding up, or once on the sum",
            "off: what is shown less the truth; of bounds, whether the truth is in them, and how "
            "wide they are; what is withheld has no number and no error",
            *several,
            "worst arm: patients of the arm that is farthest off, by the count of who is in which "
            "arm: never by a sum of the cells of its curve that a rule has changed",
            *survival,
            f"hazard ratio: by which factor the worst is off; {times(1.0)} is the truth",
            "alone: patients who are alone in a released cell (arm by time by how it ended)",
            "sites withheld: whose part of the cohort is; cells withheld: of the survival tables",
            "truth: rows of all sites on line; survival, p and ratios by month, as the releases "
            f"tell time{by_day}",
        )
    ]
