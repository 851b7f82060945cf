"""No row leaves a site: persons and days that occur nowhere else are sought in every byte sent.

The person ids lie above 9e15 and the days in a year of their own, so that neither can be there by
chance. They are sought as 32 and 64 bit numbers in both byte orders, in decimal, as ISO text and as
epoch days; and every decoded leaf of an answer is walked. Each kind of leak is planted once.
"""

from __future__ import annotations

import datetime as dt
import struct
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, TypeVar

import msgspec
import numpy as np
import pytest

from simulator.engines.local import LocalWire
from simulator.hub.client import Client, Settings
from simulator.language.reading import parse_study
from simulator.messages.catalogue import Holding
from simulator.messages.codec import decode_answer, encode
from simulator.messages.masked import KeysAnswer, MaskedAnswer, RevealAnswer, SharesAnswer
from simulator.messages.protocol import Answer
from simulator.messages.requests import CatalogueAnswer, Refusal, RoundAnswer
from simulator.privacy.releases import EXACT, SECURE_SUM, Release
from simulator.privacy.sources import keyed_source
from simulator.site.catalogue import read_catalogue
from simulator.site.chance import seeded_chance
from simulator.site.ledger import FreshLedger
from simulator.site.node import Node
from simulator.site.policy import LABORATORY, read_policy
from simulator.site.pool import StorePool
from simulator.site.store import Store
from simulator.truth.interpreter import patients
from tests.journeys.copies import now
from tests.support.omop import write_omop
from tests.support.records import record, rows
from tests.support.traffic import Tap

YEAR: Final = 2891
FIRST_PERSON: Final = 9_007_199_254_740_993  # above 2^53 too: no float can hold it
SITES: Final = ("north", "east", "south")
PEOPLE: Final = 36
EPOCH: Final = dt.date(1970, 1, 1)
POLICY: Final = """\
policy: canary
version: 1
releases: [secure-sum]
masked only: true
finest time bin: month
least persons: 10
least roster: 3
network threshold: 11
"""
STUDY: Final = parse_study("""
study: canary
version: 1
title: who is in here is nowhere else
codes: {embolization: [CPT4 37243], tumour: [ICD10CM C50 with descendants], drug: [RxNorm 3639]}
index: {procedure: embolization, occurrence: first}
steps:
  - step: a tumour before
    require: {condition: tumour, days: any to 0}
arms:
  drug: {drug: drug, days: -90 to -1}
  no drug: {none: [{drug: drug, days: -90 to -1}]}
outcome: death
follow up: {months: 24}
analyses: {survival at months: [12]}
""")


def day(number: int) -> dt.date:
    """A day of the reserved year that is neither the first nor the last of its month."""
    return dt.date(YEAR, 1 + number % 6, 8 + number % 18)


def persons(site: int) -> range:
    return range(FIRST_PERSON + 1000 * site, FIRST_PERSON + 1000 * site + PEOPLE)


def drawn(number: int) -> str:
    index = day(number)
    parts = [f"index on {index}", f"tumour on {index}", f"watched {YEAR}-01-02 to {YEAR}-12-24"]
    if number % 2:
        parts.append(f"chemo on {index - dt.timedelta(1 + number % 3)}")
    if number % 3:
        parts.append(f"dead on {dt.date(YEAR, 8 + number % 4, 3 + number % 20)}")
    return ", ".join(parts)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("canary")
    made = {}
    for place, site in enumerate(SITES):
        people = zip(persons(place), (record(drawn(n)) for n in range(PEOPLE)), strict=True)
        made[site] = write_omop(home / site, rows(people), long_ids=True)
        (home / site / "policy.yaml").write_text(POLICY)
    return made


