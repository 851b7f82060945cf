"""The command that fixes a study before its results are seen, and what a run says of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator import __version__
from simulator.cli.inputs import now, study_of

if TYPE_CHECKING:
    from simulator.hub.result import FrozenResult
    from simulator.language.study import Study


@click.command()
@click.argument("study")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The file to write; default: STUDY.frozen.yaml beside a path, else in this folder.",
)
def freeze(study: str, out: Path | None) -> None:
    """Fix a STUDY by fingerprints before its results are seen.

    Writes a small file that says what codes, index and steps, arms, outcome,
    follow-up and analyses are, and when that was fixed. Every later `run` that
    finds the file says whether what ran is what was frozen. A file that says
    otherwise is never overwritten.

    STUDY is a path, a bundled name, or - for standard input.
    """
    from simulator.language.freezing import beside, write_frozen
    from simulator.language.freezing import freeze as freeze_study

    asked = study_of(study)
    frozen = freeze_study(asked, code_list=_code_list(), at=now(), by=__version__)
    path = out or beside(study, asked.name)
    stands = write_frozen(frozen, path)
    if stands is not frozen:
        click.echo(f"{path}\nsays the same already, since {stands.at.isoformat()}; left as it is")
        return
    click.echo(f"{frozen.study}, version {frozen.version}, is frozen\nin {path}")
    for name, fingerprint in frozen.fingerprints.items():
        click.echo(f"  {name:<22} {fingerprint[:16]}")


frozen_option = click.option(
    "--frozen",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="What `freeze` wrote; default: STUDY.frozen.yaml where freeze writes it, if it is there.",
)


def held_against(given: Path | None, word: str, study: Study) -> FrozenResult | None:
    """Whether a study is what was frozen; None where nothing was.

    Args:
        given: The file that the user named, if any.
        word: How the user named the study.
        study: The study that will run.

    Raises:
        UserError: The file that was named is not there, or one does not fit.
    """
    from simulator.hub.result import FrozenResult
    from simulator.language.fingerprints import differing
    from simulator.language.freezing import beside, freeze, read_frozen

    path = given or beside(word, study.name)
    if given is None and not path.is_file():
        return None
    before = read_frozen(path)
    runs = freeze(study, code_list=_code_list(), at=now(), by=__version__)
    differs = differing(before.fingerprints, runs.fingerprints)
    return FrozenResult(before.at.isoformat(), before.by, not differs, differs)


def _code_list() -> str:
    from simulator.bundled import library
    from simulator.language.hierarchy import read_hierarchy

    return read_hierarchy(library("queries") / "codes").fingerprint
