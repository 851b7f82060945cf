"""Draws hazard ratios with their intervals below each other, on a logarithmic axis."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from simulator.hub.analyses.results import HazardRatioResult
from simulator.report.figures import ARMS, INK, QUIET, shortened, styled
from simulator.report.words import NOT_ESTIMABLE, estimate, ratio

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH: Final = 4.0
_LETTERS: Final = 9.5
_NAME: Final = 44
_BESIDE: Final = 26
_ROW: Final = 0.42
_FARTHEST: Final = 20.0
_TICKS: Final = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)
_TICKS_NEAR_1: Final = (0.67, 1, 1.5)  # for an axis too short to reach from a half to 2


@dataclass(frozen=True)
class Group:
    """Ratios that belong together, such as those of one level."""

    heading: str
    ratios: tuple[HazardRatioResult, ...]


def forest_svg(groups: Sequence[Group], axis: str) -> str:
    """The forest as SVG; the same groups give the same bytes.

    Args:
        groups: From top to bottom. Ratios that are not estimable have words and no mark.
        axis: What the axis is called.
    """
    with styled():
        from matplotlib.figure import Figure

        rows = sum(0.8 + len(group.ratios) for group in groups)
        figure = Figure(figsize=(_WIDTH, _ROW * (rows + 1.3)), layout="constrained")
        axes = figure.subplots()
        _frame(axes, groups, rows, axis)
        top = 0.0
        for group in groups:
            _text(axes, 0.0, top - 0.4, group.heading, weight="bold")
            top -= 0.8
            for found in group.ratios:
                _ratio(axes, found, top)
                top -= 1.0
        file = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(file, format="svg", metadata=nothing)
    return file.getvalue()


def _frame(axes: Axes, groups: Sequence[Group], rows: float, axis: str) -> None:
    ratios = [found for group in groups for found in group.ratios]
    bounds = [
        bound for found in ratios for bound in (found.lower, found.estimate, found.upper) if bound
    ]
    reach = min(max(1.5, *(max(bound, 1 / bound) for bound in (1.0, *bounds))) * 1.1, _FARTHEST)
    coarse = _TICKS if reach >= 2.0 else _TICKS_NEAR_1
    ticks = [tick for tick in coarse if 1 / reach <= tick <= reach]
    axes.set(xscale="log", xlim=(1 / reach, reach), ylim=(-rows - 0.1, 0.1), yticks=[])
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks], fontsize=_LETTERS)
    axes.set_xticks([], minor=True)
    axes.set_xlabel(axis, fontsize=_LETTERS)
    axes.axvline(1.0, color=QUIET, linewidth=0.8, linestyle=(0, (1, 2.5)))
    axes.spines[["top", "right", "left"]].set_visible(False)


def _text(axes: Axes, across: float, height: float, text: str, **style: Any) -> None:
    axes.text(
        across,
        height,
        shortened(text, _NAME),
        transform=axes.get_yaxis_transform(),
        fontsize=_LETTERS,
        va="center",
        **style,
    )


def _ratio(axes: Axes, found: HazardRatioResult, top: float) -> None:
    """The pair and its ratio in words, and below them the mark; arrows lead out of the axis."""
    _text(axes, 0.0, top - 0.3, shortened(found.arm, _BESIDE))
    said = estimate(found.estimate, found.lower, found.upper, ratio, NOT_ESTIMABLE)
    _text(axes, 1.0, top - 0.3, said, ha="right")
    if found.estimate is None:
        return
    middle, (least, most) = top - 0.7, axes.get_xlim()
    low, high = found.lower or least, found.upper or most
    axes.plot([max(low, least), min(high, most)], [middle, middle], color=INK, linewidth=1.3)
    for beyond, end, arrow in ((low < least, least, "<"), (high > most, most, ">")):
        if beyond:
            axes.plot([end], [middle], arrow, color=INK, markersize=5, clip_on=False)
    if least <= found.estimate <= most:
        axes.plot([found.estimate], [middle], "s", color=ARMS[0], markersize=6)
