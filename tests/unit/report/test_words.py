from __future__ import annotations

import pytest

from simulator.aggregates.released import Between, Noisy, Of, Partial, Released, Rounded, Withheld
from simulator.report.words import (
    NONE_FOLLOWED,
    brief,
    count,
    estimate,
    months,
    p_equals,
    p_value,
    percent,
    plural,
    ratio,
    sentence,
    several,
    signed,
)


@pytest.mark.parametrize(
    ("released", "said", "shortly"),
    [
        (1234, "1,234", "1,234"),
        (0, "0", "0"),
        (Withheld(11), "withheld (1 to 10)", "withheld"),
        (Withheld(2), "withheld (1)", "withheld"),
        (
            Withheld(11, Of.DIFFERENCE),
            "withheld (it would give away a group of 1 to 10)",
            "withheld",
        ),
        (Withheld(11, Of.PART), "withheld (it would give away a group of 1 to 10)", "withheld"),
        (Noisy(1421, 2.54), "about 1,421 (noise of standard error 2.5)", "~1,421"),
        (Partial(250, 3, 270, 1702), "between 270 and 1,702", "270\N{EN DASH}1,702"),
        (Partial(0, 3, 12, None), "at least 12", "12+"),
        (Partial(12, 1, 12, 12), "12", "12"),
        (Between(5, 1200), "between 5 and 1,200", "5\N{EN DASH}1,200"),
        (Rounded(10, Between(1, 10)), "shown as 10 (in truth 1 to 10)", "10*"),
    ],
)
def test_a_count(released: Released, said: str, shortly: str) -> None:
    assert count(released) == said
    assert brief(released) == shortly


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((37.54, 29.02, 53.04), "37.5 (29.0\u201353.0)"),
        ((37.54, 29.02, None), "37.5 (29.0 to not reached)"),
        ((37.54, None, 53.04), "37.5 (unknown to 53.0)"),
        ((None, 29.02, None), "not reached (95 % interval from 29.0)"),
        ((None, None, None), "not reached"),
        ((-0.5, -1.5, 0.5), "-0.5 (-1.5 to 0.5)"),
    ],
)
def test_an_estimate(numbers: tuple[float | None, float | None, float | None], said: str) -> None:
    assert estimate(*numbers, months) == said


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((0.0, 0.0, None), "0.0, no interval"),
        ((-0.5, None, None), "-0.5, no interval"),
        ((0.0, 0.0, 0.4), "0.0 (0.0\u20130.4)"),
        ((None, None, None), "nobody followed so long"),
    ],
)
def test_a_share_that_lacks_a_bound_has_no_interval(
    numbers: tuple[float | None, float | None, float | None], said: str
) -> None:
    assert estimate(*numbers, months, NONE_FOLLOWED) == said


@pytest.mark.parametrize(
    ("p", "said"),
    [(0.4194, "0.419"), (0.0009999, "< 0.001"), (1.0, "1.000"), (None, "not estimable")],
)
def test_a_p_value(p: float | None, said: str) -> None:
    assert p_value(p) == said


def test_a_p_value_in_a_sentence_stays_in_one_line() -> None:
    assert p_equals(0.4194) == "p\u00a0=\u00a00.419"
    assert p_equals(0.0001) == "p\u00a0<\u00a00.001"


def test_numbers() -> None:
    assert percent(0.525) == "52\u00a0%"
    assert ratio(1.0) == "1.00"
    assert signed(-1.25, 1) == "\u22121.2"
    assert signed(-0.04, 1) == "0.0"


def test_words() -> None:
    assert several(["a"]) == "a"
    assert several(["a", "b", "c"], "or") == "a, b or c"
    assert plural(1, "patient") == "1 patient"
    assert plural(1200, "patient") == "1,200 patients"
    assert plural(2, "pair was", "pairs were") == "2 pairs were"
    assert sentence("exact totals") == "Exact totals."
    assert sentence("Done.") == "Done."