@pytest.fixture(scope="module")
def secrets(folders: dict[str, Path]) -> dict[str, frozenset[object]]:
    """Every person and every day in the databases."""
    days: set[object] = set()
    for folder in folders.values():
        store = Store(folder)
        for table, column in (
            ("procedure_occurrence", "procedure_date"),
            ("condition_occurrence", "condition_start_date"),
            ("drug_exposure", "drug_exposure_start_date"),
            ("death", "death_date"),
            ("observation_period", "observation_period_start_date"),
            ("observation_period", "observation_period_end_date"),
        ):
            sql = f"SELECT DISTINCT {column} AS day FROM {table}"  # noqa: S608
            days |= set(store.arrow(sql).column("day").to_pylist())
        store.close()
    people = {person for place in range(len(SITES)) for person in persons(place)}
    return {"persons": frozenset(people), "days": frozenset(days)}


def recorded(folders: dict[str, Path], release: Release) -> Tap:
    """What crosses the wire in a whole run.

    Chance follows from a seed: of the bytes that look like it some would be a day now and then.
    """
    stores = StorePool()
    laboratory = release.laboratory_only
    nodes = {
        site: Node(
            folder,
            read_catalogue(folder),
            LABORATORY if laboratory else read_policy(folder / "policy.yaml"),
            FreshLedger(),
            stores,
            now,
            seeded_chance(2891, site),
        )
        for site, folder in folders.items()
    }
    tap = Tap(LocalWire(nodes, 2))
    settings = Settings(
        "canary", SITES, conditioned=False, laboratory=laboratory, engine="local", fingerprints={}
    )
    source = keyed_source(b"canary", "hub")
    client = Client(tap, settings, seconds=60.0, clock=now, source=source)
    report = client.run(STUDY, release, run="canary")
    assert report.result.cohort.patients == len(SITES) * PEOPLE
    stores.close()
    return tap


def came(tap: Tap) -> list[bytes]:
    return [data for _, data in tap.received]


def numbers(value: int) -> Iterator[bytes]:
    """The ways in which a whole number may stand among bytes."""
    yield str(value).encode()
    for order in "<>":
        if value < 2**31:
            yield struct.pack(f"{order}i", value)
        yield struct.pack(f"{order}q", value)


def traces(secrets: Mapping[str, frozenset[object]]) -> dict[bytes, object]:
    """Everything that may not be found, and what it gives away."""
    found: dict[bytes, object] = {}
    for person in secrets["persons"]:
        assert isinstance(person, int)
        found |= dict.fromkeys(numbers(person), person)
    for date in secrets["days"]:
        assert isinstance(date, dt.date)
        found |= dict.fromkeys(numbers((date - EPOCH).days), date)
        for text in (date.isoformat(), date.strftime("%Y%m%d")):
            found[text.encode()] = date
    return found


def leaks(messages: list[bytes], secrets: Mapping[str, frozenset[object]]) -> set[object]:
    """What some messages give away, by their bytes and by their leaves."""
    by_bytes = {
        secret for trace, secret in traces(secrets).items() if any(trace in one for one in messages)
    }
    by_leaves: set[object] = set()
    for message in messages:
        for leaf in leaves(message):
            by_leaves |= {leaf} & (secrets["persons"] | secrets["days"])
            if isinstance(leaf, int) and 0 <= leaf < 10**6:
                by_leaves |= {EPOCH + dt.timedelta(leaf)} & secrets["days"]
    return by_bytes | by_leaves


def leaves(message: bytes) -> Iterator[object]:
    """Every value at the ends of a decoded answer; cells as numbers. A new type is an error."""
    yield from _leaves(decode_answer(message))


def _leaves(value: object) -> Iterator[object]:
    match value:
        case bytes():
            yield from _numbers(value)
        case msgspec.Struct():
            yield from _leaves(msgspec.structs.astuple(value))
        case dict():
            yield from _leaves((*value, *value.values()))
        case tuple():
            for member in value:
                yield from _leaves(member)
        case str() | int() | dt.date() | None:
            yield value
        case _:
            raise TypeError(f"an answer holds a {type(value).__name__}")


def _numbers(data: bytes) -> Iterator[int]:
    """Cells of a ring have four bytes or eight; in the clear they have eight."""
    for width in (4, 8):
        whole = len(data) // width * width
        yield from np.frombuffer(data[:whole], dtype=f"<i{width}").tolist()


@pytest.fixture(scope="module")
def in_the_clear(folders: dict[str, Path]) -> Tap:
    return recorded(folders, EXACT)


