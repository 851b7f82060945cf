"""Prints a study's result for a person who reads it at a glance."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from simulator import __version__
from simulator.cli.arms_text import had_it, print_arms, print_survival
from simulator.cli.as_json import as_json
from simulator.cli.layout import (
    console,
    heading,
    indented,
    p_equals,
    p_value,
    print_left_out,
    print_steps,
    table,
)
from simulator.cli.noise_text import noise_said, release_said
from simulator.cli.out_files import write_files
from simulator.cli.result_csv import as_csv
from simulator.cli.subgroup_text import print_subgroups, ratio_text

if TYPE_CHECKING:
    from simulator.aggregates.released import Released
    from simulator.hub.analyses.results import LogRankResult
    from simulator.hub.result import FrozenResult, Report, StudyResult
    from simulator.language.study import Study


def print_report(report: Report, form: str) -> None:
    """Prints a report on stdout as ``text``, ``json`` or ``csv``."""
    if form == "text":
        _result(console(), report.result)
        return
    click.echo(as_json(report) if form == "json" else as_csv(report.result), nl=False)


def write_report(report: Report, study: Study, folder: Path) -> None:
    """Writes result.json, .csv and .txt, report.html, survival.svg and .png into a folder.

    Raises:
        UserError: Nothing can be written there.
    """
    from simulator.report.write import files

    text = io.StringIO()
    _result(console(text), report.result)
    forms = {"json": as_json(report), "csv": as_csv(report.result), "txt": text.getvalue()}
    contents = {f"result.{suffix}": content.encode() for suffix, content in forms.items()}
    contents |= files(report, study)
    write_files("the result", contents, folder)


def _result(screen: Console, result: StudyResult) -> None:
    screen.print(Text(result.title, style="bold"))
    screen.print(
        f"{result.study}, version {result.version} | network {result.network.name} | "
        f"release {release_said(result.release)}"
    )
    _print_frozen(screen, result.frozen)
    _print_network(screen, result)
    _print_attrition(screen, result)
    print_arms(screen, result)
    print_survival(screen, result)
    _print_contrasts(screen, result)
    print_subgroups(screen, result.subgroups, had_it(result))
    heading(screen, "how to read this")
    for line in (
        f"Estimand: {result.estimand}.",
        f"Estimators: {result.release.estimators}.",
        *(f"Release: {line}." for line in result.release.says),
        *noise_said(_noisy(result)),
        f"Disclosure: {result.disclosure.says}.",
        *(f"Note: {line}." for line in result.notes),
    ):
        indented(screen, line)
    screen.print()
    screen.print(f"result {result.fingerprint[:16]}", style="dim")


def _noisy(result: StudyResult) -> dict[str, list[Released]]:
    """The counts of a result by what they count, for the noise in them to be told."""
    arms = result.arms
    return {
        "steps of the cohort": [step.patients for step in result.cohort.attrition],
        "patients of an arm": [arm.patients for arm in arms],
        f"those who {had_it(result)}": [arm.events for arm in arms],
        "those still watched": [mark.at_risk for arm in arms for mark in arm.survival],
    }


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
    ruled = " as the rule shows it" if result.is_ruled else ""
    heading(screen, f"cohort{ruled}")
    print_steps(screen, [(step.patients, step.step) for step in result.cohort.attrition])


def _print_contrasts(screen: Console, result: StudyResult) -> None:
    if result.log_rank is None:
        return
    heading(screen, "contrasts")
    _print_log_rank(screen, result.log_rank, len(result.arms))
    if not result.hazard_ratios:
        return
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


def _print_log_rank(screen: Console, test: LogRankResult, arms: int) -> None:
    """The test; where there is noise, what it was held against, and what takes noise for people."""
    if not test.null:
        indented(
            screen,
            f"log-rank over {arms} arms: chi-squared {test.statistic:.2f}, "
            f"{test.df} df, {p_equals(test.p)}",
        )
        return
    indented(
        screen, f"log-rank over {arms} arms: statistic {test.statistic:.2f}, {p_equals(test.p)}"
    )
    indented(screen, f"held against {test.null}", style="dim")
    if test.naive_p is not None:
        indented(
            screen,
            f"wrong: the ordinary test, which takes noise for patients, would say "
            f"{p_equals(test.naive_p)}",
            style="dim",
        )
