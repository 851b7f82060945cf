"""What differs is shown within 80 columns, and each line adds up as it is shown."""

from __future__ import annotations

import json
from decimal import Decimal

import hypothesis
import pytest
from hypothesis import strategies

from simulator.aggregates.released import Between, Noisy, Partial, Withheld
from simulator.cli.diff_text import _cells, print_differences
from simulator.hub.analyses.results import Bounds
from simulator.hub.differences import Conclusion, Differences, Kind, Side
from simulator.hub.quantities import Name, Quantity, Value, compare
from simulator.hub.terms import Term

NAME = "a very long name of an arm that nobody would write but somebody will one day"


def quantity(name: Name, first: Value, second: Value, only_in: str | None = None) -> Quantity:
    difference = None
    if isinstance(first, int | float) and isinstance(second, int | float):
        difference = second - first
    return Quantity(name, first, second, only_in, difference)


def found(*numbers: Quantity, terms: tuple[Term, ...] = ()) -> Differences:
    conclusion = Conclusion(Kind.DEFECT, "So it is.", (), (), ("look here", "and there"))
    side = Side("a/result.json", "bclm", "0" * 64, "2026-01-01T00:00:00+00:00")
    return Differences(1, side, side, terms, 100, numbers, conclusion)


@pytest.fixture
def text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> pytest.CaptureFixture[str]:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return capsys


def shown(capsys: pytest.CaptureFixture[str], differences: Differences) -> str:
    print_differences(differences, "text")
    printed = capsys.readouterr().out
    assert all(len(line) <= 80 and line == line.rstrip() for line in printed.splitlines())
    return printed


@pytest.mark.parametrize(
    ("one", "line"),
    [
        (quantity(("cohort", "patients"), 1418, 20), "patients 1,418 20 -1,398"),
        (quantity(("arms", "A", "events"), 3, 4), "events 3 4 +1"),
        (quantity(("arms", "A", "events"), Withheld(11), 12), "events withheld 12"),
        (quantity(("arms", "A", "events"), Between(1, 3), 2), "events 1-3 2"),
        (
            quantity(("arms", "A", "survival", "36", "estimate"), 0.5, 0.25),
            "survival at 36 months, % 50.0 25.0 -25.0",
        ),
        (
            quantity(("arms", "A", "survival", "36", "estimate"), 0.5, 0.50004),
            "survival at 36 months, % 50.0 50.0 under 0.1",
        ),
        (
            quantity(("arms", "A", "median_months", "estimate"), None, 31.25),
            "median, months not reached 31.25",
        ),
        (
            quantity(("arms", "A", "rmst_months", "estimate"), 27.0, 27.0 + 1e-12),
            "mean survival, months 27.00 27.00 under 0.01",
        ),
        (quantity(("log_rank", "p"), 0.5, 0.25), "p 0.500 0.250 -0.250"),
        (
            quantity(("hazard_ratios", "A against B", "estimate"), 1.5, 1.25),
            "A against B 1.50 1.25 -0.25",
        ),
        (
            quantity(("cohort", "attrition", "women", "patients"), 12, None, "first"),
            "women 12 not there",
        ),
        (
            quantity(("network", "with matches"), None, 68, "second"),
            "sites where anyone fits not told 68",
        ),
        (
            # The difference of the numbers is 0.04, of those that are shown 0.1.
            quantity(("arms", "A", "survival", "48", "estimate"), 0.4363, 0.4367),
            "survival at 48 months, % 43.6 43.7 +0.1",
        ),
    ],
)
def test_a_number_is_shown_as_a_reader_wants_it(
    text: pytest.CaptureFixture[str], one: Quantity, line: str
) -> None:
    printed = shown(text, found(one))
    assert line in [" ".join(words.split()) for words in printed.splitlines()]
    assert "1 of 100 numbers differ\n" in printed
    assert "--format json" not in printed


def test_a_label_hangs_where_it_began(text: pytest.CaptureFixture[str]) -> None:
    pair = "one arm with a long name against another arm with a name as long"
    printed = shown(text, found(quantity(("hazard_ratios", pair, "estimate"), 1.5, 1.25)))
    lines = printed.splitlines()
    begins = next(place for place, line in enumerate(lines) if line.startswith("    one arm"))
    assert lines[begins + 1].startswith("    ")
    assert lines[begins + 1].strip() in pair


