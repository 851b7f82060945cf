"""Draws the steps that lead to a cohort as a flow of boxes, and how it falls into arms."""

from __future__ import annotations

import html
import textwrap
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from simulator.hub.analyses.results import ArmResult, AttritionStep
from simulator.hub.result import CohortResult
from simulator.report.markup import Markup
from simulator.report.words import spoken

_WIDTH: Final = 400
_BOX: Final = 268
_ASIDE: Final = _BOX + 14
_PAD: Final = 10
_LINE: Final = 18
_GAP: Final = 26
_LETTERS: Final = 30
_INDENT: Final = 28


@dataclass(frozen=True)
class _Box:
    """A count with the lines that say of what, at a height of the drawing."""

    number: str
    lines: tuple[str, ...]
    top: int
    last: bool = False

    @property
    def height(self) -> int:
        return 2 * _PAD + _LINE * (1 + len(self.lines)) - 2

    @property
    def bottom(self) -> int:
        return self.top + self.height


def attrition_svg(
    cohort: CohortResult, arms: tuple[ArmResult, ...], *, exact: bool = True
) -> Markup:
    """The flow as SVG that takes its colours from the page's style.

    Between two released counts stands how many left; next to one that was withheld, nothing does.

    Args:
        cohort: The steps.
        arms: What the cohort falls into.
        exact: Whether counts that are shown are exact, so that their differences are.
    """
    boxes = _stack(cohort.attrition)
    drawn = [_draw(box) for box in boxes]
    for (box, below), (step, following) in zip(
        pairwise(boxes), pairwise(cohort.attrition), strict=True
    ):
        drawn.append(_arrow(box, below))
        drawn.append(_left(box, below, step, following) if exact else "")
    bottom = boxes[-1].bottom if boxes else 0
    if len(arms) > 1:
        split, bottom = _split(arms, bottom)
        drawn.append(split)
    said = ". ".join(f"{step.step}: {spoken(step.patients)}" for step in cohort.attrition)
    return Markup(
        f'<svg class="attrition" viewBox="0 0 {_WIDTH} {bottom + 2}" role="img" '
        'aria-labelledby="attrition-title attrition-text">'
        '<title id="attrition-title">How the cohort was reached</title>'
        f'<desc id="attrition-text">{html.escape(said)}</desc>{"".join(drawn)}</svg>'
    )


def _stack(steps: tuple[AttritionStep, ...]) -> list[_Box]:
    boxes: list[_Box] = []
    top = 1
    for place, step in enumerate(steps):
        lines = _wrapped(step.step, _LETTERS)
        box = _Box(spoken(step.patients), lines, top, last=place == len(steps) - 1)
        boxes.append(box)
        top = box.bottom + _GAP
    return boxes


def _wrapped(text: str, letters: int) -> tuple[str, ...]:
    return tuple(textwrap.wrap(text, letters)) or ("",)


def _draw(box: _Box, left: int = 1) -> str:
    style = "box cohort" if box.last else "box"
    lines = [_text(box.number, left + 12, box.top + _PAD + 13, "count")]
    for place, line in enumerate(box.lines, start=1):
        lines.append(_text(line, left + 12, box.top + _PAD + 12 + _LINE * place, "step"))
    return (
        f'<rect class="{style}" x="{left}" y="{box.top}" width="{_BOX - left}" '
        f'height="{box.height}" rx="3"/>{"".join(lines)}'
    )


def _text(text: str, left: int, base: int, style: str) -> str:
    return f'<text class="{style}" x="{left}" y="{base}">{html.escape(text)}</text>'


def _arrow(box: _Box, below: _Box) -> str:
    tip = below.top - 1
    return (
        f'<path class="flow" d="M28 {box.bottom}V{tip}"/>'
        f'<path class="tip" d="M24 {tip - 6}L28 {tip}L32 {tip - 6}Z"/>'
    )


def _left(box: _Box, below: _Box, step: AttritionStep, following: AttritionStep) -> str:
    """How many a step left out, beside the arrow to what it left."""
    if not isinstance(step.patients, int) or not isinstance(following.patients, int):
        return ""
    middle = (box.bottom + below.top) // 2
    gone = step.patients - following.patients
    said = f"{gone:,} left out" if gone else "nobody left out"
    return f'<path class="flow" d="M28 {middle}H{_ASIDE - 6}"/>' + _text(
        said, _ASIDE, middle + 4, "aside"
    )


def _split(arms: tuple[ArmResult, ...], bottom: int) -> tuple[str, int]:
    """The arms below the cohort, and where the drawing ends."""
    drawn: list[str] = []
    top = bottom + 16
    middle = top
    for arm in arms:
        box = _Box(spoken(arm.patients), _wrapped(arm.arm, _LETTERS - 3), top)
        middle = (box.top + box.bottom) // 2
        drawn.append(f'<path class="flow" d="M14 {middle}H{_INDENT}"/>')
        drawn.append(_draw(box, _INDENT))
        top = box.bottom + 8
    drawn.append(f'<path class="flow" d="M14 {bottom}V{middle}"/>')
    return "".join(drawn), top - 8
