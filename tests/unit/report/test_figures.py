from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import msgspec
import pytest

from simulator.aggregates.released import Between, Rounded
from simulator.hub.analyses.results import ArmResult, HazardRatioResult
from simulator.hub.result import Report
from simulator.report.figures import (
    ARMS,
    DASHES,
    NARROW,
    WIDE,
    Shape,
    Words,
    last_month,
    shortened,
    survival_png,
    survival_svg,
)
from simulator.report.forest import Group, forest_svg
from simulator.report.inline import inline

WORDS = Words("months since index", "alive", "a title")
NAMES = ("<script>alert(1)</script>", "cost $5 and $6", "_hidden", "\u533b\u9662 & co", "x" * 300)


def texts(svg: str) -> list[str]:
    root = ET.fromstring(svg)  # noqa: S314 - our own
    return [found.text or "" for found in root.iter("{http://www.w3.org/2000/svg}text")]


def named(arms: tuple[ArmResult, ...], *names: str) -> tuple[ArmResult, ...]:
    return tuple(
        msgspec.structs.replace(arms[place % len(arms)], arm=name)
        for place, name in enumerate(names)
    )


@pytest.mark.parametrize("shape", [WIDE, NARROW])
def test_the_same_result_gives_the_same_bytes(report: Report, shape: Shape) -> None:
    arms = report.result.arms
    assert survival_svg(arms, WORDS, shape) == survival_svg(arms, WORDS, shape)
    assert survival_png(arms, WORDS, shape) == survival_png(arms, WORDS, shape)


def test_the_readers_own_settings_change_nothing_and_are_left_alone(report: Report) -> None:
    from matplotlib import rc_context, rcParams

    arms = report.result.arms[:1]
    expected = survival_svg(arms, WORDS)
    with rc_context({"axes.facecolor": "#ff0000", "svg.fonttype": "path"}):
        assert survival_svg(arms, WORDS) == expected
        assert rcParams["svg.fonttype"] == "path"
    assert "sans-serif" in expected


def test_a_picture_says_neither_when_nor_by_what_tool_it_was_made(report: Report) -> None:
    svg = survival_svg(report.result.arms, WORDS)
    assert not re.search(r"20\d\d-\d\d|Matplotlib|<dc:", svg)
    png = survival_png(report.result.arms, WORDS)
    assert png.startswith(b"\x89PNG")
    assert b"cohortium" in png
    assert b"atplotlib" not in png


def test_the_numbers_still_watched_are_the_results(report: Report) -> None:
    arms = report.result.arms
    said = texts(survival_svg(arms, WORDS))
    after = said[said.index("Still watched") + 1 :]
    for arm in arms:
        name, *watched = after[:7]
        after = after[7:]
        known = {mark.months: mark.at_risk for mark in arm.curve}
        assert name == arm.arm
        assert watched == [
            str(known.get(month, 0) if month else arm.patients) for month in range(0, 61, 12)
        ]


def test_a_number_that_stands_for_several_is_marked(report: Report) -> None:
    arm = report.result.arms[0]
    few = Rounded(10, Between(1, 10))
    curve = tuple(msgspec.structs.replace(mark, at_risk=few) for mark in arm.curve)
    said = texts(survival_svg((msgspec.structs.replace(arm, curve=curve),), WORDS))
    assert said.count("10*") == 5


def test_the_curve_is_the_results(report: Report) -> None:
    """The heights of the drawn steps are the estimates, read back from the path."""
    arm = report.result.arms[0]
    svg = survival_svg((arm,), WORDS)
    colour = re.escape(ARMS[0])
    paths = re.findall(rf'<path d="([^"]+)"[^>]*style="fill: none; stroke: {colour}', svg)
    points = [(float(x), float(y)) for x, y in re.findall(r"[ML] ([\d.]+) ([\d.]+)", paths[0])]
    (left, top), (right, _) = points[0], points[-1]
    shown = [mark for mark in arm.curve if mark.months <= last_month((arm,))]
    lowest = shown[-1].estimate
    assert lowest is not None
    scale = (points[-1][1] - top) / (1.0 - lowest)
    heights = {round((x - left) / (right - left) * shown[-1].months): y for x, y in points}
    for mark in shown:
        assert mark.estimate is not None
        assert heights[mark.months] == pytest.approx(top + scale * (1.0 - mark.estimate), abs=0.01)


def test_up_to_thirty_arms_differ_in_colour_or_in_their_dashes() -> None:
    styles = {(ARMS[place % len(ARMS)], place % len(DASHES)) for place in range(30)}
    assert len(styles) == 30
    assert len({place % len(DASHES) for place in range(5)}) == 5  # without any colour


