"""How values of one measurement in one unit become values in another."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from simulator.bundled import library
from simulator.language.codes import ConceptSet
from simulator.language.values import is_plain


@dataclass(frozen=True)
class Units:
    """Conversions within one measurement.

    Attributes:
        factors: For a LOINC code and a unit, what a value in it is multiplied by to be in the
            code's reference unit. Source: `queries/codes/units.csv`.
    """

    factors: Mapping[tuple[str, str], float]

    def known(self, codes: ConceptSet) -> tuple[str, ...]:
        """The units that values of a concept set's LOINC codes are known in, in order."""
        loinc = {code.code for code in codes.include if code.vocabulary == "LOINC"}
        return tuple(dict.fromkeys(unit for code, unit in self.factors if code in loinc))

    def factor(self, loinc: str | None, given: str, wanted: str) -> float | None:
        """What turns a value in a unit into one in the wanted unit; None where nothing does.

        Args:
            loinc: The measurement's LOINC code; None for one of another vocabulary.
            given: The unit of the value, as UCUM writes it.
            wanted: The unit that is asked for.
        """
        if given == wanted or (is_plain(given) and is_plain(wanted)):
            return 1.0
        if loinc is None or (loinc, given) not in self.factors:
            return None
        if (loinc, wanted) not in self.factors:
            return None
        return self.factors[loinc, given] / self.factors[loinc, wanted]


@cache
def bundled_units() -> Units:
    """The conversions that ship with the code list, read once."""
    path = library("queries") / "codes" / "units.csv"
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.DictReader(line for line in file if not line.startswith("#"))
        return Units({(row["loinc"], row["unit"]): float(row["factor"]) for row in lines})
