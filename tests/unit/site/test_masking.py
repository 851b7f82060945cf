"""A site's part in a masked round: what it joins in, in which order, and what it never says."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pytest

from simulator.aggregates.table import Table
from simulator.messages.codec import decode_answer, decode_cells, encode
from simulator.messages.masked import (
    KeysAnswer,
    KeysRequest,
    MaskedAnswer,
    MaskedRequest,
    RevealAnswer,
    RevealRequest,
    SharesAnswer,
    SharesRequest,
)
from simulator.messages.needs import AttritionNeed, EntriesNeed, layout_of
from simulator.messages.protocol import Answer, Request
from simulator.messages.requests import (
    Apology,
    Refusal,
    ReleaseTerms,
    RoundAnswer,
    RoundRequest,
    Trouble,
    session_of,
)
from simulator.privacy.masking.collector import Collector
from simulator.privacy.masking.errors import MaskingError
from simulator.privacy.masking.graph import DEGREE, least_threshold, neighbours
from simulator.privacy.masking.ring import Ring
from simulator.privacy.masking.wire import PublicKeys, Sealed
from simulator.privacy.release import Noise
from simulator.site.catalogue import read_catalogue
from simulator.site.chance import seeded_chance
from simulator.site.ledger import Entry, FreshLedger, LedgerError, Objector
from simulator.site.masking import MaskedRound
from simulator.site.node import Node
from simulator.site.policy import LABORATORY
from simulator.site.pool import StorePool
from simulator.site.store import DATABASE
from tests.support.masks import MaskedSite
from tests.unit.site.doors import (
    NEEDS,
    NOON,
    OPEN,
    ROSTER,
    STANDARD,
    Clock,
    CountingPool,
    clear,
    make_node,
    request,
    told,
    write_site,
)

THRESHOLD: Final = 3  # of three sites, all


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(tmp_path_factory.mktemp("network") / "north")


def ask(node: Node, message: Request) -> Answer:
    return decode_answer(node.handle(encode(message), 60.0))


def nothing(asked: RoundRequest) -> tuple[Table, ...]:
    """What the other two sites hold."""
    return tuple(Table.zero(layout_of(need, asked.question)) for need in asked.needs)


class Hub:
    """An aggregator that asks one node, with two other sites that hold nobody."""

    def __init__(self, node: Node, asked: RoundRequest | None = None) -> None:
        self.node = node
        self.asked = asked or request()
        self.name = self.asked.run, self.asked.round
        self.begin = KeysRequest(self.asked, 32)
        self._others = {site: MaskedSite(site) for site in ROSTER[1:]}
        self.keys: dict[str, PublicKeys] = {}
        self.seals: tuple[Sealed, ...] = ()
        self._near = neighbours(ROSTER, 20, b"")

    def ask_keys(self) -> Answer:
        for site, other in self._others.items():
            answer = decode_answer(other.answer(self.begin, nothing))
            assert isinstance(answer, KeysAnswer)
            self.keys[site] = answer.keys
        answer = ask(self.node, self.begin)
        if isinstance(answer, KeysAnswer):
            self.keys["north"] = answer.keys
        return answer

    def shares(self, site: str = "north") -> SharesRequest:
        peers = tuple(self.keys[peer] for peer in self._near[site])
        return SharesRequest(*self.name, ROSTER, peers, THRESHOLD)

    def ask_shares(self) -> Answer:
        seals: list[Sealed] = []
        for site, other in self._others.items():
            answer = decode_answer(other.answer(self.shares(site), nothing))
            assert isinstance(answer, SharesAnswer)
            seals += answer.sealed
        answer = ask(self.node, self.shares())
        if isinstance(answer, SharesAnswer):
            seals += answer.sealed
        self.seals = tuple(seals)
        return answer

    def masked(self, site: str = "north") -> MaskedRequest:
        return MaskedRequest(*self.name, tuple(one for one in self.seals if one.receiver == site))

    def ask_masked(self) -> Answer:
        return ask(self.node, self.masked())

    def reveal(self) -> RevealRequest:
        return RevealRequest(*self.name, tuple(sorted(ROSTER)), ())

    def ask_reveal(self) -> Answer:
        return ask(self.node, self.reveal())

    def to(self, step: str) -> Hub:
        """Plays all steps before this one."""
        for name in ("keys", "shares", "masked", "reveal"):
            if name == step:
                return self
            answer = getattr(self, f"ask_{name}")()
            assert not isinstance(answer, Refusal | Apology), answer
        return self

    def total(self) -> list[int]:
        """The sum of the three sites, opened as the aggregator does."""
        self.to("masked")
        ring = Ring(32)
        cells = sum(layout_of(need, self.asked.question).cells for need in self.asked.needs)
        keys = [self.keys[site] for site in ROSTER]
        collector = Collector(session_of(self.asked), ring, cells, keys, self._near, THRESHOLD)
        routed = collector.route(self.seals)
        for site in ROSTER:
            message = MaskedRequest(*self.name, routed[site])
            answer = self._of(site, message)
            assert isinstance(answer, MaskedAnswer), answer
            collector.masked(site, answer.cells)
        for site, wanted in collector.what_to_reveal().items():
            answer = self._of(site, RevealRequest(*self.name, wanted.alive, wanted.dropped))
            assert isinstance(answer, RevealAnswer), answer
            collector.revealed(answer.revealed)
        found: list[int] = collector.open().tolist()
        return found

    def _of(self, site: str, message: MaskedRequest | RevealRequest) -> Answer:
        if site == "north":
            return ask(self.node, message)
        return decode_answer(self._others[site].answer(message, nothing))


def strict(folder: Path, **given: object) -> Node:
    """A node under the policy that sites are shipped with."""
    return make_node(folder, policy=STANDARD, **given)  # type: ignore[arg-type]  # passed on


def in_the_clear(folder: Path) -> list[int]:
    answer = told(make_node(folder, policy=OPEN), clear())
    assert isinstance(answer, RoundAnswer)
    found: list[int] = []
    for need, data in zip(NEEDS, answer.cells, strict=True):
        found += decode_cells(data, layout_of(need, clear().question).cells).tolist()
    return found


# The whole round


def test_the_sum_is_what_the_site_says_in_the_clear(folder: Path) -> None:
    total = Hub(strict(folder)).total()
    assert total == in_the_clear(folder)
    assert sum(total) > 0


def test_every_step_is_written_down(folder: Path) -> None:
    ledger = FreshLedger()
    Hub(strict(folder, ledger=ledger)).total()
    assert [entry.step for entry in ledger.entries] == ["keys", "shares", "masked", "reveal"]
    for entry in ledger.entries:
        assert (entry.answered, entry.run, entry.release) == (True, "run", "secure-sum")
        assert entry.request == ledger.entries[0].request


class BrokenAt(FreshLedger):
    """Cannot be written once so many entries stand in it."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def append(self, entry: Entry, unless: Objector | None = None) -> str | None:
        if len(self.entries) >= self._number:
            raise LedgerError("no room")
        return super().append(entry, unless)


