"""A network of tables in memory, with sites that fail in every way, behind the real messages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np

from simulator.aggregates.table import Table
from simulator.hub.client import Client, Settings
from simulator.hub.planner import Candidate, Plan, make_plan
from simulator.hub.wire import Failure, Lost, Reply
from simulator.language.criteria import Domain
from simulator.language.reading import parse_study
from simulator.language.study import Question, Study
from simulator.messages.catalogue import Catalogue, CodeKnowledge, Described, Holding, Knowledge
from simulator.messages.codec import (
    MalformedMessage,
    decode_answer,
    decode_cells,
    decode_request,
    encode,
    encode_cells,
)
from simulator.messages.masked import KeysRequest, StepRequest
from simulator.messages.needs import AssignmentNeed, AttritionNeed, SurvivalNeed, layout_of
from simulator.messages.protocol import Request
from simulator.messages.requests import (
    Apology,
    CatalogueAnswer,
    CatalogueRequest,
    Refusal,
    RoundAnswer,
    RoundRequest,
    Trouble,
)
from simulator.privacy.releases import SECURE_SUM, Release
from tests.support.masks import MaskedSite

TEXT: Final = """
study: example
version: 1
title: an example
codes:
  embolization: [CPT4 37243]
  drug: [RxNorm 3639]
index: {procedure: embolization, occurrence: first}
steps:
  - step: in these years
    require: {dates: 2016-01-01 to 2024-07-31}
arms:
  with: {drug: drug, days: -90 to -1}
  without: {none: [{drug: drug, days: -90 to -1}]}
