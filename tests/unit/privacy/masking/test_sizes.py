import pytest

from simulator.privacy.masking.ring import Ring
from simulator.privacy.masking.sizes import bytes_down, bytes_up
from tests.unit.privacy.masking.rounds import Round


@pytest.mark.parametrize("ring", [Ring(32), Ring(64)])
@pytest.mark.parametrize("degree", [4, 6, 100])
def test_the_formula_counts_what_is_sent(ring: Ring, degree: int) -> None:
    played = Round(9, degree=degree, ring=ring).shared()
    peers = len(played.graph["a"])
    seals = [one for to_all in played.routed.values() for one in to_all]
    vector = played.vector("a")
    given = played.sites["a"].reveal(("a", *played.graph["a"]), ())
    up = (
        [played.keys["a"].sealing, played.keys["a"].masking, vector]
        + [one.data for one in seals if one.sender == "a"]
        + [*given.self_shares.values(), *given.key_shares.values()]
    )
    down = [key for keys in played.peers("a") for key in (keys.sealing, keys.masking)]
    down += [one.data for one in played.routed["a"]]
    assert sum(map(len, up)) == bytes_up(peers, 2, ring)
    assert sum(map(len, down)) == bytes_down(peers)


def test_the_default_study_in_bytes() -> None:
    """68 sites, 5,000 cells of 32 bits: 64 + 67 x 82 + 20,000 + 68 x 33, and 67 x 146."""
    assert bytes_up(67, 5000, Ring(32)) == 27_802
    assert bytes_down(67) == 9_782
    assert bytes_up(20, 5000, Ring(32)) == 22_397
