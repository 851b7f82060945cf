"""The command that runs one study under many releases and holds each against the truth."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.cli import options
from simulator.cli.inputs import now, run_name, study_of


def _between_commas(
    _context: click.Context, _parameter: click.Parameter, given: str | None
) -> tuple[str, ...] | None:
    """The words between commas, each once; None where none are given."""
    if given is None:
        return None
    words = tuple(dict.fromkeys(word.strip() for word in given.split(",") if word.strip()))
    if not words:
        raise click.BadParameter("expected words between commas; found nothing")
    return words


@click.command()
@click.argument("study")
@options.network
@options.data
@click.option(
    "--releases",
    "names",
    metavar="NAMES",
    callback=_between_commas,
    help="Which, between commas; default: all. Rules are done at each site and on the sum.",
)
@click.option(
    "--epsilon",
    "epsilons",
    metavar="NUMBERS",
    callback=_between_commas,
    help="What a run under dp may cost, between commas; default: 0.5,1,3.",
)
@click.option(
    "--repeats",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="How often a release that draws by chance is run, for mean and spread.",
)
@options.seed
@options.jobs
@options.timeout
@options.output_format
@options.out
@options.quiet
def compare(
    study: str,
    network: str,
    data: Path,
    names: tuple[str, ...] | None,
    epsilons: tuple[str, ...] | None,
    repeats: int,
    seed: int | None,
    jobs: int,
    timeout: float,
    form: str,
    out: Path | None,
    *,
    quiet: bool,
) -> None:
    """Run a STUDY under many releases and hold each against the truth.

    Cohort, arms, survival, tests and hazard ratios, each with its error; what
    is withheld, what is given away, what it costs. With --out also a figure
    and a page. Runs in the laboratory.

    STUDY is a path, a bundled name, or - for standard input.
    """
    import time

    from simulator.cli.compare_text import print_comparison, write_comparison
    from simulator.cli.progress import progress_bar
    from simulator.laboratory.compare import Setting
    from simulator.laboratory.compare import compare as hold_against_truth
    from simulator.laboratory.compare_choice import releases
    from simulator.network import find_network

    asked, built = study_of(study), find_network(network, data)
    under = releases(names, epsilons)
    click.echo("laboratory: the truth is looked at; no policy is asked", err=True)
    with progress_bar("comparing", quiet=quiet) as advance:
        report = hold_against_truth(
            asked,
            built,
            under,
            Setting(
                jobs=jobs,
                seconds=timeout,
                clock=now,
                timer=time.perf_counter,
                run_name=run_name,
                seed=seed,
                repeats=repeats,
                progress=lambda _site, of: advance(of),
            ),
        )
    print_comparison(report, form)
    if out is not None:
        write_comparison(report, out)
