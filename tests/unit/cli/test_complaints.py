"""An error on a terminal fits it, and what one copies from it is never broken."""

from __future__ import annotations

import sys

import pytest

from simulator.cli.complaints import told, wrapped
from simulator.errors import UserError

PLACE = "a folder with a long name/and a study with one as long.yaml:12:5"
COMMAND = "`cohortium run 'a study with a long name' --out somewhere`"
ERROR = UserError("word " * 40 + "end", where=PLACE, hint=f"{'Then ' * 12}type {COMMAND} and see.")


@pytest.mark.parametrize("width", [72, 80])
def test_lines_fit_and_only_blanks_are_broken_at(width: int) -> None:
    lines = wrapped(f"error: {ERROR}", ERROR.where, width).splitlines()
    assert len(lines) > 4
    assert all(len(line) <= width for line in lines)
    assert all(line.startswith("  ") and line[2] != " " for line in lines[1:])
    assert any(PLACE in line for line in lines)
    assert any(COMMAND in line for line in lines)
    assert " ".join(" ".join(lines).split()) == " ".join(f"error: {ERROR}".split())


def test_what_fits_stays_as_it_is() -> None:
    error = UserError("expected a date", where="a.yaml:1:2", hint="Write YYYY-MM-DD.")
    assert wrapped(str(error), error.where, 80) == str(error)


def test_what_cannot_be_broken_may_be_longer() -> None:
    assert wrapped("error: /a/very/long-path", None, 10) == "error:\n  /a/very/long-path"


@pytest.mark.parametrize("terminal", [True, False])
def test_only_a_terminal_is_wrapped_for(monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    monkeypatch.setenv("COLUMNS", "200")
    lines = told(ERROR).splitlines()
    assert (len(lines) == 2) is not terminal
    assert (max(map(len, lines)) <= 80) is terminal
