"""Who masks with whom: everybody, or a random graph in which all have as many neighbours."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from simulator.privacy.masking.errors import MaskingError

DEGREE = 20
"""How many neighbours a site masks with, where the roster has more sites (SecAgg+)."""

LEAST_PEERS = 2
"""With a single peer, the sum less one's own vector is the peer's."""


def neighbours(sites: tuple[str, ...], degree: int, seed: bytes) -> Mapping[str, tuple[str, ...]]:
    """For each site those it masks with, sorted; the relation is symmetric.

    The sites are put on a ring in an order drawn from the seed, and each is joined with the
    nearest `degree` / 2 on either side (a Harary graph, which stays connected unless `degree`
    sites are lost; Bell et al., SecAgg+, 2020). An odd degree counts as the next even one. From
    the number of other sites on, the graph is complete (Bonawitz et al. 2017).

    Args:
        sites: The roster, at least three sites, each once.
        degree: Neighbours of each site, at least 2.
        seed: What all agree on, such as the session; the order of `sites` does not matter.

    Raises:
        MaskingError: Too few sites, one twice, or a degree below 2.
    """
    if len(set(sites)) != len(sites):
        raise MaskingError("a site is in the roster twice")
    if len(sites) <= LEAST_PEERS:
        raise MaskingError(
            f"a masked sum needs at least {LEAST_PEERS + 1} sites, found {len(sites)}"
        )
    if degree < LEAST_PEERS:
        raise MaskingError(f"a site needs at least {LEAST_PEERS} neighbours, not {degree}")
    half = (degree + 1) // 2
    if 2 * half >= len(sites) - 1:
        ordered = sorted(sites)
        return {site: tuple(other for other in ordered if other != site) for site in ordered}
    ring = sorted(sites, key=lambda site: (hashlib.sha256(seed + site.encode()).digest(), site))
    steps = [step for step in range(-half, half + 1) if step]
    return {
        site: tuple(sorted(ring[(place + step) % len(ring)] for step in steps))
        for place, site in enumerate(ring)
    }


def least_threshold(peers: int) -> int:
    """The least number of shares that may rebuild a secret: above 2/3 of those that hold one.

    With t > 2k/3, an aggregator that tells some holders "lost" and others "there" needs more than
    a third of the k holders on its side to get t shares of both secrets of one site.

    Args:
        peers: The site's peers; it holds a share itself, so k is one more.
    """
    return 2 * (peers + 1) // 3 + 1
