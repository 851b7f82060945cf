from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import pairwise

import msgspec
import pytest

from simulator.aggregates.released import Between, Of, Rounded, Withheld
from simulator.hub.analyses.results import AttritionStep
from simulator.hub.result import CohortResult, Report
from simulator.report.attrition import attrition_svg


def texts(svg: str, style: str) -> list[str]:
    root = ET.fromstring(svg)  # noqa: S314 - our own
    return [found.text or "" for found in root.iter("text") if found.get("class") == style]


def of(*steps: AttritionStep) -> CohortResult:
    return CohortResult(steps[-1].patients, steps)


def test_it_shows_every_step_and_arm_with_its_count(report: Report) -> None:
    cohort, arms = report.result.cohort, report.result.arms
    svg = attrition_svg(cohort, arms)
    counts = [step.patients for step in cohort.attrition] + [arm.patients for arm in arms]
    for count, shown in zip(counts, texts(svg, "count"), strict=True):
        if isinstance(count, int):
            assert shown == f"{count:,}"
        else:
            assert shown.startswith("withheld (")
    said = " ".join(texts(svg, "step"))
    for name in [*(step.step for step in cohort.attrition), *(arm.arm for arm in arms)]:
        assert name in said


def test_it_says_how_many_each_step_left_out() -> None:
    svg = attrition_svg(
        of(AttritionStep("all", 3000), AttritionStep("some", 1800), AttritionStep("same", 1800)),
        (),
    )
    assert texts(svg, "aside") == ["1,200 left out", "nobody left out"]


@pytest.mark.parametrize(
    "hidden",
    [Withheld(11), Withheld(11, Of.DIFFERENCE), Between(3, 7), Rounded(10, Between(1, 10))],
)
def test_beside_what_was_not_released_stands_no_difference(
    hidden: Withheld | Between | Rounded,
) -> None:
    svg = attrition_svg(
        of(AttritionStep("all", 500), AttritionStep("hidden", hidden), AttritionStep("end", 0)), ()
    )
    assert texts(svg, "aside") == []
    assert not texts(svg, "count")[1].isdigit()


def test_a_withheld_cohort_is_withheld_in_words() -> None:
    svg = attrition_svg(of(AttritionStep("all", Withheld(11))), ())
    assert texts(svg, "count") == ["withheld (1 to 10)"]
    assert "all: withheld (1 to 10)" in svg


def test_names_are_escaped_and_long_ones_wrapped(report: Report) -> None:
    name = "<script>alert(1)</script> & 'quoted' " + "very " * 30
    arm = msgspec.structs.replace(report.result.arms[0], arm=name)
    svg = attrition_svg(of(AttritionStep(name, 20)), (arm, arm))
    assert "<script" not in svg
    assert " ".join(texts(svg, "step")).count("very") == 3 * 30
    assert max(map(len, texts(svg, "step"))) <= 30


def test_nothing_stands_on_anything_else(report: Report) -> None:
    root = ET.fromstring(attrition_svg(report.result.cohort, report.result.arms))  # noqa: S314
    boxes = [
        (float(box.get("y", "")), float(box.get("y", "")) + float(box.get("height", "")))
        for box in root.iter("rect")
    ]
    assert all(above[1] < below[0] for above, below in pairwise(boxes))
    assert float(root.get("viewBox", "").split()[3]) >= boxes[-1][1]
