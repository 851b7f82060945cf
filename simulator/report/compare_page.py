"""Puts a comparison of releases together: one page of HTML that needs nothing but itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from simulator.report.answer import INVENTED
from simulator.report.document import document
from simulator.report.inline import inline
from simulator.report.markup import Markup, element, listed, paragraph
from simulator.report.tables import Column, table
from simulator.report.words import sentence

# The figure is wider than a page of text; on a small screen it scrolls.
_STYLE: Final = """
main, footer { max-width: 70rem; }
header, .notes { max-width: 46rem; }
.compare { min-width: 56rem; }
"""
_READ: Final = (
    "Each line is a release: a point is the number that it shows, a bar what may be true where "
    "parts were withheld, and beside a point what its rule leaves open. Squares: the rule is done "
    "at each hospital before the counts are added up. Circles: once, on the sum. The upright lines "
    "are the truth. Arrows lead out of the picture."
)


@dataclass(frozen=True)
class ComparisonPage:
    """What stands on the page.

    Attributes:
        title: What was studied.
        about: Which study and network, in a line.
        lesson: What the comparison shows, in sentences.
        notes: What else is to be known.
        svg: The figure, as `comparison_svg` draws it.
        headings: Of the table.
        rows: Its cells as text, each row as long as the headings.
    """

    title: str
    about: str
    lesson: tuple[str, ...]
    notes: tuple[str, ...]
    svg: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def comparison_page(told: ComparisonPage) -> str:
    """The page as one HTML file: no script, no address elsewhere."""
    title = f"{told.title}: releases compared"
    return document(title, element("main", *_parts(told)), _foot(), style=_STYLE)


def _parts(told: ComparisonPage) -> tuple[Markup, ...]:
    first, *others = told.lesson or ("",)
    said = "A dot or a bar for each release beside the truth; the table below says the same."
    drawing = element("div", inline(told.svg, "compare", said), class_="scroll")
    columns = [Column(heading, text=place in {1}) for place, heading in enumerate(told.headings)]
    return (
        element(
            "header",
            paragraph("One study under many rules of release", class_="kicker"),
            element("h1", told.title),
            paragraph(first, class_="answer"),
            *(paragraph(line) for line in others),
            paragraph(told.about, class_="quiet"),
        ),
        element(
            "section",
            element("h2", "What each release shows"),
            element("figure", drawing, element("figcaption", _READ)),
            id="figure",
        ),
        element(
            "section",
            element("h2", "The same in numbers"),
            table(columns, told.rows, "What each release shows, and how far it is off"),
            id="numbers",
        ),
        element(
            "section",
            element("h2", "Before you rely on this"),
            listed([element("strong", INVENTED), *(sentence(note) for note in told.notes)]),
            id="notes",
            class_="notes",
        ),
    )


def _foot() -> Markup:
    return element(
        "footer",
        paragraph(
            "Made by cohortium, which asks synthetic hospitals and sees only sums. "
            f"{INVENTED} Nothing in here is medical advice."
        ),
    )
