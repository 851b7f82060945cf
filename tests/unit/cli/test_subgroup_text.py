from __future__ import annotations

import io

from simulator.aggregates.released import Between, Of, Rounded, Withheld
from simulator.cli.layout import console, p_value
from simulator.cli.subgroup_text import print_subgroups, ratio_text
from simulator.hub.analyses.results import (
    HazardRatioResult,
    InteractionResult,
    LevelArm,
    LevelResult,
    SubgroupResult,
)

TEN = Rounded(10, Between(1, 10))


def level(name: str, ratio: HazardRatioResult, few: int | Rounded) -> LevelResult:
    arms = (LevelArm("TARE", 81, 26), LevelArm("TACE", few, 0))
    return LevelResult(name, arms, (ratio,))


FOUND = SubgroupResult(
    "age at index",
    (
        level("under 55", HazardRatioResult("TACE", "TARE", 1.5, 0.9, 2.5, 0.12, None), 1200),
        level("older", HazardRatioResult("TACE", "TARE", None, None, None, None, None), TEN),
    ),
    (LevelArm("TARE", 0, 0), LevelArm("TACE", 0, 0)),
    InteractionResult(3.476, 1, 0.0623),
)


def printed(*subgroups: SubgroupResult) -> str:
    text = io.StringIO()
    print_subgroups(console(text), subgroups)
    return text.getvalue()


def test_a_forest_in_numbers() -> None:
    assert printed(FOUND) == (
        "\n"
        "SUBGROUPS\n"
        "  age at index: do the ratios differ between levels? chi-squared 3.48, 1 df, p =\n"
        "  0.062\n"
        "            patients  died  hazard ratio (95 %)      p\n"
        "  under 55\n"
        "    TARE          81    26                    1\n"
        "    TACE       1,200     0     1.50 (0.90-2.50)  0.120\n"
        "  older\n"
        "    TARE          81    26                    1\n"
        "    TACE         10*     0        not estimable      -\n"
    )


def test_those_in_no_level_are_shown_where_there_are_any() -> None:
    rest = (LevelArm("TARE", 0, 0), LevelArm("TACE", 12, 3))
    found = SubgroupResult(FOUND.subgroup, FOUND.levels, rest, FOUND.interaction)
    assert printed(found).splitlines()[-3:] == [
        "  in no level",
        "    TARE              0     0",
        "    TACE             12     3",
    ]


def test_what_is_withheld_is_said_with_its_reason() -> None:
    hidden = Withheld(11, Of.PART)
    found = SubgroupResult("age", hidden, hidden, hidden, "a group is small")
    assert printed(FOUND, found).endswith("\n\n  age: withheld; a group is small\n")


def test_without_subgroups_nothing_is_printed() -> None:
    assert printed() == ""


def test_numbers_that_are_not_there() -> None:
    assert p_value(None) == "-"
    assert p_value(0.0004) == "< 0.001"
    open_above = HazardRatioResult("b", "a", 2.0, 1.0, None, None, None)
    assert ratio_text(open_above) == "2.00 (1.00-)"
