"""Sets the study's plain English for a page of any width."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from simulator.hub.result import Report
from simulator.language.prose import describe
from simulator.language.study import Study
from simulator.report.markup import Markup, element, join

_BULLET: Final = re.compile(r"(?:-|\d+\.) ")
_DEEPEST: Final = 8
_CODES: Final = "CODES"


def in_words(_report: Report, study: Study) -> Markup:
    """What the study asks, in plain English, codes included; its title stands elsewhere."""
    _, *parts = describe(study).split("\n\n")
    return join(_part(*part.split("\n")) for part in parts)


def _part(heading: str, *lines: str) -> Markup:
    style = "words codes" if heading == _CODES else "words"
    return element("div", *_lines(heading, lines), class_=style)


def _lines(heading: str, lines: Sequence[str]) -> Iterator[Markup]:
    yield element("h3", heading.capitalize())
    for indent, text in _unwrapped(lines):
        hanging = " item" if _BULLET.match(text) else ""
        yield element("p", text, class_=f"in-{min(indent // 2, _DEEPEST)}{hanging}")


def _unwrapped(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Lines with their indentation, those joined again that were one before they were wrapped.

    A line goes on from one that ends no sentence, if it begins where that one's text does.
    """
    indent, text = 0, ""
    for line in lines:
        here, words = len(line) - len(line.lstrip()), line.strip()
        bullet = _BULLET.match(text)
        begins = indent + (len(bullet[0]) if bullet else 0)
        if text and text[-1] not in ".:" and here == begins and not _BULLET.match(words):
            text = f"{text} {words}"
            continue
        if text:
            yield indent, text
        indent, text = here, words
    if text:
        yield indent, text
