"""What crosses the wire in one round of a known seed, kept so that a change of it is noticed.

A site of today and one of tomorrow can only be in one round while these stay as they are; if a
change is meant, the numbers are to be replaced, and the version of the messages with them.
"""

import hashlib

import msgspec

from tests.unit.privacy.masking.rounds import Round


def digest(*values: object) -> str:
    return hashlib.sha256(msgspec.json.encode(values)).hexdigest()[:16]


def test_a_round_sends_what_it_has_always_sent() -> None:
    played = Round(5)
    key = "3c324a42b1886e9a94d078219c7c4697a2987351cabc411bfceaf2b4351d4038"
    assert played.keys["a"].masking.hex() == key
    assert digest(*played.keys.values()) == "7eead02a890a0f84"
    played.shared()
    assert digest(*(played.routed[name] for name in "abcde")) == "36c7369be78fb3ec"
    assert [played.vector(name).hex() for name in "abcd"] == [
        "fb605813c60d44f1",
        "a8485fe1ac6394d6",
        "da0e9e6d620bcd97",
        "ba922447b0790503",
    ]
    revealed = [played.sites[name].reveal("abcd", "e") for name in "abcd"]
    assert digest(*revealed) == "567cde0acfc0664e"
