import itertools

import msgspec
import pytest

from simulator.privacy.masking.collector import Collector
from simulator.privacy.masking.errors import MaskingError, TooFew
from simulator.privacy.masking.ring import Ring
from simulator.privacy.masking.wire import Revealed
from tests.unit.privacy.masking.rounds import COUNTS, SESSION, Round

replace = msgspec.structs.replace


@pytest.mark.parametrize("ring", [Ring(32), Ring(64)])
def test_the_sum_is_the_plain_sum(ring: Ring) -> None:
    played = Round(ring=ring).shared().masked().revealed()
    assert played.hub.open().tolist() == played.plain() == [10, -10]
    assert played.hub.included == ("a", "b", "c", "d")


@pytest.mark.parametrize("lost", "abcd")
def test_a_site_that_is_lost_before_its_vector_is_not_in_the_sum(lost: str) -> None:
    played = Round().shared().masked(without=lost).revealed()
    assert played.hub.open().tolist() == played.plain(without=lost)
    assert lost not in played.hub.included


@pytest.mark.parametrize("lost", "abcd")
def test_a_site_that_is_lost_after_its_vector_is_in_the_sum(lost: str) -> None:
    played = Round().shared().masked().revealed(without=lost)
    assert played.hub.open().tolist() == played.plain()


def test_keys_that_cannot_be_are_refused() -> None:
    keys = list(Round().keys.values())
    graph = Round().graph
    with pytest.raises(MaskingError, match="a site came twice"):
        Collector(SESSION, COUNTS, 2, [*keys, keys[0]], graph, 3)
    with pytest.raises(MaskingError, match="keys came from z, not in the roster"):
        Collector(SESSION, COUNTS, 2, [replace(keys[0], site="z")], graph, 3)
    with pytest.raises(MaskingError, match="has 3 bytes"):
        Collector(SESSION, COUNTS, 2, [replace(keys[0], masking=b"123")], graph, 3)
    with pytest.raises(MaskingError, match="at least one cell, not 0"):
        Collector(SESSION, COUNTS, 0, keys, graph, 3)
    with pytest.raises(MaskingError, match="'z' sent no keys"):
        Round().peers("z")


def test_seals_that_do_not_belong_are_refused() -> None:
    def refused(what: str, change: int, **field: object) -> None:
        played = Round()
        sealed = [one for name in "abcd" for one in played.sites[name].share(played.peers(name), 3)]
        sealed[change] = replace(sealed[change], **field)
        with pytest.raises(MaskingError, match=what):
            played.hub.route(sealed)

    refused("'z' sent no keys", 0, sender="z")
    refused("'a' sealed for 'a', no peer of it", 0, receiver="a")
    refused("'a' sealed for 'c' twice", 0, receiver="c")
    refused("'a' sealed 3 bytes for 'b', expected 82", 0, data=b"123")


def test_a_site_that_seals_for_some_peers_only_is_refused() -> None:
    played = Round()
    sealed = [one for name in "abcd" for one in played.sites[name].share(played.peers(name), 3)]
    with pytest.raises(MaskingError, match="'a' sealed nothing for its peers b, c"):
        played.hub.route(sealed[2:])


def test_seals_are_passed_on_once_and_to_those_that_shared() -> None:
    played = Round().shared(without="b")
    assert {name: [one.sender for one in seals] for name, seals in played.routed.items()} == {
        "a": ["c", "d"],
        "c": ["a", "d"],
        "d": ["a", "c"],
    }
    with pytest.raises(MaskingError, match="passed on already"):
        played.hub.route(())


def test_too_few_that_share_end_the_round() -> None:
    with pytest.raises(TooFew, match="around 'a', 2 of 4 sites shared; the threshold is 3"):
        Round().shared(without="cd")
    with pytest.raises(TooFew, match="no site shared"):
        Round().shared(without="abcd")


def test_vectors_that_do_not_belong_are_refused() -> None:
    played = Round(5)
    with pytest.raises(MaskingError, match="'a', which did not share"):
        played.hub.masked("a", bytes(8))
    played.shared(without="b")
    played.hub.masked("a", played.vector("a"))
    with pytest.raises(MaskingError, match="a second vector came from 'a'"):
        played.hub.masked("a", bytes(8))
    with pytest.raises(MaskingError, match="'b', which did not share"):
        played.hub.masked("b", bytes(8))
    with pytest.raises(MaskingError, match="has 7 bytes, expected 8"):
        played.hub.masked("c", bytes(7))


