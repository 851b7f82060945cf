"""What a description may cost is bounded by the need alone."""

from __future__ import annotations

import pytest

from simulator.aggregates.grid import Unit
from simulator.language.codes import Code, ConceptSet
from simulator.language.criteria import Domain
from simulator.messages.describing import (
    CodesNeed,
    FollowUpNeed,
    LabsNeed,
    LabTest,
    Years,
)


def sets(number: int, each: int = 1) -> tuple[ConceptSet, ...]:
    return tuple(
        ConceptSet(f"set {place}", tuple(Code("CPT4", f"{place} {code}") for code in range(each)))
        for place in range(number)
    )


@pytest.mark.parametrize(
    ("first", "last"), [(2020, 2019), (1960, 2020), (1899, 1900), (2200, 2201)]
)
def test_years_are_in_order_and_few(first: int, last: int) -> None:
    with pytest.raises(ValueError, match=f"at most 60 years in order; found {first} to {last}"):
        Years(first, last)
    assert Years(1961, 2020).size == 60


def test_codes_are_at_most_a_thousand_of_three_kinds() -> None:
    CodesNeed(Domain.DRUG, sets(500, 2))
    with pytest.raises(ValueError, match="at most 1000 codes can be listed; found 1001"):
        CodesNeed(Domain.DRUG, sets(1001))
    with pytest.raises(ValueError, match="found 'death'"):
        CodesNeed(Domain.DEATH, sets(1))
    with pytest.raises(ValueError, match="stands there twice"):
        CodesNeed(Domain.DRUG, (*sets(1), *sets(1)))


def test_tests_and_their_edges_are_few() -> None:
    edges = tuple(float(edge) for edge in range(21))
    LabsNeed(tuple(LabTest(str(place), "g/L", edges[:20]) for place in range(60)))
    with pytest.raises(ValueError, match="1 to 20 edges in order"):
        LabTest("1", "g/L", edges)
    with pytest.raises(ValueError, match="1 to 20 edges in order"):
        LabTest("1", "g/L", (2.0, 1.0))
    with pytest.raises(ValueError, match="1 to 60 tests"):
        LabsNeed(tuple(LabTest(str(place), "g/L", (1.0,)) for place in range(61)))
    with pytest.raises(ValueError, match="stands there twice"):
        LabsNeed((LabTest("1", "g/L", (1.0,)), LabTest("1", "g/L", (2.0,))))


@pytest.mark.parametrize("months", [0, 601])
def test_a_follow_up_has_a_horizon(months: int) -> None:
    with pytest.raises(ValueError, match="the horizon must be 1 to 600 months"):
        FollowUpNeed(months)


def test_a_follow_up_may_be_told_in_coarse_cells_but_not_by_day() -> None:
    assert FollowUpNeed(24, Unit.YEAR).grid.size == 2
    with pytest.raises(ValueError, match="multiple of 12 months"):
        FollowUpNeed(25, Unit.YEAR)
    with pytest.raises(ValueError, match="by month at the finest"):
        FollowUpNeed(24, Unit.DAY)
