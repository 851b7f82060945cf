"""How many bytes a site sends and receives in a masked round."""

from __future__ import annotations

from typing import Final

from simulator.privacy.masking.ring import Ring
from simulator.privacy.masking.secrets import TAG_BYTES
from simulator.privacy.masking.shares import SHARE_BYTES
from simulator.privacy.masking.wire import KEY_BYTES

SEALED_BYTES: Final = 2 * SHARE_BYTES + TAG_BYTES
"""Two shares and the tag: 82."""

_KEYS: Final = 2 * KEY_BYTES


def bytes_up(peers: int, cells: int, ring: Ring) -> int:
    """What a site sends: keys, seals, the masked vector, and what it reveals.

    That is one share of each neighbour and one of itself; names and the frames of messages are not
    counted.

    Args:
        peers: The site's neighbours; all are there to the end, or are lost after they shared.
        cells: The length of the vector.
        ring: Its numbers.
    """
    return _KEYS + peers * SEALED_BYTES + cells * ring.width + (peers + 1) * SHARE_BYTES


def bytes_down(peers: int) -> int:
    """What a site receives: the keys of its neighbours, and what they sealed for it."""
    return peers * (_KEYS + SEALED_BYTES)
