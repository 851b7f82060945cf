"""A site's side of one masked round: keys, shares, the masked vector, and what it reveals."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.privacy.masking import shares
from simulator.privacy.masking.errors import MaskingError, TooFew
from simulator.privacy.masking.graph import LEAST_PEERS, least_threshold
from simulator.privacy.masking.ring import Ring
from simulator.privacy.masking.secrets import (
    KeyPair,
    add_pair_mask,
    bound,
    check_key,
    seal,
    self_mask,
    unseal,
)
from simulator.privacy.masking.shares import SECRET_BYTES, SHARE_BYTES
from simulator.privacy.masking.wire import KEY_BYTES, PublicKeys, Revealed, Sealed
from simulator.privacy.sources import ByteSource


class Participant:
    """One site in one round: `keys`, `share`, `mask`, `reveal`, in this order, each once.

    A step that was refused ends the round for the site: no later call gets anything out of it.

    Args:
        site: The site's name.
        session: Run, round and roster, the same at all sites; all keys are bound to it.
        source: Random bytes, never the same twice.
    """

    def __init__(self, site: str, session: bytes, source: ByteSource) -> None:
        self._site = site
        self._session = session
        self._source = source
        self._next = "keys"
        self._sealing = KeyPair(source(KEY_BYTES))
        self._masking = KeyPair(source(KEY_BYTES))
        self._seed = source(SECRET_BYTES)
        self._peers: dict[str, PublicKeys] = {}
        self._agreed: dict[str, bytes] = {}
        self._context = b""
        self._threshold = 0
        self._held: dict[str, tuple[bytes, bytes]] = {}

    def _begin(self, step: str) -> None:
        """Allows the step only in its turn; until it is done, nothing else is allowed."""
        if self._next != step:
            after = f"'{self._next}' comes next" if self._next else "its round is over"
            raise MaskingError(f"site '{self._site}' was asked to '{step}', but {after}")
        self._next = ""

    def keys(self) -> PublicKeys:
        """The site's public keys for this round.

        Raises:
            MaskingError: Not the first call.
        """
        self._begin("keys")
        self._next = "share"
        return self._public

    @property
    def _public(self) -> PublicKeys:
        return PublicKeys(self._site, self._sealing.public, self._masking.public)

    def share(self, peers: Sequence[PublicKeys], threshold: int) -> tuple[Sealed, ...]:
        """Shares of the self seed and of the masking key, sealed for each peer.

        Args:
            peers: The keys of its neighbours, without its own.
            threshold: How many of peers and itself must be left to the end: more than two thirds.

        Raises:
            TooFew: Fewer than two peers, or fewer sites than the threshold.
            MaskingError: A site or a key twice, the site itself, a threshold that is too low, or
                not its turn.
        """
        self._begin("share")
        self._check_peers(peers)
        self._check_threshold(len(peers), threshold)
        self._peers = {peer.site: peer for peer in peers}
        self._agreed = {peer.site: self._sealing.agree(peer.sealing) for peer in peers}
        self._threshold = threshold
        self._context = bound(self._session, threshold.to_bytes(4, "big"))
        holders = sorted([self._site, *self._peers])
        pairs = zip(
            shares.split(self._seed, len(holders), threshold, self._source),
            shares.split(self._masking.private, len(holders), threshold, self._source),
            strict=True,
        )
        by_holder = dict(zip(holders, pairs, strict=True))
        # Nobody asks a site for its own masking key: if it can answer, it is not lost.
        self._held = {self._site: (by_holder.pop(self._site)[0], b"")}
        public = self._public
        sealed = tuple(
            seal(self._agreed[name], public, self._peers[name], self._context, b"".join(pair))
            for name, pair in by_holder.items()
        )
        self._next = "mask"
        return sealed

    def _check_peers(self, peers: Sequence[PublicKeys]) -> None:
        names = [peer.site for peer in peers]
        if self._site in names:
            raise MaskingError(f"site '{self._site}' was named as its own peer")
        if len(set(names)) != len(names):
            raise MaskingError(f"site '{self._site}' was told a peer twice: {', '.join(names)}")
        if len(peers) < LEAST_PEERS:
            raise TooFew(
                f"site '{self._site}' masks with at least {LEAST_PEERS} peers, found {len(peers)}"
            )
        for peer in peers:
            check_key(peer)
        everyone = (self._public, *peers)
        used = [key for keys in everyone for key in (keys.sealing, keys.masking)]
        if len(set(used)) != len(used):
            raise MaskingError(f"site '{self._site}' was told the same key for two uses or sites")

    def _check_threshold(self, peers: int, threshold: int) -> None:
        least = least_threshold(peers)
        if threshold < least:
            raise MaskingError(
                f"the threshold at '{self._site}' is {threshold}; with {peers} peers it must be "
                f"at least {least}, more than two thirds of those that hold a share"
            )
        if threshold > peers + 1:
            raise TooFew(
                f"site '{self._site}' and its {peers} peers are fewer than the threshold, "
                f"{threshold}"
            )

    def mask(
        self, sealed: Sequence[Sealed], vector: NDArray[np.int64], ring: Ring, parties: int
    ) -> bytes:
        """The vector plus the site's own mask and one for each peer that is still there.

        Args:
            sealed: What arrived from its peers; who is not among them is not masked with.
            vector: Whole numbers, int64, shape (cells,).
            ring: Where the sum is taken.
            parties: How many sites at most the sum is over: the roster's length.

        Returns:
            The masked vector, little-endian, `ring.width` bytes a cell.

        Raises:
            TooFew: With the site, fewer are left than the threshold.
            RingOverflow: A value is so large that a sum might not fit.
            MaskingError: A seal is of no peer, comes twice or does not open; too few parties; or
                not its turn.
        """
        self._begin("mask")
        if parties <= len(self._peers):
            raise MaskingError(
                f"site '{self._site}' has {len(self._peers)} peers, so the sum is over more than "
                f"{parties} sites"
            )
        for one in sealed:
            self._hold(one)
        if len(self._held) < self._threshold:
            raise TooFew(
                f"with '{self._site}', {len(self._held)} sites shared; the threshold is "
                f"{self._threshold}"
            )
        # Adding makes a new array: the caller's own vector is left as it is.
        total = ring.encode(vector, parties) + self_mask(
            self._seed, self._session, self._site, ring, len(vector)
        )
        for name in self._held:
            if name != self._site:
                peer = self._peers[name]
                add_pair_mask(total, self._masking, self._site, peer, self._session, ring)
        self._next = "reveal"
        return ring.to_bytes(total)

    def _hold(self, one: Sealed) -> None:
        """Opens a seal and keeps the two shares in it."""
        if one.receiver != self._site:
            raise MaskingError(f"a seal for '{one.receiver}' came to '{self._site}'")
        if one.sender not in self._peers:
            raise MaskingError(f"a seal came to '{self._site}' from '{one.sender}', no peer of it")
        if one.sender in self._held:
            raise MaskingError(f"a second seal came to '{self._site}' from '{one.sender}'")
        sender, agreed = self._peers[one.sender], self._agreed[one.sender]
        text = unseal(agreed, sender, self._public, self._context, one.data)
        if len(text) != 2 * SHARE_BYTES:
            raise MaskingError(
                f"the seal from '{one.sender}' holds {len(text)} bytes, not two shares"
            )
        self._held[one.sender] = (text[:SHARE_BYTES], text[SHARE_BYTES:])

    def reveal(self, alive: Collection[str], dropped: Collection[str]) -> Revealed:
        """For each named site the one share that opens the sum, never both.

        Args:
            alive: Sites whose masked vectors arrived, itself among them.
            dropped: Sites that shared and then were lost.

        Raises:
            TooFew: Fewer alive than the threshold.
            MaskingError: A site in both lists, one whose shares it does not hold, itself not
                alive; or not its turn. Nothing was revealed, and nothing will be.
        """
        self._begin("reveal")
        there, lost = set(alive), set(dropped)
        if both := there & lost:
            raise MaskingError(f"'{self._site}' was asked for both shares of {_names(both)}")
        if unknown := (there | lost) - set(self._held):
            raise MaskingError(f"'{self._site}' holds no shares of {_names(unknown)}")
        if self._site not in there:
            raise MaskingError(f"'{self._site}' sent its vector, but was not named as alive")
        if len(there) < self._threshold:
            raise TooFew(
                f"{len(there)} sites are alive around '{self._site}'; the threshold is "
                f"{self._threshold}"
            )
        held, self._held = self._held, {}
        return Revealed(
            site=self._site,
            self_shares={name: held[name][0] for name in sorted(there)},
            key_shares={name: held[name][1] for name in sorted(lost)},
        )


def _names(sites: Collection[str]) -> str:
    return ", ".join(f"'{site}'" for site in sorted(sites))
