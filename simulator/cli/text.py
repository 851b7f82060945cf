"""Prints results for a person who reads them at a glance in 80 columns."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from simulator.aggregates.released import Between, Released, Withheld

if TYPE_CHECKING:
    from simulator.hub.planner import Plan
    from simulator.hub.result import ArmResult, LeftOut, Report, StudyResult
    from simulator.laboratory.verify import Verification
    from simulator.language.study import Study
    from simulator.network import BuiltNetwork
    from simulator.synthesis.build import BuildReport

_WIDTH: Final = 80
_NOT_REACHED: Final = "not reached"


def console(file: io.StringIO | None = None) -> Console:
    """A console of at most 80 columns; plain where the output is not a terminal."""
    found = Console(file=file, highlight=False)
    return found if found.width <= _WIDTH else Console(file=file, highlight=False, width=_WIDTH)


def number(count: Released) -> str:
    """A released count as text."""
    if isinstance(count, Withheld):
        return "withheld"
    if isinstance(count, Between):
        return f"{count.at_least}-{count.at_most}"
    return f"{count:,}"


def _table(*headings: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="dim")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place == 0 else "right", no_wrap=place > 0)
    return table


def _heading(screen: Console, word: str) -> None:
    screen.print()
    screen.print(Text(word.upper(), style="bold"))


def _indented(screen: Console, text: str, style: str = "") -> None:
    screen.print(Padding(Text(text, style=style), (0, 0, 0, 2)))


# -- results ------------------------------------------------------------------------------------


def print_report(report: Report, form: str) -> None:
    """Prints a report on stdout as ``text``, ``json`` or ``csv``."""
    if form == "text":
        _result(console(), report.result)
        return
    click.echo(_json(report) if form == "json" else _csv(report.result), nl=False)


def write_report(report: Report, folder: Path) -> None:
    """Writes result.json, result.csv and result.txt into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(_json(report), encoding="utf-8")
    (folder / "result.csv").write_text(_csv(report.result), encoding="utf-8")
    text = io.StringIO()
    _result(console(text), report.result)
    (folder / "result.txt").write_text(text.getvalue(), encoding="utf-8")


def _json(report: object) -> str:
    return msgspec.json.format(msgspec.json.encode(to_json(report)), indent=2).decode() + "\n"


def to_json(value: object) -> object:
    """Built-in values; a withheld number as ``{"withheld": {"below": 11}}``."""
    if isinstance(value, Withheld):
        return {"withheld": msgspec.to_builtins(value)}
    if isinstance(value, msgspec.Struct):
        fields = zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True)
        return {name: to_json(getattr(value, field)) for name, field in fields}
    if isinstance(value, tuple | list):
        return [to_json(member) for member in value]
    if isinstance(value, dict):
        return {key: to_json(member) for key, member in value.items()}
    return value


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
                    *(arm.arm, arm.patients, arm.events),
                    *(mark.months, mark.at_risk, mark.estimate, mark.lower, mark.upper),
                ]
            )
    return text.getvalue()


def _result(screen: Console, result: StudyResult) -> None:
    screen.print(Text(result.title, style="bold"))
    screen.print(
        f"{result.study}, version {result.version} | network {result.network.name} | "
        f"release {result.release.name}"
    )
    _print_network(screen, result)
    _print_attrition(screen, result)
    _print_arms(screen, result.arms)
    _print_survival(screen, result.arms)
    _print_contrasts(screen, result)
    _heading(screen, "how to read this")
    for line in (
        f"Estimand: {result.estimand}.",
        f"Estimators: {result.release.estimators}.",
        *(f"Release: {line}." for line in result.release.says),
        f"Disclosure: {result.disclosure.says}.",
        *(f"Note: {line}." for line in result.notes),
    ):
        _indented(screen, line)
    screen.print()
    screen.print(f"result {result.fingerprint[:16]}", style="dim")


def _print_network(screen: Console, result: StudyResult) -> None:
    network = result.network
    _heading(screen, "network")
    _indented(
        screen,
        f"{network.organisations} organisations, {network.online} on line, "
        f"{network.eligible} eligible, {network.asked} asked, {network.answered} answered",
        style="bold",
    )
    _print_left_out(screen, network.not_eligible)
    for lost in network.failed:
        _indented(screen, f"lost: {lost.site}: {lost.reason}")