@pytest.fixture(scope="module")
def hidden(folders: dict[str, Path]) -> Tap:
    return recorded(folders, SECURE_SUM)


@pytest.fixture(params=["in_the_clear", "hidden"])
def traffic(request: pytest.FixtureRequest) -> Tap:
    found: Tap = request.getfixturevalue(request.param)
    return found


def test_nobody_and_no_day_crosses_the_wire(
    traffic: Tap, secrets: dict[str, frozenset[object]]
) -> None:
    assert leaks(came(traffic), secrets) == set()
    assert not any(trace in sent for trace in traces(secrets) for _, sent in traffic.sent)


def kinds(tap: Tap) -> dict[type[object], int]:
    return Counter(type(decode_answer(data)) for data in came(tap))


def test_in_the_clear_a_site_sends_its_catalogue_and_its_table(in_the_clear: Tap) -> None:
    assert kinds(in_the_clear) == dict.fromkeys((CatalogueAnswer, RoundAnswer), len(SITES))


def test_masked_a_site_sends_its_catalogue_and_four_steps(hidden: Tap) -> None:
    steps = (KeysAnswer, SharesAnswer, MaskedAnswer, RevealAnswer)
    assert kinds(hidden) == dict.fromkeys((CatalogueAnswer, *steps), len(SITES))


def test_in_the_clear_the_cells_are_small_counts(in_the_clear: Tap) -> None:
    for data in came(in_the_clear):
        answer = decode_answer(data)
        if isinstance(answer, RoundAnswer):
            assert all(np.frombuffer(cells, "<i8").max() <= PEOPLE for cells in answer.cells)


def test_masked_no_cell_is_a_small_count(hidden: Tap) -> None:
    cells = [
        np.frombuffer(answer.cells, "<u4")
        for answer in map(decode_answer, came(hidden))
        if isinstance(answer, MaskedAnswer)
    ]
    assert len(cells) == len(SITES)
    assert min(own.min() for own in cells) > PEOPLE


def test_the_plain_interpreter_copes_with_such_persons(folders: dict[str, Path]) -> None:
    store = Store(folders["north"])
    found = patients(store, STUDY.question, death_by_month=False)
    store.close()
    assert found["person_id"].to_list() == list(persons(0))


# Each kind of leak, planted


Kind = TypeVar(
    "Kind", CatalogueAnswer, RoundAnswer, KeysAnswer, SharesAnswer, MaskedAnswer, RevealAnswer
)


def first(tap: Tap, kind: type[Kind]) -> Kind:
    """The first answer of a kind."""
    answers = [decode_answer(data) for data in came(tap)]
    return next(answer for answer in answers if isinstance(answer, kind))


_PERSON: Final = FIRST_PERSON + 5
_DAY: Final = day(5)
_DAYS: Final = (_DAY - EPOCH).days
LEAKS: dict[str, tuple[Callable[[RoundAnswer], Answer], object]] = {
    "a person in a cell": (
        lambda answer: _cells(answer, struct.pack("<q", _PERSON)),
        _PERSON,
    ),
    "a person, the other way round": (
        lambda answer: _cells(answer, struct.pack(">q", _PERSON)),
        _PERSON,
    ),
    "a person as text": (
        lambda answer: Refusal(answer.site, f"person {_PERSON} is too young"),
        _PERSON,
    ),
    "a person as a number": (
        lambda answer: msgspec.structs.replace(answer, round=_PERSON),
        _PERSON,
    ),
    "a day as text": (lambda answer: Refusal(answer.site, f"died on {_DAY}"), _DAY),
    "a day as text without dashes": (
        lambda answer: Refusal(answer.site, _DAY.strftime("%Y%m%d")),
        _DAY,
    ),
    "a day as epoch days in a cell": (
        lambda answer: _cells(answer, struct.pack("<q", _DAYS)),
        _DAY,
    ),
    "a day as epoch days in half a cell": (
        lambda answer: _cells(answer, struct.pack(">ii", 7, _DAYS)),
        _DAY,
    ),
    "a day as epoch days in half a cell, little end first": (
        lambda answer: _cells(answer, struct.pack("<ii", 7, _DAYS)),
        _DAY,
    ),
    "a day as a number in text": (lambda answer: Refusal(answer.site, f"{_DAYS}"), _DAY),
    "a day as a number": (lambda answer: msgspec.structs.replace(answer, round=_DAYS), _DAY),
}


