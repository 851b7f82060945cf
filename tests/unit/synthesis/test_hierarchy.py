from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from simulator.bundled import library
from simulator.errors import UserError
from simulator.language.hierarchy import LOCAL_CONCEPTS_START, read_hierarchy
from tests.unit.synthesis.counting import HIERARCHY, study_sets

# Public repositories carry some of these swapped.
DRUGS = {
    "56946": "paclitaxel",
    "72962": "docetaxel",
    "3639": "doxorubicin",
    "1547545": "pembrolizumab",
    "1597876": "nivolumab",
    "224905": "trastuzumab",
    "194000": "capecitabine",
    "84857": "anastrozole",
    "6809": "metformin",
}


@pytest.mark.parametrize("code", DRUGS)
def test_known_traps_among_drug_codes(code: str) -> None:
    concept = HIERARCHY.find("RxNorm", code)
    assert concept is not None
    assert concept.description == DRUGS[code]


def test_every_billed_dose_maps_to_the_ingredient_that_it_names() -> None:
    mapped = [one for one in HIERARCHY.concepts if one.maps_to is not None]
    assert len(mapped) > 20
    assert {one.vocabulary for one in mapped} == {"HCPCS", "Local"}
    for one in mapped:
        assert one.maps_to is not None
        assert HIERARCHY.by_code[one.maps_to].description in one.description


def test_every_code_of_the_study_is_known_and_its_sets_are_apart() -> None:
    sets = study_sets()
    assert len(sets["breast cancer"]) == 82
    assert len(sets["primary cancer of liver or bowel"]) == 22
    assert not set(sets["immunotherapy"]) & set(sets["chemotherapy"])
    assert not set(sets["breast cancer"]) & set(sets["liver metastasis"])


def test_in_situ_disease_is_not_below_breast_cancer() -> None:
    codes = {one.code for one in HIERARCHY.descendants("ICD10CM", "C50")}
    assert "C50.911" in codes
    assert not any(code.startswith("D05") for code in codes)
    assert HIERARCHY.descendants("ICD10CM", "X99") == ()


def test_levels_between_a_code_and_its_ancestors() -> None:
    leaf, top = HIERARCHY.find("ICD10CM", "C50.911"), HIERARCHY.find("ICD10CM", "C50")
    assert leaf is not None
    assert top is not None
    levels = {
        one.ancestor: (one.least_levels, one.most_levels)
        for one in HIERARCHY.descents
        if one.descendant == leaf.concept_id
    }
    assert levels[leaf.concept_id] == (0, 0)
    assert levels[top.concept_id] == (3, 3)


def test_concept_ids_are_standard_ones_or_ours_and_fit_an_integer() -> None:
    standard = {
        one.concept_id for one in HIERARCHY.concepts if one.concept_id < LOCAL_CONCEPTS_START
    }
    assert {8507, 8532, 9201, 9202, 9203, 32817} <= standard
    assert max(one.concept_id for one in HIERARCHY.concepts) < 2**31
    assert all(len(one.code) <= 50 and len(one.description) <= 255 for one in HIERARCHY.concepts)


def _copy(tmp_path: Path) -> Path:
    folder = tmp_path / "codes"
    shutil.copytree(library("queries") / "codes", folder)
    return folder


def test_the_fingerprint_follows_the_content_and_not_the_line_ends(tmp_path: Path) -> None:
    folder = _copy(tmp_path)
    concepts = folder / "concepts.csv"
    concepts.write_bytes(concepts.read_bytes().replace(b"\n", b"\r\n"))
    assert read_hierarchy(folder).fingerprint == HIERARCHY.fingerprint
    (folder / "VERSION").write_text("2\n")
    assert read_hierarchy(folder).fingerprint != HIERARCHY.fingerprint


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("x,RxNorm,1,Drug,Ingredient,S,one,,", "expected a whole number"),
        ("2147483648,RxNorm,1,Drug,Ingredient,S,one,,", "must fit 31 bits"),
        ("8507,RxNorm,1,Drug,Ingredient,S,one,,", "stands here twice"),
        ("2000009999,RxNorm,3639,Drug,Ingredient,S,one,,", "stands here twice"),
        ("2000009999,Nonsense,1,Drug,Ingredient,S,one,,", "no vocabulary 'Nonsense'"),
        ("2000009999,RxNorm,1,Drug,Ingredient,S,one,99,", "does not stand above"),
        ("2000009999,RxNorm,1,Drug,Ingredient,S,one,,RxNorm 77", "nothing is known of"),
        ("2000009999,RxNorm,1,Drug", "expected 9 values"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    folder = _copy(tmp_path)
    with (folder / "concepts.csv").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(UserError, match=message) as caught:
        read_hierarchy(folder)
    assert caught.value.where == f"concepts.csv:{len(HIERARCHY.concepts) + 2}"


def test_a_missing_file_and_wrong_columns_are_named(tmp_path: Path) -> None:
    folder = _copy(tmp_path)
    (folder / "vocabularies.csv").write_text("a,b\n")
    with pytest.raises(UserError, match="expected the columns vocabulary_id, name"):
        read_hierarchy(folder)
    (folder / "VERSION").unlink()
    with pytest.raises(UserError, match="cannot be read"):
        read_hierarchy(folder)
