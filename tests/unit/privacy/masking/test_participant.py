import itertools
from collections.abc import Callable

import msgspec
import pytest

from simulator.privacy.masking.errors import MaskingError, RingOverflow, TooFew
from simulator.privacy.masking.participant import Participant
from simulator.privacy.masking.ring import Ring
from simulator.privacy.masking.secrets import KeyPair, add_pair_mask, seal, self_mask
from simulator.privacy.masking.wire import PublicKeys, Sealed
from simulator.privacy.sources import keyed_source
from tests.unit.privacy.masking.rounds import COUNTS, SESSION, Round, numbers

STEPS: tuple[Callable[[Round], object], ...] = (
    lambda played: played.sites["a"].keys(),
    lambda played: played.sites["a"].share(played.peers("a"), played.threshold),
    lambda played: played.vector("a"),
    lambda played: played.sites["a"].reveal(played.names, ()),
)


def at(step: int) -> Round:
    """A round in which site a has done so many steps."""
    played = Round()
    if step > 1:
        played.shared()
    if step > 2:
        played.vector("a")
    if step > 3:
        played.sites["a"].reveal(played.names, ())
    return played


@pytest.mark.parametrize("done", [1, 2, 3, 4])
@pytest.mark.parametrize("step", range(4))
def test_each_step_comes_in_its_turn_and_once(done: int, step: int) -> None:
    played = at(done)
    played.routed = played.routed or {"a": ()}
    if step == done:
        STEPS[step](played)
        return
    with pytest.raises(MaskingError, match="comes next" if done < 4 else "its round is over"):
        STEPS[step](played)


@pytest.mark.parametrize("done", [1, 2, 3])
def test_a_step_that_was_refused_ends_the_round(done: int) -> None:
    played = at(done)
    refused: tuple[Callable[[], object], ...] = (
        lambda: played.sites["a"].share((), 3),
        lambda: played.sites["a"].mask((), numbers(1, 1), COUNTS, 4),
        lambda: played.sites["a"].reveal((), ()),
    )
    with pytest.raises(MaskingError):
        refused[done - 1]()
    for step in STEPS[done:]:
        played.routed = played.routed or {"a": ()}
        with pytest.raises(MaskingError, match="its round is over"):
            step(played)


def with_key(keys: PublicKeys, name: str, key: bytes) -> PublicKeys:
    return msgspec.structs.replace(keys, **{name: key})


def bad_peers(played: Round) -> dict[str, tuple[PublicKeys, ...]]:
    own, one, two, three = (played.keys[name] for name in "abcd")
    return {
        "its own peer": (one, two, three, own),
        "a peer twice": (one, two, two),
        "at least 2 peers, found 1": (one,),
        "same key": (one, two, with_key(three, "masking", two.masking)),
        "key for two uses": (one, two, with_key(three, "masking", three.sealing)),
        "same key for two": (one, two, with_key(three, "sealing", own.sealing)),
        "sealing key of 'd' has 31 bytes": (one, two, with_key(three, "sealing", bytes(31))),
        "masking key of 'd' has 33 bytes": (one, two, with_key(three, "masking", bytes(33))),
        "not a usable public key": (one, two, with_key(three, "sealing", bytes(32))),
    }


@pytest.mark.parametrize("what", bad_peers(Round()))
def test_a_list_of_peers_that_cannot_be_is_refused(what: str) -> None:
    played = Round()
    with pytest.raises(MaskingError, match=what):
        played.sites["a"].share(bad_peers(played)[what], 3)


@pytest.mark.parametrize(("peers", "threshold", "expected"), [(3, 2, 3), (5, 4, 5), (6, 4, 5)])
def test_a_threshold_of_two_thirds_or_less_is_refused(
    peers: int, threshold: int, expected: int
) -> None:
    played = Round(peers + 1)
    with pytest.raises(MaskingError, match=f"is {threshold}; with .* at least {expected}"):
        played.sites["a"].share(played.peers("a"), threshold)


def test_a_threshold_beyond_all_is_too_few() -> None:
    played = Round(4)
    with pytest.raises(TooFew, match="fewer than the threshold, 5"):
        played.sites["a"].share(played.peers("a"), 5)


def test_two_that_were_told_different_masking_keys_find_out() -> None:
    """Their masks would not cancel: the seal binds the keys that each was told."""
    played = Round()
    wrong = with_key(played.keys["d"], "masking", Round(seed="2").keys["d"].masking)
    played.sites["a"].share((played.keys["b"], played.keys["c"], wrong), 3)
    came = played.sites["d"].share(played.peers("d"), 3)
    with pytest.raises(MaskingError, match="seal from 'd' to 'a' does not open"):
        played.sites["a"].mask([one for one in came if one.receiver == "a"], numbers(1), COUNTS, 4)