outcome: death
follow up: {months: 12}
analyses: {survival at months: [6], mean survival to month: 6}
least completeness: COMPLETENESS
"""


def study(completeness: str = "1.0") -> Study:
    """Two arms, twelve months."""
    return parse_study(TEXT.replace("COMPLETENESS", completeness))


def described(site: str, question: Question, **changed: object) -> Described:
    """The catalogue of a site that has everything, but for what is changed."""
    held = tuple(Holding(domain, dt.date(2012, 1, 1), dt.date(2024, 7, 31)) for domain in Domain)
    given: dict[str, object] = {
        "site": site,
        "persons": 1000,
        "holdings": held,
        "vocabularies": ("CPT4", "RxNorm"),
    }
    codes = tuple(
        CodeKnowledge(codes.name, (Knowledge.FOUND,) * len(codes.include))
        for codes in question.codes
    )
    return Described(Catalogue(**(given | changed)), codes)  # type: ignore[arg-type]


def plan_of(asked: Study, sites: tuple[str, ...], release: Release = SECURE_SUM) -> Plan:
    """A plan that asks these sites."""
    candidates = (Candidate(site, described(site, asked.question)) for site in sites)
    return make_plan(asked, release, candidates)


def tables(request: RoundRequest, place: int = 0) -> tuple[Table, ...]:
    """What a site with some patients in each arm says: 12 and 15, of whom half have died.

    They die at the end of their month; the place of the site makes the months differ.
    """
    arms = {"with": 12, "without": 15}
    found = []
    for need in request.needs:
        layout = layout_of(need, request.question)
        cells = np.zeros(layout.shape, dtype=np.int64)
        match need:
            case AttritionNeed():
                cells[:, 0] = sum(arms.values())
                cells[0, 0] += 20
            case AssignmentNeed():
                cells[:2, 0] = list(arms.values())
            case SurvivalNeed(grid=grid):
                for arm, patients in enumerate(arms.values()):
                    for patient in range(patients):
                        cell = (patient * (3 + arm) + place) % grid.size
                        cells[arm, cell, patient % 2] += 1
        found.append(Table(layout, cells))
    return tuple(found)


def answer(request: RoundRequest, site: str, found: tuple[Table, ...]) -> bytes:
    """The bytes of an answer."""
    cells = tuple(encode_cells(table.flat()) for table in found)
    return encode(RoundAnswer(site, request.run, request.round, request.roster, cells))


Behaviour = Callable[[RoundRequest, str, int], bytes | Lost | None]
"""What a site sends back, why nothing came back, or None for not even that."""


def well(request: RoundRequest, site: str, place: int) -> bytes | Lost | None:
    """Answers as it should."""
    return answer(request, site, tables(request, place))


def says(data: bytes) -> Behaviour:
    """Always sends the same bytes."""
    return lambda _request, _site, _place: data


def refuses(reason: str = "its policy says no") -> Behaviour:
    return lambda _request, site, _place: encode(Refusal(site, reason))


def fails(trouble: Trouble) -> Behaviour:
    return lambda _request, site, _place: encode(Apology(site, trouble))


def is_lost(lost: Lost) -> Behaviour:
    return lambda _request, _site, _place: lost


class FakeWire:
    """Sites that behave as told; replies come in the reverse of the order of asking.

    Attributes:
        requests: Every round that was asked, with the sites it went to.
        fails_at: For a site, the kind of step of a masked round at which it fails, and how.
    """

    def __init__(self, sites: Mapping[str, Behaviour], catalogues: Study | None = None) -> None:
        self._sites = sites
        self._catalogues = catalogues
        self.requests: list[tuple[RoundRequest, tuple[str, ...]]] = []
        self.fails_at: dict[str, tuple[type[object], bytes | Lost | None]] = {}
        self._masked = {site: MaskedSite(site) for site in sites}

    def exchange(self, messages: Mapping[str, bytes], seconds: float) -> Iterator[Reply | Failure]:
        assert seconds > 0
        request = decode_request(next(iter(messages.values())))
        if isinstance(request, KeysRequest):
            request = request.asked
        if isinstance(request, RoundRequest):
            self.requests.append((request, tuple(messages)))
        for site in reversed([*messages]):
            sent = self._sent(site, decode_request(messages[site]))
            if isinstance(sent, Lost):
                yield Failure(site, sent)
            elif sent is not None:
                yield Reply(site, sent)

    def _sent(self, site: str, request: Request) -> bytes | Lost | None:
        if isinstance(request, CatalogueRequest):
            assert self._catalogues is not None
            return encode(CatalogueAnswer(described(site, self._catalogues.question)))
        if isinstance(request, RoundRequest):
            return self._said(site, request)
        return self._masked_step(site, request)

    def _said(self, site: str, request: RoundRequest) -> bytes | Lost | None:
        """What a site says in the clear."""
        return self._sites[site](request, site, [*self._sites].index(site))

    def _masked_step(self, site: str, request: KeysRequest | StepRequest) -> bytes | Lost | None:
        """A site that would answer well in the clear takes part; another fails at the first step.

        At which later step a site fails, `fails_at` says.
        """
        fault = self.fails_at.get(site)
        if fault is not None and isinstance(request, fault[0]):
            return fault[1]
        this = self._masked[site]
        if isinstance(request, KeysRequest):
            said = self._said(site, request.asked)
            if not isinstance(said, bytes) or not isinstance(_answer(said), RoundAnswer):
                return said
        return this.answer(request, lambda asked: self._tables(site, asked))

    def _tables(self, site: str, request: RoundRequest) -> tuple[Table, ...]:
        said = self._said(site, request)
        assert isinstance(said, bytes)
        found = decode_answer(said)
        assert isinstance(found, RoundAnswer)
        layouts = [layout_of(need, request.question) for need in request.needs]
        return tuple(
            Table.from_flat(layout, decode_cells(cells, layout.cells))
            for layout, cells in zip(layouts, found.cells, strict=True)
        )


def _answer(data: bytes) -> object:
    try:
        return decode_answer(data)
    except MalformedMessage:
        return None


def client_of(wire: FakeWire, sites: tuple[str, ...]) -> Client:
    """A client of a wire whose network has these sites."""
    settings = Settings("fake", sites, False, False, "fake", {"network": "00"})  # noqa: FBT003
    return Client(wire, settings, seconds=5.0, clock=lambda: dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
