"""The two tables of releases as Markdown, written from the data that the code runs on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from simulator.privacy.releases import ANALYSES, RELEASES

_REFUSED: Final = "refused"


def treatments_table() -> str:
    """What each release does to each kind of request; a gap is a refusal."""
    kinds = dict.fromkeys(kind for release in RELEASES.values() for kind in release.treatments)
    return _table(
        "request",
        {
            kind: {
                name: str(release.treatments[kind])
                for name, release in RELEASES.items()
                if kind in release.treatments
            }
            for kind in kinds
        },
    )


def analyses_table() -> str:
    """Which numbers each analysis gives under each release; a gap is a refusal."""
    return _table("analysis", ANALYSES)


def _table(first: str, rows: Mapping[str, Mapping[str, str]]) -> str:
    names = [f"`{name}`" for name in RELEASES]
    lines = [[first, *names], ["---"] * (len(names) + 1)]
    lines += [
        [row, *(cells.get(name, _REFUSED) for name in RELEASES)] for row, cells in rows.items()
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
