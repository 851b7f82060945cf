"""The commands that look at a cohort: how many, and who they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from simulator.cli import options
from simulator.cli.inputs import inquiry_of, now, run_name

if TYPE_CHECKING:
    from simulator.hub.client import Client
    from simulator.hub.result import RunRecord
    from simulator.privacy.releases import Release


PARTS: Final = (
    *("demographics", "conditions", "procedures", "drugs", "labs"),
    *("calendar", "arrival", "follow-up", "pathways"),
)


def _parts(
    _context: click.Context, _parameter: click.Parameter, given: str | None
) -> tuple[str, ...] | None:
    """The parts between commas, each once, in the order of the result."""
    from simulator.errors import UserError, nearest, one_of

    if given is None:
        return None
    words = [word.strip() for word in given.split(",")]
    for word in words:
        if word not in PARTS:
            raise UserError(
                f"there is nothing '{word}' to show; expected {one_of(PARTS)}",
                hint=nearest(word, PARTS),
            )
    return tuple(part for part in PARTS if part in words)


@click.command()
@click.argument("inquiry")
@click.option(
    "--unit",
    type=click.Choice(["patient", "day", "event"]),
    default="patient",
    show_default=True,
    help="Count patients; or the days or events that may be the index, and their patients.",
)
@options.network
@options.data
@options.release
@options.jobs
@options.engine
@options.timeout
@options.seed
@options.output_format
@options.quiet
def count(
    inquiry: str,
    unit: str,
    network: str,
    data: Path,
    jobs: int,
    engine: str,
    timeout: float,
    seed: int | None,
    form: str,
    *,
    rule: Release,
    quiet: bool,
) -> None:
    """Count the patients of a study or cohort, step by step.

    INQUIRY is a path, a bundled name, or - for standard input.
    """
    from simulator.cli.count_text import print_count
    from simulator.cli.progress import progress_bar
    from simulator.hub.analyses.counting import Unit

    asked = inquiry_of(inquiry)
    client = client_of(network, data, rule, jobs, timeout, engine, seed)
    with client, progress_bar("asking", quiet=quiet) as advance:
        report = client.count(
            asked,
            rule,
            Unit(unit),
            run=run_name(seed),
            progress=lambda _site, of: advance(of),
        )
    print_count(report, form)
    warn(report.run)


@click.command()
@click.argument("inquiry")
@click.option(
    "--show",
    metavar="PARTS",
    callback=_parts,
    help="What to look at, between commas; default: all that the release offers. Of "
    f"{', '.join(PARTS)}.",
)
@click.option(
    "--top",
    type=click.IntRange(1, 200),
    default=10,
    show_default=True,
    help="How many diagnoses, procedures and drugs are shown.",
)
@options.network
@options.data
@options.release
@options.jobs
@options.engine
@options.timeout
@options.seed
@options.output_format
@options.quiet
def explore(
    inquiry: str,
    show: tuple[str, ...] | None,
    top: int,
    network: str,
    data: Path,
    jobs: int,
    engine: str,
    timeout: float,
    seed: int | None,
    form: str,
    *,
    rule: Release,
    quiet: bool,
) -> None:
    """Describe the patients of a study or cohort.

    All who pass every step are described; of a study the arms play no part.

    INQUIRY is a path, a bundled name, or - for standard input.
    """
    from simulator.cli.exploration_text import print_exploration
    from simulator.cli.progress import progress_bar
    from simulator.hub.exploration import ANALYSES_OF, Show
    from simulator.hub.offered import offered

    asked = inquiry_of(inquiry)
    # Only a document that names kinds of treatment can be asked in which order they came.
    lines = asked.question.lines
    there = tuple(part for part in PARTS if lines or part != Show.PATHWAYS)
    shown = show or offered({part: ANALYSES_OF[part] for part in there}, rule) or there
    if not show and shown != there:
        gone = ", ".join(part for part in there if part not in shown)
        click.echo(f"'{rule.name}' does not offer {gone}: left out", err=True)
    client = client_of(network, data, rule, jobs, timeout, engine, seed)
    with client, progress_bar("asking", quiet=quiet) as advance:
        report = client.explore(
            asked,
            rule,
            [Show(part) for part in shown],
            top=top,
            run=run_name(seed),
            progress=lambda _site, of: advance(of),
        )
    print_exploration(report, form)
    warn(report.run)


def warn(run: RunRecord) -> None:
    """Says on stderr what the aggregator has to say of the numbers beside those let out before."""
    import textwrap

    for warning in run.warnings:
        lines = textwrap.wrap(f"warning: {warning}", 78, subsequent_indent="  ")
        click.echo("\n".join(lines), err=True)


def client_of(
    network: str,
    data: Path,
    rule: Release,
    jobs: int,
    timeout: float,
    engine: str,
    seed: int | None,
) -> Client:
    """A client of a built network; says so where it is the laboratory's.

    Raises:
        UserError: The network has not been built.
    """
    from simulator.network import Engine, connect, find_network

    built = find_network(network, data)
    laboratory = rule.laboratory_only or seed is not None
    if laboratory:
        shows = "shows raw answers" if rule.by_day else "runs with fresh ledgers"
        click.echo(
            f"laboratory: '{rule.name}' {shows}; the sites' policies are not asked", err=True
        )
    return connect(
        built,
        laboratory=laboratory,
        jobs=jobs,
        seconds=timeout,
        clock=now,
        engine=Engine(engine),
        seed=seed,
    )
