"""The composition root: a built network's folder becomes nodes behind an in-process wire."""

from __future__ import annotations

import datetime as dt
import hashlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from simulator.errors import UserError, nearest, one_of
from simulator.hub.client import Client, Settings
from simulator.hub.wire import Failure, Lost, Reply
from simulator.language.documents import Node as DocumentNode
from simulator.language.documents import read_document
from simulator.language.study import Study
from simulator.site.answering import know
from simulator.site.catalogue import read_catalogue
from simulator.site.compile import compile_question
from simulator.site.endings import groups
from simulator.site.ledger import LEDGER, FileLedger, FreshLedger, Ledger
from simulator.site.node import Node
from simulator.site.policy import LABORATORY, POLICY, Policy, read_policy
from simulator.site.pool import StorePool
from simulator.site.store import Store

NETWORK: Final = "network.yaml"
_GRACE_SECONDS: Final = 2.0
_REPEAT_SECONDS: Final = 0.05

Clock = Callable[[], dt.datetime]


@dataclass(frozen=True)
class Member:
    """One organisation of a built network."""

    site: str
    name: str
    online: bool


@dataclass(frozen=True)
class BuiltNetwork:
    """What stands in a built network's file.

    Attributes:
        folder: The folder that holds a folder for each site.
        name: The network's name.
        title: What it is, in a line.
        members: Its organisations, in order.
        conditioned: Whether its data were drawn until they showed a given result.
        fingerprint: SHA-256 of the file.
        built: What its databases were built from, such as scenario and seed.
    """

    folder: Path
    name: str
    title: str
    members: tuple[Member, ...]
    conditioned: bool
    fingerprint: str
    built: Mapping[str, str] = field(default_factory=dict)

    def folder_of(self, site: str) -> Path:
        """The folder of a site."""
        return self.folder / site


def find_network(name: str, data: Path) -> BuiltNetwork:
    """A built network by its name, or by the path of its folder.

    Raises:
        UserError: It has not been built, or its file does not fit.
    """
    folder = Path(name) if (Path(name) / NETWORK).is_file() else data / name
    if not (folder / NETWORK).is_file():
        built = sorted(path.parent.name for path in data.glob(f"*/{NETWORK}"))
        there = f"; built are {one_of(built)}" if built else ""
        raise UserError(
            f"the network '{name}' has not been built in '{data}'{there}",
            hint=nearest(name, built)
            or f"Run `cohortium build --network {name}` first, or say with --data where it is.",
        )
    document = read_document(folder / NETWORK)
    given = document.fields(("network", "title", "sites"), ("built",))
    built_with = dict(_texts(given["built"])) if "built" in given else {}
    return BuiltNetwork(
        folder=folder,
        name=given["network"].text(),
        title=given["title"].text(),
        members=_members(given["sites"]),
        conditioned=built_with.get("conditioned") == "true",
        fingerprint=hashlib.sha256((folder / NETWORK).read_bytes()).hexdigest(),
        built=built_with,
    )


def _texts(node: DocumentNode) -> Iterator[tuple[str, str]]:
    for key, value in node.entries():
        yield key.text(), value.text()


def _members(node: DocumentNode) -> tuple[Member, ...]:
    members: dict[str, Member] = {}
    for item in node.items():
        given = item.fields(("site",), ("name", "online"))
        site = given["site"].text()
        if site in members:
            item.fail(f"the site '{site}' stands here twice")
        members[site] = Member(
            site,
            given["name"].text() if "name" in given else site,
            given["online"].boolean() if "online" in given else True,
        )
    if not members:
        node.fail("a network needs at least one site")
    return tuple(members.values())


