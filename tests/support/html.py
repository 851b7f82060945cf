"""Reads HTML strictly: every tag is closed in its turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "br", "hr", "col"}


@dataclass
class Element:
    """An element with its attributes, its children and its own text in order."""

    tag: str
    attributes: dict[str, str]
    parts: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text inside."""
        return "".join(part if isinstance(part, str) else part.text for part in self.parts)

    def all(self, tag: str) -> list[Element]:
        """Every element of that tag inside, in order."""
        found = []
        for part in self.parts:
            if isinstance(part, Element):
                found += [part] if part.tag == tag else []
                found += part.all(tag)
        return found

    def everything(self) -> list[Element]:
        """Every element inside, in order."""
        inner = [part for part in self.parts if isinstance(part, Element)]
        return [found for part in inner for found in (part, *part.everything())]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice"
        made = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].parts.append(made)
        if tag not in VOID:
            self.open.append(made)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].parts.append(data)


def read_html(text: str) -> Element:
    """The document; fails where a tag is closed that is not open, or left open."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == [reader.root], f"left open: {[part.tag for part in reader.open[1:]]}"
    return reader.root
