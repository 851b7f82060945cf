"""The sections that show what was found in numbers: arms, landmarks, quantiles, the reported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from simulator.aggregates.released import Noisy, Partial, Released
from simulator.hub.analyses.results import ArmResult, Interval, Landmark, Quantile
from simulator.hub.result import Report, StudyResult
from simulator.language.study import Reported, Study
from simulator.privacy.offers import NOT_CHANCE
from simulator.report.ending import ending_of
from simulator.report.markup import NOTHING, Markup, element, join, paragraph
from simulator.report.tables import Column, short, table
from simulator.report.words import (
    NONE_FOLLOWED,
    NOT_REACHED,
    Form,
    brief,
    estimate,
    limits,
    months,
    percent,
    several,
    spoken,
)

_WITH_INTERVAL: Final = " (95\N{NO-BREAK SPACE}%)"
_NO_INTERVALS: Final = f"No intervals, no tests: {NOT_CHANCE}."
_TOO_FEW: Final = "too few to tell"
_TOO_NOISY: Final = "not told under noise"
_BOUNDS_ARE: Final = (
    "Bounds: the exact counts would give a number between these two, whatever the rule of release "
    "withheld or changed. That is no confidence interval."
)


def arms(report: Report, study: Study) -> Markup:
    """One row for each arm; where there are no estimates, what they lie between."""
    if not report.result.is_estimated:
        return _arms_between(report, study)
    to_month = study.analyses.restricted_mean
    with_interval = "" if report.result.is_as_shown else _WITH_INTERVAL
    columns = [
        Column("Arm"),
        Column("Patients"),
        Column(ending_of(study).had.capitalize()),
        Column(f"Median, months{with_interval}"),
        Column("Followed, months"),
        *([Column(f"Mean to month {to_month}{with_interval}")] if to_month else []),
    ]
    rows = [_arm(arm, report.result) for arm in report.result.arms]
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
    if report.result.is_as_shown:
        whose = "the rule of release shows" if report.result.is_ruled else "they were rounded"
        explained += f" All but the patients is by the counts as {whose}. {_NO_INTERVALS}"
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


def _arm(arm: ArmResult, result: StudyResult) -> list[str]:
    median, mean = arm.median_months, arm.rmst_months
    bare = result.is_as_shown
    cells = [
        arm.arm,
        spoken(arm.patients),
        spoken(arm.events),
        _months(median, bare=bare) if arm.is_estimated else _TOO_FEW,
        _followed(arm),
    ]
    if mean is not None:
        missing = NONE_FOLLOWED if arm.is_estimated else _TOO_FEW
        ends = (mean.lower, mean.upper)
        cells.append(
            _alone(mean.estimate, months, missing)
            if bare
            else estimate(mean.estimate, *ends, months, missing)
        )
    return cells


def landmarks(report: Report, study: Study) -> Markup:
    """Survival at the study's months, with the patients still watched."""
    if not study.analyses.landmarks:
        return NOTHING
    columns = [Column("Arm"), *(Column(f"{month} months") for month in study.analyses.landmarks)]
    result = report.result
    rows = [[arm.arm, *(_landmark(result, mark) for mark in arm.survival)] for arm in result.arms]
    how = "%, between bounds" if result.is_as_shown else "% (95 %)"
    made = table(
        columns,
        rows,
        f"Share {ending_of(study).without} at a time, {how}, and patients still watched",
    )
    if not result.is_as_shown:
        return made
    why = f"{_NO_INTERVALS} {_BOUNDS_ARE}" if result.is_estimated else _BOUNDS_ARE
    return join([made, paragraph(why, class_="explained")])


def _landmark(result: StudyResult, mark: Landmark) -> Markup:
    """The share with its interval, its bounds, or both, and how many are still watched."""
    watched = element("span", short(f"{_watched(mark.at_risk)} watched"), class_="under")
    between = limits(mark.bounds, _hundredths, "0\N{EN DASH}100")
    if not result.is_estimated or (result.is_as_shown and _says_nothing(mark)):
        return element("span", short(between), " ", watched)
    if mark.estimate is None:
        return element("span", _nobody(mark), class_="quiet")
    said = short(f"bounds {between}")
    bounds = [" ", element("span", said, class_="under")] if result.is_as_shown else []
    share = _share(mark, bare=result.is_as_shown)
    return element("span", short(share), *bounds, " ", watched)


def _says_nothing(mark: Landmark) -> bool:
    """Whether counts that were changed end here, or bring the curve to 0, where the truth may not.

    Their curve is then no estimate: the bounds alone are told.
    """
    some_left = mark.bounds is None or bool(mark.bounds.at_most)
    return some_left and not mark.estimate


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
    bare = report.result.is_as_shown
    rows = [
        [
            arm.arm,
            *(
                _months(quantile, bare=bare) if arm.is_estimated else _TOO_FEW
                for quantile in arm.quantiles_months
            ),
        ]
        for arm in report.result.arms
    ]
    heading = element("h3", f"Months until so many {had}")
    how = "of the counts as shown" if bare else "with 95 % intervals"
    return join([heading, table(columns, rows, f"Months until so many {had}, {how}")])


def _followed(arm: ArmResult) -> str:
    """The median follow-up; under noise there is none, as nothing is known of its error."""
    if arm.median_follow_up_months is not None:
        return months(arm.median_follow_up_months)
    return _TOO_NOISY if isinstance(arm.patients, Noisy) else NOT_REACHED


def _months(found: Interval | Quantile, *, bare: bool) -> str:
    bounds = found.bounds if isinstance(found, Interval) else None
    if found.estimate is None and bounds is not None:
        return limits(bounds, months, NOT_REACHED)
    if not bare:
        return estimate(found.estimate, found.lower, found.upper, months)
    said = _alone(found.estimate, months, NOT_REACHED)
    return said if bounds is None else f"{said}, in truth {limits(bounds, months, NOT_REACHED)}"


def _alone(value: float | None, form: Form, missing: str) -> str:
    """A number that has no interval."""
    return missing if value is None else form(value)


def reported(report: Report, study: Study) -> Markup:
    """What a publication reported, beside what was found."""
    said = study.reported
    if said is None:
        return NOTHING
    rows = list(_beside(report.result, study, said))
    how = "" if report.result.is_as_shown else _WITH_INTERVAL
    columns = [Column("Figure"), Column("Reported"), Column(f"Found here{how}")]
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
            median = _months(here.median_months, bare=result.is_as_shown)
            yield [f"Median, months: {arm.arm}", f"{arm.median_months:g}", median]
        marks = {mark.months: mark for mark in (*here.curve, *here.survival)}
        for month, share in arm.survival:
            name = f"% {without} at {month} months: {arm.arm}"
            yield [name, _hundredths(share), _share(marks.get(month), bare=result.is_as_shown)]


def _share(mark: Landmark | None, *, bare: bool) -> str:
    if mark is None:
        return NONE_FOLLOWED
    if not bare:
        return estimate(mark.estimate, mark.lower, mark.upper, _hundredths, _nobody(mark))
    if _says_nothing(mark):
        return limits(mark.bounds, _hundredths, "0\N{EN DASH}100")
    return _alone(mark.estimate, _hundredths, NONE_FOLLOWED)


def _hundredths(share: float) -> str:
    return f"{100 * share:.0f}"
