"""Draws survival curves with the numbers still watched below, for a screen and for print."""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from simulator.aggregates.released import Noisy, Released
from simulator.hub.analyses.results import ArmResult
from simulator.report.words import brief

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK: Final = "#1d2126"
QUIET: Final = "#5c636b"
PAPER: Final = "#ffffff"
# Told apart by colour, by how dark they are, and by how they are dashed.
ARMS: Final = ("#0b5cad", "#b4420a", "#17714b", "#843a8c", "#6b5b00", "#3b4252")
DASHES: Final[tuple[Any, ...]] = (
    "solid",
    (0, (6, 2)),
    (0, (1.2, 1.4)),
    (0, (7, 1.8, 1.2, 1.8)),
    (0, (3, 1.2)),
)
_BAND: Final = 0.1
# How wide a letter is, as a share of its height.
_LETTER: Final = 0.62
# What the axis and its numbers take of a figure's width, in inches.
_MARGIN: Final = 0.9
# What fits below curves that are still above a third half-way through.
_KEYS: Final = 4
_KEY_LETTERS: Final = 30
_HIGH: Final = 1 / 3
_STYLE: Final[Any] = {
    "svg.hashsalt": "cohortium",
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.linewidth": 0.8,
    "savefig.facecolor": PAPER,
}


@dataclass(frozen=True)
class Shape:
    """How large a figure is, and how large its letters.

    Attributes:
        inches: Width, and height of the curves alone.
        letters: The size of letters, in points.
        name: How many letters of an arm's name fit into its width.
        key: Whether there is room among the curves to say what each line is.
    """

    inches: tuple[float, float]
    letters: float
    name: int
    key: bool


WIDE: Final = Shape((8.0, 3.9), 10.0, 70, key=True)
NARROW: Final = Shape((4.0, 3.1), 9.5, 34, key=False)


@dataclass(frozen=True)
class Words:
    """What stands at a figure: the axes' names and a line above, which may be empty."""

    time: str
    share: str
    title: str = ""


def last_month(arms: Sequence[ArmResult]) -> int:
    """The month up to which curves are drawn: the last landmark, or else where all curves end."""
    marks = [mark.months for arm in arms for mark in arm.survival]
    curve = [mark.months for arm in arms for mark in arm.curve]
    return max(marks or curve, default=1)


def survival_svg(arms: Sequence[ArmResult], words: Words, shape: Shape = WIDE) -> str:
    """The figure as SVG; the same arms and words give the same bytes."""
    with styled():
        file = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        _draw(arms, words, shape).savefig(file, format="svg", metadata=nothing)
    return file.getvalue()


def survival_png(arms: Sequence[ArmResult], words: Words, shape: Shape = WIDE) -> bytes:
    """The figure as PNG, at 200 dots an inch."""
    with styled():
        file = io.BytesIO()
        _draw(arms, words, shape).savefig(
            file, format="png", dpi=200, metadata={"Software": "cohortium"}
        )
    return file.getvalue()


@contextmanager
def styled() -> Iterator[None]:
    """The style of all figures, whatever the reader's own settings, for as long as one is drawn."""
    from matplotlib import rc_context, rcdefaults, rcParams

    with warnings.catch_warnings(), rc_context():
        rcdefaults()
        rcParams.update(_STYLE)
        # A name may be written in letters that the font lacks; they show as boxes.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def _draw(arms: Sequence[ArmResult], words: Words, shape: Shape) -> Figure:
    if any(mark.bounds is not None for arm in arms for mark in arm.curve):
        # It draws with what is in here.
        from simulator.report.bounded_figure import bounds_figure

        return bounds_figure(arms, words, shape)
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    width, height = shape.inches
    row = shape.letters / 72 * 1.6
    below = row * (2.2 * len(arms) + 1.6)
    figure = Figure(
        figsize=(width, height + below), layout=ConstrainedLayoutEngine(h_pad=0.03, hspace=0.0)
    )
    curves, risks = figure.subplots(2, 1, height_ratios=(height, below), sharex=True)
    month = last_month(arms)
    marks = ticks(month)
    _frame(curves, words, shape, month, marks)
    head: dict[str, Any] = {"fontsize": shape.letters, "weight": "bold", "va": "center"}
    risks.text(curves.get_xlim()[0], 0.9, "Still watched", **head)
    for place, arm in enumerate(arms):
        _curve(curves, arm, place, month)
        _risk(risks, arm, place, marks, shape)
    if shape.key and _fits_key(arms):
        _key(curves, arms, month, shape)
    risks.set(ylim=(-2.2 * len(arms), 1.6))
    risks.set_axis_off()
    return figure


def ticks(month: int) -> list[int]:
    """The months that are marked on an axis that ends with a month."""
    step = next((step for step in (3, 6, 12, 24, 48) if month / step <= 9), 120)
    return list(range(0, month + 1, step))


