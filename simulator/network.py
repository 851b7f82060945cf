"""The composition root: a built network's folder becomes nodes behind an in-process wire."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from simulator.engines.local import LocalWire
from simulator.engines.processes import ProcessesWire, deal
from simulator.errors import UserError, nearest, one_of
from simulator.hub.client import Client, Settings
from simulator.hub.memory import MEMORY, FileMemory
from simulator.hub.past import NOISY, FileSums, Past
from simulator.language.documents import Node as DocumentNode
from simulator.language.documents import read_document
from simulator.language.study import Study
from simulator.privacy.sources import keyed_source, system_source
from simulator.site.answering import know
from simulator.site.catalogue import read_catalogue
from simulator.site.chance import kept_chance, passing_chance, seeded_chance
from simulator.site.compile import compile_question
from simulator.site.endings import groups
from simulator.site.ledger import LEDGER, FileLedger, FreshLedger, Ledger
from simulator.site.node import Node
from simulator.site.policy import LABORATORY, POLICY, Policy, read_policy
from simulator.site.pool import AT_MOST, StorePool
from simulator.site.store import Store

NETWORK: Final = "network.yaml"
AGGREGATOR: Final = "aggregator"

Clock = Callable[[], dt.datetime]


class Engine(StrEnum):
    """What carries the messages to the sites."""

    LOCAL = "local"
    PROCESSES = "processes"


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


def connect(
    network: BuiltNetwork,
    *,
    laboratory: bool,
    jobs: int,
    seconds: float,
    clock: Clock,
    engine: Engine = Engine.LOCAL,
    seed: int | None = None,
) -> Client:
    """A client of a network; close it, or use it in a ``with``, where it has processes of its own.

    Args:
        network: The built network.
        laboratory: Replaces every policy by the laboratory's and every ledger by a fresh one.
        jobs: How many sites work at once, or how many processes hold them.
        seconds: The deadline of each exchange.
        clock: The time in UTC; sites in processes of their own look at this machine's.
        engine: What carries the messages.
        seed: Makes all chance of sites and hub repeatable; for the laboratory only, not private.

    Raises:
        UserError: The folder of a site that is on line has no database.
    """
    sites = tuple(member.site for member in network.members if member.online)
    wire: LocalWire | ProcessesWire
    if engine is Engine.PROCESSES:
        groups = deal(sites, jobs)
        most = -(-AT_MOST // max(len(groups), 1))
        hosted = Hosted(str(network.folder), laboratory, most, seed)
        wire = ProcessesWire(groups, host, msgspec.msgpack.encode(hosted))
    else:
        stores = StorePool()
        nodes = {
            site: make_node(
                network.folder_of(site), stores, clock, laboratory=laboratory, seed=seed
            )
            for site in sites
        }
        wire = LocalWire(nodes, jobs)
    settings = Settings(
        network=network.name,
        sites=tuple(member.site for member in network.members),
        conditioned=network.conditioned,
        laboratory=laboratory,
        engine=engine.value,
        fingerprints={"network": network.fingerprint},
        built=network.built,
        seed=seed,
    )
    source = system_source if seed is None else keyed_source(str(seed).encode(), "hub")
    kept = network.folder / AGGREGATOR
    past = Past(clock=clock)
    if not laboratory:
        past = Past(FileMemory(kept / MEMORY), FileSums(kept / NOISY), clock)
    return Client(
        wire,
        settings,
        seconds=seconds,
        clock=clock,
        close=wire.close,
        source=source,
        past=past,
        strays=lambda: [str(stray) for stray in wire.strays],
    )


class Hosted(msgspec.Struct, frozen=True):
    """What a process that holds sites is told about them.

    Attributes:
        folder: The network's folder.
        laboratory: Whether policies and ledgers are replaced by the laboratory's.
        open: How many databases that nobody uses it keeps open.
        seed: Makes the sites' chance repeatable, in the laboratory.
    """

    folder: str
    laboratory: bool
    open: int
    seed: int | None = None


def host(sites: tuple[str, ...], settings: bytes) -> dict[str, Node]:
    """The nodes of a process that holds sites; is called there.

    Args:
        sites: Their names.
        settings: A `Hosted` in MessagePack.

    Raises:
        UserError: The folder of one of them has no database.
    """
    hosted = msgspec.msgpack.decode(settings, type=Hosted)
    stores = StorePool(hosted.open)
    return {
        site: make_node(
            Path(hosted.folder) / site,
            stores,
            _now,
            laboratory=hosted.laboratory,
            seed=hosted.seed,
        )
        for site in sites
    }


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def make_node(
    folder: Path, stores: StorePool, clock: Clock, *, laboratory: bool, seed: int | None = None
) -> Node:
    """The node of one site, from the files in its folder.

    Args:
        folder: The site's folder.
        stores: The stores shared by the nodes of this process.
        clock: The time in UTC.
        laboratory: Replaces its policy, ledger and secret.
        seed: Makes its chance repeatable; in the laboratory only.

    Raises:
        UserError: There is neither a catalogue nor a database.
    """
    catalogue = read_catalogue(folder)
    policy: Policy | None
    ledger: Ledger
    if laboratory:
        policy, ledger = LABORATORY, FreshLedger()
        chance = passing_chance() if seed is None else seeded_chance(seed, folder.name)
    else:
        ledger, chance = FileLedger(folder / LEDGER), kept_chance(folder)
        try:
            policy = read_policy(folder / POLICY)
        except UserError:
            policy = None
    return Node(folder, catalogue, policy, ledger, stores, clock, chance)


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
