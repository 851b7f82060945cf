"""The list of sites fits 80 columns and cuts no word."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.language.criteria import Domain
from tests.journeys.commands import Shell
from tests.journeys.copies import sites_of


def test_what_a_site_lacks_wraps_between_words(
    shell: Shell, as_reported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    said = shell("sites", "--network", as_reported)
    assert (said.code, said.err) == (0, "")
    _, line, heads, *rows = said.out.splitlines()
    assert all(len(row) <= 80 for row in (line, heads, *rows))
    assert "…" not in said.out
    begins = heads.index("lacks")
    lacking = [row[begins : heads.index("line") - 1] for row in rows]
    words = {word.strip(",") for cell in lacking for word in cell.split()} - {"-", "yes", "no"}
    assert {"measurement", "condition"} <= words
    assert words <= {str(domain) for domain in Domain}


def test_every_site_stands_whole_in_a_line(shell: Shell, as_reported: Path) -> None:
    listed = {row.split()[0] for row in shell("sites", "--network", as_reported).out.splitlines()}
    assert {site.name for site in sites_of(as_reported)} <= listed
