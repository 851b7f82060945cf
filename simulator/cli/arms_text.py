"""Prints the arms of a result: their sizes, medians and survival, or what is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table

from simulator.aggregates.released import Partial
from simulator.cli.layout import bounds, heading, indented, number, table
from simulator.privacy.offers import NOT_CHANCE

if TYPE_CHECKING:
    from simulator.aggregates.released import Released
    from simulator.hub.analyses.results import ArmResult, Landmark
    from simulator.hub.result import StudyResult

_NOT_REACHED: Final = "not reached"
_BOUNDS: Final = "  bounds"
_BOUNDS_ALONE: Final = (
    "Cells were withheld, so there are no estimates: a number is known to lie between bounds."
)
_WHAT_BOUNDS_ARE: Final = (
    "Bounds are no confidence interval: they hold the number that the exact counts would give, "
    "whatever the rule has withheld or changed."
)
_NO_INTERVALS: Final = f"No intervals, no tests: {NOT_CHANCE}."


def had_it(result: StudyResult) -> str:
    """The heading over the number of those who had the outcome."""
    return "died" if result.outcome == "death" else "had it"


def print_arms(screen: Console, result: StudyResult) -> None:
    """Prints what is known of each arm as a whole."""
    heading(screen, f"arms{_of_what(result)}")
    if result.outcome != "death":
        indented(screen, f"waited for: {result.outcome}", style="dim")
    rows = _estimated_arms(result) if result.is_estimated else _bounded_arms(result)
    if Measurement.get(screen, screen.options, rows).maximum > screen.width - 2:
        rows.padding = (0, 1, 0, 0)
    screen.print(Padding(rows, (0, 0, 0, 2)))
    if not result.is_estimated:
        indented(screen, _BOUNDS_ALONE, style="dim")


def _of_what(result: StudyResult) -> str:
    """What the estimates are of, where that is not the patients themselves."""
    if not result.is_as_shown or not result.is_estimated:
        return ""
    return ", as the rule shows them" if result.is_ruled else ", by rounded counts"


def _estimated_arms(result: StudyResult) -> Table:
    mean = next((arm.rmst_months.months for arm in result.arms if arm.rmst_months), None)
    headings = ["", "patients", had_it(result), "median months", "followed"]
    rows = table(*headings, *([f"mean to {mean}"] if mean else []))
    for arm in result.arms:
        median = arm.median_months
        cells = [
            number(arm.patients),
            number(arm.events),
            _median(arm, alone=result.is_as_shown),
            _one(arm.median_follow_up_months),
        ]
        if mean and arm.rmst_months:
            cells.append(_one(arm.rmst_months.estimate))
        rows.add_row(arm.arm, *cells)
        if median.bounds is not None:
            blank = [""] * (len(cells) - 3)
            rows.add_row(_BOUNDS, "", "", bounds(median.bounds, 1.0, 1), *blank, style="dim")
    return rows


def _bounded_arms(result: StudyResult) -> Table:
    """Arms of which nothing but bounds is known, and below each what was shown of it."""
    rows = table("between", "patients", had_it(result), "median months")
    for arm in result.arms:
        rows.add_row(
            arm.arm,
            number(arm.patients),
            number(arm.events),
            bounds(arm.median_months.bounds, 1.0, 1),
        )
        rows.add_row("  shown", _shown(arm.patients), _shown(arm.events), "", style="dim")
    return rows


def _shown(count: Released) -> str:
    return f"{count.shown:,}" if isinstance(count, Partial) else number(count)


def _one(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _median(arm: ArmResult, *, alone: bool) -> str:
    """A median, alone or with its interval; none of an arm of which nothing but totals is known."""
    if not arm.is_estimated:
        return "-"
    median = arm.median_months
    if alone:
        return _reached(median.estimate)
    return _estimate(median.estimate, median.lower, median.upper, 1.0)


def _reached(value: float | None) -> str:
    """A time that has no interval."""
    return _NOT_REACHED if value is None else _one(value)


def _estimate(
    estimate: float | None, lower: float | None, upper: float | None, scale: float
) -> str:
    """``38.1 (30.2-45.9)``; a bound that is not reached is left open.

    A share, at scale 100, that lacks a bound has no interval: ``0 (-)``.
    """
    if estimate is None:
        return _NOT_REACHED
    digits = 0 if scale == 100.0 else 1
    if scale == 100.0 and (lower is None or upper is None):
        lower = upper = None
    low, high = ("" if bound is None else f"{bound * scale:.{digits}f}" for bound in (lower, upper))
    return f"{estimate * scale:.{digits}f} ({low}-{high})"


def print_survival(screen: Console, result: StudyResult) -> None:
    """Prints survival at the study's landmarks, or its bounds."""
    arms, estimated = result.arms, result.is_estimated
    if not arms[0].survival:
        return
    what = "survival" if result.outcome == "death" else f"without {result.outcome}"
    how = " (95 % interval)" if estimated else " (bounds, no interval)"
    how = _of_what(result).replace("them", "it") if result.is_as_shown and estimated else how
    heading(screen, f"{what}, %{how}, and patients still watched")
    rows = Table(box=None, padding=(0, 1, 0, 0), show_edge=False, header_style="dim")
    rows.add_column("months")
    for mark in arms[0].survival:
        rows.add_column(str(mark.months), justify="right", no_wrap=True)
    for arm in arms:
        limits = [bounds(mark.bounds, 100.0, 0) for mark in arm.survival]
        said = [_bare(mark) if result.is_as_shown else _share(mark) for mark in arm.survival]
        rows.add_row(arm.arm, *(said if estimated else limits))
        if estimated and result.is_as_shown:
            rows.add_row(_BOUNDS, *limits, style="dim")
        rows.add_row("", *(number(mark.at_risk) for mark in arm.survival), style="dim")
    screen.print(Padding(rows, (0, 0, 0, 2)))
    if result.is_as_shown:
        told = f"{_NO_INTERVALS} {_WHAT_BOUNDS_ARE}" if estimated else _WHAT_BOUNDS_ARE
        indented(screen, told, style="dim")


def _share(mark: Landmark) -> str:
    if mark.estimate is None:
        return "-"
    return _estimate(mark.estimate, mark.lower, mark.upper, 100.0)


def _bare(mark: Landmark) -> str:
    """A share without an interval; a curve that rounding alone has brought to 0 by its bounds."""
    if mark.estimate is None:
        return "-"
    if mark.estimate == 0.0 and (mark.bounds is None or mark.bounds.at_most):
        return bounds(mark.bounds, 100.0, 0)
    return f"{100.0 * mark.estimate:.0f}"
