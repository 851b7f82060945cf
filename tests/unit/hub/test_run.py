"""One run, one roster: what is asked of whom, what happens when sites are lost, and how it ends."""

from __future__ import annotations

import os
from collections.abc import Callable

import msgspec
import numpy as np
import pytest

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.released import Withheld
from simulator.aggregates.survival import survival_layout
from simulator.aggregates.table import Table
from simulator.errors import CohortiumError, Refused, TooFewAnswers, UserError
from simulator.hub.analyses.comparison import Comparison
from simulator.hub.analyses.funnel import Funnel
from simulator.hub.exchanging import Traffic
from simulator.hub.run import Finished, carry_out
from simulator.hub.sizes import message_sizes
from simulator.hub.wire import Lost
from simulator.messages.codec import encode
from simulator.messages.needs import AssignmentNeed, SurvivalNeed
from simulator.messages.requests import (
    Apology,
    CatalogueAnswer,
    Refusal,
    RoundAnswer,
    RoundRequest,
    Trouble,
    roster_hash,
)
from simulator.privacy.releases import EXACT, SECURE_SUM, Release
from tests.unit.hub.wires import (
    Behaviour,
    FakeWire,
    answer,
    described,
    fails,
    is_lost,
    plan_of,
    refuses,
    says,
    study,
    tables,
    well,
)

SITES = ("a", "b", "c", "d")


def carried(wire: FakeWire, completeness: str = "1.0", release: Release = SECURE_SUM) -> Finished:
    return carry_out(
        plan_of(study(completeness), SITES, release),
        wire,
        run="run",
        seconds=5.0,
        traffic=Traffic(),
        source=os.urandom,
    )


def with_one(behaviour: Behaviour, site: str = "c") -> FakeWire:
    return FakeWire(dict.fromkeys(SITES, well) | {site: behaviour})


def funnel(finished: Finished) -> Funnel:
    return next(part for part in finished.parts if isinstance(part, Funnel))


def comparison(finished: Finished) -> Comparison:
    return next(part for part in finished.parts if isinstance(part, Comparison))


def test_a_run_asks_every_site_the_same_once() -> None:
    wire = FakeWire(dict.fromkeys(SITES, well))
    finished = carried(wire)
    ((request, asked),) = wire.requests
    assert asked == SITES
    assert (request.run, request.round) == ("run-1", 1)
    assert (request.roster, request.roster_size) == (roster_hash(SITES), 4)
    assert (finished.roster, finished.lost, finished.attempts) == (SITES, (), 1)
    # 4 sites with 12 and 15 patients, and 20 more each that fell at the first step
    assert funnel(finished).patients == 4 * 27
    assert funnel(finished).steps[0].patients == 4 * 47
    assert [arm.patients for arm in comparison(finished).arms] == [48, 60]


def test_all_needs_go_in_one_message_however_the_analyses_are_cut() -> None:
    wire = FakeWire(dict.fromkeys(SITES, well))
    carried(wire)
    kinds = [need.__struct_config__.tag for need in wire.requests[0][0].needs]
    assert sorted(str(kind) for kind in kinds) == ["assignment", "attrition", "survival"]


def test_sums_do_not_depend_on_who_answers_first() -> None:
    turned = FakeWire(dict(reversed(dict.fromkeys(SITES, well).items())))
    # Other places, so other months: only the sums of the two arms' patients stay.
    assert funnel(carried(turned)).patients == 4 * 27
    one, other = (comparison(carried(FakeWire(dict.fromkeys(SITES, well)))) for _ in range(2))
    assert one == other


def test_traffic_and_progress_are_told() -> None:
    plan, traffic, heard = plan_of(study(), SITES), Traffic(), list[str]()
    carry_out(
        plan,
        FakeWire(dict.fromkeys(SITES, well)),
        run="0" * 32,
        seconds=5.0,
        traffic=traffic,
        source=os.urandom,
        progress=heard.append,
    )
    assert sorted(heard) == list(SITES)
    assert (traffic.sent, traffic.received) == message_sizes(plan, masked=True)[0]


# A site is lost


def _wrong_shape(request: RoundRequest, site: str, place: int) -> bytes:
    layout = survival_layout(("with",), Grid(Unit.DAY, 12))
    return answer(request, site, (*tables(request, place)[:2], Table.zero(layout)))


def _too_few_tables(request: RoundRequest, site: str, place: int) -> bytes:
    return answer(request, site, tables(request, place)[:2])


