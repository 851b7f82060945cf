"""What crosses between a site and the aggregator in a masked round, and what is in it."""

from __future__ import annotations

from typing import Final

import msgspec

KEY_BYTES: Final = 32
"""An X25519 key, private or public (RFC 7748)."""


class PublicKeys(msgspec.Struct, frozen=True):
    """A site's two public keys for one round.

    Attributes:
        site: Whose keys they are.
        sealing: 32 bytes; shares are sealed with it.
        masking: 32 bytes; pairwise masks come from it.
    """

    site: str
    sealing: bytes
    masking: bytes


class Sealed(msgspec.Struct, frozen=True):
    """Two shares from one site for another, which the aggregator passes on and cannot read.

    Attributes:
        sender: The site whose secrets are shared.
        receiver: The only one that can open it.
        data: 82 bytes: a share of the self seed, one of the masking key, and the tag.
    """

    sender: str
    receiver: str
    data: bytes


class Wanted(msgspec.Struct, frozen=True):
    """What the aggregator asks a site to reveal.

    Attributes:
        alive: Sites whose masked vectors are in the sum: their self seeds are to be rebuilt.
        dropped: Sites that shared but sent no vector: their masking keys are to be rebuilt.
    """

    alive: tuple[str, ...]
    dropped: tuple[str, ...]


class Revealed(msgspec.Struct, frozen=True):
    """The shares that a site gives the aggregator, of each other site one or none.

    Attributes:
        site: Who reveals.
        self_shares: By site, 33 bytes each: shares of self seeds.
        key_shares: By site, 33 bytes each: shares of masking keys.
    """

    site: str
    self_shares: dict[str, bytes]
    key_shares: dict[str, bytes]
