"""Runs the command line in this process, as a user would type it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from simulator.__main__ import main


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


class Shell:
    """Types commands."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str | Path) -> Said:
        self._capsys.readouterr()
        code = main([str(word) for word in words])
        printed = self._capsys.readouterr()
        return Said(code, printed.out, printed.err)
