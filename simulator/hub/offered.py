"""Refuses what a release does not offer, before any site is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simulator.errors import Refused
from simulator.privacy.offers import gives
from simulator.privacy.release import Release


def offered(parts: Mapping[str, str], release: Release) -> tuple[str, ...]:
    """Those of the parts that a release offers, in their order.

    Args:
        parts: What a user asks for, each with the analysis that makes it.
        release: The release.
    """
    return tuple(part for part, analysis in parts.items() if gives(analysis, release) is not None)


def check_offered(asked: Sequence[str], parts: Mapping[str, str], release: Release) -> None:
    """Lets a question pass whose every part the release offers.

    Args:
        asked: The parts that are asked for.
        parts: All parts that there are, each with the analysis that makes it.
        release: The release.

    Raises:
        Refused: A part is not offered.
    """
    there = offered(parts, release)
    gone = [part for part in asked if part not in there]
    if not gone:
        return
    raise Refused(
        f"the release '{release.name}' does not offer {_listed(gone, 'or')}; "
        + f"of these it offers {_listed(there, 'and') if there else 'none'}",
        hint="Ask for what it offers, or under another release, such as --release secure-sum.",
    )


def _listed(words: Sequence[str], last: str) -> str:
    *others, final = words
    return f"{', '.join(others)} {last} {final}" if others else final