@pytest.mark.parametrize("shape", [WIDE, NARROW])
def test_any_name_is_drawn_as_text(report: Report, shape: Shape) -> None:
    svg = survival_svg(named(report.result.arms, *NAMES), WORDS, shape)
    said = texts(svg)
    for name in NAMES:
        assert shortened(name, shape.name) in said
    assert "<script" not in svg


def test_lines_are_named_among_the_curves_where_there_is_room(report: Report) -> None:
    arms = report.result.arms
    below = [arm.arm for arm in arms]
    among = [f"\N{ZERO WIDTH SPACE}{name}" for name in below]
    assert {*among, *below} <= set(texts(survival_svg(arms, WORDS, WIDE)))
    assert not set(among) & set(texts(survival_svg(arms, WORDS, NARROW)))
    assert not set(among) & set(texts(survival_svg(arms * 2, WORDS, WIDE)))


def test_the_key_keeps_out_of_the_way_of_curves_that_fall_fast(report: Report) -> None:
    arm = report.result.arms[0]
    fast = msgspec.structs.replace(
        arm, curve=tuple(msgspec.structs.replace(mark, estimate=0.1) for mark in arm.curve)
    )
    name = f"\N{ZERO WIDTH SPACE}{arm.arm}"

    def place(arm: ArmResult) -> float:
        root = ET.fromstring(survival_svg((arm,), WORDS))  # noqa: S314 - our own
        (found,) = (
            part for part in root.iter("{http://www.w3.org/2000/svg}text") if part.text == name
        )
        return float(found.get("y", ""))

    assert place(fast) < place(arm) - 100  # higher up


def test_a_month_without_an_estimate_ends_the_line(report: Report) -> None:
    arm = msgspec.structs.replace(report.result.arms[0], curve=(), survival=())
    assert last_month((arm,)) == 1
    assert "Still watched" in texts(survival_svg((arm,), WORDS))


def test_names_are_cut() -> None:
    assert shortened("short", 10) == "short"
    assert shortened("one two three four", 10) == "one two\u2026"
    assert len(shortened("x" * 300, 20)) == 20


def test_a_drawing_in_a_page_takes_its_colours_and_keeps_its_names_to_itself(
    report: Report,
) -> None:
    svg = inline(survival_svg(report.result.arms, WORDS), "wide", 'said "so"')
    root = ET.fromstring(svg)  # noqa: S314 - our own
    names = {found.get("id") for found in root.iter()} - {None}
    assert all(str(name).startswith("wide-") for name in names)
    used = set(re.findall(r"#([\w-]+)", re.sub(r"#[0-9a-f]{6}\b", "", svg)))
    assert used <= names
    assert not [colour for colour in ARMS if colour in svg]
    assert "var(--arm-1)" in svg
    assert root.get("aria-label") == 'said "so"'
    assert "http" not in svg


def ratio(
    arm: str, estimate: float | None, lower: float | None, upper: float | None
) -> HazardRatioResult:
    return HazardRatioResult(arm, "reference", estimate, lower, upper, 0.5, None)


def test_a_forest_says_each_ratio_and_keeps_to_its_axis() -> None:
    groups = (
        Group("Everyone", (ratio("a", 1.5, 0.9, 2.5),)),
        Group("sex: <b>", (ratio("$b$", 0.01, 0.001, 900.0), ratio("c", None, None, None))),
    )
    svg = forest_svg(groups, "hazard ratio")
    assert svg == forest_svg(groups, "hazard ratio")
    said = texts(svg)
    assert {"Everyone", "sex: <b>", "a", "$b$", "c", "not estimable", "hazard ratio"} <= set(said)
    assert "1.50 (0.90\u20132.50)" in said
    assert "0.01 (0.00\u2013900.00)" in said


@pytest.mark.parametrize(
    ("lower", "upper", "ticks"),
    [
        (0.98, 1.03, {"0.67", "1", "1.5"}),
        (0.72, 1.79, {"0.67", "1", "1.5"}),
        (0.72, 1.9, {"0.5", "1", "2"}),
        (0.4, 3.1, {"0.5", "1", "2"}),
        (0.001, 1.5, {"0.05", "0.1", "0.2", "0.5", "1", "2", "5", "10", "20"}),
    ],
)
def test_the_axis_of_a_forest_has_at_least_three_numbers(
    lower: float, upper: float, ticks: set[str]
) -> None:
    drawn = forest_svg((Group("Everyone", (ratio("a", 1.01, lower, upper),)),), "hazard ratio")
    assert {said for said in texts(drawn) if re.fullmatch(r"[\d.]+", said)} == ticks
