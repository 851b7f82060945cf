"""Says a whole study or cohort in plain English, so that a physician can check it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from simulator.language.codes import Code
from simulator.language.criteria import Criterion, EventCriterion, Occurrence
from simulator.language.labels import label_of
from simulator.language.prose_criteria import (
    Said,
    criterion_said,
    index_said,
    line_said,
    lines_of,
    moment_said,
)
from simulator.language.prose_rules import rules_of
from simulator.language.prose_words import figure, listed
from simulator.language.study import (
    DEATH,
    Arm,
    Censoring,
    FollowUp,
    Inquiry,
    Question,
    ReportedArm,
    Study,
)

_IN: Final = "  "
_ANY_INDEX: Final = (
    "Of a patient's several it is the earliest at which all the steps below hold; where they all "
    "hold at none, the earliest at which the most hold in a row, from the first step on."
)
_SEVERAL: Final = "If anybody is in several, the study is refused."


def criterion_in_words(criterion: Criterion) -> str:
    """A criterion in one line, seen from the index; what stands in a list is in parentheses."""
    return criterion_said(criterion).in_line()


def describe(inquiry: Inquiry) -> str:
    """The whole study or cohort in plain English, lines of at most 80 columns.

    Two that differ in what they ask have different descriptions.
    """
    question = inquiry.question
    kind = "study" if isinstance(inquiry, Study) else "cohort"
    parts = [
        ("", [*lines_of(inquiry.title, ""), f"{kind} {inquiry.name}, version {inquiry.version}"]),
        ("who is studied", _cohort(question)),
        ("who is compared", _arms(question)),
        ("within which groups", _subgroups(question)),
        ("what is waited for", _outcome(question) if _is_watched(inquiry) else []),
        ("which treatments are put in order", _lines(question)),
        ("what is computed", _analyses(inquiry)),
        ("who must answer", _answers(inquiry)),
        ("what was reported", _reported(inquiry)),
        ("codes", _codes(question)),
        ("how to read this", _rules(inquiry)),
    ]
    return "\n\n".join(
        "\n".join([name.upper(), *lines] if name else lines) for name, lines in parts if lines
    )


def _text(text: str) -> list[str]:
    return lines_of(text, _IN)


def _item(text: str) -> list[str]:
    return lines_of(f"- {text}", _IN, f"{_IN}  ")


def _cohort(question: Question) -> list[str]:
    index, steps = question.cohort.index, question.cohort.steps
    lines = _sentence("The index is ", index_said(index))
    if index.occurrence is Occurrence.ANY:
        lines += _text(_ANY_INDEX if steps else "Of a patient's several it is the earliest.")
    lines += _text("Its day is the index day, day 0.")
    if not steps:
        return [*lines, *_text("Every patient with an index stays.")]
    lines += _text("Of the patients with an index, those stay, step by step, for whom this holds:")
    for place, step in enumerate(steps, start=1):
        lines += lines_of(f"{place}. {step.name}:", _IN, f"{_IN}   ")
        lines += criterion_said(step.require).outline(f"{_IN}   ")
    return lines


def _arms(question: Question) -> list[str]:
    if not question.arms:
        return []
    lines = _groups(question.arms, _IN)
    if len(question.arms) == 1:
        return [*lines, *_text("Who is not in the arm is left out.")]
    return [
        *lines,
        *_text(f"Who is in none of the arms is left out. {_SEVERAL}"),
    ]


def _groups(groups: Iterable[Arm], indent: str) -> list[str]:
    lines: list[str] = []
    for group in groups:
        lines += lines_of(f"{group.name}:", indent)
        lines += criterion_said(group.require).outline(f"{indent}   ")
    return lines


def _subgroups(question: Question) -> list[str]:
    lines: list[str] = []
    for subgroup in question.subgroups:
        lines += [*_text(f"By {subgroup.name}:"), *_groups(subgroup.levels, f"{_IN}  ")]
        lines += lines_of(f"Who is in none of these is counted apart. {_SEVERAL}", f"{_IN}  ")
    return lines


def _outcome(question: Question) -> list[str]:
    follow_up = question.follow_up
    if question.outcome_is_death:
        lines = _text(
            "The outcome is death. One that is recorded as before the index counts on day 0."
        )
    else:
        lines = _first_of("The outcome is ", question.outcome)
    lines += _text("Watching begins on the index day and ends with the first of these:")
    lines += _item(
        {
            Censoring.END_OF_OBSERVATION: "the end of the period of observation that holds the "
            "index; without one, watching ends on the index day",
            Censoring.LAST_FACT: "the last fact that is recorded of the patient, death included",
        }[follow_up.censored_at]
    )
    lines += _item(f"{_months(follow_up.months)} after the index, each of 365.25 / 12 days")
    if not question.outcome_is_death:
        lines += _item("death")
    for found in follow_up.exits:
        lines += _first_of("", found, "- ")
    lines += _text("An outcome on the day of the end still counts.")
    return lines if question.outcome_is_death else [*lines, *_text(_competing(question))]


def _competing(question: Question) -> str:
    """What an outcome that death may forestall does to the curve."""
    both = "the curve and the hazard ratios are" if len(question.arms) > 1 else "the curve is"
    return (
        f"Who dies without the outcome is censored: {both} cause-specific, and 1 minus the curve "
        "is not the share of patients who get the outcome, as death competes with it."
    )


def _rules(inquiry: Inquiry) -> list[str]:
    rules = rules_of(inquiry.question, watched=_is_watched(inquiry))
    return [line for rule in rules for line in _item(rule)]


def _sentence(begins: str, said: Said, bullet: str = "") -> list[str]:
    """A sentence, with a full stop where no list follows."""
    stop = "" if said.members or bullet else "."
    return list(Said(f"{begins}{said.head}{stop}", said.members).outline(_IN, bullet))


def _first_of(begins: str, moment: EventCriterion, bullet: str = "") -> list[str]:
    return _sentence(begins, moment_said(moment), bullet)


def _is_watched(inquiry: Inquiry) -> bool:
    """Whether anything of a follow-up is said; a cohort need not be watched."""
    question = inquiry.question
    said = question.follow_up != FollowUp(120) or question.outcome != DEATH
    return isinstance(inquiry, Study) or said or bool(question.lines)


def _months(months: int) -> str:
    return f"{months} month{'' if months == 1 else 's'}"


def _lines(question: Question) -> list[str]:
    if not question.lines:
        return []
    lines = _text("By the first day of each from the index day on:")
    for events in question.lines:
        lines += line_said(events).outline(_IN, "- ")
    return lines


def _analyses(inquiry: Inquiry) -> list[str]:
    if not isinstance(inquiry, Study):
        return []
    analyses, question = inquiry.analyses, inquiry.question
    dies = question.outcome_is_death
    what = "survival" if dies else "the curve of the outcome, not a share of patients,"
    months = listed([str(month) for month in analyses.landmarks])
    lines = _item(f"{what} at {months} months after the index") if months else []
    if analyses.restricted_mean is not None:
        mean = "mean survival" if dies else "the area under that curve, in months,"
        lines += _item(f"{mean} within the first {_months(analyses.restricted_mean)}")
    if len(question.arms) > 1:
        lines += _item(f"hazard ratios, first against the arm {analyses.reference}")
    return lines


def _answers(inquiry: Inquiry) -> list[str]:
    share = figure(round(inquiry.least_completeness * 100, 10))
    least = "Every site" if share == "100" else f"At least {share} % of the sites"
    return _text(f"{least} that could hold such patients.")


def _reported(inquiry: Inquiry) -> list[str]:
    if not isinstance(inquiry, Study) or inquiry.reported is None:
        return []
    reported = inquiry.reported
    lines = _text(f"By {reported.source}:")
    if reported.patients is not None:
        lines += _item(f"patients: {reported.patients:,}")
    for arm in reported.arms:
        lines += _item(f"{arm.arm}: {'; '.join(_of_arm(arm)) or 'nothing in figures'}")
    return lines


def _of_arm(arm: ReportedArm) -> Iterator[str]:
    if arm.median_months is not None:
        yield f"median {figure(arm.median_months)} months"
    for month, share in arm.survival:
        yield f"{figure(round(share * 100, 10))} % at month {month}"


def _codes(question: Question) -> list[str]:
    lines: list[str] = []
    for codes in question.codes:
        lines += _text(f"'{codes.name}':")
        lines += [line for code in codes.include for line in _code(code)]
        if codes.exclude:
            lines += lines_of("but without:", f"{_IN}  ")
            lines += [line for code in codes.exclude for line in _code(code)]
    return lines


def _code(code: Code) -> list[str]:
    label = label_of(code)
    below = ", and all below it" if code.descendants else ""
    told = f": {label}" if label else ""
    return lines_of(f"- {code.vocabulary} {code.code}{below}{told}", f"{_IN}  ", f"{_IN}    ")
