"""Makes HTML in which every text is escaped unless it is markup already."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Final

_VOID: Final = frozenset({"br", "col", "hr", "meta"})


class Markup(str):
    """HTML that may stand in a page as it is; joined to other text it is plain text again."""

    __slots__ = ()


NOTHING: Final = Markup("")


def join(parts: Iterable[str]) -> Markup:
    """Markup as it is and everything else escaped, one after the other."""
    return Markup("".join(_escaped(part) for part in parts))


def _escaped(text: str) -> str:
    return text if isinstance(text, Markup) else html.escape(text)


def element(tag: str, *children: str, **attributes: str) -> Markup:
    """An element with its children, and attributes whose underscores stand for hyphens.

    A trailing underscore is dropped, so that ``class_`` and ``for_`` can be given.
    """
    told = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{html.escape(value)}"'
        for name, value in attributes.items()
    )
    if tag in _VOID:
        return Markup(f"<{tag}{told}>")
    return Markup(f"<{tag}{told}>{join(children)}</{tag}>")


def paragraph(*children: str, class_: str = "") -> Markup:
    """A paragraph."""
    return element("p", *children, **({"class_": class_} if class_ else {}))


def listed(items: Iterable[str], class_: str = "") -> Markup:
    """An unordered list."""
    entries = [element("li", item) for item in items]
    return element("ul", *entries, **({"class_": class_} if class_ else {}))
