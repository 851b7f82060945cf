"""Federated equals pooled: rows at any sites, through messages and sums, against lifelines.

The reference never sees a table: it takes the rows of all sites together. Curves, medians and the
log-rank test agree to 1e-9, hazard ratios to 1e-6, where lifelines stops.
"""

from __future__ import annotations

import datetime as dt
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from simulator.aggregates.grid import Unit
from simulator.engines.local import LocalWire
from simulator.hub.analyses.comparison import Comparison
from simulator.hub.analyses.funnel import Funnel
from simulator.hub.exchanging import Traffic
from simulator.hub.run import Finished, carry_out
from simulator.hub.wire import Wire
from simulator.language.reading import parse_study
from simulator.language.study import Study
from simulator.network import make_node
from simulator.privacy.releases import EXACT, SECURE_SUM
from simulator.site.pool import StorePool
from simulator.site.store import Store
from simulator.truth.counted import in_an_arm
from simulator.truth.interpreter import patients
from simulator.truth.pooled import pooled_truth
from simulator.truth.values import PooledTruth
from tests.support.omop import write_omop
from tests.support.records import Drawn, record, rows
from tests.unit.hub.memory import ROWS, MemoryWire, in_arm
from tests.unit.hub.wires import plan_of

_MANY: Final = int(os.environ.get("EXAMPLES", "1000"))
_quick = settings(
    derandomize=True, max_examples=12, deadline=None, suppress_health_check=[*HealthCheck]
)
_long = settings(_quick, derandomize=False, max_examples=_MANY, database=None)

STUDY: Final = parse_study("""
study: law
version: 1
title: four arms
codes:
  embolization: [CPT4 37243]
  carrier: [CPT4 79445]
  drug: [RxNorm 3639 with descendants]
  tumour: [ICD10CM C50 with descendants]
index: {procedure: embolization, occurrence: first}
steps:
  - step: a tumour before
    require: {condition: tumour, days: any to 0}
arms:
  carrier and drug: {all: [{procedure: carrier, days: 0}, {drug: drug, days: -90 to -1}]}
  carrier: {all: [{procedure: carrier, days: 0}, {none: [{drug: drug, days: -90 to -1}]}]}
  drug: {all: [{none: [{procedure: carrier, days: 0}]}, {drug: drug, days: -90 to -1}]}
  neither: {none: [{procedure: carrier, days: 0}, {drug: drug, days: -90 to -1}]}
outcome: death
follow up: {months: 40}
analyses: {survival at months: [1, 6, 12, 36], reference arm: carrier}
""")
ARMS: Final = len(STUDY.question.arms)


def federated(wire: Wire, sites: Sequence[str], study: Study = STUDY) -> Finished:
    return carry_out(
        plan_of(study, tuple(sites), EXACT),
        wire,
        run="law",
        seconds=300.0,
        traffic=Traffic(),
        source=os.urandom,
    )


def near(one: float | None, other: float | None, tolerance: float) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance)


def agree(finished: Finished, truth: PooledTruth) -> None:
    """Every number of the result is that of the pooled rows."""
    found = next(part for part in finished.parts if isinstance(part, Comparison))
    total = next(part for part in finished.parts if isinstance(part, Funnel)).patients
    assert total == sum(arm.patients for arm in truth.arms)
    for mine, theirs in zip(found.arms, truth.arms, strict=True):
        assert (mine.arm, mine.patients, mine.events) == (
            theirs.arm,
            theirs.patients,
            theirs.events,
        )
        assert mine.censored == theirs.patients - theirs.events
        for bound in ("estimate", "lower", "upper"):
            assert near(
                getattr(mine.median_months, bound), getattr(theirs.median_months, bound), 1e-9
            )
        assert near(mine.median_follow_up_months, theirs.median_follow_up_months.estimate, 1e-9)
        for mark, other in zip(mine.survival, theirs.survival, strict=True):
            assert (mark.months, mark.at_risk) == (other.months, other.at_risk)
            for bound in ("estimate", "lower", "upper"):
                assert near(getattr(mark, bound), getattr(other.survival, bound), 1e-9)
    contrasts_agree(found, truth)


def contrasts_agree(found: Comparison, truth: PooledTruth) -> None:
    assert found.log_rank is not None
    assert near(found.log_rank.statistic, truth.log_rank.statistic, 1e-9)
    assert found.log_rank.df == truth.log_rank.degrees_of_freedom
    assert near(found.log_rank.p, truth.log_rank.p, 1e-9)
    for ratio, other in zip(found.hazard_ratios, truth.hazard_ratios, strict=True):
        assert (ratio.arm, ratio.reference) == (other.arm, other.reference)
        assert near(ratio.estimate, other.ratio.estimate, 1e-6)
        assert near(ratio.lower, other.ratio.lower, 1e-6)
        assert near(ratio.upper, other.ratio.upper, 1e-6)


# Rows in memory, at 1 to 500 sites


