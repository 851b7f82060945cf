"""What a user sees when sites, policies or studies stand in the way: exit codes and words."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from simulator.bundled import find
from simulator.engines.local import LocalWire
from simulator.hub.wire import Failure, Lost, Reply
from simulator.site.ledger import LEDGER, read_ledger
from simulator.site.looking import Looking
from simulator.site.node import Node
from simulator.site.pool import StorePool
from simulator.site.store import DATABASE
from tests.journeys.commands import Said, Shell
from tests.journeys.copies import own, rewrite, sites_of
from tests.unit.site.doors import write_site

TEXT = find("queries/studies", "bclm").read_text()


def flat(text: str) -> str:
    """A text without its line breaks."""
    return " ".join(text.split())


def written(folder: Path, *changes: tuple[str, str]) -> Path:
    """The study with some text replaced."""
    text = TEXT
    for was, now in changes:
        assert was in text
        text = text.replace(was, now)
    path = folder / "study.yaml"
    path.write_text(text)
    return path


def tightened(folder: Path, was: str, now: str) -> None:
    for site in sites_of(folder):
        rewrite(site / "policy.yaml", was, now)


# Databases


def _missing(path: Path) -> None:
    path.unlink()


def _damaged(path: Path) -> None:
    own(path).write_bytes(b"damaged" * 5000)


def _foreign(path: Path) -> None:
    path.unlink()
    with duckdb.connect(str(path)) as database:
        database.execute("CREATE TABLE patients (name VARCHAR)")


@pytest.mark.parametrize("harm", [_missing, _damaged, _foreign])
def test_a_site_without_its_database_is_lost_and_the_result_says_so(
    shell: Shell, few: Path, harm: Callable[[Path], None]
) -> None:
    site = sites_of(few)[5]
    harm(site / DATABASE)
    said = shell("run", "bclm", "--network", few, "--format", "json")
    assert said.code == 0
    found = json.loads(said.out)
    network = found["result"]["network"]
    assert (network["eligible"], network["asked"], network["answered"]) == (12, 12, 11)
    assert network["failed"] == [
        {"site": site.name, "reason": "its database could not be read"},
    ]
    assert found["run"]["attempts"] == 1
    note = f"went on without {site.name}: nothing had been opened before"
    assert note in found["result"]["notes"]
    # It told its catalogue, and its policy let it begin: keys and shares come before it looks.
    last = [(entry.step, entry.answered) for entry in read_ledger(site / LEDGER)]
    assert last == [("", True), ("keys", True), ("shares", True), ("", False)]


def test_in_the_clear_such_a_site_makes_the_run_start_anew(shell: Shell, few: Path) -> None:
    site = sites_of(few)[5]
    _missing(site / DATABASE)
    said = shell("run", "bclm", "--network", few, "--release", "exact", "--format", "json")
    assert said.code == 0
    found = json.loads(said.out)
    assert found["run"]["attempts"] == 2
    note = f"started anew without {site.name}: the sums before and after differ by that site"
    assert note in found["result"]["notes"]


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (_missing, "there is no database 'cdm.duckdb'"),
        (_damaged, "the database 'cdm.duckdb' cannot be opened"),
        (_foreign, "this is not an OMOP database: the table 'person' is missing"),
    ],
)
def test_without_a_catalogue_such_a_site_is_told_at_once(
    shell: Shell, few: Path, harm: Callable[[Path], None], told: str
) -> None:
    site = sites_of(few)[5]
    harm(site / DATABASE)
    (site / "catalogue.json").unlink()
    said = shell("run", "bclm", "--network", few)
    assert said.code == 2
    assert f"error: site '{site.name}': {told}" in said.err


def test_too_few_answers_end_with_4(shell: Shell, few: Path) -> None:
    for site in sites_of(few)[:2]:  # 10 of 12 are 83 %, and the study demands 90 %
        (site / DATABASE).unlink()
    said = shell("run", "bclm", "--network", few)
    assert (said.code, said.out) == (4, "")
    assert "10 of 12 eligible sites answered; the study demands 90%" in said.err
    assert "its database could not be read" in said.err


# Policies


@pytest.mark.parametrize(
    ("was", "now", "reason"),
    [
        (
            "releases: [secure-sum, secure-steps, dp, platform]",
            "releases: []",
            "does not allow the release 'secure-sum'",
        ),
        ("threshold: 11", "threshold: 12", "a network threshold of at least 12; the request"),
        ("roster: 3", "roster: 13", "at least 13 sites in a run; the request names 12"),
        ("persons: 10", "persons: 1000000", "at least 1000000 persons in its database"),
    ],
)
def test_if_all_policies_say_no_the_run_ends_with_3(
    shell: Shell, few: Path, was: str, now: str, reason: str
) -> None:
    tightened(few, was, now)
    said = shell("run", "bclm", "--network", few)
    assert (said.code, said.out) == (3, "")
    assert "0 of 12 eligible sites answered" in said.err
    assert reason in said.err
    for site in sites_of(few):
        catalogue, entry = read_ledger(site / LEDGER)
        assert (catalogue.answered, catalogue.needs) == (True, ("catalogue",))
        assert not entry.answered
        assert reason in str(entry.reason)


@pytest.mark.parametrize("unreadable", [False, True])
def test_without_policies_nothing_is_let_out(shell: Shell, few: Path, *, unreadable: bool) -> None:
    if unreadable:
        tightened(few, "releases: [secure-sum, secure-steps, dp, platform]", "releases: [raw]")
    else:
        for site in sites_of(few):
            (site / "policy.yaml").unlink()
    said = shell("run", "bclm", "--network", few)
    assert said.code == 3
    assert "none of the 12 sites lets anything out" in said.err
    assert "its policy is missing or cannot be read, so nothing is let out" in said.err
    for site in sites_of(few):
        (entry,) = read_ledger(site / LEDGER)
        assert (entry.answered, entry.needs) == (False, ("catalogue",))


def test_one_site_that_refuses_is_left_out(shell: Shell, few: Path) -> None:
    site = sites_of(few)[0]
    (site / "policy.yaml").unlink()
    said = shell("run", "bclm", "--network", few)
    assert said.code == 0
    assert "1 no catalogue: its policy is missing or cannot be read" in flat(said.out)
    assert "11 asked, 11 answered" in said.out


def test_the_laboratory_asks_no_policy_and_writes_no_ledger(shell: Shell, few: Path) -> None:
    for site in sites_of(few):
        (site / "policy.yaml").unlink()
    assert shell("run", "bclm", "--network", few, "--release", "exact").code == 0
    assert not list(few.glob(f"*/{LEDGER}"))


def test_every_site_writes_down_what_it_let_out(shell: Shell, few: Path) -> None:
    said = shell("run", "bclm", "--network", few, "--format", "json")
    run = json.loads(said.out)["run"]["run"]
    for site in sites_of(few):
        catalogue, *entries = read_ledger(site / LEDGER)
        assert (catalogue.answered, catalogue.needs) == (True, ("catalogue",))
        assert [entry.step for entry in entries] == ["keys", "shares", "masked", "reveal"]
        for entry in entries:
            assert entry.answered
            assert (entry.run, entry.round, entry.release) == (f"{run}-1", 1, "secure-sum")


# Studies


def ended(said: Said, code: int, *words: str) -> None:
    assert (said.code, said.out) == (code, "")
    assert "Traceback" not in said.err
    for word in words:
        assert word in flat(said.err)


def test_arms_that_overlap_end_with_2(shell: Shell, few_to_read: Path, tmp_path: Path) -> None:
    study = written(tmp_path, ("      - none: [*immunotherapy]\n", ""))
    said = shell("run", study, "--network", few_to_read)
    ended(said, 2, "the arms overlap:", "Make the arms exclude each other")
    # How many they are is small or not; a small number is not told.
    assert re.search(r"overlap: (some|\d{2,}) patients", said.err)


def test_an_empty_arm_ends_with_2(shell: Shell, few_to_read: Path, tmp_path: Path) -> None:
    study = written(
        tmp_path,
        (
            "      - *immunotherapy\n  TARE + chemo",
            "      - *immunotherapy\n      - none: [*immunotherapy]\n  TARE + chemo",
        ),
    )
    ended(
        shell("run", study, "--network", few_to_read),
        2,
        "the arm 'TACE + immunotherapy' has no patients",
    )


def test_a_small_arm_ends_with_3(shell: Shell, few_to_read: Path, tmp_path: Path) -> None:
    study = written(
        tmp_path,
        (
            "      - &immunotherapy {drug: immunotherapy, days: -90 to -1}\n  TACE",
            "      - &immunotherapy {drug: immunotherapy, days: -90 to -1}\n"
            "      - dates: 2023-01-01 to 2023-05-31\n  TACE",
        ),
    )
    raw = shell("run", study, "--network", few_to_read, "--release", "exact", "--format", "json")
    patients = json.loads(raw.out)["result"]["arms"][0]["patients"]
    assert 1 <= patients <= 10
    said = shell("run", study, "--network", few_to_read)
    ended(said, 3, "for arms of at least 11 patients; too small: 'TARE + immunotherapy'")
    assert str(patients) not in re.sub(r"11", "", said.err.splitlines()[0])


def test_a_code_that_nobody_knows_ends_with_2(
    shell: Shell, few_to_read: Path, tmp_path: Path
) -> None:
    study = written(tmp_path, ("RxNorm 1547545 ", "RxNorm 99 "))
    said = shell("run", study, "--network", few_to_read)
    ended(said, 2, "no eligible site knows the code 'RxNorm 99'", "`cohortium check`")


def test_a_concept_set_that_nobody_knows_ends_with_2(
    shell: Shell, few_to_read: Path, tmp_path: Path
) -> None:
    study = written(tmp_path, ("CPT4 37243", "CPT4 99999"))
    said = shell("run", study, "--network", few_to_read)
    ended(said, 2, "no site knows any code of 'tumour embolization'")


def test_no_eligible_site_ends_with_4(shell: Shell, few_to_read: Path, tmp_path: Path) -> None:
    study = written(tmp_path, ("2016-01-01 to 2024-07-31", "1990-01-01 to 1991-12-31"))
    said = shell("run", study, "--network", few_to_read)
    ended(said, 4, "none of the 12 sites is eligible", "procedures begin after 1991-12-31")


def test_a_site_that_is_off_line_is_not_asked(shell: Shell, few: Path) -> None:
    site = sites_of(few)[0]
    path = own(few / "network.yaml")
    lines = [
        line.replace("online: true", "online: false") if f"site: {site.name}," in line else line
        for line in path.read_text().splitlines()
    ]
    path.write_text("\n".join(lines) + "\n")
    said = shell("run", "bclm", "--network", few)
    assert said.code == 0
    assert "12 organisations, 11 on line, 11 eligible, 11 asked, 11 answered" in said.out
    assert "1 off line" in said.out


# The wire of this process


class SlowNode(Node):
    """Takes so many seconds for every answer, whatever it was given."""

    def __init__(self, site: str, seconds: float) -> None:
        self.site = site
        self._takes = seconds

    def handle(self, data: bytes, seconds: float) -> bytes:
        time.sleep(self._takes)
        return data + self.site.encode() + (b" late" if seconds <= 0 else b"")

    def interrupt(self) -> None:
        """It does not listen."""


def wire(jobs: int, **seconds: float) -> LocalWire:
    return LocalWire({site: SlowNode(site, takes) for site, takes in seconds.items()}, jobs)


def test_replies_come_in_the_order_of_arrival() -> None:
    replies = list(wire(3, a=0.4, b=0.0, c=0.2).exchange(dict.fromkeys("abc", b"to "), 5.0))
    assert replies == [Reply("b", b"to b"), Reply("c", b"to c"), Reply("a", b"to a")]


def test_a_site_that_hangs_is_silent_after_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.engines.local._GRACE_SECONDS", 0.1)
    started = time.monotonic()
    replies = list(wire(2, a=4.0, b=0.0).exchange(dict.fromkeys("ab", b""), 0.2))
    assert replies == [Reply("b", b"b"), Failure("a", Lost.SILENT)]
    assert time.monotonic() - started < 3


def test_a_query_that_nobody_waits_for_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Left running while the program ends, it would take the process down with it."""
    monkeypatch.setattr("simulator.engines.local._GRACE_SECONDS", 0.5)
    folder = write_site(tmp_path / "north")
    stores = StorePool()
    lent = threading.Event()

    class Endless(Node):
        def __init__(self) -> None:
            self.site = "north"
            self._looking = Looking(folder, stores, death_by_month=False)

        def handle(self, _data: bytes, _seconds: float) -> bytes:
            with contextlib.suppress(duckdb.InterruptException), stores.lend(folder) as store:
                lent.set()
                store.numpy("SELECT sum(a.range % 7) n FROM range(10000000) a, range(10000000) b")
            return b"interrupted"

    before = threading.active_count()
    replies = list(LocalWire({"north": Endless()}, 1).exchange({"north": b""}, 0.2))
    assert lent.is_set()
    assert replies == [Failure("north", Lost.SILENT)]
    assert threading.active_count() == before


def test_a_site_that_is_not_there_is_off_line() -> None:
    replies = list(wire(1, a=0.0).exchange(dict.fromkeys("ab", b""), 5.0))
    assert sorted(replies, key=str) == [Failure("b", Lost.OFF_LINE), Reply("a", b"a")]


def test_who_waits_in_line_is_told_how_little_time_is_left() -> None:
    replies = list(wire(1, a=0.3, b=0.0).exchange(dict.fromkeys("ab", b""), 0.2))
    assert replies == [Reply("a", b"a"), Reply("b", b"b late")]


def test_nobody_to_ask_is_nothing_to_wait_for() -> None:
    assert list(wire(4).exchange({}, 5.0)) == []


def test_who_stops_listening_stops_the_asking() -> None:
    before = threading.active_count()
    replies = wire(1, a=0.05, b=0.05, c=0.05, d=0.05).exchange(dict.fromkeys("abcd", b""), 5.0)
    assert next(iter(replies)) == Reply("a", b"a")
    started = time.monotonic()
    replies.close()  # type: ignore[attr-defined]  # a generator
    assert time.monotonic() - started < 0.15  # b was under way; c and d were not asked
    assert threading.active_count() == before