@pytest.mark.parametrize(
    ("number", "step"), [(0, "keys"), (1, "shares"), (2, "masked"), (3, "reveal")]
)
def test_nothing_is_said_before_it_is_written_down(folder: Path, number: int, step: str) -> None:
    ledger = BrokenAt(number)
    hub = Hub(strict(folder, ledger=ledger)).to(step)
    assert getattr(hub, f"ask_{step}")() == Apology("north", Trouble.LEDGER)
    assert len(ledger.entries) == number


def test_the_database_is_looked_at_in_the_third_step_alone(folder: Path) -> None:
    stores = CountingPool()
    hub = Hub(strict(folder, stores=stores)).to("masked")
    assert stores.lent == 0
    hub.ask_masked()
    hub.ask_reveal()
    assert stores.lent == 1


def test_masks_are_new_in_every_run(folder: Path) -> None:
    node = strict(folder)
    answers = []
    for run in ("one", "two"):
        answer = Hub(node, request(run=run)).to("masked").ask_masked()
        assert isinstance(answer, MaskedAnswer)
        answers.append(answer.cells)
    one, other = (np.frombuffer(cells, "<u4") for cells in answers)
    assert (one != other).mean() > 0.9


def test_a_database_that_is_gone_costs_the_third_step(tmp_path: Path) -> None:
    ledger = FreshLedger()
    place = write_site(tmp_path / "north")
    hub = Hub(strict(place, ledger=ledger)).to("masked")
    (place / DATABASE).unlink()
    assert hub.ask_masked() == Apology("north", Trouble.DATABASE)
    assert [entry.answered for entry in ledger.entries] == [True, True, False]


