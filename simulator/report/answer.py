"""The head of a report: what was asked, the answer in one sentence, and what to know before."""

from __future__ import annotations

from typing import Final

from simulator.hub.result import Report, StudyResult
from simulator.language.study import Study
from simulator.report.ending import ending_of
from simulator.report.markup import Markup, element, listed, paragraph
from simulator.report.target_trial import index_name
from simulator.report.words import months, p_equals, plural, sentence, several, spoken

INVENTED: Final = "Everyone in here is invented."
_CHANCE: Final = 0.05
_NAMED_ARMS: Final = 6


def head(report: Report, study: Study) -> Markup:
    """Title, answer, and the notes without which the answer misleads."""
    result = report.result
    return element(
        "header",
        paragraph("Patients of many hospitals compared, from counts alone", class_="kicker"),
        element("h1", result.title),
        paragraph(answer(result, study), class_="answer"),
        element(
            "aside",
            element("h2", "Before you rely on this"),
            listed([element("strong", INVENTED), *_cautions(result)]),
            class_="caution",
            aria_label="Before you rely on this",
        ),
        paragraph(
            f"Study {result.study}, version {result.version}. Network {result.network.name}: "
            f"{result.network.answered} of {result.network.organisations} hospitals answered. "
            f"Release {result.release.name}. Run on ",
            element("time", report.run.started[:10], class_="short"),
            ".",
            class_="quiet",
        ),
    )


def _cautions(result: StudyResult) -> list[Markup | str]:
    """The result's notes, and whether what ran is what was fixed before."""
    said = [sentence(note) for note in result.notes]
    frozen = result.frozen
    if frozen is not None:
        since = f"The study was fixed on {frozen.at[:10]}, before this run"
        what = "is unchanged" if frozen.same else f"has changed since: {several(frozen.differs)}"
        said.append(sentence(f"{since}, and {what}"))
    return list(said)


def answer(result: StudyResult, study: Study) -> str:
    """One sentence: how long until half had the outcome, and whether chance explains the rest."""
    patients = spoken(result.cohort.patients)
    who = f"Among {patients} invented {'patient' if patients == '1' else 'patients'}"
    had = ending_of(study).had
    if not result.is_estimated:
        return f"{who}, it stays open when half {had}: the rule of release withheld counts."
    seen = "as the rule of release shows the counts, " if result.is_as_shown else ""
    apart = "; these are no exact numbers, and their bounds stand below" if seen else ""
    return f"{who}, {seen}{_half(result, had, index_name(study))}{_chance(result)}{apart}."


def _half(result: StudyResult, what: str, index: str) -> str:
    """By when half of each arm had the outcome; of many arms, the earliest and the latest."""
    found = {arm.arm: arm.median_months.estimate for arm in result.arms if arm.is_estimated}
    if not found:
        return f"it stays open when half {what}: there are too few patients for so much noise"
    reached = {arm: months(median) for arm, median in found.items() if median is not None}
    others = [arm for arm in found if arm not in reached]
    if not reached:
        return f"fewer than half {what} while they were watched"
    if len(found) == 1:
        return f"half {what} within {reached.popitem()[1]} months of {index}"
    if len(found) > _NAMED_ARMS:
        least, most = min(reached.values(), key=float), max(reached.values(), key=float)
        never = f"; in {plural(len(others), 'arm')} fewer than half" if others else ""
        within = f"within {least} to {most} months of {index}, depending on the arm"
        return f"half {what} {within}{never}"
    named = [f"{median} months ({arm})" for arm, median in reached.items()]
    which = "the arm" if len(others) == 1 else "the arms"
    never = f", and fewer than half in {which} {several(others)}" if others else ""
    return f"half {what} within {several(named)} of {index}{never}"


def _chance(result: StudyResult) -> str:
    if result.log_rank is None:
        return ""
    if result.network.built.get("conditioned") == "true":
        return (
            "; as the network was drawn until it showed reported figures, that is no evidence for "
            "any arm"
        )
    found = p_equals(result.log_rank.p)
    if result.log_rank.p >= _CHANCE:
        return f"; chance alone often makes such differences (log-rank {found})"
    return (
        f"; chance alone seldom makes such differences (log-rank {found}), but patients of "
        "different arms may differ in other ways too"
    )


def patients_of(result: StudyResult) -> str:
    """``418 patients at 68 of 145 hospitals``, all invented."""
    network = result.network
    return (
        f"{spoken(result.cohort.patients)} invented patients, "
        f"{network.answered} of {plural(network.organisations, 'invented hospital')}"
    )
