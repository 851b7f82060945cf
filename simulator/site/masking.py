"""A site's part in one masked round: its participant, and what it takes part in."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.aggregates.table import Table
from simulator.messages.masked import KeysRequest, MaskedRequest, RevealRequest, SharesRequest
from simulator.messages.needs import DAYS_MEASURED, layout_of
from simulator.messages.requests import RoundRequest, session_of
from simulator.privacy.masking.errors import MaskingError, RingOverflow
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
        self._least_roster = least_roster
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
        sites = set(request.sites)
        if len(sites) < len(request.sites) or self._site not in sites:
            raise MaskingError("the roster names a site twice, or not this one")
        if len(sites) > self.asked.roster_size:
            raise MaskingError("the roster is longer than it was announced")
        if len(sites) < self._least_roster:
            raise MaskingError(
                f"{len(sites)} sites are in the roster; this one asks for {self._least_roster}"
            )
        if strangers := {peer.site for peer in request.peers} - sites:
            raise MaskingError(f"{len(strangers)} neighbours are not in the roster")
        if len(request.peers) < min(len(sites), self._least_roster) - 1:
            raise MaskingError(f"{len(request.peers)} neighbours are too few to hide among")
        # By no data: refused once the cells are known, it would tell how large one is.
        if self._ring.limit(len(sites)) < self._most:
            raise MaskingError(f"a ring of {self._ring.bits} bits is too narrow for so many sites")
        self._parties = len(sites)
        return self._participant.share(request.peers, request.threshold)

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
        """The shares that open the sum."""
        return self._participant.reveal(request.alive, request.dropped)


def _in_days(asked: RoundRequest) -> bool:
    """Whether a patient may count for more than one in a cell: for as many days as a year has."""
    return any(
        measure.name in DAYS_MEASURED
        for need in asked.needs
        for measure in layout_of(need, asked.question).measures
    )