def _cells(answer: RoundAnswer, planted: bytes) -> RoundAnswer:
    head, *others = answer.cells
    return msgspec.structs.replace(answer, cells=(planted + head[8:], *others))


@pytest.mark.parametrize("kind", LEAKS)
def test_a_planted_leak_is_found(
    in_the_clear: Tap, secrets: dict[str, frozenset[object]], kind: str
) -> None:
    plant, secret = LEAKS[kind]
    assert secret in leaks([encode(plant(first(in_the_clear, RoundAnswer)))], secrets)


def _planted(data: bytes, planted: bytes) -> bytes:
    return data[:4] + planted + data[4 + len(planted) :]


def _in_keys(tap: Tap, planted: bytes) -> Answer:
    answer = first(tap, KeysAnswer)
    keys = msgspec.structs.replace(answer.keys, masking=_planted(answer.keys.masking, planted))
    return msgspec.structs.replace(answer, keys=keys)


def _in_a_seal(tap: Tap, planted: bytes) -> Answer:
    answer = first(tap, SharesAnswer)
    head, *others = answer.sealed
    changed = msgspec.structs.replace(head, data=_planted(head.data, planted))
    return msgspec.structs.replace(answer, sealed=(changed, *others))


def _in_masked_cells(tap: Tap, planted: bytes) -> Answer:
    answer = first(tap, MaskedAnswer)
    return msgspec.structs.replace(answer, cells=_planted(answer.cells, planted))


def _in_a_share(tap: Tap, planted: bytes) -> Answer:
    answer = first(tap, RevealAnswer)
    shares = {site: _planted(share, planted) for site, share in answer.revealed.self_shares.items()}
    revealed = msgspec.structs.replace(answer.revealed, self_shares=shares)
    return msgspec.structs.replace(answer, revealed=revealed)


def _as_a_site(tap: Tap, planted: bytes) -> Answer:
    answer = first(tap, RevealAnswer)
    name = str(int.from_bytes(planted, "little"))
    revealed = msgspec.structs.replace(answer.revealed, key_shares={name: bytes(33)})
    return msgspec.structs.replace(answer, revealed=revealed)


PLACES: Final[dict[str, Callable[[Tap, bytes], Answer]]] = {
    "a public key": _in_keys,
    "a seal": _in_a_seal,
    "masked cells": _in_masked_cells,
    "a share": _in_a_share,
    "the name of a site": _as_a_site,
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("secret", [_PERSON, _DAY], ids=["a person", "a day"])
def test_a_leak_planted_in_a_masked_step_is_found(
    hidden: Tap, secrets: dict[str, frozenset[object]], place: str, secret: object
) -> None:
    assert leaks([encode(PLACES[place](hidden, bytes(8)))], secrets) == set()
    planted = struct.pack("<q", _PERSON if secret == _PERSON else _DAYS)
    assert secret in leaks([encode(PLACES[place](hidden, planted))], secrets)


def test_a_day_in_a_catalogue_is_found(traffic: Tap, secrets: dict[str, frozenset[object]]) -> None:
    answer = first(traffic, CatalogueAnswer)
    catalogue = answer.described.catalogue
    assert leaks([encode(answer)], secrets) == set()
    held = catalogue.holdings[0]
    exact = Holding(held.domain, _DAY, held.last)
    planted = msgspec.structs.replace(catalogue, holdings=(exact, *catalogue.holdings[1:]))
    described = msgspec.structs.replace(answer.described, catalogue=planted)
    assert _DAY in leaks([encode(CatalogueAnswer(described))], secrets)


def test_a_leaf_of_a_new_kind_is_an_error() -> None:
    with pytest.raises(TypeError, match="an answer holds a list"):
        list(_leaves((1, [2])))
