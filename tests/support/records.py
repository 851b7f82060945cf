"""Reads patients drawn as text into rows of OMOP.

A record is a list of facts between commas, such as::

    index on 0, chemo on -2, condition ICD10CM C50.1 on 2019-12-24, dead on 40, watched -9 to 400

A day is a date, or a whole number that counts from 2020-01-01, or ``?`` where it is not recorded.
A fact is a word from `WORDS` (measured ones may have a value and a unit), or a domain with a code;
two codes around ``/`` are the standard concept and the source's. Patients are women born in 1960
unless ``male``, ``sex unknown``, ``born 1950`` or ``born ?`` says otherwise.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from simulator.language.codes import Code
from simulator.language.criteria import Domain
from tests.support.omop import CONCEPTS, DAY_ZERO, Event, event_rows

WORDS: Final = {
    "index": "procedure CPT4 37243",
    "scan": "procedure CPT4 79445",
    "tumour": "condition ICD10CM C50.911",
    "metastasis": "condition ICD10CM C78.7",
    "chemo": "drug RxNorm 3639",
    "immuno": "drug RxNorm 1547545",
    "test": "measurement LOINC 718-7",
    "bilirubin": "measurement LOINC 1975-2",
    "clotting": "measurement LOINC 6301-6",
    "stay": "visit Visit IP",
}
_MEASURED: Final = re.compile(r"(bilirubin|clotting|test) ([+-]?[\d.]+|inf|nan)(?: (\S+))?")
_GENDER: Final = {"female": 8532, "male": 8507, "sex unknown": 0}
Fact = tuple[Domain, dt.date | None, int | None, int | None, float | None, int | None]
"""Kind, day, standard concept, source concept, value and unit's concept."""


@dataclass
class Drawn:
    """One drawn patient, before identifiers are given out."""

    gender: int | None = 8532
    born: int | None = 1960
    facts: list[Fact] = field(default_factory=list)
    watched: list[tuple[dt.date | None, dt.date | None]] = field(default_factory=list)


def table(text: str) -> list[dict[str, str]]:
    """The rows of a table drawn with ``|``, by the names in its first line."""
    lines = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def record(text: str) -> Drawn:
    """The patient that a record draws."""
    drawn = Drawn()
    for item in filter(None, (part.strip() for part in text.split(","))):
        _add(drawn, item)
    return drawn


def rows(people: Iterable[tuple[int, Drawn]]) -> dict[str, pl.DataFrame]:
    """Rows of OMOP from patients and their person_id."""
    known = list(people)
    persons = [(identifier, drawn.born, drawn.gender) for identifier, drawn in known]
    periods = [(identifier, *span) for identifier, drawn in known for span in drawn.watched]
    found = {
        "person": _frame(
            persons, person_id=pl.Int64, year_of_birth=pl.Int64, gender_concept_id=pl.Int64
        ),
        "observation_period": _frame(
            periods,
            person_id=pl.Int64,
            observation_period_start_date=pl.Date,
            observation_period_end_date=pl.Date,
        ),
    }
    for domain in Domain:
        events: list[Event] = [
            (identifier, *fact[1:])
            for identifier, drawn in known
            for fact in drawn.facts
            if fact[0] is domain
        ]
        found |= event_rows(domain, events)
    return found


def day(text: str) -> dt.date | None:
    """A date from ``2020-02-01``, ``31`` (days after 2020-01-01) or ``?``."""
    if text == "?":
        return None
    if text.lstrip("-").isdigit():
        return DAY_ZERO + dt.timedelta(days=int(text))
    return dt.date.fromisoformat(text)


def _add(drawn: Drawn, item: str) -> None:
    if item in _GENDER:
        drawn.gender = _GENDER[item]
    elif item.startswith("born "):
        year = item.removeprefix("born ")
        drawn.born = None if year == "?" else int(year)
    elif item.startswith("watched "):
        start, end = item.removeprefix("watched ").split(" to ")
        drawn.watched.append((day(start), day(end)))
    else:
        drawn.facts.append(_fact(item))


def _fact(item: str) -> Fact:
    what, when = item.rsplit(" on ", 1)
    if what == "dead":
        return Domain.DEATH, day(when), 0, 0, None, None
    value, unit = None, None
    measured = _MEASURED.fullmatch(what)
    if measured:
        what, value = measured[1], float(measured[2])
        unit = None if measured[3] is None else _unit(measured[3])
    domain, _, codes = WORDS.get(what, what).partition(" ")
    standard, source = _concepts(codes)
    return Domain(domain), day(when), standard, source, value, unit


def _unit(text: str) -> int:
    """The concept of a unit; ``spoons`` is one that nothing converts."""
    return CONCEPTS["Local" if text == "spoons" else "UCUM", text][0]


def _concepts(codes: str) -> tuple[int, int]:
    """The concept of the standard and that of the source; 0 where there is none."""
    if not codes or codes == "unmapped":
        return 0, 0
    if " / " in codes:
        first, second = (Code.parse(code) for code in codes.split(" / "))
        return CONCEPTS[first.vocabulary, first.code][0], CONCEPTS[second.vocabulary, second.code][
            0
        ]
    code = Code.parse(codes)
    concept, standard = CONCEPTS[code.vocabulary, code.code]
    return (concept, 0) if standard else (0, concept)


def _frame(found: Sequence[tuple[object, ...]], **schema: type[pl.DataType]) -> pl.DataFrame:
    return pl.DataFrame(found, schema=schema, orient="row")
