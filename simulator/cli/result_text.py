"""Prints a study's result for a person who reads it at a glance."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from simulator import __version__
from simulator.cli.as_json import as_json
from simulator.cli.layout import console, heading, indented, number, print_left_out, table
from simulator.cli.subgroup_text import p_value, print_subgroups, ratio_text
from simulator.errors import UserError

if TYPE_CHECKING:
    from simulator.aggregates.released import Released
    from simulator.hub.result import FrozenResult, Report, StudyResult
    from simulator.language.study import Study

_NOT_REACHED: Final = "not reached"


def print_report(report: Report, form: str) -> None:
    """Prints a report on stdout as ``text``, ``json`` or ``csv``."""
    if form == "text":
        _result(console(), report.result)
        return
    click.echo(as_json(report) if form == "json" else _csv(report.result), nl=False)


def write_report(report: Report, study: Study, folder: Path) -> None:
    """Writes result.json, .csv and .txt, report.html, survival.svg and .png into a folder.

    Raises:
        UserError: Nothing can be written there.
    """
    from simulator.report.write import files

    text = io.StringIO()
    _result(console(text), report.result)
    forms = {"json": as_json(report), "csv": _csv(report.result), "txt": text.getvalue()}
    contents = {f"result.{suffix}": content.encode() for suffix, content in forms.items()}
    contents |= files(report, study)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise UserError(
            f"the result cannot be written to '{folder}': {error.strerror}",
            hint="Give --out a folder that can be made or written to.",
        ) from error


def _csv(result: StudyResult) -> str:
    """One line for each arm and landmark."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["arm", "patients", "events", "months", "at_risk", "survival", "lower", "upper"]
    )
    for arm in result.arms:
        for mark in arm.survival:
            writer.writerow(
                [
                    *(arm.arm, _cell(arm.patients), _cell(arm.events)),
                    *(mark.months, _cell(mark.at_risk), mark.estimate, mark.lower, mark.upper),
                ]
            )
    return text.getvalue()


def _cell(count: Released) -> int | str:
    """A count as a number; what is none, in a form that is never read as one."""
    return count if isinstance(count, int) else number(count)


def _result(screen: Console, result: StudyResult) -> None:
    screen.print(Text(result.title, style="bold"))
    screen.print(
        f"{result.study}, version {result.version} | network {result.network.name} | "
        f"release {result.release.name}"
    )
    _print_frozen(screen, result.frozen)
    _print_network(screen, result)
    _print_attrition(screen, result)
    _print_arms(screen, result)
    _print_survival(screen, result)
    _print_contrasts(screen, result)
    print_subgroups(screen, result.subgroups, had_it(result))
    heading(screen, "how to read this")
    for line in (
        f"Estimand: {result.estimand}.",
        f"Estimators: {result.release.estimators}.",
        *(f"Release: {line}." for line in result.release.says),
        f"Disclosure: {result.disclosure.says}.",
        *(f"Note: {line}." for line in result.notes),
    ):
        indented(screen, line)
    screen.print()
    screen.print(f"result {result.fingerprint[:16]}", style="dim")


def _print_frozen(screen: Console, frozen: FrozenResult | None) -> None:
    if frozen is None:
        return
    if frozen.same:
        screen.print(f"what ran is what was frozen, {frozen.at}")
        return
    told = f"NOT what was frozen, {frozen.at}: {', '.join(frozen.differs)}"
    screen.print(Text(told, style="bold red"))
    if frozen.by != __version__:
        screen.print(f"(frozen by cohortium {frozen.by}; this is {__version__})", style="dim")


def _print_network(screen: Console, result: StudyResult) -> None:
    network = result.network
    heading(screen, "network")
    indented(
        screen,
        f"{network.organisations} organisations, {network.online} on line, "
        f"{network.eligible} eligible, {network.asked} asked, {network.answered} answered",
        style="bold",
    )
    print_left_out(screen, network.not_eligible)
    for lost in network.failed:
        indented(screen, f"lost: {lost.site}: {lost.reason}")


