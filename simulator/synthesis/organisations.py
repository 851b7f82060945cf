"""The organisations of a network: what each holds and how it records, kept as data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from simulator.errors import UserError
from simulator.language.documents import Node, read_document
from simulator.synthesis.scenario_file import parse_choice, parse_dates

DOMAINS: Final = ("condition", "procedure", "drug", "measurement", "death")
VOCABULARIES: Final = ("ICD10CM", "CPT4", "HCPCS", "RxNorm", "LOINC")
REGIONS: Final = ("Northeast", "Midwest", "South", "West")
KINDS: Final = ("academic", "community", "cancer centre", "integrated system")
FLAVOURS: Final = ("CPT4", "HCPCS")
DRUG_CODES: Final = ("HCPCS", "RxNorm")
PRECISIONS: Final = ("day", "month")
CONVENTIONAL, SI = "conventional", "SI"
UNITS: Final = (CONVENTIONAL, SI)
_KEYS: Final = (
    "site",
    "name",
    "place",
    "region",
    "kind",
    "weight",
    "online",
    "domains",
    "vocabularies",
    "span",
    "radioembolization codes",
    "drug codes",
    "death captured",
    "death dates",
    "date shift days",
    "loss",
    "units",
    "units missing",
    "policy",
)


class Organisation(msgspec.Struct, frozen=True):
    """One organisation.

    Attributes:
        site: Its identifier, fit for a folder's name.
        name: Its name for people.
        place: Town and state; invented.
        region: One of four.
        kind: Such as ``academic``.
        weight: Relative number of patients, log-normal.
        online: Whether it answers.
        domains: The clinical tables that are filled.
        vocabularies: The vocabularies it codes in; anything else is a local code.
        first: First day of its records.
        last: Last day of its records, the data cut.
        flavour: ``CPT4`` or ``HCPCS`` codes for radioembolization.
        drug_codes: ``HCPCS`` (J-codes) or ``RxNorm`` for drugs given by infusion.
        capture: The share of deaths that reach the records.
        month_deaths: Whether deaths are known by month only.
        shift: Dates are shifted per patient by up to that many days either way; 0 is not at all.
        loss: Drop-out relative to the scenario's.
        units: ``conventional`` or ``SI`` units of laboratory values.
        units_missing: The share of values that are written without a unit.
        policy: The name of its policy template.
    """

    site: str
    name: str
    place: str
    region: str
    kind: str
    weight: float
    online: bool
    domains: tuple[str, ...]
    vocabularies: tuple[str, ...]
    first: dt.date
    last: dt.date
    flavour: str
    drug_codes: str
    capture: float
    month_deaths: bool
    shift: int
    loss: float
    units: str
    units_missing: float
    policy: str

    def can_answer(self, first: dt.date, last: dt.date) -> bool:
        """Whether an embolization study between two dates can find anything here."""
        return (
            self.online
            and {"condition", "procedure", "drug"} <= set(self.domains)
            and {"ICD10CM", "CPT4"} <= set(self.vocabularies)
            and bool({"HCPCS", "RxNorm"} & set(self.vocabularies))
            and self.first <= last
            and self.last >= first
        )


def _words(node: Node, known: Sequence[str]) -> tuple[str, ...]:
    return tuple(parse_choice(item, tuple(known)) for item in node.items())


def _organisation(node: Node) -> Organisation:
    found = node.fields(_KEYS)
    first, last = parse_dates(found["span"])
    return Organisation(
        site=found["site"].text(),
        name=found["name"].text(),
        place=found["place"].text(),
        region=parse_choice(found["region"], REGIONS),
        kind=parse_choice(found["kind"], KINDS),
        weight=found["weight"].number(1e-6),
        online=found["online"].boolean(),
        domains=_words(found["domains"], DOMAINS),
        vocabularies=_words(found["vocabularies"], VOCABULARIES),
        first=first,
        last=last,
        flavour=parse_choice(found["radioembolization codes"], FLAVOURS),
        drug_codes=parse_choice(found["drug codes"], DRUG_CODES),
        capture=found["death captured"].number(0, 1),
        month_deaths=parse_choice(found["death dates"], PRECISIONS) == "month",
        shift=found["date shift days"].integer(0, 3650),
        loss=found["loss"].number(0),
        units=parse_choice(found["units"], UNITS),
        units_missing=found["units missing"].number(0, 1),
        policy=found["policy"].text(),
    )


def read_organisations(path: Path) -> tuple[Organisation, ...]:
    """Reads a file of organisations.

    Raises:
        UserError: The file is missing or does not fit; the place is named.
    """
    found = read_document(path).fields(("organisations", "version", "seed", "sites"))
    nodes = found["sites"].items()
    organisations = tuple(_organisation(node) for node in nodes)
    seen: set[str] = set()
    for node, organisation in zip(nodes, organisations, strict=True):
        if organisation.site in seen:
            node.fail(f"there are two sites '{organisation.site}'")
        seen.add(organisation.site)
    if not organisations:
        raise UserError("a network needs at least one organisation", where=path.name)
    return organisations


def _lines(organisation: Organisation) -> str:
    values = (
        organisation.site,
        f'"{organisation.name}"',
        f'"{organisation.place}"',
        organisation.region,
        organisation.kind,
        organisation.weight,
        "true" if organisation.online else "false",
        f"[{', '.join(organisation.domains)}]",
        f"[{', '.join(organisation.vocabularies)}]",
        f"{organisation.first} to {organisation.last}",
        organisation.flavour,
        organisation.drug_codes,
        organisation.capture,
        "month" if organisation.month_deaths else "day",
        organisation.shift,
        organisation.loss,
        organisation.units,
        organisation.units_missing,
        organisation.policy,
    )
    lines = [f"{key}: {value}" for key, value in zip(_KEYS, values, strict=True)]
    return "  - " + "\n    ".join(lines) + "\n"


def write_organisations(organisations: Sequence[Organisation], name: str, seed: int) -> str:
    """The text of a file of organisations."""
    head = (
        "# Invented organisations, drawn once and kept; simulator/synthesis/draw_organisations.py\n"
        "# draws them again. Which of them can answer a study follows from what they hold.\n"
        f"organisations: {name}\nversion: 1\nseed: {seed}\nsites:\n"
    )
    return head + "".join(_lines(organisation) for organisation in organisations)
