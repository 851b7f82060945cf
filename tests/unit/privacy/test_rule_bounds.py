"""What holds of every rule, whatever the counts: bounds, withheld cells, repetition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.aggregates.bounded import OPEN
from simulator.privacy.rules.cell_key import CellKey
from simulator.privacy.rules.noised import ClampedGaussian, HashedShift, UniformShift
from simulator.privacy.rules.registry import RULES
from simulator.privacy.rules.rounding import (
    Midpoint,
    NextMultiple,
    RandomRound,
    RoundUp,
    SmallAs,
    ZeroThenNearest,
)
from simulator.privacy.rules.rule import Cells, Counts, Mechanism, Rule
from simulator.privacy.rules.withholding import WithholdBelow, WithholdTable, WithholdTotal
from simulator.privacy.sources import keyed_source

TABLES = st.lists(st.integers(0, 120) | st.integers(0, 10**9), min_size=1, max_size=12)
SEEDS = st.binary(min_size=1, max_size=8)
SMALL = st.integers(2, 13)
MECHANISMS: st.SearchStrategy[Mechanism] = st.one_of(
    st.builds(WithholdBelow, SMALL, st.integers(0, 1)),
    st.builds(WithholdTable, SMALL),
    st.builds(WithholdTotal, SMALL),
    st.builds(RoundUp, SMALL),
    st.builds(NextMultiple, SMALL),
    st.builds(Midpoint, SMALL),
    st.builds(RandomRound, SMALL),
    st.builds(ZeroThenNearest, st.integers(1, 13), SMALL),
    st.builds(lambda threshold, part: SmallAs(threshold, 1 + part % (threshold - 1)), SMALL, SMALL),
    st.builds(ClampedGaussian, st.integers(0, 13), SMALL, st.floats(0.5, 9), st.integers(0, 13)),
    st.builds(HashedShift, SMALL, st.integers(0, 13)),
    st.builds(lambda limit, largest: UniformShift(limit + largest - 1, largest), SMALL, SMALL),
    st.builds(
        lambda small, largest, times: CellKey((small + 1) * times, largest, small),
        st.integers(1, 6),
        st.integers(1, 7),
        st.integers(16, 40),
    ),
)
RULE = st.sampled_from(list(RULES.values()))


def keys_of(counts: Counts) -> Counts:
    """Some keys, different for different places."""
    return (np.arange(counts.size, dtype=np.int64) + 1) * 7919


def released(rule: Rule | Mechanism, counts: Counts, seed: bytes) -> Cells:
    return rule.apply(counts, keyed_source(seed), keys_of(counts))


@settings(derandomize=True, max_examples=400)
@given(RULE | MECHANISMS, TABLES, SEEDS)
def test_the_truth_is_within_the_bounds(
    rule: Rule | Mechanism, table: list[int], seed: bytes
) -> None:
    counts = np.array(table, dtype=np.int64)
    least, greatest = rule.bounds(released(rule, counts, seed))
    assert least.dtype == greatest.dtype == np.int64
    assert (least >= 0).all()
    assert (least <= counts).all()
    assert (counts <= greatest).all()


@settings(derandomize=True, max_examples=200)
@given(RULE | MECHANISMS, TABLES, SEEDS)
def test_a_withheld_cell_carries_nothing(
    rule: Rule | Mechanism, table: list[int], seed: bytes
) -> None:
    cells = released(rule, np.array(table, dtype=np.int64), seed)
    assert cells.shown.shape == cells.withheld.shape == (len(table),)
    assert cells.shown.dtype == np.int64
    assert (cells.shown[cells.withheld] == 0).all()
    least, greatest = rule.bounds(cells)
    # All withheld cells of an answer look alike, whatever they hold.
    assert len(set(least[cells.withheld].tolist())) <= 1
    assert len(set(greatest[cells.withheld].tolist())) <= 1


@settings(derandomize=True, max_examples=200)
@given(RULE, TABLES, SEEDS)
def test_the_same_source_gives_the_same_answer(rule: Rule, table: list[int], seed: bytes) -> None:
    counts = np.array(table, dtype=np.int64)
    one, other = released(rule, counts, seed), released(rule, counts, seed)
    assert one.shown.tolist() == other.shown.tolist()
    assert one.withheld.tolist() == other.withheld.tolist()


@settings(derandomize=True, max_examples=200)
@given(
    st.sampled_from([RoundUp, Midpoint, RandomRound]) | st.just(lambda b: ZeroThenNearest(b, b)),
    SMALL,
    TABLES,
    SEEDS,
)
def test_rounding_twice_is_rounding_once(
    make: type[RoundUp], base: int, table: list[int], seed: bytes
) -> None:
    rule = make(base)
    once = released(rule, np.array(table, dtype=np.int64), seed)
    twice = released(rule, once.shown.copy(), seed + b"2")
    # The middle of the run 1 to w lies in it, and so do all others in theirs.
    assert twice.shown.tolist() == once.shown.tolist()


def looks(mechanism: Mechanism, greatest: int) -> dict[tuple[int, bool], set[int]]:
    """For all that a single cell may look like, the counts from 0 to `greatest` that it shows."""
    found: dict[tuple[int, bool], set[int]] = {}
    for count in range(greatest + 1):
        for seed in range(24):
            counts = np.array([count], dtype=np.int64)
            # Under every 11th of 256 keys, so that all noise of a cell-key rule is met.
            keys = np.array([11 * seed], dtype=np.int64)
            cells = mechanism.apply(counts, keyed_source(b"look", str(seed)), keys)
            found.setdefault((int(cells.shown[0]), bool(cells.withheld[0])), set()).add(count)
    return found


@pytest.mark.parametrize(
    "mechanism",
    [
        WithholdBelow(5),
        WithholdBelow(10, 0),
        WithholdTable(3),
        WithholdTotal(20),
        RoundUp(10),
        NextMultiple(10),
        Midpoint(6),
        Midpoint(5),
        SmallAs(10, 5),
        ZeroThenNearest(10, 10),
        ZeroThenNearest(8, 5),
        ZeroThenNearest(1, 5),
        ZeroThenNearest(1, 4),
        RandomRound(3),
        HashedShift(10, 3),
        CellKey(256, 5, 3),
    ],
    ids=str,
)
def test_bounds_are_no_wider_than_they_must_be(mechanism: Mechanism) -> None:
    """Every bound of a cell that may look so is met by a count that does; up to 40 of 60 tried."""
    for (shown, withheld), counts in looks(mechanism, 60).items():
        if shown > 40:
            continue
        cells = Cells(np.array([shown], dtype=np.int64), np.array([withheld]))
        least, greatest = mechanism.bounds(cells)
        assert (int(least[0]), int(greatest[0])) == (min(counts), max(counts)), shown


def test_shrines_bounds_are_met() -> None:
    """Noise at the clamp is likely enough to be met: 12 % of a normal lie beyond."""
    mechanism = ClampedGaussian(limit=10, bin=5, sigma=6.5, clamp=10)
    found: dict[int, set[int]] = {}
    withheld: set[int] = set()
    for count in range(61):
        counts = np.full(2_000, count, dtype=np.int64)
        cells = mechanism.apply(counts, keyed_source(b"met", str(count)), None)
        for shown in set(cells.shown[~cells.withheld].tolist()):
            found.setdefault(shown, set()).add(count)
        if cells.withheld.any():
            withheld.add(count)
    assert (min(withheld), max(withheld)) == (0, 22)
    for shown in (15, 20, 25, 30, 35, 40):
        cells = Cells(np.array([shown], dtype=np.int64), np.array([False]))
        least, greatest = mechanism.bounds(cells)
        assert (least[0], greatest[0]) == (min(found[shown]), max(found[shown]))


@pytest.mark.parametrize("name", ["i2b2", "samply"])
def test_nothing_bounds_noise_without_end(name: str) -> None:
    rule = RULES[name]
    cells = rule.apply(np.array([0, 5, 500], dtype=np.int64), keyed_source(b"seed"))
    assert (rule.bounds(cells)[1] >= OPEN).all()


def test_datashield_refusing_a_table_says_nothing_of_one_cell_among_others() -> None:
    rule = RULES["datashield"]
    alone = rule.apply(np.array([2], dtype=np.int64), keyed_source(b"seed"))
    assert [bound.tolist() for bound in rule.bounds(alone)] == [[1], [2]]
    among = rule.apply(np.array([2, 900], dtype=np.int64), keyed_source(b"seed"))
    assert rule.bounds(among)[0].tolist() == [0, 0]
    assert (rule.bounds(among)[1] >= OPEN).all()
