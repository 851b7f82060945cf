"""One masked round played from beginning to end, with every party's view read aloud."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from simulator.privacy.masking.collector import Collector
from simulator.privacy.masking.graph import least_threshold, neighbours
from simulator.privacy.masking.participant import Participant
from simulator.privacy.masking.ring import Ring
from simulator.privacy.masking.wire import PublicKeys, Sealed
from simulator.privacy.sources import ByteSource

_SHOWN = 4
Say = Callable[[str], None]


class Stage(IntEnum):
    """The message that a site is lost before."""

    KEYS = 1
    SHARES = 2
    VECTOR = 3
    REVEAL = 4


def play(
    vectors: Mapping[str, NDArray[np.int64]],
    *,
    source: ByteSource,
    degree: int,
    ring: Ring,
    threshold: int | None = None,
    drop: Mapping[str, Stage] | None = None,
    say: Say = lambda _: None,
    session: bytes = b"read aloud",
) -> NDArray[np.int64]:
    """The sum of the vectors of the sites that sent theirs, int64, shape (cells,).

    Args:
        vectors: Each site's numbers, all of one length.
        source: Random bytes for all sites.
        degree: Neighbours of each site; from the number of other sites on, all.
        ring: Where the sum is taken.
        threshold: Of each neighbourhood, how many must be left; without it, the least allowed.
        drop: Who is lost, and before which message.
        say: Told in sentences who sends what to whom.
        session: Binds the round.

    Raises:
        MaskingError: A step was refused; `TooFew`, where too many were lost.
    """
    graph = neighbours(tuple(vectors), degree, session)
    degree = len(next(iter(graph.values())))
    needed = threshold or least_threshold(degree)
    say(f"{len(graph)} sites, each masks with {degree}; of each neighbourhood {needed} must stay.")
    sites = {name: Participant(name, session, source) for name in sorted(vectors)}
    left = _Left(dict(drop or {}), say)

    keys = [_keys(sites[name], say) for name in left.before(Stage.KEYS, sites)]
    hub = Collector(session, ring, len(next(iter(vectors.values()))), keys, graph, needed)

    sealed: list[Sealed] = []
    for name in left.before(Stage.SHARES, [one.site for one in keys]):
        sealed += sites[name].share(hub.peers(name), needed)
        say(f"{name} cuts its self seed and its masking key into shares, two sealed for each peer.")
    routed = hub.route(sealed)
    say(f"The aggregator passes {len(sealed)} seals on; it cannot open them.")

    for name in left.before(Stage.VECTOR, routed):
        data = sites[name].mask(routed[name], vectors[name], ring, len(graph))
        hub.masked(name, data)
        seen = _first(ring.from_bytes(data))
        say(f"{name} holds {_first(vectors[name])}; the aggregator sees {seen}.")
    return _opened(hub, sites, left, say)


def _opened(
    hub: Collector, sites: Mapping[str, Participant], left: _Left, say: Say
) -> NDArray[np.int64]:
    """The last round: the sites reveal what opens the sum."""
    wanted = hub.what_to_reveal()
    for name in left.before(Stage.REVEAL, wanted):
        alive, dropped = wanted[name].alive, wanted[name].dropped
        hub.revealed(sites[name].reveal(alive, dropped))
        keys = f", and of the masking keys of {', '.join(dropped)}" if dropped else ""
        say(f"{name} gives its shares of the self seeds of {', '.join(alive)}{keys}.")
    total = hub.open()
    say(f"Without the masks, {' + '.join(hub.included)} = {_first(total)}.")
    return total


class _Left:
    """Who is still there."""

    def __init__(self, drop: Mapping[str, Stage], say: Say) -> None:
        self._drop = drop
        self._say = say

    def before(self, stage: Stage, sites: Collection[str]) -> list[str]:
        """Those of the sites that still send this message, sorted."""
        staying = []
        for name in sorted(sites):
            if self._drop.get(name) == stage:
                self._say(f"{name} is lost.")
            else:
                staying.append(name)
        return staying


def _keys(site: Participant, say: Say) -> PublicKeys:
    keys = site.keys()
    say(
        f"{keys.site} sends two public keys, {keys.sealing.hex()[:8]}... for seals and "
        f"{keys.masking.hex()[:8]}... for masks."
    )
    return keys


def _first(numbers: NDArray[np.generic]) -> str:
    shown = ", ".join(str(number) for number in numbers[:_SHOWN].tolist())
    return f"[{shown}, ...]" if len(numbers) > _SHOWN else f"[{shown}]"
