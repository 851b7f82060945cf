"""Between which values a measurement's values are counted, the same everywhere."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache

from simulator.bundled import library


@dataclass(frozen=True)
class Binned:
    """A measurement with the unit and the edges of its bins.

    Attributes:
        loinc: Its code.
        unit: Its reference unit, as UCUM writes it.
        edges: Ascending; a value at an edge is in the bin above.
    """

    loinc: str
    unit: str
    edges: tuple[float, ...]


@cache
def bundled_bins() -> tuple[Binned, ...]:
    """The bins that ship with the code list, in its order. Source: `queries/codes/bins.csv`."""
    folder = library("queries") / "codes"
    units: dict[str, str] = {}
    with (folder / "units.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            units.setdefault(row["loinc"], row["unit"])
    with (folder / "bins.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Binned(
                row["loinc"],
                units[row["loinc"]],
                tuple(float(edge) for edge in row["edges"].split()),
            )
            for row in csv.DictReader(file)
        )
