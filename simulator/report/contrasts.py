"""The section that holds arms against each other: tests, hazard ratios, and differences."""

from __future__ import annotations

from typing import Final

from simulator.hub.analyses.results import ContrastResult, LogRankResult, SurvivalDifference
from simulator.hub.result import Report
from simulator.language.study import Study
from simulator.report.ending import ending_of
from simulator.report.markup import NOTHING, Markup, element, join, paragraph
from simulator.report.tables import Column, short, table
from simulator.report.words import (
    NOT_ESTIMABLE,
    estimate,
    p_equals,
    p_value,
    plural,
    ratio,
    signed,
)

_A_PAIR: Final = 2
_HOLM: Final = "p, Holm's"


def log_rank(report: Report, study: Study) -> Markup:
    """The test over all arms, in a sentence."""
    test = report.result.log_rank
    if test is None:
        return NOTHING
    arms = len(report.result.arms)
    which = "both arms" if arms == _A_PAIR else f"all {arms} arms"
    if test.null:
        return _under_noise(test, f"{which} {ending_of(study).have} at the same rate")
    return paragraph(
        f"Log-rank test that {which} {ending_of(study).have} at the same rate: chi-squared "
        f"{test.statistic:.2f}, {plural(test.df, 'degree')} of freedom, {p_equals(test.p)}."
    )


def _under_noise(test: LogRankResult, hypothesis: str) -> Markup:
    """The test against tables with noise, and what the ordinary one would say."""
    said = paragraph(
        f"Log-rank test that {hypothesis}: statistic {test.statistic:.2f}, {p_equals(test.p)}, "
        f"held against {test.null}."
    )
    if test.naive_p is None:
        return said
    wrong = paragraph(
        element("strong", "Wrong: "),
        "the ordinary test, which takes the noise for patients, would say "
        f"{p_equals(test.naive_p)}. It finds differences that are noise.",
        class_="explained",
    )
    return join([said, wrong])


def hazard_ratios(report: Report, study: Study) -> Markup:
    """Every pair of arms."""
    found = report.result.hazard_ratios
    if not found:
        return NOTHING
    several_pairs = len(found) > 1
    columns = [
        Column("Hazard ratio of"),
        Column("Against", text=True),
        Column("Ratio (95\N{NO-BREAK SPACE}%)"),
        Column("p"),
        *([Column(_HOLM)] if several_pairs else []),
    ]
    rows = [
        [
            pair.arm,
            pair.reference,
            estimate(pair.estimate, pair.lower, pair.upper, ratio, NOT_ESTIMABLE),
            p_value(pair.p),
            *([p_value(pair.p_adjusted)] if several_pairs else []),
        ]
        for pair in found
    ]
    explained = (
        f"Below 1, those of the arm named first {ending_of(study).have} later. An interval "
        "that holds 1 says that the data do not tell which is later."
    )
    if several_pairs:
        explained += f" Holm's: p made larger because {len(found)} pairs were looked at."
    return element(
        "div", table(columns, rows, "Pairs of arms"), paragraph(explained, class_="explained")
    )


def mean_differences(report: Report, study: Study) -> Markup:
    """Mean survival up to a month, each pair of arms."""
    found = report.result.rmst_differences
    if not found:
        return NOTHING
    columns = [
        Column("Mean months of"),
        Column("Against", text=True),
        Column("Longer by (95\N{NO-BREAK SPACE}%)"),
        Column("Ratio (95\N{NO-BREAK SPACE}%)"),
        Column(_HOLM if len(found) > 1 else "p"),
    ]
    rows = [
        [
            pair.arm,
            pair.reference,
            _contrast(pair.difference),
            estimate(pair.ratio.estimate, pair.ratio.lower, pair.ratio.upper, ratio, NOT_ESTIMABLE),
            p_value(pair.difference.p_adjusted),
        ]
        for pair in found
    ]
    return join(
        [
            element(
                "h3", f"Mean months {ending_of(study).without}, of the first {found[0].months}"
            ),
            table(columns, rows, "Differences in mean survival, by pair of arms"),
        ]
    )


def _contrast(found: ContrastResult, scale: float = 1.0, digits: int = 1) -> str:
    return estimate(
        found.estimate,
        found.lower,
        found.upper,
        lambda value: signed(value * scale, digits),
        NOT_ESTIMABLE,
    )


def survival_differences(report: Report, study: Study) -> Markup:
    """Survival at the study's months, one row for each pair of arms."""
    found = report.result.survival_differences
    if not found:
        return NOTHING
    marks = sorted({pair.months for pair in found})
    pairs: dict[tuple[str, str], dict[int, SurvivalDifference]] = {}
    for pair in found:
        pairs.setdefault((pair.arm, pair.reference), {})[pair.months] = pair
    columns = [Column("Higher share of"), *(Column(f"{month} months") for month in marks)]
    rows = [
        [f"{arm} against {reference}", *(_difference(by_month.get(month)) for month in marks)]
        for (arm, reference), by_month in pairs.items()
    ]
    tested = "Holm's p over all pairs" if len(pairs) > 1 else "p"
    explained = (
        f"In percentage points with 95\N{NO-BREAK SPACE}% intervals, cut at 100 points, and "
        f"{tested}. An interval that holds 0 says that the data do not tell which is higher. There "
        "is no interval, and no p, where the curve of an arm is still at 100 or has come down to "
        "0: there the formula gives that arm no spread. With few still watched both are rough."
    )
    return join(
        [
            element("h3", f"Difference in the share {ending_of(study).without} at a time"),
            table(columns, rows, "Differences at a time, by pair of arms"),
            paragraph(explained, class_="explained"),
        ]
    )


def _difference(found: SurvivalDifference | None) -> Markup:
    if found is None or found.difference.estimate is None:
        return element("span", NOT_ESTIMABLE, class_="quiet")
    said = short(_contrast(found.difference, 100.0, 0))
    if found.difference.p_adjusted is None:
        return element("span", said)
    tested = f"p {p_value(found.difference.p_adjusted)}"
    return element("span", said, " ", element("span", tested, class_="under"))
