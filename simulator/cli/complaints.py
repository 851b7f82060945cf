"""How an error is told: on a terminal wrapped, elsewhere a sentence to a line."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from typing import Final

from simulator.errors import CohortiumError

_WIDTH: Final = 80
_INDENT: Final = "  "
# A blank that no line is broken at, while the text is being wrapped.
_KEPT: Final = "\0"
_COMMAND: Final = re.compile(r"`[^`]*`")


def told(error: CohortiumError) -> str:
    """The error as text; wrapped on a terminal, elsewhere unbroken, so that it can be found."""
    text = f"error: {error}"
    if not sys.stderr.isatty():
        return text
    return wrapped(text, error.where, min(shutil.get_terminal_size().columns, _WIDTH))


def wrapped(text: str, where: str | None, width: int) -> str:
    """A text in lines of at most a width, what is carried over two columns in.

    Args:
        text: The text; its own lines stay lines.
        where: A place in it that is never broken, such as ``my study.yaml:12:5``; nor are commands
            in backticks, so that both can be copied.
        width: Columns; what cannot be broken may be longer.
    """
    if where:
        text = text.replace(where, where.replace(" ", _KEPT))
    text = _COMMAND.sub(lambda found: found[0].replace(" ", _KEPT), text)
    return "\n".join(_line(line, width) for line in text.splitlines()).replace(_KEPT, " ")


def _line(line: str, width: int) -> str:
    return textwrap.fill(
        line,
        max(width, len(_INDENT) + 1),
        subsequent_indent=_INDENT,
        replace_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    )
