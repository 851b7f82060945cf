"""The guide's commands run, in order, and print what the guide shows but for numbers and times."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.journeys.commands import Shell

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "freeze-and-diff.md"
BLOCKS = re.findall(r"```(console|text)\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.S)


def plain(text: str) -> str:
    """One line, times and numbers left out."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:]+\+00:00", "TIME", " ".join(text.split()))
    return re.sub(r"\d[\d,]* numbers", "N numbers", text)


def test_the_guide_shows_what_its_commands_print(
    shell: Shell, as_reported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COHORTIUM_DATA", str(as_reported.parent))
    printed, shown = "", 0
    for kind, block in BLOCKS:
        if kind == "text":
            assert plain(block) in printed
            shown += 1
            continue
        for line in block.splitlines():
            command, *words = line.split()
            assert command == "cohortium"
            said = shell(*words)
            assert said.code == 0, said.err
            printed = plain(said.out)
    assert shown == 4
