"""Noise through the whole path: added by every site, inside the sum, told with its error."""

from __future__ import annotations

import datetime as dt
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.released import Noisy
from simulator.aggregates.table import Table
from simulator.engines.local import LocalWire
from simulator.errors import TooFewAnswers
from simulator.hub.aggregator import open_sums
from simulator.hub.analyses.released import Analysis, ReleasedCounts, ReleasedNoise
from simulator.hub.analyses.under_noise import under_noise
from simulator.hub.exchanging import Traffic
from simulator.hub.run import carry_out
from simulator.hub.wire import Failure, Lost, Reply, Wire
from simulator.messages.codec import decode_request
from simulator.messages.masked import MaskedRequest
from simulator.messages.needs import (
    Need,
    SurvivalNeed,
    kind_of,
    layout_of,
)
from simulator.messages.noise import cost_of, noise_laws, noise_scales, parts_of
from simulator.network import make_node
from simulator.privacy.budget import epsilon_of, sequential
from simulator.privacy.noise.laws import Law, Mechanism
from simulator.privacy.release import Noise, Release
from simulator.privacy.releases import DP, chosen
from simulator.privacy.sources import keyed_source
from simulator.privacy.spending import DELTA, UNBOUNDED, WEIGHTS, plan_spending
from simulator.site.pool import StorePool
from simulator.truth.at_site import patients_at
from simulator.truth.counted import tables
from tests.support.crowds import (
    STUDY,
    CrowdWire,
    carried_out,
    crowd,
    exact,
    told,
)
from tests.support.noisy_sums import (
    ASSIGNMENT,
    ATTRITION,
    EPSILON,
    GRID,
    HONEST,
    NEEDS,
    RUNS,
    SITES,
    SURVIVAL,
    Cells,
    Reals,
    apart,
    parted,
    pool,
    request_of,
    shares,
)
from tests.support.omop import write_omop
from tests.support.records import record, rows
from tests.unit.hub.wires import plan_of

_MANY: Final = int(os.environ.get("EXAMPLES", "20"))


# A site's noise is its own, new in each run, and knows nothing of what it is added to


@settings(derandomize=True, max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), mechanism=st.sampled_from(["laplace", "skellam"]))
def test_noise_does_not_depend_on_what_it_is_added_to(seed: int, mechanism: str) -> None:
    request = request_of(chosen("dp", None, "0.7", mechanism))
    people = exact(crowd(np.random.default_rng(seed), 3, 50), request)
    nobody = [Table.zero(table.layout) for table in people]
    counts = np.concatenate([table.flat() for table in people])
    with_people = shares(request, str(seed), "site-1", people)
    assert np.array_equal(with_people - counts, shares(request, str(seed), "site-1", nobody))


def uncorrelated(one: Cells, other: Cells) -> None:
    """Cells that vary by themselves; 4.5 standard errors."""
    assert one.shape == other.shape
    assert one.any()
    assert other.any()
    found = np.corrcoef(one.ravel(), other.ravel())[0, 1]
    assert abs(found) < 4.5 / math.sqrt(one.size), found


def test_sites_and_tables_and_runs_have_noise_of_their_own() -> None:
    kinds = parted(apart(pool()))
    for noise in kinds.values():
        for first, second in combinations(range(len(SITES)), 2):
            uncorrelated(noise[:, first], noise[:, second])
        uncorrelated(noise[:-1], noise[1:])
        uncorrelated(noise[..., :-1], noise[..., 1:])
    least = min(noise.shape[-1] for noise in kinds.values())
    for one, other in combinations(kinds.values(), 2):
        uncorrelated(one[..., :least], other[..., :least])


# What is told of the noise is true


def as_it_is_told(counts: Cells, release: Release, answering: int) -> dict[str, Reals]:
    """The standard error that a result would tell of each cell of a sum."""
    request = request_of(release)
    parts = parted(counts)
    sums = {
        need: Table.from_flat(layout_of(need, request.question), parts[kind_of(need)])
        for need in NEEDS
    }
    opened = open_sums(request, release, sums, answering, keyed_source(b"hub"))
    found: dict[str, Reals] = {}
    for need, released in opened.released.items():
        if isinstance(released, ReleasedCounts):
            values = [count for count in released.counts if isinstance(count, Noisy)]
            assert [one.noisy for one in values] == np.maximum(parts[kind_of(need)], 0).tolist()
            found[kind_of(need)] = np.array([one.standard_error for one in values])
        else:
            assert isinstance(released, ReleasedNoise)
            size = released.table.table.layout.cells
            assert np.array_equal(released.table.table.flat(), parts[kind_of(need)])
            found[kind_of(need)] = np.full(size, math.sqrt(released.law.variance))
    return found


