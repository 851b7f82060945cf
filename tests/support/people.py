"""People with a few facts each: drawn one by one by hypothesis, or many at once from a seed."""

from __future__ import annotations

import datetime as dt
import random

from hypothesis import strategies as st

from simulator.language.criteria import Domain
from tests.support.questions import (
    BIRTHS,
    CONCEPTS,
    DAYS,
    FIRST_DAY,
    GENDERS,
    MEASURES,
    RECORDED,
    UNIT_CONCEPTS,
)
from tests.support.records import Drawn, Fact

_CODED = tuple(domain for domain in Domain if domain is not Domain.DEATH)


def _on(day: int) -> dt.date:
    return FIRST_DAY + dt.timedelta(day)


_days = st.sampled_from(DAYS).map(_on)
_dates = st.none() | _days | _days | _days | _days
_facts = st.tuples(
    st.sampled_from(_CODED),
    _dates,
    st.sampled_from((*CONCEPTS, None)),
    st.sampled_from((*CONCEPTS, None)),
    st.none(),
    st.none(),
)
_measured = st.tuples(
    st.just(Domain.MEASUREMENT),
    _dates,
    st.sampled_from(MEASURES),
    st.sampled_from((*MEASURES, None)),
    st.none() | st.sampled_from(RECORDED),
    st.sampled_from(UNIT_CONCEPTS),
)
_spans = st.tuples(_days, _days).map(lambda span: (min(span), max(span)))


@st.composite
def people(draw: st.DrawFn) -> Drawn:
    """One patient: some facts, perhaps a death, perhaps some observation periods."""
    deaths = draw(st.lists(_days, max_size=2))
    return Drawn(
        gender=draw(st.sampled_from(GENDERS)),
        born=draw(st.sampled_from(BIRTHS)),
        facts=[
            *draw(st.lists(_facts, max_size=6)),
            *draw(st.lists(_measured, max_size=3)),
            *((Domain.DEATH, day, 0, 0, None, None) for day in deaths),
        ],
        watched=list(draw(st.lists(_spans, max_size=2))),
    )


def crowd(seed: int, size: int) -> list[Drawn]:
    """Many patients of the same manner, always the same for a seed."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    return [_one(chance) for _ in range(size)]


def _one(chance: random.Random) -> Drawn:
    facts: list[Fact] = [
        (
            chance.choice(_CODED),
            None if chance.random() < 0.02 else _on(chance.choice(DAYS)),
            chance.choice((*CONCEPTS, None)),
            chance.choice((*CONCEPTS, None)),
            None,
            None,
        )
        for _ in range(chance.randint(0, 24))
    ]
    facts += [
        (
            Domain.MEASUREMENT,
            _on(chance.choice(DAYS)),
            chance.choice(MEASURES),
            chance.choice((0, *MEASURES)),
            chance.choice((*RECORDED, None)),
            chance.choice(UNIT_CONCEPTS),
        )
        for _ in range(chance.randint(0, 6))
    ]
    facts += [
        (Domain.DEATH, _on(chance.choice(DAYS)), 0, 0, None, None)
        for _ in range(chance.choice((0, 0, 1, 1, 1, 2)))
    ]
    watched: list[tuple[dt.date | None, dt.date | None]] = []
    for _ in range(chance.choice((0, 1, 1, 1, 2))):
        start, end = sorted(chance.choices(DAYS, k=2))
        watched.append((_on(start), _on(end)))
    return Drawn(chance.choice(GENDERS), chance.choice(BIRTHS), facts, watched)
