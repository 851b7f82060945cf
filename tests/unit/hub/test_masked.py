"""A masked round at the hub: who fails at which step, what it costs, and what is revealed."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, Final

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.aggregates.survival import SurvivalTable
from simulator.aggregates.table import Table
from simulator.errors import Refused, TooFewAnswers, VerificationFailed
from simulator.hub.analyses.released import ReleasedCounts, ReleasedTables
from simulator.hub.exchanging import Traffic
from simulator.hub.planner import Candidate, Plan, make_plan
from simulator.hub.run import Finished, carry_out
from simulator.hub.wire import Failure, Lost, Reply
from simulator.messages.codec import decode_answer, decode_request, encode
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
from simulator.messages.needs import AssignmentNeed, AttritionNeed, Need
from simulator.messages.protocol import Request
from simulator.messages.requests import (
    Apology,
    CatalogueAnswer,
    CatalogueRequest,
    Refusal,
    RoundRequest,
    Trouble,
    roster_hash,
)
from simulator.privacy.masking.errors import MaskingError
from simulator.privacy.masking.wire import PublicKeys, Sealed
from simulator.privacy.releases import DP, SECURE_SUM, Release
from tests.support.masks import MaskedSite
from tests.unit.hub.wires import client_of, described, plan_of, study, tables

SITES: Final = ("golf", "alfa", "echo", "bravo", "foxtrot", "delta", "charlie")
THIRD: Final = "echo"

Back = Iterator[Reply | Failure]
Fault = Callable[[str, Request, bytes], Back]
"""What comes back from a site in place of its honest answer, told it and the request."""

STEPS: Final = {
    "keys": KeysRequest,
    "shares": SharesRequest,
    "masked": MaskedRequest,
    "reveal": RevealRequest,
}


def step_of(request: Request) -> str:
    return next(step for step, kind in STEPS.items() if isinstance(request, kind))


class Sites:
    """Honest sites behind a wire, of which some fail at some step.

    Attributes:
        asked: Every site with every request that it was sent, in order.
    """

    def __init__(
        self,
        faults: Mapping[tuple[str, str], Fault] | None = None,
        *,
        sites: tuple[str, ...] = SITES,
        lie: Callable[[str, tuple[Table, ...]], tuple[Table, ...]] = lambda _site, found: found,
    ) -> None:
        self._faults = faults or {}
        self._sites = sites
        self._lie = lie
        self._masked = {site: MaskedSite(site) for site in sites}
        self.asked: list[tuple[str, Request]] = []

    def exchange(self, messages: Mapping[str, bytes], seconds: float) -> Back:
        assert seconds > 0
        for site in sorted(messages):  # another order than the roster's
            request = decode_request(messages[site])
            self.asked.append((site, request))
            if isinstance(request, CatalogueRequest):
                yield Reply(site, encode(CatalogueAnswer(described(site, study().question))))
                continue
            fault = self._faults.get((site, step_of(request)))
            honest = self._honest(site, request)
            yield from [Reply(site, honest)] if fault is None else fault(site, request, honest)

    def _honest(self, site: str, request: Any) -> bytes:
        try:
            return self._masked[site].answer(request, lambda asked: self._sent(site, asked))
        except MaskingError as error:
            return encode(Refusal(site, str(error)))

    def _sent(self, site: str, request: RoundRequest) -> tuple[Table, ...]:
        return self._lie(site, self.tables_of(site, request))

    def tables_of(self, site: str, request: RoundRequest) -> tuple[Table, ...]:
        """What a site holds; its place among all sites makes its months differ."""
        return tables(request, self._sites.index(site))

    def steps(self) -> list[str]:
        """The steps that were asked for, each once for every exchange."""
        found: list[str] = []
        for _, request in self.asked:
            step = step_of(request)
            if not found or found[-1] != step:
                found.append(step)
        return found


def carried(
    wire: Sites,
    completeness: str = "0.0",
    *,
    sites: tuple[str, ...] = SITES,
    release: Release = SECURE_SUM,
    plan: Plan | None = None,
) -> Finished:
    return carry_out(
        plan or plan_of(study(completeness), sites, release),
        wire,
        run="run",
        seconds=5.0,
        traffic=Traffic(),
        source=os.urandom,
    )


def is_plain_sum(finished: Finished, wire: Sites, rest: tuple[str, ...]) -> bool:
    """Whether what was released is what the tables of these sites come to, added in the clear."""
    (opened,) = finished.opened
    request = next(asked for _, asked in wire.asked if isinstance(asked, KeysRequest)).asked
    own = [wire.tables_of(site, request) for site in rest]
    return all(
        np.array_equal(cells_of(opened.released[need]), sum(found[place].flat() for found in own))
        for place, need in enumerate(request.needs)
    )


def cells_of(released: object) -> NDArray[np.int64]:
    """The numbers of a table that is large enough to be let out as it is."""
    if isinstance(released, SurvivalTable):
        return released.table.flat()
    assert isinstance(released, ReleasedCounts)
    return np.array(released.counts, dtype=np.int64)


# One site fails, in every way, at every step


def sends(make: Callable[[str, Any], object]) -> Fault:
    """Another message in place of the honest one, made from the site and its honest answer."""

    def fault(site: str, _request: Request, honest: bytes) -> Back:
        yield Reply(site, encode(make(site, decode_answer(honest))))  # type: ignore[arg-type]

    return fault


def _silent(site: str, _request: Request, _honest: bytes) -> Back:
    yield Failure(site, Lost.SILENT)


def _crashed(site: str, _request: Request, _honest: bytes) -> Back:
    yield Failure(site, Lost.CRASHED)


def _nothing(_site: str, _request: Request, _honest: bytes) -> Back:
    yield from ()


def _garbage(site: str, _request: Request, honest: bytes) -> Back:
    yield Reply(site, honest[:-1])


def _twice(site: str, _request: Request, honest: bytes) -> Back:
    yield Reply(site, honest)
    yield Reply(site, honest)


def _late(site: str, _request: Request, honest: bytes) -> Back:
    yield Failure(site, Lost.SILENT)
    yield Reply(site, honest)


def _crashed_after(site: str, _request: Request, honest: bytes) -> Back:
    yield Reply(site, honest)
    yield Failure(site, Lost.CRASHED)


def _another_kind(site: str, answer: Any) -> object:
    if isinstance(answer, KeysAnswer):
        return SharesAnswer(site, answer.run, answer.round, ())
    return KeysAnswer(site, answer.run, answer.round, PublicKeys(site, bytes(32), bytes(32)))


MISFIT: Final = "its answer does not fit: "
FAULTS: Final[dict[str, tuple[Fault, str]]] = {
    "silent": (_silent, "no answer before the deadline"),
    "crashed": (_crashed, "its process ended"),
    "never heard of": (_nothing, "no answer before the deadline"),
    "refuses": (sends(lambda site, _: Refusal(site, "not now")), "not now"),
    "sorry": (sends(lambda site, _: Apology(site, Trouble.DEADLINE)), "the deadline passed"),
    "garbage": (_garbage, MISFIT),
    "another kind": (sends(_another_kind), f"{MISFIT}it is to another kind of request"),
    "another round": (
        sends(lambda _, answer: msgspec.structs.replace(answer, round=2)),
        f"{MISFIT}the answer is to another request",
    ),
    "another run": (
        sends(lambda _, answer: msgspec.structs.replace(answer, run="run-2")),
        f"{MISFIT}the answer is to another request",
    ),
    "another site": (
        sends(lambda _, answer: msgspec.structs.replace(answer, site="alfa")),
        f"{MISFIT}it is another site's",
    ),
    "twice": (_twice, "it answered twice"),
    "late": (_late, "no answer before the deadline"),
    "crashed afterwards": (_crashed_after, "its process ended"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", ["keys", "shares", "masked"])
def test_a_site_that_is_lost_costs_only_itself(step: str, fault: str) -> None:
    behaviour, reason = FAULTS[fault]
    wire = Sites({(THIRD, step): behaviour})
    finished = carried(wire)
    rest = tuple(site for site in SITES if site != THIRD)
    assert finished.roster == rest
    assert finished.attempts == 1
    ((site, told, refused),) = [(one.site, one.reason, one.refused) for one in finished.lost]
    assert site == THIRD
    assert told.startswith(reason)
    assert refused is (fault == "refuses")
    assert is_plain_sum(finished, wire, rest)
    assert wire.steps() == [*STEPS]
    # Whoever was lost is asked for nothing more.
    later = [*STEPS][[*STEPS].index(step) + 1 :]
    assert not any(site == THIRD and step_of(asked) in later for site, asked in wire.asked)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_site_that_fails_at_the_end_is_in_the_sum_all_the_same(fault: str) -> None:
    wire = Sites({(THIRD, "reveal"): FAULTS[fault][0]})
    finished = carried(wire, "1.0")
    assert (finished.roster, finished.lost, finished.attempts) == (SITES, (), 1)
    assert is_plain_sum(finished, wire, SITES)


def test_sites_that_are_lost_at_different_steps_are_named_in_roster_order() -> None:
    sites = tuple(f"site {place}" for place in (12, 3, 7, 1, 9, 4, 11, 2, 8, 5, 10, 6))
    wire = Sites(
        {
            ("site 5", "keys"): _silent,
            ("site 12", "shares"): _crashed,
            ("site 1", "masked"): _garbage,
            ("site 8", "reveal"): _silent,
        },
        sites=sites,
    )
    finished = carried(wire, sites=sites)
    assert [loss.site for loss in finished.lost] == ["site 12", "site 1", "site 5"]
    rest = tuple(site for site in sites if site not in {"site 12", "site 1", "site 5"})
    assert finished.roster == rest
    assert is_plain_sum(finished, wire, rest)


def test_in_a_large_roster_each_site_masks_with_twenty() -> None:
    sites = tuple(f"site {place}" for place in range(26))
    lost = {
        f"site {place}": step for place, step in ((3, "shares"), (14, "masked"), (20, "masked"))
    }
    wire = Sites(dict.fromkeys(lost.items(), _silent), sites=sites)
    finished = carried(wire, sites=sites)
    peers = [len(asked.peers) for _, asked in wire.asked if isinstance(asked, SharesRequest)]
    assert peers == [20] * 26
    rest = tuple(site for site in sites if site not in lost)
    assert finished.roster == rest
    assert is_plain_sum(finished, wire, rest)


def test_who_was_not_asked_is_not_heard() -> None:
    def and_another(site: str, _request: Request, honest: bytes) -> Back:
        yield Reply("stranger", honest)
        yield Reply(site, honest)

    wire = Sites({(THIRD, step): and_another for step in STEPS})
    finished = carried(wire)
    assert (finished.roster, finished.lost) == (SITES, ())
    assert is_plain_sum(finished, wire, SITES)


# Too many are lost


def lost_at(step: str, number: int) -> Sites:
    return Sites({(site, step): _silent for site in SITES[:number]})


def reveals(wire: Sites) -> int:
    return sum(isinstance(asked, RevealRequest) for _, asked in wire.asked)


# Of seven, five must be left around each: of a complete graph that is everybody.
@pytest.mark.parametrize(
    ("step", "most", "told"),
    [
        ("keys", 4, "2 sites sent keys; a sum hides a site only among others"),
        ("shares", 2, "4 of 7 sites shared; the threshold is 5"),
        ("masked", 2, "4 of 7 sites sent a vector; the threshold is 5"),
    ],
)
def test_where_too_many_are_lost_nothing_is_revealed(step: str, most: int, told: str) -> None:
    assert len(carried(lost_at(step, most)).roster) == 7 - most
    wire = lost_at(step, most + 1)
    with pytest.raises(TooFewAnswers, match=told) as caught:
        carried(wire)
    assert "so nothing is revealed" in str(caught.value)
    assert caught.value.exit_code == 4
    assert reveals(wire) == 0


def test_where_too_few_reveal_no_sum_is_opened() -> None:
    assert carried(lost_at("reveal", 2)).roster == SITES
    with pytest.raises(
        TooFewAnswers, match=r"4 shares of a secret of '.*' came; the threshold is 5"
    ):
        carried(lost_at("reveal", 3))


@pytest.mark.parametrize("step", ["keys", "shares", "masked"])
def test_a_study_that_demands_more_ends_before_anything_is_opened(step: str) -> None:
    wire = lost_at(step, 1)
    with pytest.raises(
        TooFewAnswers, match="6 of 7 eligible sites answered; the study demands 100%"
    ):
        carried(wire, "1.0")
    assert reveals(wire) == 0
    assert wire.steps()[-1] == step


def test_where_all_refuse_the_run_is_refused() -> None:
    no = sends(lambda site, _: Refusal(site, "its policy says no"))
    wire = Sites({(site, "keys"): no for site in SITES})
    with pytest.raises(Refused, match="its policy says no"):
        carried(wire, "0.5")
    assert wire.steps() == ["keys"]


@pytest.mark.parametrize("number", [1, 2])
def test_a_sum_over_fewer_than_three_is_not_begun(number: int) -> None:
    wire = Sites(sites=SITES[:number])
    with pytest.raises(Refused, match=f"over at least 3; the run has {number}") as caught:
        carried(wire, sites=SITES[:number])
    assert caught.value.exit_code == 3
    assert wire.asked == []
    assert carried(Sites(sites=SITES[:3]), sites=SITES[:3]).roster == SITES[:3]


def test_noise_that_would_be_less_than_promised_ends_the_run() -> None:
    """Shares are made for 67 in a hundred: with 8 of 12 left the noise would be too little."""
    sites = tuple(f"site {place}" for place in range(12))
    enough = Sites({(site, "keys"): _silent for site in sites[:3]}, sites=sites)
    assert len(carried(enough, sites=sites, release=DP).roster) == 9
    wire = Sites({(site, "keys"): _silent for site in sites[:4]}, sites=sites)
    with pytest.raises(TooFewAnswers, match=r"8 of 12 sites are left; .* so that 9 are needed"):
        carried(wire, sites=sites, release=DP)
    assert wire.steps() == ["keys"]


# A later round


def in_two_rounds() -> Generator[frozenset[Need], ReleasedTables, tuple[object, ...]]:
    first = yield frozenset({AttritionNeed()})
    second = yield frozenset({AssignmentNeed()})
    return (*first.values(), *second.values())


def two_rounds() -> Plan:
    asked = study("0.0")
    candidates = (Candidate(site, described(site, asked.question)) for site in SITES)
    return make_plan(asked, SECURE_SUM, candidates, lambda *_: (in_two_rounds(),))


@pytest.mark.parametrize("step", ["keys", "shares", "masked"])
def test_a_site_that_is_lost_after_a_sum_was_opened_makes_the_run_start_anew(step: str) -> None:
    """Two sums of which only one has the site would show what it holds."""

    def later(site: str, request: Request, honest: bytes) -> Back:
        asked = request.asked if isinstance(request, KeysRequest) else request
        assert isinstance(asked, RoundRequest | SharesRequest | MaskedRequest)
        if asked.round == 2:
            yield Failure(site, Lost.SILENT)
        else:
            yield Reply(site, honest)

    wire = Sites({(THIRD, step): later})
    finished = carried(wire, plan=two_rounds())
    assert finished.attempts == 2
    assert [loss.site for loss in finished.lost] == [THIRD]
    assert finished.roster == tuple(site for site in SITES if site != THIRD)
    opened = {
        (asked.run, asked.round) for _, asked in wire.asked if isinstance(asked, RevealRequest)
    }
    assert opened == {("run-1", 1), ("run-2", 1), ("run-2", 2)}
    assert not any(
        site == THIRD
        for site, asked in wire.asked
        if isinstance(asked, KeysRequest) and asked.asked.run == "run-2"
    )


def test_who_was_lost_in_the_first_round_is_not_asked_in_the_second() -> None:
    wire = Sites({(THIRD, "masked"): _silent})
    finished = carried(wire, plan=two_rounds())
    assert finished.attempts == 1
    begun = {asked.asked for _, asked in wire.asked if isinstance(asked, KeysRequest)}
    rosters = {one.round: (one.roster, one.roster_size) for one in begun}
    rest = tuple(site for site in SITES if site != THIRD)
    assert rosters == {1: (roster_hash(SITES), 7), 2: (roster_hash(rest), 6)}


# Lies


def shifted(by: int, axis: str = "step") -> Callable[[str, tuple[Table, ...]], tuple[Table, ...]]:
    """The third site says so many more in the first cell of the table with this first axis."""

    def lie(site: str, found: tuple[Table, ...]) -> tuple[Table, ...]:
        if site != THIRD:
            return found
        return tuple(
            _more_in_first(table, by)
            if [one.name for one in table.layout.axes] == [axis]
            else table
            for table in found
        )

    return lie


def _more_in_first(table: Table, by: int) -> Table:
    cells = table.flat().copy()
    cells[0] += by
    return Table.from_flat(table.layout, cells)


@pytest.mark.parametrize("by", [1, 7, -20])
def test_a_lie_shifts_the_total_by_just_itself(by: int) -> None:
    def total(wire: Sites) -> object:
        report = client_of(wire, SITES).run(study("1.0"), SECURE_SUM, run="run")  # type: ignore[arg-type]
        assert "inputs not validated" in report.result.release.says
        return report.result.cohort.attrition[0].patients

    honest, lied = total(Sites()), total(Sites(lie=shifted(by)))
    assert honest == 7 * 47
    assert lied == 7 * 47 + by


@pytest.mark.parametrize(
    ("by", "told"),
    [
        (-7 * 47 - 1, "a count is negative"),
        (1 + 7 * 1009 - 7 * 47, "a count is above 7063, the persons that there are"),
        # of 47 at each of 7 sites, 20 fell at the first step
        (-7 * 20 - 1, "a step leaves more patients than the one before it"),
    ],
)
def test_a_sum_that_cannot_be_ends_the_run(by: int, told: str) -> None:
    cannot_be = f"the masked sum cannot be true: {told}"
    with pytest.raises(VerificationFailed, match=cannot_be) as caught:
        carried(Sites(lie=shifted(by)))
    assert caught.value.exit_code == 5


def test_arms_that_are_not_those_of_their_survival_end_the_run() -> None:
    with pytest.raises(VerificationFailed, match="patients are not those of their survival"):
        carried(Sites(lie=shifted(3, axis="arm")))


@pytest.mark.parametrize("release", [SECURE_SUM, DP], ids=lambda release: release.name)
def test_a_vector_of_chance_ends_the_run(release: Release) -> None:
    wire = Sites(
        {
            (THIRD, "masked"): sends(
                lambda _, answer: msgspec.structs.replace(
                    answer, cells=os.urandom(len(answer.cells))
                )
            )
        }
    )
    with pytest.raises(VerificationFailed, match="the masked sum cannot be true"):
        carried(wire, release=release)


@pytest.mark.parametrize("size", [-4, -1, 1, 4])
def test_a_vector_of_another_length_costs_the_site(size: int) -> None:
    def cut(_site: str, answer: MaskedAnswer) -> object:
        cells = answer.cells[:size] if size < 0 else answer.cells + bytes(size)
        return msgspec.structs.replace(answer, cells=cells)

    wire = Sites({(THIRD, "masked"): sends(cut)})
    finished = carried(wire)
    ((site, reason),) = [(loss.site, loss.reason) for loss in finished.lost]
    assert (site, "bytes were expected; got" in reason) == (THIRD, True)
    assert is_plain_sum(finished, wire, finished.roster)


# Keys and seals that are not as they should be


@pytest.mark.parametrize("length", [0, 31, 33])
def test_keys_of_another_length_cost_the_site(length: int) -> None:
    def short(site: str, answer: KeysAnswer) -> object:
        keys = PublicKeys(site, bytes(length), answer.keys.masking)
        return msgspec.structs.replace(answer, keys=keys)

    finished = carried(Sites({(THIRD, "keys"): sends(short)}))
    ((site, reason),) = [(loss.site, loss.reason) for loss in finished.lost]
    assert site == THIRD
    assert f"has {length} bytes, expected 32" in reason


def test_keys_of_another_site_cost_the_site() -> None:
    def as_another(_site: str, answer: KeysAnswer) -> object:
        keys = msgspec.structs.replace(answer.keys, site="alfa")
        return msgspec.structs.replace(answer, keys=keys)

    finished = carried(Sites({(THIRD, "keys"): sends(as_another)}))
    assert [loss.reason for loss in finished.lost] == [f"{MISFIT}the keys are another site's"]


Seals = tuple[Sealed, ...]
SEALS: Final[dict[str, Callable[[Seals], Seals]]] = {
    "one is missing": lambda sealed: sealed[1:],
    "none": lambda _: (),
    "one comes twice": lambda sealed: (*sealed, sealed[0]),
    "one twice and one not": lambda sealed: (*sealed[1:], sealed[1]),
    "for itself": lambda sealed: (*sealed[1:], Sealed(THIRD, THIRD, sealed[0].data)),
    "for a stranger": lambda sealed: (*sealed[1:], Sealed(THIRD, "stranger", sealed[0].data)),
    "in another's name": lambda sealed: (
        *sealed[1:],
        Sealed("alfa", sealed[0].receiver, sealed[0].data),
    ),
    "too short": lambda sealed: (*sealed[1:], Sealed(THIRD, sealed[0].receiver, bytes(81))),
    "too long": lambda sealed: (*sealed[1:], Sealed(THIRD, sealed[0].receiver, bytes(8200))),
}


@pytest.mark.parametrize("wrong", SEALS)
def test_seals_that_are_not_one_for_each_neighbour_cost_the_site(wrong: str) -> None:
    def change(_site: str, answer: SharesAnswer) -> object:
        return msgspec.structs.replace(answer, sealed=SEALS[wrong](answer.sealed))

    wire = Sites({(THIRD, "shares"): sends(change)})
    finished = carried(wire)
    ((site, reason),) = [(loss.site, loss.reason) for loss in finished.lost]
    assert site == THIRD
    assert reason.startswith(MISFIT)
    assert is_plain_sum(finished, wire, finished.roster)


def test_seals_that_do_not_open_end_the_run_with_nothing_revealed() -> None:
    """Its neighbours cannot know whether the aggregator or the site did it: they all refuse."""

    def change(_site: str, answer: SharesAnswer) -> object:
        sealed = tuple(msgspec.structs.replace(one, data=bytes(82)) for one in answer.sealed)
        return msgspec.structs.replace(answer, sealed=sealed)

    wire = Sites({(THIRD, "shares"): sends(change)})
    with pytest.raises(TooFewAnswers, match="so nothing is revealed"):
        carried(wire)
    assert reveals(wire) == 0


# What is revealed at the end


def changed_reveal(change: Callable[[dict[str, bytes], dict[str, bytes]], None]) -> Fault:
    def make(_site: str, answer: RevealAnswer) -> object:
        own, keys = dict(answer.revealed.self_shares), dict(answer.revealed.key_shares)
        change(own, keys)
        revealed = msgspec.structs.replace(answer.revealed, self_shares=own, key_shares=keys)
        return msgspec.structs.replace(answer, revealed=revealed)

    return sends(make)


def _drop(own: dict[str, bytes], _keys: dict[str, bytes]) -> None:
    own.pop("alfa")


def _more(own: dict[str, bytes], keys: dict[str, bytes]) -> None:
    keys["alfa"] = own["alfa"]


def _short(own: dict[str, bytes], _keys: dict[str, bytes]) -> None:
    own["alfa"] = own["alfa"][1:]


@pytest.mark.parametrize("change", [_drop, _more, _short])
def test_shares_that_were_not_asked_for_are_not_used(
    change: Callable[[dict[str, bytes], dict[str, bytes]], None],
) -> None:
    wire = Sites({(THIRD, "reveal"): changed_reveal(change)})
    finished = carried(wire)
    assert finished.roster == SITES
    assert is_plain_sum(finished, wire, SITES)


@pytest.mark.parametrize("share", [bytes(33), bytes(32) + b"\x07", b"\x01" + bytes(31) + b"\x07"])
def test_a_false_share_ends_the_run(share: bytes) -> None:
    """It gives another secret or none, so a mask stays in the sum; nothing is released."""

    def change(own: dict[str, bytes], _keys: dict[str, bytes]) -> None:
        for site in own:
            own[site] = share

    first = sorted(SITES)[0]  # the shares of the first sites are those that are used
    wire = Sites({(first, "reveal"): changed_reveal(change)})
    with pytest.raises(VerificationFailed) as caught:
        carried(wire)
    assert caught.value.exit_code == 5


def test_a_false_share_of_a_lost_sites_key_ends_the_run() -> None:
    def change(_own: dict[str, bytes], keys: dict[str, bytes]) -> None:
        keys[THIRD] = bytes(33)

    first = sorted(SITES)[0]
    faults = {(THIRD, "masked"): _silent, (first, "reveal"): changed_reveal(change)}
    with pytest.raises(VerificationFailed, match="the masked sum cannot be opened"):
        carried(Sites(faults))


def test_nobody_is_asked_for_both_shares_of_a_site() -> None:
    wire = Sites({(THIRD, "masked"): _silent, ("delta", "shares"): _silent})
    carried(wire)
    for site, asked in wire.asked:
        if isinstance(asked, RevealRequest):
            assert site in asked.alive
            assert {*asked.alive}.isdisjoint(asked.dropped)
            assert asked.dropped == (THIRD,)
            assert "delta" not in (*asked.alive, *asked.dropped)


def test_the_aggregator_sends_no_cell_and_no_site_sends_one_in_the_clear() -> None:
    wire = Sites()
    carried(wire)
    kinds = {type(asked) for _, asked in wire.asked}
    assert kinds == {KeysRequest, SharesRequest, MaskedRequest, RevealRequest}
