"""Asserts where a broken study is said to be broken, and how."""

from __future__ import annotations

from typing import Final

import pytest

from simulator.errors import UserError
from simulator.language.reading import parse_study
from simulator.language.study import Study

STUDY: Final = """\
study: example
version: 1
title: an example
codes:
  chemo: [RxNorm 3639]
  tumour: [ICD10CM C50 with descendants]
index: {drug: chemo, occurrence: first}
steps:
  - step: the step
    require: {condition: tumour}
arms:
  one: {sex: female}
  two: {sex: male}
outcome: death
follow up: {months: 24}
analyses: {survival at months: [12, 24]}
"""


def changed(old: str, new: str) -> str:
    """The study with one place of it changed."""
    assert STUDY.count(old) == 1, old
    return STUDY.replace(old, new)


def study(old: str = "", new: str = "") -> Study:
    """The study, read with one place of it changed."""
    return parse_study(changed(old, new) if old else STUDY, "a.yaml")


def fails(text: str, where: str, message: str, hint: str | None = None) -> None:
    """Asserts place (line and column), message and hint of the error that a text gives."""
    with pytest.raises(UserError) as caught:
        parse_study(text, "a.yaml")
    assert (caught.value.where, caught.value.message, caught.value.hint) == (
        f"a.yaml:{where}",
        message,
        hint,
    )