# In the clear, or masked


def test_a_masked_release_is_not_answered_in_the_clear(folder: Path) -> None:
    stores = CountingPool()
    answer = told(make_node(folder, policy=OPEN, stores=stores), request())
    assert answer == Refusal("north", "the release 'secure-sum' is answered masked")
    assert stores.lent == 0


def test_a_release_in_the_clear_is_not_answered_masked(folder: Path) -> None:
    stores = CountingPool()
    node = make_node(folder, policy=OPEN, stores=stores)
    answer = ask(node, KeysRequest(clear(), 32))
    assert answer == Refusal("north", "the release 'exact' is answered in the clear")
    assert stores.lent == 0


def test_the_policy_is_asked_before_any_key_is_made(folder: Path) -> None:
    ledger = FreshLedger()
    node = strict(folder, ledger=ledger)
    asked = request(roster=("north", "east"))
    reason = "its policy asks for at least 3 sites in a run; the request names 2"
    assert ask(node, KeysRequest(asked, 32)) == Refusal("north", reason)
    assert [(entry.step, entry.answered) for entry in ledger.entries] == [("", False)]


@pytest.mark.parametrize("bits", [0, 16, 31, 128, -32])
def test_there_are_two_rings(folder: Path, bits: int) -> None:
    answer = ask(strict(folder), KeysRequest(request(), bits))
    assert answer == Refusal("north", f"a ring of 32 or 64 bits was expected; got {bits}")


# A roster that lies


def _keys(site: str) -> PublicKeys:
    return PublicKeys(site, os.urandom(32), os.urandom(32))


Changed = Callable[[SharesRequest], SharesRequest]


def changed(**fields: object) -> Changed:
    return lambda asked: msgspec.structs.replace(asked, **fields)


def with_peers(change: Callable[[tuple[PublicKeys, ...]], tuple[PublicKeys, ...]]) -> Changed:
    return lambda asked: msgspec.structs.replace(asked, peers=change(asked.peers))


