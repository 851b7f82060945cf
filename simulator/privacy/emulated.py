"""The releases of other systems: each rule at the sites, where those systems apply it."""

from __future__ import annotations

from typing import Final

from simulator.privacy.release import Place, Release, Treatment
from simulator.privacy.rules.registry import RULES
from simulator.privacy.rules.rule import Repeats, Rule

_SITES: Final = "at each site: what is small there is lost or changed before it is added up"
_CLEAR: Final = "the aggregator sees what each site shows"
_REPEATS: Final = {
    Repeats.SAME: "the same question gets the same answer",
    Repeats.FRESH: "asked again, the noise is new: the mean of many answers gives the count away",
}


def _emulated(rule: Rule) -> Release:
    return Release(
        name=rule.name,
        version=rule.version,
        place=Place.SITE,
        masked=False,
        threshold=0,
        by_day=False,
        laboratory_only=True,
        treatments=dict.fromkeys(("attrition", "assignment", "survival"), Treatment.RULED),
        says=(*rule.says, _REPEATS[rule.repeats], _SITES, _CLEAR),
        rule=rule.name,
    )


EMULATED: Final = tuple(_emulated(rule) for rule in RULES.values())
