"""What the bytes of a masked run tell whoever sees them all: no more than the totals.

The same patients are dealt out to the same sites in two ways, so that the totals are alike and the
sites are not. Under `secure-sum` the client gets the same result, and the aggregator the same
messages but for keys, seals, masked cells and shares, which are of the same length and look like
chance. Under `exact` the same tests find the difference, so they can fail.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pytest

from simulator.aggregates.table import Table
from simulator.engines.local import LocalWire
from simulator.hub.client import Client, Settings
from simulator.hub.result import StudyResult
from simulator.language.reading import parse_study
from simulator.messages.codec import decode_answer, decode_request, encode, encode_cells
from simulator.messages.masked import (
    KeysAnswer,
    KeysRequest,
    MaskedAnswer,
    MaskedRequest,
    RevealAnswer,
    SharesAnswer,
    SharesRequest,
)
from simulator.messages.needs import AttritionNeed, layout_of
from simulator.messages.protocol import Answer, Request
from simulator.messages.requests import (
    CatalogueAnswer,
    ReleaseTerms,
    RoundAnswer,
    RoundRequest,
    roster_hash,
)
from simulator.network import make_node
from simulator.privacy.masking.wire import PublicKeys, Revealed, Sealed
from simulator.privacy.releases import EXACT, SECURE_SUM, Release
from simulator.privacy.sources import keyed_source
from simulator.site.masking import MaskedRound
from simulator.site.pool import StorePool
from tests.journeys.copies import now
from tests.support.omop import write_omop
from tests.support.records import record, rows
from tests.support.traffic import Tap

SITES: Final = ("north", "east", "south")
POLICY: Final = """\
policy: bytes
version: 1
releases: [secure-sum]
masked only: true
finest time bin: month
least persons: 10
least roster: 3
network threshold: 11
"""
STUDY: Final = parse_study("""
study: bytes
version: 1
title: the same patients at other sites
codes: {embolization: [CPT4 37243], tumour: [ICD10CM C50 with descendants], drug: [RxNorm 3639]}
index: {procedure: embolization, occurrence: first}
steps:
  - step: a tumour before
    require: {condition: tumour, days: any to 0}
arms:
  drug: {drug: drug, days: -90 to -1}
  no drug: {none: [{drug: drug, days: -90 to -1}]}
