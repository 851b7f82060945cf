from __future__ import annotations

import csv
import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
import pytest

from simulator.bundled import library
from simulator.language.units import bundled_units
from simulator.synthesis.build import build
from simulator.synthesis.codebook import Codebook
from simulator.synthesis.facts import Facts
from simulator.synthesis.networks import NetworkFile
from simulator.synthesis.organisations import Organisation
from simulator.synthesis.population_file import Lab
from simulator.synthesis.units import NO_UNIT, SiUnits, as_written
from tests.unit.synthesis.conftest import PATIENTS, SEED
from tests.unit.synthesis.counting import HIERARCHY

# What a conventional value is multiplied by to be in the SI unit, to the digits that are printed:
# AMA Manual of Style, units of measure.
PUBLISHED = {
    ("1975-2", "umol/L"): 17.104,
    ("2160-0", "umol/L"): 88.4,
    ("1751-7", "g/L"): 10.0,
    ("718-7", "g/L"): 10.0,
    ("2345-7", "mmol/L"): 0.0555,
    ("2093-3", "mmol/L"): 0.0259,
    ("2085-9", "mmol/L"): 0.0259,
    ("13457-7", "mmol/L"): 0.0259,
    ("2571-8", "mmol/L"): 0.0113,
    ("3094-0", "mmol/L"): 0.357,
    ("17861-6", "mmol/L"): 0.25,
    ("777-3", "10*9/L"): 1.0,
    ("6690-2", "10*9/L"): 1.0,
}
# Standard atomic weights, abridged to five figures (IUPAC 2021).
WEIGHTS = {"C": 12.011, "H": 1.008, "N": 14.007, "O": 15.999, "Ca": 40.078}
FORMULAS = {
    ("1975-2", "umol/L"): {"C": 33, "H": 36, "N": 4, "O": 6},
    ("2160-0", "umol/L"): {"C": 4, "H": 7, "N": 3, "O": 1},
    ("2345-7", "mmol/L"): {"C": 6, "H": 12, "O": 6},
    ("2093-3", "mmol/L"): {"C": 27, "H": 46, "O": 1},
    ("2571-8", "mmol/L"): {"C": 57, "H": 104, "O": 6},
    ("3094-0", "mmol/L"): {"N": 2},
    ("17861-6", "mmol/L"): {"Ca": 1},
}
MOLES = {"umol/L": 1e-6, "mmol/L": 1e-3}
VALUES = (
    "SELECT measurement_source_value, unit_source_value, value_as_number::DOUBLE,"
    " unit_concept_id FROM measurement"
)


