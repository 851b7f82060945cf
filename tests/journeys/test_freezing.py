"""A study is frozen, and every later run says whether what ran is what was frozen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulator import __version__
from simulator.bundled import library, names
from tests.journeys.commands import Said, Shell

TEXT = (library("queries") / "studies" / "bclm.yaml").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def frozen(said: Said) -> dict[str, Any] | None:
    assert said.code == 0, said.err
    found: dict[str, Any] | None = json.loads(said.out)["result"]["frozen"]
    return found


def test_a_run_says_that_it_is_what_was_frozen(
    shell: Shell, few_to_read: Path, folder: Path
) -> None:
    run = ("run", "bclm", "--network", few_to_read)
    assert frozen(shell(*run, "--format", "json")) is None
    assert "frozen" not in shell(*run).out
    said = shell("freeze", "bclm")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("bclm, version 1, is frozen\nin bclm.frozen.yaml\n")
    assert all(len(line) <= 80 for line in said.out.splitlines())
    assert [path.name for path in folder.iterdir()] == ["bclm.frozen.yaml"]
    found = frozen(shell(*run, "--format", "json"))
    assert found is not None
    assert found["same"] is True
    assert found["differs"] == []
    assert f"what ran is what was frozen, {found['at']}\n" in shell(*run).out


def test_a_run_says_what_of_it_was_not_frozen_and_runs(
    shell: Shell, few_to_read: Path, folder: Path
) -> None:
    mine = folder / "mine.yaml"
    mine.write_text(TEXT, encoding="utf-8")
    assert shell("freeze", mine).code == 0
    mine.write_text(TEXT.replace("months: 103", "months: 90"), encoding="utf-8")
    run = ("run", mine, "--network", few_to_read)
    found = frozen(shell(*run, "--format", "json"))
    assert found is not None
    assert (found["same"], found["differs"]) == (False, ["outcome and follow-up"])
    said = shell(*run)
    assert f"NOT what was frozen, {found['at']}: outcome and follow-up" in " ".join(
        said.out.split()
    )


def test_what_another_version_has_frozen_is_said(
    shell: Shell, few_to_read: Path, folder: Path
) -> None:
    path = folder / "f.yaml"
    assert shell("freeze", "bclm-as-commonly-done", "--out", path).code == 0
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(f"cohortium: {__version__}", "cohortium: 0.0.1"), encoding="utf-8")
    said = shell("run", "bclm", "--network", few_to_read, "--frozen", path)
    assert f"(frozen by cohortium 0.0.1; this is {__version__})\n" in said.out


def test_a_file_can_be_named(shell: Shell, few_to_read: Path, folder: Path) -> None:
    assert shell("freeze", "bclm", "--out", folder / "f.yaml").code == 0
    run = ("run", "bclm-as-commonly-done", "--network", few_to_read, "--frozen")
    found = frozen(shell(*run, folder / "f.yaml", "--format", "json"))
    assert found is not None
    assert "title" in found["differs"]
    assert "codes" not in found["differs"]
    said = shell(*run, folder / "g.yaml")
    assert said.code == 2
    assert "g.yaml: there is no such file" in said.err


def test_freezing_anew_is_refused_and_says_what_to_type(shell: Shell, folder: Path) -> None:
    mine = folder / "mine.yaml"
    mine.write_text(TEXT, encoding="utf-8")
    assert shell("freeze", "mine.yaml").code == 0
    assert "says the same already, since" in shell("freeze", "mine.yaml").out
    mine.write_text(TEXT.replace("2024-07-31", "2024-06-30"), encoding="utf-8")
    said = shell("freeze", "mine.yaml")
    assert (said.code, said.out) == (2, "")
    assert "said otherwise: index and steps" in said.err
    assert "rm mine.frozen.yaml" in said.err
    (folder / "mine.frozen.yaml").unlink()
    assert shell("freeze", "mine.yaml").code == 0


def test_what_is_frozen_beside_a_study_is_no_study(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    studies = folder / "queries" / "studies"
    studies.mkdir(parents=True)
    for name in ("bclm.yaml", "bclm.frozen.yaml"):
        (studies / name).touch()
    monkeypatch.setattr("simulator.bundled._PACKAGE", folder / "package")
    assert names("queries/studies") == ("bclm",)
