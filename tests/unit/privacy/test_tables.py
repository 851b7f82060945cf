"""The page about releases says what the code does, and the tables leave no cell out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.privacy.offers import ANALYSES, UNASKED, gives, reason
from simulator.privacy.releases import RELEASES, Treatment
from simulator.privacy.tables import analyses_table, treatments_table

PAGE = Path(__file__).parents[3] / "docs" / "mechanisms" / "releases.md"


@pytest.mark.parametrize("table", [treatments_table, analyses_table])
def test_the_page_is_what_the_code_says(table: Callable[[], str]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert table() in page, "write the tables anew: python docs/mechanisms/releases.py"


def test_every_release_has_a_part_of_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    own = [name for name, release in RELEASES.items() if not release.rule]
    assert all(f"\n## `{name}`\n" in text for name in own)


def cells(table: str) -> dict[tuple[str, str], str]:
    """The table's cells by row and column."""
    head, _, *rows = [line.strip("| \n").split(" | ") for line in table.splitlines()]
    return {
        (row[0], name.strip("`")): cell
        for row in rows
        for name, cell in zip(head[1:], row[1:], strict=True)
    }


def test_every_pair_has_a_cell() -> None:
    requests, analyses = cells(treatments_table()), cells(analyses_table())
    for name, release in RELEASES.items():
        column = "rules of other systems" if release.rule else name
        for kind, treatment in release.treatments.items():
            assert requests[kind, column] == treatment
        assert {requests[kind, column] for kind in UNASKED} == {"refused"}
        for analysis in ANALYSES:
            found = analyses[analysis, column]
            why = reason(analysis, release)
            assert found == (gives(analysis, release) or f"refused: {why}").removesuffix(": None")


def test_a_gap_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ANALYSES, "subgroups", {"exact": "from days"})
    found = cells(analyses_table())
    assert found["subgroups", "platform"] == "refused"
    assert found["subgroups", "exact"] == "from days"
    assert "refused" not in {str(treatment) for treatment in Treatment}
