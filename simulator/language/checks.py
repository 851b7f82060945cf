"""Checks the codes of a study or cohort against the bundled code list, each at its place."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from simulator.errors import nearest
from simulator.language.codes import Code
from simulator.language.documents import Node, read_document
from simulator.language.hierarchy import Hierarchy
from simulator.language.reading import place_of
from simulator.language.study import Inquiry
from simulator.language.walk import all_events


class PlacedCode(msgspec.Struct, frozen=True):
    """A code and where it is written.

    Attributes:
        codes: The name of its set.
        code: The code.
        excluded: Whether it is taken out of the set.
        where: ``file:line:column``.
    """

    codes: str
    code: Code
    excluded: bool
    where: str


def placed_codes(top: Node) -> Iterator[PlacedCode]:
    """The codes of a document that can be read, in its order.

    Args:
        top: The document's top; its own sets replace those of the one that it is based on.
    """
    given = {key.text(): value for key, value in top.entries()}
    own = given["codes"].entries() if "codes" in given else ()
    if "based on" in given:
        names = {name.text() for name, _ in own}
        below = placed_codes(read_document(place_of(given["based on"].text())))
        yield from (found for found in below if found.codes not in names)
    for name, value in own:
        parts = {"include": value} if value.is_list else value.fields(("include",), ("exclude",))
        for part, items in parts.items():
            for item in items.items():
                code = Code.parse(item.text())
                yield PlacedCode(name.text(), code, part == "exclude", item.where)


def check_codes(inquiry: Inquiry, top: Node, hierarchy: Hierarchy) -> tuple[str, ...]:
    """What is to be said about the codes that a question names, with the place of each.

    Args:
        inquiry: The study or cohort.
        top: The document that it was read from.
        hierarchy: The code list.
    """
    used = {codes.name for codes in inquiry.question.codes}
    placed = [found for found in placed_codes(top) if found.codes in used]
    return (*_unknown(placed, hierarchy), *_of_another_kind(inquiry, placed, hierarchy))


def _unknown(placed: list[PlacedCode], hierarchy: Hierarchy) -> Iterator[str]:
    for found in placed:
        code = found.code
        if code.vocabulary not in hierarchy.vocabularies:
            hint = nearest(code.vocabulary, hierarchy.vocabularies)
            yield (
                f"{found.where}: codes '{found.codes}': the bundled code list does not know the "
                f"vocabulary of '{code}'; sites may" + (f". {hint}" if hint else "")
            )
        elif hierarchy.find(code.vocabulary, code.code) is None:
            yield (
                f"{found.where}: codes '{found.codes}': the bundled code list does not know "
                f"'{code}'; sites may"
            )


def _of_another_kind(
    inquiry: Inquiry, placed: list[PlacedCode], hierarchy: Hierarchy
) -> Iterator[str]:
    """Codes that sites keep in another table than the one an event is looked for in."""
    uses = {(events.codes, events.domain): None for events in all_events(inquiry.question)}
    for name, domain in uses:
        for found in placed:
            concept = hierarchy.find(found.code.vocabulary, found.code.code)
            if found.codes != name or found.excluded or concept is None:
                continue
            if concept.domain.lower() != domain:
                yield (
                    f"{found.where}: codes '{name}': '{found.code}' is a "
                    f"{concept.domain.lower()}, but a {domain} is asked for, so that nothing is "
                    "found by it"
                )
