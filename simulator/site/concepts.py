"""Resolves the concept sets of a question against a site's own vocabulary tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.language.codes import Code, ConceptSet
from simulator.site.store import Store

# A code gives its own concept and, where asked for, everything that stands below it.
RESOLVE: Final = """
WITH asked AS (
  SELECT unnest($entry) AS entry, unnest($vocabulary) AS vocabulary_id,
         unnest($code) AS concept_code, unnest($descendants) AS descendants),
named AS (
  SELECT a.entry, a.descendants, c.concept_id
  FROM asked a JOIN concept c USING (vocabulary_id, concept_code) WHERE c.concept_id <> 0)
SELECT entry, concept_id FROM named
UNION
SELECT n.entry, b.descendant_concept_id
FROM named n JOIN concept_ancestor b ON b.ancestor_concept_id = n.concept_id
WHERE n.descendants
"""


@dataclass(frozen=True, eq=False)
class Resolution:
    """Which concepts stand for which concept sets.

    Attributes:
        names: The concept sets; set k has the bit 2^k.
        concept_ids: Every concept of any set, int64, shape (n,).
        masks: The bits of the sets that each concept is in, int64, shape (n,).
    """

    names: tuple[str, ...]
    concept_ids: NDArray[np.int64]
    masks: NDArray[np.int64]

    def bit(self, name: str) -> int:
        """The bit of a concept set."""
        return 1 << self.names.index(name)

    def members(self, name: str) -> list[int]:
        """The concept ids of a concept set, ascending."""
        chosen: list[int] = self.concept_ids[(self.masks & self.bit(name)) != 0].tolist()
        return chosen


def resolve(store: Store, sets: Sequence[ConceptSet]) -> Resolution:
    """The concept ids behind concept sets; a code that the site does not know gives none."""
    entries: list[tuple[int, bool, Code]] = [
        (position, included, code)
        for position, codes in enumerate(sets)
        for included, listed in ((True, codes.include), (False, codes.exclude))
        for code in listed
    ]
    found = store.numpy(
        RESOLVE,
        {
            "entry": list(range(len(entries))),
            "vocabulary": [code.vocabulary for _, _, code in entries],
            "code": [code.code for _, _, code in entries],
            "descendants": [code.descendants for _, _, code in entries],
        },
    )
    entry = np.asarray(found["entry"], dtype=np.int64)
    concept, place = np.unique(np.asarray(found["concept_id"], dtype=np.int64), return_inverse=True)
    bits = np.array([1 << position for position, _, _ in entries], dtype=np.int64)
    included = np.array([included for _, included, _ in entries], dtype=np.bool_)
    masks = {}
    for kind in (True, False):
        chosen = included[entry] == kind if len(entry) else np.zeros(0, dtype=np.bool_)
        mask = np.zeros(len(concept), dtype=np.int64)
        np.bitwise_or.at(mask, place[chosen], bits[entry[chosen]])
        masks[kind] = mask
    kept = masks[True] & ~masks[False]
    names = tuple(codes.name for codes in sets)
    return Resolution(names, concept[kept != 0], kept[kept != 0])
