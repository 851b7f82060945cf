"""Draws the organisations of a network: their names, sizes, gaps and habits."""

from __future__ import annotations

import datetime as dt
import re
import zlib
from typing import Final

import msgspec
import numpy as np
from faker import Faker

from simulator.synthesis.organisations import (
    CONVENTIONAL,
    DOMAINS,
    KINDS,
    SI,
    VOCABULARIES,
    Organisation,
)

_CUT: Final = dt.date(2024, 7, 31)
_STATES: Final = {
    "Northeast": ("CT", "MA", "ME", "NJ", "NY", "PA", "RI", "VT"),
    "Midwest": ("IA", "IL", "IN", "KS", "MI", "MN", "MO", "OH", "WI"),
    "South": ("AL", "FL", "GA", "KY", "LA", "NC", "SC", "TN", "TX", "VA"),
    "West": ("AZ", "CA", "CO", "NM", "NV", "OR", "UT", "WA"),
}
_ENDINGS: Final = {
    "academic": ("University Hospital", "University Medical Center"),
    "community": ("Community Hospital", "Regional Medical Center", "General Hospital"),
    "cancer centre": ("Cancer Center", "Oncology Institute"),
    "integrated system": ("Health System", "Health Partners"),
}
_KIND_SHARES: Final = (0.3, 0.45, 0.1, 0.15)
_SHIFTED: Final = 0.39
_SI_SHARE: Final = 1 / 3
_MOST_MISSING: Final = 0.1
# What keeps an organisation from answering an embolization study, and how many have it. The rest
# can answer. Those that are off line lack a domain as well, so that they hide no cohort patient.
_GAPS: Final = (
    ("off line", 6),
    ("no procedures", 15),
    ("no drugs", 14),
    ("no conditions", 4),
    ("local procedures", 14),
    ("local drugs", 12),
    ("local conditions", 5),
    ("ended early", 5),
    ("began late", 2),
)
_NO_DOMAIN: Final = {
    "off line": "procedure",
    "no procedures": "procedure",
    "no drugs": "drug",
    "no conditions": "condition",
}
_NO_VOCABULARIES: Final = {
    "local procedures": {"CPT4", "HCPCS"},
    "local drugs": {"HCPCS", "RxNorm"},
    "local conditions": {"ICD10CM"},
}


def _vocabularies(gap: str, rng: np.random.Generator) -> tuple[str, ...]:
    missing = set(_NO_VOCABULARIES.get(gap, ()))
    draw = rng.random()
    if not missing and draw < 0.3:
        # One of the two ways to code drugs may be absent, never both.
        missing = {"HCPCS"} if draw < 0.15 else {"RxNorm"}
    return tuple(word for word in VOCABULARIES if word not in missing)


def _domains(gap: str, rng: np.random.Generator) -> tuple[str, ...]:
    missing = {_NO_DOMAIN[gap]} if gap in _NO_DOMAIN else set()
    if gap and rng.random() < 0.3:
        missing.add("death")
    if rng.random() < 0.05:
        missing.add("measurement")
    return tuple(word for word in DOMAINS if word not in missing)


def _span(gap: str, rng: np.random.Generator) -> tuple[dt.date, dt.date]:
    if gap == "ended early":
        return dt.date(2006, 1, 1), dt.date(2015, int(rng.integers(3, 10)), 28)
    if gap == "began late":
        return dt.date(2025, 1, 1), dt.date(2025, 12, 31)
    return dt.date(int(rng.integers(2006, 2013)), int(rng.integers(1, 13)), 1), _CUT


def _name(faker: Faker, kind: str, rng: np.random.Generator, taken: set[str]) -> tuple[str, str]:
    while True:
        town = faker.city()
        name = f"{town} {rng.choice(_ENDINGS[kind])}"
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        if slug not in taken:
            taken.add(slug)
            return town, name


def _gaps(count: int, rng: np.random.Generator) -> list[str]:
    gaps = [gap for gap, number in _GAPS for _ in range(number)]
    if count < len(gaps):
        raise ValueError(f"at least {len(gaps)} organisations are needed")
    gaps += [""] * (count - len(gaps))
    return [gaps[number] for number in rng.permutation(count)]


def _draw_one(
    gap: str, weight: float, faker: Faker, rng: np.random.Generator, taken: set[str]
) -> Organisation:
    kind = str(rng.choice(KINDS, p=_KIND_SHARES))
    region = str(rng.choice(tuple(_STATES)))
    town, name = _name(faker, kind, rng, taken)
    vocabularies = _vocabularies(gap, rng)
    first, last = _span(gap, rng)
    shifted = rng.random() < _SHIFTED and gap not in ("ended early", "began late")
    wants_supply_codes = rng.random() < 0.3
    wants_j_codes = rng.random() < 0.5
    return Organisation(
        site=re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-"),
        name=name,
        place=f"{town}, {rng.choice(_STATES[region])}",
        region=region,
        kind=kind,
        weight=round(weight, 4),
        online=gap != "off line",
        domains=_domains(gap, rng),
        vocabularies=vocabularies,
        first=first,
        last=last,
        flavour="HCPCS" if wants_supply_codes and "HCPCS" in vocabularies else "CPT4",
        drug_codes=_drug_codes(vocabularies, j_codes=wants_j_codes),
        capture=round(float(rng.uniform(0.6, 0.95)), 3),
        month_deaths=bool(rng.random() < 0.5),
        shift=int(rng.choice((30, 365))) if shifted else 0,
        loss=round(float(np.exp(rng.normal(0.0, 0.25))), 3),
        units=CONVENTIONAL,
        units_missing=0.0,
        policy="standard",
    )


def _with_units(organisation: Organisation, rng: np.random.Generator) -> Organisation:
    """The organisation with its habit of writing units, drawn apart from all else."""
    return msgspec.structs.replace(
        organisation,
        units=SI if rng.random() < _SI_SHARE else CONVENTIONAL,
        units_missing=round(float(rng.uniform(0.0, _MOST_MISSING)), 3),
    )


def _drug_codes(vocabularies: tuple[str, ...], *, j_codes: bool) -> str:
    if "RxNorm" not in vocabularies and "HCPCS" in vocabularies:
        return "HCPCS"
    return "HCPCS" if j_codes and "HCPCS" in vocabularies else "RxNorm"


def draw_organisations(count: int, seed: int) -> tuple[Organisation, ...]:
    """Draws organisations; the same count and seed give the same ones.

    Args:
        count: How many; 77 of them cannot answer an embolization study.
        seed: Any whole number from 0 up.
    """
    rng = np.random.default_rng(seed)
    faker = Faker("en_US")
    faker.seed_instance(seed)
    weights = np.exp(rng.normal(0.0, 1.0, count))
    taken: set[str] = set()
    drawn = [
        _draw_one(gap, float(weight), faker, rng, taken)
        for gap, weight in zip(_gaps(count, rng), weights, strict=True)
    ]
    habits = np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(b"units")]))
    return tuple(_with_units(one, habits) for one in drawn)
