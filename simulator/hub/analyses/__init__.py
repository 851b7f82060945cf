"""Analyses: generators that say what they need, are sent released tables, and return results.

An analysis yields a frozen set of needs and receives, for each, what was released. `run` drives all
analyses of a study in step and unites their needs, so that one pass over a site serves them all.
"""

from __future__ import annotations

from collections.abc import Generator

from simulator.errors import Refused
from simulator.hub.analyses.comparison import Comparison, comparison
from simulator.hub.analyses.funnel import Funnel, funnel
from simulator.hub.analyses.released import ReleasedTables
from simulator.hub.analyses.subgroups import Subgroups, subgroups
from simulator.language.study import Study
from simulator.messages.needs import Need
from simulator.privacy.releases import ANALYSES, Release

__all__ = ["Analysis", "Comparison", "Funnel", "Part", "Subgroups", "analyses_of"]

Part = Funnel | Comparison | Subgroups
Analysis = Generator[frozenset[Need], ReleasedTables, Part]


def analyses_of(study: Study, release: Release) -> tuple[Analysis, ...]:
    """Every analysis of a study, ready to start.

    Raises:
        Refused: The release does not offer one of them.
    """
    found: list[Analysis] = [funnel(), comparison(study, release)]
    if study.question.subgroups:
        if release.name not in ANALYSES["subgroups"]:
            raise Refused(
                f"the release '{release.name}' offers no subgroups",
                hint="Ask under another release, or leave the subgroups out.",
            )
        found.append(subgroups(study, release))
    return tuple(found)
