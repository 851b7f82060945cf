"""How sites write laboratory values: in conventional or SI units, or without any."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.language.units import bundled_units
from simulator.synthesis.codebook import Codebook
from simulator.synthesis.facts import Facts
from simulator.synthesis.organisations import SI, Organisation
from simulator.synthesis.population_file import Population

NO_UNIT: Final = np.int16(-1)


@dataclass(frozen=True)
class SiUnits:
    """What each row of the codebook becomes where values are written in SI units, shape (rows,).

    Attributes:
        unit: Row of the SI unit of a measurement; -1 where it is the conventional one.
        times: A value in the SI unit for each one in the conventional unit.
        step: The thousandths to which SI values are rounded, as a laboratory reports them.
    """

    unit: NDArray[np.int16]
    times: NDArray[np.float64]
    step: NDArray[np.int64]

    @staticmethod
    def of(population: Population, codebook: Codebook) -> SiUnits:
        """Those of a population; factors come from the bundled list of units.

        Raises:
            ValueError: The list of units has no factor for a unit of the population.
        """
        rows = len(codebook.hierarchy.concepts)
        unit = np.full(rows, NO_UNIT, dtype=np.int16)
        times, step = np.ones(rows), np.ones(rows, dtype=np.int64)
        for lab in population.labs:
            if lab.si is None:
                continue
            factor = bundled_units().factor(lab.code, lab.unit, lab.si.unit)
            if factor is None:
                raise ValueError(f"LOINC {lab.code} has no factor from {lab.unit} to {lab.si.unit}")
            row = codebook.row("LOINC", lab.code)
            unit[row] = codebook.row("UCUM", lab.si.unit)
            times[row], step[row] = factor, 10 ** (3 - lab.si.digits)
        return SiUnits(unit, times, step)


def as_written(
    rng: np.random.Generator, facts: Facts, organisation: Organisation, si: SiUnits
) -> Facts:
    """Measurements in conventional units as an organisation writes them.

    Args:
        rng: Source of randomness.
        facts: Measurements, each with its conventional unit.
        organisation: The site.
        si: The SI units.
    """
    value, unit = facts.value, facts.unit
    if organisation.units == SI:
        there = si.unit[facts.code]
        changes = np.flatnonzero(there != NO_UNIT)
        code = facts.code[changes]
        step = si.step[code]
        value, unit = value.copy(), unit.copy()
        value[changes] = np.rint(value[changes] * si.times[code] / step).astype(np.int64) * step
        unit[changes] = there[changes]
    if organisation.units_missing:
        missing = rng.random(len(facts), dtype=np.float32) < organisation.units_missing
        unit = np.where(missing, NO_UNIT, unit)
    return replace(facts, value=value, unit=unit)