def test_two_that_were_told_different_thresholds_find_out() -> None:
    played = Round()
    played.sites["a"].share(played.peers("a"), 4)
    came = played.sites["d"].share(played.peers("d"), 3)
    with pytest.raises(MaskingError, match="does not open"):
        played.sites["a"].mask([one for one in came if one.receiver == "a"], numbers(1), COUNTS, 4)


def changed(one: Sealed, place: int) -> Sealed:
    data = bytearray(one.data)
    data[place] ^= 1
    return msgspec.structs.replace(one, data=bytes(data))


@pytest.mark.parametrize("place", range(82))
def test_a_seal_that_was_changed_anywhere_is_refused(place: int) -> None:
    played = Round().shared()
    first, *rest = played.routed["a"]
    played.routed["a"] = (changed(first, place), *rest)
    with pytest.raises(MaskingError, match="seal from 'b' to 'a' does not open"):
        played.vector("a")


def bad_seals(played: Round) -> dict[str, tuple[Sealed, ...]]:
    first, second, third = played.routed["a"]
    elsewhere = Round(session=b"run 1, round 2").shared().routed["a"][0]
    back = next(one for one in played.routed["b"] if one.sender == "a")
    replace = msgspec.structs.replace
    return {
        "a second seal came to 'a' from 'b'": (first, first, second, third),
        "a seal for 'b' came to 'a'": (*played.routed["b"], second),
        "from 'z', no peer of it": (replace(first, sender="z"), second, third),
        "from 'b' to 'a' does not open": (elsewhere, second, third),  # The same keys and seeds.
        "seal from 'b' to 'a'": (replace(back, sender="b", receiver="a"), second, third),
        "seal from 'c' to 'a'": (replace(first, sender="c"), third),
        "seal from 'd' to 'a'": (first, second, replace(third, data=b"")),
        "belongs to another round": (first, second, replace(third, data=third.data[:40])),
    }


@pytest.mark.parametrize("what", bad_seals(Round().shared()))
def test_a_seal_that_does_not_belong_is_refused(what: str) -> None:
    played = Round().shared()
    played.routed["a"] = bad_seals(played)[what]
    with pytest.raises(MaskingError, match=what):
        played.vector("a")


def test_a_seal_that_opens_and_does_not_hold_two_shares_is_refused() -> None:
    """Only a peer that does not follow the protocol can make one."""
    played = Round().shared()
    liar = played.sites["b"]
    keys = (played.keys["b"], played.keys["a"])
    forged = seal(liar._agreed["a"], *keys, liar._context, bytes(65))
    played.routed["a"] = (forged, *played.routed["a"][1:])
    with pytest.raises(MaskingError, match="from 'b' holds 65 bytes, not two shares"):
        played.vector("a")


def test_fewer_seals_than_the_threshold_are_too_few() -> None:
    played = Round(threshold=4).shared()
    played.routed["a"] = played.routed["a"][:2]
    with pytest.raises(TooFew, match="with 'a', 3 sites shared; the threshold is 4"):
        played.vector("a")


def test_a_value_that_might_not_fit_is_refused_and_nothing_gets_out() -> None:
    played = Round().shared()
    played.vectors["a"] = numbers(2**29, 0)
    with pytest.raises(RingOverflow, match="a value is 536870912, but a sum of 4 sites"):
        played.vector("a")
    with pytest.raises(MaskingError, match="its round is over"):
        played.sites["a"].reveal(played.names, ())


def test_fewer_parties_than_peers_are_refused() -> None:
    played = Round().shared()
    with pytest.raises(MaskingError, match="has 3 peers, so the sum is over more than 3 sites"):
        played.sites["a"].mask(played.routed["a"], numbers(1, 1), COUNTS, 3)


def test_a_vector_is_left_as_it_was() -> None:
    played = Round().shared()
    before = played.vectors["a"].copy()
    played.vector("a")
    assert played.vectors["a"].tolist() == before.tolist()


def test_another_round_has_other_masks_even_with_the_same_randomness() -> None:
    """Keys and seeds are equal here, so only the session can tell the masks apart."""
    one, other = Round().shared(), Round(session=b"run 1, round 2").shared()
    assert one.keys == other.keys
    for name in one.names:
        assert one.vector(name) != other.vector(name)


def test_each_pair_of_another_round_has_another_mask() -> None:
    """Without the self masks: the pairwise ones differ as well."""
    own, peer = KeyPair(b"1" * 32), Round().keys["b"]
    masks = []
    for session in (b"1", b"2"):
        total = COUNTS.zeros(4)
        add_pair_mask(total, own, "a", peer, session, COUNTS)
        masks.append(total.tolist())
        masks.append(self_mask(b"1" * 32, session, "a", COUNTS, 4).tolist())
    assert len({tuple(mask) for mask in masks}) == 4


