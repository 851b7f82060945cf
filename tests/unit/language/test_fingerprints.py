"""Parts of a study have fingerprints of their own: what changes one leaves the others alone."""

from __future__ import annotations

import msgspec
import pytest

from simulator.bundled import library
from simulator.language.fingerprints import (
    ANALYSES,
    ARMS,
    CODES,
    INDEX,
    OUTCOME,
    PARTS,
    TITLE,
    WHOLE,
    _plain,
    definition,
    differing,
    parts,
)
from simulator.language.reading import parse_study
from simulator.language.study import Study

TEXT = (library("queries") / "studies" / "bclm.yaml").read_text(encoding="utf-8")


def changed(was: str, now: str) -> Study:
    assert was in TEXT
    return parse_study(TEXT.replace(was, now, 1))


BCLM = changed("", "")

CHANGES = [
    ("study: bclm", "study: mine", TITLE),
    ("version: 1", "version: 2", TITLE),
    ("title: Embolotherapy", "title: Treatment", TITLE),
    ("    - RxNorm 1547545        # pembrolizumab\n", "", CODES),
    ("- ICD10CM C50 with descendants", "- ICD10CM C50", CODES),
    ("- CPT4 79445", "- CPT4 79445\n    - CPT4 79444", CODES),
    ("2016-01-01 to 2024-07-31", "2017-01-01 to 2024-07-31", INDEX),
    ("occurrence: first", "occurrence: last", INDEX),
    ("&tare {procedure: radioembolization, days: 0}", "&tare {procedure: radioembolization}", ARMS),
    ("months: 103", "months: 102", OUTCOME),
    ("[12, 24, 36, 48, 60]", "[12, 24]", ANALYSES),
    ("reference arm: TARE + immunotherapy", "reference arm: TACE + chemotherapy", ANALYSES),
    ("least completeness: 0.9", "least completeness: 0.8", ANALYSES),
]


@pytest.mark.parametrize(("was", "now", "part"), CHANGES, ids=[now for _, now, _ in CHANGES])
def test_what_changes_one_part_changes_no_other(was: str, now: str, part: str) -> None:
    one, other = parts(BCLM), parts(changed(was, now))
    assert differing(one, other) == (part,)
    assert one[WHOLE] != other[WHOLE]


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("    - CPT4 96420\n    - CPT4 96422\n", "    - CPT4 96422\n    - CPT4 96420\n"),
        ("patients: 418", "patients: 417"),
        ("# Breast-cancer", "# breast-cancer"),
    ],
    ids=["the order of codes", "what was reported", "a remark"],
)
def test_what_means_nothing_changes_nothing(was: str, now: str) -> None:
    assert parts(changed(was, now)) == parts(BCLM)


def test_a_part_is_sha_256() -> None:
    found = parts(BCLM)
    assert tuple(found) == (*PARTS, WHOLE)
    assert all(len(value) == 64 and int(value, 16) for value in found.values())
    assert len(set(found.values())) == len(found)


def test_the_definition_holds_every_field_of_a_study_once_but_what_was_reported() -> None:
    fields = [field for part, said in definition(BCLM).items() if part != CODES for field in said]
    expected = {
        field
        for struct in (BCLM, BCLM.question)
        for field, default in zip(struct.__struct_fields__, _defaults(struct), strict=True)
        if getattr(struct, field) != default
    }
    assert sorted(fields) == sorted(expected - {"question", "reported", "codes"})
    assert {"outcome", "subgroups"}.isdisjoint(fields)


def _defaults(struct: msgspec.Struct) -> list[object]:
    return [field.default for field in msgspec.structs.fields(struct)]


def test_what_is_written_out_is_as_if_it_were_left_out() -> None:
    written = changed("least completeness: 0.9", "least completeness: 1.0")
    assert parts(written) == parts(changed("least completeness: 0.9\n", ""))
    assert "least_completeness" not in definition(written)[ANALYSES]


class Now(msgspec.Struct, frozen=True, tag="it"):
    """A value as the language has it."""

    name: str
    window: int | None = None


class Later(msgspec.Struct, frozen=True, tag="it"):
    """The same when the language has learnt more."""

    name: str
    window: int | None = None
    lines: tuple[int, ...] = ()
    units: dict[str, int] = {}


def test_what_the_language_learns_later_changes_no_study_that_does_not_use_it() -> None:
    assert _plain(Now("a", 3)) == _plain(Later("a", 3)) == {"type": "it", "name": "a", "window": 3}
    assert _plain(Later("a", lines=(1,), units={"mg": 2})) == {
        "type": "it",
        "name": "a",
        "lines": [1],
        "units": {"mg": 2},
    }


def test_the_definition_is_plain_and_names_codes_as_the_study_does() -> None:
    said = definition(BCLM)
    assert msgspec.json.decode(msgspec.json.encode(said)) == said
    assert said[CODES]["chemoembolization"] == {
        "include": ["CPT4 96420", "CPT4 96422", "CPT4 96423"],
        "exclude": [],
    }


def test_a_part_that_only_one_has_differs() -> None:
    assert differing({"a": "1", "b": "2"}, {"a": "1", "c": "3"}) == ("b", "c")