def _negative(request: RoundRequest, site: str, place: int) -> bytes:
    first, *others = tables(request, place)
    cells = first.flat().copy()
    cells[1] = -1
    return answer(request, site, (Table.from_flat(first.layout, cells), *others))


def _with_cells(axis: str, **cells: int) -> Behaviour:
    """An answer in which some cells of the table with this first and only axis are others."""

    def behave(request: RoundRequest, site: str, place: int) -> bytes:
        found = list(tables(request, place))
        for at, table in enumerate(found):
            if [one.name for one in table.layout.axes] == [axis]:
                flat = table.flat().copy()
                for cell, value in cells.items():
                    flat[int(cell.removeprefix("cell_"))] = value
                found[at] = Table.from_flat(table.layout, flat)
        return answer(request, site, tuple(found))

    return behave


def _about(**changed: object) -> Behaviour:
    """An answer that is right but for what it says that it is about."""

    def behave(request: RoundRequest, site: str, place: int) -> bytes:
        sent = answer(request, site, tables(request, place))
        return encode(msgspec.structs.replace(_decoded(sent), **changed))

    return behave


def _decoded(data: bytes) -> RoundAnswer:
    return msgspec.msgpack.decode(data, type=RoundAnswer)


def _a_request_back(request: RoundRequest, _site: str, _place: int) -> bytes:
    return encode(request)


def _a_catalogue(_request: RoundRequest, site: str, _place: int) -> bytes:
    return encode(CatalogueAnswer(described(site, study().question)))