@hypothesis.given(
    first=strategies.floats(0.0, 1.0),
    second=strategies.floats(0.0, 1.0),
    name=strategies.sampled_from(
        [
            ("arms", "A", "survival", "36", "estimate"),
            ("arms", "A", "median_months", "estimate"),
            ("log_rank", "p"),
        ]
    ),
)
def test_every_line_adds_up_as_it_is_shown(first: float, second: float, name: Name) -> None:
    hypothesis.assume(first != second)
    one, other, difference = _cells(quantity(name, first, second))
    assert len(one.partition(".")[2]) == len(other.partition(".")[2])
    if one == other:
        assert difference.startswith("under ")
    else:
        assert Decimal(one) + Decimal(difference) == Decimal(other)


def test_other_numbers_are_counted(text: pytest.CaptureFixture[str]) -> None:
    printed = shown(
        text,
        found(
            quantity(("cohort", "patients"), 1, 2),
            quantity(("arms", "A", "curve", "3", "estimate"), 0.1, 0.2),
            quantity(("subgroups", "age", "interaction", "p"), 0.1, 0.2),
        ),
    )
    assert "and 2 bounds, contrasts, points of curves: --format json" in printed


def test_long_names_and_many_details_fit(text: pytest.CaptureFixture[str]) -> None:
    details = tuple(f"{NAME}, {number}: 1 -> 2" for number in range(20))
    term = Term("study: arms", same=False, first="0" * 8, second="1" * 8, details=details)
    same = Term("data", same=True, first="x", second="x")
    number = quantity(("arms", NAME, "patients"), 1, 2)
    printed = shown(text, found(number, terms=(same, term)))
    assert "study: arms: and 8 more" in printed
    assert "the same: data\n" in printed


def test_what_follows_comes_last_with_what_to_run(text: pytest.CaptureFixture[str]) -> None:
    assert shown(text, found()).endswith(
        "WHAT FOLLOWS\n  So it is.\n  1. look here\n  2. and there\n"
    )


def test_json_has_everything(capsys: pytest.CaptureFixture[str]) -> None:
    print_differences(found(quantity(("cohort", "patients"), Withheld(11), 2)), "json")
    said = json.loads(capsys.readouterr().out)
    assert said["schema"] == 1
    assert said["numbers"] == [
        {
            "name": ["cohort", "patients"],
            "first": {"withheld": {"below": 11}},
            "second": 2,
            "only_in": None,
            "difference": None,
            "noise": None,
            "agree": None,
        }
    ]


def test_noise_and_bounds_say_what_a_difference_means(text: pytest.CaptureFixture[str]) -> None:
    def one(name: Name, first: Value, second: Value) -> Quantity:
        return compare({name: first}, {name: second}).differing[0]

    step = ("cohort", "attrition")
    printed = shown(
        text,
        found(
            one((*step, "near", "patients"), 418, Noisy(421, 2.8)),
            one((*step, "far", "patients"), Noisy(4180, 2.8), Noisy(421, 2.8)),
            one((*step, "within", "patients"), 418, Partial(196, 56, 252, 756)),
            one((*step, "without", "patients"), 418, Partial(96, 6, 102, None)),
            one((*step, "beyond", "patients"), 41, Partial(96, 6, 102, 156)),
            one(("arms", "A", "survival", "36", "estimate"), 0.52, None),
            Quantity(
                ("arms", "A", "survival", "36", "bounds"), None, Bounds(0.08, 0.92), "second", None
            ),
        ),
    )
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    assert "near 418 ~421 +3, within noise" in lines
    assert "far ~4,180 ~421 -3,759, beyond noise" in lines
    assert "within 418 252-756 may be the same" in lines
    assert "without 418 102 or more may be the same" in lines
    assert "beyond 41 102-156 not the same" in lines
    assert "survival at 36 months, % 52.0 8.0-92.0 may be the same" in lines