LIES: Final[dict[str, tuple[Changed, str]]] = {
    "too short": (
        changed(sites=ROSTER[:2]),
        "2 sites are in the roster; 3 are needed",
    ),
    "longer than announced": (
        changed(sites=(*ROSTER, "west")),
        "the roster is longer than it was announced",
    ),
    "without the site": (
        changed(sites=("east", "south", "west")),
        "the roster names a site twice, or not this one",
    ),
    "as long as announced, and another": (
        changed(sites=("north", "east", "west")),
        "the roster is not the one that was announced",
    ),
    "in another order": (
        changed(sites=ROSTER[::-1]),
        "the roster is not the one that was announced",
    ),
    "a name twice": (
        changed(sites=(*ROSTER, "east")),
        "the roster names a site twice, or not this one",
    ),
    "a neighbour outside": (
        with_peers(lambda peers: (peers[0], _keys("west"))),
        "its neighbours are not those that the round gives it",
    ),
    "too few neighbours": (
        with_peers(lambda peers: peers[:1]),
        "its neighbours are not those that the round gives it",
    ),
    "no neighbours": (
        with_peers(lambda _: ()),
        "its neighbours are not those that the round gives it",
    ),
    "itself as a neighbour": (
        with_peers(lambda peers: (*peers, _keys("north"))),
        "its neighbours are not those that the round gives it",
    ),
    "a neighbour twice": (
        with_peers(lambda peers: (peers[0], peers[0])),
        "its neighbours are not those that the round gives it",
    ),
    "the same key for two": (
        with_peers(
            lambda peers: (peers[0], PublicKeys("south", peers[0].sealing, peers[0].masking))
        ),
        "site 'north' was told the same key for two uses or sites",
    ),
    "a key that shares nothing": (
        with_peers(lambda peers: (peers[0], PublicKeys("south", bytes(32), os.urandom(32)))),
        "not a usable public key",
    ),
    "a threshold of 2": (changed(threshold=2), "the threshold at 'north' is 2; with 2 peers"),
    "a threshold of 0": (changed(threshold=0), "the threshold at 'north' is 0; with 2 peers"),
    "a threshold of 4": (changed(threshold=4), "are fewer than the threshold, 4"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_roster_that_lies_is_refused(folder: Path, lie: str) -> None:
    change, reason = LIES[lie]
    stores, ledger = CountingPool(), FreshLedger()
    hub = Hub(strict(folder, stores=stores, ledger=ledger)).to("shares")
    answer = ask(hub.node, change(hub.shares()))
    assert isinstance(answer, Refusal)
    assert reason in answer.reason
    assert [entry.answered for entry in ledger.entries] == [True, False]
    assert ledger.entries[-1].reason == answer.reason
    assert stores.lent == 0


# Order, and repetition


@pytest.mark.parametrize("step", ["shares", "masked", "reveal"])
def test_a_step_of_a_round_that_never_began_is_not_understood(folder: Path, step: str) -> None:
    honest = Hub(strict(folder)).to("reveal")
    stores, ledger = CountingPool(), FreshLedger()
    node = strict(folder, stores=stores, ledger=ledger)
    assert ask(node, getattr(honest, step)()) == Apology("north", Trouble.REQUEST)
    assert (stores.lent, ledger.entries) == (0, [])


@pytest.mark.parametrize(
    ("done", "asked"),
    [("shares", "masked"), ("shares", "reveal"), ("masked", "reveal")],
)
def test_no_step_is_skipped(folder: Path, done: str, asked: str) -> None:
    ledger = FreshLedger()
    hub = Hub(strict(folder, ledger=ledger)).to(done)
    answer = ask(hub.node, getattr(hub, asked)())
    assert isinstance(answer, Refusal)
    assert "comes next" in answer.reason
    assert not ledger.entries[-1].answered


STEPS: Final = ("keys", "shares", "masked", "reveal")


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_comes_twice_gets_the_same_reply(folder: Path, step: str) -> None:
    stores, ledger = CountingPool(), FreshLedger()
    hub = Hub(strict(folder, stores=stores, ledger=ledger)).to(step)
    message = hub.begin if step == "keys" else getattr(hub, step)()
    first = hub.node.handle(encode(message), 60.0)
    assert not isinstance(decode_answer(first), Refusal | Apology)
    lent = stores.lent
    assert hub.node.handle(encode(message), 60.0) == first
    assert stores.lent == lent
    assert [entry.repeated for entry in ledger.entries[-2:]] == [False, True]


@pytest.mark.parametrize("step", STEPS[:3])
def test_an_earlier_step_that_comes_again_gets_its_own_reply(folder: Path, step: str) -> None:
    hub = Hub(strict(folder)).to(step)
    message = hub.begin if step == "keys" else getattr(hub, step)()
    first = hub.node.handle(encode(message), 60.0)
    after = Hub.to(hub, "reveal") if step == "keys" else hub
    assert after.node.handle(encode(message), 60.0) == first


def test_shares_are_made_for_one_roster(folder: Path) -> None:
    """For two they would give a seed away: half of its shares by one, half by the other."""
    hub = Hub(strict(folder)).to("masked")
    other = msgspec.structs.replace(hub.shares(), peers=hub.shares().peers[::-1])
    answer = ask(hub.node, other)
    assert isinstance(answer, Refusal)
    assert "'mask' comes next" in answer.reason


def test_cells_are_masked_once(folder: Path) -> None:
    """Masked for other neighbours, two vectors would show their difference."""
    hub = Hub(strict(folder)).to("reveal")
    for sealed in (hub.masked().sealed[::-1], hub.masked().sealed[:1], ()):
        answer = ask(hub.node, MaskedRequest(*hub.name, sealed))
        assert isinstance(answer, Refusal)
        assert "'reveal' comes next" in answer.reason


REVEALS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...], str]]] = {
    "both lists": (ROSTER, ("east",), "was asked for both shares of 'east'"),
    "itself in both": (ROSTER, ("north",), "was asked for both shares of 'north'"),
    "without itself": (("east", "south"), (), "was not named as alive"),
    "itself lost": (("east", "south"), ("north",), "was not named as alive"),
    "too few alive": (("north", "east"), ("south",), "2 sites are alive around 'north'"),
    "nobody": ((), (), "was not named as alive"),
    "a stranger": ((*ROSTER, "west"), (), "holds no shares of 'west'"),
}