def ask(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(folder / "cdm.duckdb", read_only=True) as connection:
        return connection.execute(sql).fetchall()


def listed() -> list[dict[str, str]]:
    with (library("queries") / "codes" / "units.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def si_labs(network: NetworkFile) -> dict[str, Lab]:
    return {lab.code: lab for lab in network.population.labs if lab.si is not None}


def measuring(network: NetworkFile) -> list[Organisation]:
    return [
        one
        for one in network.organisations
        if "measurement" in one.domains and "LOINC" in one.vocabularies
    ]


def test_every_measurement_has_a_reference_unit_and_every_unit_a_concept() -> None:
    first: dict[str, float] = {}
    for row in listed():
        first.setdefault(row["loinc"], float(row["factor"]))
        assert HIERARCHY.find("UCUM", row["unit"]) is not None
        assert float(row["factor"]) > 0
    assert set(first.values()) == {1.0}
    assert set(first) == {one.code for one in HIERARCHY.concepts if one.vocabulary == "LOINC"}
    pairs = Counter((row["loinc"], row["unit"]) for row in listed())
    assert set(pairs.values()) == {1}


@pytest.mark.parametrize(("loinc", "unit"), PUBLISHED)
def test_factors_are_those_that_journals_print(loinc: str, unit: str) -> None:
    reference = next(row["unit"] for row in listed() if row["loinc"] == loinc)
    times = bundled_units().factor(loinc, reference, unit)
    assert times == pytest.approx(PUBLISHED[loinc, unit], rel=0.004)


@pytest.mark.parametrize(("loinc", "unit"), FORMULAS)
def test_factors_follow_from_molar_masses(loinc: str, unit: str) -> None:
    grams = sum(WEIGHTS[element] * count for element, count in FORMULAS[loinc, unit].items())
    milligrams_in_a_decilitre = grams * MOLES[unit] * 1000 / 10
    assert bundled_units().factors[loinc, unit] == pytest.approx(
        milligrams_in_a_decilitre, rel=1e-5
    )


def test_the_population_writes_reference_units_and_si_ones_that_are_published(
    whole: NetworkFile,
) -> None:
    reference: dict[str, str] = {}
    for row in listed():
        reference.setdefault(row["loinc"], row["unit"])
    for lab in whole.population.labs:
        assert lab.unit == reference[lab.code]
    pairs = {(lab.code, lab.si.unit) for lab in si_labs(whole).values() if lab.si is not None}
    assert pairs == set(PUBLISHED)


def test_about_a_third_of_the_sites_write_si_units_and_all_leave_some_out(
    whole: NetworkFile,
) -> None:
    share = np.mean([one.units == "SI" for one in whole.organisations])
    assert 0.25 < share < 0.42
    missing = np.array([one.units_missing for one in whole.organisations])
    assert 0 <= missing.min() < 0.01
    assert 0.09 < missing.max() <= 0.1


def test_sites_write_the_units_of_their_habit(small: NetworkFile, built: Path) -> None:
    labs = si_labs(small)
    conventional = {lab.code: lab.unit for lab in small.population.labs}
    seen: set[str] = set()
    for one in measuring(small):
        wanted = dict(conventional)
        if one.units == "SI":
            wanted |= {code: lab.si.unit for code, lab in labs.items() if lab.si is not None}
        for code, unit, _, concept in ask(built / one.site, VALUES):
            if unit is None:
                assert concept is None
            elif code in wanted:
                assert unit == wanted[code], (one.site, code)
        seen.add(one.units)
    assert seen == {"SI", "conventional"}


def test_the_share_without_a_unit_is_the_organisations(small: NetworkFile, built: Path) -> None:
    for one in measuring(small):
        units = [unit for _, unit, _, _ in ask(built / one.site, VALUES)]
        share = one.units_missing
        scatter = 5 * np.sqrt(share * (1 - share) / len(units)) + 1e-9
        assert sum(unit is None for unit in units) / len(units) == pytest.approx(share, abs=scatter)


def test_si_values_are_the_same_people_to_the_digits_of_a_laboratory(
    small: NetworkFile, built: Path, tmp_path: Path
) -> None:
    """The same site built with the other habit: as many rows, each value worth the same."""
    chosen = next(one for one in measuring(small) if one.units == "SI")
    other = msgspec.structs.replace(chosen, units="conventional")
    organisations = tuple(other if one is chosen else one for one in small.organisations)
    network = dataclasses.replace(small, organisations=organisations)
    build(network, destination=tmp_path, patients=PATIENTS, seed=SEED, jobs=1, sites=[chosen.site])
    ordered = VALUES + " ORDER BY measurement_id"
    si, conventional = (ask(folder / chosen.site, ordered) for folder in (built, tmp_path))
    assert len(si) == len(conventional) > 500
    labs, changed = si_labs(small), 0
    for (code, unit, value, _), (same, _, plain, _) in zip(si, conventional, strict=True):
        assert code == same
        lab = labs.get(code)
        if lab is None or lab.si is None or unit is None:
            continue
        factor = bundled_units().factor(code, lab.unit, lab.si.unit)
        assert factor is not None
        assert abs(value - plain * factor) <= 0.5 * 10**-lab.si.digits + 1e-9
        assert value == pytest.approx(round(value, lab.si.digits), abs=1e-12)
        changed += value != plain
    assert changed > 100


def test_enough_digits_are_kept_to_tell_patients_apart(whole: NetworkFile) -> None:
    """Rounding to SI digits loses at most a fifth of the spread between patients."""
    for lab in si_labs(whole).values():
        assert lab.si is not None
        factor = bundled_units().factor(lab.code, lab.unit, lab.si.unit)
        assert factor is not None
        assert 0.5 * 10**-lab.si.digits < 0.2 * lab.sd * factor, lab.code


def test_golden_values(whole: NetworkFile) -> None:
    """1.2 mg/dL of bilirubin are 21 umol/L, 0.9 mg/dL of creatinine 80, 4.1 g/dL of albumin 41."""
    codebook = Codebook(whole.hierarchy)
    si = SiUnits.of(whole.population, codebook)
    codes = codebook.rows("LOINC", "1975-2", "2160-0", "1751-7", "2345-7", "8480-6")
    units = codebook.rows("UCUM", "mg/dL", "mg/dL", "g/dL", "mg/dL", "mm[Hg]")
    whole_numbers = np.zeros(5, dtype=np.int32)
    thousandths = np.array([1_200, 900, 4_100, 99_000, 121_000])
    facts = Facts(whole_numbers, whole_numbers, codes, whole_numbers, thousandths, units)
    site = msgspec.structs.replace(whole.organisations[0], units="SI", units_missing=0.0)
    written = as_written(np.random.default_rng(1), facts, site, si)
    assert written.value.tolist() == [20_500, 80_000, 41_000, 5_500, 121_000]
    names = [whole.hierarchy.concepts[row].code for row in written.unit]
    assert names == ["umol/L", "umol/L", "g/L", "mmol/L", "mm[Hg]"]
    assert facts.value.tolist() == thousandths.tolist()
    bare = msgspec.structs.replace(site, units="conventional", units_missing=1.0)
    written = as_written(np.random.default_rng(1), facts, bare, si)
    assert written.value.tolist() == thousandths.tolist()
    assert set(written.unit) == {NO_UNIT}


def test_a_unit_without_a_factor_is_a_defect_that_is_named(whole: NetworkFile) -> None:
    labs = tuple(
        msgspec.structs.replace(lab, unit="kg") if lab.code == "2345-7" else lab
        for lab in whole.population.labs
    )
    population = msgspec.structs.replace(whole.population, labs=labs)
    with pytest.raises(ValueError, match="LOINC 2345-7 has no factor from kg to mmol/L"):
        SiUnits.of(population, Codebook(whole.hierarchy))
