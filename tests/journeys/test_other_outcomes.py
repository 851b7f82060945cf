"""A study that waits for something other than death says so wherever it shows a number."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.journeys.commands import Shell


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def test_nobody_is_said_to_have_died_of_another_outcome(as_reported: Path, shell: Shell) -> None:
    asked = ("run", "metformin-or-insulin", "--network", as_reported, "--quiet")
    said = shell(*asked, "--release", "exact")
    assert said.code == 0, said.err
    assert "died" not in said.out
    assert "waited for: chronic kidney disease" in said.out
    assert "WITHOUT CHRONIC KIDNEY DISEASE, %" in said.out
    whole = " ".join(said.out.split())
    assert (
        "time from index to a diagnosis of 'chronic kidney disease' at any time after the index "
        "day, death ending the watch (cause-specific: 1 minus the curve is not the share of "
        "patients who get it), among the patients of the cohort" in whole
    )
    result = json.loads(shell(*asked, "--release", "exact", "--format", "json").out)["result"]
    assert result["outcome"] == "chronic kidney disease"


def test_an_exit_is_part_of_what_is_estimated(as_reported: Path, shell: Shell) -> None:
    said = shell(
        *("run", "until-the-next-embolization", "--network", as_reported),
        *("--release", "exact", "--format", "json", "--quiet"),
    )
    result = json.loads(said.out)["result"]
    assert result["outcome"] == "death"
    assert "; the watch also ends with a procedure 'tumour embolization'" in result["estimand"]
