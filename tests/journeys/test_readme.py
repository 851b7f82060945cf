"""What the README prints is what its first command prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulator.__main__ import main

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.laws
def test_the_readme_shows_what_the_demonstration_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["build", "--quiet"]) == 0
    assert main(["run", "bclm"]) == 0
    shown = re.findall(r"```text\n(.*?)```", README.read_text(encoding="utf-8"), re.S)[0]
    assert capsys.readouterr().out == shown
