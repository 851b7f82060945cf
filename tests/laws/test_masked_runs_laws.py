"""Masks change nothing: the sum of masked tables is the plain sum, and who drops out is as unasked.

The wire and the steps are those of a run; the tables hold anything that fits the ring.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.table import Table
from simulator.hub.analyses.released import ReleasedNoise
from simulator.hub.exchanging import Exchanges, Traffic
from simulator.hub.masked import MaskedSum, masked_sum
from simulator.hub.requesting import round_request
from simulator.hub.result import StudyResult
from simulator.hub.wire import Failure, Lost, Reply, Wire
from simulator.messages.codec import decode_request, encode_cells
from simulator.messages.masked import KeysRequest, MaskedRequest, SharesRequest
from simulator.messages.needs import AssignmentNeed, AttritionNeed, SurvivalNeed, layout_of
from simulator.messages.requests import RoundRequest
from simulator.privacy.masking.ring import Ring
from simulator.privacy.releases import DP, PLATFORM, SECURE_STEPS, SECURE_SUM, Release
from simulator.site.chance import Chance, seeded_chance
from simulator.truth.counted import tables
from tests.support.crowds import (
    STUDY,
    Crowd,
    CrowdWire,
    carried_out,
    crowd,
    frame,
    told,
    with_share,
)
from tests.unit.hub.wires import plan_of

Cells = NDArray[np.int64]
Step = type[KeysRequest] | type[SharesRequest] | type[MaskedRequest]

_MANY: Final = int(os.environ.get("EXAMPLES", "1000"))
_quick = settings(
    derandomize=True, max_examples=15, deadline=None, suppress_health_check=[*HealthCheck]
)
_long = settings(_quick, derandomize=False, max_examples=_MANY, database=None)

SURVIVAL: Final = SurvivalNeed(Grid(Unit.MONTH, 12))
NEEDS: Final = (AssignmentNeed(), AttritionNeed(), SURVIVAL)
STEPS: Final[tuple[Step, ...]] = (KeysRequest, SharesRequest, MaskedRequest)


class Losing:
    """A wire that loses each of some sites from one step on."""

    def __init__(self, wire: Wire, lost: Mapping[str, Step]) -> None:
        self._wire = wire
        self._lost = lost
        self._gone = set[str]()

    def exchange(self, messages: Mapping[str, bytes], seconds: float) -> Iterator[Reply | Failure]:
        step = type(decode_request(next(iter(messages.values()))))
        self._gone |= {site for site, at in self._lost.items() if at is step}
        yield from (Failure(site, Lost.SILENT) for site in messages if site in self._gone)
        kept = {site: data for site, data in messages.items() if site not in self._gone}
        yield from self._wire.exchange(kept, seconds)


def masked(
    held: Mapping[str, Sequence[Cells]], ring: Ring, lost: Mapping[str, Step]
) -> tuple[MaskedSum, RoundRequest]:
    """The masked sum of tables with these cells."""
    sites = tuple(held)
    request = round_request(plan_of(STUDY, sites), "law", sites, 1, NEEDS)
    layouts = [layout_of(need, STUDY.question) for need in NEEDS]

    def changed(
        site: str, _request: RoundRequest, _found: tuple[Table, ...], _chance: Chance
    ) -> tuple[Table, ...]:
        return tuple(map(Table.from_flat, layouts, held[site]))

    nobody: Crowd = {site: frame([]) for site in sites}
    found = masked_sum(
        Exchanges(Losing(CrowdWire(nobody, changed=changed), lost), 60.0, Traffic()),
        request,
        sites,
        ring,
        go_on=lambda _left, _lost: True,
        progress=lambda _site: None,
    )
    return found, request


@st.composite
def tables_of_sites(draw: st.DrawFn) -> tuple[dict[str, list[Cells]], Ring, dict[str, Step]]:
    """Tables that fit a ring, up to its edges, and up to two sites that are lost."""
    number = draw(st.sampled_from([3, 4, 7, 9, 25]))
    bits = draw(st.sampled_from([32, 64]))
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    most = (1 << (bits - 1)) // number - 1
    most = draw(st.sampled_from([1, 10**4, most]))
    sizes = [layout_of(need, STUDY.question).cells for need in NEEDS]
    held = {
        f"site-{place}": [chance.integers(-most, most, size, endpoint=True) for size in sizes]
        for place in range(number)
    }
    if draw(st.booleans()):  # all at the edge together
        held = {site: [np.full(size, most) for size in sizes] for site in held}
    spare = 0 if number < 7 else draw(st.integers(0, 2))
    lost = draw(
        st.dictionaries(
            st.sampled_from(sorted(held)), st.sampled_from(STEPS), min_size=spare, max_size=spare
        )
    )
    return held, Ring(64 if bits == 64 else 32), lost


def the_masked_sum_is_the_plain_sum(
    drawn: tuple[dict[str, list[Cells]], Ring, dict[str, Step]],
) -> None:
    held, ring, lost = drawn
    found, _ = masked(held, ring, lost)
    kept = [site for site in held if site not in lost]
    assert found.roster == tuple(kept)
    assert {loss.site for loss in found.lost} == set(lost)
    for place, table in enumerate(found.tables):
        plain = [
            sum(int(held[site][place][cell]) for site in kept) for cell in range(table.layout.cells)
        ]
        assert encode_cells(table.flat()) == b"".join(
            value.to_bytes(8, "little", signed=True) for value in plain
        )


@_quick
@given(drawn=tables_of_sites())
def test_the_masked_sum_is_the_plain_sum(
    drawn: tuple[dict[str, list[Cells]], Ring, dict[str, Step]],
) -> None:
    the_masked_sum_is_the_plain_sum(drawn)


@pytest.mark.laws
@_long
@given(drawn=tables_of_sites())
def test_the_masked_sum_is_the_plain_sum_for_long(
    drawn: tuple[dict[str, list[Cells]], Ring, dict[str, Step]],
) -> None:
    the_masked_sum_is_the_plain_sum(drawn)


# A run that loses sites tells what a run of the others tells


OF_THE_NETWORK: Final = {"network", "fingerprints", "notes"}


def numbers_of(result: StudyResult) -> bytes:
    """Everything that is said of patients, and how, as JSON."""
    said = msgspec.structs.asdict(result)
    return msgspec.json.encode(
        {part: value for part, value in said.items() if part not in OF_THE_NETWORK}
    )


def losing_is_as_not_asking(frames: Crowd, release: Release, lost: Mapping[str, Step]) -> None:
    kept = {site: rows for site, rows in frames.items() if site not in lost}
    all_asked = carried_out(frames, release, Losing(CrowdWire(frames), lost))
    rest_asked = carried_out(kept, release, CrowdWire(kept))
    assert all_asked[1].roster == rest_asked[1].roster == tuple(kept)
    assert all_asked[1].attempts == 1
    results = [told(*found) for found in (all_asked, rest_asked)]
    assert numbers_of(results[0]) == numbers_of(results[1])
    assert {loss.site for loss in results[0].network.failed} == set(lost)
    assert set(results[1].notes) <= set(results[0].notes)
    whole = told(*carried_out(frames, release, CrowdWire(frames)))
    assert not lost or numbers_of(whole) != numbers_of(results[1])


@pytest.mark.parametrize("release", [SECURE_SUM, SECURE_STEPS, PLATFORM], ids=lambda one: one.name)
@pytest.mark.parametrize(
    "lost",
    [
        {},
        {"site-1": KeysRequest, "site-4": MaskedRequest},
        {"site-2": SharesRequest, "site-5": SharesRequest},
        {"site-0": MaskedRequest, "site-6": MaskedRequest},
    ],
    ids=lambda lost: ", ".join(lost) or "nobody",
)
def test_losing_two_sites_tells_what_the_others_tell(
    release: Release, lost: Mapping[str, Step]
) -> None:
    frames = crowd(np.random.default_rng(13), 8, 400)
    assert all(rows.height for rows in frames.values())
    losing_is_as_not_asking(frames, release, lost)


def test_masked_is_as_in_the_clear() -> None:
    """The plain sum by the release that masks nothing, on the same months: the same estimates."""
    frames = crowd(np.random.default_rng(14), 6, 500)
    clear = msgspec.structs.replace(SECURE_SUM, masked=False)
    results = [
        told(*carried_out(frames, release, CrowdWire(frames))) for release in (SECURE_SUM, clear)
    ]
    assert results[0].arms == results[1].arms
    assert results[0].cohort == results[1].cohort
    assert results[0].hazard_ratios == results[1].hazard_ratios
    assert results[0].log_rank == results[1].log_rank


def test_the_noise_of_a_lost_site_is_lost_with_its_patients() -> None:
    frames = crowd(np.random.default_rng(15), 8, 900)
    wire = CrowdWire(frames, seed=1)
    _, finished = carried_out(frames, DP, Losing(wire, {"site-3": MaskedRequest}))
    (request,) = set(wire.requests)
    answered = [
        with_share(
            site,
            request,
            tables(rows, request.question, request.needs),
            seeded_chance(1, site),
        )
        for site, rows in frames.items()
        if site != "site-3"
    ]
    (opened,) = finished.opened
    found = opened.released[SURVIVAL]
    assert isinstance(found, ReleasedNoise)
    place = request.needs.index(SURVIVAL)
    by_hand = sum(one[place].values for one in answered)
    assert np.array_equal(found.table.table.values, by_hand)
