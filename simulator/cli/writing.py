"""The commands that help to write studies and cohorts, and to read them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from simulator.cli.inputs import inquiry_of

if TYPE_CHECKING:
    from simulator.language.study import Inquiry

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


class _Bundled(msgspec.Struct, frozen=True):
    """A study or cohort that ships with the package."""

    name: str
    kind: str
    title: str
    warnings: tuple[str, ...]


_form = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How it is printed.",
)


@click.command()
@click.argument("study")
@click.option(
    "--as",
    "manner",
    type=click.Choice(["english", "platform"]),
    default="english",
    show_default=True,
    help="In plain English, or in the sentences of the modelled platform.",
)
@_form
def describe(study: str, manner: str, form: str) -> None:
    """Say what a STUDY or cohort asks, so that a physician can check it.

    STUDY is a path, a bundled name, or - for standard input.
    """
    from simulator.cli.as_json import as_json
    from simulator.language.platform_sentences import platform_sentences
    from simulator.language.prose import describe as in_english

    inquiry = inquiry_of(study)
    said = in_english(inquiry) if manner == "english" else platform_sentences(inquiry)
    if form == "text":
        click.echo(said)
        return
    told = {
        "schema": 1,
        "name": inquiry.name,
        "kind": _kind(inquiry),
        "version": inquiry.version,
        "title": inquiry.title,
        "fingerprint": inquiry.fingerprint,
        "as": manner,
        "description": said,
    }
    click.echo(as_json(told), nl=False)


@click.command()
def schema() -> None:
    """Print the JSON Schema of studies and cohorts, for editors."""
    from simulator.language.schema import schema_text

    click.echo(schema_text(), nl=False)


@click.group()
def new() -> None:
    """Write a commented template to begin with."""


_out = click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The file to write, which must not be there yet; default: standard output.",
)


@new.command()
@click.option("--name", default="my-study", show_default=True, help="What the study is called.")
@_out
def study(name: str, out: Path | None) -> None:
    """Write a commented study that runs on the shipped network."""
    from simulator.language.templates import study_template

    _write(study_template(_named(name)), out)


@new.command()
@click.option("--name", default="my-cohort", show_default=True, help="What the cohort is called.")
@_out
def cohort(name: str, out: Path | None) -> None:
    """Write a commented cohort that can be counted on the shipped network."""
    from simulator.language.templates import cohort_template

    _write(cohort_template(_named(name)), out)


def _named(name: str) -> str:
    """A name that can stand in a file as it is.

    Raises:
        UserError: It cannot.
    """
    from simulator.errors import UserError

    if _NAME.fullmatch(name) and name.lower() not in {"null", "true", "false", "yes", "no"}:
        return name
    raise UserError(
        f"expected a name of letters, digits and hyphens, a letter first; found '{name}'",
        where="--name",
        hint="Such as --name my-study.",
    )


def _write(text: str, out: Path | None) -> None:
    """Writes a template, never over a file that is there."""
    from simulator.errors import UserError

    if out is None:
        click.echo(text, nl=False)
        return
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        hint = "Give another --out, or remove the file first."
        raise UserError("the file is there already", where=str(out), hint=hint) from None
    except OSError as error:
        raise UserError(
            f"nothing can be written there: {error.strerror}",
            where=str(out),
            hint="Give --out a file in a folder that can be written to.",
        ) from error
    click.echo(f"{out} is written; `cohortium check {out}` looks at it")


@click.command()
@_form
def queries(form: str) -> None:
    """List the bundled studies and cohorts."""
    from simulator.cli.as_json import as_json
    from simulator.cli.checking import checked

    found = []
    for name in _bundled():
        inquiry, warnings = checked(name)
        found.append(_Bundled(name, _kind(inquiry), inquiry.title, warnings))
    if form == "json":
        click.echo(as_json({"schema": 1, "queries": found}), nl=False)
        return
    _print_queries(found)


def _bundled() -> tuple[str, ...]:
    from simulator.bundled import names
    from simulator.language.reading import COHORTS, STUDIES

    return (*names(STUDIES), *names(COHORTS))


def _kind(inquiry: Inquiry) -> str:
    from simulator.language.study import Study

    return "study" if isinstance(inquiry, Study) else "cohort"


def _print_queries(found: list[_Bundled]) -> None:
    """Names with titles below them, so that both fit whole; studies first."""
    from rich.padding import Padding
    from rich.text import Text

    from simulator.cli.layout import console, heading, indented

    screen = console()
    for kind, word in (("study", "studies"), ("cohort", "cohorts")):
        heading(screen, word)
        for query in found:
            if query.kind == kind:
                number = len(query.warnings)
                told = f" ({number} warning{'' if number == 1 else 's'})" if number else ""
                indented(screen, f"{query.name}{told}", style="bold")
                screen.print(Padding(Text(query.title), (0, 0, 0, 4)))
    screen.print()
    screen.print("`cohortium describe NAME` says what is asked, `cohortium check NAME` what warns")
