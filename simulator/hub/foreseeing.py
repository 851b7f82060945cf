"""What sites' policies, as they tell of them, mean for a run before anybody is asked."""

from __future__ import annotations

from collections.abc import Iterable

from simulator.aggregates.grid import Unit
from simulator.hub.auditing import Rule
from simulator.messages.catalogue import PolicyTerms
from simulator.privacy.release import Release

_STRICTEST = (Rule.REFUSE, Rule.WARN, Rule.ALLOW)


def unit_of(release: Release, policies: Iterable[PolicyTerms]) -> Unit:
    """The finest time bin that a release and every policy that allows it let out.

    Args:
        release: The release.
        policies: Those of the sites that will be asked.
    """
    finest = Unit.DAY if release.by_day else Unit.MONTH
    for terms in policies:
        if release.name in terms.releases and finest.is_finer_than(terms.finest_bin):
            finest = terms.finest_bin
    return finest


def foreseen(release: Release, unit: Unit, asked: int, terms: PolicyTerms) -> str | None:
    """Why a site will refuse, by what it tells of its policy; None if it need not.

    Args:
        release: The release.
        unit: The time bin that will be asked for.
        asked: How many sites will be asked.
        terms: What the site tells.
    """
    if release.name not in terms.releases:
        return f"does not allow '{release.name}'"
    if terms.answers != "either" and (terms.answers == "masked") is not release.masked:
        return f"lets answers out {terms.answers} only"
    if asked < terms.least_roster:
        return f"asks for at least {terms.least_roster} sites in a run"
    if release.noise is None and release.threshold < terms.network_threshold:
        return f"asks for a network threshold of at least {terms.network_threshold}"
    if terms.coarsest_bin.is_finer_than(unit):
        return f"lets survival out by {terms.coarsest_bin} at the coarsest"
    return None


def differences_rule(policies: Iterable[PolicyTerms]) -> Rule:
    """What the strictest of the asked sites wants where a difference to earlier answers is small.

    Where no site says anything, a small difference is refused.
    """
    wanted = {Rule(terms.differences) for terms in policies}
    return next((rule for rule in _STRICTEST if rule in wanted), Rule.REFUSE)
