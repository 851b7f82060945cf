"""Says a cohort in the sentences that the modelled platform prints.

There, a query is a line of what a patient cannot have, and numbered groups joined by AND, whose
terms are joined by OR; a group may be placed in time by another. What our language says and those
sentences cannot stands in lines of its own, marked as such.
"""

from __future__ import annotations

from collections.abc import Iterator

from simulator.language.criteria import (
    Occurrence,
)
from simulator.language.platform_groups import Query
from simulator.language.platform_refined import Refined
from simulator.language.platform_terms import CannotBeSaidError, terms, unsaid_of
from simulator.language.prose_criteria import lines_of, moment_said
from simulator.language.prose_words import figure, several
from simulator.language.study import Arm, Censoring, Inquiry, Question, Study
from simulator.language.windows import DAYS_PER_MONTH


def platform_sentences(inquiry: Inquiry) -> str:
    """The cohort, its arms and outcome as the platform would print them, at most 80 columns.

    What those sentences cannot say stands in lines that begin ``(cannot be said there:``.
    """
    question = inquiry.question
    parts = [[inquiry.title], _whole(question)]
    parts += [_arm(question, arm) for arm in question.arms]
    parts.append([*_outcome(question), *_unsaid(_beyond(inquiry))])
    return "\n\n".join("\n".join(_wrapped(part)) for part in parts if part)


def _wrapped(lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield from lines_of(line, "", "  ")


def _unsaid(texts: Iterator[str]) -> list[str]:
    return [f"(cannot be said there: {text})" for text in texts]


def _whole(question: Question) -> list[str]:
    """The index and the steps."""
    said = _base(question).lines()
    return [*said, *_unsaid(text for codes in question.codes for text in unsaid_of(codes))]


def _base(question: Question) -> Query:
    cohort = question.cohort
    refined = Refined.by([step.require for step in cohort.steps], cohort.index)
    query = Query(question, refined, first=1)
    query.begin()
    for step in cohort.steps:
        query.add(step.name, refined.rest(step.require))
    return query


def _arm(question: Question, arm: Arm) -> list[str]:
    """An arm: a query that has the groups of the whole, and its own."""
    index, steps = question.cohort.index, [step.require for step in question.cohort.steps]
    before = Refined.by(steps, index)
    chosen_by_steps = index.occurrence is Occurrence.ANY
    refined = before if chosen_by_steps else Refined.by([*steps, arm.require], index)
    query = Query(question, refined, first=_base(question).number)
    begins = f"Cohort [{arm.name}]: the groups above"
    if (refined.dates, refined.age) != (before.dates, before.age):
        query.begin(again=True)
        begins += ", but Group 1A as here"
    query.add(arm.name, refined.rest(arm.require))
    if chosen_by_steps:
        query.leave_unsaid("the index is chosen by the groups above alone, not by these")
    return [f"{begins}, AND", *query.lines()]


def _outcome(question: Question) -> list[str]:
    if not question.arms:
        return []
    days = int(question.follow_up.months * DAYS_PER_MONTH)
    window, sets = question.outcome.window, {codes.name: codes for codes in question.codes}
    try:
        listed = " OR ".join(terms(question.outcome.events, sets))
    except CannotBeSaidError:
        listed = ""
    whole = question.outcome_is_death
    begins = 0 if whole or window.earliest is None else window.earliest
    ends = days if whole or window.latest is None else min(days, window.latest)
    unsaid = _unsaid(_beyond_terms(question))
    if not listed:
        return unsaid
    return [
        f"Outcome: {listed}",
        f"Time Window: from {several(begins, 'day')} to {several(ends, 'day')} after the index "
        "event",
        *unsaid,
    ]


def _beyond_terms(question: Question) -> Iterator[str]:
    """What of the outcome its terms and window do not say."""
    events = question.outcome.events
    if question.outcome_is_death:
        return
    asked = (events.related, events.dates)
    if any(asked) or events.occurrence is not Occurrence.ANY or (events.codes is None):
        yield f"the outcome is {moment_said(question.outcome).in_line()}"


def _beyond(inquiry: Inquiry) -> Iterator[str]:
    """What of a study no query says."""
    question = inquiry.question
    if len(question.arms) > 2:
        yield f"{len(question.arms)} cohorts compared at once; there, two are"
    if len(question.arms) > 1:
        yield "if a patient is in several of the cohorts, the study is refused"
    if question.arms and question.follow_up.censored_at is Censoring.END_OF_OBSERVATION:
        yield "watching ends with the period of observation that holds the index"
    for found in question.follow_up.exits:
        yield f"watching ends with {moment_said(found).in_line()}"
    yield from _beyond_query(inquiry)


def _beyond_query(inquiry: Inquiry) -> Iterator[str]:
    """What is asked of a study's patients beyond their arms, and of its sites."""
    for subgroup in inquiry.question.subgroups:
        levels = ", ".join(level.name for level in subgroup.levels)
        yield f"all of it again by {subgroup.name}: {levels}"
    if inquiry.question.lines:
        yield "treatments in the order of their first day from the index on"
    if isinstance(inquiry, Study) and inquiry.analyses.restricted_mean is not None:
        dies = inquiry.question.outcome_is_death
        mean = "mean survival" if dies else "the area under the curve of the outcome"
        yield f"{mean} within the first {inquiry.analyses.restricted_mean} months"
    share = figure(round(inquiry.least_completeness * 100, 10))
    least = "every one" if share == "100" else f"at least {share} %"
    yield f"{least} of the sites that could hold such patients must answer"
