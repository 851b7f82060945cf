"""No row leaves a site: persons and days that occur nowhere else are sought in every byte sent.

The person ids lie above 9e15 and the days in a year of their own, so that neither can be there by
chance. They are sought as 32 and 64 bit numbers in both byte orders, in decimal, as ISO text and as
epoch days; and every decoded leaf of an answer is walked. Each kind of leak is planted once.
"""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pytest

from simulator.hub.client import Client, Settings
from simulator.hub.wire import Failure, Reply, Wire
from simulator.language.reading import parse_study
from simulator.messages.catalogue import Holding
from simulator.messages.codec import decode_answer, encode
from simulator.messages.requests import Answer, Apology, CatalogueAnswer, Refusal, RoundAnswer
from simulator.network import LocalWire, make_node
from simulator.privacy.releases import EXACT, SECURE_SUM, Release
from simulator.site.pool import StorePool
from simulator.site.store import Store
from simulator.truth.interpreter import patients
from tests.journeys.copies import now
from tests.support.omop import write_omop
from tests.support.records import record, rows

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


class Recorder:
    """A wire that keeps all that passes, and may change what comes back."""

    def __init__(self, wire: Wire, tamper: Callable[[bytes], bytes] = lambda data: data) -> None:
        self._wire = wire
        self._tamper = tamper
        self.sent: list[bytes] = []
        self.received: list[bytes] = []

    def exchange(self, messages: Mapping[str, bytes], seconds: float) -> Iterator[Reply | Failure]:
        self.sent += messages.values()
        for reply in self._wire.exchange(messages, seconds):
            if isinstance(reply, Failure):
                yield reply
                continue
            changed = Reply(reply.site, self._tamper(reply.data))
            self.received.append(changed.data)
            yield changed


def recorded(folders: dict[str, Path], release: Release) -> Recorder:
    """What crosses the wire in a whole run."""
    stores = StorePool()
    laboratory = release.laboratory_only
    nodes = {
        site: make_node(folder, stores, now, laboratory=laboratory)
        for site, folder in folders.items()
    }
    recorder = Recorder(LocalWire(nodes, 2))
    settings = Settings(
        "canary", SITES, conditioned=False, laboratory=laboratory, engine="local", fingerprints={}
    )
    client = Client(recorder, settings, seconds=60.0, clock=now)
    report = client.run(STUDY, release, run="canary")
    assert report.result.cohort.patients == len(SITES) * PEOPLE
    stores.close()
    return recorder


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
            yield from np.frombuffer(value, dtype="<i8").tolist()
        case msgspec.Struct():
            for field in value.__struct_fields__:
                yield from _leaves(getattr(value, field))
        case tuple():
            for member in value:
                yield from _leaves(member)
        case str() | int() | dt.date():
            yield value
        case _:
            raise TypeError(f"an answer holds a {type(value).__name__}")


@pytest.fixture(scope="module", params=[SECURE_SUM, EXACT], ids=lambda release: release.name)
def traffic(request: pytest.FixtureRequest, folders: dict[str, Path]) -> Recorder:
    return recorded(folders, request.param)


def test_nobody_and_no_day_crosses_the_wire(
    traffic: Recorder, secrets: dict[str, frozenset[object]]
) -> None:
    assert len(traffic.received) == 2 * len(SITES)  # the catalogue, then one round
    assert leaks(traffic.received, secrets) == set()
    assert not any(trace in sent for trace in traces(secrets) for sent in traffic.sent)


def test_an_answer_is_one_of_four_kinds(traffic: Recorder) -> None:
    for data in traffic.received:
        answer: Answer = decode_answer(data)
        assert isinstance(answer, CatalogueAnswer | RoundAnswer | Refusal | Apology)


def test_the_cells_are_small_counts(traffic: Recorder) -> None:
    for data in traffic.received:
        if isinstance(decode_answer(data), RoundAnswer):
            cells = [leaf for leaf in leaves(data) if isinstance(leaf, int)]
            assert max(cells) <= PEOPLE


def test_the_plain_interpreter_copes_with_such_persons(folders: dict[str, Path]) -> None:
    store = Store(folders["north"])
    found = patients(store, STUDY.question, death_by_month=False)
    store.close()
    assert found["person_id"].to_list() == list(persons(0))


# Each kind of leak, planted


def _round(recorder: Recorder) -> RoundAnswer:
    answers = [decode_answer(data) for data in recorder.received]
    return next(answer for answer in answers if isinstance(answer, RoundAnswer))


def _catalogue(recorder: Recorder) -> CatalogueAnswer:
    answers = [decode_answer(data) for data in recorder.received]
    return next(answer for answer in answers if isinstance(answer, CatalogueAnswer))


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
    first, *others = answer.cells
    return msgspec.structs.replace(answer, cells=(planted + first[8:], *others))


@pytest.mark.parametrize("kind", LEAKS)
def test_a_planted_leak_is_found(
    traffic: Recorder, secrets: dict[str, frozenset[object]], kind: str
) -> None:
    plant, secret = LEAKS[kind]
    assert secret in leaks([encode(plant(_round(traffic)))], secrets)


def test_a_day_in_a_catalogue_is_found(
    traffic: Recorder, secrets: dict[str, frozenset[object]]
) -> None:
    answer = _catalogue(traffic)
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
