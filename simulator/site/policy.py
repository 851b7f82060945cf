"""What a site lets out; a policy that is missing or cannot be read lets nothing out."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec

from simulator.aggregates.grid import Unit
from simulator.errors import UserError
from simulator.language.documents import Node, parse_document, read_document
from simulator.messages.needs import SurvivalNeed, kind_of
from simulator.messages.requests import RoundRequest
from simulator.privacy.releases import RELEASES, Release

POLICY: Final = "policy.yaml"
NO_POLICY: Final = "its policy is missing or cannot be read, so nothing is let out"


class Policy(msgspec.Struct, frozen=True):
    """A site's rules; a caller can only be stricter.

    Attributes:
        name: The template it comes from.
        version: The version of that template.
        releases: The names of the releases it answers to.
        masked_only: Whether its answers may only be seen as part of a sum.
        finest_bin: The finest time bin of a survival table.
        least_persons: The fewest persons it must hold to take part, by its catalogue.
        least_roster: The fewest sites that a run must have.
        network_threshold: The lowest network threshold that it accepts.
    """

    name: str
    version: int
    releases: tuple[str, ...]
    masked_only: bool
    finest_bin: Unit
    least_persons: int
    least_roster: int
    network_threshold: int


LABORATORY: Final = Policy(
    name="laboratory",
    version=1,
    releases=tuple(RELEASES),
    masked_only=False,
    finest_bin=Unit.DAY,
    least_persons=0,
    least_roster=1,
    network_threshold=0,
)


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


def _policy(document: Node) -> Policy:
    given = document.fields(
        (
            "policy",
            "version",
            "releases",
            "masked only",
            "finest time bin",
            "least persons",
            "least roster",
            "network threshold",
        )
    )
    return Policy(
        name=given["policy"].text(),
        version=given["version"].integer(at_least=1),
        releases=tuple(_release(item) for item in given["releases"].items()),
        masked_only=given["masked only"].boolean(),
        finest_bin=given["finest time bin"].word(Unit),
        least_persons=given["least persons"].integer(at_least=0),
        least_roster=given["least roster"].integer(at_least=1),
        network_threshold=given["network threshold"].integer(at_least=0),
    )


def _release(node: Node) -> str:
    name = node.text()
    if name not in RELEASES:
        node.fail(f"there is no release '{name}'")
    return name


def objection(policy: Policy | None, request: RoundRequest, persons: int) -> str | None:
    """Why a request is refused, or None. It looks at the request and the catalogue, never at data.

    Args:
        policy: The site's policy; None where it is missing or unreadable.
        request: What is asked.
        persons: How many persons the site holds, by its catalogue.
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
    return _stricter(policy, release, request) or _too_small(policy, request, persons)


def _stricter(policy: Policy, release: Release, request: RoundRequest) -> str | None:
    """What the request asks for that the policy or the release does not let out."""
    if policy.masked_only and not release.masked:
        return "its policy lets answers out only as part of a sum"
    if request.release.network_threshold < policy.network_threshold:
        return (
            f"its policy asks for a network threshold of at least {policy.network_threshold}; "
            f"the request names {request.release.network_threshold}"
        )
    for need in request.needs:
        if kind_of(need) not in release.treatments:
            return f"the release '{release.name}' does not say what happens to such a request"
        by_day = isinstance(need, SurvivalNeed) and need.grid.unit is Unit.DAY
        if by_day and policy.finest_bin is not Unit.DAY:
            return f"its policy lets out survival by {policy.finest_bin} at the finest"
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
