"""What a plan asks of every site in a round."""

from __future__ import annotations

from simulator.hub.planner import Plan
from simulator.messages.needs import Need
from simulator.messages.requests import ReleaseTerms, RoundRequest, roster_hash
from simulator.privacy.release import Release


def round_request(
    plan: Plan, run: str, roster: tuple[str, ...], number: int, needs: tuple[Need, ...]
) -> RoundRequest:
    """The message of one round, the same for every site of the roster."""
    return RoundRequest(
        run=run,
        round=number,
        roster=roster_hash(roster),
        roster_size=len(roster),
        release=terms(plan.release),
        question=plan.question,
        needs=needs,
    )


def terms(release: Release) -> ReleaseTerms:
    """How a release is named in a request."""
    return ReleaseTerms(
        release.name, release.version, release.threshold, release.place, release.noise
    )
