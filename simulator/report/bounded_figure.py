"""Draws what a rule of release leaves open of survival: a region for each arm, in its own panel.

Regions of several arms all but cover each other, so in one panel none of them could be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from simulator.hub.analyses.results import ArmResult, Landmark
from simulator.report.figures import (
    ARMS,
    NARROW,
    QUIET,
    Shape,
    Words,
    last_month,
    shortened,
    thinned,
    ticks,
    watched,
)
from simulator.report.words import brief

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HATCH: Final = "//////"
_STRENGTH: Final = 0.45
_HEIGHT: Final = 1.9
_COLUMNS: Final = 2


def bounds_figure(arms: Sequence[ArmResult], words: Words, shape: Shape) -> Figure:
    """The figure of arms whose curves have bounds; to be drawn in the style of all.

    Where there are estimates, of the counts as shown, they are drawn as lines within the bounds.
    """
    from matplotlib.figure import Figure

    columns = 1 if shape == NARROW or len(arms) == 1 else _COLUMNS
    rows = ceil(len(arms) / columns)
    width, _ = shape.inches
    figure = Figure(figsize=(width, _HEIGHT * rows + 0.6), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    month = last_month(arms)
    for place, axes in enumerate(panels.flat):
        if place < len(arms):
            _panel(axes, arms[place], place, month, shape, width / columns)
        else:
            axes.set_axis_off()
    if words.title:
        figure.suptitle(words.title, fontsize=shape.letters, x=0.01, ha="left")
    figure.supxlabel(f"{words.time}; below: still watched", fontsize=shape.letters)
    figure.supylabel(words.share, fontsize=shape.letters)
    return figure


def _panel(axes: Axes, arm: ArmResult, place: int, month: int, shape: Shape, inches: float) -> None:
    """An arm's region with its name above, and below how many are still watched."""
    from matplotlib.ticker import PercentFormatter

    colour = ARMS[place % len(ARMS)]
    marks = ticks(month)
    axes.set(ylim=(0, 1.02), xlim=(-0.012 * month, month * 1.02), xticks=marks)
    axes.set_yticks([0, 0.5, 1])
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    axes.tick_params(labelsize=shape.letters - 1, labelbottom=True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.axhline(0.5, color=QUIET, linewidth=0.8, linestyle=(0, (1, 2.5)))
    letters = int(shape.name * inches / shape.inches[0])
    name = shortened(arm.arm, max(letters, 8))
    axes.set_title(name, loc="left", fontsize=shape.letters, color=colour, weight="bold")
    points = [mark for mark in arm.curve if mark.months <= month]
    _region(axes, points, colour)
    _line(axes, points, colour)
    told = [brief(found) for found in watched(arm, marks)]
    every = thinned(told, shape, inches)
    said: dict[str, Any] = {"fontsize": shape.letters - 1, "ha": "center", "va": "top"}
    for mark, text in list(zip(marks, told, strict=True))[::every]:
        axes.text(mark, -0.24, text, transform=axes.get_xaxis_transform(), **said)


def _region(axes: Axes, points: Sequence[Landmark], colour: str) -> None:
    """What the curve lies within, hatched, as it is no band of an interval."""
    at = [0, *(mark.months for mark in points)]
    ends = [mark.bounds for mark in points]
    low = [1.0, *(_end(found.at_least if found else None, 0.0) for found in ends)]
    high = [1.0, *(_end(found.at_most if found else None, 1.0) for found in ends)]
    # Within a month the curve may come down to what is its least at the end of it.
    least, most = [*low[1:], low[-1]], high
    axes.fill_between(
        at,
        least,
        most,
        step="post",
        facecolor="none",
        edgecolor=colour,
        hatch=_HATCH,
        linewidth=0,
        alpha=_STRENGTH,
    )
    for edge in (least, most):
        axes.step(at, edge, where="post", color=colour, linewidth=1.2)


def _line(axes: Axes, points: Sequence[Landmark], colour: str) -> None:
    """The curve of the counts as shown, as far as they go; none where there are no estimates.

    Where the rule alone has brought it to 0 it says nothing, and the region goes on without it.
    """
    known = [
        (mark.months, mark.estimate)
        for mark in points
        if mark.estimate or (mark.estimate is not None and _end_of(mark) == 0.0)
    ]
    if known:
        at, alive = zip((0, 1.0), *known, strict=True)
        axes.step(at, alive, where="post", color=colour, linewidth=2.2)


def _end_of(mark: Landmark) -> float:
    """The greatest that survival may be."""
    return _end(mark.bounds.at_most if mark.bounds else None, 1.0)


def _end(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
