"""What a client reports beside the numbers: who was there, what it stands under, what to know."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec
import pytest

from simulator.errors import TooFewAnswers
from simulator.hub.client import Client
from simulator.hub.result import Report
from simulator.hub.wire import Failure, Lost, Reply
from simulator.messages.codec import decode_request, encode
from simulator.messages.requests import CatalogueAnswer, CatalogueRequest, Refusal
from simulator.privacy.releases import EXACT, SECURE_SUM, Release
from tests.unit.hub.wires import FakeWire, client_of, described, is_lost, study, well

SITES = ("a", "b", "c", "d")


def ran(wire: FakeWire, completeness: str = "0.5", release: Release = SECURE_SUM) -> Report:
    return client_of(wire, SITES).run(study(completeness), release, run="run")


def everybody() -> FakeWire:
    return FakeWire(dict.fromkeys(SITES, well), study())


def test_a_report_says_who_was_there() -> None:
    network = ran(everybody()).result.network
    assert (network.name, network.organisations, network.online) == ("fake", 4, 4)
    assert (network.eligible, network.asked, network.answered) == (4, 4, 4)
    assert network.with_matches is None


LOST = {"b": is_lost(Lost.SILENT), "c": is_lost(Lost.CRASHED)}
FIVE = (*SITES, "e")


@pytest.mark.parametrize(
    ("release", "attempts", "note"),
    [
        (EXACT, 2, "started anew without b, c: the sums before and after differ by those sites"),
        (SECURE_SUM, 1, "went on without b, c: nothing had been opened before"),
    ],
    ids=["in the clear", "masked"],
)
def test_a_report_says_who_is_missing_and_why(release: Release, attempts: int, note: str) -> None:
    wire = FakeWire(dict.fromkeys(FIVE, well) | LOST, study())
    report = client_of(wire, FIVE).run(study("0.5"), release, run="run")
    network = report.result.network
    assert (network.asked, network.answered) == (5, 3)
    assert network.roster == ("a", "d", "e")
    told = [(lost.site, lost.reason) for lost in network.failed]
    assert told == [("b", "no answer before the deadline"), ("c", "its process ended")]
    notes = [
        said for said in report.result.notes if said.startswith(("started anew", "went on without"))
    ]
    assert notes == [note]
    assert report.run.attempts == attempts


def test_two_sites_are_too_few_to_hide_one() -> None:
    wire = FakeWire(dict.fromkeys(SITES, well) | LOST, study())
    with pytest.raises(TooFewAnswers, match="2 sites sent keys; a sum hides a site only among"):
        ran(wire)
    assert ran(wire, release=EXACT).result.network.answered == 2


def test_the_same_answers_are_the_same_result_whatever_the_run() -> None:
    one, other = (
        ran(everybody()),
        client_of(everybody(), SITES).run(study("0.5"), SECURE_SUM, run="other"),
    )
    assert one.result == other.result
    assert one.run.run != other.run.run
    assert one.run.result_fingerprint == other.run.result_fingerprint == one.result.fingerprint


def test_a_result_that_differs_has_another_fingerprint() -> None:
    result = ran(everybody()).result
    changed = msgspec.structs.replace(result, notes=(*result.notes, "more"))
    assert changed.fingerprint != result.fingerprint


def test_a_report_says_what_its_release_is_and_is_not() -> None:
    secure, exact = ran(everybody()).result, ran(everybody(), release=EXACT).result
    assert "exact totals: differencing possible" in secure.release.says
    assert "inputs not validated" in secure.release.says
    assert secure.release.secure_aggregation
    assert not exact.release.secure_aggregation
    assert not any("in the clear" in note for note in secure.notes)
    assert "by month" in secure.release.estimators
    assert "on days" in exact.release.estimators
    assert "% of the patients are alone in a released cell" in secure.disclosure.says


def test_progress_is_told_with_the_number_of_sites() -> None:
    heard: list[tuple[str, int]] = []
    client_of(everybody(), SITES).run(
        study(), SECURE_SUM, run="run", progress=lambda site, of: heard.append((site, of))
    )
    assert sorted(heard) == [(site, 4) for site in SITES]


# Catalogues that do not come as they should

Told = Callable[[str, CatalogueRequest], bytes | Lost | None]


class CatalogueWire:
    """One site of four answers the question for its catalogue otherwise."""

    def __init__(self, otherwise: Told) -> None:
        self._otherwise = otherwise
        self._well = everybody()

    def exchange(self, messages: Mapping[str, bytes], seconds: float) -> Iterator[Reply | Failure]:
        request = decode_request(next(iter(messages.values())))
        if not isinstance(request, CatalogueRequest):
            yield from self._well.exchange(messages, seconds)
            return
        for reply in self._well.exchange(messages, seconds):
            if reply.site != "c":
                yield reply
                continue
            told = self._otherwise("c", request)
            if isinstance(told, Lost):
                yield Failure("c", told)
            elif told is not None:
                yield Reply("c", told)


def _of_another_site(_site: str, _request: CatalogueRequest) -> bytes:
    return encode(CatalogueAnswer(described("d", study().question)))


def _about_other_codes(site: str, _request: CatalogueRequest) -> bytes:
    whole = described(site, study().question)
    return encode(CatalogueAnswer(msgspec.structs.replace(whole, codes=whole.codes[:1])))


@pytest.mark.parametrize(
    ("otherwise", "reason"),
    [
        (lambda *_: b"\xc1", "no catalogue: its answer does not fit"),
        (lambda *_: b"", "no catalogue: its answer does not fit"),
        (_of_another_site, "no catalogue: its answer does not fit"),
        (_about_other_codes, "no catalogue: its answer does not fit"),
        (lambda site, _: encode(Refusal(site, "no")), "no catalogue: no"),
        (lambda *_: Lost.SILENT, "no catalogue: no answer before the deadline"),
        (lambda *_: Lost.OFF_LINE, "off line"),
        (lambda *_: None, "no catalogue: no answer"),
    ],
)
def test_a_site_without_a_catalogue_is_not_asked(otherwise: Told, reason: str) -> None:
    settings = client_of(everybody(), SITES)._settings
    client = Client(
        CatalogueWire(otherwise), settings, seconds=5.0, clock=client_of(everybody(), SITES)._clock
    )
    network = client.run(study(), SECURE_SUM, run="run").result.network
    assert (network.organisations, network.eligible, network.answered) == (4, 3, 3)
    (ground,) = network.not_eligible
    assert ground.reasons == {reason: 1}
    assert network.online == (3 if reason == "off line" else 4)


def test_if_nobody_sends_a_catalogue_the_run_ends() -> None:
    class Nobody:
        def exchange(
            self, messages: Mapping[str, bytes], seconds: float
        ) -> Iterator[Reply | Failure]:
            assert seconds
            return (Failure(site, Lost.SILENT) for site in messages)

    client = client_of(everybody(), SITES)
    with pytest.raises(TooFewAnswers, match="4 no catalogue: no answer before the deadline"):
        Client(Nobody(), client._settings, seconds=5.0, clock=client._clock).run(
            study(), SECURE_SUM, run="run"
        )