ANOTHER = "its answer does not fit: the answer is to another request"
FAULTS: dict[str, tuple[Behaviour, str]] = {
    "silent": (is_lost(Lost.SILENT), "no answer before the deadline"),
    "off line": (is_lost(Lost.OFF_LINE), "off line"),
    "crashed": (is_lost(Lost.CRASHED), "its process ended"),
    "late": (fails(Trouble.DEADLINE), "the deadline passed"),
    "no database": (fails(Trouble.DATABASE), "its database could not be read"),
    "did not understand": (fails(Trouble.REQUEST), "it did not understand the request"),
    "failed inside": (fails(Trouble.DEFECT), "it failed inside"),
    "refused": (refuses("its policy says no"), "its policy says no"),
    "garbage": (says(b"\xc1garbage"), "its answer does not fit: "),
    "nothing": (says(b""), "its answer does not fit: "),
    "a request": (_a_request_back, "its answer does not fit: "),
    "a catalogue": (_a_catalogue, "its answer does not fit: it is to another kind of request"),
    "another shape": (_wrong_shape, "its answer does not fit: 1464 cells were expected; got 732"),
    "too few tables": (_too_few_tables, "its answer does not fit: 3 tables were expected"),
    "a negative count": (_negative, "its answer does not fit: a count is negative"),
    # A catalogue of 1,000 persons is rounded down to tens.
    "more than there are": (
        _with_cells("step", cell_0=1010),
        "its answer does not fit: a count is above 1009, the persons that there are",
    ),
    "beyond any number": (
        _with_cells("step", cell_0=2**62),
        "its answer does not fit: a count is above 1009, the persons that there are",
    ),
    "steps that rise": (
        _with_cells("step", cell_0=26),
        "its answer does not fit: a step leaves more patients than the one before it",
    ),
    "arms unlike their survival": (
        _with_cells("arm", cell_0=11, cell_1=16),
        "its answer does not fit: the arms' patients are not those of their survival",
    ),
    "another run": (_about(run="run-0"), ANOTHER),
    "another round": (_about(round=2), ANOTHER),
    "another roster": (_about(roster=roster_hash(("a",))), ANOTHER),
    "another site's": (_about(site="a"), "its answer does not fit: it is another site's"),
    "never heard of": (lambda *_: None, "no answer before the deadline"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_lost_site_makes_the_run_start_anew_without_it(fault: str) -> None:
    behaviour, reason = FAULTS[fault]
    wire = with_one(behaviour)
    finished = carried(wire, "0.75", EXACT)
    assert finished.roster == ("a", "b", "d")
    assert finished.attempts == 2
    (loss,) = finished.lost
    assert loss.site == "c"
    assert loss.reason.startswith(reason)
    assert loss.refused == (fault == "refused")
    first, second = wire.requests
    assert first[1] == SITES
    assert second[1] == finished.roster
    assert (first[0].run, second[0].run) == ("run-1", "run-2")
    assert second[0].roster == roster_hash(finished.roster)
    assert funnel(finished).patients == 3 * 27


@pytest.mark.parametrize("fault", FAULTS)
def test_a_study_that_demands_all_sites_fails_instead(fault: str) -> None:
    behaviour, reason = FAULTS[fault]
    kind = Refused if fault == "refused" else TooFewAnswers
    with pytest.raises(kind) as caught:
        carried(with_one(behaviour), release=EXACT)
    told = "3 of 4 eligible sites answered; the study demands 100%. c: " + reason
    assert told in str(caught.value)
    assert caught.value.exit_code == (3 if fault == "refused" else 4)


def test_a_site_that_is_lost_in_the_second_attempt_is_lost_too() -> None:
    def later(request: RoundRequest, site: str, place: int) -> bytes | Lost | None:
        return Lost.SILENT if request.run == "run-2" else well(request, site, place)

    wire = FakeWire(dict.fromkeys(SITES, well) | {"a": is_lost(Lost.SILENT), "b": later})
    finished = carried(wire, "0.5", EXACT)
    assert finished.attempts == 3
    assert [loss.site for loss in finished.lost] == ["a", "b"]
    assert finished.roster == ("c", "d")
    assert funnel(finished).patients == 2 * 27
    assert wire.requests[-1][0].roster_size == 2


@pytest.mark.parametrize(("demands", "ends"), [("0.75", False), ("0.76", True)])
def test_completeness_is_the_share_of_the_sites_asked(demands: str, *, ends: bool) -> None:
    wire = with_one(is_lost(Lost.SILENT))
    if ends:
        with pytest.raises(TooFewAnswers, match=r"3 of 4 .* the study demands 76%"):
            carried(wire, demands)
    else:
        assert carried(wire, demands).roster == ("a", "b", "d")


def test_without_any_site_a_run_ends_whatever_the_study_demands() -> None:
    wire = FakeWire(dict.fromkeys(SITES, is_lost(Lost.SILENT)))
    with pytest.raises(TooFewAnswers, match="0 of 4"):
        carried(wire, "0.0")


def test_if_all_refuse_the_run_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        carried(FakeWire(dict.fromkeys(SITES, refuses("not here"))), "0.5")
    assert caught.value.exit_code == 3
    assert "0 of 4 eligible sites answered" in str(caught.value)
    assert caught.value.hint == (
        "Ask for what the sites' policies allow, or mend them, or look at it in the laboratory "
        "with --release exact."
    )


def test_if_some_refuse_and_some_are_silent_too_few_answered() -> None:
    sites = {"a": refuses(), "b": is_lost(Lost.SILENT), "c": refuses(), "d": refuses()}
    with pytest.raises(TooFewAnswers):
        carried(FakeWire(sites), "0.5")


def test_only_the_first_of_many_losses_are_listed() -> None:
    sites = tuple(f"site-{place}" for place in range(9))
    wire = FakeWire(dict.fromkeys(sites, is_lost(Lost.SILENT)))
    with pytest.raises(TooFewAnswers) as caught:
        carry_out(
            plan_of(study(), sites),
            wire,
            run="run",
            seconds=1.0,
            traffic=Traffic(),
            source=os.urandom,
        )
    told = "site-0, site-1, site-2 and 6 more: no answer before the deadline"
    assert told in str(caught.value)
    assert "site-3" not in str(caught.value)


# What a release does not let out, and what a study may not be


def _changed(change: Callable[[RoundRequest, list[Table]], None]) -> FakeWire:
    """All sites say the same, changed."""

    def behave(request: RoundRequest, site: str, place: int) -> bytes:
        found = list(tables(request, place))
        change(request, found)
        _agree(request, found)
        return answer(request, site, tuple(found))

    return FakeWire(dict.fromkeys(SITES, behave))


def _agree(request: RoundRequest, found: list[Table]) -> None:
    """Puts the patients of the survival table into the arms, as they are in any true answer."""
    arms = next(
        table.values.sum(axis=(1, 2))
        for need, table in zip(request.needs, found, strict=True)
        if isinstance(need, SurvivalNeed)
    )
    place = request.needs.index(AssignmentNeed())
    cells = found[place].flat().copy()
    cells[: len(arms)] = arms
    found[place] = Table.from_flat(found[place].layout, cells)


def _with_arm(size: int) -> Callable[[RoundRequest, list[Table]], None]:
    """At site a only, and only so many patients are in the first arm; all die in month 1."""

    def change(request: RoundRequest, found: list[Table]) -> None:
        for place, need in enumerate(request.needs):
            if isinstance(need, SurvivalNeed):
                values = found[place].values.copy()
                values[0] = 0
                values[0, 0, 0] = size
                found[place] = Table(found[place].layout, values)

    return change


@pytest.mark.parametrize(("size", "error"), [(0, UserError), (1, Refused), (2, Refused), (3, None)])
def test_arms_of_1_to_10_are_refused_and_empty_ones_are_the_users(
    size: int, error: type[CohortiumError] | None
) -> None:
    wire = _changed(_with_arm(size))  # at each of 4 sites: 0, 4, 8, 12 patients
    if error is None:
        assert [arm.patients for arm in comparison(carried(wire)).arms] == [12, 60]
        return
    with pytest.raises(error) as caught:
        carried(wire)
    assert "'with'" in str(caught.value)
    assert caught.value.exit_code == (2 if size == 0 else 3)
    assert str(4 * size) not in str(caught.value).replace("11", "") or size == 0


def test_a_small_arm_is_shown_in_the_laboratory() -> None:
    finished = carried(_changed(_with_arm(1)), release=EXACT)
    assert comparison(finished).arms[0].patients == 4


@pytest.mark.parametrize(
    ("several", "release", "told"),
    [(1, SECURE_SUM, "some"), (3, SECURE_SUM, "some"), (1, EXACT, "4"), (3, EXACT, "12")],
)
def test_overlapping_arms_are_refused_without_a_number_that_nobody_audits(
    several: int, release: Release, told: str
) -> None:
    def overlap(request: RoundRequest, found: list[Table]) -> None:
        place = request.needs.index(AssignmentNeed())
        cells = found[place].flat().copy()
        cells[-1] = several
        found[place] = Table.from_flat(found[place].layout, cells)

    with pytest.raises(UserError) as caught:
        carried(_changed(overlap), release=release)
    assert caught.value.message == (
        f"the arms overlap: {told} patients are in more than one of 'with', 'without'"
    )
    assert "exclude each other" in str(caught.value.hint)


def test_small_steps_are_withheld_under_secure_sum_only() -> None:
    def near(_request: RoundRequest, found: list[Table]) -> None:
        for place, table in enumerate(found):
            if table.layout.axes[0].name == "step":
                cells = np.array([29, 27, 27], dtype=np.int64)  # 4 sites: 116, 108, 108
                found[place] = Table.from_flat(table.layout, cells)

    seen = [step.patients for step in funnel(carried(_changed(near))).steps]
    assert isinstance(seen[0], Withheld)
    assert seen[1:] == [108, 108]
    raw = [step.patients for step in funnel(carried(_changed(near), release=EXACT)).steps]
    assert raw == [116, 108, 108]


@pytest.mark.parametrize(("release", "matches"), [(EXACT, 4), (SECURE_SUM, None)])
def test_which_sites_have_matches_is_counted_in_the_laboratory_only(
    release: Release, matches: int | None
) -> None:
    finished = carried(FakeWire(dict.fromkeys(SITES, well)), release=release)
    assert finished.opened[0].sites_with_matches == matches


def test_the_share_alone_in_a_cell_is_counted() -> None:
    def alone(request: RoundRequest, found: list[Table]) -> None:
        for place, need in enumerate(request.needs):
            if isinstance(need, SurvivalNeed):
                values = np.zeros_like(found[place].values)
                values[:, 0, 0] = 3  # 12 of each arm die in month 1
                found[place] = Table(found[place].layout, values)

    everyone = carried(_changed(alone))
    assert everyone.opened[0].alone_in_a_cell == 0.0

    def one_more(request: RoundRequest, site: str, place: int) -> bytes:
        found = list(tables(request, place))
        alone(request, found)
        for at, need in enumerate(request.needs):
            if isinstance(need, SurvivalNeed) and site == "a":
                values = found[at].values.copy()
                values[0, 5, 1] = 1
                found[at] = Table(found[at].layout, values)
        _agree(request, found)
        return answer(request, site, tuple(found))

    one = carried(FakeWire(dict.fromkeys(SITES, one_more)))
    assert one.opened[0].alone_in_a_cell == pytest.approx(1 / 25)


def test_what_an_apology_says_is_only_its_kind() -> None:
    assert set(Apology.__struct_fields__) == {"site", "trouble"}
    assert set(Refusal.__struct_fields__) == {"site", "reason"}
