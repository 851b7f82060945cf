"""What a site lets out; a policy that is missing or cannot be read lets nothing out."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Final

from simulator.aggregates.grid import Unit
from simulator.errors import UserError, one_of
from simulator.language.documents import Node, parse_document, read_document
from simulator.messages.catalogue import PolicyTerms
from simulator.messages.describing import FollowUpNeed
from simulator.messages.needs import SurvivalNeed, kind_of
from simulator.messages.noise import noise_scales
from simulator.messages.requests import RoundRequest
from simulator.privacy.releases import RELEASES, Release, is_masked
from simulator.site.policy_rules import (
    LABORATORY,
    Answers,
    Budget,
    Differences,
    Policy,
    Quota,
    Rates,
)

__all__ = [
    "LABORATORY",
    "NO_POLICY",
    "POLICY",
    "Answers",
    "Budget",
    "Differences",
    "Policy",
    "Quota",
    "Rates",
    "objection",
    "read_policy",
    "terms_of",
]

POLICY: Final = "policy.yaml"
_LONGEST_DAYS: Final = 36_500
NO_POLICY: Final = "its policy is missing or cannot be read, so nothing is let out"


def read_policy(path: Path) -> Policy:
    """The policy in a file.

    Raises:
        UserError: The file is missing or does not fit.
    """
    try:
        return _parsed(path.read_text(encoding="utf-8"))
    except (UserError, OSError, UnicodeDecodeError):
        # Read anew, so that the message names this file.
        return _policy(read_document(path))


# Most sites have the policy of one template, word by word: reading it anew for each of 145 sites
# costs more than all the counting.
@lru_cache(maxsize=64)
def _parsed(text: str) -> Policy:
    return _policy(parse_document(text, POLICY))


_REQUIRED: Final = (
    "policy",
    "version",
    "releases",
    "finest time bin",
    "least persons",
    "least roster",
    "network threshold",
)
_OPTIONAL: Final = (
    "masked only",
    "answers",
    "coarsest time bin",
    "differences",
    "budget",
    "rates",
    "quota",
)


def _policy(document: Node) -> Policy:
    given = document.fields(_REQUIRED, _OPTIONAL)
    answers, finest = _answers(given), given["finest time bin"].word(Unit)
    wanted = given.get("differences")
    return Policy(
        name=given["policy"].text(),
        version=given["version"].integer(at_least=1),
        releases=tuple(_release(item) for item in given["releases"].items()),
        masked_only=answers is Answers.MASKED,
        finest_bin=finest,
        least_persons=given["least persons"].integer(at_least=0),
        least_roster=given["least roster"].integer(at_least=1),
        network_threshold=given["network threshold"].integer(at_least=0),
        coarsest_bin=_coarsest(given.get("coarsest time bin"), finest),
        clear_only=answers is Answers.CLEAR,
        differences=Differences.REFUSE if wanted is None else wanted.word(Differences),
        budget=_budget(given["budget"]) if "budget" in given else None,
        rates=_rates(given["rates"]) if "rates" in given else None,
        quota=_quota(given["quota"]) if "quota" in given else None,
    )


def _answers(given: dict[str, Node]) -> Answers:
    """How answers may be seen, by either of two keys; by neither: as part of a sum only."""
    if "answers" not in given:
        if "masked only" not in given or given["masked only"].boolean():
            return Answers.MASKED
        return Answers.EITHER
    answers = given["answers"].word(Answers)
    if "masked only" in given and given["masked only"].boolean() != (answers is Answers.MASKED):
        given["answers"].fail(f"'masked only' says otherwise than '{answers}'; one is enough")
    return answers


def _coarsest(node: Node | None, finest: Unit) -> Unit:
    if node is None:
        return tuple(Unit)[-1]
    coarsest = node.word(Unit)
    if coarsest.is_finer_than(finest):
        node.fail(f"'{coarsest}' is finer than the finest time bin, '{finest}'")
    return coarsest


def _budget(node: Node) -> Budget:
    given = node.fields(("per days",), ("epsilon", "zcdp"))
    if "epsilon" not in given and "zcdp" not in given:
        node.fail("expected 'epsilon', 'zcdp' or both")
    epsilon, zcdp = (
        _amount(given[unit]) if unit in given else None for unit in ("epsilon", "zcdp")
    )
    return Budget(epsilon, zcdp, given["per days"].integer(at_least=1, at_most=_LONGEST_DAYS))


def _amount(node: Node) -> Fraction:
    try:
        amount = Fraction(node.text())
    except (ValueError, ZeroDivisionError):
        amount = Fraction(0)
    if amount <= 0:
        node.fail(f"expected a number above 0, such as 0.5 or 1/2; found '{node.text()}'")
    return amount


def _rates(node: Node) -> Rates:
    given = node.fields(("identical", "per days"))
    return Rates(
        identical=given["identical"].integer(at_least=1),
        days=given["per days"].integer(at_least=1, at_most=_LONGEST_DAYS),
    )


def _quota(node: Node) -> Quota:
    given = node.fields(("soft", "per minutes", "hard", "per days"))
    return Quota(
        soft=given["soft"].integer(at_least=1),
        minutes=given["per minutes"].integer(at_least=1, at_most=_LONGEST_DAYS * 1440),
        hard=given["hard"].integer(at_least=1),
        days=given["per days"].integer(at_least=1, at_most=_LONGEST_DAYS),
    )


def _release(node: Node) -> str:
    name = node.text()
    if name not in RELEASES:
        node.fail(f"there is no release '{name}'")
    if RELEASES[name].laboratory_only:
        allowed = (each.name for each in RELEASES.values() if not each.laboratory_only)
        node.fail(
            f"expected {one_of(tuple(allowed))}; found '{name}', which is for the laboratory only"
        )
    return name


def objection(
    policy: Policy | None, request: RoundRequest, persons: int, *, masked: bool
) -> str | None:
    """Why a request is refused, or None. It looks at the request and the catalogue, never at data.

    Args:
        policy: The site's policy; None where it is missing or unreadable.
        request: What is asked.
        persons: How many persons the site holds, by its catalogue.
        masked: Whether the answer will be masked.
    """
    if policy is None:
        return NO_POLICY
    release = RELEASES.get(request.release.name)
    if release is None or release.version != request.release.version:
        return (
            f"it does not know the release '{request.release.name}' "
            f"in version {request.release.version}"
        )
    if release.name not in policy.releases:
        return f"its policy does not allow the release '{release.name}'"
    return (
        _otherwise(release, request, masked=masked)
        or _stricter(policy, release, request, masked=masked)
        or _too_small(policy, request, persons)
    )


def _otherwise(release: Release, request: RoundRequest, *, masked: bool) -> str | None:
    """What a request asks for that its own release does not do."""
    terms = request.release
    if terms.place is not release.place and not release.rule:
        return f"the release '{release.name}' is not applied at the {terms.place}"
    if masked is not is_masked(release, terms.place):
        how = "in the clear" if masked else "masked"
        return f"the release '{release.name}' is answered {how}"
    if (terms.noise is None) is not (release.noise is None):
        return f"the release '{release.name}' comes {'without' if terms.noise else 'with'} noise"
    if terms.noise is not None and release.noise is not None:
        if terms.noise.least_honest > release.noise.least_honest:
            return f"it shares noise among {release.noise.least_honest} % of the sites at most"
        try:
            noise_scales(request)
        except ValueError as error:
            return f"no noise can be made of that: {error}"
    return None


def _stricter(
    policy: Policy, release: Release, request: RoundRequest, *, masked: bool
) -> str | None:
    """What the request asks for that the policy or the release does not let out."""
    if policy.masked_only and not masked:
        return "its policy lets answers out only as part of a sum"
    if policy.clear_only and masked:
        return "its policy lets answers out only in the clear, not as part of a sum"
    # Noise hides a patient in every count, so there it takes the place of a threshold.
    if release.noise is None and request.release.network_threshold < policy.network_threshold:
        return (
            f"its policy asks for a network threshold of at least {policy.network_threshold}; "
            f"the request names {request.release.network_threshold}"
        )
    for need in request.needs:
        if kind_of(need) not in release.treatments:
            return f"the release '{release.name}' does not say what happens to such a request"
        if isinstance(need, SurvivalNeed | FollowUpNeed) and (
            wrong := _unfit(policy, release, need.grid.unit)
        ):
            return wrong
    return None


def _unfit(policy: Policy, release: Release, unit: Unit) -> str | None:
    """Why a policy, or the release, does not let survival out in these time bins, or None."""
    if unit is Unit.DAY and not release.by_day:
        return f"the release '{release.name}' lets out no survival by day"
    if unit.is_finer_than(policy.finest_bin):
        return f"its policy lets out survival by {policy.finest_bin} at the finest"
    if policy.coarsest_bin.is_finer_than(unit):
        return f"its policy lets out survival by {policy.coarsest_bin} at the coarsest"
    return None


def _too_small(policy: Policy, request: RoundRequest, persons: int) -> str | None:
    if request.roster_size < policy.least_roster:
        return (
            f"its policy asks for at least {policy.least_roster} sites in a run; "
            f"the request names {request.roster_size}"
        )
    if persons < policy.least_persons:
        return f"its policy asks for at least {policy.least_persons} persons in its database"
    return None


def terms_of(policy: Policy) -> PolicyTerms:
    """What a site tells of its policy with its catalogue."""
    return PolicyTerms(
        releases=policy.releases,
        answers=str(policy.answers),
        finest_bin=policy.finest_bin,
        coarsest_bin=policy.coarsest_bin,
        least_persons=policy.least_persons,
        least_roster=policy.least_roster,
        network_threshold=policy.network_threshold,
        differences=str(policy.differences),
    )
