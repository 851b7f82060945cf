"""Progress is for a person at a terminal who has waited for over a second, and for nobody else."""

from __future__ import annotations

import io

import pytest

from simulator.cli import progress
from simulator.cli.progress import progress_bar


class Screen(io.StringIO):
    """What is written to it is kept; whether it is a terminal is said."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def shown(monkeypatch: pytest.MonkeyPatch, *, terminal: bool, quiet: bool, patience: float) -> str:
    screen = Screen(terminal=terminal)
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "_PATIENCE_SECONDS", patience)
    with progress_bar("asking", quiet=quiet) as advance:
        for _ in range(3):
            advance(3)
    return screen.getvalue()


def test_a_person_who_waits_sees_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, terminal=True, quiet=False, patience=-1.0)
    assert "asking" in text
    assert "sites" in text


@pytest.mark.parametrize(
    ("terminal", "quiet", "patience"),
    [(False, False, -1.0), (True, True, -1.0), (True, False, 60.0)],
    ids=["no terminal", "quiet", "soon done"],
)
def test_nobody_else_sees_anything(
    monkeypatch: pytest.MonkeyPatch, patience: float, *, terminal: bool, quiet: bool
) -> None:
    assert shown(monkeypatch, terminal=terminal, quiet=quiet, patience=patience) == ""
