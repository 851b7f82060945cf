"""Subgroups, differences and quantiles of any number of sites are those of the pooled rows."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from typing import Any, Final, TypeVar

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from simulator.aggregates.grid import Unit
from simulator.aggregates.released import Withheld
from simulator.hub.analyses.comparison import Comparison
from simulator.hub.analyses.subgroups import Subgroups
from simulator.hub.exchanging import Traffic
from simulator.hub.run import Finished, carry_out
from simulator.language.reading import parse_study
from simulator.privacy.releases import EXACT, PLATFORM, SECURE_SUM, Release
from simulator.truth.counted import in_an_arm
from simulator.truth.pooled import pooled_truth
from simulator.truth.values import ContrastTruth, Interval, PooledTruth
from tests.unit.hub.memory import ROWS, MemoryWire, in_arm
from tests.unit.hub.wires import plan_of

Part = TypeVar("Part")
_MANY: Final = int(os.environ.get("EXAMPLES", "1000"))
_quick = settings(
    derandomize=True, max_examples=3, deadline=None, suppress_health_check=[*HealthCheck]
)
_long = settings(_quick, derandomize=False, max_examples=max(_MANY // 5, 1), database=None)

STUDY: Final = parse_study("""
study: law
version: 1
title: three arms by age
codes:
  embolization: [CPT4 37243]
  drug: [RxNorm 3639]
  other: [RxNorm 1946821]
index: {procedure: embolization, occurrence: first}
steps: []
arms:
  drug: {all: [{drug: drug, days: -90 to -1}, {none: [{drug: other, days: -90 to -1}]}]}
  other: {all: [{drug: other, days: -90 to -1}, {none: [{drug: drug, days: -90 to -1}]}]}
  neither: {none: [{drug: drug, days: -90 to -1}, {drug: other, days: -90 to -1}]}
outcome: death
follow up: {months: 36}
subgroups:
  age:
    under 50: {age: 0 to 49}
    50 to 64: {age: 50 to 64}
  sex:
    women: {sex: female}
    men: {sex: male}
