"""Codes are held against the code list, each at its place."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from simulator.language.checks import check_codes, placed_codes
from simulator.language.documents import parse_document
from simulator.language.labels import bundled_hierarchy
from simulator.language.reading import parse_inquiry
from tests.unit.language.broken import changed

HERE: Final = "chemo: [RxNorm 3639]"


def found(old: str, new: str) -> tuple[str, ...]:
    text = changed(old, new)
    return check_codes(
        parse_inquiry(text, "a.yaml"), parse_document(text, "a.yaml"), bundled_hierarchy()
    )


def test_known_codes_of_the_right_kind_are_fine() -> None:
    assert found(HERE, HERE) == ()


def test_every_unknown_code_is_told_with_its_place() -> None:
    said = found(HERE, "chemo:\n    include: [RxNorm 3639, RxNorm 99]\n    exclude: [RxNorm 98]")
    assert said == (
        "a.yaml:6:28: codes 'chemo': the bundled code list does not know 'RxNorm 99'; sites may",
        "a.yaml:7:15: codes 'chemo': the bundled code list does not know 'RxNorm 98'; sites may",
    )


def test_an_unknown_vocabulary_is_told_with_the_nearest() -> None:
    assert found(HERE, "chemo: [RxNorm 3639, RxNrom 3002]") == (
        "a.yaml:5:24: codes 'chemo': the bundled code list does not know the vocabulary of "
        "'RxNrom 3002'; sites may. Did you mean 'RxNorm'?",
    )


def test_codes_of_another_kind_are_told() -> None:
    assert found(HERE, "chemo: [RxNorm 3639, CPT4 37243]") == (
        "a.yaml:5:24: codes 'chemo': 'CPT4 37243' is a procedure, but a drug is asked for, so "
        "that nothing is found by it",
    )


def test_what_is_taken_out_need_not_be_of_the_kind() -> None:
    assert found(HERE, "chemo: {include: [RxNorm 3639], exclude: [CPT4 37243]}") == ()


def test_sets_that_are_not_used_are_left_alone() -> None:
    assert found(HERE, f"{HERE}\n  other: [Nothing 1]") == ()


@pytest.mark.parametrize("own", [True, False], ids=["own codes", "codes of the other"])
def test_codes_are_placed_where_they_are_written(tmp_path: Path, *, own: bool) -> None:
    below = tmp_path / "below.yaml"
    below.write_text(changed(HERE, HERE))
    text = f"study: above\nbased on: {below}\n"
    text += "codes: {chemo: [RxNorm 3639], tumour: [ICD10CM C50]}\n" if own else ""
    places = [code.where for code in placed_codes(parse_document(text, "above.yaml"))]
    lines = [place.rsplit(":", 2)[0] for place in places]
    assert lines == [("above.yaml" if own else str(below))] * 2
