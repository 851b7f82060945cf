"""The releases of other systems: each rule at the sites, where those systems apply it."""

from __future__ import annotations

from typing import Final

from simulator.privacy.release import Place, Release, Treatment
from simulator.privacy.rules.registry import RULES
from simulator.privacy.rules.rule import Repeats, Rule

_AT: Final = {
    Place.SITE: (
        "at each site: what is small there is lost or changed before it is added up",
        "the aggregator sees what each site shows",
    ),
    Place.NETWORK: (
        "once, on the sum: no site's counts are lost or changed",
        "the aggregator sees the exact sum, and no site's answer",
    ),
}
_REPEATS: Final = {
    Repeats.SAME: "the same question gets the same answer",
    Repeats.FRESH: "asked again, the noise is new: the mean of many answers gives the count away",
}


def emulated(rule: Rule, place: Place) -> Release:
    """The release that does a rule of another system at a place."""
    return Release(
        name=rule.name,
        version=rule.version,
        place=place,
        masked=place is Place.NETWORK,
        threshold=0,
        by_day=False,
        laboratory_only=True,
        treatments=dict.fromkeys(("attrition", "assignment", "survival"), Treatment.RULED),
        says=(*rule.says, _REPEATS[rule.repeats], *_AT[place]),
        rule=rule.name,
    )


EMULATED: Final = tuple(emulated(rule, Place.SITE) for rule in RULES.values())