analyses: {survival at months: [6, 12, 36], reference arm: other, mean survival to month: 24}
""")
ARMS: Final = len(STUDY.question.arms)


@st.composite
def scattered(draw: st.DrawFn, least: int = 1) -> dict[str, pl.DataFrame]:
    """Rows at sites, some of them empty; of the ages one level is neither, everyone has a sex."""
    sites = draw(st.sampled_from([n for n in (1, 2, 3, 7, 68) if n >= least]))
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    size = draw(st.integers(120, 500))
    spread = draw(st.sampled_from([200, 1500]))
    site = chance.integers(0, sites, size)
    rows = [
        {"person_id": person, "level_0": int(chance.choice([0, 1, 2])), "level_1": person % 2}
        | in_arm(
            STUDY.question,
            int(chance.integers(0, ARMS)),
            int(chance.integers(0, spread)),
            event=bool(chance.random() < 0.6),
        )
        for person in range(size)
    ]
    schema = ROWS | {"level_0": pl.Int64, "level_1": pl.Int64}
    return {
        f"site-{number}": pl.DataFrame(
            [row for row, place in zip(rows, site, strict=True) if place == number],
            schema=schema,
            orient="row",
        )
        for number in range(sites)
    }


def carried(frames: dict[str, pl.DataFrame], release: Release) -> Finished:
    return carry_out(
        plan_of(STUDY, tuple(frames), release),
        MemoryWire(frames),
        run="law",
        seconds=300.0,
        traffic=Traffic(),
        source=os.urandom,
    )


def near(one: float | None, other: float | None, tolerance: float = 1e-9) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance)


def bounds(found: Any, truth: Interval) -> Iterator[tuple[float | None, float | None]]:
    """Estimate, lower and upper of a result beside those of the rows."""
    for name in ("estimate", "lower", "upper"):
        yield getattr(found, name), getattr(truth, name)


def contrasts_agree(found: Any, truth: ContrastTruth) -> None:
    assert all(near(*pair) for pair in bounds(found, truth.value))
    assert near(found.p, truth.p)
    assert near(found.p_adjusted, truth.p_adjusted)


def differences_agree(found: Comparison, truth: PooledTruth) -> None:
    for mean, there in zip(found.rmst_differences, truth.mean_differences, strict=True):
        assert (mean.arm, mean.reference, mean.months) == (there.arm, there.reference, 24)
        contrasts_agree(mean.difference, there.difference)
        contrasts_agree(mean.ratio, there.ratio)
    for alive, there in zip(found.survival_differences, truth.survival_differences, strict=True):
        assert (alive.arm, alive.reference, alive.months) == (
            *(there.arm, there.reference, there.months),
        )
        contrasts_agree(alive.difference, there.difference)
        contrasts_agree(alive.cumulative_hazard_ratio, there.ratio)


def subgroups_agree(found: Subgroups, truth: PooledTruth) -> None:
    for mine, theirs in zip(found.variables, truth.subgroups, strict=True):
        assert mine.subgroup == theirs.subgroup
        assert not isinstance(mine.levels, Withheld)
        for level, there in zip(mine.levels, theirs.levels, strict=True):
            assert level.level == there.level
            assert tuple(arm.patients for arm in level.arms) == there.patients
            assert tuple(arm.events for arm in level.arms) == there.events
            for ratio, other in zip(level.hazard_ratios, there.hazard_ratios, strict=True):
                assert (ratio.arm, ratio.reference) == (other.arm, other.reference)
                assert all(near(*pair, 1e-6) for pair in bounds(ratio, other.ratio))
        if theirs.interaction is not None:
            assert not isinstance(mine.interaction, Withheld)
            assert near(mine.interaction.statistic, theirs.interaction.statistic, 1e-6)
            assert mine.interaction.df == theirs.interaction.degrees_of_freedom


def part(finished: Finished, kind: type[Part]) -> Part:
    return next(found for found in finished.parts if isinstance(found, kind))


def by_day(frames: dict[str, pl.DataFrame]) -> None:
    finished, truth = carried(frames, EXACT), pooled_truth([*frames.values()], STUDY, Unit.DAY)
    comparison = part(finished, Comparison)
    differences_agree(comparison, truth)
    for arm, there in zip(comparison.arms, truth.arms, strict=True):
        for mine, theirs in zip(arm.quantiles_months, there.quantiles_months, strict=True):
            assert all(near(*pair) for pair in bounds(mine, theirs))
    subgroups_agree(part(finished, Subgroups), truth)


def by_month(frames: dict[str, pl.DataFrame]) -> None:
    """Under secure-sum, where every group is large."""
    followed = pl.concat([in_an_arm(frame, STUDY.question) for frame in frames.values()])
    for level in ("level_0", "level_1"):
        groups = followed.group_by("arm", level).len()["len"].to_list()
        assume(min(groups) >= SECURE_SUM.threshold)
    truth = pooled_truth([*frames.values()], STUDY, Unit.MONTH)
    finished = carried(frames, SECURE_SUM)
    differences_agree(part(finished, Comparison), truth)
    subgroups_agree(part(finished, Subgroups), truth)


@_quick
@given(frames=scattered())
def test_by_day(frames: dict[str, pl.DataFrame]) -> None:
    by_day(frames)


@_quick
@given(frames=scattered(least=3))
def test_by_month(frames: dict[str, pl.DataFrame]) -> None:
    by_month(frames)


@pytest.mark.laws
@_long
@given(frames=scattered(least=3))
def test_by_day_and_by_month_at_length(frames: dict[str, pl.DataFrame]) -> None:
    by_day(frames)
    by_month(frames)


@_quick
@given(frames=scattered(least=3))
def test_platform_gives_the_same_curves_tests_and_ratios(frames: dict[str, pl.DataFrame]) -> None:
    """Only totals are touched; of 120 patients and more in three arms none is that small."""
    found = part(carried(frames, PLATFORM), Comparison)
    differences_agree(found, pooled_truth([*frames.values()], STUDY, Unit.MONTH))


@settings(_quick, max_examples=2)
@given(frames=scattered(), data=st.data())
def test_the_law_can_fail(frames: dict[str, pl.DataFrame], data: st.DataObject) -> None:
    """One patient in another level is seen."""
    held = [site for site, frame in frames.items() if frame.height]
    site = data.draw(st.sampled_from(held))
    truth = pooled_truth([*frames.values()], STUDY, Unit.DAY)
    first = pl.int_range(pl.len()) == 0
    changed = frames[site].with_columns(
        level_1=pl.when(first).then(1 - pl.col("level_1")).otherwise("level_1")
    )
    finished = carried(frames | {site: changed}, EXACT)
    with pytest.raises(AssertionError):
        subgroups_agree(part(finished, Subgroups), truth)
