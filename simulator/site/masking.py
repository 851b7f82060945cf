"""A site's part in one masked round: its participant, and what it takes part in."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.aggregates.table import Table
from simulator.messages.masked import KeysRequest, MaskedRequest, RevealRequest, SharesRequest
from simulator.messages.needs import DAYS_MEASURED, layout_of
from simulator.messages.noise import parts_of
from simulator.messages.requests import RoundRequest, roster_hash, session_of
from simulator.privacy.masking.errors import MaskingError, RingOverflow
from simulator.privacy.masking.graph import DEGREE, neighbours
from simulator.privacy.masking.participant import Participant
from simulator.privacy.masking.ring import Ring
from simulator.privacy.masking.wire import PublicKeys, Revealed, Sealed
from simulator.privacy.sources import ByteSource

_DAYS_IN_A_YEAR: Final = 366


class MaskedRound:
    """One masked round at one site; each step follows the one before it.

    Args:
        site: The site's name.
        request: What opened the round.
        least_roster: The fewest sites over which the site lets itself be added up.
        persons: How many persons it holds at most: no count of patients is above.
        source: Where keys and masks come from; new for each round.
    """

    def __init__(
        self,
        site: str,
        request: KeysRequest,
        least_roster: int,
        persons: int,
        source: ByteSource,
    ) -> None:
        if request.bits not in (32, 64):
            raise MaskingError(f"a ring of 32 or 64 bits was expected; got {request.bits}")
        self.asked = request.asked
        self._site = site
        self._ring = Ring(64 if request.bits == 64 else 32)
        # Fewer would give less noise than was promised.
        self._fewest = max(least_roster, parts_of(request.asked))
        self._complete = False
        self._most = persons * (_DAYS_IN_A_YEAR if _in_days(request.asked) else 1)
        self._parties = 0
        self._participant = Participant(site, session_of(request.asked), source)

    def keys(self) -> PublicKeys:
        """The site's public keys."""
        return self._participant.keys()

    def share(self, request: SharesRequest) -> tuple[Sealed, ...]:
        """Shares for the neighbours, once the roster is fixed.

        Raises:
            MaskingError: The roster is not one that the site takes part in.
        """
        self._check_roster(request.sites)
        near = neighbours(request.sites, DEGREE, session_of(self.asked))[self._site]
        if sorted(peer.site for peer in request.peers) != list(near):
            raise MaskingError("its neighbours are not those that the round gives it")
        self._complete = len(near) == len(request.sites) - 1
        # By no data: refused once the cells are known, it would tell how large one is.
        self._parties = len(request.sites)
        if self._ring.limit(self._parties) < self._most:
            raise MaskingError(f"a ring of {self._ring.bits} bits is too narrow for so many sites")
        return self._participant.share(request.peers, request.threshold)

    def _check_roster(self, sites: tuple[str, ...]) -> None:
        """Refuses a roster that is not what was announced, or too small for policy or noise."""
        if len(set(sites)) < len(sites) or self._site not in sites:
            raise MaskingError("the roster names a site twice, or not this one")
        if len(sites) > self.asked.roster_size:
            raise MaskingError("the roster is longer than it was announced")
        if len(sites) == self.asked.roster_size and roster_hash(sites) != self.asked.roster:
            raise MaskingError("the roster is not the one that was announced")
        if len(sites) < self._fewest:
            raise MaskingError(f"{len(sites)} sites are in the roster; {self._fewest} are needed")

    def mask(self, request: MaskedRequest, tables: tuple[Table, ...]) -> bytes:
        """The tables' cells one after the other, masked.

        Raises:
            MaskingError: The step is refused, or a cell does not fit; which one is not told.
        """
        cells: NDArray[np.int64] = np.concatenate([table.flat() for table in tables])
        try:
            return self._participant.mask(request.sealed, cells, self._ring, self._parties)
        except RingOverflow:
            raise MaskingError("its cells do not fit the ring") from None

    def reveal(self, request: RevealRequest) -> Revealed:
        """The shares that open the sum.

        Raises:
            MaskingError: The step is refused, or too few are left, as far as the site can see: it
                knows only of its neighbours.
        """
        # First, so that a refusal ends the round here as well.
        revealed = self._participant.reveal(request.alive, request.dropped)
        if self._complete and len(set(request.alive)) < self._fewest:
            raise MaskingError(f"{len(request.alive)} sites are left; {self._fewest} are needed")
        return revealed


def _in_days(asked: RoundRequest) -> bool:
    """Whether a patient may count for more than one in a cell: for as many days as a year has."""
    return any(
        measure.name in DAYS_MEASURED
        for need in asked.needs
        for measure in layout_of(need, asked.question).measures
    )
