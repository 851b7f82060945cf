"""The guide to a first study can be followed, and shows what is then seen."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.journeys.commands import Shell
from tests.support.guide import BLOCK, NOT_TYPED, Typing, as_shown, typed

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "first-study.md"


@pytest.fixture
def typing(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typing:
    monkeypatch.chdir(tmp_path)

    def run(words: Sequence[str]) -> tuple[int, str]:
        said = shell(*words)
        return said.code, said.out + said.err

    return run


def test_the_guide_can_be_followed(
    as_reported: Path, tmp_path: Path, typing: Typing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COHORTIUM_DATA", str(as_reported.parent))
    guide = GUIDE.read_text(encoding="utf-8")
    # The network of the tests is small: its numbers differ, and so may what is withheld.
    typed(BLOCK.sub(lambda block: "" if block[1] == "text" else block[0], guide), tmp_path, typing)
    listed = guide.partition("The folder `mine` now holds\n")[2].partition("\n## ")[0]
    files = set(re.findall(r"`(\w+\.\w+)`", listed))
    assert files == {path.name for path in (tmp_path / "mine").iterdir()}
    rows = (tmp_path / "mine" / "result.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0].startswith("arm,patients,events,months,")


@pytest.mark.laws
def test_the_guide_shows_what_is_printed(
    as_shipped: Path, tmp_path: Path, typing: Typing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COHORTIUM_DATA", str(as_shipped.parent))
    shown = GUIDE.read_text(encoding="utf-8")
    now = typed(shown, tmp_path, typing)
    # REFRESH=1 writes what is printed now into the guide, to be read before it is committed.
    if os.environ.get("REFRESH"):
        (tmp_path / "first-study.md").write_text(now, encoding="utf-8")
        shutil.copy(tmp_path / "first-study.md", GUIDE)
    assert now == shown


def test_shown_lines_are_found_by_all_but_their_numbers() -> None:
    printed = "COHORT\n  1,234  all\n     17  some\nend\n"
    assert as_shown("COHORT\n...\n      9  some\n", printed) == "COHORT\n...\n     17  some\n"
    with pytest.raises(AssertionError, match="nothing printed looks like 'ARMS'"):
        as_shown("ARMS\n", printed)


def test_a_command_that_ends_otherwise_is_told(tmp_path: Path) -> None:
    guide = "```yaml\nstudy: one\n```\n<!-- ends with 2 -->\n```console\ncohortium check one\n```\n"
    asked: list[list[str]] = []

    def run(words: Sequence[str]) -> tuple[int, str]:
        asked.append(list(words))
        return 2, ""

    assert typed(guide, tmp_path, run) == guide
    assert (tmp_path / "one.yaml").read_text() == "study: one\n"
    with pytest.raises(AssertionError, match="ends with 2, not 0"):
        typed(guide.replace("<!-- ends with 2 -->", ""), tmp_path, run)
    assert asked == [["check", "one"]] * 2


def test_what_is_not_typed_is_in_the_guide() -> None:
    assert all(line in GUIDE.read_text(encoding="utf-8") for line in NOT_TYPED)
