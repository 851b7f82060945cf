"""What a site was asked can be read, held against its chain, and limited by its policy."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from simulator.site.chain import Head, beginning, chained, write_head
from simulator.site.ledger import LEDGER, Entry, FileLedger, read_ledger
from simulator.site.ledger_file import LEDGER_HEAD
from tests.journeys.commands import Said, Shell
from tests.support.asking import CODES
from tests.unit.site.doors import NOON, write_site

SITES = ("north", "east", "south", "west")
POLICY = """\
policy: own
version: 1
releases: [secure-sum]
finest time bin: month
least persons: 10
least roster: 3
network threshold: 11
"""
STUDY = f"""\
study: example
version: 1
title: an example
codes:
{CODES}
index: {{procedure: index, occurrence: first}}
steps:
  - step: has a tumour
    require: {{condition: tumour}}
arms:
  everyone: {{dates: any}}
outcome: death
follow up: {{months: 12}}
analyses: {{survival at months: [6]}}
"""
HEAD = re.compile(r"^[0-9a-f]{64}$", re.M)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site whose database the others copy."""
    return write_site(tmp_path_factory.mktemp("one") / "north")


@pytest.fixture
def network(one: Path, tmp_path: Path) -> Path:
    """Four sites of 24 women each."""
    folder = tmp_path / "small"
    for site in SITES:
        shutil.copytree(one, folder / site)
        (folder / site / "policy.yaml").write_text(POLICY)
    listed = "".join(f"  - {{site: {site}}}\n" for site in SITES)
    (folder / "network.yaml").write_text(f"network: small\ntitle: a small one\nsites:\n{listed}")
    (folder / "study.yaml").write_text(STUDY)
    return folder


def count(shell: Shell, network: Path) -> Said:
    return shell("count", network / "study.yaml", "--network", network, "--quiet")


def ledger(shell: Shell, network: Path, *words: str) -> Said:
    return shell("ledger", "north", "--network", network, *words)


def as_json(said: Said) -> dict[str, Any]:
    assert said.code == 0, said.err
    found: dict[str, Any] = json.loads(said.out)
    return found


def limited(network: Path, line: str) -> None:
    for site in SITES:
        (network / site / "policy.yaml").write_text(f"{POLICY}{line}\n")


def test_a_ledger_says_what_was_asked_and_let_out(shell: Shell, network: Path) -> None:
    assert count(shell, network).code == 0
    catalogue, *entries = read_ledger(network / "north" / LEDGER)
    said = ledger(shell, network)
    assert (said.code, said.err) == (0, "")
    assert all(len(line) <= 80 for line in said.out.splitlines())
    assert f"{len(entries) + 1} entries, {len(entries) + 1} answered, 0 not" in said.out
    for entry in entries:
        assert f"{entry.at:%Y-%m-%d %H:%M:%S}  {entry.run[:8]}  round 1" in said.out
        assert entry.release in said.out
        assert ", ".join(entry.needs) in said.out
    # What every command asks for is left out, and is there where it is wanted.
    line = f"  {catalogue.at:%Y-%m-%d %H:%M:%S}  catalogue"
    assert "1 answered with the catalogue alone; `--all` shows them" in said.out
    assert line not in said.out.splitlines()
    whole = ledger(shell, network, "--all").out
    assert line in whole.splitlines()
    assert "`--all` shows" not in whole


def test_each_kind_of_table_is_named_once(shell: Shell, network: Path) -> None:
    kinds = ("codes", "codes", "attrition", "codes")
    written = Entry(NOON, "a-1", 1, "secure-sum", "00ff", kinds, answered=True)
    FileLedger(network / "north" / LEDGER).append(written)
    said = ledger(shell, network).out
    assert "    codes (3), attrition" in said.splitlines()


def test_a_catalogue_that_is_refused_is_shown(shell: Shell, network: Path) -> None:
    (network / "north" / "policy.yaml").unlink()
    count(shell, network)
    said = " ".join(ledger(shell, network).out.split())
    assert "not answered catalogue its policy is missing or cannot be read" in said


def test_times_that_go_back_are_told(shell: Shell, network: Path) -> None:
    """As an earlier version of the site may have written them."""
    head, lines = Head(0, beginning("north")), b""
    for day in (1, 9, 2):
        at = NOON.replace(day=day)
        written = Entry(at, "a-1", 1, "secure-sum", "00ff", ("attrition",), answered=True)
        line, head = chained(head, msgspec.json.encode(written))
        lines += line
    (network / "north" / LEDGER).write_bytes(lines)
    (network / "north" / LEDGER_HEAD).write_bytes(write_head(head))
    said = ledger(shell, network, "--check")
    assert said.code == 0
    assert "note: times go back at entry 3; what is before may be left out" in said.out
    assert all(len(line) <= 80 for line in said.out.splitlines())
    assert as_json(ledger(shell, network, "--format", "json"))["chain"]["back"] == [3]