def test_two_masks_of_a_pair_cancel() -> None:
    one, other = KeyPair(b"1" * 32), KeyPair(b"2" * 32)
    total = COUNTS.zeros(3)
    add_pair_mask(total, one, "a", PublicKeys("b", b"", other.public), SESSION, COUNTS)
    assert total.any()
    add_pair_mask(total, other, "b", PublicKeys("a", b"", one.public), SESSION, COUNTS)
    assert not total.any()


def test_without_masks_the_vector_would_be_seen() -> None:
    played = Round().shared()
    plain = COUNTS.to_bytes(COUNTS.encode(played.vectors["a"], 4))
    assert played.vector("a") != plain


@pytest.mark.parametrize(
    ("alive", "dropped", "what"),
    [
        ("abcd", "d", "both shares of 'd'"),
        ("abc", "a", "both shares of 'a'"),
        ("abcz", "d", "no shares of 'z'"),
        ("abc", "z", "no shares of 'z'"),
        ("bcd", "a", "was not named as alive"),
        ("bcd", "", "was not named as alive"),
        ("ab", "cd", "2 sites are alive around 'a'; the threshold is 3"),
        ("a", "", "1 sites are alive around 'a'"),
    ],
)
def test_lists_that_would_tell_too_much_are_refused_for_good(
    alive: str, dropped: str, what: str
) -> None:
    played = at(3)
    with pytest.raises(MaskingError, match=what):
        played.sites["a"].reveal(alive, dropped)
    with pytest.raises(MaskingError, match="its round is over"):
        played.sites["a"].reveal("abcd", "")


def test_what_is_revealed_is_one_share_of_each() -> None:
    played = at(3)
    given = played.sites["a"].reveal("abc", "d")
    assert set(given.self_shares) == set("abc")
    assert set(given.key_shares) == {"d"}


def test_a_second_call_with_other_lists_gets_nothing() -> None:
    played = at(3)
    played.sites["a"].reveal("abcd", "")
    with pytest.raises(MaskingError, match="its round is over"):
        played.sites["a"].reveal("abc", "d")


@pytest.mark.parametrize("count", [4, 5])
def test_an_aggregator_that_lies_never_gets_enough_of_both_secrets(count: int) -> None:
    """To each site it says, as it likes, that the last one is there, lost, or not of the round."""
    for story in itertools.product(("alive", "dropped", "neither"), repeat=count - 1):
        played = Round(count).shared().masked()
        victim, others = played.names[-1], played.names[:-1]
        got = {"self": 0, "key": 0}
        for name, said in zip(others, story, strict=True):
            alive = played.names if said == "alive" else others
            dropped = (victim,) if said == "dropped" else ()
            given = played.sites[name].reveal(alive, dropped)
            got["self"] += victim in given.self_shares
            got["key"] += victim in given.key_shares
        given = played.sites[victim].reveal(played.names, ())
        got["self"] += victim in given.self_shares
        assert got["self"] + got["key"] <= count
        assert min(got.values()) < played.threshold


def test_a_peer_that_was_not_told_of_a_site_refuses_its_seal() -> None:
    """a was told of d, d was not told of a: d notices, as soon as a's seal comes."""
    played = Round()
    sent = played.sites["a"].share(played.peers("a"), 3)
    played.sites["d"].share((played.keys["b"], played.keys["c"]), 3)
    with pytest.raises(MaskingError, match="from 'a', no peer of it"):
        played.sites["d"].mask(
            [one for one in sent if one.receiver == "d"], numbers(1, 1), COUNTS, 4
        )


def test_a_seal_that_is_held_back_in_one_direction_spoils_the_sum() -> None:
    """d masks with a, and a not with d: a finds out when it is asked, the others cannot."""
    played = Round().shared()
    played.routed["a"] = tuple(one for one in played.routed["a"] if one.sender != "d")
    wanted = played.masked().hub.what_to_reveal()
    with pytest.raises(MaskingError, match="'a' holds no shares of 'd'"):
        played.sites["a"].reveal(wanted["a"].alive, wanted["a"].dropped)
    played.revealed(without="a")
    assert played.hub.open().tolist() != played.plain()


def test_a_site_of_its_own_source_has_keys_of_its_own() -> None:
    sites = [Participant("a", SESSION, keyed_source(b"test", name)) for name in "12"]
    one, other = (site.keys() for site in sites)
    assert len({one.sealing, one.masking, other.sealing, other.masking}) == 4


@pytest.mark.parametrize("ring", [Ring(32), Ring(64)])
def test_a_masked_vector_has_the_length_of_its_cells(ring: Ring) -> None:
    assert len(Round(ring=ring).shared().vector("a")) == 2 * ring.width
