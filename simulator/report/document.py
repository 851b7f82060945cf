"""A whole page: one HTML file without scripts, and with no address elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from simulator.report.markup import Markup, element

_NOTHING_ELSE: Final = "default-src 'none'; style-src 'unsafe-inline'"


def document(title: str, *body: Markup, style: str = "") -> str:
    """The page.

    Args:
        title: What stands in the window's title before the name of the project.
        body: What stands in it.
        style: What is added to the style that all pages share.
    """
    shared = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    page = element(
        "html",
        element(
            "head",
            element("meta", charset="utf-8"),
            element("meta", http_equiv="Content-Security-Policy", content=_NOTHING_ELSE),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", name="color-scheme", content="light dark"),
            element("meta", name="generator", content="cohortium"),
            element("title", f"{title} - cohortium"),
            element("style", Markup(shared + style)),
        ),
        element("body", *body),
        lang="en",
    )
    return f"<!doctype html>\n{page}\n"
