"""Puts a report together: one page of HTML that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from simulator.hub.result import Report
from simulator.language.study import Study
from simulator.report import people, record, results
from simulator.report.answer import INVENTED, head
from simulator.report.markup import NOTHING, Markup, element, join, paragraph

Part = Callable[[Report, Study], Markup]

# A page that may load nothing and run nothing, whatever a study's names say.
_NOTHING_ELSE: Final = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class Section:
    """A heading with parts below it; a part that has nothing to say is left out."""

    anchor: str
    heading: str
    parts: tuple[Part, ...]


SECTIONS: Final = (
    Section("survival", "Survival", (results.curves,)),
    Section("arms", "The arms", (results.arms,)),
    Section("landmarks", "Alive at a time", (results.landmarks,)),
    Section("contrasts", "Do the arms differ?", (results.log_rank, results.hazard_ratios)),
    Section("reported", "Beside what was published", (results.reported,)),
    Section("cohort", "Who was counted", (people.attrition,)),
    Section("network", "Who was asked, and who answered", (people.asked,)),
    Section("release", "What the numbers hide, and what they do not", (people.released,)),
    Section("trial", "The trial this stands for", (record.trial,)),
    Section("codes", "Codes", (record.codes,)),
    Section("fingerprints", "To get the same result again", (record.fingerprints,)),
)


def page(report: Report, study: Study) -> str:
    """The report as one HTML file: no script, no address elsewhere.

    Args:
        report: What was found.
        study: What was asked.
    """
    written = [(section, _body(section, report, study)) for section in SECTIONS]
    shown = [(section, body) for section, body in written if body]
    document = element(
        "html",
        element(
            "head",
            element("meta", charset="utf-8"),
            element("meta", http_equiv="Content-Security-Policy", content=_NOTHING_ELSE),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", name="color-scheme", content="light dark"),
            element("meta", name="generator", content="cohortium"),
            element("title", f"{report.result.title} - cohortium"),
            element("style", Markup(_style())),
        ),
        element(
            "body",
            element("main", head(report, study), _contents(shown), *map(_section, shown)),
            _foot(report),
        ),
        lang="en",
    )
    return f"<!doctype html>\n{document}\n"


def _style() -> str:
    return Path(__file__).with_name("page.css").read_text(encoding="utf-8")


def _body(section: Section, report: Report, study: Study) -> Markup:
    return join(part(report, study) for part in section.parts)


def _contents(shown: list[tuple[Section, Markup]]) -> Markup:
    links = [
        element("li", element("a", section.heading, href=f"#{section.anchor}"))
        for section, _ in shown
    ]
    return element("nav", element("ul", *links), aria_label="Contents") if links else NOTHING


def _section(written: tuple[Section, Markup]) -> Markup:
    section, body = written
    return element("section", element("h2", section.heading), body, id=section.anchor)


def _foot(report: Report) -> Markup:
    version = report.run.versions.get("cohortium", "")
    return element(
        "footer",
        paragraph(
            f"Made by cohortium {version}, which asks synthetic hospitals and sees only sums. "
            f"{INVENTED} Nothing in here is medical advice."
        ),
    )
