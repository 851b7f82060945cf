"""Prints a site's ledger: what it was asked, what it let out, what that cost."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import click
from rich.text import Text

from simulator.cli.as_json import as_json
from simulator.cli.layout import console, heading, indented

if TYPE_CHECKING:
    from rich.console import Console

    from simulator.site.ledger import Entry
    from simulator.site.ledger_check import Checked
    from simulator.site.policy import Budget

_LAST: Final = 20
_SHOWN: Final = 8
_TOLD: Final = 5
_COLUMNS: Final = (
    *("at", "run", "round", "step", "release", "place", "roster_size", "needs", "answered"),
    *("reason", "repeated", "cost", "zcdp", "key", "locked"),
)
_CATALOGUE: Final = ("catalogue",)


class Told(NamedTuple):
    """What is printed.

    Attributes:
        site: The site's name.
        found: What was found in its ledger.
        budget: Its policy's budget; None where there is none, or no policy that can be read.
        now: The time in UTC, for what is spent by now.
    """

    site: str
    found: Checked
    budget: Budget | None
    now: dt.datetime


def print_ledger(
    told: Told, *, form: str, last: int | None, check: bool, every: bool = False
) -> None:
    """Prints a ledger on stdout as ``text``, ``json`` or ``csv``.

    Args:
        told: The ledger.
        form: The format.
        last: How many of the last entries; None: 20 as text, otherwise all.
        check: Whether text says if it is intact.
        every: Whether text shows each answer with the catalogue; otherwise it says how many.
    """
    entries = told.found.entries
    shown = entries if last is None else entries[-last:]
    if form == "json":
        click.echo(as_json(_plain(told, shown)), nl=False)
    elif form == "csv":
        click.echo(_csv(shown), nl=False)
    else:
        _text(console(), told, last or _LAST, check=check, every=every)


def _text(screen: Console, told: Told, last: int, *, check: bool, every: bool) -> None:
    entries = told.found.entries
    answered = sum(entry.answered for entry in entries)
    screen.print(Text(told.site, style="bold"))
    screen.print(f"{len(entries)} entries, {answered} answered, {len(entries) - answered} not")
    listed = [entry for entry in entries if every or not _is_catalogue(entry)]
    if len(listed) < len(entries):
        left = len(entries) - len(listed)
        screen.print(f"{left} answered with the catalogue alone; `--all` shows them")
    shown = listed[-last:]
    if len(shown) < len(listed):
        screen.print(f"the last {len(shown)}; `--last N` shows more")
    if shown:
        heading(screen, "asked and let out")
    for entry in shown:
        _entry(screen, entry)
    _spent(screen, told)
    if entries and entries[-1].locked:
        indented(screen, "Locked by its quota; `--open` lifts the lock.", style="bold")
    _checked(screen, told.found, check=check)


def _is_catalogue(entry: Entry) -> bool:
    """Whether the catalogue was asked for and told."""
    return entry.needs == _CATALOGUE and entry.answered


def _entry(screen: Console, entry: Entry) -> None:
    """A line on when, by which run and how it ended; below it, what it was about."""
    if _is_catalogue(entry):
        indented(screen, f"{entry.at:%Y-%m-%d %H:%M:%S}  catalogue")
        return
    said = "answered" if entry.answered else "not answered"
    said = "answered again" if entry.repeated else said
    if not entry.run:
        said = entry.step or said
    turn = f"round {entry.round}" + (f" {entry.step}" if entry.step else "") if entry.run else ""
    words = (
        f"{entry.at:%Y-%m-%d %H:%M:%S}",
        f"{entry.run[:_SHOWN]:<{_SHOWN}}",
        f"{turn:<14}",
        f"{entry.release:<12}",
        said,
    )
    indented(screen, "  ".join(words).rstrip())
    about = _kinds(entry.needs)
    if entry.cost or entry.zcdp:
        about += f"; cost {_amounts(entry.cost, entry.zcdp)}"
    for line in filter(None, (about, entry.reason or "")):
        indented(screen, f"  {line}", style="dim")


def _kinds(needs: Sequence[str]) -> str:
    """Each kind once, with its number where there are several of it."""
    return ", ".join(
        kind if count == 1 else f"{kind} ({count})" for kind, count in Counter(needs).items()
    )


def _spent(screen: Console, told: Told) -> None:
    from simulator.site.rates import spent

    budget = told.budget
    if budget is None:
        return
    gone = spent(told.found.entries, budget, told.now)
    epsilon = None if budget.epsilon is None else f"{gone.epsilon} of {budget.epsilon}"
    zcdp = None if budget.zcdp is None else f"{gone.zcdp} of {budget.zcdp}"
    heading(screen, "budget")
    indented(screen, f"spent {_amounts(epsilon, zcdp)} within {budget.days} days")


def _amounts(epsilon: str | None, zcdp: str | None) -> str:
    words = (f"epsilon {epsilon}" if epsilon else "", f"rho {zcdp}" if zcdp else "")
    return ", ".join(filter(None, words))


def _checked(screen: Console, found: Checked, *, check: bool) -> None:
    """Whether it is intact, where that was asked; otherwise a line if it is not."""
    heading(screen, "chain")
    if not check:
        state = f"not intact; `--check` tells what is wrong (faults: {len(found.faults)})"
        indented(screen, state if found.faults else f"head {found.head.hash[:_SHOWN]}")
        return
    if not found.faults:
        indented(screen, f"intact: {found.head.number} entries, head {found.head.hash[:12]}")
        # Whole, so that it can be copied.
        screen.print(found.head.hash, soft_wrap=True)
    for fault in found.faults:
        indented(screen, f"line {fault.line}: {fault.wrong}")
    if found.unfinished:
        indented(screen, f"note: {found.unfinished}; a write was broken off, nothing was let out")
    if found.back:
        where = ", ".join(map(str, found.back[:_TOLD])) + (", ..." * (len(found.back) > _TOLD))
        indented(
            screen,
            f"note: times go back at entry {where}; what is before may be left out of limits",
        )
    if found.older:
        indented(
            screen, "A new ledger is chained from its first line on: move this one away to begin it"
        )


def _plain(told: Told, shown: Sequence[Entry]) -> dict[str, object]:
    from simulator.site.rates import spent

    found, budget = told.found, told.budget
    gone = None if budget is None else spent(found.entries, budget, told.now)
    return {
        "site": told.site,
        "entries": [
            {name: getattr(entry, name) for name in (*_COLUMNS, "question", "request")}
            for entry in shown
        ],
        "chain": {
            "intact": not found.faults,
            "head": {"number": found.head.number, "hash": found.head.hash},
            "older": found.older,
            "faults": [{"line": fault.line, "wrong": fault.wrong} for fault in found.faults],
            "unfinished": found.unfinished,
            "back": list(found.back),
        },
        "budget": None
        if budget is None or gone is None
        else {
            "days": budget.days,
            "epsilon": _account(gone.epsilon, budget.epsilon),
            "zcdp": _account(gone.zcdp, budget.zcdp),
        },
    }


def _account(gone: object, whole: object | None) -> dict[str, str] | None:
    """Fractions as text, which JSON's numbers would round."""
    return None if whole is None else {"spent": str(gone), "of": str(whole)}


def _csv(shown: Sequence[Entry]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for entry in shown:
        row = [getattr(entry, name) for name in _COLUMNS]
        writer.writerow([_cell(value) for value in row])
    return text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return " ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else value
