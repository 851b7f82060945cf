"""What a built network's file may say, and how its folder becomes nodes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from simulator.errors import UserError
from simulator.language.reading import read_study
from simulator.network import connect, find_network, make_node, statement_at
from simulator.site.policy import POLICY
from simulator.site.pool import StorePool
from tests.support.omop import write_omop

HEAD = "network: small\ntitle: a small one\n"


def now() -> dt.datetime:
    return dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def written(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "network.yaml").write_text(text)
    return folder


def test_a_network_is_read(tmp_path: Path) -> None:
    sites = "sites:\n  - {site: a, name: Hospital A, online: false}\n  - {site: b}\n"
    folder = written(tmp_path / "small", f"{HEAD}built: {{seed: 7, conditioned: true}}\n{sites}")
    by_name, by_path = find_network("small", tmp_path), find_network(str(folder), Path("none"))
    assert by_name == by_path
    assert (by_name.name, by_name.title, by_name.conditioned) == ("small", "a small one", True)
    assert [(one.site, one.name, one.online) for one in by_name.members] == [
        ("a", "Hospital A", False),
        ("b", "b", True),
    ]
    assert by_name.folder_of("a") == tmp_path / "small" / "a"


def test_without_a_word_on_how_it_was_built_it_is_not_conditioned(tmp_path: Path) -> None:
    written(tmp_path / "small", f"{HEAD}sites: [{{site: a}}]\n")
    assert not find_network("small", tmp_path).conditioned


def test_the_fingerprint_is_that_of_the_file(tmp_path: Path) -> None:
    written(tmp_path / "small", f"{HEAD}sites: [{{site: a}}]\n")
    before = find_network("small", tmp_path).fingerprint
    written(tmp_path / "small", f"{HEAD}sites: [{{site: b}}]\n")
    assert find_network("small", tmp_path).fingerprint != before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{HEAD}sites: []\n", "network.yaml:3:8: sites: a network needs at least one site"),
        (f"{HEAD}sites: [{{site: a}}, {{site: a}}]\n", "the site 'a' stands here twice"),
        (f"{HEAD}sites: [{{name: a}}]\n", "the key 'site' is missing"),
        (f"{HEAD}sites: [{{site: a, online: perhaps}}]\n", "expected 'true' or 'false'"),
        (HEAD, "the key 'sites' is missing"),
    ],
)
def test_a_network_that_does_not_fit_is_told_with_its_place(
    tmp_path: Path, text: str, said: str
) -> None:
    written(tmp_path / "small", text)
    with pytest.raises(UserError) as caught:
        find_network("small", tmp_path)
    assert said in str(caught.value)


def test_what_is_built_is_listed(tmp_path: Path) -> None:
    written(tmp_path / "small", f"{HEAD}sites: [{{site: a}}]\n")
    with pytest.raises(UserError) as caught:
        find_network("large", tmp_path)
    assert "built are 'small'" in str(caught.value)
    hint = "Run `cohortium build --network large` first, or say with --data where it is."
    assert caught.value.hint == hint


def test_a_site_that_is_on_line_needs_a_database(tmp_path: Path) -> None:
    folder = written(tmp_path / "small", f"{HEAD}sites: [{{site: a}}, {{site: b, online: no}}]\n")
    network = find_network("small", tmp_path)
    with pytest.raises(UserError, match="there is no database"):
        connect(network, laboratory=True, jobs=1, seconds=1.0, clock=now)
    write_omop(folder / "a", {})
    connect(network, laboratory=True, jobs=1, seconds=1.0, clock=now)


@pytest.mark.parametrize("policy", [None, "policy: [", "policy: none\n"])
def test_a_policy_that_cannot_be_read_is_no_reason_to_fail_but_to_refuse(
    tmp_path: Path, policy: str | None
) -> None:
    folder = write_omop(tmp_path / "a", {})
    if policy is not None:
        (folder / POLICY).write_text(policy)
    node = make_node(folder, StorePool(), now, laboratory=False)
    assert node._guard._policy is None


def test_the_statement_of_a_site_can_be_looked_at(tmp_path: Path) -> None:
    folder = written(tmp_path / "small", f"{HEAD}sites: [{{site: north}}]\n")
    write_omop(folder / "north", {})
    network, study = find_network("small", tmp_path), read_study("bclm")
    sql, parameters = statement_at(network, "north", study)
    assert sql.startswith("WITH people AS")
    assert all(f"${name}" in sql for name in parameters)
    with pytest.raises(UserError) as caught:
        statement_at(network, "nort", study)
    assert caught.value.hint == "Did you mean 'north'?"