def _print_left_out(screen: Console, grounds: tuple[LeftOut, ...]) -> None:
    """How many sites are not asked for each reason."""
    for ground in grounds:
        for reason, count in sorted(ground.reasons.items(), key=lambda item: -item[1]):
            _indented(screen, f"{count:>3} {reason}")


def _print_attrition(screen: Console, result: StudyResult) -> None:
    _heading(screen, "cohort")
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, show_header=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    last = len(result.cohort.attrition) - 1
    for place, step in enumerate(result.cohort.attrition):
        style = "bold" if place == last else ""
        table.add_row(number(step.patients), step.step, style=style)
    screen.print(Padding(table, (0, 0, 0, 2)))


def _print_arms(screen: Console, arms: tuple[ArmResult, ...]) -> None:
    _heading(screen, "arms")
    mean = next((arm.rmst_months.months for arm in arms if arm.rmst_months), None)
    headings = ["", "patients", "died", "median months", "followed"]
    table = _table(*headings, *([f"mean to {mean}"] if mean else []))
    for arm in arms:
        cells = [
            f"{arm.patients:,}",
            f"{arm.events:,}",
            _estimate(
                arm.median_months.estimate, arm.median_months.lower, arm.median_months.upper, 1.0
            ),
            _one(arm.median_follow_up_months),
        ]
        if mean and arm.rmst_months:
            cells.append(_one(arm.rmst_months.estimate))
        table.add_row(arm.arm, *cells)
    screen.print(Padding(table, (0, 0, 0, 2)))


