"""What holds for every masked round: the sum is the plain sum, or there is none; and masks hide.

Each law is a plain function. All laws run on a few rounds; with `-m laws` they run on many.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import chi2

from simulator.privacy.masking import additive, shares
from simulator.privacy.masking.aloud import Stage, play
from simulator.privacy.masking.collector import Collector
from simulator.privacy.masking.errors import TooFew
from simulator.privacy.masking.graph import least_threshold, neighbours
from simulator.privacy.masking.participant import Participant
from simulator.privacy.masking.ring import Ring
from simulator.privacy.sources import keyed_source

Drops = Mapping[str, Stage]
Graph = Mapping[str, Sequence[str]]
NAMES = tuple("abcdefghijklmnopqrstuvwxyz")
EXAMPLES = int(os.environ.get("EXAMPLES", "2000"))
SESSION = b"laws"


def can_be_opened(graph: Graph, threshold: int, drop: Drops) -> bool:
    """Whether enough are left around every site, from the definition of the protocol."""

    def left(stage: Stage) -> set[str]:
        """Those that sent the message of a stage."""
        return {site for site in graph if drop.get(site, stage + 1) > stage}

    shared, masked, revealed = left(Stage.SHARES), left(Stage.VECTOR), left(Stage.REVEAL)
    lost = [site for site in shared - masked if masked & set(graph[site])]
    return (
        bool(masked)
        and all(len({site, *graph[site]} & shared) >= threshold for site in shared)
        and all(len({site, *graph[site]} & revealed) >= threshold for site in masked)
        and all(len(set(graph[site]) & revealed) >= threshold for site in lost)
    )


def hang_together(graph: Graph, sites: set[str]) -> bool:
    """Whether each can be reached from each; otherwise the sum of a part would be seen."""
    seen, ahead = set[str](), {min(sites)}
    while ahead:
        seen |= ahead
        ahead = {other for site in ahead for other in graph[site]} & sites - seen
    return seen == sites


def the_sum_is_the_plain_sum_or_there_is_none(
    vectors: Mapping[str, NDArray[np.int64]],
    degree: int,
    threshold: int,
    drop: Drops,
    ring: Ring,
) -> bool:
    """Returns whether there was a sum."""
    said: list[str] = []
    graph = neighbours(tuple(vectors), degree, SESSION)

    def run() -> list[int]:
        total = play(
            vectors,
            source=keyed_source(b"laws"),
            degree=degree,
            threshold=threshold,
            ring=ring,
            drop=drop,
            say=said.append,
            session=SESSION,
        )
        return [int(value) for value in total]

    if not can_be_opened(graph, threshold, drop):
        with pytest.raises(TooFew):
            run()
        assert not [one for one in said if one.startswith("Without the masks")]
        # Where it shows in time that too few are left, nobody was asked to reveal anything.
        if can_be_opened(graph, threshold, {k: v for k, v in drop.items() if v < Stage.REVEAL}):
            return False
        assert not [one for one in said if "gives its shares" in one]
        return False
    kept = [site for site in vectors if drop.get(site, 9) > Stage.VECTOR]
    cells = zip(*(vectors[site] for site in kept), strict=True)
    assert run() == [sum(int(value) for value in cell) for cell in cells]
    assert hang_together(graph, set(kept))
    return True


def every_pattern(count: int) -> tuple[int, int]:
    """All ways to lose sites: how many gave a sum, and how many there are."""
    vectors = {name: np.array([at, -(10**6) * at, 0]) for at, name in enumerate(NAMES[:count], 1)}
    opened = total = 0
    for pattern in itertools.product((None, *Stage), repeat=count):
        drop = {name: stage for name, stage in zip(NAMES, pattern, strict=False) if stage}
        for threshold in range(least_threshold(count - 1), count + 1):
            total += 1
            opened += the_sum_is_the_plain_sum_or_there_is_none(
                vectors, count - 1, threshold, drop, Ring(32)
            )
    return opened, total


def expected_patterns(count: int) -> int:
    """Of how many patterns a complete graph gives a sum: as many as the threshold reveal."""
    found = 0
    for threshold in range(least_threshold(count - 1), count + 1):
        for pattern in itertools.product((None, *Stage), repeat=count):
            staying = sum(stage is None for stage in pattern)
            # Those that stay hold shares of all, the lost ones' keys among them.
            found += staying >= threshold
    return found


def test_what_is_cut_in_two_does_not_hang_together() -> None:
    graph = neighbours(NAMES[:8], 2, SESSION)
    near = {"a", *graph["a"]}
    assert hang_together(graph, near)
    assert not hang_together(graph, near - {"a"})


@pytest.mark.parametrize("count", [3, pytest.param(4, marks=pytest.mark.laws)])
def test_every_way_to_lose_sites(count: int) -> None:
    opened, total = every_pattern(count)
    assert 0 < opened == expected_patterns(count) < total


@pytest.mark.laws
def test_every_way_to_lose_some_of_five() -> None:
    opened, total = every_pattern(5)
    assert 0 < opened == expected_patterns(5) < total


@st.composite
def rounds(
    draw: st.DrawFn,
) -> tuple[dict[str, NDArray[np.int64]], int, int, dict[str, Stage], Ring]:
    """Up to 14 sites in a complete or a thinner graph, of which some are lost."""
    count = draw(st.integers(3, 14))
    degree = draw(st.sampled_from([2, 4, 6, 8, count - 1]).filter(lambda one: one >= 2))
    ring = Ring(draw(st.sampled_from([32, 64])))
    most = ring.limit(count)
    names = NAMES[:count]
    cells = draw(st.integers(1, 4))
    numbers = st.lists(st.integers(-most, most), min_size=cells, max_size=cells)
    vectors = {name: np.array(draw(numbers), dtype=np.int64) for name in names}
    near = len(neighbours(names, degree, SESSION)["a"])
    threshold = draw(st.integers(least_threshold(near), near + 1))
    lost = draw(st.lists(st.sampled_from(names), max_size=4, unique=True))
    drop = {name: draw(st.sampled_from(Stage)) for name in lost}
    return vectors, degree, threshold, drop, ring


@settings(max_examples=40, deadline=None, derandomize=True)
@given(rounds())
def test_some_rounds(
    drawn: tuple[dict[str, NDArray[np.int64]], int, int, dict[str, Stage], Ring],
) -> None:
    the_sum_is_the_plain_sum_or_there_is_none(*drawn)


@pytest.mark.laws
@settings(max_examples=EXAMPLES, deadline=None)
@given(rounds())
def test_many_rounds(
    drawn: tuple[dict[str, NDArray[np.int64]], int, int, dict[str, Stage], Ring],
) -> None:
    the_sum_is_the_plain_sum_or_there_is_none(*drawn)


def uniform(draws: Sequence[bytes]) -> float:
    """The p-value of Pearson's test that each byte at each place is uniform, two-sided.

    One statistic over all places, of 255 degrees of freedom each; both too uneven and too even
    count against it.
    """
    table = np.array([list(draw) for draw in draws])
    expected = len(draws) / 256
    statistic = sum(
        float((((np.bincount(place, minlength=256) - expected) ** 2) / expected).sum())
        for place in table.T
    )
    law = chi2(255 * table.shape[1])
    return float(2 * min(law.cdf(statistic), law.sf(statistic)))


VECTOR = np.array([0, 418, -3])


def masked_once(seed: int) -> bytes:
    """What the aggregator sees of one of three sites."""
    names = NAMES[:3]
    sites = {name: Participant(name, SESSION, keyed_source(b"%d" % seed, name)) for name in names}
    keys = [site.keys() for site in sites.values()]
    graph = neighbours(names, 2, SESSION)
    hub = Collector(SESSION, Ring(32), len(VECTOR), keys, graph, 3)
    seals = [one for name in names for one in sites[name].share(hub.peers(name), 3)]
    return sites["a"].mask(hub.route(seals)["a"], VECTOR, Ring(32), 3)


def unmasked_once(seed: int) -> bytes:
    """The same vector without masks, some more people at each seed."""
    return Ring(32).to_bytes(Ring(32).encode(VECTOR + seed % 200, 3))


def shared_once(seed: int) -> bytes:
    """What one of two aggregators sees, the one that gets the vector less the random numbers."""
    return additive.split(VECTOR, Ring(32), 3, keyed_source(b"%d" % seed))[1]


def short_of_one(seed: int) -> bytes:
    """The shares that all but one of three holders have of a secret, without their first bytes.

    A number below the prime is in its first byte 0 but once in 2^248.
    """
    cut = shares.split(b"secret".ljust(32), 3, 3, keyed_source(b"%d" % seed))
    return b"".join(share[1:] for share in cut[:2])


HIDDEN: tuple[Callable[[int], bytes], ...] = (masked_once, shared_once, short_of_one)


@pytest.mark.parametrize("view", HIDDEN)
def test_a_hidden_vector_looks_like_chance(view: Callable[[int], bytes]) -> None:
    assert uniform([view(seed) for seed in range(600)]) > 1e-4


@pytest.mark.laws
@pytest.mark.parametrize("view", HIDDEN)
def test_a_hidden_vector_looks_like_chance_over_ten_thousand_seeds(
    view: Callable[[int], bytes],
) -> None:
    assert uniform([view(seed) for seed in range(10_000)]) > 1e-4


@pytest.mark.parametrize("seeds", [600, 10_000])
def test_a_vector_without_masks_does_not_look_like_chance(seeds: int) -> None:
    assert uniform([unmasked_once(seed) for seed in range(seeds)]) < 1e-12


def test_the_test_of_chance_finds_one_wrong_place() -> None:
    """A single byte in twelve that is never above 127."""
    source = keyed_source(b"laws")
    draws = [bytearray(source(12)) for _ in range(600)]
    assert uniform([bytes(draw) for draw in draws]) > 1e-4
    for draw in draws:
        draw[5] &= 127
    assert uniform([bytes(draw) for draw in draws]) < 1e-9
