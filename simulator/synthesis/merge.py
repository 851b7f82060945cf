"""Puts the facts of oncology patients beside everyone's ordinary ones, with visits of their own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.synthesis.facts import Facts, SiteFacts, Visits
from simulator.synthesis.treatment import Treated


def _keys(facts: Facts, who: NDArray[np.int64]) -> NDArray[np.int64]:
    return (who[facts.person] << 32) + facts.date


def _placed(
    facts: Facts, who: NDArray[np.int64], keys: NDArray[np.int64], first_visit: int
) -> Facts:
    """The facts at persons of the site, each at the visit of its person and day."""
    visit = np.searchsorted(keys, _keys(facts, who)) + first_visit
    return Facts(
        who[facts.person].astype(np.int32),
        facts.date,
        facts.code,
        visit.astype(np.int32),
        facts.value,
        facts.unit,
    )


def merge(
    ordinary: SiteFacts, treated: Treated, who: NDArray[np.int64], visit_kind: int
) -> SiteFacts:
    """All facts of a site.

    Args:
        ordinary: The facts of everyone.
        treated: The facts of oncology patients.
        who: The persons that these are, ascending, shape (courses,).
        visit_kind: The row of the kind of visit that theirs are.
    """
    tables = (treated.conditions, treated.procedures, treated.drugs, treated.measurements)
    keys = np.unique(np.concatenate([_keys(facts, who) for facts in tables]))
    start = (keys & 0xFFFFFFFF).astype(np.int32)
    first = len(ordinary.visits)
    visits = Visits(
        np.concatenate([ordinary.visits.person, (keys >> 32).astype(np.int32)]),
        np.concatenate([ordinary.visits.start, start]),
        np.concatenate([ordinary.visits.end, start]),
        np.concatenate([ordinary.visits.kind, np.full(len(keys), visit_kind, dtype=np.int16)]),
    )
    everyone = (ordinary.conditions, ordinary.procedures, ordinary.drugs, ordinary.measurements)
    merged = [
        Facts.concatenate([common, _placed(own, who, keys, first)])
        for common, own in zip(everyone, tables, strict=True)
    ]
    return SiteFacts(visits, *merged)
