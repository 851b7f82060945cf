"""The analyses that a study names."""

from __future__ import annotations

from simulator.aggregates.grid import Unit
from simulator.errors import Refused
from simulator.hub.analyses.comparison import comparison
from simulator.hub.analyses.funnel import funnel
from simulator.hub.analyses.released import Analysis
from simulator.hub.analyses.subgroups import subgroups
from simulator.language.study import Study
from simulator.privacy.offers import gives
from simulator.privacy.releases import Release


def analyses_of(study: Study, release: Release, unit: Unit | None = None) -> tuple[Analysis, ...]:
    """Every analysis of a study, ready to start.

    Raises:
        Refused: The release does not offer one of them.
    """
    found: list[Analysis] = [funnel(), comparison(study, release, unit)]
    if study.question.subgroups:
        if gives("subgroups", release) is None:
            raise Refused(
                f"the release '{release.name}' offers no subgroups",
                hint="Ask under another release, or leave the subgroups out.",
            )
        found.append(subgroups(study, release, unit))
    return tuple(found)