def _print_attrition(screen: Console, result: StudyResult) -> None:
    heading(screen, "cohort")
    rows = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, show_header=False)
    rows.add_column(justify="right", no_wrap=True)
    rows.add_column()
    last = len(result.cohort.attrition) - 1
    for place, step in enumerate(result.cohort.attrition):
        style = "bold" if place == last else ""
        rows.add_row(number(step.patients), step.step, style=style)
    screen.print(Padding(rows, (0, 0, 0, 2)))


def had_it(result: StudyResult) -> str:
    """The heading over the number of those who had the outcome."""
    return "died" if result.outcome == "death" else "had it"


def _print_arms(screen: Console, result: StudyResult) -> None:
    arms = result.arms
    heading(screen, "arms")
    if result.outcome != "death":
        indented(screen, f"waited for: {result.outcome}", style="dim")
    mean = next((arm.rmst_months.months for arm in arms if arm.rmst_months), None)
    headings = ["", "patients", had_it(result), "median months", "followed"]
    rows = table(*headings, *([f"mean to {mean}"] if mean else []))
    for arm in arms:
        cells = [
            number(arm.patients),
            number(arm.events),
            _estimate(
                arm.median_months.estimate, arm.median_months.lower, arm.median_months.upper, 1.0
            ),
            _one(arm.median_follow_up_months),
        ]
        if mean and arm.rmst_months:
            cells.append(_one(arm.rmst_months.estimate))
        rows.add_row(arm.arm, *cells)
    screen.print(Padding(rows, (0, 0, 0, 2)))


def _one(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _estimate(
    estimate: float | None, lower: float | None, upper: float | None, scale: float
) -> str:
    """``38.1 (30.2-45.9)``; a bound that is not reached is left open.

    A share, at scale 100, that lacks a bound has no interval: ``0 (-)``.
    """
    if estimate is None:
        return _NOT_REACHED
    digits = 0 if scale == 100.0 else 1
    if scale == 100.0 and (lower is None or upper is None):
        lower = upper = None
    low, high = ("" if bound is None else f"{bound * scale:.{digits}f}" for bound in (lower, upper))
    return f"{estimate * scale:.{digits}f} ({low}-{high})"


def _print_survival(screen: Console, result: StudyResult) -> None:
    arms = result.arms
    what = "survival" if result.outcome == "death" else f"without {result.outcome}"
    heading(screen, f"{what}, % (95 % interval), and patients still watched")
    months = [mark.months for mark in arms[0].survival]
    rows = Table(box=None, padding=(0, 1, 0, 0), show_edge=False, header_style="dim")
    rows.add_column("months")
    for month in months:
        rows.add_column(str(month), justify="right", no_wrap=True)
    for arm in arms:
        rows.add_row(
            arm.arm,
            *(
                _estimate(mark.estimate, mark.lower, mark.upper, 100.0)
                if mark.estimate is not None
                else "-"
                for mark in arm.survival
            ),
        )
        rows.add_row("", *(number(mark.at_risk) for mark in arm.survival), style="dim")
    screen.print(Padding(rows, (0, 0, 0, 2)))


def _print_contrasts(screen: Console, result: StudyResult) -> None:
    if result.log_rank is None:
        return
    heading(screen, "contrasts")
    test = result.log_rank
    indented(
        screen,
        f"log-rank over {len(result.arms)} arms: chi-squared {test.statistic:.2f}, "
        f"{test.df} df, p = {p_value(test.p)}",
    )
    rows = table("hazard ratio of", "against", "ratio (95 %)", "p", "Holm's")
    rows.columns[1].justify = "left"
    rows.padding = (0, 1, 0, 0)
    for ratio in result.hazard_ratios:
        rows.add_row(
            ratio.arm,
            ratio.reference,
            ratio_text(ratio),
            p_value(ratio.p),
            p_value(ratio.p_adjusted),
        )
    screen.print(Padding(rows, (0, 0, 0, 2)))