def the_law_is_as_told(sums: Cells, stated: Reals) -> None:
    """Mean 0 and the stated variance, within 5 standard errors; shape (runs, cells)."""
    runs = len(sums)
    squares = sums.astype(np.float64) ** 2
    assert (np.abs(sums.mean(axis=0)) < 5 * stated / math.sqrt(runs)).all()
    error = squares.std(axis=0) / math.sqrt(runs)
    assert (np.abs(squares.mean(axis=0) - stated**2) < 5 * error).all()


@pytest.mark.parametrize("mechanism", ["laplace", "skellam"])
@pytest.mark.parametrize("answering", [HONEST, len(SITES)])
def test_counts_are_right_on_average_and_as_far_off_as_is_told(
    mechanism: str, answering: int
) -> None:
    release = chosen("dp", None, EPSILON, mechanism)
    assert parts_of(request_of(release)) == HONEST
    runs = RUNS if mechanism == "laplace" else 200  # a variance of Skellam noise takes long
    sums = pool(EPSILON, mechanism, runs)[:, :answering].sum(axis=1)
    told_errors = as_it_is_told(np.full(sums.shape[1], 1000), release, answering)
    for kind, noise in parted(sums).items():
        the_law_is_as_told(noise, told_errors[kind])


def test_errors_that_are_told_wrongly_are_seen() -> None:
    """As if each step of the attrition had noise of its own, or one site more had answered."""
    sums = parted(pool()[:, :HONEST].sum(axis=1))
    right = as_it_is_told(np.full(pool().shape[2], 1000), chosen("dp", None, EPSILON), HONEST)
    apart = np.full(right["attrition"].shape, right["attrition"][-1])
    more = right["survival"] * math.sqrt(len(SITES) / HONEST)
    for kind, wrong in (("attrition", apart), ("survival", more)):
        the_law_is_as_told(sums[kind], right[kind])
        with pytest.raises(AssertionError):
            the_law_is_as_told(sums[kind], wrong)


def test_a_step_of_the_attrition_has_the_noise_of_all_later_ones() -> None:
    """Second way: exclusive cells have one law each, and no step has noise that its parts lack."""
    exclusive = parted(apart(pool()[:, :HONEST].sum(axis=1)))["attrition"]
    law = noise_laws(request_of(chosen("dp", None, EPSILON)), HONEST)["attrition"]
    the_law_is_as_told(exclusive, np.full(exclusive.shape[1], math.sqrt(law.variance)))
    uncorrelated(exclusive[:, :-1], exclusive[:, 1:])


@pytest.mark.laws
@pytest.mark.parametrize(("size", "epsilon"), [(900, "1"), (300, "1"), (900, "3")])
def test_totals_of_arms_are_as_far_off_as_is_told(size: int, epsilon: str) -> None:
    """Over many runs on one crowd: deaths, censorings and those still watched, of each arm."""
    release = chosen("dp", None, epsilon)
    request = request_of(release)
    frames = crowd(np.random.default_rng(21), len(SITES), size)
    held = {site: tables(rows, request.question, NEEDS) for site, rows in frames.items()}
    cells = exact(frames, request)[NEEDS.index(SURVIVAL)].values
    watched = cells.sum(axis=2)
    off: dict[tuple[int, str], list[tuple[float, float]]] = {}
    for run in range(min(5 * _MANY, 400)):
        sums = sum(shares(request, str(run), site, held[site]) for site in SITES)
        parts = {kind_of(need): need for need in NEEDS}
        found = {
            parts[kind]: Table.from_flat(layout_of(parts[kind], request.question), part)
            for kind, part in parted(np.asarray(sums)).items()
        }
        opened = open_sums(request, release, found, len(SITES), keyed_source(b"hub"))
        table = opened.released[SURVIVAL]
        assert isinstance(table, ReleasedNoise)
        for place, arm in enumerate(under_noise(STUDY, release, table).arms):
            events, censored = cells[place].sum(axis=0)
            told_and_true = [("events", arm.events, events), ("censored", arm.censored, censored)]
            told_and_true += [
                (f"at {mark.months}", mark.at_risk, watched[place, mark.months :].sum())
                for mark in arm.survival
                if mark.months < GRID.months
            ]
            for name, count, truth in told_and_true:
                assert isinstance(count, Noisy)
                pairs = off.setdefault((place, name), [])
                pairs.append((count.noisy - float(truth), count.standard_error))
    for name_of, pairs in off.items():
        error, stated = np.sqrt((np.array(pairs) ** 2).mean(axis=0))
        assert 0.75 < error / stated < 1.3, (name_of, error, stated)


