"""The registry of rules, what their parameters may be, and their pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from simulator.privacy.rules import RULES, Cells, Repeats, Rule
from simulator.privacy.rules.cell_key import CellKey
from simulator.privacy.rules.noised import (
    ClampedGaussian,
    GaussianFromZero,
    HashedShift,
    LaplaceAndRound,
    UniformShift,
)
from simulator.privacy.rules.rounding import Midpoint, RoundUp, SmallAs, ZeroThenNearest
from simulator.privacy.rules.withholding import WithholdBelow, WithholdTable, WithholdTotal
from simulator.privacy.sources import keyed_source, system_source

PAGES = Path(__file__).parents[3] / "docs" / "mechanisms"
NAMES = """
i2b2 shrine pic-sure leaf ohdsi pcornet datashield bunny samply codex opensafely acro
round-up-10 suppress-10 random-round-3 random-round-5 midpoint-6 cell-key
"""


def test_all_rules_are_there_under_their_names() -> None:
    assert [*RULES] == NAMES.split()
    assert all(rule.name == name and rule.version == 1 for name, rule in RULES.items())
    assert all(rule.says and rule.source for rule in RULES.values())


def test_parameters_are_told_by_name() -> None:
    assert RULES["shrine"].parameters == {"limit": 10, "bin": 5, "sigma": 6.5, "clamp": 10}
    assert RULES["ohdsi"].parameters == {"threshold": 5, "smallest": 1}
    assert RULES["samply"].parameters["epsilon"] == 0.28


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_a_rule_says_truly_whether_it_repeats_itself(rule: Rule) -> None:
    """Asked again with the same source of the system: fresh noise differs, at 500 to 540."""
    counts, keys = np.arange(500, 540, dtype=np.int64), np.arange(40, dtype=np.int64)
    answers = {rule.apply(counts, system_source, keys).shown.tobytes() for _ in range(5)}
    drawn = len(answers) > 1
    needs_a_keyed_source = rule.name in {"pic-sure", "leaf", "samply"}
    assert drawn == (rule.repeats is Repeats.FRESH or needs_a_keyed_source)
    kept = {rule.apply(counts, keyed_source(b"s"), keys).shown.tobytes() for _ in range(5)}
    assert len(kept) == 1


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_a_table_without_cells_is_let_out_without_cells(rule: Rule) -> None:
    nothing = np.zeros(0, dtype=np.int64)
    cells = rule.apply(nothing, system_source, nothing)
    assert cells.shown.size == cells.withheld.size == rule.bounds(cells)[0].size == 0


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (np.array([1.5]), "int64.*float64"),
        (np.zeros((2, 2), dtype=np.int64), r"cells,\).*\(2, 2\)"),
        (np.array([3, -1], dtype=np.int64), "from 0 up were expected; got -1"),
    ],
)
def test_only_counts_are_treated(counts: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RULES["ohdsi"].apply(counts, system_source)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WithholdBelow(0), "threshold: 1 or more was expected; got 0"),
        (lambda: WithholdBelow(5, 2), "smallest: 0 or 1 was expected; got 2"),
        (lambda: WithholdTable(1), "least: 2 or more"),
        (lambda: WithholdTotal(0), "least: 1 or more"),
        (lambda: RoundUp(1), "base: 2 or more was expected; got 1"),
        (lambda: Midpoint(1), "width: 2 or more"),
        (lambda: SmallAs(10, 10), "shown: 1 to 9, which is below the threshold.*got 10"),
        (lambda: ZeroThenNearest(0, 5), "threshold: 1 or more"),
        (lambda: GaussianFromZero(3, float("nan")), "sigma: 0 or more was expected; got nan"),
        (lambda: ClampedGaussian(10, 0, 6.5, 10), "bin: 1 or more"),
        (lambda: HashedShift(10, -1), "largest: 0 or more"),
        (lambda: UniformShift(5, 10), "limit: 9 or more was expected; got 5"),
        (lambda: LaplaceAndRound(10, 1.0, 0.0, 10), "epsilon: more than 0.*got 0"),
        (lambda: CellKey(255, 5, 3), "keys: a multiple of 4 was expected; got 255"),
        (lambda: CellKey(8, 5, 3), "keys: 11 or more"),
    ],
)
def test_parameters_that_make_no_rule_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_cells_hold_nothing_where_they_are_withheld() -> None:
    with pytest.raises(ValueError, match="0 was expected where a cell is withheld"):
        Cells(np.array([3], dtype=np.int64), np.array([True]))
    with pytest.raises(ValueError, match="as many marks as cells"):
        Cells(np.zeros(2, dtype=np.int64), np.array([True]))
    cells = RULES["ohdsi"].apply(np.array([7], dtype=np.int64), system_source)
    with pytest.raises(ValueError, match="read-only"):
        cells.shown[0] = 8


def test_treating_counts_leaves_them_as_they_were() -> None:
    for rule in RULES.values():
        counts = np.arange(30, dtype=np.int64)
        rule.apply(counts, system_source, counts)
        assert counts.tolist() == [*range(30)]
        counts[0] = 1  # Still its owner's to write.


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_a_rule_has_a_page_that_tells_its_parameters_and_all_that_it_says(rule: Rule) -> None:
    text = (PAGES / f"{rule.name}.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \| (\S+) \|$", text, re.M))
    assert told == {name: str(value) for name, value in rule.parameters.items()}
    flowing = " ".join(text.split())
    assert all(line in flowing for line in rule.says)
    assert rule.source in flowing
    assert f"Asked again: {rule.repeats}." in flowing
    index = (PAGES / "README.md").read_text(encoding="utf-8")
    assert f"[`{rule.name}`]({rule.name}.md)" in index