class LocalWire:
    """Nodes of this process, each message handled by one of a few threads.

    Args:
        nodes: The nodes that are on line, by site.
        jobs: How many threads work at once.
    """

    def __init__(self, nodes: Mapping[str, Node], jobs: int) -> None:
        self._nodes = nodes
        self._jobs = jobs

    def exchange(self, messages: Mapping[str, bytes], seconds: float) -> Iterator[Reply | Failure]:
        """Carries one message to each site; see `simulator.hub.wire.Wire`."""
        ends = time.monotonic() + seconds
        waiting: queue.SimpleQueue[tuple[str, bytes] | None] = queue.SimpleQueue()
        replies: queue.SimpleQueue[Reply] = queue.SimpleQueue()
        asked = [site for site in messages if site in self._nodes]
        for site in asked:
            waiting.put((site, messages[site]))
        stop = threading.Event()
        workers = [
            # Daemons: a site that hangs must not keep the program from ending.
            threading.Thread(target=self._work, args=(waiting, replies, ends, stop), daemon=True)
            for _ in range(min(self._jobs, len(asked)))
        ]
        for worker in workers:
            waiting.put(None)
            worker.start()
        for site in messages:
            if site not in self._nodes:
                yield Failure(site, Lost.OFF_LINE)
        missing = dict.fromkeys(asked)
        try:
            while missing:
                left = ends + _GRACE_SECONDS - time.monotonic()
                reply = replies.get(timeout=max(left, 0.0))
                del missing[reply.site]
                yield reply
        except queue.Empty:
            for site in missing:
                yield Failure(site, Lost.SILENT)
        finally:
            stop.set()
            self._give_up(workers)

    def _give_up(self, workers: Sequence[threading.Thread]) -> None:
        """Interrupts sites that nobody listens to any more: no query outlives its exchange.

        A query that ran on while the program ends would bring the whole process down.
        """
        ends = time.monotonic() + _GRACE_SECONDS
        while (working := [one for one in workers if one.is_alive()]) and time.monotonic() < ends:
            working[0].join(_REPEAT_SECONDS)
            for node in self._nodes.values():
                node.interrupt()

    def _work(
        self,
        waiting: queue.SimpleQueue[tuple[str, bytes] | None],
        replies: queue.SimpleQueue[Reply],
        ends: float,
        stop: threading.Event,
    ) -> None:
        while (message := waiting.get()) is not None and not stop.is_set():
            site, data = message
            left = ends - time.monotonic()
            replies.put(Reply(site, self._nodes[site].handle(data, left)))


def connect(
    network: BuiltNetwork,
    *,
    laboratory: bool,
    jobs: int,
    seconds: float,
    clock: Clock,
) -> Client:
    """A client of a network whose nodes live in this process.

    Args:
        network: The built network.
        laboratory: Replaces every policy by the laboratory's and every ledger by a fresh one.
        jobs: How many sites work at once.
        seconds: The deadline of each exchange.
        clock: The time in UTC.

    Raises:
        UserError: The folder of a site that is on line has no database.
    """
    stores = StorePool()
    nodes = {
        member.site: make_node(network.folder_of(member.site), stores, clock, laboratory=laboratory)
        for member in network.members
        if member.online
    }
    settings = Settings(
        network=network.name,
        sites=tuple(member.site for member in network.members),
        conditioned=network.conditioned,
        laboratory=laboratory,
        engine="local",
        fingerprints={"network": network.fingerprint},
        built=network.built,
    )
    return Client(LocalWire(nodes, jobs), settings, seconds=seconds, clock=clock)


def make_node(folder: Path, stores: StorePool, clock: Clock, *, laboratory: bool) -> Node:
    """The node of one site, from the files in its folder.

    Raises:
        UserError: There is neither a catalogue nor a database.
    """
    catalogue = read_catalogue(folder)
    policy: Policy | None
    ledger: Ledger
    if laboratory:
        policy, ledger = LABORATORY, FreshLedger()
    else:
        ledger = FileLedger(folder / LEDGER)
        try:
            policy = read_policy(folder / POLICY)
        except UserError:
            policy = None
    return Node(folder, catalogue, policy, ledger, stores, clock)


def statement_at(network: BuiltNetwork, site: str, study: Study) -> tuple[str, dict[str, object]]:
    """The SQL that a site would run for a study, with its parameters. Only for a local network.

    Raises:
        UserError: There is no such site, or it has no database.
    """
    known = [member.site for member in network.members]
    if site not in known:
        raise UserError(
            f"there is no site '{site}' in the network '{network.name}'", hint=nearest(site, known)
        )
    folder = network.folder_of(site)
    by_month = read_catalogue(folder).catalogue.death_by_month
    store = Store(folder)
    try:
        prepared = know(store, study.question, death_by_month=by_month)
    finally:
        store.close()
    statement = compile_question(study.question, prepared, [groups])
    return statement.sql, statement.parameters
