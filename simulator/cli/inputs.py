"""What commands are given from outside: a study's text, and the time."""

from __future__ import annotations

import datetime as dt
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from simulator.language.study import Inquiry, Study

TYPED: Final = "<stdin>"
"""What messages call standard input."""


def now() -> dt.datetime:
    """The time in UTC."""
    return dt.datetime.now(dt.UTC)


def inquiry_of(name: str) -> Inquiry:
    """The study or cohort of a path, a bundled name, or standard input for ``-``.

    Raises:
        UserError: There is none, or something in it does not fit.
    """
    from simulator.language.reading import parse_inquiry, read_inquiry

    return read_inquiry(name) if name != "-" else parse_inquiry(typed(), TYPED)


def typed() -> str:
    """What stands on standard input.

    Raises:
        UserError: It is not text.
    """
    from simulator.errors import UserError

    try:
        return sys.stdin.read()
    except UnicodeDecodeError as error:
        hint = "Save it as plain text in UTF-8."
        raise UserError("this is not text in UTF-8", where=TYPED, hint=hint) from error


def study_of(name: str) -> Study:
    """The study of a path, a bundled name, or standard input for ``-``.

    Raises:
        UserError: There is no such study, or something in it does not fit.
    """
    from simulator.language.reading import as_study

    return as_study(inquiry_of(name))


def run_name(seed: int | None) -> str:
    """What a run is called: a name of its own, or with a seed always the same."""
    import uuid

    return uuid.uuid4().hex if seed is None else f"seed {seed}"