@pytest.mark.parametrize("wrong", REVEALS)
def test_what_would_open_a_single_site_is_not_revealed(folder: Path, wrong: str) -> None:
    alive, dropped, reason = REVEALS[wrong]
    hub = Hub(strict(folder)).to("reveal")
    answer = ask(hub.node, RevealRequest(*hub.name, alive, dropped))
    assert isinstance(answer, Refusal)
    assert reason in answer.reason
    # And nothing else is, from then on.
    again = hub.ask_reveal()
    assert isinstance(again, Refusal)
    assert "its round is over" in again.reason


def test_shares_are_revealed_once(folder: Path) -> None:
    hub = Hub(strict(folder)).to("reveal")
    assert isinstance(hub.ask_reveal(), RevealAnswer)
    other = RevealRequest(*hub.name, tuple(sorted(ROSTER, reverse=True)), ())
    answer = ask(hub.node, other)
    assert isinstance(answer, Refusal)
    assert "its round is over" in answer.reason


CHANGED: Final = "the run has changed its roster or its question"


@pytest.mark.parametrize(
    "other",
    [
        KeysRequest(request(), 64),
        KeysRequest(request(needs=NEEDS[:1]), 32),
        KeysRequest(request(roster=(*ROSTER, "west")), 32),
        KeysRequest(request(terms=ReleaseTerms("secure-sum", 1, 12)), 32),
        KeysRequest(request(number=2, terms=ReleaseTerms("secure-sum", 1, 12)), 32),
        KeysRequest(request(number=2, roster=(*ROSTER, "west")), 32),
        request(),
        clear(),
    ],
    ids=[
        *("another ring", "other needs", "another roster", "another threshold"),
        *("another threshold later", "another roster later", "in the clear", "under exact"),
    ],
)
def test_a_round_is_opened_once(folder: Path, other: Request) -> None:
    ledger = FreshLedger()
    hub = Hub(make_node(folder, ledger=ledger)).to("shares")
    assert ask(hub.node, other) == Refusal("north", CHANGED)
    assert ledger.entries[-1].reason == CHANGED
    # What was refused leaves nothing behind.
    assert hub.total() == in_the_clear(folder)


