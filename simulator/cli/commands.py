"""The commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator import __version__
from simulator.cli import options
from simulator.cli.analyzing import analyze_option, format_option, measured, one_of
from simulator.cli.checking import check
from simulator.cli.compare import compare
from simulator.cli.comparing import diff
from simulator.cli.exploring import client_of, count, explore, warn
from simulator.cli.freezing import freeze, frozen_option, held_against
from simulator.cli.inputs import now, run_name, study_of
from simulator.cli.ledger import ledger
from simulator.cli.writing import describe, new, queries, schema

if TYPE_CHECKING:
    from simulator.privacy.release import Release


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(__version__, prog_name="cohortium")
def cli() -> None:
    """Ask a network of synthetic hospitals, see only sums.

    Start with `cohortium build`, then `cohortium run bclm`.
    """


@cli.command()
@options.network
@options.data
@click.option(
    "--patients", type=click.IntRange(1), help="How many patients; default: the network's."
)
@click.option("--seed", type=click.IntRange(0), help="The seed; default: the network's.")
@options.jobs
@options.quiet
def build(
    network: str, data: Path, patients: int | None, seed: int | None, jobs: int, *, quiet: bool
) -> None:
    """Build a network's databases, one OMOP file for each site."""
    from simulator.cli.progress import progress_bar
    from simulator.cli.text import print_build
    from simulator.synthesis.build import build as build_network
    from simulator.synthesis.networks import read_network

    plan = read_network(network)
    with progress_bar("building", quiet=quiet) as advance:
        report = build_network(
            plan,
            destination=data / plan.name,
            patients=plan.patients if patients is None else patients,
            seed=plan.seed if seed is None else seed,
            jobs=jobs,
            on_site=lambda _site: advance(len(plan.organisations)),
        )
    print_build(report)


@cli.command()
@options.network
@options.data
def sites(network: str, data: Path) -> None:
    """List the sites of a built network with their catalogues."""
    from simulator.cli.text import print_sites
    from simulator.network import find_network

    print_sites(find_network(network, data))


@cli.command()
@click.argument("study")
@options.network
@options.data
@options.release
@options.jobs
@options.engine
@options.timeout
@click.option("--sql", metavar="SITE", help="Show the SQL that this site would run (local).")
@analyze_option
@format_option
@options.quiet
def explain(
    study: str,
    network: str,
    data: Path,
    jobs: int,
    engine: str,
    timeout: float,
    sql: str | None,
    form: str,
    *,
    rule: Release,
    analyze: bool,
    quiet: bool,
) -> None:
    """Show what a run of a STUDY would do: who is asked, for what, and what crosses the wire."""
    from simulator.cli.text import print_plan, print_sql
    from simulator.network import Engine, connect, find_network, statement_at

    one_of(sql=sql, analyze=analyze, form=form, engine=engine)
    asked, built = study_of(study), find_network(network, data)
    if analyze:
        measured(asked, built, rule, seconds=timeout, form=form, quiet=quiet)
        return
    if sql is not None:
        print_sql(sql, statement_at(built, sql, asked))
        return
    with connect(
        built,
        laboratory=rule.laboratory_only,
        jobs=jobs,
        seconds=timeout,
        clock=now,
        engine=Engine(engine),
    ) as client:
        print_plan(client.plan(asked, rule))


@cli.command()
@click.argument("study")
@options.network
@options.data
@options.release
@options.jobs
@options.engine
@options.timeout
@options.seed
@options.output_format
@options.out
@frozen_option
@options.quiet
def run(
    study: str,
    network: str,
    data: Path,
    jobs: int,
    engine: str,
    timeout: float,
    seed: int | None,
    form: str,
    out: Path | None,
    frozen: Path | None,
    *,
    rule: Release,
    quiet: bool,
) -> None:
    """Run a STUDY on a network and print what was released.

    STUDY is a path, a bundled name, or - for standard input.
    """
    from simulator.cli.progress import progress_bar
    from simulator.cli.result_text import print_report, write_report

    asked = study_of(study)
    held = held_against(frozen, study, asked)
    client = client_of(network, data, rule, jobs, timeout, engine, seed)
    with client, progress_bar("asking", quiet=quiet) as advance:
        report = client.run(
            asked,
            rule,
            run=run_name(seed),
            frozen=held,
            progress=lambda _site, of: advance(of),
        )
    print_report(report, form)
    warn(report.run)
    if out is not None:
        write_report(report, asked, out)


@cli.command()
@click.argument("study")
@options.network
@options.data
@options.jobs
@options.timeout
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def verify(study: str, network: str, data: Path, jobs: int, timeout: float, form: str) -> None:
    """Hold a STUDY against the truth; exit code 5 on a mismatch.

    Three columns: from federated sums; from pooled rows that a plain interpreter
    chose (by lifelines, by month by a life table); as reported. Then, for the
    study that the network was made for, the generator's labels, patient by
    patient. Runs in the laboratory.
    """
    from simulator.cli.text import print_verification
    from simulator.laboratory.verify import verify as hold_against_truth
    from simulator.network import find_network

    found = hold_against_truth(
        study_of(study), find_network(network, data), jobs=jobs, seconds=timeout, clock=now
    )
    print_verification(found, form)
    found.raise_on_mismatch()


for command in (check, describe, new, queries, schema):
    cli.add_command(command)
cli.add_command(count)
cli.add_command(explore)
cli.add_command(compare)
cli.add_command(diff)
cli.add_command(freeze)
cli.add_command(ledger)
