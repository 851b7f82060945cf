"""The small hand-made code hierarchy: its concepts, who descends from whom, and its fingerprint."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from simulator.errors import UserError

CONCEPTS_FILE: Final = "concepts.csv"
VOCABULARIES_FILE: Final = "vocabularies.csv"
VERSION_FILE: Final = "VERSION"
UNITS_FILE: Final = "units.csv"
LOCAL_CONCEPTS_START: Final = 2_000_000_000
_CONCEPT_FIELDS: Final = (
    "concept_id",
    "vocabulary_id",
    "code",
    "domain_id",
    "concept_class_id",
    "standard",
    "description",
    "parents",
    "maps_to",
)
_VOCABULARY_FIELDS: Final = ("vocabulary_id", "name")
_LAST_CONCEPT_ID: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Concept:
    """One code of one vocabulary.

    Attributes:
        concept_id: The standard's number where it is known for certain, else from 2,000,000,000 up.
        vocabulary: Such as ``ICD10CM``.
        code: Such as ``C50.911``.
        domain: The OMOP domain, such as ``Condition``.
        concept_class: The OMOP class, such as ``Ingredient``.
        standard: Whether it stands in the ``*_concept_id`` columns itself.
        description: What it means, in our own words.
        parents: The codes right above it in the same vocabulary.
        maps_to: ``vocabulary code`` of the standard concept that stands for it, or empty.
    """

    concept_id: int
    vocabulary: str
    code: str
    domain: str
    concept_class: str
    standard: bool
    description: str
    parents: tuple[str, ...] = ()
    maps_to: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Descent:
    """That one concept lies under another; every concept lies under itself at 0 levels."""

    ancestor: int
    descendant: int
    least_levels: int
    most_levels: int


@dataclass(frozen=True)
class Hierarchy:
    """The concepts of all bundled vocabularies.

    Attributes:
        version: The version that the files state.
        fingerprint: SHA-256 over the files' content, in hexadecimal.
        concepts: In the file's order.
        vocabularies: Identifier -> name in our own words.
    """

    version: str
    fingerprint: str
    concepts: tuple[Concept, ...]
    vocabularies: Mapping[str, str]

    @cached_property
    def by_code(self) -> Mapping[tuple[str, str], Concept]:
        """The concepts by (vocabulary, code)."""
        return {(concept.vocabulary, concept.code): concept for concept in self.concepts}

    @cached_property
    def by_id(self) -> Mapping[int, Concept]:
        """The concepts by concept id."""
        return {concept.concept_id: concept for concept in self.concepts}

    def find(self, vocabulary: str, code: str) -> Concept | None:
        """The concept of that code, or None where the hierarchy does not know it."""
        return self.by_code.get((vocabulary, code))

    @cached_property
    def descents(self) -> tuple[Descent, ...]:
        """Every pair of ancestor and descendant, each concept with itself included."""
        found: list[Descent] = []
        for concept in self.concepts:
            levels: dict[int, tuple[int, int]] = {}
            self._climb(concept, 0, levels)
            found.extend(
                Descent(ancestor, concept.concept_id, least, most)
                for ancestor, (least, most) in levels.items()
            )
        return tuple(found)

    def _climb(self, concept: Concept, level: int, levels: dict[int, tuple[int, int]]) -> None:
        least, most = levels.get(concept.concept_id, (level, level))
        levels[concept.concept_id] = (min(least, level), max(most, level))
        for code in concept.parents:
            self._climb(self.by_code[concept.vocabulary, code], level + 1, levels)

    def descendants(self, vocabulary: str, code: str) -> tuple[Concept, ...]:
        """The concept of that code and all that lie under it; empty where it is unknown."""
        top = self.find(vocabulary, code)
        if top is None:
            return ()
        return tuple(
            self.by_id[descent.descendant]
            for descent in self.descents
            if descent.ancestor == top.concept_id
        )


def _rows(path: Path, fields: tuple[str, ...]) -> Iterable[tuple[str, dict[str, str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        if tuple(reader.fieldnames or ()) != fields:
            raise UserError(f"expected the columns {', '.join(fields)}", where=f"{path.name}:1")
        for row in reader:
            where = f"{path.name}:{reader.line_num}"
            if None in row or None in row.values():
                raise UserError(f"expected {len(fields)} values in each line", where=where)
            yield where, row


def _concept(where: str, row: dict[str, str]) -> Concept:
    try:
        concept_id = int(row["concept_id"])
    except ValueError:
        raise UserError(
            f"expected a whole number as concept_id; found '{row['concept_id']}'", where=where
        ) from None
    if not 0 < concept_id <= _LAST_CONCEPT_ID:
        raise UserError(f"a concept_id must fit 31 bits; found {concept_id}", where=where)
    vocabulary, _, code = row["maps_to"].partition(" ")
    return Concept(
        concept_id=concept_id,
        vocabulary=row["vocabulary_id"],
        code=row["code"],
        domain=row["domain_id"],
        concept_class=row["concept_class_id"],
        standard=row["standard"] == "S",
        description=row["description"],
        parents=tuple(row["parents"].split()),
        maps_to=(vocabulary, code) if code else None,
    )


def _check(places: list[tuple[str, Concept]], vocabularies: Mapping[str, str]) -> None:
    ids: set[int] = set()
    known: set[tuple[str, str]] = set()
    for where, concept in places:
        key = (concept.vocabulary, concept.code)
        if concept.concept_id in ids or key in known:
            raise UserError(f"{concept.vocabulary} {concept.code} stands here twice", where=where)
        if concept.vocabulary not in vocabularies:
            raise UserError(f"there is no vocabulary '{concept.vocabulary}'", where=where)
        # A parent must stand above its children in the file, which also rules out circles.
        for code in concept.parents:
            if (concept.vocabulary, code) not in known:
                raise UserError(f"the parent {code} does not stand above", where=where)
        ids.add(concept.concept_id)
        known.add(key)
    for where, concept in places:
        if concept.maps_to is not None and concept.maps_to not in known:
            raise UserError(f"nothing is known of '{' '.join(concept.maps_to)}'", where=where)


def read_hierarchy(folder: Path) -> Hierarchy:
    """Reads the hierarchy of a folder such as ``queries/codes``.

    Raises:
        UserError: A file is missing or a line of it does not fit; the place is named.
    """
    digest = hashlib.sha256()
    try:
        for name in (CONCEPTS_FILE, VOCABULARIES_FILE, UNITS_FILE, VERSION_FILE):
            digest.update(name.encode() + b"\0")
            digest.update((folder / name).read_bytes().replace(b"\r\n", b"\n"))
        version = (folder / VERSION_FILE).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UserError(f"the code hierarchy cannot be read: {error}", where=str(folder)) from None
    vocabularies = {
        row["vocabulary_id"]: row["name"]
        for _, row in _rows(folder / VOCABULARIES_FILE, _VOCABULARY_FIELDS)
    }
    places = [
        (where, _concept(where, row))
        for where, row in _rows(folder / CONCEPTS_FILE, _CONCEPT_FIELDS)
    ]
    _check(places, vocabularies)
    return Hierarchy(
        version, digest.hexdigest(), tuple(concept for _, concept in places), vocabularies
    )