def test_a_round_that_was_forgotten_cannot_go_on(folder: Path) -> None:
    clock, stores = Clock(), CountingPool()
    hub = Hub(strict(folder, clock=clock, stores=stores)).to("masked")
    clock.now = NOON + dt.timedelta(minutes=61)
    Hub(hub.node, request(run="next")).to("shares")  # what is old is let go of when one comes
    assert hub.ask_masked() == Apology("north", Trouble.REQUEST)
    assert stores.lent == 0


def test_seals_of_another_round_do_not_open(folder: Path) -> None:
    node = strict(folder)
    first = Hub(node).to("masked")
    second = Hub(node, request(run="next")).to("masked")
    answer = ask(node, MaskedRequest(*second.name, first.masked().sealed))
    assert isinstance(answer, Refusal)
    assert "does not open" in answer.reason


# Noise that cannot be


NOISY: Final = msgspec.structs.replace(LABORATORY, least_roster=3)


@pytest.mark.parametrize(
    "epsilon",
    [
        *("0", "-1", "0.0", "0/3", "-1/2", "1/0", "nan", "NaN", "inf", "-inf", "", " 1", "1 "),
        *("one", "1e3", "1e999999999", "1/1e9", "0x10", "1_000", "\N{ARABIC-INDIC DIGIT ONE}"),
        "9" * 4000,
    ],
)
def test_an_epsilon_that_is_no_number_above_0_is_refused(folder: Path, epsilon: str) -> None:
    stores, ledger = CountingPool(), FreshLedger()
    node = make_node(folder, policy=NOISY, stores=stores, ledger=ledger)
    terms = ReleaseTerms("dp", 1, noise=Noise(epsilon))
    answer = ask(node, KeysRequest(request(terms=terms), 32))
    assert isinstance(answer, Refusal), answer
    said = "no noise can be made of that: expected an epsilon above 0, such as 1 or 3/10; found '"
    assert answer.reason == f"{said}{epsilon[:40]}'"
    assert [(entry.answered, entry.step) for entry in ledger.entries] == [(False, "")]
    assert stores.lent == 0


@pytest.mark.parametrize(
    ("noise", "reason"),
    [
        (Noise("1", "gauss"), "no noise can be made of that: 'gauss' is not a valid Mechanism"),
        (Noise("1", least_honest=0), "expected 1 to 100 hundredths of the sites; found 0"),
        (Noise("1", least_honest=101), "expected 1 to 100 hundredths of the sites; found 101"),
        (Noise("1", least_honest=68), "it shares noise among 67 % of the sites at most"),
        (Noise("1", sites_per_patient=0), "expected sizes and sites of at least 1"),
        (Noise("1/1000000000000"), "leaves attrition noise of scale"),
        (None, "the release 'dp' comes with noise"),
    ],
)
def test_noise_that_is_not_the_releases_is_refused(
    folder: Path, noise: Noise | None, reason: str
) -> None:
    stores = CountingPool()
    node = make_node(folder, policy=NOISY, stores=stores)
    terms = ReleaseTerms("dp", 1, noise=noise)
    answer = ask(node, KeysRequest(request(terms=terms), 32))
    assert isinstance(answer, Refusal), answer
    assert reason in answer.reason
    assert stores.lent == 0


def test_noise_where_none_belongs_is_refused(folder: Path) -> None:
    terms = ReleaseTerms("secure-sum", 1, 11, noise=Noise("1"))
    answer = ask(strict(folder), KeysRequest(request(terms=terms), 32))
    assert answer == Refusal("north", "the release 'secure-sum' comes without noise")


def noisy(run: str) -> RoundRequest:
    return request(run=run, terms=ReleaseTerms("dp", 1, noise=Noise("1")))


def test_noise_is_new_in_each_run(folder: Path) -> None:
    """Of two sums that lost different sites, the same noise would go away in their difference."""
    node = make_node(folder, policy=NOISY)
    totals = [Hub(node, noisy(run)).total() for run in ("one", "two")]
    assert totals[0] != totals[1]
    assert in_the_clear(folder) not in totals