# What is paid


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    kinds=st.lists(st.sampled_from(sorted(WEIGHTS)), min_size=1, unique=True),
    epsilon=st.fractions(Fraction(1, 20), 20),
    skellam=st.booleans(),
    sites=st.integers(1, 3),
)
def test_the_parts_together_cost_what_the_run_may(
    kinds: list[str], epsilon: Fraction, *, skellam: bool, sites: int
) -> None:
    mechanism = Mechanism.SKELLAM if skellam else Mechanism.LAPLACE
    scales = plan_spending(kinds, epsilon, mechanism=mechanism, sites_per_patient=sites)
    cost = sequential(scale.cost for scale in scales.values())
    if skellam:
        assert cost.pure is None
        assert epsilon_of(cost.zcdp, DELTA) <= epsilon
        return
    assert cost.pure == sum((scale.cost.pure or 0 for scale in scales.values()), Fraction(0))
    assert cost.pure == epsilon
    # The second way: an L1 of one cell per table and site, at the scale of the noise.
    by_hand = sum(sites / scale.parameter for scale in scales.values())
    assert by_hand == epsilon


def test_patients_at_two_sites_get_the_noise_of_half_the_epsilon() -> None:
    noise = Noise(EPSILON, sites_per_patient=2)
    stated = noise_scales(request_of(msgspec.structs.replace(DP, noise=noise)))
    half = noise_scales(request_of(chosen("dp", None, str(Fraction(EPSILON) / 2))))
    assert {kind: scale.parameter for kind, scale in stated.items()} == {
        kind: scale.parameter for kind, scale in half.items()
    }
    cost = sequential(scale.cost for scale in stated.values())
    assert cost.pure == Fraction(EPSILON)


def test_the_kinds_without_bound_have_no_noise() -> None:
    assert UNBOUNDED.isdisjoint(WEIGHTS)
    assert UNBOUNDED.isdisjoint(DP.treatments)


@pytest.mark.parametrize("mechanism", ["laplace", "skellam"])
@pytest.mark.parametrize("epsilon", ["0.3", "1", "7/3"])
def test_a_run_costs_what_it_says(epsilon: str, mechanism: str) -> None:
    """One round in which everything is asked, so that its cost is the run's."""
    release = chosen("dp", None, epsilon, mechanism)
    frames = crowd(np.random.default_rng(3), 4, 900)
    wire = CrowdWire(frames, 3)
    plan, finished = carried_out(frames, release, wire)
    (asked,) = set(wire.requests)
    assert len(finished.opened) == 1
    assert release.noise is not None
    assert asked.release.noise == release.noise
    cost = cost_of(asked)
    assert cost is not None
    assert cost == sequential(scale.cost for scale in noise_scales(asked).values())
    if mechanism == "laplace":
        assert cost.pure == Fraction(epsilon)
    assert epsilon_of(cost.zcdp, DELTA) <= Fraction(epsilon) or cost.pure is not None
    stated = told(plan, finished).release.noise
    assert stated is not None
    assert Fraction(stated.epsilon) == Fraction(epsilon)


# Real sites: the noise of a run is that run's, and losing sites leaves what was promised


