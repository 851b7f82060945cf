"""Puts a report together: one page of HTML that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from simulator.hub.result import Report
from simulator.language.study import Study
from simulator.report import contrasts, curves, people, record, results, subgroups
from simulator.report.answer import INVENTED, head
from simulator.report.document import document
from simulator.report.ending import ending_of
from simulator.report.markup import Markup, element, join, paragraph
from simulator.report.study_text import in_words

Part = Callable[[Report, Study], Markup]

# A page that may load nothing and run nothing, whatever a study's names say.


@dataclass(frozen=True)
class Section:
    """A heading with parts below it; a part that has nothing to say is left out.

    In a heading, ``{curve}`` and ``{without}`` stand for words of the study's outcome.
    """

    anchor: str
    heading: str
    parts: tuple[Part, ...]

    def headed(self, study: Study) -> str:
        """The heading for a study."""
        ending = ending_of(study)
        said = self.heading.format(curve=ending.curve, without=ending.without)
        return f"{said[0].upper()}{said[1:]}"


@dataclass(frozen=True)
class Written:
    """A section of one report."""

    anchor: str
    heading: str
    body: Markup


SECTIONS: Final = (
    Section("survival", "{curve}", (curves.curves,)),
    Section("arms", "The arms", (results.arms, results.quantiles)),
    Section("landmarks", "{without} at a time", (results.landmarks,)),
    Section(
        "contrasts",
        "Do the arms differ?",
        (
            contrasts.log_rank,
            contrasts.hazard_ratios,
            contrasts.mean_differences,
            contrasts.survival_differences,
        ),
    ),
    Section("subgroups", "Within groups of patients", (subgroups.forest, subgroups.tables)),
    Section("reported", "Beside what was published", (results.reported,)),
    Section("cohort", "Who was counted", (people.attrition,)),
    Section("network", "Who was asked, and who answered", (people.asked,)),
    Section("release", "What the numbers hide, and what they do not", (people.released,)),
    Section("trial", "The trial this stands for", (record.trial,)),
    Section("study", "The study in plain English", (in_words,)),
    Section("fingerprints", "To get the same result again", (record.fingerprints,)),
)


def page(report: Report, study: Study) -> str:
    """The report as one HTML file: no script, no address elsewhere.

    Args:
        report: What was found.
        study: What was asked.
    """
    written = [
        Written(section.anchor, section.headed(study), body)
        for section in SECTIONS
        if (body := join(part(report, study) for part in section.parts))
    ]
    return document(
        report.result.title,
        element("main", head(report, study), _contents(written), *map(_section, written)),
        _foot(report),
    )


def _contents(written: list[Written]) -> Markup:
    links = [
        element("li", element("a", section.heading, href=f"#{section.anchor}"))
        for section in written
    ]
    return element("nav", element("ul", *links), aria_label="Contents")


def _section(written: Written) -> Markup:
    return element("section", element("h2", written.heading), written.body, id=written.anchor)


def _foot(report: Report) -> Markup:
    version = report.run.versions.get("cohortium", "")
    return element(
        "footer",
        paragraph(
            f"Made by cohortium {version}, which asks synthetic hospitals and sees only sums. "
            f"{INVENTED} Nothing in here is medical advice."
        ),
    )
