"""What the units of a site's measurements are worth in the units that a question asks for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.language.study import Question
from simulator.language.units import bundled_units
from simulator.language.values import PLAIN, is_plain
from simulator.language.walk import kinds_of
from simulator.site.concepts import Resolution
from simulator.site.store import Store

Asked = tuple[str, str]
"""A concept set and the unit that its values are asked for in."""

_MEMBERS = (
    "SELECT concept_id, concept_code FROM concept"
    " WHERE vocabulary_id = 'LOINC' AND list_contains($ids::BIGINT[], concept_id)"
)
_UNITS = (
    "SELECT concept_id, concept_code FROM concept WHERE vocabulary_id = 'UCUM' AND concept_id <> 0"
)
_NO_UNIT = 0


@dataclass(frozen=True, eq=False)
class Worth:
    """Factors of pairs of a measurement's concept and a unit's concept.

    Attributes:
        asked: The concept sets with the units they are asked for in.
        concept_ids: The measurement of each pair, int64, shape (n,).
        unit_ids: The unit of each pair, 0 where none is recorded, int64, shape (n,).
        factors: What a value is multiplied by; NaN where the set or the unit does not fit; shape
            (len(asked), n).
    """

    asked: tuple[Asked, ...]
    concept_ids: NDArray[np.int64]
    unit_ids: NDArray[np.int64]
    factors: NDArray[np.float64]


def asked_units(question: Question) -> tuple[Asked, ...]:
    """The concept sets whose values a question asks about, each with a unit, each once."""
    found = {
        (codes, value.unit): None
        for _, codes, value, _ in kinds_of(question)
        if codes is not None and value is not None
    }
    return tuple(found)


def worth_of(store: Store, asked: tuple[Asked, ...], resolution: Resolution) -> Worth:
    """Looks up what the site's own unit concepts are worth."""
    units = _codes(store, _UNITS, {}) | {_NO_UNIT: PLAIN} if asked else {}
    known: dict[tuple[int, int], list[float]] = {}
    for place, (codes, wanted) in enumerate(asked):
        members = resolution.members(codes)
        loinc = _codes(store, _MEMBERS, {"ids": members})
        for concept in members:
            for unit, given in units.items():
                if unit == _NO_UNIT and not is_plain(wanted):
                    continue
                factor = bundled_units().factor(loinc.get(concept), given, wanted)
                if factor is not None:
                    row = known.setdefault((concept, unit), [np.nan] * len(asked))
                    row[place] = factor
    pairs = np.array(list(known), dtype=np.int64).reshape(-1, 2)
    factors = np.array(list(known.values()), dtype=np.float64).reshape(len(known), len(asked))
    return Worth(asked, pairs[:, 0], pairs[:, 1], factors.T)


def _codes(store: Store, sql: str, parameters: dict[str, object]) -> dict[int, str]:
    found = store.arrow(sql, parameters).to_pydict()
    return dict(zip(found["concept_id"], found["concept_code"], strict=True))
