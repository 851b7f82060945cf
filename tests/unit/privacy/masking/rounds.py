"""A masked round of a few sites, step by step, with a seed for all of its randomness."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from simulator.privacy.masking.collector import Collector
from simulator.privacy.masking.graph import least_threshold, neighbours
from simulator.privacy.masking.participant import Participant
from simulator.privacy.masking.ring import Ring
from simulator.privacy.masking.wire import PublicKeys, Sealed
from simulator.privacy.sources import keyed_source

COUNTS = Ring(32)
SESSION = b"run 1, round 1"


def numbers(*values: int) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


class Round:
    """Sites `a`, `b`, ... that have sent their keys; the vector of the i-th is (i, -i)."""

    def __init__(
        self,
        count: int = 4,
        *,
        degree: int = 1000,
        threshold: int | None = None,
        session: bytes = SESSION,
        seed: str = "1",
        ring: Ring = COUNTS,
    ) -> None:
        self.ring, self.session = ring, session
        self.names = tuple("abcdefghijklmnopqrstuvwxyz"[:count])
        self.vectors = {name: numbers(at, -at) for at, name in enumerate(self.names, 1)}
        self.graph = neighbours(self.names, degree, session)
        self.threshold = threshold or least_threshold(len(self.graph["a"]))
        self.sites = {
            name: Participant(name, session, keyed_source(b"test", seed, name))
            for name in self.names
        }
        self.keys = {name: site.keys() for name, site in self.sites.items()}
        self.hub = Collector(session, ring, 2, list(self.keys.values()), self.graph, self.threshold)
        self.routed: dict[str, tuple[Sealed, ...]] = {}

    def peers(self, name: str) -> tuple[PublicKeys, ...]:
        return self.hub.peers(name)

    def shared(self, without: Collection[str] = ()) -> Round:
        """All but some share, and the seals are passed on."""
        sealed = [
            one
            for name in self.names
            if name not in without
            for one in self.sites[name].share(self.peers(name), self.threshold)
        ]
        self.routed = self.hub.route(sealed)
        return self

    def vector(self, name: str) -> bytes:
        """The masked vector of a site."""
        return self.sites[name].mask(
            self.routed[name], self.vectors[name], self.ring, len(self.names)
        )

    def masked(self, without: Collection[str] = ()) -> Round:
        """All that shared but some send their vectors."""
        for name in self.routed:
            if name not in without:
                self.hub.masked(name, self.vector(name))
        return self

    def revealed(self, without: Collection[str] = ()) -> Round:
        """All that sent a vector but some reveal what is asked."""
        for name, wanted in self.hub.what_to_reveal().items():
            if name not in without:
                self.hub.revealed(self.sites[name].reveal(wanted.alive, wanted.dropped))
        return self

    def plain(self, without: Collection[str] = ()) -> list[int]:
        """The sum as everybody could form it who saw the vectors."""
        kept = [vector for name, vector in self.vectors.items() if name not in without]
        return [sum(int(vector[cell]) for vector in kept) for cell in range(2)]