def test_a_ledger_in_json_and_csv_has_every_entry(shell: Shell, network: Path) -> None:
    for _ in range(6):
        count(shell, network)
    entries = read_ledger(network / "north" / LEDGER)
    found = as_json(ledger(shell, network, "--format", "json"))
    assert found["site"] == "north"
    assert [entry["key"] for entry in found["entries"]] == [entry.key for entry in entries]
    asked = [entry for entry in entries if entry.run]
    assert len({entry.key for entry in asked}) == 1
    assert found["chain"]["intact"] is True
    assert found["chain"]["head"]["number"] == len(entries)
    rows = list(csv.DictReader(io.StringIO(ledger(shell, network, "--format", "csv").out)))
    assert [row["run"] for row in rows] == [entry.run for entry in entries]
    assert [row["needs"] for row in rows].count("catalogue") == 6
    assert {row["roster_size"] for row in rows if row["run"]} == {"4"}
    assert {row["answered"] for row in rows} == {"yes"}
    last = as_json(ledger(shell, network, "--format", "json", "--last", "2"))
    assert [entry["run"] for entry in last["entries"]] == [entry.run for entry in entries[-2:]]
    assert "the last 1; `--last N` shows more" in ledger(shell, network, "--last", "1").out


def test_a_site_that_was_not_asked_has_an_empty_ledger(shell: Shell, network: Path) -> None:
    said = ledger(shell, network, "--check")
    assert said.code == 0
    assert "0 entries" in said.out
    assert "intact: 0 entries, head " in said.out
    assert not (network / "north" / LEDGER).exists()


def test_an_intact_ledger_names_its_head(shell: Shell, network: Path) -> None:
    count(shell, network)
    said = ledger(shell, network, "--check")
    assert (said.code, said.err) == (0, "")
    (head,) = HEAD.findall(said.out)
    entries = len(read_ledger(network / "north" / LEDGER))
    assert f"intact: {entries} entries, head {head[:12]}" in said.out
    assert head in (network / "north" / LEDGER_HEAD).read_text()
    count(shell, network)
    assert HEAD.findall(ledger(shell, network, "--check").out) != [head]


def _changed(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"roster_size":4', b'"roster_size":3', 1))


def _cut(path: Path) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def _gone(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (_changed, "line 2: it has been changed"),
        (_cut, "the end has been cut off"),
        (_gone, "line 1: the end has been cut off"),
    ],
)
def test_a_ledger_that_was_changed_is_told_and_ends_with_5(
    shell: Shell, network: Path, harm: Callable[[Path], None], told: str
) -> None:
    count(shell, network)
    harm(network / "north" / LEDGER)
    said = ledger(shell, network, "--check")
    assert said.code == 5
    assert told in said.out
    assert "error: site 'north': the ledger is not intact: 1 fault" in said.err
    # Without --check it is said, too, but is no failure.
    said = ledger(shell, network)
    assert (said.code, said.err) == (0, "")
    assert "not intact; `--check` tells what is wrong" in said.out


def test_a_site_whose_ledger_was_cut_answers_no_more(shell: Shell, network: Path) -> None:
    count(shell, network)
    _cut(network / "north" / LEDGER)
    said = count(shell, network)
    assert "no catalogue: its ledger could not be written" in " ".join(said.out.split())


def test_an_older_ledger_is_said_to_be_not_chained_and_how_to_begin_anew(
    shell: Shell, network: Path
) -> None:
    site = network / "north"
    old = (
        '{"at":"2026-11-21T13:23:59Z","run":"a-1","round":1,"release":"secure-sum",'
        '"request":"e2","needs":["attrition"],"answered":true}\n'
    )
    (site / LEDGER).write_text(2 * old)
    count(shell, network)
    said = ledger(shell, network, "--check")
    assert said.code == 5
    text = " ".join(said.out.split())
    assert "this line and the next 1 are from before ledgers were chained" in text
    assert "move this one away to begin it" in text
    for name in (LEDGER, LEDGER_HEAD):
        (site / name).rename(site / f"old.{name}")
    count(shell, network)
    assert ledger(shell, network, "--check").code == 0


def test_the_budget_that_is_left_is_shown(shell: Shell, network: Path) -> None:
    limited(network, "budget: {epsilon: 5/2, per days: 365}")
    assert "spent epsilon 0 of 5/2 within 365 days" in ledger(shell, network).out
    found = as_json(ledger(shell, network, "--format", "json"))["budget"]
    assert found == {"days": 365, "epsilon": {"spent": "0", "of": "5/2"}, "zcdp": None}


def test_a_question_is_refused_once_too_often(shell: Shell, network: Path) -> None:
    limited(network, "rates: {identical: 2, per days: 30}")
    assert [count(shell, network).code for _ in range(3)] == [0, 0, 3]
    said = count(shell, network)
    assert "its policy allows the same question 2 times in 30 days" in said.err
    assert "its policy allows the same question" in " ".join(ledger(shell, network).out.split())


def test_a_quota_locks_every_site_until_someone_there_opens_it(shell: Shell, network: Path) -> None:
    limited(network, "quota: {soft: 9, per minutes: 1, hard: 1, per days: 7}")
    assert [count(shell, network).code for _ in range(2)] == [0, 3]
    assert "Locked by its quota" in ledger(shell, network).out
    for site in SITES:
        assert shell("ledger", site, "--network", network, "--open").code == 0
    said = ledger(shell, network, "--check")
    assert said.code == 0
    assert "Locked" not in said.out
    assert "opened" in said.out
    assert count(shell, network).code == 0


def test_a_site_that_is_not_there(shell: Shell, network: Path) -> None:
    said = shell("ledger", "nort", "--network", network)
    assert said.code == 2
    assert "there is no site 'nort' in the network 'small'\n  Did you mean 'north'?" in said.err


def test_a_ledger_that_cannot_be_read(shell: Shell, network: Path) -> None:
    (network / "north" / LEDGER).mkdir()
    said = ledger(shell, network)
    assert said.code == 2
    assert "error: site 'north': the ledger cannot be used: " in said.err