def test_noise_of_a_round_is_drawn_once(folder: Path) -> None:
    stores = CountingPool()
    hub = Hub(make_node(folder, policy=NOISY, stores=stores), noisy("one")).to("masked")
    assert hub.ask_masked() == hub.ask_masked()
    assert stores.lent == 1


def test_chance_that_follows_from_a_seed_gives_the_same_noise_and_masks(folder: Path) -> None:
    def bytes_of(seed: int, run: str = "one") -> tuple[bytes, list[int]]:
        hub = Hub(seeded(folder, seed), noisy(run))
        total = hub.total()
        answer = hub.keys["north"]
        return answer.masking, total

    assert bytes_of(7) == bytes_of(7)
    for other in (bytes_of(8), bytes_of(7, "two")):
        assert other[0] != bytes_of(7)[0]
        assert other[1] != bytes_of(7)[1]


def seeded(folder: Path, seed: int) -> Node:
    return Node(
        folder,
        read_catalogue(folder),
        NOISY,
        FreshLedger(),
        StorePool(),
        Clock(),
        seeded_chance(seed, "north"),
    )


# Numbers that do not fit


def masked_round(
    persons: int, bits: int, roster: tuple[str, ...] = ROSTER, *, days: bool = False
) -> MaskedRound:
    asked = request(roster=roster, needs=(EntriesNeed(),) if days else NEEDS)
    return MaskedRound("north", KeysRequest(asked, bits), 3, persons, os.urandom)


def begin(this: MaskedRound, sites: tuple[str, ...]) -> tuple[Sealed, ...]:
    this.keys()
    near = neighbours(sites, DEGREE, session_of(this.asked))["north"]
    peers = tuple(_keys(site) for site in near)
    return this.share(SharesRequest("run", 1, sites, peers, least_threshold(len(near))))


@pytest.mark.parametrize(
    ("persons", "sites", "days", "fits"),
    [
        (715_827_882, 3, False, True),  # (2^31 - 1) / 3
        (715_827_883, 3, False, False),
        (1_955_813, 3, True, True),  # the same, in 366 days a year
        (1_955_814, 3, True, False),
        (1_000_000, 2147, False, True),
        (1_000_000, 2148, False, False),
    ],
)
def test_a_ring_that_is_too_narrow_is_refused_before_any_cell_is_known(
    persons: int,
    sites: int,
    *,
    days: bool,
    fits: bool,
) -> None:
    roster = (*ROSTER, *(f"site {place}" for place in range(sites - 3)))
    this = masked_round(persons, 32, roster, days=days)
    if fits:
        assert len(begin(this, roster)) == min(sites - 1, DEGREE)
        return
    with pytest.raises(MaskingError, match="a ring of 32 bits is too narrow for so many sites"):
        begin(this, roster)
    assert begin(masked_round(persons, 64, roster, days=days), roster)


# Of whom a site is a neighbour, and how many are left


def test_in_a_large_roster_the_neighbours_are_those_that_the_round_gives() -> None:
    """Who chose them could put a site among its own."""
    roster = (*ROSTER, *(f"site {place}" for place in range(65)))
    this = masked_round(24, 32, roster)
    near = neighbours(roster, DEGREE, session_of(this.asked))["north"]
    assert len(near) == DEGREE
    this.keys()
    others = [site for site in roster if site != "north"][:DEGREE]
    assert sorted(others) != list(near)
    peers = tuple(_keys(site) for site in others)
    with pytest.raises(MaskingError, match="not those that the round gives it"):
        this.share(SharesRequest("run", 1, roster, peers, least_threshold(DEGREE)))


