from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import pytest

from simulator.bundled import find
from simulator.errors import UserError
from simulator.language.documents import Node, parse_document, read_document


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


def node(text: str, *path: str) -> Node:
    """The value under these keys."""
    found = parse_document(text, "a.yaml")
    for key in path:
        found = {word.text(): value for word, value in found.entries()}[key]
    return found


def complaint(act: Callable[[], object]) -> str:
    with pytest.raises(UserError) as caught:
        act()
    return str(caught.value)


@pytest.mark.parametrize("text", ["0400", "NO", "1e3", "2020-01-01", "0x1F", "null", "~"])
def test_scalars_stay_as_they_are_written(text: str) -> None:
    assert node(f"code: {text}", "code").text() == text


def test_a_value_knows_its_place_and_its_path() -> None:
    item = node("top:\n  list:\n    - a\n    -   b\n", "top", "list").items()[1]
    assert (item.where, item.path) == ("a.yaml:4:9", "top.list[1]")
    assert (item.is_text, item.is_list, item.is_mapping) == (True, False, False)
    assert complaint(lambda: item.fail("no", "Type c.")) == (
        "a.yaml:4:9: top.list[1]: no\n  Type c."
    )


def test_the_top_has_no_path() -> None:
    assert complaint(lambda: node("a: 1").fail("no")) == "a.yaml:1:1: no"


def test_numbers() -> None:
    assert node("a: 12", "a").integer() == 12
    assert node("a: 0.5", "a").number(0.0, 1.0) == 0.5
    value = node("a: 12", "a")
    assert complaint(lambda: value.integer(at_least=13)) == (
        "a.yaml:1:4: a: expected at least 13; found 12"
    )
    assert complaint(lambda: value.integer(at_most=11)) == (
        "a.yaml:1:4: a: expected at most 11; found 12"
    )
    assert complaint(lambda: node("a: 1.5", "a").integer()) == (
        "a.yaml:1:4: a: expected a whole number; found '1.5'"
    )
    assert complaint(lambda: node("a: x", "a").number()) == (
        "a.yaml:1:4: a: expected a number; found 'x'"
    )
    assert complaint(lambda: node("a: nan", "a").number()) == (
        "a.yaml:1:4: a: expected a number; found 'nan'"
    )


def test_booleans_and_dates() -> None:
    assert [node(f"a: {word}", "a").boolean() for word in ("true", "Yes", "FALSE", "no")] == [
        True,
        True,
        False,
        False,
    ]
    assert complaint(lambda: node("a: maybe", "a").boolean()) == (
        "a.yaml:1:4: a: expected 'true' or 'false'; found 'maybe'"
    )
    assert node("a: 2020-02-29", "a").date() == dt.date(2020, 2, 29)
    assert complaint(lambda: node("a: 2021-02-29", "a").date()) == (
        "a.yaml:1:4: a: expected a date written YYYY-MM-DD; found '2021-02-29'"
    )


def test_words_name_the_nearest() -> None:
    assert node("a: red", "a").word(Colour) is Colour.RED
    assert complaint(lambda: node("a: gren", "a").word(Colour)) == (
        "a.yaml:1:4: a: expected 'red' or 'green'; found 'gren'\n  Did you mean 'green'?"
    )
    assert complaint(lambda: node("a: 7", "a").word(Colour)) == (
        "a.yaml:1:4: a: expected 'red' or 'green'; found '7'"
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [("a:", "nothing"), ("a: [1]", "a list"), ("a: {b: 1}", "a mapping (key: value)")],
)
def test_a_single_value_is_neither_empty_nor_a_collection(text: str, found: str) -> None:
    said = complaint(lambda: node(text, "a").text())
    assert said.endswith(f"a: expected a single value; found {found}")


def test_lists_and_mappings_are_told_apart() -> None:
    assert complaint(lambda: node("a: 1", "a").items()) == (
        "a.yaml:1:4: a: expected a list; found '1'"
    )
    assert complaint(lambda: node("a: [1]", "a").entries()) == (
        "a.yaml:1:4: a: expected a mapping (key: value); found a list"
    )
    assert node("a: [1]", "a").is_list
    assert node("a: {b: 1}", "a").is_mapping


def test_a_key_stands_once() -> None:
    assert complaint(lambda: node("a: 1\nb: 2\na: 3").entries()) == (
        "a.yaml:3:1: the key 'a' stands here twice; first at a.yaml:1:1"
    )


def test_fields_are_known_and_complete() -> None:
    top = node("size: 1\ncolor: red")
    assert complaint(lambda: top.fields(["size"], ["colour"])) == (
        "a.yaml:2:1: unknown key 'color'; expected 'size' or 'colour'\n  Did you mean 'colour'?"
    )
    assert complaint(lambda: top.fields(["size", "weight"], ["color"])) == (
        "a.yaml:1:1: the key 'weight' is missing"
    )
    assert set(top.fields(["size"], ["color", "weight"])) == {"size", "color"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a.yaml: the document is empty"),
        ("a: [1", "a.yaml:1:6: this is not YAML: expected ',' or ']', but got the end of the file"),
        ("b: 1\na: \x07", "a.yaml:2: this is not YAML: a sign that is no text (number 7) stands"),
        ("a:\n\tb: 1", "a.yaml:2:1: this is not YAML: a tab stands here; YAML is indented with"),
        (
            "a:\n  b: 1\n c: 2",
            "a.yaml:3:2: this is not YAML: this line does not begin where the lines that it "
            "belongs to begin; what it stands in begins at 1:1",
        ),
        ("a: 1\n  b: 2", "a.yaml:2:4: this is not YAML: no 'key: value' can stand here; either"),
        ("a: - b", "a.yaml:1:4: this is not YAML: no '- ' can stand here; a list begins on"),
        ("a: @x", "a.yaml:1:4: this is not YAML: a text that begins with '@' needs quotes"),
        ("a: *x", "a.yaml:1:4: this is not YAML: found undefined alias 'x'"),
        ("a: 1\n---\nb: 2", "a.yaml:2:1: this is not YAML: but found another document"),
    ],
)
def test_what_is_not_one_document(text: str, said: str) -> None:
    assert complaint(lambda: parse_document(text, "a.yaml")).startswith(said)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    missing = tmp_path / "missing.yaml"
    assert complaint(lambda: read_document(missing)) == f"{missing}: there is no such file"
    other = tmp_path / "other.yaml"
    for encoding in ("latin-1", "utf-16"):
        other.write_bytes("a: ä".encode(encoding))
        assert complaint(lambda: read_document(other)) == (
            f"{other}: this is not text in UTF-8\n  Save it as plain text in UTF-8."
        )
    assert complaint(lambda: read_document(tmp_path)) == (
        f"{tmp_path}: the file cannot be read: Is a directory"
    )
    good = tmp_path / "good.yaml"
    good.write_text("a: ä", encoding="utf-8")
    assert read_document(good).where == f"{good}:1:1"


def test_bundled_files_are_called_by_their_name() -> None:
    assert read_document(find("queries/studies", "bclm")).where.startswith("bclm.yaml:")
