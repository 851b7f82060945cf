"""Makes the files of a comparison of releases: the figure, and a page around it."""

from __future__ import annotations

from simulator.aggregates.released import Noisy
from simulator.laboratory.compare_values import Compared, CompareReport, Group, Held, Row
from simulator.laboratory.compare_words import (
    WHERE,
    alone,
    arms_off,
    brief,
    factor,
    off,
    p,
    p_of,
    reasons,
    share_off,
    shown,
    survival_off,
)
from simulator.report.compare_figure import comparison_png, comparison_svg
from simulator.report.compare_page import ComparisonPage, comparison_page
from simulator.report.compare_rows import Drawn, DrawnGroup, DrawnTruth, Mark


def files(report: CompareReport) -> dict[str, bytes]:
    """The content of each file by its name."""
    groups, truth = drawn(report.result)
    svg = comparison_svg(groups, truth)
    return {
        "compare.svg": svg.encode(),
        "compare.png": comparison_png(groups, truth),
        "compare.html": comparison_page(_page(report, svg)).encode(),
    }


def drawn(result: Compared) -> tuple[tuple[DrawnGroup, ...], DrawnTruth]:
    """What the figure draws: the rows by group, and the truth."""
    groups = tuple(
        DrawnGroup(str(group), lines)
        for group in Group
        if (lines := tuple(_line(row) for row in result.rows if row.group is group))
    )
    alive = [
        (arm.arm, share)
        for arm, share in zip(result.truth.arms, result.truth.by_month.survival, strict=True)
        if share is not None
    ]
    truth = DrawnTruth(
        total=result.truth.patients,
        arms=tuple(arm for arm, _ in alive),
        survival=tuple(share for _, share in alive),
        months=result.months,
    )
    return groups, truth


def _line(row: Row) -> Drawn:
    return Drawn(
        name=row.name,
        at_site=row.place == "site",
        total=_mark(row.total, row.shown.standard_error if isinstance(row.shown, Noisy) else None),
        said=brief(row),
        survival=tuple(_mark(arm.survival) for arm in row.arms if arm.survival is not None),
    )


def _mark(held: Held | None, noise: float | None = None) -> Mark:
    if held is None:
        return Mark()
    spread = noise if held.deviation is None else held.deviation
    return Mark(held.estimate, held.at_least, held.at_most, spread)


def _page(report: CompareReport, svg: str) -> ComparisonPage:
    result, truth = report.result, report.result.truth
    return ComparisonPage(
        title=result.title,
        about=(
            f"Study {result.study}, version {result.version}. Network {result.network}: in truth "
            f"{truth.patients:,} patients at {truth.sites:,} hospitals. "
            f"{len(result.rows)} releases and places, compared on {report.run.started[:10]}."
        ),
        lesson=result.lesson,
        notes=(*result.notes, *reasons(result.rows)),
        svg=svg,
        headings=(
            *("release", "done at", "cohort", "off", "worst arm off"),
            f"survival off, points at {result.months} months",
            f"p (true {p(truth.by_month.log_rank_p)})",
            *("worst hazard ratio", "alone in a cell"),
        ),
        rows=tuple(
            (
                row.name,
                WHERE[row.place],
                shown(row),
                " ".join(said for said in (off(row.total), share_off(row.total)) if said),
                arms_off(row),
                survival_off(row),
                p_of(row),
                factor(row),
                alone(row),
            )
            for row in result.rows
        ),
    )
