"""The command that finds mistakes in a study or cohort."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from simulator.cli.inputs import TYPED, typed

if TYPE_CHECKING:
    from simulator.language.study import Inquiry


@click.command()
@click.argument("study")
def check(study: str) -> None:
    """Find mistakes in a STUDY or cohort and say where they are.

    A mistake ends the command with exit code 2. A warning is about what is
    allowed but likely to mislead: codes that the bundled list does not know or
    that are of another kind, and designs that bend the result.

    STUDY is a path, a bundled name, or - for standard input.
    """
    inquiry, warnings = checked(study)
    _print_check(inquiry, warnings)


def checked(word: str) -> tuple[Inquiry, tuple[str, ...]]:
    """The study or cohort, and what it is warned of."""
    from simulator.language.checks import check_codes
    from simulator.language.documents import parse_document, read_document
    from simulator.language.labels import bundled_hierarchy
    from simulator.language.lint import lint
    from simulator.language.reading import parse_inquiry, place_of, read_inquiry

    if word == "-":
        text = typed()
        inquiry, top = parse_inquiry(text, TYPED), parse_document(text, TYPED)
    else:
        inquiry, top = read_inquiry(word), read_document(place_of(word))
    codes = check_codes(inquiry, top, bundled_hierarchy())
    return inquiry, (*codes, *(str(finding) for finding in lint(inquiry)))


def _print_check(inquiry: Inquiry, warnings: tuple[str, ...]) -> None:
    from rich.text import Text

    from simulator.cli.layout import console, indented

    screen = console()
    screen.print(Text(f"{inquiry.name}, version {inquiry.version}: {inquiry.title}", style="bold"))
    for warning in warnings:
        indented(screen, f"warning: {warning}")
    screen.print(
        f"no mistakes, {len(warnings)} warning{'' if len(warnings) == 1 else 's'}; "
        f"fingerprint {inquiry.fingerprint[:16]}"
    )
