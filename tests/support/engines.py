"""The two ways to an answer, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from simulator.aggregates.table import Table
from simulator.language.study import Question
from simulator.messages.describing import DescribingNeed
from simulator.messages.needs import EntriesNeed, Need
from simulator.site.answering import answer
from simulator.site.store import Store
from simulator.truth.counted import tables
from simulator.truth.described import described
from simulator.truth.interpreter import entries, patients


class Engine(Protocol):
    """Answers the needs of a question from one site's database."""

    def __call__(
        self, store: Store, question: Question, needs: Sequence[Need], *, death_by_month: bool
    ) -> tuple[Table, ...]: ...


def interpreter(
    store: Store, question: Question, needs: Sequence[Need], *, death_by_month: bool
) -> tuple[Table, ...]:
    """Counts the rows that the plain interpreter returns."""
    told = [need for need in needs if not isinstance(need, EntriesNeed | DescribingNeed)]
    frame = patients(store, question, death_by_month=death_by_month)
    found: dict[Need, Table] = dict(zip(told, tables(frame, question, told), strict=True))
    for need in needs:
        if isinstance(need, DescribingNeed):
            found[need] = described(store, frame, question, need)
    if EntriesNeed() in needs:
        found[EntriesNeed()] = entries(store, question, death_by_month=death_by_month)
    return tuple(found[need] for need in needs)


ENGINES: Final[Mapping[str, Engine]] = {"interpreter": interpreter, "duckdb": answer}
