"""How text is laid out: 80 columns, plain where the output is not a terminal."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TextIO, cast

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from simulator.aggregates.released import Between, Noisy, Partial, Released, Rounded, Withheld

if TYPE_CHECKING:
    from simulator.hub.analyses.results import Bounds
    from simulator.hub.result import LeftOut

_WIDTH: Final = 80
_EIGHTHS: Final = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")


class _WithoutTrailingBlanks(io.TextIOBase):
    """Passes whole lines on without the blanks that fill them up to the width."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._begun = ""

    def write(self, text: str) -> int:
        """Passes on what is a whole line."""
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            self._file.write(f"{line.rstrip()}\n")
        return len(text)


def console(file: TextIO | None = None) -> Console:
    """A console of at most 80 columns; plain where the output is not a terminal."""
    if file is None and sys.stdout.isatty():
        found = Console(highlight=False)
        return found if found.width <= _WIDTH else Console(highlight=False, width=_WIDTH)
    plain = cast("TextIO", _WithoutTrailingBlanks(file or sys.stdout))
    width = min(Console(file=plain).width, _WIDTH)
    return Console(file=plain, highlight=False, width=width)


def number(count: Released) -> str:
    """A released count as text; one that is shown in place of several is marked."""
    if isinstance(count, Withheld):
        return "withheld"
    if isinstance(count, Rounded):
        return f"{count.shown}*"
    if isinstance(count, Between | Partial):
        if count.at_most is None:
            return f"{count.at_least:,} or more"
        return _from_to(f"{count.at_least:,}", f"{count.at_most:,}")
    if isinstance(count, Noisy):
        return f"~{count.noisy:,}"
    return f"{count:,}"


def bounds(found: Bounds | None, scale: float, digits: int) -> str:
    """Between what an estimate lies, such as ``8-92``; whole and open at an end: ``8 or more``.

    Args:
        found: The bounds; None where nothing is known, which only a share can be said of.
        scale: What a number is multiplied by: 100 for a share in per cent.
        digits: Behind the point.
    """
    if found is None:
        return "0-100" if scale == 100.0 else "not reached"
    low, high = (
        None if end is None else f"{end * scale:.{digits}f}"
        for end in (found.at_least, found.at_most)
    )
    if high is None:
        return "not reached" if low is None else f"{low} or later"
    return _from_to(low or "0", high)


def _from_to(low: str, high: str) -> str:
    """Two ends, or the number that both of them are."""
    return low if low == high else f"{low}-{high}"


def size(count: Released) -> int:
    """How long a bar is: a count, with its noise if it has any; 0 where there is no number."""
    if isinstance(count, Noisy):
        return count.noisy
    if isinstance(count, Partial):
        return count.shown
    return count if isinstance(count, int) else 0


def cell(count: Released) -> int | str:
    """A count as a number of a CSV file; what is none, in a form never read as one."""
    return count if isinstance(count, int) else number(count).replace(",", "")


def p_equals(p: float | None) -> str:
    """``p = 0.419`` or ``p < 0.001``."""
    said = p_value(p)
    return f"p {said}" if said.startswith("<") else f"p = {said}"


def p_value(value: float | None) -> str:
    """A p-value as it is printed."""
    if value is None:
        return "-"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def bar(size: float, most: float, width: int) -> str:
    """A bar of blocks, in eighths of a column; empty where there is nothing to compare with."""
    eighths = round(8 * width * size / most) if most > 0 else 0
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8]


def table(*headings: str) -> Table:
    """An empty table: the first column to the left and wrapping, the others to the right."""
    made = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="dim")
    for place, word in enumerate(headings):
        made.add_column(word, justify="left" if place == 0 else "right", no_wrap=place > 0)
    return made


def heading(screen: Console, word: str) -> None:
    """Prints the heading of a part."""
    screen.print()
    screen.print(Text(word.upper(), style="bold"))


def indented(screen: Console, text: str, style: str = "") -> None:
    """Prints a text two columns in, wrapped there."""
    screen.print(Padding(Text(text, style=style), (0, 0, 0, 2)))


def print_steps(screen: Console, steps: Sequence[tuple[Released, str]]) -> None:
    """Prints how many each step leaves; of what is known in part, also what was shown."""
    partial = any(isinstance(count, Partial) for count, _ in steps)
    made = Table(
        box=None, padding=(0, 2, 0, 0), show_edge=False, show_header=partial, header_style="dim"
    )
    for word in ("between", "shown", "parts withheld") if partial else ("",):
        made.add_column(word, justify="right", no_wrap=True)
    made.add_column()
    for place, (count, step) in enumerate(steps):
        parts = ["", ""] if partial else []
        if isinstance(count, Partial):
            parts = [f"{count.shown:,}", f"{count.withheld_parts:,}"]
        style = "bold" if place == len(steps) - 1 else ""
        made.add_row(number(count), *parts, Text(step), style=style)
    screen.print(Padding(made, (0, 0, 0, 2)))


def print_left_out(screen: Console, grounds: tuple[LeftOut, ...]) -> None:
    """How many sites are not asked for each reason."""
    for ground in grounds:
        for reason, count in sorted(ground.reasons.items(), key=lambda item: -item[1]):
            indented(screen, f"{count:>3} {reason}")


def print_rows(
    screen: Console, rows: Sequence[Sequence[str]], sides: str, headings: Sequence[str] = ()
) -> None:
    """Prints rows; of each column whether it stands left, right, wraps, or may be cut short.

    These are ``l``, ``r``, ``w`` and ``e``. Numbers and bars are never cut.
    """
    made = Table(
        box=None,
        padding=(0, 2, 0, 0),
        show_edge=False,
        show_header=bool(headings),
        header_style="dim",
    )
    columns = [
        [headings[place] if headings else "", *(row[place] for row in rows)]
        for place in range(len(sides))
    ]
    widths = [max(map(len, words)) for words in columns]
    # What the columns that are never cut leave to the one that may be.
    fixed = [width for width, side in zip(widths, sides, strict=True) if side in "lr"]
    left = screen.width - 2 - 2 * len(sides) - sum(fixed)
    for words, width, side in zip(columns, widths, sides, strict=True):
        made.add_column(
            words[0],
            justify="right" if side == "r" else "left",
            no_wrap=side != "w",
            overflow="fold" if side == "w" else "ellipsis",
            min_width=width if side in "lr" else None,
            max_width=max(left, 1) if side == "e" else None,
        )
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    screen.print(Padding(made, (0, 0, 0, 2)))
