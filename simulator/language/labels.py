"""What a code means, in the bundled code list's own words."""

from __future__ import annotations

from functools import cache

from simulator.bundled import library
from simulator.language.codes import Code
from simulator.language.hierarchy import Hierarchy, read_hierarchy


@cache
def bundled_hierarchy() -> Hierarchy:
    """The code list that ships with the package, read once."""
    return read_hierarchy(library("queries") / "codes")


def label_of(code: Code) -> str | None:
    """The meaning of a code, None where the bundled list does not know it."""
    concept = bundled_hierarchy().find(code.vocabulary, code.code)
    return None if concept is None else concept.description
