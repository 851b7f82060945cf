"""Prints why two results differ, for a person who reads it from top to bottom."""

from __future__ import annotations

from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Final

import click
import msgspec
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from simulator.aggregates.released import Released
from simulator.cli.as_json import as_json
from simulator.cli.layout import bounds, console, heading, indented, number, table
from simulator.hub.analyses.results import Bounds
from simulator.hub.quantities import may_agree

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
# Digits behind the point, for each quantity alike in every row; shares are shown in percent.
_DIGITS: Final = {"log_rank": 3, "hazard_ratios": 2, "survival": 1, "median_months": 2}
_DIGITS_ELSE: Final = 2
_BOUNDS: Final = ", bounds"
# Standard errors of noise that a difference seldom passes by chance.
_BEYOND_CHANCE: Final = 2.0


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
    shown = _with_bounds([quantity for quantity in found.numbers if _is_shown(quantity.name)])
    rows = table("", "first", "second", "difference")
    for title, group in groupby(shown, key=lambda quantity: _title(quantity.name)):
        rows.add_row(Text(title, style="dim"))
        for quantity in group:
            first, second, difference = _cells(quantity)
            label = Padding(Text(_label(quantity.name)), (0, 0, 0, 2))
            rows.add_row(label, first, second, difference)
    if shown:
        screen.print(Padding(rows, (0, 0, 0, 2)))
    rest = len(found.numbers) - len(shown)
    if rest and shown:
        indented(screen, f"and {rest:,} bounds, contrasts, points of curves: --format json", "dim")


def _with_bounds(shown: list[Quantity]) -> list[Quantity]:
    """Estimates, and in the place of one that is missing its bounds, where there are any."""
    known = {one.name[:-1]: one for one in shown if one.name[-1] == "bounds"}
    estimated = {one.name[:-1] for one in shown if one.name[-1] == "estimate"}
    return [
        _or_bounds(one, known.get(one.name[:-1])) if one.name[-1] == "estimate" else one
        for one in shown
        if one.name[-1] != "bounds" or one.name[:-1] not in estimated
    ]


def _or_bounds(estimate: Quantity, known: Quantity | None) -> Quantity:
    if known is None or None not in (estimate.first, estimate.second):
        return estimate
    sides = [
        limits if number is None else number
        for number, limits in (
            (estimate.first, known.first),
            (estimate.second, known.second),
        )
    ]
    return msgspec.structs.replace(
        estimate, first=sides[0], second=sides[1], agree=may_agree(sides[0], sides[1])
    )


def _is_shown(name: Name) -> bool:
    part, last = name[0], name[-1]
    if part == "arms" and len(name) > 2 and name[2] in _ESTIMATES:
        return last in {"estimate", "bounds"}
    return last in _SHOWN.get(part, ())


def _title(name: Name) -> str:
    return name[1] if name[0] == "arms" else name[0].replace("_", " ")


def _label(name: Name) -> str:
    """What a number is called below its title."""
    match name:
        case ("cohort", "attrition", step, _):
            return step
        case ("arms", _, "survival", months, what):
            return f"survival at {months} months, %{_BOUNDS if what == 'bounds' else ''}"
        case ("arms", _, "median_months", what):
            return f"median, months{_BOUNDS if what == 'bounds' else ''}"
        case ("arms", _, "rmst_months", _):
            return "mean survival, months"
        case ("hazard_ratios", pair, _):
            return pair
        case ("network", "with matches"):
            return "sites where anyone fits"
        case _:
            rest = name[2:] if name[0] == "arms" else name[1:]
            return " ".join(rest).replace("_", " ")


def _cells(quantity: Quantity) -> tuple[str, str, str]:
    """Both numbers, and the difference of the numbers as they are shown."""
    scale = 100.0 if "survival" in quantity.name else 1.0
    digits = _digits(quantity.name)
    # How many sites hold anyone who fits is told in the laboratory only.
    absent = "not told" if quantity.name[0] == "network" else "not there"
    cells = (
        absent if quantity.only_in == "second" else _shown(quantity.first, digits, scale),
        absent if quantity.only_in == "first" else _shown(quantity.second, digits, scale),
    )
    return *cells, _difference(quantity, cells, digits)


def _difference(quantity: Quantity, cells: tuple[str, str], digits: int) -> str:
    """By how much two numbers differ; where noise or bounds are at work, what that says."""
    if quantity.agree is not None:
        return "may be the same" if quantity.agree else "not the same"
    if quantity.difference is None:
        return ""
    if quantity.noise is not None:
        beyond = abs(quantity.difference) > _BEYOND_CHANCE * quantity.noise
        return f"{quantity.difference:+,.0f}, {'beyond' if beyond else 'within'} noise"
    if cells[0] == cells[1]:
        return f"under {10.0**-digits:.{digits}f}"
    first, second = (Decimal(cell.replace(",", "")) for cell in cells)
    return f"{second - first:+,}"


def _digits(name: Name) -> int:
    """How many digits stand behind the point of a number that is no count."""
    return next((_DIGITS[word] for word in name if word in _DIGITS), _DIGITS_ELSE)


def _shown(value: Value, digits: int, scale: float) -> str:
    if value is None:
        return "not reached"
    if isinstance(value, Bounds):
        return bounds(value, scale, digits)
    if isinstance(value, Released):
        return number(value)
    return f"{value * scale:,.{digits}f}"
