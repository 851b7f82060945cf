"""Sites whose patients are rows in memory: what each answers, the plain interpreter counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from simulator.hub.wire import Failure, Reply
from simulator.language.study import Question
from simulator.messages.codec import decode_request, encode, encode_cells
from simulator.messages.requests import RoundAnswer, RoundRequest
from simulator.truth.counted import tables

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

    def exchange(self, messages: Mapping[str, bytes], seconds: float) -> Iterator[Reply | Failure]:
        assert seconds > 0
        for site, data in messages.items():
            request = decode_request(data)
            assert isinstance(request, RoundRequest)
            counted = tables(self._frames[site], request.question, request.needs)
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
