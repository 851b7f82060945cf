"""The options that several commands share."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable
from pathlib import Path

import click


def _a_number(_context: click.Context, _parameter: click.Parameter, value: float) -> float:
    """Refuses what is no number, which is neither below nor above any bound."""
    if math.isnan(value):
        raise click.BadParameter("expected a number of seconds; found 'nan'")
    return value


network = click.option(
    "--network",
    default="as-reported",
    show_default=True,
    metavar="NAME|PATH",
    help="The network that is built or asked.",
)
data = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="COHORTIUM_DATA",
    default=Path("data"),
    show_default=True,
    help="The folder that holds built networks.",
)
jobs = click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    default=lambda: max(1, min(4, os.cpu_count() or 1)),
    show_default="the number of cores, at most 4",
    help="How many sites work at once.",
)
engine = click.option(
    "--engine",
    type=click.Choice(["local", "processes"]),
    default="local",
    show_default=True,
    help="Where sites answer: in threads of this process, or in as many processes as --jobs,"
    " which hold their databases.",
)
timeout = click.option(
    "--timeout",
    type=click.FloatRange(0.0, 86_400.0, min_open=True),
    callback=_a_number,
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="The deadline for all sites to answer.",
)
_release = (
    click.option(
        "--release",
        default="secure-sum",
        show_default=True,
        metavar="NAME",
        help="The rule of release: secure-sum, secure-steps, dp, platform; in the laboratory also"
        " exact and the rules of other systems, such as shrine or round-up-10.",
    ),
    click.option(
        "--at",
        type=click.Choice(["site", "network"]),
        help="Where a rule of another system is applied; default: at each site, as there.",
    ),
    click.option(
        "--epsilon",
        metavar="NUMBER",
        help="What the run may cost of the sites' budgets, for dp; default: 1.",
    ),
    click.option(
        "--noise",
        type=click.Choice(["laplace", "skellam"]),
        help="The noise of dp; default: laplace.",
    ),
)
seed = click.option(
    "--seed",
    type=click.IntRange(0),
    help="In the laboratory: a seed for all masks and noise, which are then not private.",
)


def release(command: Callable[..., object]) -> Callable[..., object]:
    """Adds the options that say under which release numbers stand; the command gets `rule`."""

    @functools.wraps(command)
    def with_rule(
        *args: object,
        release: str,
        at: str | None,
        epsilon: str | None,
        noise: str | None,
        **rest: object,
    ) -> object:
        from simulator.privacy.releases import chosen

        return command(*args, rule=chosen(release, at, epsilon, noise), **rest)

    for option in reversed(_release):
        with_rule = option(with_rule)
    return with_rule


output_format = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "csv"]),
    default="text",
    show_default=True,
    help="How the result is printed.",
)


def _a_folder(
    _context: click.Context, _parameter: click.Parameter, value: Path | None
) -> Path | None:
    """Refuses a folder that can neither be made nor written to, before anything is asked."""
    if value is None:
        return None
    there = next((place for place in (value, *value.absolute().parents) if place.exists()), value)
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise click.BadParameter(
            f"'{value}' can neither be made nor written to: '{there}' is no folder of yours"
        )
    return value


def _some_path(text: str) -> Path:
    """A path; an empty one is not the current folder."""
    if not text:
        raise click.BadParameter("expected a folder; found nothing")
    return Path(text)


out = click.option(
    "--out",
    type=_some_path,
    metavar="DIRECTORY",
    callback=_a_folder,
    help="A folder to write the result to, in every format.",
)
quiet = click.option("--quiet", is_flag=True, help="No progress on stderr.")
