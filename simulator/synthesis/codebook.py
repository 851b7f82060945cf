"""How a site writes codes: every concept as a small row number, and what that row becomes there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.language.hierarchy import Concept, Hierarchy
from simulator.synthesis.organisations import Organisation

RowNumbers = NDArray[np.int16]
# These stand in every database, whatever vocabularies the site codes in.
ALWAYS: Final = ("Gender", "Race", "Ethnicity", "Visit", "Type Concept", "UCUM")
LOCAL: Final = "LOCAL-"


@dataclass(frozen=True)
class Codebook:
    """The hierarchy with its concepts numbered by their row, so that columns of codes are small."""

    hierarchy: Hierarchy

    @cached_property
    def _rows(self) -> Mapping[tuple[str, str], int]:
        return {
            (concept.vocabulary, concept.code): row
            for row, concept in enumerate(self.hierarchy.concepts)
        }

    def row(self, vocabulary: str, code: str) -> int:
        """The row of a code; a code that is not there is a defect of a bundled file."""
        return self._rows[vocabulary, code]

    def rows(self, vocabulary: str, *codes: str) -> RowNumbers:
        """The rows of several codes of one vocabulary."""
        return np.array([self.row(vocabulary, code) for code in codes], dtype=np.int16)

    @cached_property
    def supply_code(self) -> Mapping[int, int]:
        """The first HCPCS row that maps to each RxNorm row."""
        found: dict[int, int] = {}
        for row, concept in enumerate(self.hierarchy.concepts):
            if concept.maps_to is not None:
                found.setdefault(self._rows[concept.maps_to], row)
        return found


@dataclass(frozen=True)
class Coding:
    """What each row of the codebook becomes in one site's tables, shape (rows,) each.

    Attributes:
        source_values: The code as the site writes it.
        source_concepts: The concept of that code; 0 for a local one.
        concepts: The standard concept; 0 for a local code.
    """

    source_values: tuple[str, ...]
    source_concepts: NDArray[np.int32]
    concepts: NDArray[np.int32]


def _written(codebook: Codebook, organisation: Organisation, row: int, concept: Concept) -> int:
    """The row that the site writes in place of `row`: a J-code for an infused ingredient."""
    supply = codebook.supply_code.get(row)
    wants = organisation.drug_codes == "HCPCS" or "RxNorm" not in organisation.vocabularies
    if supply is None or concept.vocabulary != "RxNorm" or not wants:
        return row
    return supply if "HCPCS" in organisation.vocabularies else row


def site_coding(codebook: Codebook, organisation: Organisation) -> Coding:
    """How an organisation writes every concept of the codebook.

    A code of a vocabulary that it does not hold becomes a local code without a concept. An HCPCS
    drug code keeps its own concept as source and takes the RxNorm ingredient as concept where the
    site holds RxNorm.
    """
    held = {*ALWAYS, *organisation.vocabularies}
    concepts = codebook.hierarchy.concepts
    values: list[str] = []
    sources = np.zeros(len(concepts), dtype=np.int32)
    standards = np.zeros(len(concepts), dtype=np.int32)
    for row, concept in enumerate(concepts):
        written = concepts[_written(codebook, organisation, row, concept)]
        if written.vocabulary not in held:
            values.append(f"{LOCAL}{row:04d}")
            continue
        values.append(written.code)
        sources[row] = standards[row] = written.concept_id
        if written.maps_to is not None and written.maps_to[0] in held:
            standards[row] = codebook.hierarchy.by_code[written.maps_to].concept_id
    return Coding(tuple(values), sources, standards)
