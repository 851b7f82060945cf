from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from simulator.bundled import find
from simulator.errors import UserError
from simulator.synthesis.draw_organisations import draw_organisations
from simulator.synthesis.networks import NetworkFile, read_network
from simulator.synthesis.organisations import read_organisations, write_organisations
from simulator.synthesis.population_file import read_population

FILE = find("sites/organisations", "collaborative-145")


def test_the_file_is_what_the_draw_gives() -> None:
    drawn = draw_organisations(145, seed=145)
    assert write_organisations(drawn, "collaborative-145", 145) == FILE.read_text(encoding="utf-8")
    assert read_organisations(FILE) == drawn


def test_68_of_145_can_answer_and_the_others_cannot_for_many_reasons(whole: NetworkFile) -> None:
    first, last = whole.scenario.first, whole.scenario.last
    reasons: Counter[str] = Counter()
    for one in whole.organisations:
        if one.can_answer(first, last):
            reasons["able"] += 1
            assert "death" in one.domains
        elif not one.online:
            reasons["off line"] += 1
            assert "procedure" not in one.domains
        elif missing := {"condition", "procedure", "drug"} - set(one.domains):
            reasons[f"no {missing.pop()}"] += 1
        elif "ICD10CM" not in one.vocabularies or "CPT4" not in one.vocabularies:
            reasons["local codes"] += 1
        elif not {"RxNorm", "HCPCS"} & set(one.vocabularies):
            reasons["local drugs"] += 1
        else:
            reasons["span"] += 1
            assert one.last < first or one.first.year > last.year
    assert reasons["able"] == 68
    assert reasons["off line"] == 6
    assert len(reasons) >= 6


def test_habits_are_mixed_where_the_study_runs(whole: NetworkFile) -> None:
    able = [
        one
        for one in whole.organisations
        if one.can_answer(whole.scenario.first, whole.scenario.last)
    ]
    assert 0.28 < np.mean([one.shift > 0 for one in able]) < 0.5
    assert {one.shift for one in able} == {0, 30, 365}
    assert {one.flavour for one in able} == {"CPT4", "HCPCS"}
    assert {one.drug_codes for one in able} == {"HCPCS", "RxNorm"}
    assert {one.month_deaths for one in able} == {True, False}
    assert all(0.6 <= one.capture <= 0.95 for one in able)
    assert all(one.flavour in one.vocabularies for one in able)


def test_too_few_organisations_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="at least 77"):
        draw_organisations(20, seed=1)


def test_both_bundled_networks_can_be_read() -> None:
    reported, modelled = read_network("as-reported"), read_network("as-modelled")
    assert reported.patients == modelled.patients == 200_000
    assert reported.scenario.acceptance.required
    assert not modelled.scenario.acceptance.required
    assert modelled.scenario.drawn_sizes
    assert reported.fingerprint != modelled.fingerprint
    assert reported.fingerprint == read_network("as-reported").fingerprint


def _changed(tmp_path: Path, old: str, new: str) -> Path:
    path = tmp_path / "some.yaml"
    path.write_text(FILE.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("region: South", "region: Atlantis", "'Northeast' or 'Midwest'"),
        ("death dates: month", "death dates: year", "'day' or 'month'"),
        ("to 2024-07-31", "to 1999-01-01", "two dates in order"),
        ("domains: [condition", "domains: [dreams", "expected 'condition'"),
        ("units: conventional", "units: imperial", "'conventional' or 'SI'"),
        ("units missing: 0.", "units missing: 7.", "at most 1"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        read_organisations(_changed(tmp_path, old, new))
    assert caught.value.where is not None
    assert caught.value.where.rpartition("/")[2].startswith("some.yaml:")


def test_a_population_needs_a_number_for_each_age(tmp_path: Path) -> None:
    text = find("sites/populations", "us-patients").read_text(encoding="utf-8")
    path = tmp_path / "people.yaml"
    path.write_text(text.replace("[0.003, 0.008, 0.03, 0.16]", "[0.003]"), encoding="utf-8")
    with pytest.raises(UserError, match="expected 4 numbers, one for each age group"):
        read_population(path)


def test_two_sites_of_one_name_and_no_sites_are_refused(tmp_path: Path) -> None:
    second = read_organisations(FILE)[1].site
    first = read_organisations(FILE)[0].site
    with pytest.raises(UserError, match=f"two sites '{first}'"):
        read_organisations(_changed(tmp_path, f"site: {second}\n", f"site: {first}\n"))
    path = tmp_path / "none.yaml"
    path.write_text("organisations: none\nversion: 1\nseed: 1\nsites: []\n")
    with pytest.raises(UserError, match="at least one organisation"):
        read_organisations(path)
