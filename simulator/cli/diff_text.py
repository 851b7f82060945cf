"""Prints why two results differ, for a person who reads it from top to bottom."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from simulator.aggregates.released import Between, Rounded, Withheld
from simulator.cli.as_json import as_json
from simulator.cli.layout import console, heading, indented, number, table

if TYPE_CHECKING:
    from simulator.hub.differences import Differences
    from simulator.hub.quantities import Name, Quantity, Value

# What a reader looks at first: the last words of a number's name, by part.
_SHOWN: Final = {
    "cohort": ("patients",),
    "arms": ("patients", "events", "censored"),
    "log_rank": ("p",),
    "hazard_ratios": ("estimate",),
    "network": ("with matches",),
}
_ESTIMATES: Final = ("median_months", "survival", "rmst_months")
_DETAILS: Final = 12
_LEAST_DIGITS: Final = {"log_rank": 3, "hazard_ratios": 2}
_MOST_DIGITS: Final = 6


def print_differences(found: Differences, form: str) -> None:
    """Prints what was found as ``text`` or ``json``."""
    if form == "json":
        click.echo(as_json(found), nl=False)
        return
    screen = console()
    for word, side in (("first ", found.first), ("second", found.second)):
        screen.print(Text(f"{word}  {side.path}", style="bold"))
        indented(screen, f"      {side.study}, result {side.fingerprint[:16]}, {side.started}")
    _print_terms(screen, found)
    _print_numbers(screen, found)
    heading(screen, "what follows")
    indented(screen, found.conclusion.says)
    for place, step in enumerate(found.conclusion.next):
        indented(screen, f"{place + 1}. {step}")


def _print_terms(screen: Console, found: Differences) -> None:
    heading(screen, "what went in")
    rows = table("differs", "first", "second")
    rows.columns[0].no_wrap = True
    for column in rows.columns[1:3]:
        column.justify, column.no_wrap = "left", False
    differing = [term for term in found.terms if not term.same]
    for term in differing:
        rows.add_row(term.term, term.first, term.second)
    if differing:
        screen.print(Padding(rows, (0, 0, 0, 2)))
    for term in differing:
        for detail in term.details[:_DETAILS]:
            indented(screen, f"{term.term}: {detail}")
        if len(term.details) > _DETAILS:
            indented(screen, f"{term.term}: and {len(term.details) - _DETAILS} more")
    same = ", ".join(term.term for term in found.terms if term.same)
    indented(screen, f"the same: {same}", style="dim")


def _print_numbers(screen: Console, found: Differences) -> None:
    heading(screen, "what came out")
    told = f"{len(found.numbers):,} of {found.compared:,} numbers differ"
    indented(screen, told, style="bold")
    shown = [quantity for quantity in found.numbers if _is_shown(quantity.name)]
    rows = table("", "first", "second", "difference")
    for title, group in groupby(shown, key=lambda quantity: _title(quantity.name)):
        rows.add_row(Text(title, style="dim"))
        for quantity in group:
            first, second, difference = _cells(quantity)
            rows.add_row(f"  {_label(quantity.name)}", first, second, difference)
    if shown:
        screen.print(Padding(rows, (0, 0, 0, 2)))
    rest = len(found.numbers) - len(shown)
    if rest and shown:
        indented(screen, f"and {rest:,} bounds, contrasts, points of curves: --format json", "dim")


def _is_shown(name: Name) -> bool:
    part, last = name[0], name[-1]
    if part == "arms" and len(name) > 2 and name[2] in _ESTIMATES:
        return last == "estimate"
    return last in _SHOWN.get(part, ())


def _title(name: Name) -> str:
    return name[1] if name[0] == "arms" else name[0].replace("_", " ")


def _label(name: Name) -> str:
    """What a number is called below its title."""
    match name:
        case ("cohort", "attrition", step, _):
            return step
        case ("arms", _, "survival", months, _):
            return f"survival at {months} months, %"
        case ("arms", _, "median_months", _):
            return "median, months"
        case ("arms", _, "rmst_months", _):
            return "mean survival, months"
        case ("hazard_ratios", pair, _):
            return pair
        case _:
            rest = name[2:] if name[0] == "arms" else name[1:]
            return " ".join(rest).replace("_", " ")


def _cells(quantity: Quantity) -> tuple[str, str, str]:
    """Both numbers and their difference, with as many digits as it takes to tell them apart."""
    scale = 100.0 if "survival" in quantity.name else 1.0
    first = "not there" if quantity.only_in == "second" else None
    second = "not there" if quantity.only_in == "first" else None
    least = _LEAST_DIGITS.get(quantity.name[0], 1)
    for digits in range(least, _MOST_DIGITS + 1):
        cells = (
            first or _shown(quantity.first, digits, scale),
            second or _shown(quantity.second, digits, scale),
        )
        if cells[0] != cells[1]:
            break
    if quantity.difference is None:
        return *cells, ""
    if cells[0] == cells[1]:
        return *cells, "in the last digits"
    if isinstance(quantity.difference, int):
        return *cells, f"{quantity.difference:+,}"
    return *cells, f"{quantity.difference * scale:+,.{digits}f}"


def _shown(value: Value, digits: int, scale: float) -> str:
    if value is None:
        return "not reached"
    if isinstance(value, int | Withheld | Between | Rounded):
        return number(value)
    return f"{value * scale:,.{digits}f}"
