"""Draws what each release makes of a cohort and of survival, line by line, beside the truth."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from simulator.report.compare_rows import Drawn, DrawnGroup, DrawnTruth, Mark
from simulator.report.figures import ARMS, INK, QUIET, shortened, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH: Final = 11.6
_ROW: Final = 0.25
_HEAD: Final = 0.85
_FOOT: Final = 0.85
_LETTERS: Final = 9.5
_MOST_ARMS: Final = 6
_REACH: Final = 2.35
"""Up to how many times the true cohort the axis goes; what lies beyond is told by an arrow."""
_SITE: Final = ARMS[1]
_SUM: Final = ARMS[0]
_STRIPE: Final = QUIET
_95: Final = 1.96

Placed = tuple[float, Drawn]


def comparison_svg(groups: Sequence[DrawnGroup], truth: DrawnTruth) -> str:
    """The figure as SVG; the same lines give the same bytes."""
    with styled():
        file = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        _draw(groups, truth).savefig(file, format="svg", metadata=nothing)
    return file.getvalue()


def comparison_png(groups: Sequence[DrawnGroup], truth: DrawnTruth) -> bytes:
    """The figure as PNG, at 160 dots an inch."""
    with styled():
        file = io.BytesIO()
        _draw(groups, truth).savefig(
            file, format="png", dpi=160, metadata={"Software": "cohortium"}
        )
    return file.getvalue()


def _draw(groups: Sequence[DrawnGroup], truth: DrawnTruth) -> Figure:
    from matplotlib.figure import Figure

    arms = min(len(truth.survival), _MOST_ARMS)
    height = sum(len(group.lines) + 1.25 for group in groups)
    inches = height * _ROW + _HEAD + _FOOT
    figure = Figure(figsize=(_WIDTH, inches))
    grid = figure.add_gridspec(
        1,
        2 + arms,
        width_ratios=(3.5, 1.75, *[1.35] * arms),
        left=0.192,
        right=0.985,
        top=1 - _HEAD / inches,
        bottom=_FOOT / inches,
        wspace=0.08,
    )
    placed = list(_placed(groups))
    panels = [figure.add_subplot(grid[0, place]) for place in (0, *range(2, 2 + arms))]
    for axes in panels:
        _frame(axes, placed, height)
    _totals(panels[0], placed, truth)
    _names(panels[0], groups, placed)
    for place, axes in enumerate(panels[1:]):
        _arm(axes, placed, truth, place)
    _key(figure, inches)
    return figure


def _placed(groups: Sequence[DrawnGroup]) -> Iterator[Placed]:
    """Each line with how far down it stands; a heading takes a line and a quarter."""
    down = 0.0
    for group in groups:
        down += 1.25
        for drawn in group.lines:
            yield down, drawn
            down += 1.0


def _frame(axes: Axes, placed: Sequence[Placed], height: float) -> None:
    axes.set(ylim=(height - 0.4, 0.1), yticks=[])
    axes.tick_params(labelsize=_LETTERS - 0.5, length=3)
    axes.spines[["top", "right", "left"]].set_visible(False)
    for down, _ in placed:
        axes.axhline(down, color=_STRIPE, linewidth=0.4, alpha=0.25, zorder=0)


def _names(axes: Axes, groups: Sequence[DrawnGroup], placed: Sequence[Placed]) -> None:
    """The releases at the left; of the two places of a rule the second has no name again."""
    said: dict[str, Any] = {
        "transform": axes.get_yaxis_transform(),
        "fontsize": _LETTERS,
        "va": "center",
        "clip_on": False,
    }
    left, lines = -0.63, iter(placed)
    for group in groups:
        before = ""
        for place, _ in enumerate(group.lines):
            down, drawn = next(lines)
            if place == 0:
                axes.text(left, down - 0.98, group.heading.upper(), weight="bold", **said)
            if drawn.name != before:
                axes.text(left, down, shortened(drawn.name, 20), **said)
            before = drawn.name
            where = "each site" if drawn.at_site else "the sum"
            colour = _SITE if drawn.at_site else _SUM
            axes.text(-0.012, down, where, color=colour, ha="right", **said)


def _totals(axes: Axes, placed: Sequence[Placed], truth: DrawnTruth) -> None:
    most = _REACH * max(truth.total, 1)
    axes.set_xlim(0, most)
    axes.set_title("Patients in the cohort", loc="left", fontsize=_LETTERS + 1.5, pad=20)
    axes.axvline(truth.total, color=INK, linewidth=1.1, zorder=1)
    _true(axes, truth.total, f"truth: {truth.total:,}")
    for down, drawn in placed:
        _mark(axes, drawn.total, down, drawn, most)
        _beside(axes, down, drawn)


def _beside(axes: Axes, down: float, drawn: Drawn) -> None:
    """The number in words, in a column of its own to the right of all marks."""
    nothing = drawn.total.is_nothing
    axes.text(
        1.035,
        down,
        drawn.said,
        color=QUIET if nothing else INK,
        style="italic" if nothing else "normal",
        transform=axes.get_yaxis_transform(),
        fontsize=_LETTERS - 0.5,
        va="center",
        clip_on=False,
    )


def _arm(axes: Axes, placed: Sequence[Placed], truth: DrawnTruth, place: int) -> None:
    axes.set_xlim(0, 1)
    axes.set_xticks([0.25, 0.5, 0.75], ["25", "50", "75"])
    title = "\n".join(textwrap.wrap(truth.arms[place], 15)[:2])
    axes.set_title(title, loc="left", fontsize=_LETTERS, pad=20)
    axes.axvline(truth.survival[place], color=INK, linewidth=1.1, zorder=1)
    _true(axes, truth.survival[place], f"{100 * truth.survival[place]:.0f} %")
    if place == 0:
        axes.set_xlabel(f"% alive at {truth.months} months", fontsize=_LETTERS, loc="left")
    for down, drawn in placed:
        if not drawn.survival or drawn.survival[place].is_nothing:
            said = "none" if drawn.survival else "refused"
            axes.text(0.02, down, said, color=QUIET, fontsize=_LETTERS - 1.5, va="center")
        else:
            _mark(axes, drawn.survival[place], down, drawn, 1.0)


def _true(axes: Axes, across: float, said: str) -> None:
    axes.annotate(
        said,
        (across, 1.0),
        (0, 4),
        xycoords=axes.get_xaxis_transform(),
        textcoords="offset points",
        fontsize=_LETTERS - 0.5,
        ha="center",
        va="bottom",
    )


def _mark(axes: Axes, mark: Mark, down: float, drawn: Drawn, most: float) -> None:
    """Bounds as a bar, noise as a thin line, the number as a point; arrows lead out."""
    colour, shape = (_SITE, "s") if drawn.at_site else (_SUM, "o")
    if mark.least is not None:
        end = min(most if mark.most is None else mark.most, most)
        axes.plot(
            [mark.least, end],
            [down, down],
            color=colour,
            linewidth=5.5 if mark.at is None else 4.0,
            alpha=0.38 if mark.at is None else 0.2,
            solid_capstyle="butt",
            zorder=2,
        )
        if mark.most is None or mark.most > most:
            axes.plot([most], [down], ">", color=colour, markersize=5, clip_on=False, zorder=3)
    if mark.at is None:
        return
    if mark.spread is not None:
        low, high = max(mark.at - _95 * mark.spread, 0.0), mark.at + _95 * mark.spread
        axes.plot([low, min(high, most)], [down, down], color=colour, linewidth=1.1, zorder=2)
    if mark.at > most:
        axes.plot([most], [down], ">", color=colour, markersize=6, clip_on=False, zorder=3)
        return
    point: dict[str, Any] = {"color": colour, "markersize": 5.5, "clip_on": False, "zorder": 3}
    axes.plot([mark.at], [down], shape, **point)


def _key(figure: Figure, inches: float) -> None:
    """What points, bars and colours mean, below everything."""
    from matplotlib.lines import Line2D

    bar: dict[str, Any] = {"linewidth": 5.5, "alpha": 0.38, "solid_capstyle": "butt"}
    shown = [
        (Line2D([], [], marker="s", linestyle="", color=_SITE), "rule done at each site"),
        (Line2D([], [], marker="o", linestyle="", color=_SUM), "done once on the sum"),
        (Line2D([], [], color=QUIET, **bar), "what may be true"),
        (Line2D([], [], color=QUIET, linewidth=1.1), "95 % of the noise"),
        (Line2D([], [], color=INK, linewidth=1.1), "truth"),
    ]
    figure.legend(
        [line for line, _ in shown],
        [said for _, said in shown],
        loc="lower left",
        bbox_to_anchor=(0.032, 0.12 / inches),
        ncols=len(shown),
        frameon=False,
        fontsize=_LETTERS,
        handletextpad=0.6,
        columnspacing=2.0,
        borderaxespad=0.0,
    )
