"""The sections that show what was found: curves, arms, landmarks, contrasts, the reported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from simulator.aggregates.released import Noisy, Partial, Released
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
    brief,
    estimate,
    limits,
    months,
    percent,
    plural,
    several,
    spoken,
)

_KNOWS: Final = ", the noise taken into account"
_TOO_FEW: Final = "too few to tell"
_BOUNDS_ARE: Final = (
    "Bounds: the exact counts would give a number between these two, whatever the rule of release "
    "withheld or changed. That is no confidence interval."
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
    if not report.result.is_estimated:
        return element(
            "figure", *drawings, element("figcaption", _bounded(study, shown)), class_="survival"
        )
    shade = (
        "shade around it is the interval that the counts shown would have if they were exact: it "
        "knows nothing of the rule of release"
        if report.result.is_ruled
        else "shade around it holds the true line's height at a time with 95\N{NO-BREAK SPACE}% "
        f"confidence{_KNOWS if report.result.release.noise else ''}"
    )
    caption = (
        f"Each line falls as patients {ending_of(study).have}; the {shade}, "
        "the dotted line is at half, and below stands how many were still watched. "
        f"Drawn up to month {shown} of {study.question.follow_up.months}."
    )
    return element("figure", *drawings, element("figcaption", caption), class_="survival")


def _bounded(study: Study, shown: int) -> str:
    """What is drawn where there is nothing but bounds."""
    return (
        "There is no line, as the rule of release withheld counts. Whatever these were, the share "
        f"{ending_of(study).without} is within the hatched region. This is no confidence interval, "
        "and where all is hatched nothing is known. Below stands how many were still watched, at "
        "least and at most. "
        f"Drawn up to month {shown} of {study.question.follow_up.months}."
    )


def arms(report: Report, study: Study) -> Markup:
    """One row for each arm; where there are no estimates, what they lie between."""
    if not report.result.is_estimated:
        return _arms_between(report, study)
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
    explained += _noise(report)
    return join([table(columns, rows, "The arms"), paragraph(explained, class_="explained")])


def _noise(report: Report) -> str:
    """How much noise is in the counts of the arms and of those watched."""
    found = report.result.arms
    told = {
        "patients": [arm.patients for arm in found],
        f"{'deaths' if report.result.outcome == 'death' else 'outcomes'}": [
            arm.events for arm in found
        ],
        "numbers still watched": [mark.at_risk for arm in found for mark in arm.survival],
    }
    errors = {
        what: max(count.standard_error for count in counts if isinstance(count, Noisy))
        for what, counts in told.items()
        if any(isinstance(count, Noisy) for count in counts)
    }
    if not errors:
        return ""
    most = several([f"{error:.1f} for {what}" for what, error in errors.items()])
    return f" Counts with 'about' carry noise on purpose, of standard error up to {most}."


def _arms_between(report: Report, study: Study) -> Markup:
    """Each arm where counts were withheld: between what its numbers lie, and what was shown."""
    had = ending_of(study).had
    columns = [
        Column("Arm"),
        Column("Patients"),
        Column("of them shown"),
        Column(had.capitalize()),
        Column("of them shown"),
        Column("Median, months"),
    ]
    rows = [
        [
            arm.arm,
            *(brief(arm.patients), _shown(arm.patients)),
            *(brief(arm.events), _shown(arm.events)),
            limits(arm.median_months.bounds, months, NOT_REACHED),
        ]
        for arm in report.result.arms
    ]
    explained = (
        "The rule of release withheld counts, so there are no estimates: each number lies between "
        "those given, whatever the withheld counts were. These are no confidence intervals."
    )
    return join([table(columns, rows, "The arms"), paragraph(explained, class_="explained")])


def _shown(released: Released) -> str:
    return f"{released.shown:,}" if isinstance(released, Partial) else brief(released)


def _arm(arm: ArmResult) -> list[str]:
    median, mean = arm.median_months, arm.rmst_months
    cells = [
        arm.arm,
        spoken(arm.patients),
        spoken(arm.events),
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
    result = report.result
    rows = [[arm.arm, *(_landmark(result, mark) for mark in arm.survival)] for arm in result.arms]
    how = "% (95 %)" if result.is_estimated else "%, between bounds"
    made = table(
        columns,
        rows,
        f"Share {ending_of(study).without} at a time, {how}, and patients still watched",
    )
    return join([made, paragraph(_BOUNDS_ARE, class_="explained")]) if result.is_ruled else made


def _landmark(result: StudyResult, mark: Landmark) -> Markup:
    """The share with its interval, its bounds, or both, and how many are still watched."""
    watched = element("span", short(f"{_watched(mark.at_risk)} watched"), class_="under")
    between = limits(mark.bounds, _hundredths, "0\N{EN DASH}100")
    if not result.is_estimated:
        return element("span", short(between), " ", watched)
    if mark.estimate is None:
        return element("span", _nobody(mark), class_="quiet")
    said = short(f"bounds {between}")
    bounds = [" ", element("span", said, class_="under")] if result.is_ruled else []
    return element("span", short(_share(mark)), *bounds, " ", watched)


def _watched(released: Released) -> str:
    return brief(released) if isinstance(released, Partial) else spoken(released)


def _nobody(mark: Landmark) -> str:
    """Why there is no number; under noise nobody knows that there is nobody."""
    return _TOO_FEW if isinstance(mark.at_risk, Noisy) else NONE_FOLLOWED


def quantiles(report: Report, study: Study) -> Markup:
    """By when a quarter, half and three quarters of each arm had the outcome, if any arm knows."""
    found = [arm.quantiles_months for arm in report.result.arms]
    if all(quantile.estimate is None for arm in found for quantile in arm):
        return NOTHING
    had = ending_of(study).had
    shares = [quantile.share for quantile in next(arm for arm in found if arm)]
    columns = [Column("Arm"), *(Column(f"{percent(share)} {had}") for share in shares)]
    rows = [
        [arm.arm, *(_months(quantile) for quantile in arm.quantiles_months)]
        for arm in report.result.arms
    ]
    heading = element("h3", f"Months until so many {had}")
    return join([heading, table(columns, rows, f"Months until so many {had}, with 95 % intervals")])


def _months(found: Interval | Quantile) -> str:
    bounds = found.bounds if isinstance(found, Interval) else None
    if found.estimate is None and bounds is not None:
        return limits(bounds, months, NOT_REACHED)
    said = estimate(found.estimate, found.lower, found.upper, months)
    return said if bounds is None else f"{said}, in truth {limits(bounds, months, NOT_REACHED)}"


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
        yield ["Patients", f"{said.patients:,}", spoken(result.cohort.patients)]
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
            yield [name, _hundredths(share), _share(marks.get(month), bounds=result.is_ruled)]


def _share(mark: Landmark | None, *, bounds: bool = False) -> str:
    if mark is None:
        return NONE_FOLLOWED
    if bounds and mark.estimate is None:
        return limits(mark.bounds, _hundredths, "0\N{EN DASH}100")
    return estimate(mark.estimate, mark.lower, mark.upper, _hundredths, _nobody(mark))


def _hundredths(share: float) -> str:
    return f"{100 * share:.0f}"
