"""The aggregator's side of one masked round: it passes seals on, adds, and opens only the sum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.privacy.masking import shares
from simulator.privacy.masking.errors import MaskingError, TooFew
from simulator.privacy.masking.ring import Ring
from simulator.privacy.masking.secrets import KeyPair, add_pair_mask, check_key, self_mask
from simulator.privacy.masking.shares import number
from simulator.privacy.masking.sizes import SEALED_BYTES
from simulator.privacy.masking.wire import PublicKeys, Revealed, Sealed, Wanted


class Collector:
    """One round: `peers`, `route`, `masked`, `what_to_reveal`, `revealed`, `open`, in this order.

    Args:
        session: Run, round and roster, as at the sites.
        ring: Where the sum is taken.
        cells: The length of every vector, at least 1.
        keys: The public keys of the sites that answered.
        neighbours: Who masks with whom, for every site of the roster.
        threshold: How many sites of each neighbourhood must be left to the end.

    Raises:
        MaskingError: No cells, a site's keys twice, or a site that is not in the graph.
    """

    def __init__(
        self,
        session: bytes,
        ring: Ring,
        cells: int,
        keys: Sequence[PublicKeys],
        neighbours: Mapping[str, Sequence[str]],
        threshold: int,
    ) -> None:
        if cells < 1:
            raise MaskingError(f"a vector has at least one cell, not {cells}")
        self._keys = {one.site: one for one in keys}
        if len(self._keys) != len(keys):
            raise MaskingError("the keys of a site came twice")
        if unknown := sorted(set(self._keys) - set(neighbours)):
            raise MaskingError(f"keys came from {', '.join(unknown)}, not in the roster")
        for one in keys:
            check_key(one)
        self._session, self._ring, self._cells = session, ring, cells
        self._threshold = threshold
        self._near = {
            site: tuple(name for name in neighbours[site] if name in self._keys)
            for site in self._keys
        }
        self._sharing: frozenset[str] | None = None
        self._total = ring.zeros(cells)
        self._masked: set[str] = set()
        self._wanted: dict[str, Wanted] | None = None
        self._revealed: dict[str, Revealed] = {}

    def peers(self, site: str) -> tuple[PublicKeys, ...]:
        """The keys to send to a site: those of its neighbours that answered."""
        return tuple(self._keys[name] for name in self._near[self._known(site)])

    def _known(self, site: str) -> str:
        if site not in self._keys:
            raise MaskingError(f"'{site}' sent no keys in this round")
        return site

    def route(self, sealed: Iterable[Sealed]) -> dict[str, tuple[Sealed, ...]]:
        """What to pass on to each site that shared; a site that did not is lost from here on.

        Args:
            sealed: All that all sites sent, in any order.

        Raises:
            TooFew: Around some site fewer shared than the threshold.
            MaskingError: A second call, or a site that did not seal once for each of its peers.
        """
        if self._sharing is not None:
            raise MaskingError("the seals of this round have been passed on already")
        sent: dict[str, dict[str, Sealed]] = {}
        for one in sealed:
            self._check_sealed(one, sent.setdefault(self._known(one.sender), {}))
        for sender, seals in sent.items():
            if missing := sorted(set(self._near[sender]) - set(seals)):
                raise MaskingError(f"'{sender}' sealed nothing for its peers {', '.join(missing)}")
        for site in sent:
            self._enough(site, {site} | sent.keys() & set(self._near[site]), "shared")
        if not sent:
            raise TooFew("no site shared")
        self._sharing = frozenset(sent)
        return {
            site: tuple(sent[name][site] for name in self._near[site] if name in sent)
            for site in sent
        }

    def _check_sealed(self, one: Sealed, seals: dict[str, Sealed]) -> None:
        if one.receiver not in self._near[one.sender]:
            raise MaskingError(f"'{one.sender}' sealed for '{one.receiver}', no peer of it")
        if one.receiver in seals:
            raise MaskingError(f"'{one.sender}' sealed for '{one.receiver}' twice")
        if len(one.data) != SEALED_BYTES:
            raise MaskingError(
                f"'{one.sender}' sealed {len(one.data)} bytes for '{one.receiver}', expected "
                f"{SEALED_BYTES}"
            )
        seals[one.receiver] = one

    def _enough(self, site: str, left: set[str], did: str) -> None:
        if len(left) < self._threshold:
            raise TooFew(
                f"around '{site}', {len(left)} of {len(self._near[site]) + 1} sites {did}; the "
                f"threshold is {self._threshold}"
            )

    def masked(self, site: str, data: bytes) -> None:
        """Adds a site's masked vector to the sum.

        Raises:
            MaskingError: The site did not share, sent a vector before, or sends it too late; or
                the length is wrong.
        """
        if site not in (self._sharing or ()):
            raise MaskingError(f"a vector came from '{site}', which did not share in this round")
        if self._wanted is not None:
            raise MaskingError(f"the vector of '{site}' came too late: it counts as lost")
        if site in self._masked:
            raise MaskingError(f"a second vector came from '{site}'")
        expected = self._cells * self._ring.width
        if len(data) != expected:
            raise MaskingError(f"the vector of '{site}' has {len(data)} bytes, expected {expected}")
        np.add(self._total, self._ring.from_bytes(data), out=self._total)
        self._masked.add(site)

    @property
    def included(self) -> tuple[str, ...]:
        """The sites whose vectors are in the sum, sorted."""
        return tuple(sorted(self._masked))

    def what_to_reveal(self) -> Mapping[str, Wanted]:
        """What to ask of each site whose vector arrived; from now on vectors come too late.

        Raises:
            TooFew: Around some site fewer are left than the threshold; nothing is to be asked.
        """
        if self._wanted is None:
            self._wanted = {}  # Before anything is decided: a vector now comes too late.
            if not self._masked:
                raise TooFew("no site sent its vector")
            for site in self.included:
                self._enough(site, {site} | self._masked & set(self._near[site]), "sent a vector")
            for site in self._lost():
                self._enough(site, self._masked & set(self._near[site]), "can give shares of it")
            self._wanted = {site: self._asked(site) for site in self.included}
        return self._wanted

    def _asked(self, site: str) -> Wanted:
        near = (self._sharing or frozenset()) & {site, *self._near[site]}
        return Wanted(
            alive=tuple(sorted(near & self._masked)), dropped=tuple(sorted(near - self._masked))
        )

    def _lost(self) -> tuple[str, ...]:
        """The sites that shared, sent no vector, and are masked with by one that did."""
        gone = (self._sharing or frozenset()) - self._masked
        return tuple(site for site in sorted(gone) if self._masked & set(self._near[site]))

    def revealed(self, one: Revealed) -> None:
        """Takes the shares of a site.

        Raises:
            MaskingError: The site was not asked or answered before, or its shares are not those
                that were asked for.
        """
        wanted = (self._wanted or {}).get(one.site)
        if wanted is None:
            raise MaskingError(f"shares came from '{one.site}', which was not asked")
        if one.site in self._revealed:
            raise MaskingError(f"shares came from '{one.site}' a second time")
        for what, found, expected in (
            ("self seeds", one.self_shares, wanted.alive),
            ("masking keys", one.key_shares, wanted.dropped),
        ):
            if set(found) != set(expected):
                raise MaskingError(
                    f"'{one.site}' gave shares of the {what} of {_listed(found)}, asked were "
                    f"those of {_listed(expected)}"
                )
            for share in found.values():
                number(share)
        self._revealed[one.site] = one

    def open(self) -> NDArray[np.int64]:
        """The sum over the sites of `included`, int64, shape (cells,).

        Raises:
            TooFew: Of some secret fewer shares came than the threshold; no sum is opened.
            MaskingError: The shares of a site do not belong together.
        """
        if not self._wanted:
            raise TooFew("no site has been asked to reveal")
        seeds = {site: self._rebuild(site, {site, *self._near[site]}) for site in self.included}
        keys = {site: self._key(site) for site in self._lost()}
        total = self._total.copy()
        for site, seed in seeds.items():
            mask = self_mask(seed, self._session, site, self._ring, self._cells)
            np.subtract(total, mask, out=total)
        for site, own in keys.items():
            for name in self._masked & set(self._near[site]):
                # Alone, the lost site would have added this mask, and the other's would be gone.
                add_pair_mask(total, own, site, self._keys[name], self._session, self._ring)
        return self._ring.decode(total)

    def _key(self, site: str) -> KeyPair:
        """The masking key of a lost site, which must be the one that it announced."""
        pair = KeyPair(self._rebuild(site, set(self._near[site])))
        if pair.public != self._keys[site].masking:
            raise MaskingError(f"the shares of the masking key of '{site}' give another key")
        return pair

    def _rebuild(self, site: str, holders: set[str]) -> bytes:
        """The secret of a site from the shares that came: its seed if included, else its key."""
        places = {name: 1 + at for at, name in enumerate(sorted([site, *self._near[site]]))}
        came: dict[int, bytes] = {}
        for name in holders & self._revealed.keys():
            given = self._revealed[name]
            table = given.self_shares if site in self._masked else given.key_shares
            came[places[name]] = table[site]
        if len(came) < self._threshold:
            raise TooFew(
                f"{len(came)} shares of a secret of '{site}' came; the threshold is "
                f"{self._threshold}"
            )
        return shares.join(came, self._threshold)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names)) or "nobody"
