"""The messages of a masked round: keys, shares of secrets, masked cells, and what opens their sum.

A masked round asks what a `RoundRequest` asks, but no site's cells travel in the clear. Each
request goes to one site, as each has its own neighbours. See `simulator.privacy.masking`.
"""

from __future__ import annotations

import msgspec

from simulator.messages.requests import RoundRequest
from simulator.privacy.masking.wire import PublicKeys, Revealed, Sealed


class KeysRequest(msgspec.Struct, frozen=True, tag="keys?"):
    """Opens a masked round: what will be asked, and for two public keys.

    Attributes:
        asked: The tables that are wanted, the release, and the sites that are invited.
        bits: The width of the ring in which the cells are added: 32 or 64.
    """

    asked: RoundRequest
    bits: int


class SharesRequest(msgspec.Struct, frozen=True, tag="shares?"):
    """Tells who takes part, fixed from now on, and asks for shares of secrets for the neighbours.

    Attributes:
        run: The run's identifier.
        round: The round's number.
        sites: Every site that sent keys, in roster order.
        peers: The public keys of this site's neighbours.
        threshold: How many shares open a secret.
    """

    run: str
    round: int
    sites: tuple[str, ...]
    peers: tuple[PublicKeys, ...]
    threshold: int


class MaskedRequest(msgspec.Struct, frozen=True, tag="masked?"):
    """Brings the neighbours' shares and asks for the masked cells.

    Attributes:
        run: The run's identifier.
        round: The round's number.
        sealed: What the neighbours that are still there sent to this site.
    """

    run: str
    round: int
    sealed: tuple[Sealed, ...]


class RevealRequest(msgspec.Struct, frozen=True, tag="reveal?"):
    """Asks for the shares that open the sum.

    Attributes:
        run: The run's identifier.
        round: The round's number.
        alive: Neighbours, and perhaps the site itself, whose masked cells arrived.
        dropped: Neighbours whose masked cells did not.
    """

    run: str
    round: int
    alive: tuple[str, ...]
    dropped: tuple[str, ...]


StepRequest = SharesRequest | MaskedRequest | RevealRequest
"""What follows a `KeysRequest`, in order."""


class KeysAnswer(msgspec.Struct, frozen=True, tag="keys"):
    """A site's public keys for one round."""

    site: str
    run: str
    round: int
    keys: PublicKeys


class SharesAnswer(msgspec.Struct, frozen=True, tag="shares"):
    """Shares of a site's secrets, each sealed for one neighbour."""

    site: str
    run: str
    round: int
    sealed: tuple[Sealed, ...]


class MaskedAnswer(msgspec.Struct, frozen=True, tag="masked"):
    """The cells of all tables one after the other, masked, little-endian, of the ring's width."""

    site: str
    run: str
    round: int
    cells: bytes


class RevealAnswer(msgspec.Struct, frozen=True, tag="reveal"):
    """The shares that a site was asked for."""

    site: str
    run: str
    round: int
    revealed: Revealed


MaskingAnswer = KeysAnswer | SharesAnswer | MaskedAnswer | RevealAnswer
