"""A site's chance: new each time, or the same for the same question; its secret stays with it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from simulator.messages.codec import decode_answer, encode
from simulator.messages.masked import KeysAnswer, KeysRequest
from simulator.messages.requests import CatalogueRequest
from simulator.site.chance import SECRET, Chance, kept_chance, passing_chance, seeded_chance
from simulator.site.ledger import LEDGER, FileLedger
from tests.unit.site.doors import ASKED, STANDARD, make_node, request, write_site

MANY = 32


def test_a_secret_is_made_when_it_is_first_needed(tmp_path: Path) -> None:
    chance = kept_chance(tmp_path)
    assert not (tmp_path / SECRET).exists()
    chance.fresh("masks")(MANY)  # comes from the system
    assert not (tmp_path / SECRET).exists()
    chance.sticky("noise")(MANY)
    assert len((tmp_path / SECRET).read_bytes()) == 32


def test_only_its_owner_may_read_a_secret(tmp_path: Path) -> None:
    kept_chance(tmp_path).secret()
    assert stat.S_IMODE((tmp_path / SECRET).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [SECRET]


def test_a_secret_stays_when_the_process_ends(tmp_path: Path) -> None:
    first = kept_chance(tmp_path).sticky("noise", "question")(MANY)
    assert kept_chance(tmp_path).sticky("noise", "question")(MANY) == first


def test_two_that_make_a_secret_at_once_have_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of them wins, whoever is first; the other takes what is there."""
    made = {f"{number}": os.urandom(32) for number in range(2)}
    chance = kept_chance(tmp_path)

    def another_first(size: int) -> bytes:
        (tmp_path / SECRET).write_bytes(made["0"])
        return made["1"][:size]

    monkeypatch.setattr("simulator.site.chance.os.urandom", another_first)
    assert chance.secret() == made["0"]
    assert [path.name for path in tmp_path.iterdir()] == [SECRET]


@pytest.mark.parametrize("content", [b"", b"short", bytes(31), bytes(33)])
def test_a_damaged_secret_is_an_error(tmp_path: Path, content: bytes) -> None:
    """Made anew in silence, it would give the same question other noise."""
    (tmp_path / SECRET).write_bytes(content)
    with pytest.raises(OSError, match=f"'{SECRET}' holds {len(content)} bytes; 32 were expected"):
        kept_chance(tmp_path).sticky("noise")
    assert (tmp_path / SECRET).read_bytes() == content


def test_a_secret_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        kept_chance(tmp_path / "nowhere").sticky("noise")


@pytest.mark.parametrize("chance", [passing_chance(), seeded_chance(1, "north")])
def test_the_same_labels_give_the_same_bytes(chance: Chance) -> None:
    first = chance.sticky("noise", "a")(MANY)
    assert chance.sticky("noise", "a")(MANY) == first
    for other in (("noise", "b"), ("noise",), ("noisea",), ("rule", "a"), ("noise", "a", "")):
        assert chance.sticky(*other)(MANY) != first


def test_fresh_bytes_are_new_for_the_same_labels() -> None:
    chance = passing_chance()
    assert chance.fresh("masks", "run", "1")(MANY) != chance.fresh("masks", "run", "1")(MANY)


def test_with_a_seed_fresh_bytes_are_new_for_other_labels() -> None:
    chance = seeded_chance(1, "north")
    first = chance.fresh("masks", "run", "1")(MANY)
    assert seeded_chance(1, "north").fresh("masks", "run", "1")(MANY) == first
    for other in (
        chance.fresh("masks", "run", "2")(MANY),
        chance.fresh("noise", "run", "1")(MANY),
        chance.sticky("masks", "run", "1")(MANY),
        seeded_chance(2, "north").fresh("masks", "run", "1")(MANY),
        seeded_chance(1, "east").fresh("masks", "run", "1")(MANY),
    ):
        assert other != first


def test_each_process_has_a_passing_secret_of_its_own() -> None:
    assert passing_chance().sticky("noise")(MANY) != passing_chance().sticky("noise")(MANY)


def test_a_source_goes_on_and_does_not_begin_anew() -> None:
    source = passing_chance().sticky("noise")
    assert source(MANY) != source(MANY)


def test_a_secret_stands_in_no_message_and_no_ledger(tmp_path: Path) -> None:
    folder = write_site(tmp_path / "north")
    chance = kept_chance(folder)
    secret = chance.secret()
    node = make_node(folder, policy=STANDARD, ledger=FileLedger(folder / LEDGER), chance=chance)
    said = [
        node.handle(encode(message), 60.0)
        for message in (CatalogueRequest(ASKED.codes), KeysRequest(request(), 32))
    ]
    assert isinstance(decode_answer(said[1]), KeysAnswer)
    for text in (*said, (folder / LEDGER).read_bytes()):
        assert secret not in text
        assert secret.hex().encode() not in text
