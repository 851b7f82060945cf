"""One masked round over the wire: keys, shares, masked cells, and what opens their sum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np

from simulator.aggregates.table import Table
from simulator.errors import Refused, TooFewAnswers, VerificationFailed
from simulator.hub.exchanging import Exchanges, Loss, Progress
from simulator.messages.codec import MalformedMessage, encode
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
from simulator.messages.needs import DAYS_MEASURED, layout_of
from simulator.messages.protocol import Answer
from simulator.messages.requests import RoundRequest, session_of
from simulator.privacy.masking.collector import Collector
from simulator.privacy.masking.errors import MaskingError, TooFew
from simulator.privacy.masking.graph import DEGREE, LEAST_PEERS, least_threshold, neighbours
from simulator.privacy.masking.ring import Ring
from simulator.privacy.masking.secrets import check_key
from simulator.privacy.masking.sizes import SEALED_BYTES
from simulator.privacy.masking.wire import PublicKeys, Revealed, Sealed

GoOn = Callable[[tuple[str, ...], tuple[Loss, ...]], bool]
"""Whether to go on with the sites that are left, told who was lost; may end the run itself."""

Part = TypeVar("Part", KeysAnswer, SharesAnswer, MaskedAnswer, RevealAnswer)

_MOST_DAYS: Final = 366


@dataclass(frozen=True)
class MaskedSum:
    """What a masked round came to.

    Attributes:
        tables: The sum for each need; empty where the round was given up before it was opened.
        roster: The sites whose cells are in the sum, in roster order.
        lost: The others, with why.
    """

    tables: tuple[Table, ...]
    roster: tuple[str, ...]
    lost: tuple[Loss, ...]


def ring_of(persons: int, request: RoundRequest) -> Ring:
    """The narrowest ring that no true sum can leave, judged by the question alone.

    Args:
        persons: How many persons all asked sites hold at most.
        request: What is asked; measures in days are at most 366 a person.
    """
    days = any(
        measure.name in DAYS_MEASURED
        for need in request.needs
        for measure in layout_of(need, request.question).measures
    )
    fixed = any(
        measure.fraction_bits
        for need in request.needs
        for measure in layout_of(need, request.question).measures
    )
    # Every site must stay below its part of the ring, and one may hold nearly everybody.
    most = persons * request.roster_size * (_MOST_DAYS if days else 1)
    return Ring(32) if most < 1 << 30 and not fixed else Ring(64)


def masked_sum(
    exchanges: Exchanges,
    request: RoundRequest,
    roster: tuple[str, ...],
    ring: Ring,
    *,
    go_on: GoOn,
    progress: Progress,
) -> MaskedSum:
    """Plays the aggregator's side of a masked round.

    A site that is lost at any step costs only itself, as long as around every other site more than
    two thirds of its neighbourhood are left.

    Args:
        exchanges: The way to the sites.
        request: What is asked.
        roster: The sites that are invited.
        ring: Where the cells are added.
        go_on: Is asked after each step that lost sites, before anything is opened.
        progress: Is called with each site whose masked cells have arrived.

    Raises:
        Refused: The roster is too small for any sum to hide a site.
        TooFewAnswers: Too few sites are left around some site; nothing was opened.
        VerificationFailed: Shares of a secret do not belong together; nothing was opened.
    """
    if len(roster) <= LEAST_PEERS:
        raise Refused(
            f"the release '{request.release.name}' hides each site in a sum over at least "
            f"{LEAST_PEERS + 1}; the run has {len(roster)}",
            hint="Widen the question so that more sites can hold such patients, or look at it "
            "in the laboratory with --release exact.",
        )
    this = _Round(exchanges, request, roster, ring)
    try:
        return this.play(go_on, progress)
    except TooFew as error:
        raise TooFewAnswers(
            f"the masked sum cannot be opened, so nothing is revealed: {error}",
            hint="Run again later, or with a longer --timeout.",
        ) from error
    except MaskingError as error:
        raise VerificationFailed(
            f"the masked sum cannot be opened, so nothing is revealed: {error}",
            hint="A site gave a false share of a secret, and it cannot be told which.",
        ) from error


class _Round:
    """The aggregator in one masked round."""

    def __init__(
        self,
        exchanges: Exchanges,
        request: RoundRequest,
        roster: tuple[str, ...],
        ring: Ring,
    ) -> None:
        self._exchanges = exchanges
        self._request = request
        self._roster = roster
        self._ring = ring
        self._layouts = [layout_of(need, request.question) for need in request.needs]
        self._lost: list[Loss] = []

    def play(self, go_on: GoOn, progress: Progress) -> MaskedSum:
        """All four steps."""
        keys = self._keys()
        if not self._may_go_on(go_on):
            return self._given_up()
        sites = tuple(one.site for one in keys)
        if len(sites) <= LEAST_PEERS:
            raise TooFew(f"{len(sites)} sites sent keys; a sum hides a site only among others")
        near = neighbours(sites, DEGREE, session_of(self._request))
        threshold = least_threshold(max(map(len, near.values())))
        cells = sum(layout.cells for layout in self._layouts)
        session = session_of(self._request)
        collector = Collector(session, self._ring, cells, keys, near, threshold)
        routed = collector.route(self._shares(collector, sites, threshold))
        if not self._may_go_on(go_on):
            return self._given_up()
        self._cells(collector, routed, progress)
        wanted = collector.what_to_reveal()
        if not self._may_go_on(go_on):
            return self._given_up()
        messages = {
            site: RevealRequest(*self._name, asked.alive, asked.dropped)
            for site, asked in wanted.items()
        }

        def read(site: str, answer: Answer) -> Revealed:
            found = self._fitting(site, answer, RevealAnswer).revealed
            if found.site != site:
                raise MalformedMessage("it is another site's")
            self._take(lambda: collector.revealed(found))
            return found

        # Who is silent now is in the sum all the same: others open it.
        self._exchanges.ask({site: encode(message) for site, message in messages.items()}, read)
        total = collector.open()
        included = set(collector.included)
        return MaskedSum(
            tables=self._tables(total),
            roster=tuple(site for site in self._roster if site in included),
            lost=self._in_order(),
        )

    @property
    def _name(self) -> tuple[str, int]:
        return self._request.run, self._request.round

    def _keys(self) -> list[PublicKeys]:
        """The public keys of every site that takes part, in roster order."""

        def read(site: str, answer: Answer) -> PublicKeys:
            found = self._fitting(site, answer, KeysAnswer).keys
            if found.site != site:
                raise MalformedMessage("the keys are another site's")
            self._take(lambda: check_key(found))
            return found

        data = encode(KeysRequest(self._request, self._ring.bits))
        found, lost = self._exchanges.ask(dict.fromkeys(self._roster, data), read)
        self._lost += lost
        return [found[site] for site in self._roster if site in found]

    def _shares(self, collector: Collector, sites: tuple[str, ...], threshold: int) -> list[Sealed]:
        """What every site that is still there seals for its neighbours."""
        expected = {site: {one.site for one in collector.peers(site)} for site in sites}

        def read(site: str, answer: Answer) -> tuple[Sealed, ...]:
            found = self._fitting(site, answer, SharesAnswer).sealed
            told = [one.receiver for one in found]
            if any(one.sender != site for one in found) or sorted(told) != sorted(expected[site]):
                raise MalformedMessage("its shares are not one for each neighbour")
            if any(len(one.data) != SEALED_BYTES for one in found):
                raise MalformedMessage(f"each seal was expected to have {SEALED_BYTES} bytes")
            return found

        messages = {
            site: encode(SharesRequest(*self._name, sites, collector.peers(site), threshold))
            for site in sites
        }
        found, lost = self._exchanges.ask(messages, read)
        self._lost += lost
        return [one for sealed in found.values() for one in sealed]

    def _cells(
        self, collector: Collector, routed: dict[str, tuple[Sealed, ...]], progress: Progress
    ) -> None:
        """Adds every site's masked cells up."""
        expected = sum(layout.cells for layout in self._layouts) * self._ring.width

        def read(site: str, answer: Answer) -> bytes:
            found = self._fitting(site, answer, MaskedAnswer).cells
            if len(found) != expected:
                raise MalformedMessage(f"{expected} bytes were expected; got {len(found)}")
            return found

        messages = {
            site: encode(MaskedRequest(*self._name, sealed)) for site, sealed in routed.items()
        }
        found, lost = self._exchanges.ask(messages, read, progress)
        self._lost += lost
        # Only now: what was added cannot be taken back from a site that then answers again.
        for site, cells in found.items():
            collector.masked(site, cells)

    def _fitting(self, site: str, answer: Answer, kind: type[Part]) -> Part:
        """The answer, if it is of the kind and to this round."""
        if not isinstance(answer, kind):
            raise MalformedMessage("it is to another kind of request")
        if (answer.run, answer.round) != self._name:
            raise MalformedMessage("the answer is to another request")
        if answer.site != site:
            raise MalformedMessage("it is another site's")
        return answer

    def _take(self, step: Callable[[], None]) -> None:
        """What one site sent amiss costs that site, not the round."""
        try:
            step()
        except MaskingError as error:
            raise MalformedMessage(str(error)) from error

    def _may_go_on(self, go_on: GoOn) -> bool:
        gone = {loss.site for loss in self._lost}
        left = tuple(site for site in self._roster if site not in gone)
        return not gone or go_on(left, self._in_order())

    def _given_up(self) -> MaskedSum:
        return MaskedSum((), (), self._in_order())

    def _in_order(self) -> tuple[Loss, ...]:
        return tuple(sorted(self._lost, key=lambda loss: self._roster.index(loss.site)))

    def _tables(self, total: Sequence[int] | np.ndarray) -> tuple[Table, ...]:
        """The sum, cut into the tables that were asked for."""
        cells = np.asarray(total, dtype=np.int64)
        ends = np.cumsum([layout.cells for layout in self._layouts])
        parts = np.split(cells, ends[:-1])
        return tuple(
            Table.from_flat(layout, part) for layout, part in zip(self._layouts, parts, strict=True)
        )
