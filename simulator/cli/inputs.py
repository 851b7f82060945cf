"""What commands are given from outside: a study's text, and the time."""

from __future__ import annotations

import datetime as dt
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.language.study import Inquiry, Study


def now() -> dt.datetime:
    """The time in UTC."""
    return dt.datetime.now(dt.UTC)


def inquiry_of(name: str) -> Inquiry:
    """The study or cohort of a path, a bundled name, or standard input for ``-``.

    Raises:
        UserError: There is none, or something in it does not fit.
    """
    from simulator.errors import UserError
    from simulator.language.reading import parse_inquiry, read_inquiry

    if name != "-":
        return read_inquiry(name)
    try:
        text = sys.stdin.read()
    except UnicodeDecodeError as error:
        raise UserError(f"this is not text in UTF-8: {error}", where="<stdin>") from error
    return parse_inquiry(text, "<stdin>")


def study_of(name: str) -> Study:
    """The study of a path, a bundled name, or standard input for ``-``.

    Raises:
        UserError: There is no such study, or something in it does not fit.
    """
    from simulator.language.reading import as_study

    return as_study(inquiry_of(name))
