"""The sections that show what was found: curves, arms, landmarks, contrasts, the reported."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.hub.analyses.results import ArmResult, Landmark
from simulator.hub.result import Report, StudyResult
from simulator.language.study import ReportedArm, Study
from simulator.report.figures import NARROW, WIDE, Words, last_month, survival_svg
from simulator.report.inline import inline
from simulator.report.markup import NOTHING, Markup, element, paragraph
from simulator.report.tables import Column, short, table
from simulator.report.target_trial import index_name
from simulator.report.words import (
    NONE_FOLLOWED,
    NOT_REACHED,
    count,
    estimate,
    months,
    p_equals,
    p_value,
    percent,
    plural,
    ratio,
)


def axes_of(study: Study, title: str = "") -> Words:
    """What a figure's axes are called."""
    share = "alive" if study.question.outcome_is_death else "without the outcome"
    return Words(f"months since {index_name(study)}", share, title)


def curves(report: Report, study: Study) -> Markup:
    """The survival curves, drawn twice: for a wide screen or paper, and for a narrow screen."""
    arms, words = report.result.arms, axes_of(study)
    said = f"Survival curves of {plural(len(arms), 'arm')}; the tables below give the numbers."
    drawings = [
        inline(survival_svg(arms, words, shape), name, said)
        for name, shape in (("wide", WIDE), ("narrow", NARROW))
    ]
    shown = last_month(arms)
    caption = (
        f"Each line falls as patients {'die' if study.question.outcome_is_death else 'fail'}; the "
        "shade around it holds the true line's height at a time with 95\N{NO-BREAK SPACE}% "
        "confidence, the dotted line is at half, and below stands how many were still watched. "
        f"Drawn up to month {shown} of {study.question.follow_up.months}."
    )
    return element("figure", *drawings, element("figcaption", caption), class_="survival")


def arms(report: Report, study: Study) -> Markup:
    """One row for each arm."""
    died = "Died" if study.question.outcome_is_death else "Had the outcome"
    to_month = study.analyses.restricted_mean
    columns = [
        Column("Arm"),
        Column("Patients"),
        Column(died),
        Column("Median, months (95\N{NO-BREAK SPACE}%)"),
        Column("Followed, months"),
        *([Column(f"Mean to month {to_month} (95\N{NO-BREAK SPACE}%)")] if to_month else []),
    ]
    rows = [_arm(arm) for arm in report.result.arms]
    explained = (
        "Median: the time by which half have had the outcome. Followed: how long half of the "
        "patients were watched, had nobody had it."
    )
    if to_month:
        explained += f" Mean to month {to_month}: months lived of the first {to_month}, on average."
    return element(
        "div", table(columns, rows, "The arms"), paragraph(explained, class_="explained")
    )


def _arm(arm: ArmResult) -> list[str]:
    median, mean = arm.median_months, arm.rmst_months
    cells = [
        arm.arm,
        count(arm.patients),
        count(arm.events),
        estimate(median.estimate, median.lower, median.upper, months),
        NOT_REACHED if arm.median_follow_up_months is None else months(arm.median_follow_up_months),
    ]
    if mean is not None:
        cells.append(estimate(mean.estimate, mean.lower, mean.upper, months, NONE_FOLLOWED))
    return cells


def landmarks(report: Report, study: Study) -> Markup:
    """Survival at the study's months, with the patients still watched."""
    if not study.analyses.landmarks:
        return NOTHING
    columns = [Column("Arm"), *(Column(f"{month} months") for month in study.analyses.landmarks)]
    rows = [[arm.arm, *(_landmark(mark) for mark in arm.survival)] for arm in report.result.arms]
    return table(columns, rows, "Alive at a time, % (95 %), and patients still watched")


def _landmark(mark: Landmark) -> Markup:
    if mark.estimate is None:
        return element("span", NONE_FOLLOWED, class_="quiet")
    found = estimate(mark.estimate, mark.lower, mark.upper, lambda share: f"{100 * share:.0f}")
    watched = element("span", short(f"{count(mark.at_risk)} watched"), class_="under")
    return element("span", short(found), " ", watched)


def log_rank(report: Report, study: Study) -> Markup:
    """The test over all arms, in a sentence."""
    test = report.result.log_rank
    if test is None:
        return NOTHING
    outcome = "die" if study.question.outcome_is_death else "have the outcome"
    return paragraph(
        f"Log-rank test that all {len(report.result.arms)} arms {outcome} at the same rate: "
        f"chi-squared {test.statistic:.2f}, {plural(test.df, 'degree')} of freedom, "
        f"{p_equals(test.p)}."
    )


def hazard_ratios(report: Report, _study: Study) -> Markup:
    """Every pair of arms."""
    found = report.result.hazard_ratios
    if not found:
        return NOTHING
    columns = [
        Column("Hazard ratio of"),
        Column("Against", text=True),
        Column("Ratio (95\N{NO-BREAK SPACE}%)"),
        Column("p"),
        Column("p, Holm's"),
    ]
    rows = [
        [
            pair.arm,
            pair.reference,
            estimate(pair.estimate, pair.lower, pair.upper, ratio, "not estimable"),
            p_value(pair.p),
            p_value(pair.p_adjusted),
        ]
        for pair in found
    ]
    explained = (
        "Below 1, the arm named first has the outcome more slowly. An interval that holds 1 says "
        "that the data do not tell which is faster. Holm's: p made larger because "
        f"{plural(len(found), 'pair was', 'pairs were')} looked at."
    )
    return element(
        "div", table(columns, rows, "Pairs of arms"), paragraph(explained, class_="explained")
    )


def reported(report: Report, study: Study) -> Markup:
    """What a publication reported, beside what was found."""
    said = study.reported
    if said is None:
        return NOTHING
    rows = list(_beside(report.result, study))
    columns = [Column("Figure"), Column("Reported"), Column("Found here (95\N{NO-BREAK SPACE}%)")]
    return element(
        "div",
        table(columns, rows, "Reported, and found here"),
        paragraph(f"Reported by: {said.source}.", class_="explained"),
    )


def _beside(result: StudyResult, study: Study) -> Iterator[list[str]]:
    said = study.reported
    if said is None:
        return
    if said.patients is not None:
        yield ["Patients", f"{said.patients:,}", count(result.cohort.patients)]
    found = {arm.arm: arm for arm in result.arms}
    for arm in said.arms:
        yield from _beside_arm(arm, found[arm.arm])


def _beside_arm(said: ReportedArm, found: ArmResult) -> Iterator[list[str]]:
    if said.median_months is not None:
        median = found.median_months
        yield [
            f"Median months, {said.arm}",
            f"{said.median_months:g}",
            estimate(median.estimate, median.lower, median.upper, months),
        ]
    marks = {mark.months: mark for mark in (*found.curve, *found.survival)}
    for month, share in said.survival:
        mark = marks.get(month)
        here = (
            NONE_FOLLOWED
            if mark is None
            else estimate(mark.estimate, mark.lower, mark.upper, percent, NONE_FOLLOWED)
        )
        yield [f"At {month} months, {said.arm}", percent(share), here]