@st.composite
def scattered(draw: st.DrawFn, least: int = 1) -> dict[str, pl.DataFrame]:
    """Rows of patients at sites, many of them empty; all arms run side by side and have deaths."""
    sites = draw(st.sampled_from([n for n in (1, 2, 3, 7, 68, 145, 500) if n >= least]))
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    size = draw(st.integers(60, 400))
    spread = draw(st.sampled_from([20, 200, 1500]))
    arm = chance.integers(0, ARMS, size)
    arm[: 8 * ARMS] = np.repeat(np.arange(ARMS), 8)  # each arm has at least eight
    days = chance.integers(0, spread, size)
    event = chance.random(size) < draw(st.sampled_from([0.3, 0.6, 0.95]))
    event[: 8 * ARMS : 2] = True
    # Some sites hold nearly all, most hold a few or nobody.
    weights = chance.pareto(1.0, sites) + 1e-9
    site = chance.choice(sites, size, p=weights / weights.sum())
    drawn = [
        {"person_id": person}
        | in_arm(STUDY.question, int(arm[person]), int(days[person]), event=bool(event[person]))
        for person in range(size)
    ]
    outside: dict[str, object] = {
        "arm": None,
        "arms_matched": 0,
        "steps_passed": 0,
        "days": 5,
        "event": True,
    }
    drawn += [{"person_id": size + other} | outside for other in range(size // 4)]
    places = [*site, *chance.integers(0, sites, size // 4)]
    frames = {}
    for number in range(sites):
        here = [row for row, place in zip(drawn, places, strict=True) if place == number]
        frames[f"site-{number}"] = pl.DataFrame(here, schema=ROWS, orient="row")
    return frames


def _in_memory(frames: dict[str, pl.DataFrame]) -> None:
    finished = federated(MemoryWire(frames), list(frames))
    agree(finished, pooled_truth([*frames.values()], STUDY, Unit.DAY))


@_quick
@given(frames=scattered())
def test_any_sites_give_what_the_pooled_rows_give(frames: dict[str, pl.DataFrame]) -> None:
    _in_memory(frames)


@pytest.mark.laws
@_long
@given(frames=scattered())
def test_any_sites_give_what_the_pooled_rows_give_for_long(
    frames: dict[str, pl.DataFrame],
) -> None:
    _in_memory(frames)


@settings(_quick, max_examples=5)
@given(frames=scattered(), data=st.data())
def test_the_law_can_fail(frames: dict[str, pl.DataFrame], data: st.DataObject) -> None:
    """One patient less at one site is seen."""
    held = [site for site, frame in frames.items() if frame.filter(arms_matched=1).height]
    site = data.draw(st.sampled_from(held))
    truth = pooled_truth([*frames.values()], STUDY, Unit.DAY)
    frame = frames[site].sort("arms_matched")
    finished = federated(MemoryWire(frames | {site: frame.head(-1)}), list(frames))
    with pytest.raises(AssertionError):
        agree(finished, truth)


@settings(_quick, max_examples=6)
@given(frames=scattered(least=3))
def test_by_month_the_tests_agree_too(frames: dict[str, pl.DataFrame]) -> None:
    """Under secure-sum, by month: log-rank and Cox use the full risk set, as lifelines does."""
    assume(_all_arms_large(frames))
    finished = carry_out(
        plan_of(STUDY, tuple(frames), SECURE_SUM),
        MemoryWire(frames),
        run="law",
        seconds=300.0,
        traffic=Traffic(),
        source=os.urandom,
    )
    found = next(part for part in finished.parts if isinstance(part, Comparison))
    contrasts_agree(found, pooled_truth([*frames.values()], STUDY, Unit.MONTH))


def _all_arms_large(frames: dict[str, pl.DataFrame]) -> bool:
    followed = pl.concat([in_an_arm(frame, STUDY.question) for frame in frames.values()])
    counts = followed["arm"].value_counts()["count"]
    return counts.len() == ARMS and all(count >= SECURE_SUM.threshold for count in counts)


# Real databases behind real nodes


_SITES: Final = 6


def _one(chance: np.random.Generator) -> Drawn:
    """A patient with everything that the study asks about, most of it most of the time."""
    index = int(chance.integers(0, 900))
    parts = [f"index on {index}"]
    if chance.random() < 0.9:
        parts.append(f"tumour on {index - int(chance.integers(0, 60))}")
    if chance.random() < 0.5:
        parts.append(f"scan on {index + int(chance.random() < 0.1)}")
    if chance.random() < 0.6:
        parts.append(f"chemo on {index - int(chance.integers(0, 95))}")
    end = index + int(chance.integers(0, 900))
    if chance.random() < 0.6:
        parts.append(f"dead on {index + int(chance.integers(0, 700))}")
    parts.append(f"watched {index - 10} to {end}")
    return record(", ".join(parts))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Six sites of random patients, one of them with nobody, one with deaths by month."""
    home = tmp_path_factory.mktemp("federation")
    chance = np.random.default_rng(7)
    made = []
    for place in range(_SITES):
        size = 0 if place == 2 else int(chance.integers(20, 90))
        people = [_one(chance) for _ in range(size)]
        folder = write_omop(home / f"site-{place}", rows(enumerate(people, start=1)))
        if place == 4:
            (folder / "site.yaml").write_text("site: four\ndeath dates: month\n")
        made.append(folder)
    return made


def _now() -> dt.datetime:
    return dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def _rows(folder: Path) -> pl.DataFrame:
    store = Store(folder)
    try:
        return patients(store, STUDY.question, death_by_month=folder.name == "site-4")
    finally:
        store.close()


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("chosen", [tuple(range(_SITES)), (0, 1), (4, 2, 3), (5, 4)])
def test_real_sites_give_what_the_interpreters_rows_give(
    folders: list[Path], chosen: tuple[int, ...], jobs: int
) -> None:
    stores = StorePool(at_most=2)
    kept = [folders[place] for place in chosen]
    nodes = {folder.name: make_node(folder, stores, _now, laboratory=True) for folder in kept}
    finished = federated(LocalWire(nodes, jobs), [folder.name for folder in kept])
    agree(finished, pooled_truth([_rows(folder) for folder in kept], STUDY, Unit.DAY))
    stores.close()


def test_the_real_sites_hold_every_arm(folders: list[Path]) -> None:
    """Shows that the databases above ask something of everybody."""
    followed = pl.concat([in_an_arm(_rows(folder), STUDY.question) for folder in folders])
    assert sorted(followed["arm"].unique()) == list(range(ARMS))
    assert 0 < followed["event"].sum() < followed.height
