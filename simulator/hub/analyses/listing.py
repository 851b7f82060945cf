"""What the patients had before: the most frequent codes, and the latest values of tests.

The hub names the codes from the bundled hierarchy; each site looks for them in its own vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from simulator.aggregates.released import Released, Withheld
from simulator.bundled import library
from simulator.hub.analyses.cohort import Describes, grid_of
from simulator.hub.analyses.descriptions import (
    Bin,
    CodeCount,
    CodeList,
    Lab,
    Path,
    Pathways,
    Within,
    share_of,
)
from simulator.hub.analyses.released import ReleasedCounts, ReleasedPaths
from simulator.language.bins import bundled_bins
from simulator.language.codes import Code, ConceptSet
from simulator.language.criteria import Domain
from simulator.language.hierarchy import Concept, Hierarchy, read_hierarchy
from simulator.messages.describing import (
    NO_LINE,
    CodesNeed,
    LabsNeed,
    LabTest,
    PathwaysNeed,
)
from simulator.messages.needs import Need
from simulator.privacy.thresholds import bounds_of

_QUARTERS: Final = (0.25, 0.5, 0.75)
_CATEGORY: Final = 3


def codes(domain: Domain, top: int) -> Describes[CodeList]:
    """The most frequent diagnoses, procedures or drugs at or before index.

    Args:
        domain: Diagnoses are counted by category of three characters, drugs by ingredient.
        top: How many are shown.
    """
    listed = _listed(domain)
    need = CodesNeed(domain, tuple(codes for codes, _ in listed))
    released = yield frozenset[Need]({need})
    found = released[need]
    if not isinstance(found, ReleasedCounts):
        raise TypeError("counts were expected")
    everyone, *counts = found.counts
    lines = [
        CodeCount(codes.name, description, count, share_of(count, everyone))
        for (codes, description), count in zip(listed, counts, strict=True)
    ]
    told = [
        line for line in lines if not isinstance(line.patients, Withheld) and line.patients != 0
    ]
    told.sort(key=lambda line: (-bounds_of(line.patients)[0], line.code))
    withheld = sum(isinstance(line.patients, Withheld) for line in lines)
    return CodeList(str(domain), len(lines), withheld, everyone, tuple(told[:top]))


@cache
def _hierarchy() -> Hierarchy:
    return read_hierarchy(library("queries") / "codes")


def _listed(domain: Domain) -> list[tuple[ConceptSet, str]]:
    """The codes of a kind that the bundled hierarchy knows, each with its description."""
    concepts = [concept for concept in _hierarchy().concepts if concept.domain == _NAMED[domain]]
    if domain is Domain.CONDITION:
        kept = [
            concept
            for concept in concepts
            if concept.vocabulary == "ICD10CM" and len(concept.code) == _CATEGORY
        ]
        return [(_set_of(concept, descendants=True), concept.description) for concept in kept]
    if domain is Domain.PROCEDURE:
        kept = [concept for concept in concepts if concept.vocabulary in {"CPT4", "HCPCS"}]
        return [(_set_of(concept), concept.description) for concept in kept]
    billed: dict[tuple[str, str], list[Code]] = {}
    for concept in concepts:
        if concept.maps_to is not None:
            billed.setdefault(concept.maps_to, []).append(Code(concept.vocabulary, concept.code))
    return [
        (
            _set_of(concept, billed.get((concept.vocabulary, concept.code), ()), descendants=True),
            concept.description,
        )
        for concept in concepts
        if concept.vocabulary == "RxNorm"
    ]


_NAMED: Final = {
    Domain.CONDITION: "Condition",
    Domain.PROCEDURE: "Procedure",
    Domain.DRUG: "Drug",
}


def _set_of(
    concept: Concept, also: Sequence[Code] = (), *, descendants: bool = False
) -> ConceptSet:
    own = Code(concept.vocabulary, concept.code, descendants)
    return ConceptSet(f"{concept.vocabulary} {concept.code}", (own, *also))


def labs() -> Describes[tuple[Lab, ...]]:
    """The latest values of every test that has bins, in the year before index."""
    tests = tuple(LabTest(test.loinc, test.unit, test.edges) for test in bundled_bins())
    need = LabsNeed(tests)
    released = yield frozenset[Need]({need})
    grid = grid_of(released, need)
    rows = zip(tests, grid.cells, strict=True)
    return tuple(_lab(test, row, grid.everyone) for test, row in rows)


def _lab(test: LabTest, row: tuple[Released, ...], everyone: Released) -> Lab:
    *cells, without = row
    left = None
    if isinstance(everyone, int):
        # Nobody is in two cells, so that all that are withheld share who is in none that is told.
        left = everyone - sum(bounds_of(cell)[0] for cell in row)
    cells = cells[: len(test.edges) + 1]
    ends = [None, *test.edges, None]
    known = _hierarchy().find("LOINC", test.loinc)
    return Lab(
        loinc=test.loinc,
        description=known.description if known else test.loinc,
        unit=test.unit,
        without=without,
        bins=tuple(
            Bin(low, high, count)
            for low, high, count in zip(ends[:-1], ends[1:], cells, strict=True)
        ),
        quantiles=_quantiles(ends, cells, left),
    )


def _quantiles(
    ends: Sequence[float | None], cells: Sequence[Released], left: int | None
) -> tuple[Within, ...]:
    """In which bin a quantile lies; where cells are not told exactly, from which to which bin.

    Args:
        ends: Where bins begin and end.
        cells: Patients in each bin.
        left: How many patients a withheld cell may hold at the most; None where nothing says so.
    """
    bounds = [bounds_of(cell) for cell in cells]
    least = [low for low, _ in bounds]
    if left is None and any(high is None for _, high in bounds):
        return ()
    most = [left or 0 if high is None else high for _, high in bounds]
    if not sum(most):
        return ()
    found = []
    for share in _QUARTERS:
        # Lowest where what lies below holds all it may, highest where it holds the least.
        low, high = _reaches(most, least, share), _reaches(least, most, share)
        found.append(Within(share, ends[low], ends[high + 1]))
    return tuple(found)


def _reaches(below: Sequence[int], above: Sequence[int], share: float) -> int:
    """The first bin up to which a share lies, by one bound up to it and by the other beyond."""
    for place in range(len(below)):
        up_to, beyond = sum(below[: place + 1]), sum(above[place + 1 :])
        if up_to >= share * (up_to + beyond):
            return place
    return len(below) - 1


def pathways() -> Describes[Pathways]:
    """In which order the kinds of treatment first followed the index, the most frequent first."""
    need = PathwaysNeed()
    released = yield frozenset[Need]({need})
    found = released[need]
    if not isinstance(found, ReleasedPaths):
        raise TypeError("paths were expected")
    paths = [
        Path(steps, count, share_of(count, found.everyone))
        for steps, count in found.paths.items()
        if len(steps) == 1 or steps[-1] != NO_LINE
    ]
    sizes = {path.steps: bounds_of(path.patients)[0] for path in paths}
    paths.sort(key=lambda path: _rank(path.steps, sizes))
    return Pathways(found.everyone, tuple(paths))


def _rank(steps: tuple[str, ...], sizes: dict[tuple[str, ...], int]) -> tuple[tuple[int, str], ...]:
    """Below what it goes on from, the most frequent first."""
    beginnings = [steps[: length + 1] for length in range(len(steps))]
    return tuple((-sizes.get(part, 0), part[-1]) for part in beginnings)
