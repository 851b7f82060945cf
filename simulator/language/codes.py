"""Names clinical facts by vocabulary and code, with or without what stands below them."""

from __future__ import annotations

from typing import Final

import msgspec

_BELOW: Final = " with descendants"


class Code(msgspec.Struct, frozen=True, order=True):
    """One entry of a concept set, as a source names it.

    Attributes:
        vocabulary: OMOP's vocabulary_id, such as ``ICD10CM`` or ``RxNorm``.
        code: As printed in that vocabulary, such as ``C50`` or ``1547545``.
        descendants: Whether everything below it counts too.
    """

    vocabulary: str
    code: str
    descendants: bool = False

    @classmethod
    def parse(cls, text: str) -> Code:
        """Reads ``ICD10CM C50 with descendants`` or ``CPT4 37243``.

        Raises:
            ValueError: The text is not of that form.
        """
        descendants = text.endswith(_BELOW)
        words = text.removesuffix(_BELOW).split()
        if len(words) != 2:
            raise ValueError(f"expected '<vocabulary> <code>'; found '{text}'")
        return cls(words[0], words[1], descendants)

    def __str__(self) -> str:
        return f"{self.vocabulary} {self.code}{_BELOW if self.descendants else ''}"


class ConceptSet(msgspec.Struct, frozen=True):
    """A named set of codes: everything included that is not excluded.

    The hub never expands it; each site resolves it against its own vocabulary tables.
    """

    name: str
    include: tuple[Code, ...]
    exclude: tuple[Code, ...] = ()

    def __post_init__(self) -> None:
        if not self.include:
            raise ValueError(f"the concept set '{self.name}' includes no code")
