"""Two results of a real network are held side by side, and what differs is what was changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from simulator.bundled import library
from tests.journeys.commands import Said, Shell
from tests.journeys.copies import only, sites_of

TEXT = (library("queries") / "studies" / "bclm.yaml").read_text(encoding="utf-8")
EXACT = ("--release", "exact")


def written(shell: Shell, folder: Path, study: str | Path, network: Path, *words: str) -> Path:
    """The folder that a run has written."""
    said = shell("run", study, "--network", network, "--out", folder, *words)
    assert said.code == 0, said.err
    return folder


def explained(shell: Shell, first: Path, second: Path) -> dict[str, Any]:
    said = shell("diff", first, second, "--format", "json")
    assert (said.code, said.err) == (0, "")
    found: dict[str, Any] = json.loads(said.out)
    return found


def read(said: Said) -> str:
    """The text as one line, after a look at its width."""
    assert (said.code, said.err) == (0, "")
    assert all(len(line) <= 80 and line == line.rstrip() for line in said.out.splitlines())
    return " ".join(said.out.split())


@pytest.fixture
def whole(shell: Shell, few_to_read: Path, tmp_path: Path) -> Path:
    return written(shell, tmp_path / "whole", "bclm", few_to_read, *EXACT)


def test_two_runs_of_the_same_are_the_same(
    shell: Shell, few_to_read: Path, tmp_path: Path, whole: Path
) -> None:
    again = written(shell, tmp_path / "again", "bclm", few_to_read, *EXACT)
    found = explained(shell, whole, again)
    assert found["conclusion"]["kind"] == "same"
    assert found["numbers"] == []
    assert all(term["same"] for term in found["terms"])
    assert "What went in is the same; so is every released number." in read(
        shell("diff", whole, again / "result.json")
    )


def test_a_site_less_is_its_own_patients_less(
    shell: Shell, few: Path, tmp_path: Path, whole: Path, truth: pl.DataFrame
) -> None:
    gone, *kept = (site.name for site in sites_of(few))
    only(few, kept)
    without = written(shell, tmp_path / "without", "bclm", few, *EXACT)
    found = explained(shell, whole, without)
    terms = {term["term"]: term for term in found["terms"] if not term["same"]}
    assert set(terms) == {"data", "roster"}
    assert terms["roster"]["details"] == [f"only in the first, not asked in the second: {gone}"]
    assert terms["data"]["details"] == ["organisations: 12 -> 11"]
    assert found["conclusion"]["causes"] == ["data"]
    there = truth.filter(pl.col("site") == gone)
    by_name = {tuple(number["name"]): number for number in found["numbers"]}
    assert by_name["cohort", "patients"]["difference"] == -there.height
    arms = ["TARE + immunotherapy", "TACE + immunotherapy"]
    arms += ["TARE + chemotherapy", "TACE + chemotherapy"]
    for place, arm in enumerate(arms):
        rows = there.filter(pl.col("arm") == place)
        for field, expected in (("patients", rows.height), ("events", rows["event"].sum())):
            number = by_name.get(("arms", arm, field), {"difference": 0})
            assert number["difference"] == -expected
    text = read(shell("diff", whole, without))
    assert f"only in the first, not asked in the second: {gone}" in text
    assert "is due to data (roster differs because of it)." in text


def test_a_code_less_is_named_and_blamed(
    shell: Shell, few_to_read: Path, tmp_path: Path, whole: Path
) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(TEXT.replace("    - CPT4 79445\n", ""), encoding="utf-8")
    other = written(shell, tmp_path / "other", mine, few_to_read, *EXACT)
    found = explained(shell, whole, other)
    (codes,) = (term for term in found["terms"] if term["term"] == "study: codes")
    assert codes["details"] == ["'radioembolization': only in the first: CPT4 79445"]
    assert found["conclusion"]["kind"] == "one term"
    assert found["conclusion"]["causes"] == ["study: codes"]
    one, two = (json.loads((folder / "result.json").read_text()) for folder in (whole, other))
    (patients,) = (n for n in found["numbers"] if n["name"] == ["cohort", "patients"])
    counts = [each["result"]["cohort"]["patients"] for each in (one, two)]
    assert counts == [patients["first"], patients["second"]]
    assert patients["difference"] == counts[1] - counts[0] < 0
    text = read(shell("diff", whole, other))
    assert f"patients {counts[0]} {counts[1]} {counts[1] - counts[0]:+}" in text
    assert "survival at 36 months, %" in text


def test_what_is_withheld_is_shown_as_withheld(
    shell: Shell, few_to_read: Path, tmp_path: Path, whole: Path
) -> None:
    secure = written(shell, tmp_path / "secure", "bclm", few_to_read)
    found = explained(shell, whole, secure)
    withheld = [number for number in found["numbers"] if isinstance(number["second"], dict)]
    assert withheld
    assert all(number["difference"] is None for number in withheld)
    assert found["conclusion"]["causes"] == ["release"]
    assert found["conclusion"]["follow"] == ["laboratory"]
    assert " withheld " in read(shell("diff", whole, secure))


def test_several_terms_say_what_to_run(
    shell: Shell, few_to_read: Path, tmp_path: Path, whole: Path
) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(TEXT.replace("months: 103", "months: 60"), encoding="utf-8")
    other = written(shell, tmp_path / "other", mine, few_to_read)
    text = read(shell("diff", whole, other))
    assert "2 terms differ" in text
    assert "1. As the first, but with the second's release: --release secure-sum" in text
    assert "is due to the study's outcome and follow-up." in text


def test_a_file_that_is_no_result_is_the_users_error(shell: Shell, tmp_path: Path) -> None:
    said = shell("diff", tmp_path, tmp_path)
    assert (said.code, said.out) == (2, "")
    assert "result.json: there is no such file" in said.err
