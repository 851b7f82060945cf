from __future__ import annotations

import msgspec

from simulator.aggregates.released import Partial
from simulator.laboratory.compare_held import over_runs
from simulator.laboratory.compare_lesson import lesson, pairs_of
from simulator.laboratory.compare_values import Group, Held
from tests.unit.laboratory.made import ROWS, TRUTH, near, row

UNTESTED = tuple(
    msgspec.structs.replace(one, log_rank_p=None, hazard_ratios=())
    if (one.release, one.place) == ("round-up-10", "site")
    else one
    for one in ROWS
)


def test_the_lesson_is_made_of_the_numbers() -> None:
    where, place, how_many, survival, untested, summed = lesson(TRUTH, UNTESTED, 36)
    assert where == "100 patients are at 40 sites, half of which hold 2 or fewer."
    assert place == (
        "Done at each site, the rule round-up-10 makes 400 of them and the rule suppress-10 shows "
        "30, withholds what 35 sites hold, and leaves anything between 65 and 345; done once on "
        "the sum, the same rules give 110 (round-up-10) and 100 (suppress-10)."
    )
    assert "All of 2 rules" in how_many
    assert "off by 10 at most" in how_many
    assert "1 of 2 leave no number for survival at 36 months in any arm" in survival
    assert "the numbers that are left are off by up to 25 points" in survival
    assert untested == (
        "1 of the 3 releases and places that let curves out give no p value and no hazard ratio "
        "with them."
    )
    assert "off by 0 patients, and by 6.2 points" in summed


def test_arms_without_a_number_are_counted_and_not_the_rule_of_them() -> None:
    bounds = Held(0.5, at_least=0.1, at_most=0.9, outside=0.0, beyond=0.0, width=0.8)
    number = Held(0.4, 0.5, 0.1)
    rows = [
        row("suppress-10", "network", 100, (bounds, bounds)),
        row("acro", "network", 100, (bounds, number)),
        row("codex", "network", 100, near(0.25)),
    ]
    assert rows[1].worst_survival is bounds
    assert lesson(TRUTH, rows, 36)[1].endswith(
        "of the rules done there, 1 of 3 leave no number for survival at 36 months in any arm, "
        "1 of 3 leave none in 1 of their 2 arms, and the numbers that are left are off by up to "
        "25 points."
    )
    assert lesson(TRUTH, rows[2:], 36)[1].endswith(
        "of the rules done there, the numbers for survival at 36 months are off by up to 25 points."
    )


def test_what_all_releases_test_is_not_said_to_be_missing() -> None:
    assert not any("no p value" in said for said in lesson(TRUTH, ROWS, 36))


def test_over_several_runs_errors_do_not_cancel() -> None:
    noisy = over_runs([Held(0.5, 0.5 + error, error) for error in (0.125, -0.125)])
    rows = [row("codex", "network", 100, (noisy, near()[1]))]
    assert "off by up to 12 points" in lesson(TRUTH, rows, 36)[1]


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
