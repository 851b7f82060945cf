"""The background population as values, read from YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from simulator.language.documents import Node, read_document

AGE_GROUPS: Final = ("under 18", "18 to 44", "45 to 64", "65 and over")
AGE_EDGES: Final = (0, 18, 45, 65, 95)
FACTS: Final = ("conditions", "procedures", "drugs", "measurements")


class Disease(msgspec.Struct, frozen=True):
    """A diagnosis: use by age group, multipliers by sex, the ingredients it brings."""

    code: str
    use: tuple[float, ...]
    women: float
    men: float
    drugs: tuple[str, ...]
    diabetes: bool
    cancer: bool


class Service(msgspec.Struct, frozen=True):
    """A procedure (``vocabulary code``): use by age group, multipliers by sex.

    `cancer` says that it treats one; oncology patients have no such procedure by chance.
    """

    code: str
    use: tuple[float, ...]
    women: float
    men: float
    cancer: bool


class SiUnit(msgspec.Struct, frozen=True):
    """The SI unit of a measurement, and the digits that are kept in it."""

    unit: str
    digits: int


class Lab(msgspec.Struct, frozen=True):
    """A measurement: its unit, use, mean of women and men, spread, limits, digits kept.

    `si` is None where sites that report in SI units write the same unit as others.
    """

    code: str
    unit: str
    use: float
    women: float
    men: float
    sd: float
    low: float
    high: float
    digits: int
    diabetes: float
    si: SiUnit | None


class Population(msgspec.Struct, frozen=True):
    """The people who visit hospitals for ordinary reasons.

    Attributes:
        ages: Shares of the age groups.
        women: Share of women.
        races: Code of the vocabulary Race -> share.
        hispanic: Share.
        observed_years: Mean years under observation.
        deaths: Share that dies while observed, by age group.
        visits: Mean visits of a patient.
        visit_shape: Gamma shape of how much patients differ in visits.
        outpatient: Share of visits.
        emergency: Share of visits; the rest are stays in hospital.
        stay_days: Days in hospital.
        facts: Mean facts of a visit by `FACTS`.
        chronic_share: Share of a visit's diagnoses that are the patient's chronic diseases.
        chronic: Diseases that stay.
        acute: Diseases that pass.
        procedures: Procedures.
        labs: Measurements.
    """

    ages: tuple[float, ...]
    women: float
    races: dict[str, float]
    hispanic: float
    observed_years: float
    deaths: tuple[float, ...]
    visits: float
    visit_shape: float
    outpatient: float
    emergency: float
    stay_days: int
    facts: tuple[float, ...]
    chronic_share: float
    chronic: tuple[Disease, ...]
    acute: tuple[Disease, ...]
    procedures: tuple[Service, ...]
    labs: tuple[Lab, ...]


def _by_age(node: Node) -> tuple[float, ...]:
    values = tuple(item.number(0) for item in node.items())
    if len(values) != len(AGE_GROUPS):
        node.fail(f"expected {len(AGE_GROUPS)} numbers, one for each age group")
    return values


def _number(found: dict[str, Node], key: str, default: float) -> float:
    return found[key].number(0) if key in found else default


def _flag(found: dict[str, Node], key: str) -> bool:
    return key in found and found[key].boolean()


def _disease(node: Node) -> Disease:
    found = node.fields(("code", "use", "drugs"), ("women", "men", "diabetes", "cancer"))
    return Disease(
        found["code"].text(),
        _by_age(found["use"]),
        _number(found, "women", 1.0),
        _number(found, "men", 1.0),
        tuple(item.text() for item in found["drugs"].items()),
        _flag(found, "diabetes"),
        _flag(found, "cancer"),
    )


def _service(node: Node) -> Service:
    found = node.fields(("code", "use"), ("women", "men", "cancer"))
    return Service(
        found["code"].text(),
        _by_age(found["use"]),
        _number(found, "women", 1.0),
        _number(found, "men", 1.0),
        _flag(found, "cancer"),
    )


def _si_unit(node: Node) -> SiUnit:
    found = node.fields(("unit", "digits"))
    return SiUnit(found["unit"].text(), found["digits"].integer(0, 3))


def _lab(node: Node) -> Lab:
    found = node.fields(
        ("code", "unit", "use", "women", "men", "sd", "limits", "digits"), ("diabetes", "SI")
    )
    low, high = (item.number() for item in found["limits"].items())
    return Lab(
        found["code"].text(),
        found["unit"].text(),
        found["use"].number(0),
        found["women"].number(),
        found["men"].number(),
        found["sd"].number(0),
        low,
        high,
        found["digits"].integer(0, 3),
        _number(found, "diabetes", 0.0),
        _si_unit(found["SI"]) if "SI" in found else None,
    )


def read_population(path: Path) -> Population:
    """Reads a background population.

    Raises:
        UserError: The file is missing or does not fit; the place is named.
    """
    found = read_document(path).fields(
        (
            "population",
            "version",
            "ages",
            "women",
            "races",
            "hispanic",
            "observed years",
            "deaths by age",
            "visits",
            "facts of a visit",
            "chronic share",
            "chronic diseases",
            "acute diseases",
            "procedures",
            "measurements",
        )
    )
    ages = found["ages"].fields(AGE_GROUPS)
    visits = found["visits"].fields(
        ("mean", "gamma shape", "outpatient", "emergency", "days in hospital")
    )
    facts = found["facts of a visit"].fields(FACTS)
    return Population(
        ages=tuple(ages[group].number(0, 1) for group in AGE_GROUPS),
        women=found["women"].number(0, 1),
        races={key.text(): value.number(0, 1) for key, value in found["races"].entries()},
        hispanic=found["hispanic"].number(0, 1),
        observed_years=found["observed years"].number(0.1, 100),
        deaths=_by_age(found["deaths by age"]),
        visits=visits["mean"].number(1, 1000),
        visit_shape=visits["gamma shape"].number(0.01),
        outpatient=visits["outpatient"].number(0, 1),
        emergency=visits["emergency"].number(0, 1),
        stay_days=visits["days in hospital"].integer(0),
        facts=tuple(facts[fact].number(0, 20) for fact in FACTS),
        chronic_share=found["chronic share"].number(0, 1),
        chronic=tuple(_disease(item) for item in found["chronic diseases"].items()),
        acute=tuple(_disease(item) for item in found["acute diseases"].items()),
        procedures=tuple(_service(item) for item in found["procedures"].items()),
        labs=tuple(_lab(item) for item in found["measurements"].items()),
    )
