"""A small site, its node, and requests to it, with every part exchangeable."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from simulator.aggregates.grid import Grid, Unit
from simulator.language.study import Question
from simulator.messages.codec import decode_answer, encode
from simulator.messages.needs import AssignmentNeed, AttritionNeed, Need, SurvivalNeed
from simulator.messages.protocol import Answer, Request
from simulator.messages.requests import ReleaseTerms, RoundRequest, roster_hash
from simulator.site.catalogue import read_catalogue
from simulator.site.chance import Chance
from simulator.site.ledger import FreshLedger, Ledger
from simulator.site.node import Node
from simulator.site.policy import Policy
from simulator.site.pool import StorePool
from simulator.site.store import Store
from tests.support.asking import question
from tests.support.omop import write_omop
from tests.support.records import record, rows

ROSTER: Final = ("north", "east", "south")
NEEDS: Final[tuple[Need, ...]] = (
    AttritionNeed(),
    AssignmentNeed(),
    SurvivalNeed(Grid(Unit.MONTH, 12)),
)
SECURE: Final = ReleaseTerms("secure-sum", 1, 11)
CLEAR: Final = ReleaseTerms("exact", 1)
ASKED: Final = question(
    steps="  - step: has a tumour\n    require: {condition: tumour}",
    arms="  chemo: {drug: chemo, days: any to 0}\n  none: {none: [{drug: chemo, days: any to 0}]}",
)
STANDARD: Final = Policy(
    name="standard",
    version=1,
    releases=("secure-sum",),
    masked_only=True,
    finest_bin=Unit.MONTH,
    least_persons=10,
    least_roster=3,
    network_threshold=11,
)
OPEN: Final = msgspec.structs.replace(
    STANDARD, releases=("exact", "secure-sum"), masked_only=False, network_threshold=0
)
NOON: Final = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
PERSONS: Final = 24


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> dt.datetime:
        return self.now


class CountingPool(StorePool):
    """Counts how often a database is asked for."""

    lent = 0

    @contextmanager
    def lend(self, folder: Path) -> Iterator[Store]:
        self.lent += 1
        with super().lend(folder) as store:
            yield store


def write_site(folder: Path) -> Path:
    """A site of 24 women: a third of them had chemotherapy before, half of them died on day 40."""
    people = [
        record(
            "index on 0, tumour on -9, watched -60 to 300"
            + (", chemo on -3" if place % 3 == 0 else "")
            + (", dead on 40" if place % 2 == 0 else "")
        )
        for place in range(PERSONS)
    ]
    return write_omop(folder, rows(enumerate(people, start=1)))


def request(
    *,
    run: str = "run",
    number: int = 1,
    roster: tuple[str, ...] = ROSTER,
    terms: ReleaseTerms = SECURE,
    asked: Question = ASKED,
    needs: tuple[Need, ...] = NEEDS,
) -> RoundRequest:
    """A request that the standard policy lets pass."""
    return RoundRequest(run, number, roster_hash(roster), len(roster), terms, asked, needs)


def clear(
    *,
    run: str = "run",
    number: int = 1,
    roster: tuple[str, ...] = ROSTER,
    asked: Question = ASKED,
    needs: tuple[Need, ...] = NEEDS,
) -> RoundRequest:
    """A request for an answer in the clear, which the open policy lets pass."""
    return request(run=run, number=number, roster=roster, terms=CLEAR, asked=asked, needs=needs)


def make_node(
    folder: Path,
    *,
    policy: Policy | None = OPEN,
    ledger: Ledger | None = None,
    stores: StorePool | None = None,
    clock: Clock | None = None,
    chance: Chance | None = None,
) -> Node:
    """The node of a site's folder."""
    return Node(
        folder,
        read_catalogue(folder),
        policy,
        FreshLedger() if ledger is None else ledger,
        stores or StorePool(),
        clock or Clock(),
        chance,
    )


def told(node: Node, asked: Request, seconds: float = 60.0) -> Answer:
    """What a node answers."""
    return decode_answer(node.handle(encode(asked), seconds))
