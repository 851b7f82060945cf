from __future__ import annotations

import io
import json

import msgspec
import pytest

from simulator.aggregates.released import Between, Of, Released, Rounded, Withheld
from simulator.cli.as_json import as_json, to_json
from simulator.cli.layout import console, number


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (418, "418"),
        (12345, "12,345"),
        (Withheld(11), "withheld"),
        (Withheld(11, Of.DIFFERENCE), "withheld"),
        (Between(411, 420), "411-420"),
        (Rounded(10, Between(1, 10)), "10*"),
    ],
)
def test_a_released_count_as_text(count: Released, text: str) -> None:
    assert number(count) == text


@pytest.mark.parametrize(
    ("count", "value"),
    [
        (418, 418),
        (Withheld(11), {"withheld": {"below": 11}}),
        (
            Withheld(11, Of.DIFFERENCE),
            {"withheld": {"below": 11, "of": "difference to a released count"}},
        ),
        (Between(411, 420), {"at_least": 411, "at_most": 420}),
        (
            Rounded(10, Between(1, 10)),
            {"shown": 10, "stands_for": {"at_least": 1, "at_most": 10}},
        ),
        ((Withheld(11), 3), [{"withheld": {"below": 11}}, 3]),
        ({"a": [Withheld(6)]}, {"a": [{"withheld": {"below": 6}}]}),
    ],
)
def test_a_released_count_as_json(count: object, value: object) -> None:
    assert json.loads(as_json(count)) == value


def test_a_field_has_the_name_that_it_is_encoded_by() -> None:
    class Renamed(msgspec.Struct, rename={"from_": "from"}):
        from_: int

    assert to_json(Renamed(3)) == {"from": 3}


@pytest.mark.parametrize(("columns", "width"), [("40", 40), ("80", 80), ("200", 80)])
def test_a_console_has_at_most_80_columns(
    monkeypatch: pytest.MonkeyPatch, columns: str, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert console().width == width
    text = io.StringIO()
    console(text).print("word " * 100)
    assert max(len(line) for line in text.getvalue().splitlines()) <= width
