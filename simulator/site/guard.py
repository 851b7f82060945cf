"""The guard: the only place where an answer about data is built."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from contextlib import suppress

from simulator.aggregates.table import Table
from simulator.messages.codec import encode, encode_cells
from simulator.messages.requests import (
    Apology,
    CatalogueRequest,
    Refusal,
    Request,
    RoundAnswer,
    RoundRequest,
    Trouble,
)
from simulator.site.ledger import Entry, Ledger, LedgerError
from simulator.site.policy import NO_POLICY, Policy, objection

Clock = Callable[[], dt.datetime]


class Guard:
    """Applies a site's policy, writes its ledger, and only then lets tables out.

    Args:
        site: The site's name.
        policy: Its policy; None where it is missing or unreadable: then everything is refused.
        persons: How many persons the site holds, by its catalogue.
        ledger: Where decisions are written.
        clock: The time in UTC.
    """

    def __init__(
        self, site: str, policy: Policy | None, persons: int, ledger: Ledger, clock: Clock
    ) -> None:
        self._site = site
        self._policy = policy
        self._persons = persons
        self._ledger = ledger
        self._clock = clock

    def refusal(self, request: RoundRequest) -> Refusal | None:
        """A refusal, written to the ledger, or None; decided before any data is looked at."""
        reason = objection(self._policy, request, self._persons)
        return None if reason is None else self.refuse(request, reason)

    def closed(self, request: CatalogueRequest) -> Refusal | None:
        """A refusal of everything where the policy is missing or cannot be read, written first."""
        if self._policy is not None:
            return None
        asked = hashlib.sha256(encode(request)).hexdigest()
        needs = ("catalogue",)
        self._ledger.append(
            Entry(self._clock(), "", 0, "", asked, needs, answered=False, reason=NO_POLICY)
        )
        return Refusal(self._site, NO_POLICY)

    def repeat(self, request: RoundRequest) -> None:
        """Writes that a round was asked for again and answered as before."""
        self._write(request, None, repeated=True)

    def refuse(self, request: RoundRequest, reason: str) -> Refusal:
        """A refusal for this reason, written to the ledger first."""
        self._write(request, reason)
        return Refusal(self._site, reason)

    def answer(self, request: RoundRequest, tables: tuple[Table, ...]) -> RoundAnswer:
        """The answer that holds these tables, written to the ledger first."""
        self._write(request, None)
        cells = tuple(encode_cells(table.flat()) for table in tables)
        return RoundAnswer(self._site, request.run, request.round, request.roster, cells)

    def apology(self, request: Request, trouble: Trouble) -> Apology:
        """An apology for this trouble; of a round it is written to the ledger, if that can be."""
        if isinstance(request, RoundRequest):
            with suppress(LedgerError):
                self._write(request, str(trouble))
        return Apology(self._site, trouble)

    def _write(self, request: RoundRequest, reason: str | None, *, repeated: bool = False) -> None:
        self._ledger.append(
            Entry(
                at=self._clock(),
                run=request.run,
                round=request.round,
                release=request.release.name,
                request=hashlib.sha256(encode(request)).hexdigest(),
                needs=tuple(str(need.__struct_config__.tag) for need in request.needs),
                answered=reason is None,
                reason=reason,
                repeated=repeated,
            )
        )
