"""Prints what a study costs each site, by step, and which sites are slowest."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from simulator.cli.as_json import as_json
from simulator.cli.layout import console, heading, indented, table

if TYPE_CHECKING:
    from simulator.laboratory.analyze import Analysis, Spread, StepSummary

_SLOWEST: Final = 5
_SHOWN_OF_A_SITE: Final = ("open", "resolve concepts", "query")


def print_analysis(found: Analysis, form: str) -> None:
    """Prints an analysis as ``text`` or ``json``."""
    if form == "json":
        click.echo(as_json(found), nl=False)
        return
    screen = console()
    sites = len({site.site for site in found.sites})
    whose = "one site" if sites == 1 else f"each of {sites} sites"
    screen.print(Text(f"what {found.study} costs {whose}", style="bold"))
    screen.print(f"laboratory | network {found.network} | tables of release {found.release}")
    heading(screen, "milliseconds, over sites")
    _print_milliseconds(screen, found)
    heading(screen, "rows, estimated and measured, over sites")
    _print_both(screen, found, lambda step: step.estimated_rows, lambda step: step.rows)
    heading(screen, "bytes, estimated and measured, over sites")
    _print_both(screen, found, lambda step: step.estimated_bytes, lambda step: step.bytes)
    heading(screen, "the slowest sites, milliseconds")
    _print_slowest(screen, found)
    heading(screen, "how to read this")
    for line in (
        "Sites were asked one after the other, each database opened anew; no policy, no ledger.",
        "The query ran as a site runs it; its parts come from running it again: once as it is, "
        "and once under DuckDB's profiler.",
        "Rows are estimated by DuckDB with its whole optimizer; sites run few of its passes.",
    ):
        indented(screen, line)


def _name(step: StepSummary) -> str:
    return f"  {step.step}" if step.within else step.step


def _print_milliseconds(screen: Console, found: Analysis) -> None:
    rows = table("step", "median", "max", "total")
    for step in found.summary:
        spread = step.milliseconds
        rows.add_row(
            _name(step), f"{spread.median:.2f}", f"{spread.most:.2f}", f"{spread.total:,.0f}"
        )
    screen.print(Padding(rows, (0, 0, 0, 2)))


def _print_both(
    screen: Console,
    found: Analysis,
    estimated: Callable[[StepSummary], Spread | None],
    measured: Callable[[StepSummary], Spread | None],
) -> None:
    """Median, greatest and total of what was estimated, then of what was measured."""
    rows = table("step", "est: median", "max", "total", "real: median", "max", "total")
    rows.padding = (0, 1, 0, 0)
    for step in found.summary:
        pair = (estimated(step), measured(step))
        if pair != (None, None):
            rows.add_row(_name(step), *(cell for spread in pair for cell in _cells(spread)))
    screen.print(Padding(rows, (0, 0, 0, 2)))


def _cells(spread: Spread | None) -> tuple[str, str, str]:
    if spread is None:
        return "-", "-", "-"
    return f"{spread.median:,.0f}", f"{spread.most:,.0f}", f"{spread.total:,.0f}"


def _print_slowest(screen: Console, found: Analysis) -> None:
    rows = table("site", "all", *(step.split()[0] for step in _SHOWN_OF_A_SITE), "other")
    rows.columns[0].overflow = "fold"
    rows.padding = (0, 1, 0, 0)
    for site in found.slowest(_SLOWEST):
        took = {step.step: step.milliseconds for step in site.steps if step.within is None}
        shown = [took[step] for step in _SHOWN_OF_A_SITE]
        cells = (site.milliseconds, *shown, site.milliseconds - sum(shown))
        rows.add_row(site.site, *(f"{cell:.1f}" for cell in cells))
    screen.print(Padding(rows, (0, 0, 0, 2)))