WIDE: Final = msgspec.structs.replace(
    STUDY,
    question=msgspec.structs.replace(
        STUDY.question,
        follow_up=msgspec.structs.replace(STUDY.question.follow_up, months=600),
    ),
)
"""With many cells, so that one run shows the law of its noise."""
WIDE_NEED: Final = SurvivalNeed(Grid(Unit.MONTH, 600))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Six sites, one of them with nobody."""
    home, chance = tmp_path_factory.mktemp("noise"), np.random.default_rng(11)
    made = []
    for place in range(6):
        people = []
        for person in range(0 if place == 2 else 8):
            index = int(chance.integers(0, 300))
            drug = f"chemo on {index - 5}, " if person % 2 else ""
            dead = f"dead on {index + int(chance.integers(1, 900))}, " if person % 3 else ""
            watched = f"watched {index - 50} to {index + 1000}"
            people.append(record(f"{drug}index on {index}, {dead}{watched}"))
        made.append(write_omop(home / f"site-{place}", rows(enumerate(people, start=1))))
    return made


class Losing:
    """A wire that loses some sites when their masked cells are asked for."""

    def __init__(self, wire: Wire, lost: Sequence[str]) -> None:
        self._wire = wire
        self._lost = lost

    def exchange(self, messages: Mapping[str, bytes], seconds: float) -> Iterator[Reply | Failure]:
        masked = isinstance(decode_request(next(iter(messages.values()))), MaskedRequest)
        gone = [site for site in self._lost if site in messages] if masked else []
        yield from (Failure(site, Lost.SILENT) for site in gone)
        kept = {site: data for site, data in messages.items() if site not in gone}
        yield from self._wire.exchange(kept, seconds)


def looking() -> Analysis:
    """Asks for everything, and looks at it as it is."""
    released = yield frozenset[Need]({ATTRITION, ASSIGNMENT, WIDE_NEED})
    return released


def noise_of(
    folders: list[Path], run: str, seed: int, lost: Sequence[str] = ()
) -> tuple[Cells, Law]:
    """The noise in the survival table of a run over real sites, and the law told of it."""
    stores = StorePool()
    nodes = {
        folder.name: make_node(folder, stores, _now, laboratory=True, seed=seed)
        for folder in folders
    }
    plan = replace(plan_of(WIDE, tuple(nodes), DP), starts=lambda _unit: (looking(),))
    finished = carry_out(
        plan,
        Losing(LocalWire(nodes, 2), lost),
        run=run,
        seconds=60.0,
        traffic=Traffic(),
        source=keyed_source(b"hub", run),
    )
    stores.close()
    found = finished.opened[0].released[WIDE_NEED]
    assert isinstance(found, ReleasedNoise)
    kept = [folder for folder in folders if folder.name not in lost]
    frames = [patients_at(folder, WIDE.question) for folder in kept]
    (truth,) = tables(pl.concat(frames), WIDE.question, [WIDE_NEED])
    assert truth.values.sum() > 20
    return found.table.table.values - truth.values, found.law


def _now() -> dt.datetime:
    return dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def test_the_same_seed_and_run_give_the_same_noise_and_others_give_others(
    folders: list[Path],
) -> None:
    first, law = noise_of(folders, "one", 1)
    assert np.array_equal(first, noise_of(folders, "one", 1)[0])
    for run, seed in (("two", 1), ("one", 2)):
        other, _ = noise_of(folders, run, seed)
        uncorrelated(first, other)
        together = np.stack([first.ravel(), other.ravel(), (first - other).ravel()])
        expected = law.variance * np.array([1, 1, 2])
        spread = (together.astype(np.float64) ** 2).std(axis=1) / math.sqrt(first.size)
        assert (np.abs((together**2).mean(axis=1) - expected) < 5 * spread).all()


@pytest.mark.parametrize("lost", [("site-1",), ("site-2",)])
def test_a_site_that_is_lost_leaves_the_noise_that_was_promised(
    folders: list[Path], lost: tuple[str, ...]
) -> None:
    """Of six, five at the least are honest: shares are made for five."""
    noise, law = noise_of(folders, "less", 1, lost)
    assert (law.parts, law.answering) == (5, 5)
    the_law_is_as_told(noise.reshape(-1, 1), np.array([math.sqrt(law.variance)]))


def test_a_run_with_too_few_sites_left_tells_nothing() -> None:
    """Masks alone would bear the loss of one of six; noise shared out for six does not."""
    frames = crowd(np.random.default_rng(3), 6, 900)
    lost = ["site-1"]
    _, finished = carried_out(frames, DP, Losing(CrowdWire(frames), lost))
    assert len(finished.roster) == 5
    strict = msgspec.structs.replace(DP, noise=Noise("1", least_honest=84))
    with pytest.raises(TooFewAnswers, match="5 of 6 sites are left; the noise"):
        carried_out(frames, strict, Losing(CrowdWire(frames), lost))
