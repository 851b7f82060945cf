"""The section that draws survival, and says what is drawn."""

from __future__ import annotations

from typing import Final

from simulator.hub.result import Report
from simulator.language.study import Study
from simulator.privacy.offers import NOT_CHANCE
from simulator.report.ending import ending_of
from simulator.report.figures import NARROW, WIDE, Words, last_month, survival_svg
from simulator.report.inline import inline
from simulator.report.markup import Markup, element
from simulator.report.target_trial import index_name
from simulator.report.words import plural

_KNOWS: Final = ", the noise taken into account"


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
    if report.result.is_as_shown:
        caption = _changed(report, study, shown)
    else:
        knows = _KNOWS if report.result.release.noise else ""
        caption = (
            f"Each line falls as patients {ending_of(study).have}; the shade around it holds the "
            f"true line's height at a time with 95\N{NO-BREAK SPACE}% confidence{knows}, "
            "the dotted line is at half, and below stands how many were still watched. "
            f"Drawn up to month {shown} of {study.question.follow_up.months}."
        )
    return element("figure", *drawings, element("figcaption", caption), class_="survival")


def _changed(report: Report, study: Study, shown: int) -> str:
    """What is drawn where a rule has changed the counts."""
    marks = [mark for arm in report.result.arms for mark in arm.curve]
    within = (
        "Whatever the exact counts were, their line is within the hatched region. "
        if any(mark.bounds is not None for mark in marks)
        else "The rule of release bounds nothing: their line may be anywhere. "
    )
    return (
        f"Each line falls as patients {ending_of(study).have}, by the counts as the rule of "
        f"release shows them. {within}There is no confidence interval: {NOT_CHANCE}. Below stands "
        "how many were still watched. "
        f"Drawn up to month {shown} of {study.question.follow_up.months}."
    )


def _bounded(study: Study, shown: int) -> str:
    """What is drawn where there is nothing but bounds."""
    return (
        "There is no line, as the rule of release withheld counts. Whatever these were, the share "
        f"{ending_of(study).without} is within the hatched region. This is no confidence interval, "
        "and where all is hatched nothing is known. Below stands how many were still watched, at "
        "least and at most. "
        f"Drawn up to month {shown} of {study.question.follow_up.months}."
    )
