"""A site's door: bytes in, bytes out, and no exception in between."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import duckdb
import msgspec

from simulator.errors import CohortiumError
from simulator.messages.catalogue import ROUNDED
from simulator.messages.codec import MalformedMessage, decode_request, encode
from simulator.messages.masked import KeysRequest, MaskedRequest, SharesRequest, StepRequest
from simulator.messages.noise import cost_of
from simulator.messages.protocol import Answer, Request
from simulator.messages.requests import (
    Apology,
    CatalogueAnswer,
    CatalogueRequest,
    Refusal,
    RoundRequest,
    Trouble,
)
from simulator.privacy.masking.errors import MaskingError
from simulator.privacy.release import Place, Release
from simulator.privacy.releases import KEYED, RELEASES
from simulator.site.catalogue import CatalogueFile
from simulator.site.chance import Chance, passing_chance
from simulator.site.changing import by_rule, same_again, with_noise
from simulator.site.guard import Clock, Guard
from simulator.site.ledger import Ledger, LedgerError
from simulator.site.looking import Looking
from simulator.site.masking import MaskedRound
from simulator.site.policy import Policy, terms_of
from simulator.site.pool import StorePool
from simulator.site.rates import key_of

_KEPT_ROUNDS: Final = 32
_EXPIRY: Final = dt.timedelta(hours=1)
_NAME_BYTES: Final = 16
_CHANGED: Final = "the run has changed its roster or its question"


Masking = KeysRequest | StepRequest


@dataclass
class _Kept:
    """What a node remembers of a round.

    Attributes:
        at: When it began.
        asked: What was asked first.
        replies: The reply to each request so far, by the digest of the request's bytes.
        masked: The site's part in it, if it is a masked one.
        noise: The name of the noise in its answer; empty where there is none.
    """

    at: dt.datetime
    asked: RoundRequest
    replies: dict[bytes, bytes] = field(default_factory=dict)
    masked: MaskedRound | None = None
    noise: str = ""


class Node:
    """One site: its database, catalogue, policy and ledger.

    A node remembers the answers of recent rounds, so that a request that comes twice is answered
    alike and looked up once, and the roster of each run, so that a run cannot change it.

    Args:
        folder: The site's folder; its name is the site's name.
        catalogue: What the site says it holds.
        policy: Its policy, or None where it is missing or unreadable.
        ledger: Where decisions are written.
        stores: The stores shared by the nodes of this process.
        clock: The time in UTC.
        chance: Where its keys and its noise come from; by default from the system, with a secret
            that ends with the process.
    """

    def __init__(
        self,
        folder: Path,
        catalogue: CatalogueFile,
        policy: Policy | None,
        ledger: Ledger,
        stores: StorePool,
        clock: Clock,
        chance: Chance | None = None,
    ) -> None:
        self.site = folder.name
        self._catalogue = catalogue
        self._clock = clock
        self._chance = chance or passing_chance()
        held = catalogue.catalogue
        self._looking = Looking(folder, stores, death_by_month=held.death_by_month)
        self._terms = None if policy is None else terms_of(policy)
        self._guard = Guard(self.site, policy, held.persons, ledger, clock)
        # A deadline that has passed leaves a thread at work, which may meet the next attempt's.
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._rounds: OrderedDict[tuple[str, int], _Kept] = OrderedDict()

    def handle(self, data: bytes, seconds: float) -> bytes:
        """The answer to a request, within so many seconds; every failure is an answer too."""
        try:
            request = decode_request(data)
        except MalformedMessage:
            return encode(Apology(self.site, Trouble.REQUEST))
        asked = self._asked(request)
        try:
            return self._handle(request, asked, data, seconds)
        except Exception as error:  # noqa: BLE001  # what failed may hold data, so only that it did
            return encode(self._guard.apology(asked, _trouble(error)))

    def interrupt(self) -> None:
        """Stops what is being looked up; the answer is then that the deadline passed."""
        self._looking.interrupt()

    def _asked(self, request: Request) -> RoundRequest | None:
        """What a request is about, in the end; None where it is about no round that is known."""
        match request:
            case RoundRequest():
                return request
            case KeysRequest(asked=asked):
                return asked
            case CatalogueRequest():
                return None
            case _:
                with self._lock:
                    kept = self._rounds.get((request.run, request.round))
                return None if kept is None else kept.asked

    def _handle(
        self, request: Request, asked: RoundRequest | None, data: bytes, seconds: float
    ) -> bytes:
        if isinstance(request, CatalogueRequest):
            described = msgspec.structs.replace(
                self._catalogue.describe(request.codes), policy=self._terms
            )
            return encode(self._guard.catalogue(request) or CatalogueAnswer(described))
        if asked is None:  # a step of a masked round that never began, or is forgotten
            return encode(Apology(self.site, Trouble.REQUEST))
        if isinstance(request, RoundRequest):
            return self._answered(request, asked, data, seconds)
        # One step at a time: two at once might each let out what the other must not.
        if not self._turn.acquire(timeout=max(seconds, 0.0)):
            raise TimeoutError
        try:
            return self._answered(request, asked, data, seconds)
        finally:
            self._turn.release()

    def _answered(
        self, request: RoundRequest | Masking, asked: RoundRequest, data: bytes, seconds: float
    ) -> bytes:
        """The answer to a round or a step of one, the same if it came before."""
        digest = hashlib.sha256(data).digest()
        with self._lock:
            self._forget()
            kept = self._rounds.get((asked.run, asked.round))
            differs = self._differs(asked)
        if kept is not None and digest in kept.replies:
            self._guard.repeat(asked)
            return kept.replies[digest]
        match request:
            case RoundRequest() | KeysRequest() if differs or kept is not None:
                return encode(self._guard.refuse(asked, _CHANGED))
            case RoundRequest():
                kept = _Kept(self._clock(), asked)
                answer = self._round(asked, seconds)
            case KeysRequest():
                kept = _Kept(self._clock(), asked)
                answer = self._open(request, kept)
            case _:
                if kept is None:  # it was forgotten while this waited for its turn
                    return encode(Apology(self.site, Trouble.REQUEST))
                answer = self._step(request, kept, seconds)
        reply = encode(answer)
        if not isinstance(answer, Refusal):  # what was refused may be asked again, and is then
            kept.replies[digest] = reply
            with self._lock:
                self._rounds[asked.run, asked.round] = kept
        return reply

    def _differs(self, request: RoundRequest) -> bool:
        """Whether a request does not fit what came before it in its run."""

        def fixed(asked: RoundRequest) -> tuple[object, ...]:
            return asked.roster, asked.roster_size, asked.release, asked.question

        return any(
            run == request.run and fixed(kept.asked) != fixed(request)
            for (run, _), kept in self._rounds.items()
        )

    def _round(self, request: RoundRequest, seconds: float) -> Answer:
        """The answer to a round in the clear."""
        refusal = self._guard.refusal(request, masked=False)
        if refusal is not None:
            return refusal
        release = RELEASES[request.release.name]
        if not (release.rule and request.release.place is Place.SITE):
            return self._guard.answer(request, self._looking.tables(request, seconds))
        return self._ruled(request, release, seconds)

    def _ruled(self, request: RoundRequest, release: Release, seconds: float) -> Answer:
        """The answer to a round of which each site changes its tables by a rule."""
        same = same_again(request, self._looking.state())
        keys = None
        if release.rule == KEYED:
            salt = self._chance.sticky("records")(16)
            tables, keys = self._looking.tables_with_keys(request, seconds, salt)
        else:
            tables = self._looking.tables(request, seconds)
        fresh = (request.run, str(request.round))
        cells = by_rule(release, tables, keys, self._chance, fresh, same)
        return self._guard.answer_by_rule(request, cells)

    def _open(self, request: KeysRequest, kept: _Kept) -> Answer:
        """The first step of a masked round, in which everything is decided."""
        try:
            cost = cost_of(request.asked)
        except ValueError as error:
            return self._guard.refuse(request.asked, f"no noise can be made of that: {error}")
        if cost is not None:
            # Who takes the identifier of an earlier run gets other noise, and so pays anew.
            named = self._chance.fresh("name of noise", *_names(request.asked))
            kept.noise = named(_NAME_BYTES).hex()
        refusal = self._guard.refusal(request.asked, cost, masked=True, noise=kept.noise)
        if refusal is not None:
            return refusal
        fresh = self._chance.fresh("masks", request.asked.run, str(request.asked.round))
        # A catalogue rounds its persons down.
        least, persons = self._guard.least_roster, self._catalogue.catalogue.persons + ROUNDED
        try:
            kept.masked = MaskedRound(self.site, request, least, persons, fresh)
            return self._guard.keys(request.asked, kept.masked.keys())
        except MaskingError as error:
            return self._guard.refuse(request.asked, str(error))

    def _step(self, request: StepRequest, kept: _Kept, seconds: float) -> Answer:
        """A later step of a masked round."""
        this, asked = kept.masked, kept.asked
        if this is None:
            return self._guard.refuse(asked, "it was not asked for keys in this round")
        try:
            match request:
                case SharesRequest():
                    return self._guard.shares(asked, this.share(request))
                case MaskedRequest():
                    tables = self._looking.tables(asked, seconds)
                    if asked.release.noise is not None:
                        # New in each run: two sums of one question that lost different sites
                        # would otherwise differ by those sites and next to no noise.
                        noise = self._chance.fresh("noise", *_names(asked))
                        tables = with_noise(asked, tables, noise)
                    cells = this.mask(request, tables)
                    return self._guard.masked(asked, cells, cost_of(asked), kept.noise)
                case _:
                    return self._guard.revealed(asked, this.reveal(request))
        except MaskingError as error:
            return self._guard.refuse(asked, str(error))

    def _forget(self) -> None:
        """Lets go of rounds that are old, and of the oldest where there are many."""
        oldest = self._clock() - _EXPIRY
        while self._rounds:
            kept = next(iter(self._rounds.values()))
            if kept.at >= oldest and len(self._rounds) < _KEPT_ROUNDS:
                return
            self._rounds.popitem(last=False)


def _names(asked: RoundRequest) -> tuple[str, ...]:
    """What tells a round from every other, for chance that follows from a seed."""
    return asked.run, str(asked.round), key_of(asked)


def _trouble(error: Exception) -> Trouble:
    """The kind of trouble behind an error, which is all that is told of it."""
    if isinstance(error, duckdb.InterruptException | TimeoutError):
        return Trouble.DEADLINE
    if isinstance(error, duckdb.Error | CohortiumError):
        return Trouble.DATABASE
    if isinstance(error, LedgerError):
        return Trouble.LEDGER
    return Trouble.DEFECT
