from __future__ import annotations

from pathlib import Path

import pytest

from simulator import bundled
from simulator.bundled import find, library, locate, meant, names
from simulator.errors import UserError


def test_bundled_names_are_sorted_and_each_is_found() -> None:
    studies = names("queries/studies")
    assert "bclm" in studies
    assert list(studies) == sorted(studies)
    for study in studies:
        assert find("queries/studies", study).is_file()


def test_a_folder_without_names_has_none() -> None:
    assert names("queries/nothing") == ()


def test_in_a_wheel_the_files_lie_inside_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundled, "_PACKAGE", tmp_path / "simulator")
    assert library("sites") == tmp_path / "sites"
    inside = tmp_path / "simulator" / "library" / "sites"
    inside.mkdir(parents=True)
    assert library("sites") == inside


def test_an_unknown_name_lists_the_known_ones_and_the_nearest() -> None:
    with pytest.raises(UserError) as caught:
        find("sites/networks", "as-report")
    assert "there is no 'as-report' among the bundled networks: 'as-" in str(caught.value)
    assert caught.value.hint == "Did you mean 'as-reported'?"


def test_no_name_leads_out_of_the_folder() -> None:
    with pytest.raises(UserError, match="there is no"):
        find("queries/studies", "../codes/VERSION", suffix="")


@pytest.mark.parametrize("name", ["a/b", "study.yaml", "./bclm"])
def test_what_looks_like_a_path_is_one(name: str) -> None:
    with pytest.raises(UserError) as caught:
        locate("queries/studies", name)
    assert str(caught.value) == f"there is no file '{name}'\n  Give a path or a bundled name."


def test_a_path_stands_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.touch()
    assert locate("queries/studies", str(path)) == path
    assert locate("queries/studies", "bclm") == find("queries/studies", "bclm")


@pytest.mark.parametrize("name", ["/", "./"])
def test_a_folder_is_no_file(name: str) -> None:
    with pytest.raises(UserError) as caught:
        locate("queries/studies", name)
    assert str(caught.value) == f"'{name}' is a folder\n  Give the path of a file in it."


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("", "Give a bundled name, or the path of a file."),
        ("mine", "Did you mean 'mine.yaml'?"),
        ("mine.yml", "Did you mean './mine.yml'?"),
        ("bclmm", "Did you mean 'bclm'?"),
        ("here", "'here' is a folder: give the path of a file in it."),
        (".", "'.' is a folder: give the path of a file in it."),
        ("nowhere", None),
    ],
)
def test_what_somebody_may_have_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, hint: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").touch()
    (tmp_path / "mine.yml").touch()
    (tmp_path / "here").mkdir()
    assert meant(name, ["bclm"]) == hint
