"""Prints everything but results: builds, sites, checks, plans, verifications."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import click
from rich.padding import Padding
from rich.text import Text

from simulator.cli.as_json import as_json
from simulator.cli.layout import console, heading, indented, print_left_out, table

if TYPE_CHECKING:
    from simulator.hub.planner import Plan
    from simulator.laboratory.verify import Verification
    from simulator.network import BuiltNetwork
    from simulator.synthesis.build import BuildReport

# Fewer sites than this are said to be few: between two, each can take its own from the sum.
_FEW: Final = 3


def print_build(report: BuildReport) -> None:
    """What a build did, in a line or two."""
    kept = f", {len(report.kept)} were there already" if report.kept else ""
    click.echo(
        f"{report.network}: {len(report.built)} sites built{kept}; "
        f"{report.patients:,} patients, {report.cohort:,} in the cohort"
    )
    click.echo(f"in {report.folder}")
    if report.replaced:
        click.echo("note: another build stood there; it was replaced, ledgers and all", err=True)


def print_sites(network: BuiltNetwork) -> None:
    """A line for each site."""
    from simulator.site.catalogue import read_catalogue

    screen = console()
    screen.print(Text(f"{network.name}: {network.title}", style="bold"))
    rows = table("site", "persons", "years", "lacks", "on\nline")
    # Nothing is cut: what a site lacks wraps between words, a name only where it leaves no room.
    rows.columns[0].no_wrap, rows.columns[0].overflow = False, "fold"
    rows.columns[3].no_wrap, rows.columns[3].justify = False, "left"
    rows.columns[3].width = max(map(len, _domains())) + len(",")
    rows.padding = (0, 1, 0, 0)
    for member in network.members:
        catalogue = read_catalogue(network.folder_of(member.site)).catalogue
        years = [day.year for held in catalogue.holdings for day in (held.first, held.last)]
        held = {str(holding.domain) for holding in catalogue.holdings}
        lacking = [domain for domain in _domains() if domain not in held]
        rows.add_row(
            member.site,
            f"{catalogue.persons:,}",
            f"{min(years)}-{max(years)}" if years else "-",
            ", ".join(lacking) or "-",
            "yes" if member.online else "no",
        )
    screen.print(rows)


def _domains() -> tuple[str, ...]:
    from simulator.language.criteria import Domain

    return tuple(str(domain) for domain in Domain)


def print_sql(site: str, statement: tuple[str, dict[str, object]]) -> None:
    """The SQL that a site would run, with its parameters."""
    sql, parameters = statement
    click.echo(f"-- what '{site}' would run\n{sql};")
    for name, value in parameters.items():
        click.echo(f"-- ${name} = {value}")


def print_plan(plan: Plan) -> None:
    """Who is asked, who is not and why, what for, and how large the messages are."""
    from simulator.aggregates.grid import Unit
    from simulator.hub.sizes import message_sizes
    from simulator.messages.needs import in_order, layout_of

    screen = console()
    screen.print(Text(plan.inquiry.title, style="bold"))
    screen.print(f"release {plan.release.name}; deciding by catalogues alone")
    heading(screen, "sites")
    indented(
        screen,
        f"{len(plan.candidates)} in the network, {plan.online} on line, "
        f"{len(plan.roster)} eligible and asked",
        style="bold",
    )
    print_left_out(screen, plan.grounds())
    if len(plan.roster) < _FEW and not plan.release.laboratory_only:
        indented(
            screen,
            "few sites: policies usually ask for more in a run; `--release exact` shows it in the "
            "laboratory",
        )
    if plan.unknown:
        code, most = max(plan.unknown.items(), key=lambda item: item[1])
        indented(
            screen,
            f"{len(plan.unknown)} codes are unknown at some of those asked, such as {code} "
            f"at {most}",
            style="dim",
        )
    if plan.unit not in {Unit.DAY, Unit.MONTH}:
        indented(screen, f"survival by {plan.unit}: some sites let out no finer time bins")
    for reason, number in Counter(plan.foreseen.values()).most_common():
        indented(screen, f"{number} of those asked will refuse: its policy {reason}")
    sizes = message_sizes(plan, masked=plan.release.masked)
    for place, needs in enumerate(plan.needs):
        heading(screen, f"round {place + 1} of {len(plan.needs)}")
        rows = table("table", "axes x measures", "cells")
        for need in in_order(needs):
            layout = layout_of(need, plan.question)
            axes = " x ".join(f"{axis.name} {axis.size}" for axis in layout.axes)
            measures = ", ".join(measure.name for measure in layout.measures)
            rows.add_row(
                str(need.__struct_config__.tag), f"{axes} x ({measures})", f"{layout.cells:,}"
            )
        screen.print(Padding(rows, (0, 0, 0, 2)))
        sent, received = sizes[place]
        asked = len(plan.roster)
        steps = " in four steps" if plan.release.masked else ""
        indented(
            screen,
            f"to each site {sent / asked:,.0f} bytes{steps}, from each {received / asked:,.0f}; "
            f"{(sent + received) / 1000:,.0f} kB in all",
        )


def print_verification(found: Verification, form: str) -> None:
    """The three columns, the labels, and the verdict."""
    if form == "json":
        click.echo(as_json(found), nl=False)
        return
    screen = console()
    screen.print(Text(f"{found.study} held against the truth", style="bold"))
    for part in found.parts:
        heading(screen, part.name)
        rows = table("", "federated", "pooled", "reported", "")
        details = [line for line in part.lines if line.is_detail and line.agrees]
        for line in part.lines:
            if not line.is_detail or not line.agrees:
                rows.add_row(
                    line.quantity,
                    _figure(line.federated),
                    _figure(line.pooled),
                    _figure(line.reported),
                    "" if line.agrees else "DIFFERS",
                    style="" if line.agrees else "bold red",
                )
        screen.print(rows)
        indented(screen, f"and {len(details)} bounds and details that agree", style="dim")
    heading(screen, "patient by patient, against the generator's labels")
    for text in found.labels:
        indented(screen, text)
    screen.print()
    screen.print(found.verdict, style="bold")


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.4f}"