def test_a_vector_that_comes_too_late_is_refused() -> None:
    played = Round().shared().masked(without="d")
    played.hub.what_to_reveal()
    with pytest.raises(MaskingError, match="vector of 'd' came too late: it counts as lost"):
        played.hub.masked("d", played.vector("d"))
    played.revealed()
    assert played.hub.open().tolist() == played.plain(without="d")


def test_too_few_vectors_and_nothing_is_asked_or_revealed() -> None:
    played = Round().shared().masked(without="cd")
    with pytest.raises(TooFew, match="around 'a', 2 of 4 sites sent a vector"):
        played.hub.what_to_reveal()
    assert played.hub.what_to_reveal() == {}
    with pytest.raises(MaskingError, match="was not asked"):
        played.hub.revealed(Revealed("a", {}, {}))
    with pytest.raises(TooFew, match="no site has been asked"):
        played.hub.open()
    with pytest.raises(MaskingError, match="too late"):
        played.hub.masked("c", played.vector("c"))


def test_no_vector_at_all() -> None:
    with pytest.raises(TooFew, match="no site sent its vector"):
        Round().shared().hub.what_to_reveal()


def test_a_lost_site_whose_key_too_few_can_rebuild_ends_the_round() -> None:
    """Around each site that is there enough are left, and of the neighbours of `a` too few."""
    played = Round(20, degree=10)
    near = {site: {site, *others} for site, others in played.graph.items()}
    lost = next(
        gone
        for three in itertools.combinations(played.graph["a"], 3)
        if all(
            len(near[site] - (gone := {"a", *three})) >= played.threshold
            for site in set(played.names) - {"a", *three}
        )
    )
    assert len(near["a"] - lost) < played.threshold
    played.shared().masked(without=lost)
    with pytest.raises(TooFew, match="around 'a', 7 of 11 sites can give shares of it"):
        played.hub.what_to_reveal()
    assert played.hub.what_to_reveal() == {}


def test_each_is_asked_of_its_neighbourhood_alone() -> None:
    played = Round(9, degree=4, threshold=4).shared().masked(without="a")
    for name, wanted in played.hub.what_to_reveal().items():
        near = {name, *played.graph[name]}
        assert set(wanted.alive) == near - {"a"}
        assert set(wanted.dropped) == near & {"a"}
    assert "a" not in played.hub.what_to_reveal()


def test_shares_that_were_not_asked_for_are_refused() -> None:
    played = Round().shared().masked(without="d")
    wanted = played.hub.what_to_reveal()["a"]
    given = played.sites["a"].reveal(wanted.alive, wanted.dropped)
    share = given.self_shares["b"]
    for bad, what in (
        (replace(given, key_shares={}), "masking keys of nobody, asked were those of 'd'"),
        (replace(given, key_shares={"d": share, "b": share}), "masking keys of 'b', 'd'"),
        (replace(given, self_shares={"a": share}), "self seeds of 'a', asked were"),
        (replace(given, self_shares=given.self_shares | {"d": share}), "self seeds of"),
        (replace(given, site="d"), "came from 'd', which was not asked"),
        (replace(given, site="z"), "came from 'z', which was not asked"),
        (replace(given, key_shares={"d": b"short"}), "5 bytes are not a share"),
    ):
        with pytest.raises(MaskingError, match=what):
            played.hub.revealed(bad)
    played.hub.revealed(given)
    with pytest.raises(MaskingError, match="from 'a' a second time"):
        played.hub.revealed(given)


def test_one_share_too_few_and_no_sum_is_opened() -> None:
    played = Round().shared().masked().revealed(without="cd")
    with pytest.raises(TooFew, match="2 shares of a secret of 'a' came; the threshold is 3"):
        played.hub.open()


def test_the_shares_of_a_masking_key_must_give_the_key_that_was_announced() -> None:
    played = Round().shared().masked(without="d")
    for name, wanted in played.hub.what_to_reveal().items():
        given = played.sites[name].reveal(wanted.alive, wanted.dropped)
        if name == "b":
            wrong = bytearray(given.key_shares["d"])
            wrong[-1] ^= 1
            given = replace(given, key_shares={"d": bytes(wrong)})
        played.hub.revealed(given)
    with pytest.raises(MaskingError, match=r"'d' give another key|do not belong together"):
        played.hub.open()


def test_a_sum_can_be_opened_again() -> None:
    played = Round().shared().masked().revealed()
    assert played.hub.open().tolist() == played.hub.open().tolist()
