from __future__ import annotations

from simulator.aggregates.released import Partial
from simulator.laboratory.compare_lesson import lesson, pairs_of
from simulator.laboratory.compare_values import Group, Held
from tests.unit.laboratory.made import ROWS, TRUTH, near, row


def test_the_lesson_is_made_of_the_numbers() -> None:
    where, place, how_many, survival, summed = lesson(TRUTH, ROWS, 36)
    assert where == "100 patients are at 40 sites, half of which hold 2 or fewer."
    assert place == (
        "Done at each site, the rule round-up-10 makes 400 of them and the rule suppress-10 shows "
        "30, withholds what 35 sites hold, and leaves anything between 65 and 345; done once on "
        "the sum, the same rules give 110 (round-up-10) and 100 (suppress-10)."
    )
    assert "All of 2 rules" in how_many
    assert "off by 10 at most" in how_many
    assert "1 of 2 leave no number for survival at 36 months" in survival
    assert "the others are off by up to 25 points" in survival
    assert "off by 0 patients, and by 6.2 points" in summed


def test_what_does_no_harm_is_not_said_to() -> None:
    rows = [
        row("round-up-10", "site", 100, near()),
        row("round-up-10", "network", 110, near()),
        row("midpoint-6", "site", 99, near()),
        row("midpoint-6", "network", 97, near()),
    ]
    said = lesson(TRUTH, rows, None)
    assert said[1:] == (
        "None of 2 rules that were tried in both places can leave their reader farther from the "
        "truth at the sites than on the sum, where they are off by 10 at most.",
    )


def test_a_rule_at_one_place_is_no_example() -> None:
    rows = [row("cell-key", "site", 150, near()), row("acro", "site", None)]
    assert pairs_of(rows) == []
    assert lesson(TRUTH, rows, 36) == (
        "100 patients are at 40 sites, half of which hold 2 or fewer.",
    )


def test_bare_rules_are_the_examples_where_there_are_any() -> None:
    worse = [
        row("codex", "site", 900, near(), Group.SYSTEMS),
        row("codex", "network", 110, near(), Group.SYSTEMS),
    ]
    assert "the rule round-up-10 makes 400" in lesson(TRUTH, [*worse, *ROWS], 36)[1]
    assert "the rule codex makes 900" in lesson(TRUTH, worse, 36)[1]


def test_a_sum_without_an_end_is_no_example() -> None:
    rows = [
        row("datashield", "site", Partial(90, 5, 90, None), group=Group.SYSTEMS),
        row("datashield", "network", 100, group=Group.SYSTEMS),
    ]
    assert all("Done at each site" not in said for said in lesson(TRUTH, rows, 36))


def test_bounds_of_survival_are_no_number() -> None:
    bounds = (Held(0.5, at_least=0.1, at_most=0.9, outside=0.0, width=0.8),) * 2
    rows = [row("suppress-10", "site", 90, bounds), row("suppress-10", "network", 100, bounds)]
    assert any("1 of 1 leave no number" in said for said in lesson(TRUTH, rows, 36))
