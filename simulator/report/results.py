"""The sections that show what was found: curves, arms, landmarks, contrasts, the reported."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.hub.analyses.results import ArmResult, Interval, Landmark, Quantile
from simulator.hub.result import Report, StudyResult
from simulator.language.study import Reported, Study
from simulator.report.ending import ending_of
from simulator.report.figures import NARROW, WIDE, Words, last_month, survival_svg
from simulator.report.inline import inline
from simulator.report.markup import NOTHING, Markup, element, join, paragraph
from simulator.report.tables import Column, short, table
from simulator.report.target_trial import index_name
from simulator.report.words import (
    NONE_FOLLOWED,
    NOT_REACHED,
    count,
    estimate,
    months,
    percent,
    plural,
)


def axes_of(study: Study, title: str = "") -> Words:
    """What a figure's axes are called."""
    return Words(f"months since {index_name(study)}", ending_of(study).without, title)


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
        f"Each line falls as patients {ending_of(study).have}; the "
        "shade around it holds the true line's height at a time with 95\N{NO-BREAK SPACE}% "
        "confidence, the dotted line is at half, and below stands how many were still watched. "
        f"Drawn up to month {shown} of {study.question.follow_up.months}."
    )
    return element("figure", *drawings, element("figcaption", caption), class_="survival")


def arms(report: Report, study: Study) -> Markup:
    """One row for each arm."""
    to_month = study.analyses.restricted_mean
    columns = [
        Column("Arm"),
        Column("Patients"),
        Column(ending_of(study).had.capitalize()),
        Column("Median, months (95\N{NO-BREAK SPACE}%)"),
        Column("Followed, months"),
        *([Column(f"Mean to month {to_month} (95\N{NO-BREAK SPACE}%)")] if to_month else []),
    ]
    rows = [_arm(arm) for arm in report.result.arms]
    ending = ending_of(study)
    explained = (
        f"Median: the time by which half {ending.had}. Followed: how long half of the patients "
        f"would have been watched if nobody had {ending.had} (Kaplan-Meier in reverse)."
    )
    if to_month:
        explained += (
            f" Mean to month {to_month}: of the first {to_month} months, those {ending.without}, "
            "on average."
        )
    return join([table(columns, rows, "The arms"), paragraph(explained, class_="explained")])


def _arm(arm: ArmResult) -> list[str]:
    median, mean = arm.median_months, arm.rmst_months
    cells = [
        arm.arm,
        count(arm.patients),
        count(arm.events),
        _months(median),
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
    return table(
        columns,
        rows,
        f"Share {ending_of(study).without} at a time, % (95 %), and patients still watched",
    )


def _landmark(mark: Landmark) -> Markup:
    if mark.estimate is None:
        return element("span", NONE_FOLLOWED, class_="quiet")
    watched = element("span", short(f"{count(mark.at_risk)} watched"), class_="under")
    return element("span", short(_share(mark)), " ", watched)


def quantiles(report: Report, study: Study) -> Markup:
    """By when a quarter, half and three quarters of each arm had the outcome, if any arm knows."""
    found = [arm.quantiles_months for arm in report.result.arms]
    if all(quantile.estimate is None for arm in found for quantile in arm):
        return NOTHING
    had = ending_of(study).had
    shares = [quantile.share for quantile in found[0]]
    columns = [Column("Arm"), *(Column(f"{percent(share)} {had}") for share in shares)]
    rows = [
        [arm.arm, *(_months(quantile) for quantile in arm.quantiles_months)]
        for arm in report.result.arms
    ]
    heading = element("h3", f"Months until so many {had}")
    return join([heading, table(columns, rows, f"Months until so many {had}, with 95 % intervals")])


def _months(found: Interval | Quantile) -> str:
    return estimate(found.estimate, found.lower, found.upper, months)


def reported(report: Report, study: Study) -> Markup:
    """What a publication reported, beside what was found."""
    said = study.reported
    if said is None:
        return NOTHING
    rows = list(_beside(report.result, study, said))
    columns = [Column("Figure"), Column("Reported"), Column("Found here (95\N{NO-BREAK SPACE}%)")]
    return element(
        "div",
        table(columns, rows, "Reported, and found here"),
        paragraph(f"Reported by: {said.source}.", class_="explained"),
    )


def _beside(result: StudyResult, study: Study, said: Reported) -> Iterator[list[str]]:
    if said.patients is not None:
        yield ["Patients", f"{said.patients:,}", count(result.cohort.patients)]
    found = {arm.arm: arm for arm in result.arms}
    without = ending_of(study).without
    for arm in said.arms:
        here = found[arm.arm]
        if arm.median_months is not None:
            median = _months(here.median_months)
            yield [f"Median, months: {arm.arm}", f"{arm.median_months:g}", median]
        marks = {mark.months: mark for mark in (*here.curve, *here.survival)}
        for month, share in arm.survival:
            name = f"% {without} at {month} months: {arm.arm}"
            yield [name, _hundredths(share), _share(marks.get(month))]


def _share(mark: Landmark | None) -> str:
    if mark is None:
        return NONE_FOLLOWED
    return estimate(mark.estimate, mark.lower, mark.upper, _hundredths, NONE_FOLLOWED)


def _hundredths(share: float) -> str:
    return f"{100 * share:.0f}"