outcome: death
follow up: {months: 24}
analyses: {survival at months: [12]}
""")

# Every site has these, in both ways: its catalogue then is the same.
EVERYWHERE: Final = (
    "index on 0, tumour on -9, chemo on -3, watched -60 to 900, dead on 100",
    "index on 700, tumour on 700, chemo on 699, watched 0 to 900, dead on 800",
    *[f"index on {20 * place}, tumour on -5, watched -60 to 900" for place in range(12)],
)
KINDS: Final = (
    "index on 100, tumour on 90, chemo on 80, watched -60 to 900, dead on 150",
    "index on 200, tumour on 90, watched -60 to 900, dead on 600",
    "index on 300, watched -60 to 900",  # no tumour: falls at the first step
)
EACH: Final = 15
# Of each kind EACH: a kind to each site, or a third of each kind to each.
APART: Final = tuple((kind,) * EACH for kind in KINDS)
MIXED: Final = tuple(KINDS * (EACH // 3) for _ in SITES)


def built(home: Path, dealt: Sequence[Sequence[str]]) -> dict[str, Path]:
    """A folder for each site, with the patients dealt out to it."""
    found = {}
    for place, (site, own) in enumerate(zip(SITES, dealt, strict=True)):
        drawn = enumerate(map(record, (*EVERYWHERE, *own)), start=1 + 1000 * place)
        found[site] = write_omop(home / site, rows(drawn))
        (home / site / "policy.yaml").write_text(POLICY)
    return found


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Path], dict[str, Path]]:
    home = tmp_path_factory.mktemp("dealt")
    return built(home / "apart", APART), built(home / "mixed", MIXED)


def ran(folders: dict[str, Path], release: Release) -> tuple[StudyResult, Tap]:
    """The result of a run, and all that crossed the wire."""
    stores = StorePool()
    laboratory = release.laboratory_only
    nodes = {
        site: make_node(folder, stores, now, laboratory=laboratory)
        for site, folder in folders.items()
    }
    tap = Tap(LocalWire(nodes, 1))
    settings = Settings(
        "bytes", SITES, conditioned=False, laboratory=laboratory, engine="local", fingerprints={}
    )
    client = Client(tap, settings, seconds=60.0, clock=now)
    result = client.run(STUDY, release, run="bytes").result
    stores.close()
    return result, tap


Pair = tuple[tuple[StudyResult, Tap], tuple[StudyResult, Tap]]


@pytest.fixture(scope="module")
def masked(networks: tuple[dict[str, Path], dict[str, Path]]) -> Pair:
    return ran(networks[0], SECURE_SUM), ran(networks[1], SECURE_SUM)


@pytest.fixture(scope="module")
def clear(networks: tuple[dict[str, Path], dict[str, Path]]) -> Pair:
    return ran(networks[0], EXACT), ran(networks[1], EXACT)


# What is left of a message when all that is to look like chance is taken for its length


def _keys(keys: PublicKeys) -> PublicKeys:
    return PublicKeys(keys.site, bytes(len(keys.sealing)), bytes(len(keys.masking)))


def _seals(sealed: tuple[Sealed, ...]) -> tuple[Sealed, ...]:
    return tuple(Sealed(one.sender, one.receiver, bytes(len(one.data))) for one in sealed)


def _shares(shares: dict[str, bytes]) -> dict[str, bytes]:
    return {site: bytes(len(share)) for site, share in shares.items()}


def told_by(answer: Answer) -> Answer:
    """An answer without its chance; a cell in the clear is none."""
    replace = msgspec.structs.replace
    match answer:
        case KeysAnswer():
            return replace(answer, keys=_keys(answer.keys))
        case SharesAnswer():
            return replace(answer, sealed=_seals(answer.sealed))
        case MaskedAnswer():
            return replace(answer, cells=bytes(len(answer.cells)))
        case RevealAnswer(revealed=Revealed(site, own, keys)):
            return replace(answer, revealed=Revealed(site, _shares(own), _shares(keys)))
        case _:
            return answer


def asked_by(request: Request) -> Request:
    """A request without the chance that it passes on."""
    match request:
        case SharesRequest():
            return msgspec.structs.replace(request, peers=tuple(map(_keys, request.peers)))
        case MaskedRequest():
            return msgspec.structs.replace(request, sealed=_seals(request.sealed))
        case _:
            return request


def seen(tap: Tap) -> list[tuple[str, Answer]]:
    """What the aggregator can tell of the answers, but for what looks like chance."""
    return sorted(
        ((site, told_by(decode_answer(data))) for site, data in tap.received),
        key=lambda one: (one[0], type(one[1]).__name__),
    )


def lengths(tap: Tap) -> list[tuple[str, int]]:
    return sorted((site, len(data)) for site, data in (*tap.sent, *tap.received))


def test_the_two_ways_differ_at_every_site() -> None:
    assert sorted(sum(APART, ())) == sorted(sum(MIXED, ()))
    for one, other in zip(APART, MIXED, strict=True):
        assert sorted(one) != sorted(other)
        assert len(one) == len(other)


@pytest.mark.parametrize("pair", ["masked", "clear"])
def test_equal_totals_give_the_same_result(request: pytest.FixtureRequest, pair: str) -> None:
    (one, _), (other, _) = request.getfixturevalue(pair)
    patients = 3 * len(EVERYWHERE) + 2 * EACH
    assert one.cohort.patients == patients
    assert one == other
    assert one.fingerprint == other.fingerprint


def test_masked_the_aggregator_sees_the_same(masked: Pair) -> None:
    (_, one), (_, other) = masked
    assert {type(answer) for _, answer in seen(one)} == {
        *(CatalogueAnswer, KeysAnswer, SharesAnswer, MaskedAnswer, RevealAnswer)
    }
    assert seen(one) == seen(other)


def test_masked_the_sites_are_asked_the_same(masked: Pair) -> None:
    asked = [
        [(site, asked_by(decode_request(data))) for site, data in tap.sent] for _, tap in masked
    ]
    assert asked[0] == asked[1]


def test_masked_every_message_is_as_long(masked: Pair) -> None:
    (_, one), (_, other) = masked
    assert lengths(one) == lengths(other)


def test_what_was_left_out_differs_even_between_runs_of_one_network(
    networks: tuple[dict[str, Path], dict[str, Path]], masked: Pair
) -> None:
    """Keys, seals, masked cells and shares are new each time."""
    again = ran(networks[0], SECURE_SUM)[1]
    steps = KeysAnswer | SharesAnswer | MaskedAnswer | RevealAnswer
    first, second = (
        {data for _, data in tap.received if isinstance(decode_answer(data), steps)}
        for tap in (masked[0][1], again)
    )
    assert len(first) == len(second) == 4 * len(SITES)
    assert first.isdisjoint(second)


def test_in_the_clear_the_aggregator_sees_each_site(clear: Pair) -> None:
    """The same look at the same messages: here it tells the two ways apart, at every site."""
    (_, one), (_, other) = clear
    assert seen(one) != seen(other)
    for site in SITES:
        told = [
            next(answer for name, answer in seen(tap) if name == site and _is_round(answer))
            for tap in (one, other)
        ]
        assert told[0] != told[1]


def _is_round(answer: Answer) -> bool:
    return isinstance(answer, RoundAnswer)


def test_in_the_clear_only_the_cells_differ(clear: Pair) -> None:
    """What tells the two ways apart is what the sites hold, not their catalogues or lengths."""
    (_, one), (_, other) = clear
    assert [told for told in seen(one) if not _is_round(told[1])] == [
        told for told in seen(other) if not _is_round(told[1])
    ]
    assert lengths(one) == lengths(other)


# Masked cells look like chance


LAYOUT: Final = layout_of(AttritionNeed(), STUDY.question)
TABLE: Final = Table.from_flat(LAYOUT, np.array([29, 24, 24], dtype=np.int64))
# A right test is failed by chance once in a million times; seeds are fixed, so it is or it is not.
LEAST_P: Final = 1e-6
# So that each of 256 values is expected five times at each place.
ENOUGH: Final = 5 * 256


def masked_cells(seed: int) -> bytes:
    """What one site sends of the same table, in a round with two others, under a seed."""
    asked = RoundRequest(
        *("run", 1, roster_hash(SITES), 3, ReleaseTerms("secure-sum", 1, 11)),
        STUDY.question,
        (AttritionNeed(),),
    )
    sites = {
        site: MaskedRound(
            site, KeysRequest(asked, 32), 3, 100, keyed_source(str(seed).encode(), site)
        )
        for site in SITES
    }
    keys = {site: this.keys() for site, this in sites.items()}
    seals: list[Sealed] = []
    for site, this in sites.items():
        peers = tuple(keys[peer] for peer in SITES if peer != site)
        seals += this.share(SharesRequest("run", 1, SITES, peers, 3))
    own = tuple(one for one in seals if one.receiver == "north")
    return sites["north"].mask(MaskedRequest("run", 1, own), (TABLE,))


def chances(samples: Sequence[bytes]) -> tuple[float, float]:
    """Pearson's chi-squared test of the bytes against uniform ones.

    Returns:
        p over all bytes, and the least p over the places in the vector, times their number.
    """
    from scipy.stats import chisquare

    values = np.frombuffer(b"".join(samples), np.uint8).reshape(len(samples), -1)
    by_place = [float(chisquare(np.bincount(place, minlength=256)).pvalue) for place in values.T]
    whole = float(chisquare(np.bincount(values.ravel(), minlength=256)).pvalue)
    return whole, min(1.0, min(by_place) * len(by_place))


def uniform(samples: Sequence[bytes]) -> bool:
    return min(chances(samples)) > LEAST_P


def test_masked_cells_look_like_chance() -> None:
    samples = [masked_cells(seed) for seed in range(ENOUGH)]
    assert {len(sample) for sample in samples} == {4 * LAYOUT.cells}
    assert uniform(samples)
    _differ_everywhere(samples)


@pytest.mark.laws
def test_masked_cells_look_like_chance_at_length() -> None:
    samples = [masked_cells(seed) for seed in range(10_000)]
    assert uniform(samples)
    _differ_everywhere(samples)


def _differ_everywhere(samples: Sequence[bytes]) -> None:
    assert len(set(samples)) == len(samples)


def test_cells_in_the_clear_do_not() -> None:
    """The same test, of what the same site says under `exact`, which is the same each time."""
    samples = [encode_cells(TABLE.flat())] * ENOUGH
    assert not uniform(samples)
    assert max(chances(samples)) < 1e-100


def test_cells_with_a_mask_that_is_too_small_do_not() -> None:
    """Masks of three bytes of four, as if the ring were smaller than its cells."""
    chance = np.random.default_rng(1)
    cells = TABLE.flat()
    samples = [
        (cells + chance.integers(0, 1 << 24, LAYOUT.cells)).astype("<u4").tobytes()
        for _ in range(ENOUGH)
    ]
    assert not uniform(samples)


def test_nothing_but_bytes_was_left_out() -> None:
    """Every field of every answer that is not chance is compared."""
    keys = PublicKeys("a", b"1" * 32, b"2" * 32)
    for one, other in (
        (KeysAnswer("a", "r", 1, keys), KeysAnswer("a", "r", 1, PublicKeys("b", b"", b""))),
        (SharesAnswer("a", "r", 1, (Sealed("a", "b", b"12"),)), SharesAnswer("a", "r", 1, ())),
        (MaskedAnswer("a", "r", 1, b"1234"), MaskedAnswer("a", "r", 1, b"12345678")),
        (
            RevealAnswer("a", "r", 1, Revealed("a", {"a": b"1"}, {})),
            RevealAnswer("a", "r", 1, Revealed("a", {}, {"a": b"1"})),
        ),
    ):
        assert told_by(one) != told_by(other)
        assert len(encode(told_by(one))) == len(encode(one))
