"""The cryptography of a masked round: agreed keys, masks drawn from them, and sealed shares."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from simulator.privacy.masking.errors import MaskingError
from simulator.privacy.masking.ring import Residues, Ring
from simulator.privacy.masking.wire import KEY_BYTES, PublicKeys, Sealed

TAG_BYTES: Final = 16

# Every key is used for one message alone, so the nonces may be constant.
_STREAM_NONCE: Final = bytes(16)
_SEAL_NONCE: Final = bytes(12)


def bound(*parts: bytes) -> bytes:
    """The parts in one string, each preceded by its length, so that no two lists run together."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def derive(secret: bytes, *parts: bytes) -> bytes:
    """A key of 32 bytes for one use, named by the parts: HKDF-SHA256 (RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=bound(*parts)).derive(secret)


class KeyPair:
    """An X25519 key pair.

    Args:
        private: 32 random bytes.
    """

    def __init__(self, private: bytes) -> None:
        self.private = private
        self._key = X25519PrivateKey.from_private_bytes(private)
        self.public = self._key.public_key().public_bytes_raw()

    def agree(self, public: bytes) -> bytes:
        """The secret shared with the owner of a public key, 32 bytes.

        Raises:
            MaskingError: The public key is one of those that make every secret zero.
        """
        try:
            return self._key.exchange(X25519PublicKey.from_public_bytes(public))
        except ValueError as error:
            raise MaskingError(f"not a usable public key: {public.hex()}") from error


def self_mask(seed: bytes, session: bytes, site: str, ring: Ring, cells: int) -> Residues:
    """The mask that a site adds for itself, shape (cells,)."""
    return _stream(derive(seed, b"self", session, site.encode()), ring, cells)


def add_pair_mask(
    total: Residues,
    own: KeyPair,
    site: str,
    peer: PublicKeys,
    session: bytes,
    ring: Ring,
) -> None:
    """Adds to `total`, in place, the mask that `site` adds for a peer.

    The one of the two whose name comes first adds what the other subtracts.

    Args:
        total: Shape (cells,).
        own: The masking keys of `site`.
        site: Who adds the mask.
        peer: With whom.
        session: The round.
        ring: Where the sum is taken.
    """
    ends = sorted([(site.encode(), own.public), (peer.site.encode(), peer.masking)])
    secret = own.agree(peer.masking)
    key = derive(secret, b"pair", session, *(part for end in ends for part in end))
    mask = _stream(key, ring, len(total))
    if site < peer.site:
        np.add(total, mask, out=total)
    else:
        np.subtract(total, mask, out=total)


def _stream(key: bytes, ring: Ring, cells: int) -> Residues:
    """Numbers that cannot be told from uniform ones: the ChaCha20 keystream (RFC 8439)."""
    stream = Cipher(ChaCha20(key, _STREAM_NONCE), mode=None).encryptor()
    return ring.from_bytes(stream.update(bytes(cells * ring.width)))


def seal(
    agreed: bytes, sender: PublicKeys, receiver: PublicKeys, context: bytes, text: bytes
) -> Sealed:
    """The text, sealed for one receiver in one round with ChaCha20-Poly1305 (RFC 8439).

    Key and tag bind the context and all four public keys: where the two sites were told different
    ones, the seal does not open.

    Args:
        agreed: The secret that sender and receiver share by their sealing keys.
        sender: Who shares.
        receiver: For whom.
        context: What else both must agree on.
        text: What is sealed, once in a round for these two.
    """
    key, ends = _envelope(agreed, sender, receiver, context)
    data = ChaCha20Poly1305(key).encrypt(_SEAL_NONCE, text, ends)
    return Sealed(sender.site, receiver.site, data)


def unseal(
    agreed: bytes, sender: PublicKeys, receiver: PublicKeys, context: bytes, data: bytes
) -> bytes:
    """What `seal` was given, or an error.

    Raises:
        MaskingError: It was changed, is for somebody else, or of another round.
    """
    key, ends = _envelope(agreed, sender, receiver, context)
    try:
        return ChaCha20Poly1305(key).decrypt(_SEAL_NONCE, data, ends)
    except InvalidTag as error:
        raise MaskingError(
            f"the seal from '{sender.site}' to '{receiver.site}' does not open: it was changed, "
            "or belongs to another round, receiver, threshold or set of keys"
        ) from error


def _envelope(
    agreed: bytes, sender: PublicKeys, receiver: PublicKeys, context: bytes
) -> tuple[bytes, bytes]:
    """The key for one direction, and the data that the tag binds."""
    ends = bound(context, _identity(sender), _identity(receiver))
    return derive(agreed, b"seal", ends), ends


@lru_cache(maxsize=4096)
def _identity(keys: PublicKeys) -> bytes:
    """Name and public keys in one string; each site is at the end of many seals."""
    return bound(keys.site.encode(), keys.sealing, keys.masking)


def check_key(keys: PublicKeys) -> None:
    """Refuses keys that are not two different ones of 32 bytes.

    Raises:
        MaskingError: They are not.
    """
    for name, key in (("sealing", keys.sealing), ("masking", keys.masking)):
        if len(key) != KEY_BYTES:
            raise MaskingError(
                f"the {name} key of '{keys.site}' has {len(key)} bytes, expected {KEY_BYTES}"
            )
