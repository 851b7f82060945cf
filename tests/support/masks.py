"""A site's side of masked rounds for wires in memory; what its tables are, the caller says."""

from __future__ import annotations

import os
from collections.abc import Callable

from simulator.aggregates.table import Table
from simulator.messages.codec import encode
from simulator.messages.masked import (
    KeysAnswer,
    KeysRequest,
    MaskedAnswer,
    MaskedRequest,
    RevealAnswer,
    SharesAnswer,
    SharesRequest,
    StepRequest,
)
from simulator.messages.requests import RoundRequest
from simulator.site.masking import MaskedRound

TablesOf = Callable[[RoundRequest], tuple[Table, ...]]


class MaskedSite:
    """Answers every step of masked rounds as a site does, without policy or ledger."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._rounds: dict[tuple[str, int], MaskedRound] = {}

    def asked(self, request: StepRequest) -> RoundRequest:
        """What the round of a step is about."""
        return self._rounds[request.run, request.round].asked

    def answer(self, request: KeysRequest | StepRequest, tables_of: TablesOf) -> bytes:
        """The answer to a step."""
        if isinstance(request, KeysRequest):
            name = request.asked.run, request.asked.round
            this = MaskedRound(self._site, request, 1, 0, os.urandom)
            self._rounds[name] = this
            return encode(KeysAnswer(self._site, *name, this.keys()))
        name = request.run, request.round
        this = self._rounds[name]
        match request:
            case SharesRequest():
                return encode(SharesAnswer(self._site, *name, this.share(request)))
            case MaskedRequest():
                cells = this.mask(request, tables_of(this.asked))
                return encode(MaskedAnswer(self._site, *name, cells))
            case _:
                return encode(RevealAnswer(self._site, *name, this.reveal(request)))
