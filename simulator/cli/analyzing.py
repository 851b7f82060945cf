"""The part of `explain` that measures: options, and the call into the laboratory."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from simulator.cli.inputs import now

if TYPE_CHECKING:
    from simulator.language.study import Study
    from simulator.network import BuiltNetwork
    from simulator.privacy.releases import Release

analyze_option = click.option(
    "--analyze",
    is_flag=True,
    help="Run it at each eligible site and show what each step took (laboratory, local).",
)
format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How --analyze is printed.",
)


def measured(
    study: Study, network: BuiltNetwork, release: Release, *, seconds: float, form: str, quiet: bool
) -> None:
    """Measures what a study costs each eligible site, and prints it."""
    from simulator.cli.analysis_text import print_analysis
    from simulator.cli.progress import progress_bar
    from simulator.laboratory.analyze import analyze

    click.echo("laboratory: what each site holds is shown; no policy is asked", err=True)
    with progress_bar("measuring", quiet=quiet) as advance:
        found = analyze(
            study,
            network,
            release,
            seconds=seconds,
            clock=now,
            timer=time.perf_counter,
            progress=lambda _site, of: advance(of),
        )
    print_analysis(found, form)


def one_of(*, sql: str | None, analyze: bool, form: str, engine: str) -> None:
    """Refuses options that do not go together.

    Raises:
        click.UsageError: Both --sql and --analyze, --format without --analyze, or one of the two
            where sites are not in this process.
    """
    if sql is not None and analyze:
        raise click.UsageError("--sql shows one site's statement, --analyze runs all: give one")
    if form != "text" and not analyze:
        raise click.UsageError("--format goes with --analyze")
    if (sql is not None or analyze) and engine != "local":
        raise click.UsageError("--sql and --analyze look into this process: leave --engine out")
