"""The command that explains why two results differ."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("first", type=click.Path(path_type=Path), metavar="RESULT")
@click.argument("second", type=click.Path(path_type=Path), metavar="RESULT")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the explanation is printed.",
)
def diff(first: Path, second: Path, form: str) -> None:
    """Explain why the second RESULT differs from the first.

    Each is a result.json, or a folder that `run --out` has written. Says what
    went into both, term by term, which numbers differ and by how much, and what
    can be concluded: nothing differs, all is due to one term, or what to run to
    take several apart.
    """
    from simulator.cli.diff_text import print_differences
    from simulator.hub.differences import explain
    from simulator.hub.recorded import read_recorded

    print_differences(explain(read_recorded(first), read_recorded(second)), form)
