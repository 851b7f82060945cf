"""The rules against the values that the systems' own tests hold them to, and those of papers."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.privacy.rules.noised import HashedShift
from simulator.privacy.rules.registry import RULES
from simulator.privacy.rules.rounding import Midpoint, NextMultiple, SmallAs, ZeroThenNearest
from simulator.privacy.rules.rule import Cells, Mechanism
from simulator.privacy.rules.withholding import WithholdBelow, WithholdTable, WithholdTotal
from simulator.privacy.sources import keyed_source

WITHHELD = None
SOURCE = keyed_source(b"seed")


def told(cells: Cells) -> list[int | None]:
    """What is shown of each cell, None where it is withheld."""
    return [
        None if withheld else shown
        for shown, withheld in zip(cells.shown.tolist(), cells.withheld.tolist(), strict=True)
    ]


def of(mechanism: Mechanism, *counts: int) -> list[int | None]:
    return told(mechanism.apply(np.array(counts, dtype=np.int64), SOURCE, None))


def by(name: str, *counts: int) -> list[int | None]:
    return told(RULES[name].apply(np.array(counts, dtype=np.int64), SOURCE))


def test_pic_sure() -> None:
    # ObfuscationServiceTest.java: 5 is "< 10" and 10 is not; 100 is within 3; 8 with -5 becomes 10.
    assert by("pic-sure", 0, 5, 9) == [WITHHELD] * 3
    (shown,) = by("pic-sure", 10)
    assert shown in {10, 11, 12, 13}
    answers = [by("pic-sure", 100)[0] for _ in range(100)]
    assert set(answers) == set(range(97, 104))
    # One shift for all counts of an answer: generateVarianceWithCrossCounts.
    low, high = by("pic-sure", 100, 1000)
    assert low is not None
    assert high == low + 900


def test_the_same_answer_under_the_same_salt_gets_the_same_shift_and_another_may_not() -> None:
    rule = HashedShift(threshold=10, largest=3)

    def salted(*counts: int) -> int:
        cells = rule.apply(np.array(counts, dtype=np.int64), keyed_source(b"salt"), None)
        return int(cells.shown[0]) - counts[0]

    assert salted(100) == salted(100)
    assert len({salted(count) for count in range(100, 200)}) == 7


def test_bunny() -> None:
    # test_obfuscation.py: suppress, then round; 9 to the nearest 10; the other order would leak.
    assert of(ZeroThenNearest(threshold=100, base=100), 99, 100, 101, 123) == [0, 100, 100, 100]
    assert of(ZeroThenNearest(threshold=1, base=10), 9, 123) == [10, 120]
    assert of(ZeroThenNearest(threshold=1, base=100), 123, 150) == [100, 200]
    assert of(ZeroThenNearest(threshold=70, base=100), 60) == [0]
    # Python's round(): half way to the even multiple.
    assert by("bunny", 9, 10, 14, 15, 25, 35, 45) == [0, 10, 10, 20, 20, 40, 40]


def test_ehrql() -> None:
    # test_disclosure_control.py.
    assert by("opensafely", 6, 7, 8) == [0, 0, 10]


def test_the_reason_for_seven_in_ehrql() -> None:
    """With 5 in place of 7, a 5 that is shown could only be 6 or 7 (OpenSAFELY documentation)."""
    shown = of(ZeroThenNearest(threshold=6, base=5), *range(20))
    assert [count for count in range(20) if shown[count] == 5] == [6, 7]
    assert 5 not in by("opensafely", *range(20))


def test_cohort_method() -> None:
    # test-enforceMinCellValue.R: 1, 2, 3, 0 at 2 give -2, 2, 3, 0.
    assert of(WithholdBelow(threshold=2), 1, 2, 3, 0) == [WITHHELD, 2, 3, 0]
    assert by("ohdsi", 0, 1, 4, 5) == [0, WITHHELD, WITHHELD, 5]


def test_pcornet() -> None:
    # RESDAC on the policy that PCORnet follows: 1 to 10 may not be reported, 0 may.
    assert by("pcornet", 0, 1, 10, 11) == [0, WITHHELD, WITHHELD, 11]


def test_leaf() -> None:
    # ObfuscatorTests.cs: 5 is under the threshold and told as such; 50 never stays 50.
    assert by("leaf", 0, 5, 10) == [WITHHELD] * 3
    shown = {by("leaf", 50)[0] for _ in range(500)}
    assert shown == {*range(40, 50), *range(51, 60)}


def test_samply() -> None:
    # laplace-rs: 0 returned as it is, below 10 in mode 1 as 10, others in tens.
    assert by("samply", 0, 1, 9) == [0, 10, 10]
    assert all(shown is not None and shown % 10 == 0 for shown in by("samply", *range(10, 99)))
    # The cache: equal counts of one table get equal noise.
    assert len(set(by("samply", *[50] * 20))) == 1
    assert len({by("samply", 50)[0] for _ in range(50)}) > 1


def test_shrine() -> None:
    # Obfuscator.scala: up to 10 is "10 or fewer"; others in fives, above 10.
    assert by("shrine", *range(11)) == [WITHHELD] * 11
    shown = {by("shrine", 100)[0] for _ in range(500)}
    assert shown == {90, 95, 100, 105, 110}


def test_i2b2() -> None:
    # crc.properties, obfuscation.minimum.value: 3 or less is returned as 0.
    assert by("i2b2", 0, 1, 2, 3) == [0] * 4
    assert len({by("i2b2", 100)[0] for _ in range(100)}) > 5


def test_datashield() -> None:
    # dsBase, nfilter.tab 3: a cell of 1 or 2 refuses the table, an empty one does not.
    assert by("datashield", 0, 3, 50) == [0, 3, 50]
    assert by("datashield", 0, 2, 50) == [WITHHELD] * 3


def test_acro() -> None:
    # safe_threshold 10, zeros_are_disclosive.
    assert by("acro", 0, 9, 10) == [WITHHELD, WITHHELD, 10]


def test_codex() -> None:
    # codex-processes-ap2: 0 to 10, 10 to 20.
    assert by("codex", 0, 1, 9, 10, 11) == [10, 10, 10, 20, 20]


def test_bare_rules() -> None:
    assert by("round-up-10", 0, 1, 10, 11) == [0, 10, 10, 20]
    assert by("suppress-10", 0, 1, 9, 10) == [0, WITHHELD, WITHHELD, 10]
    # OpenSAFELY documentation: 0 to 0, 1-6 to 3, 7-12 to 9.
    assert by("midpoint-6", 0, 1, 6, 7, 12, 13) == [0, 3, 3, 9, 9, 15]
    assert of(Midpoint(width=5), 0, 1, 5, 6) == [0, 3, 3, 8]
    assert of(SmallAs(threshold=11, shown=10), 0, 1, 10, 11) == [0, 10, 10, 11]
    assert of(NextMultiple(base=5), 4, 5) == [5, 10]


def test_random_rounding_leaves_multiples() -> None:
    # Statistics New Zealand: a multiple of three is unchanged.
    assert by("random-round-3", 0, 3, 9) == [0, 3, 9]
    assert {by("random-round-3", 4)[0] for _ in range(50)} == {3, 6}


def test_a_total_below_the_least() -> None:
    # MII/FDPG feasibility back-end, application.yml: a total below 20 shows nothing.
    assert of(WithholdTotal(least=20), 0, 19) == [WITHHELD] * 2
    assert of(WithholdTotal(least=20), 1, 19) == [1, 19]


def test_a_table_that_is_refused_is_refused_whole() -> None:
    assert of(WithholdTable(least=5), 4, 500, 0) == [WITHHELD] * 3


@pytest.mark.parametrize("name", ["i2b2", "bunny", "opensafely", "samply"])
def test_a_literal_zero_is_a_shown_number(name: str) -> None:
    rule = RULES[name]
    cells = rule.apply(np.zeros(1, dtype=np.int64), SOURCE)
    assert not cells.withheld.any()
    assert rule.bounds(cells)[0].tolist() == [0]
    assert rule.bounds(cells)[1][0] > 3
