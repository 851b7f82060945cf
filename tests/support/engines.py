"""The two ways to an answer, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from simulator.aggregates.table import Table
from simulator.language.study import Question
from simulator.messages.needs import Need
from simulator.site.answering import answer
from simulator.site.store import Store
from simulator.truth.interpreter import patients, tables


class Engine(Protocol):
    """Answers the needs of a question from one site's database."""

    def __call__(
        self, store: Store, question: Question, needs: Sequence[Need], *, death_by_month: bool
    ) -> tuple[Table, ...]: ...


def interpreter(
    store: Store, question: Question, needs: Sequence[Need], *, death_by_month: bool
) -> tuple[Table, ...]:
    """Counts the rows that the plain interpreter returns."""
    return tables(patients(store, question, death_by_month=death_by_month), question, needs)


ENGINES: Final[Mapping[str, Engine]] = {"interpreter": interpreter, "duckdb": answer}