def test_noise_for_many_is_not_shared_among_few() -> None:
    """Announced to ten million sites, each share would be next to nothing."""
    terms = ReleaseTerms("dp", 1, noise=Noise("1"))
    asked = msgspec.structs.replace(
        request(needs=(AttritionNeed(),), terms=terms), roster_size=10_000_000
    )
    this = MaskedRound("north", KeysRequest(asked, 64), 3, 24, os.urandom)
    with pytest.raises(MaskingError, match="3 sites are in the roster; 6700000 are needed"):
        begin(this, ROSTER)


@pytest.mark.parametrize(("least", "opens"), [(4, True), (5, False)])
def test_a_sum_over_fewer_sites_than_the_policy_asks_for_is_not_opened(
    least: int, *, opens: bool
) -> None:
    roster = (*ROSTER, "west", "middle")
    asked = request(roster=roster, needs=(AttritionNeed(),))
    north = MaskedRound("north", KeysRequest(asked, 32), least, 24, os.urandom)
    others = {site: MaskedSite(site) for site in roster[1:]}
    keys = {"north": north.keys()}
    for site, other in others.items():
        answer = decode_answer(other.answer(KeysRequest(asked, 32), nothing))
        assert isinstance(answer, KeysAnswer)
        keys[site] = answer.keys

    def shares(site: str) -> SharesRequest:
        peers = tuple(keys[peer] for peer in sorted(roster) if peer != site)
        return SharesRequest("run", 1, roster, peers, least_threshold(4))

    north.share(shares("north"))
    seals: list[Sealed] = []
    for site, other in others.items():
        answer = decode_answer(other.answer(shares(site), nothing))
        assert isinstance(answer, SharesAnswer)
        seals += [one for one in answer.sealed if one.receiver == "north"]
    north.mask(MaskedRequest("run", 1, tuple(seals)), nothing(asked))
    left = ("east", "north", "south", "west")
    reveal = RevealRequest("run", 1, left, ("middle",))
    if opens:
        assert set(north.reveal(reveal).self_shares) == set(left)
        return
    with pytest.raises(MaskingError, match="4 sites are left; 5 are needed"):
        north.reveal(reveal)


@pytest.mark.parametrize("value", [715_827_883, -715_827_883, 2**62])
def test_a_cell_that_does_not_fit_is_not_told(value: int) -> None:
    sites = {site: MaskedSite(site) for site in ROSTER[1:]}
    asked = request(needs=(AttritionNeed(),))
    this = MaskedRound("north", KeysRequest(asked, 32), 3, 0, os.urandom)
    keys = {"north": this.keys()}
    for site, other in sites.items():
        answer = decode_answer(other.answer(KeysRequest(asked, 32), nothing))
        assert isinstance(answer, KeysAnswer)
        keys[site] = answer.keys

    def shares(site: str) -> SharesRequest:
        peers = tuple(keys[peer] for peer in ROSTER if peer != site)
        return SharesRequest("run", 1, ROSTER, peers, THRESHOLD)

    this.share(shares("north"))
    seals: list[Sealed] = []
    for site, other in sites.items():
        answer = decode_answer(other.answer(shares(site), nothing))
        assert isinstance(answer, SharesAnswer)
        seals += [one for one in answer.sealed if one.receiver == "north"]
    layout = layout_of(AttritionNeed(), asked.question)
    table = Table.from_flat(layout, np.array([value, 1, 1], dtype=np.int64))
    with pytest.raises(MaskingError) as caught:
        this.mask(MaskedRequest("run", 1, tuple(seals)), (table,))
    assert str(caught.value) == "its cells do not fit the ring"
    assert caught.value.__cause__ is None
    # The round is over: nothing that fits is sent in its place, and nothing is revealed.
    with pytest.raises(MaskingError, match="its round is over"):
        this.mask(MaskedRequest("run", 1, tuple(seals)), (Table.zero(layout),))
    with pytest.raises(MaskingError, match="its round is over"):
        this.reveal(RevealRequest("run", 1, ROSTER, ()))
