"""How many bytes a run will send and receive, from the messages that it will send."""

from __future__ import annotations

from collections.abc import Mapping

from simulator.hub.masked import ring_of
from simulator.hub.planner import Plan
from simulator.hub.requesting import round_request
from simulator.messages.codec import encode
from simulator.messages.masked import (
    KeysAnswer,
    KeysRequest,
    MaskedAnswer,
    MaskedRequest,
    RevealAnswer,
    RevealRequest,
    SharesAnswer,
    SharesRequest,
)
from simulator.messages.needs import in_order, layout_of
from simulator.messages.protocol import Answer, Request
from simulator.messages.requests import RoundAnswer, RoundRequest, session_of
from simulator.privacy.masking.graph import DEGREE, LEAST_PEERS, least_threshold, neighbours
from simulator.privacy.masking.shares import SHARE_BYTES
from simulator.privacy.masking.sizes import SEALED_BYTES
from simulator.privacy.masking.wire import KEY_BYTES, PublicKeys, Revealed, Sealed

Exchange = tuple[Request, Answer]
Sizes = tuple[int, int]
"""The bytes of requests, and of the answers to them."""


def message_sizes(plan: Plan, *, masked: bool) -> tuple[Sizes, ...]:
    """For each round, the bytes to all sites together and from them, if none is lost.

    Args:
        plan: The plan.
        masked: Whether answers are masked, in four steps.
    """
    return tuple(
        (sum(sent for sent, _ in sites.values()), sum(received for _, received in sites.values()))
        for sites in sizes_at_sites(plan, masked=masked)
    )


def sizes_at_sites(plan: Plan, *, masked: bool) -> tuple[Mapping[str, Sizes], ...]:
    """For each round, the bytes to each site and from it, if none is lost.

    They are those of messages with as many bytes in place of keys, shares and cells; run
    identifiers are taken to be 34 letters long.

    Args:
        plan: The plan.
        masked: Whether answers are masked, in four steps.
    """
    hidden = masked and len(plan.roster) > LEAST_PEERS
    found = []
    for place, needs in enumerate(plan.needs):
        request = round_request(plan, "0" * 34, plan.roster, place + 1, in_order(needs))
        exchanged = _masked(plan, request) if hidden else _clear(plan, request)
        found.append({site: _bytes(messages) for site, messages in exchanged.items()})
    return tuple(found)


def _bytes(messages: list[Exchange]) -> Sizes:
    sent = sum(len(encode(request)) for request, _ in messages)
    return sent, sum(len(encode(answer)) for _, answer in messages)


def _clear(plan: Plan, request: RoundRequest) -> dict[str, list[Exchange]]:
    cells = tuple(bytes(8 * layout_of(need, plan.question).cells) for need in request.needs)
    return {
        site: [(request, RoundAnswer(site, request.run, request.round, request.roster, cells))]
        for site in plan.roster
    }


def _masked(plan: Plan, request: RoundRequest) -> dict[str, list[Exchange]]:
    """All four steps at every site."""
    run, number, sites = request.run, request.round, plan.roster
    near = neighbours(sites, DEGREE, session_of(request))
    threshold = least_threshold(max(map(len, near.values())))
    ring = ring_of(plan.persons, request)
    cells = sum(layout_of(need, plan.question).cells for need in request.needs)

    def keys(site: str) -> PublicKeys:
        return PublicKeys(site, bytes(KEY_BYTES), bytes(KEY_BYTES))

    exchanged: dict[str, list[Exchange]] = {}
    for site in sites:
        peers = tuple(keys(peer) for peer in near[site])
        to = tuple(Sealed(site, peer, bytes(SEALED_BYTES)) for peer in near[site])
        come = tuple(Sealed(peer, site, bytes(SEALED_BYTES)) for peer in near[site])
        alive = tuple(sorted((site, *near[site])))
        revealed = Revealed(site, dict.fromkeys(alive, bytes(SHARE_BYTES)), {})
        exchanged[site] = [
            (KeysRequest(request, ring.bits), KeysAnswer(site, run, number, keys(site))),
            (
                SharesRequest(run, number, sites, peers, threshold),
                SharesAnswer(site, run, number, to),
            ),
            (
                MaskedRequest(run, number, come),
                MaskedAnswer(site, run, number, bytes(cells * ring.width)),
            ),
            (RevealRequest(run, number, alive, ()), RevealAnswer(site, run, number, revealed)),
        ]
    return exchanged