def _one(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _estimate(
    estimate: float | None, lower: float | None, upper: float | None, scale: float
) -> str:
    """``38.1 (30.2-45.9)``; a bound that is not reached is left open."""
    if estimate is None:
        return _NOT_REACHED
    digits = 0 if scale == 100.0 else 1
    low, high = ("" if bound is None else f"{bound * scale:.{digits}f}" for bound in (lower, upper))
    return f"{estimate * scale:.{digits}f} ({low}-{high})"


def _print_survival(screen: Console, arms: tuple[ArmResult, ...]) -> None:
    _heading(screen, "survival, % (95 % interval), and patients still watched")
    months = [mark.months for mark in arms[0].survival]
    table = Table(box=None, padding=(0, 1, 0, 0), show_edge=False, header_style="dim")
    table.add_column("months")
    for month in months:
        table.add_column(str(month), justify="right", no_wrap=True)
    for arm in arms:
        table.add_row(
            arm.arm,
            *(
                _estimate(mark.estimate, mark.lower, mark.upper, 100.0)
                if mark.estimate is not None
                else "-"
                for mark in arm.survival
            ),
        )
        table.add_row("", *(f"{mark.at_risk:,}" for mark in arm.survival), style="dim")
    screen.print(Padding(table, (0, 0, 0, 2)))


def _print_contrasts(screen: Console, result: StudyResult) -> None:
    if result.log_rank is None:
        return
    _heading(screen, "contrasts")
    test = result.log_rank
    _indented(
        screen,
        f"log-rank over {len(result.arms)} arms: chi-squared {test.statistic:.2f}, "
        f"{test.df} df, p = {_p(test.p)}",
    )
    table = _table("hazard ratio of", "against", "ratio (95 %)", "p", "Holm's")
    table.columns[1].justify = "left"
    table.padding = (0, 1, 0, 0)
    for ratio in result.hazard_ratios:
        found = "not estimable"
        if ratio.estimate is not None:
            low, high = (
                "" if bound is None else f"{bound:.2f}" for bound in (ratio.lower, ratio.upper)
            )
            found = f"{ratio.estimate:.2f} ({low}-{high})"
        table.add_row(ratio.arm, ratio.reference, found, _p(ratio.p), _p(ratio.p_adjusted))
    screen.print(Padding(table, (0, 0, 0, 2)))


def _p(value: float | None) -> str:
    if value is None:
        return "-"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def print_build(report: BuildReport) -> None:
    """What a build did, in a line or two."""
    kept = f", {len(report.kept)} were there already" if report.kept else ""
    click.echo(
        f"{report.network}: {len(report.built)} sites built{kept}; "
        f"{report.patients:,} patients, {report.cohort:,} of them in the cohort"
    )
    click.echo(f"in {report.folder}")


# -- everything else ----------------------------------------------------------------------------


def print_sites(network: BuiltNetwork) -> None:
    """A line for each site."""
    from simulator.site.catalogue import read_catalogue

    screen = console()
    screen.print(Text(f"{network.name}: {network.title}", style="bold"))
    table = _table("site", "persons", "years", "does not hold", "on line")
    for member in network.members:
        catalogue = read_catalogue(network.folder_of(member.site)).catalogue
        years = [day.year for held in catalogue.holdings for day in (held.first, held.last)]
        held = {str(holding.domain) for holding in catalogue.holdings}
        lacking = [domain for domain in _domains() if domain not in held]
        table.add_row(
            member.site,
            f"{catalogue.persons:,}",
            f"{min(years)}-{max(years)}" if years else "-",
            ", ".join(lacking) or "-",
            "yes" if member.online else "no",
        )
    screen.print(table)


def _domains() -> tuple[str, ...]:
    from simulator.language.criteria import Domain

    return tuple(str(domain) for domain in Domain)


def print_check(study: Study) -> None:
    """What a check finds: codes that the bundled hierarchy does not know, and the lint."""
    from simulator.bundled import library
    from simulator.language.hierarchy import read_hierarchy
    from simulator.language.lint import lint

    screen = console()
    hierarchy = read_hierarchy(library("queries") / "codes")
    findings = [
        f"codes '{codes.name}': the bundled code list does not know '{code}'; sites may"
        for codes in study.question.codes
        for code in (*codes.include, *codes.exclude)
        if hierarchy.find(code.vocabulary, code.code) is None
    ]
    findings += [str(finding) for finding in lint(study)]
    screen.print(Text(f"{study.name}, version {study.version}: {study.title}", style="bold"))
    for finding in findings:
        _indented(screen, f"warning: {finding}")
    screen.print(
        f"no mistakes, {len(findings)} warning{'' if len(findings) == 1 else 's'}; "
        f"fingerprint {study.fingerprint[:16]}"
    )


def print_sql(site: str, statement: tuple[str, dict[str, object]]) -> None:
    """The SQL that a site would run, with its parameters."""
    sql, parameters = statement
    click.echo(f"-- what '{site}' would run\n{sql};")
    for name, value in parameters.items():
        click.echo(f"-- ${name} = {value}")


def print_plan(plan: Plan) -> None:
    """Who is asked, who is not and why, what for, and how large the messages are."""
    from simulator.hub.run import message_sizes
    from simulator.messages.needs import layout_of

    screen = console()
    screen.print(Text(plan.study.title, style="bold"))
    screen.print(f"release {plan.release.name}; deciding by catalogues alone")
    _heading(screen, "sites")
    _indented(
        screen,
        f"{len(plan.candidates)} in the network, {plan.online} on line, "
        f"{len(plan.roster)} eligible and asked",
        style="bold",
    )
    _print_left_out(screen, plan.grounds())
    for code, count in sorted(plan.unknown.items(), key=lambda item: -item[1])[:8]:
        _indented(screen, f"{count:>3} of those asked do not know the code {code}", style="dim")
    sizes = message_sizes(plan)
    for place, needs in enumerate(plan.needs):
        _heading(screen, f"round {place + 1} of {len(plan.needs)}")
        table = _table("table", "axes x measures", "cells")
        for need in sorted(needs, key=repr):
            layout = layout_of(need, plan.study.question)
            axes = " x ".join(f"{axis.name} {axis.size}" for axis in layout.axes)
            measures = ", ".join(measure.name for measure in layout.measures)
            table.add_row(
                str(need.__struct_config__.tag), f"{axes} x ({measures})", f"{layout.cells:,}"
            )
        screen.print(Padding(table, (0, 0, 0, 2)))
        request, answer = sizes[place]
        _indented(
            screen,
            f"to each site {request:,} bytes, from each {answer:,}; "
            f"{(request + answer) * len(plan.roster) / 1000:,.0f} kB in all",
        )


def print_verification(found: Verification, form: str) -> None:
    """The three columns, the labels, and the verdict."""
    if form == "json":
        click.echo(_json(found), nl=False)
        return
    screen = console()
    screen.print(Text(f"{found.study} held against the truth", style="bold"))
    table = _table("", "federated", "pooled", "reported", "")
    for line in found.lines:
        table.add_row(
            line.quantity,
            _figure(line.federated),
            _figure(line.pooled),
            _figure(line.reported),
            "" if line.agrees else "DIFFERS",
            style="" if line.agrees else "bold red",
        )
    screen.print(table)
    _heading(screen, "patient by patient, against the generator's labels")
    for text in found.labels:
        _indented(screen, text)
    screen.print()
    screen.print(found.verdict, style="bold")


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.4f}"
