"""What `freeze` writes can be read back, is never overwritten, and tells when it was changed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from simulator.errors import UserError
from simulator.language.fingerprints import PARTS, WHOLE, parts
from simulator.language.freezing import (
    CODE_LIST,
    Frozen,
    beside,
    freeze,
    frozen_text,
    read_frozen,
    write_frozen,
)
from simulator.language.reading import parse_study, read_study

AT = dt.datetime(2026, 3, 1, 14, 30, 5, 999, dt.timezone(dt.timedelta(hours=2)))
CODES = "0123456789abcdef" * 4
STUDY = read_study("bclm")


def frozen(name: str = "bclm") -> Frozen:
    return freeze(read_study(name), code_list=CODES, at=AT, by="1.2.3")


def test_it_says_what_the_study_is_and_when() -> None:
    found = frozen()
    assert (found.study, found.version, found.by) == ("bclm", 1, "1.2.3")
    assert found.at == dt.datetime(2026, 3, 1, 12, 30, 5, tzinfo=dt.UTC)
    assert found.fingerprints == parts(STUDY) | {CODE_LIST: CODES}


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    assert read_frozen(_written(tmp_path, frozen_text(frozen()))) == frozen()


def test_any_name_of_a_study_can_be_written(tmp_path: Path) -> None:
    study = parse_study(
        "study: 'a: b # \"c\"'\nversion: 1\ntitle: t\ncodes: {e: [CPT4 37243]}\n"
        "index: {procedure: e, occurrence: first}\nsteps: []\narms: {all: {sex: female}}\n"
        "outcome: death\nfollow up: {months: 12}\nanalyses: {survival at months: [6]}\n"
    )
    found = freeze(study, code_list=CODES, at=AT, by="1")
    write_frozen(found, tmp_path / "f")
    assert read_frozen(tmp_path / "f").study == 'a: b # "c"'


def test_the_file_is_small_and_plain() -> None:
    lines = frozen_text(frozen()).splitlines()
    assert len(lines) == 6 + len(PARTS) + 2
    assert "at: 2026-03-01T12:30:05+00:00" in lines


@pytest.mark.parametrize(
    ("study", "path"),
    [
        ("bclm", "bclm.frozen.yaml"),
        ("-", "a-b.frozen.yaml"),
        ("here/mine.yaml", "here/mine.frozen.yaml"),
        ("mine.yaml", "mine.frozen.yaml"),
        ("../mine.study", "../mine.study.frozen.yaml"),
    ],
)
def test_where_the_file_stands(study: str, path: str) -> None:
    assert beside(study, "a/b") == Path(path)


# Writing


def test_freezing_again_keeps_the_first_time(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    first = write_frozen(frozen(), path)
    later = freeze(STUDY, code_list=CODES, at=AT + dt.timedelta(days=3), by="2.0")
    before = path.read_bytes()
    assert write_frozen(later, path) == first
    assert path.read_bytes() == before


def test_a_file_that_says_otherwise_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "the study's.yaml"
    write_frozen(frozen(), path)
    before = path.read_bytes()
    with pytest.raises(UserError) as caught:
        write_frozen(frozen("bclm-as-commonly-done"), path)
    assert path.read_bytes() == before
    assert "'bclm', version 1, was frozen here on 2026-03-01" in caught.value.message
    assert "index and steps" in caught.value.message
    assert caught.value.hint is not None
    assert "rm '" in caught.value.hint


def test_another_code_list_is_said_otherwise_too(tmp_path: Path) -> None:
    write_frozen(frozen(), tmp_path / "f")
    with pytest.raises(UserError, match="said otherwise: code list"):
        write_frozen(freeze(STUDY, code_list="f" * 64, at=AT, by="1"), tmp_path / "f")


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing can be written there: No such file"):
        write_frozen(frozen(), tmp_path / "nowhere" / "f.yaml")


# Reading what was changed


def _written(folder: Path, text: str) -> Path:
    path = folder / "f.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ("at: 2026-03-01T12:30:05+00:00", "at: yesterday", "f.yaml:4:5: at: expected a time"),
        ("05+00:00", "05", "f.yaml:4:5: at: the time '2026-03-01T12:30:05' names no time zone"),
        ("version: 1", "version: one", "f.yaml:3:10: version: "),
        ("cohortium: 1.2.3\n", "", "f.yaml:2:1: the key 'cohortium' is missing"),
        ("  codes:", "  code:", "unknown key 'code'; expected"),
        (CODES, CODES[1:], "expected a fingerprint, 64 of the signs"),
        (CODES, CODES[1:] + "A", "expected a fingerprint, 64 of the signs"),
        (parts(STUDY)[WHOLE], CODES, "f.yaml:7:3: fingerprints: these do not belong together"),
        (parts(STUDY)["arms"], CODES, "f.yaml:7:3: fingerprints: these do not belong together"),
    ],
)
def test_a_file_that_was_changed_is_refused(tmp_path: Path, was: str, now: str, told: str) -> None:
    text = frozen_text(frozen())
    assert was in text
    with pytest.raises(UserError) as caught:
        read_frozen(_written(tmp_path, text.replace(was, now)))
    assert told in str(caught.value)


@pytest.mark.parametrize("text", ["study: mine\nversion: 1\n", "- a\n"])
def test_a_file_that_freeze_did_not_write(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match="this is not a file that `cohortium freeze` wrote"):
        read_frozen(_written(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such file"):
        read_frozen(tmp_path / "f.yaml")
