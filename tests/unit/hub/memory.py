"""Sites whose patients are rows in memory: what each answers, the plain interpreter counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import polars as pl

from simulator.aggregates.table import Table
from simulator.hub.wire import Failure, Reply
from simulator.language.study import Question
from simulator.messages.codec import decode_request, encode, encode_cells
from simulator.messages.masked import KeysRequest, StepRequest
from simulator.messages.requests import RoundAnswer, RoundRequest
from simulator.truth.counted import tables
from tests.support.masks import MaskedSite

ROWS = {
    "person_id": pl.Int64,
    "steps_passed": pl.Int64,
    "arm": pl.Int64,
    "arms_matched": pl.Int64,
    "days": pl.Int64,
    "event": pl.Boolean,
}


class MemoryWire:
    """A wire to sites that hold the rows that the interpreter would return."""

    def __init__(self, frames: Mapping[str, pl.DataFrame]) -> None:
        self._frames = frames
        self._masked = {site: MaskedSite(site) for site in frames}

    def _tables(self, site: str, request: RoundRequest) -> tuple[Table, ...]:
        return tables(self._frames[site], request.question, request.needs)

    def exchange(self, messages: Mapping[str, bytes], seconds: float) -> Iterator[Reply | Failure]:
        assert seconds > 0
        for site, data in messages.items():
            request = decode_request(data)
            if isinstance(request, KeysRequest | StepRequest):
                yield Reply(site, self._masked[site].answer(request, partial(self._tables, site)))
                continue
            assert isinstance(request, RoundRequest)
            counted = self._tables(site, request)
            cells = tuple(encode_cells(table.flat()) for table in counted)
            answer = RoundAnswer(site, request.run, request.round, request.roster, cells)
            yield Reply(site, encode(answer))


def in_arm(question: Question, arm: int, days: int, *, event: bool) -> dict[str, object]:
    """The row of a patient of the cohort, but for the person."""
    return {
        "steps_passed": len(question.cohort.steps),
        "arm": arm,
        "arms_matched": 1,
        "days": days,
        "event": event,
    }
