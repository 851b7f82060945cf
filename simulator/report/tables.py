"""Tables that stay readable on a narrow screen, where each row becomes a card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from simulator.report.markup import Markup, element, join

_SHORT: Final = 22
_MANY: Final = 5


@dataclass(frozen=True)
class Column:
    """A column: its heading, and whether it holds text rather than numbers."""

    heading: str
    text: bool = False


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], caption: str) -> Markup:
    """A table whose first cell of each row names the row.

    Args:
        columns: As many as each row has cells.
        rows: Cells as text, or as markup.
        caption: What the table shows, for those who do not see the page.
    """
    head = [
        element("th", column.heading, scope="col", class_="text" if column.text else "number")
        for column in columns
    ]
    made = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *head)),
        element("tbody", *(_row(columns, row) for row in rows)),
        **({"class_": "dense"} if len(columns) > _MANY else {}),
    )
    return element("div", made, class_="scroll")


def _row(columns: Sequence[Column], row: Sequence[str]) -> Markup:
    name, *cells = row
    return element(
        "tr",
        element("th", name, scope="row"),
        *(_cell(column, cell) for column, cell in zip(columns[1:], cells, strict=True)),
    )


def _cell(column: Column, cell: str) -> Markup:
    return element(
        "td",
        cell if isinstance(cell, Markup) else short(cell),
        class_="text" if column.text else "number",
        data_heading=column.heading,
    )


def short(text: str) -> Markup:
    """A text that is not broken into lines if it is as short as a number with its interval."""
    if len(text) > _SHORT:
        return element("span", text)
    return element("span", text, class_="short")


def facts(rows: Sequence[tuple[str, str]], class_: str = "facts") -> Markup:
    """Terms with what is to be said of each."""
    return element(
        "dl",
        join(join((element("dt", term), element("dd", said))) for term, said in rows),
        class_=class_,
    )
