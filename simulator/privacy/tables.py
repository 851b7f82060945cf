"""The two tables of releases as Markdown, written from the data that the code runs on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from simulator.privacy.offers import ANALYSES, REASONS, RULED, UNASKED
from simulator.privacy.release import Release
from simulator.privacy.releases import RELEASES

_REFUSED: Final = "refused"
_NAMED: Final = {RULED: "rules of other systems"}


def treatments_table() -> str:
    """What each release does to each kind of request; a gap is a refusal."""
    columns = _columns()
    kinds = dict.fromkeys(kind for release in columns.values() for kind in release.treatments)
    return _table(
        "request",
        {
            kind: {
                name: str(release.treatments[kind])
                for name, release in columns.items()
                if kind in release.treatments
            }
            for kind in (*kinds, *UNASKED)
        },
    )


def analyses_table() -> str:
    """Which numbers each analysis gives under each release; a gap is a refusal."""
    rows = {
        analysis: {
            **cells,
            **{name: f"{_REFUSED}: {why}" for name, why in REASONS.get(analysis, {}).items()},
        }
        for analysis, cells in ANALYSES.items()
    }
    return _table("analysis", rows)


def _columns() -> dict[str, Release]:
    """Every release; those that do a rule of another system are treated alike, so one column."""
    return {RULED if release.rule else name: release for name, release in RELEASES.items()}


def _table(first: str, rows: Mapping[str, Mapping[str, str]]) -> str:
    columns = _columns()
    lines = [
        [first, *(_NAMED.get(name, f"`{name}`") for name in columns)],
        ["---"] * (len(columns) + 1),
    ]
    lines += [
        [row, *(cells.get(name, _REFUSED) for name in columns)] for row, cells in rows.items()
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
