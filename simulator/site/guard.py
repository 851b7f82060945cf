"""The guard: the only place where an answer about data is built."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import numpy as np

from simulator.aggregates.table import Table
from simulator.messages.codec import encode, encode_cells
from simulator.messages.masked import (
    KeysAnswer,
    MaskedAnswer,
    RevealAnswer,
    SharesAnswer,
)
from simulator.messages.requests import (
    Apology,
    CatalogueRequest,
    Refusal,
    RoundAnswer,
    RoundRequest,
    Trouble,
)
from simulator.privacy.budget import Cost
from simulator.privacy.masking.wire import PublicKeys, Revealed, Sealed
from simulator.privacy.rules.rule import Cells
from simulator.site.ledger import CATALOGUE_NEED, Entry, Ledger, LedgerError, Objector, Tail
from simulator.site.policy import NO_POLICY, Policy, objection
from simulator.site.rates import LOCKED, Asking, asking, is_limited, limit

Clock = Callable[[], dt.datetime]
Said = TypeVar("Said", RoundAnswer, MaskedAnswer)


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

    @property
    def least_roster(self) -> int:
        """The fewest sites over which the site lets itself be added up."""
        return 1 if self._policy is None else self._policy.least_roster

    def refusal(
        self, request: RoundRequest, cost: Cost | None = None, *, masked: bool, noise: str = ""
    ) -> Refusal | None:
        """A refusal, written to the ledger, or None; decided before any data is looked at.

        Args:
            request: What is asked.
            cost: What an answer costs of a budget; None: nothing.
            masked: Whether the answer will be masked.
            noise: Names the noise that the answer will have: the same noise is paid once.
        """
        reason = objection(self._policy, request, self._persons, masked=masked)
        limited = self._limited(_asking(request, cost, noise)) if reason is None else None
        if limited is not None:
            reason = self._ledger.ask(limited)
        return None if reason is None else self.refuse(request, reason)

    def _limited(self, asked: Asking) -> Objector | None:
        """Objects to what is asked too often or costs too much; None where that cannot be."""
        policy = self._policy
        if policy is None or not is_limited(policy, asked):
            return None

        def objects(tail: Tail) -> str | None:
            return limit(policy, tail, asked, self._clock())

        return objects

    def catalogue(self, request: CatalogueRequest) -> Refusal | None:
        """Writes that the catalogue was asked for; a refusal where there is no policy to read.

        It belongs to no run, so that no quota counts it.
        """
        reason = NO_POLICY if self._policy is None else None
        entry = Entry(
            at=self._clock(),
            run="",
            round=0,
            release="",
            request=hashlib.sha256(encode(request)).hexdigest(),
            needs=(CATALOGUE_NEED,),
            answered=reason is None,
            reason=reason,
        )
        self._ledger.append(entry)
        return None if reason is None else Refusal(self._site, reason)

    def repeat(self, request: RoundRequest) -> None:
        """Writes that a round was asked for again and answered as before."""
        self._write(request, None, repeated=True)

    def refuse(self, request: RoundRequest, reason: str) -> Refusal:
        """A refusal for this reason, written to the ledger first."""
        self._write(request, reason)
        return Refusal(self._site, reason)

    def answer(self, request: RoundRequest, tables: tuple[Table, ...]) -> RoundAnswer | Refusal:
        """The answer that holds these tables in the clear, written to the ledger first.

        It is a refusal where another run has meanwhile used up what was left of a quota.
        """
        cells = tuple(encode_cells(table.flat()) for table in tables)
        said = RoundAnswer(self._site, request.run, request.round, request.roster, cells)
        return self._let_out(request, said, _asking(request, None))

    def answer_by_rule(
        self, request: RoundRequest, tables: tuple[Cells, ...]
    ) -> RoundAnswer | Refusal:
        """The answer that holds what a rule let out of each table, likewise."""
        said = RoundAnswer(
            self._site,
            request.run,
            request.round,
            request.roster,
            tuple(encode_cells(cells.shown) for cells in tables),
            tuple(np.packbits(cells.withheld).tobytes() for cells in tables),
        )
        return self._let_out(request, said, _asking(request, None))

    def keys(self, request: RoundRequest, keys: PublicKeys) -> KeysAnswer:
        """The site's public keys for a masked round, written to the ledger first."""
        self._write(request, None, step="keys")
        return KeysAnswer(self._site, request.run, request.round, keys)

    def shares(self, request: RoundRequest, sealed: tuple[Sealed, ...]) -> SharesAnswer:
        """Shares of the site's secrets, likewise."""
        self._write(request, None, step="shares")
        return SharesAnswer(self._site, request.run, request.round, sealed)

    def masked(
        self, request: RoundRequest, cells: bytes, cost: Cost | None, noise: str = ""
    ) -> MaskedAnswer | Refusal:
        """The masked cells, written to the ledger with their cost first.

        It is a refusal where another run has meanwhile used up what was left of a quota or budget.
        """
        said = MaskedAnswer(self._site, request.run, request.round, cells)
        return self._let_out(request, said, _asking(request, cost, noise), step="masked")

    def revealed(self, request: RoundRequest, revealed: Revealed) -> RevealAnswer:
        """The shares that open the sum, written to the ledger first."""
        self._write(request, None, step="reveal")
        return RevealAnswer(self._site, request.run, request.round, revealed)

    def _let_out(
        self, request: RoundRequest, said: Said, asked: Asking, *, step: str = ""
    ) -> Said | Refusal:
        reason = self._write(request, None, asked=asked, unless=self._limited(asked), step=step)
        return said if reason is None else self.refuse(request, reason)

    def apology(self, request: RoundRequest | None, trouble: Trouble) -> Apology:
        """An apology for this trouble; of a round it is written to the ledger, if that can be."""
        if request is not None:
            with suppress(LedgerError):
                self._write(request, str(trouble))
        return Apology(self._site, trouble)

    def _write(
        self,
        request: RoundRequest,
        reason: str | None,
        *,
        repeated: bool = False,
        asked: Asking | None = None,
        unless: Objector | None = None,
        step: str = "",
    ) -> str | None:
        """Writes an entry unless there is an objection, which is then returned."""
        asked = asked or _asking(request, None)
        entry = Entry(
            at=self._clock(),
            run=request.run,
            round=request.round,
            release=request.release.name,
            request=hashlib.sha256(encode(request)).hexdigest(),
            needs=tuple(str(need.__struct_config__.tag) for need in request.needs),
            answered=reason is None,
            reason=reason,
            repeated=repeated,
            roster_size=request.roster_size,
            place=str(request.release.place),
            cost=None if asked.cost is None else str(asked.cost),
            zcdp=None if asked.zcdp is None else str(asked.zcdp),
            key=asked.key,
            question=asked.question,
            step=step,
            locked=reason == LOCKED,
        )
        return self._ledger.append(entry, unless)


def _asking(request: RoundRequest, cost: Cost | None, noise: str = "") -> Asking:
    """What a request asks for, and what it costs."""
    return asking(request) if cost is None else asking(request, cost.pure, cost.zcdp, noise)