def _style(place: int) -> dict[str, Any]:
    return {
        "color": ARMS[place % len(ARMS)],
        "linestyle": DASHES[place % len(DASHES)],
        "linewidth": 1.9,
    }


def _curve(axes: Axes, arm: ArmResult, place: int, month: int) -> None:
    """Steps at the ends of months, with the band of each month's interval."""
    points = [mark for mark in arm.curve if mark.months <= month]
    at = [0, *(point.months for point in points)]
    alive = [1.0, *(_number(point.estimate) for point in points)]
    low = [1.0, *(_number(point.lower) for point in points)]
    high = [1.0, *(_number(point.upper) for point in points)]
    colour = ARMS[place % len(ARMS)]
    axes.fill_between(at, low, high, step="post", color=colour, alpha=_BAND, linewidth=0)
    axes.step(at, alive, where="post", **_style(place))


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _frame(axes: Axes, words: Words, shape: Shape, month: int, marks: list[int]) -> None:
    from matplotlib.ticker import PercentFormatter

    axes.axhline(0.5, color=QUIET, linewidth=0.8, linestyle=(0, (1, 2.5)))
    axes.text(month, 0.51, "half", color=QUIET, fontsize=shape.letters - 1, ha="right", va="bottom")
    axes.set(ylim=(0, 1.02), xlim=(-0.012 * month, month * 1.02), xticks=marks)
    axes.tick_params(labelsize=shape.letters, labelbottom=True)
    axes.set_xlabel(words.time, fontsize=shape.letters)
    axes.set_ylabel(words.share, fontsize=shape.letters)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    axes.spines[["top", "right"]].set_visible(False)
    if words.title:
        axes.set_title(words.title, loc="left", fontsize=shape.letters)


def _fits_key(arms: Sequence[ArmResult]) -> bool:
    """Whether names among the curves would hide none; the rows below name every line anyway."""
    return len(arms) <= _KEYS and all(len(arm.arm) <= _KEY_LETTERS for arm in arms)


def _key(axes: Axes, arms: Sequence[ArmResult], month: int, shape: Shape) -> None:
    """What each line is, in the corner that the curves leave free."""
    from matplotlib.lines import Line2D

    early = [
        _number(mark.estimate) for arm in arms for mark in arm.curve if mark.months <= month / 2
    ]
    high = all(estimate > _HIGH for estimate in early)
    axes.legend(
        [Line2D([], [], **_style(place)) for place in range(len(arms))],
        # A name that begins with an underscore would be left out.
        [f"\N{ZERO WIDTH SPACE}{arm.arm}" for arm in arms],
        loc="lower left" if high else "upper right",
        frameon=False,
        fontsize=shape.letters,
        handlelength=3.2,
        borderaxespad=0.3,
    )


def _risk(axes: Axes, arm: ArmResult, place: int, marks: list[int], shape: Shape) -> None:
    """An arm's line and name, and below how many are still watched at each mark of the axis."""
    top = -2.2 * place
    left, right = axes.get_xlim()
    sample = left + (right - left) * 0.36 / shape.inches[0]
    axes.plot([left, sample], [top - 0.3, top - 0.3], **_style(place))
    said: dict[str, Any] = {"fontsize": shape.letters, "va": "center"}
    name = shortened(arm.arm, shape.name)
    axes.text(
        sample + (right - left) * 0.08 / shape.inches[0],
        top - 0.3,
        name,
        color=ARMS[place % len(ARMS)],
        **said,
    )
    told = [brief(found) for found in watched(arm, marks)]
    every = thinned(told, shape, shape.inches[0])
    for mark, text in list(zip(marks, told, strict=True))[::every]:
        axes.text(mark, top - 1.25, text, ha="center", **said)


def thinned(told: Sequence[str], shape: Shape, inches: float) -> int:
    """At every which mark of an axis there is room for what is told below it.

    Args:
        told: What is told at each mark.
        shape: How large letters are.
        inches: How wide the axis is with its numbers.
    """
    widest = max(map(len, told)) * shape.letters / 72 * _LETTER
    between = (inches - _MARGIN) / max(len(told) - 1, 1)
    return max(1, ceil(widest / between))


def watched(arm: ArmResult, marks: list[int]) -> list[Released]:
    """How many are watched at each month; nobody is after the end of the curve."""
    known = {0: arm.patients} | {mark.months: mark.at_risk for mark in arm.curve}
    # Under noise nobody knows that there is nobody.
    nobody = Noisy(0, 0.0) if isinstance(arm.patients, Noisy) else 0
    return [known.get(mark, nobody) for mark in marks]


def shortened(name: str, letters: int) -> str:
    """A name cut to so many letters."""
    name = " ".join(name.split())
    if len(name) <= letters:
        return name
    return f"{textwrap.wrap(name, letters - 1)[0]}\N{HORIZONTAL ELLIPSIS}"
