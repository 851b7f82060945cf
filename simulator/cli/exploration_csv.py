"""Writes what describes a cohort as one long CSV: one line for each number."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from simulator.aggregates.released import Released
from simulator.cli.layout import cell

if TYPE_CHECKING:
    from simulator.hub.exploration import ExplorationResult

# What tells the lines of one list apart, in place of a number.
_NAMES = (
    *("label", "sex", "age", "code", "description", "loinc", "unit", "year", "quarter"),
    *("steps", "share", "at_least", "below", "domain"),
)


def as_csv(result: ExplorationResult) -> str:
    """The columns part, which (as ``key=value`` pairs), what and value."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["part", "which", "what", "value"])
    for step in result.attrition:
        writer.writerow(["attrition", f"step={step.step}", "patients", cell(step.patients)])
    for part in result.described.__struct_fields__:
        for which, what, value in _lines(getattr(result.described, part), "", ""):
            writer.writerow([part.replace("_", "-"), which, what, value])
    return text.getvalue()


def _lines(value: object, which: str, what: str) -> Iterator[tuple[str, str, object]]:
    """Every number under a value, with what names it and where it stands."""
    if value is None:
        return
    if isinstance(value, Released):
        yield which, what, cell(value)
    elif isinstance(value, float | str):
        yield which, what, value
    elif isinstance(value, tuple):
        for member in value:
            yield from _lines(member, which, what)
    elif isinstance(value, msgspec.Struct):
        yield from _fields(value, which, what)


def _fields(value: msgspec.Struct, which: str, what: str) -> Iterator[tuple[str, str, object]]:
    fields = {name: getattr(value, name) for name in value.__struct_fields__}
    named = {name: fields[name] for name in fields if _is_name(name, fields)}
    told = [which] if which else []
    told += [f"{name}={_word(word)}" for name, word in named.items() if word is not None]
    for name, member in fields.items():
        if name not in named:
            inner = f"{what}.{name}" if what else name
            yield from _lines(member, "; ".join(told), inner)


def _is_name(name: str, fields: dict[str, object]) -> bool:
    """Whether a field names what the others count; a share is counted beside its patients."""
    return name in _NAMES and not (name == "share" and "patients" in fields)


def _word(word: object) -> str:
    return " > ".join(str(step) for step in word) if isinstance(word, tuple) else str(word)
