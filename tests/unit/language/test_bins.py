"""Every measurement that has a reference unit has public bins in it."""

from __future__ import annotations

from simulator.bundled import library
from simulator.language.bins import bundled_bins
from simulator.language.hierarchy import read_hierarchy
from simulator.language.units import bundled_units


def test_every_measurement_of_the_code_list_has_bins_in_its_reference_unit() -> None:
    known = read_hierarchy(library("queries") / "codes")
    loinc = {concept.code for concept in known.concepts if concept.vocabulary == "LOINC"}
    bins = {test.loinc: test for test in bundled_bins()}
    assert set(bins) == loinc
    assert len(bins) == len(bundled_bins())
    for test in bins.values():
        assert bundled_units().factors[test.loinc, test.unit] == 1.0
        assert list(test.edges) == sorted(set(test.edges))
        assert 3 <= len(test.edges) <= 20
