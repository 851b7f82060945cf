"""Prints a count for a person who reads it at a glance."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from simulator.cli.as_json import as_json
from simulator.cli.layout import (
    bar,
    cell,
    console,
    heading,
    indented,
    number,
    print_left_out,
    size,
)
from simulator.cli.noise_text import noise_said, release_said

if TYPE_CHECKING:
    from simulator.aggregates.released import Released
    from simulator.hub.counting import CountReport, CountResult
    from simulator.hub.result import NetworkResult, ReleaseResult

_BAR: Final = 12


def print_count(report: CountReport, form: str) -> None:
    """Prints a count on stdout as ``text``, ``json`` or ``csv``."""
    if form == "text":
        _result(console(), report.result)
        return
    click.echo(as_json(report) if form == "json" else _csv(report.result), nl=False)


def print_head(screen: Console, title: str, words: str, network: NetworkResult) -> None:
    """The title, what was asked under which release, and who answered."""
    screen.print(Text(title, style="bold"))
    screen.print(words)
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


def print_notes(
    screen: Console,
    release: ReleaseResult,
    notes: tuple[str, ...],
    counts: Mapping[str, Iterable[Released]],
) -> None:
    """How the numbers are to be read; `counts`, by what they count, may have noise in them."""
    heading(screen, "how to read this")
    for line in release.says:
        indented(screen, f"Release: {line}.")
    for line in noise_said(counts):
        indented(screen, line)
    for line in notes:
        indented(screen, f"Note: {line}.")
    screen.print()


def _csv(result: CountResult) -> str:
    """One line for each step."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    unit = f"{result.unit}s"
    counted = [] if unit == "patients" else [unit]
    writer.writerow(["step", "patients", *counted])
    for step in result.steps:
        counts = [
            step.patients,
            *(found for found in (step.days, step.events) if found is not None),
        ]
        writer.writerow([step.step, *(cell(count) for count in counts)])
    return text.getvalue()


def _result(screen: Console, result: CountResult) -> None:
    words = (
        f"{result.name}, version {result.version} | network {result.network.name} | "
        f"release {release_said(result.release)}"
    )
    print_head(screen, result.title, words, result.network)
    _print_steps(screen, result)
    counts = {"steps of the cohort": [step.patients for step in result.steps]}
    print_notes(screen, result.release, result.notes, counts)
    screen.print(f"result {result.fingerprint[:16]}", style="dim")


def _print_steps(screen: Console, result: CountResult) -> None:
    heading(screen, result.kind if result.kind == "cohort" else "cohort")
    by_patient = result.unit == "patient"
    rows = Table(
        box=None,
        padding=(0, 2, 0, 0),
        show_edge=False,
        show_header=not by_patient,
        header_style="dim",
    )
    for word in ("patients",) if by_patient else (f"{result.unit}s", "patients"):
        rows.add_column(word, justify="right", no_wrap=True)
    rows.add_column("", no_wrap=True)
    rows.add_column("")
    most = max(size(step.patients) for step in result.steps)
    for place, step in enumerate(result.steps):
        entries = step.days if result.unit == "day" else step.events
        told = [] if entries is None else [number(entries)]
        style = "bold" if place == len(result.steps) - 1 else ""
        drawn = bar(size(step.patients), most, _BAR)
        rows.add_row(*told, number(step.patients), drawn, step.step, style=style)
    screen.print(Padding(rows, (0, 0, 0, 2)))
