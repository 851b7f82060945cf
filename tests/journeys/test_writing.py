"""The commands that help to write studies and to read them, as a user types them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from simulator.bundled import find, names
from simulator.language.platform_sentences import platform_sentences
from simulator.language.prose import describe
from simulator.language.reading import COHORTS, STUDIES, read_inquiry
from simulator.language.schema import json_schema
from tests.journeys.commands import Shell

BUNDLED = [*names(STUDIES), *names(COHORTS)]


def fits(text: str) -> bool:
    return all(len(line) <= 80 for line in text.splitlines())


# describe


@pytest.mark.parametrize("name", ["bclm", names(COHORTS)[0]])
def test_describe_is_plain_english(shell: Shell, name: str) -> None:
    said = shell("describe", name)
    assert (said.code, said.err) == (0, "")
    assert said.out == f"{describe(read_inquiry(name))}\n"
    assert fits(said.out)


def test_describe_speaks_as_the_platform_too(shell: Shell) -> None:
    said = shell("describe", "bclm", "--as", "platform")
    assert (said.code, said.err) == (0, "")
    assert said.out == f"{platform_sentences(read_inquiry('bclm'))}\n"
    assert fits(said.out)


@pytest.mark.parametrize("manner", ["english", "platform"])
def test_describe_as_json(shell: Shell, manner: str) -> None:
    told = json.loads(shell("describe", "bclm", "--as", manner, "--format", "json").out)
    study = read_inquiry("bclm")
    assert (told["schema"], told["kind"], told["as"]) == (1, "study", manner)
    assert (told["name"], told["version"], told["title"]) == ("bclm", study.version, study.title)
    assert told["fingerprint"] == study.fingerprint
    expected = describe(study) if manner == "english" else platform_sentences(study)
    assert told["description"] == expected


def test_describe_reads_standard_input(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(find(STUDIES, "bclm").read_text()))
    assert shell("describe", "-").out == shell("describe", "bclm").out


def test_describe_of_what_is_not_there(shell: Shell) -> None:
    said = shell("describe", "blcm")
    assert (said.code, said.out) == (2, "")
    assert "Did you mean 'bclm'?" in said.err


# check


@pytest.mark.parametrize("name", BUNDLED)
def test_everything_bundled_can_be_checked(shell: Shell, name: str) -> None:
    said = shell("check", name)
    assert (said.code, said.err) == (0, "")
    assert "no mistakes" in said.out
    assert fits(said.out)


@pytest.mark.parametrize("by", ["path", "standard input"])
def test_check_says_where_each_unknown_code_stands(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    text = find(STUDIES, "bclm").read_text()
    text = text.replace("RxNorm 1547545 ", "RxNorm 99 ").replace("CPT4 37243", "CPT4 98")
    (tmp_path / "study.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    said = shell("check", "study.yaml" if by == "path" else "-")
    flat = " ".join(said.out.split())
    for code in ("RxNorm 99", "CPT4 98"):
        before = text[: text.index(code)]
        line, column = before.count("\n") + 1, len(before) - before.rindex("\n")
        place = f"{'study.yaml' if by == 'path' else '<stdin>'}:{line}:{column}: "
        assert f"warning: {place}" in flat
        assert f"the bundled code list does not know '{code}'" in flat
    assert "2 warnings;" in flat


# new


@pytest.mark.parametrize("kind", ["study", "cohort"])
def test_a_template_can_be_checked_and_asked_at_once(
    shell: Shell, as_reported: Path, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "mine.yaml"
    said = shell("new", kind, "--name", "mine", "--out", path)
    assert (said.code, said.err) == (0, "")
    assert path.read_text() == shell("new", kind, "--name", "mine").out
    checked = shell("check", path)
    assert checked.code == 0
    assert checked.out.startswith("mine, version 1: ")
    assert "no mistakes, 0 warnings" in checked.out
    asked = ["run" if kind == "study" else "count", path, "--network", as_reported]
    found = json.loads(shell(*asked, "--release", "exact", "--format", "json").out)["result"]
    attrition = found["cohort"]["attrition"] if kind == "study" else found["steps"]
    steps = [step["patients"] for step in attrition]
    assert steps == sorted(steps, reverse=True)
    assert steps[-1] >= 11
    if kind == "study":
        assert all(arm["patients"] >= 11 and arm["events"] > 0 for arm in found["arms"])


def test_a_template_is_never_written_over_a_file(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("precious")
    said = shell("new", "study", "--out", path)
    assert (said.code, said.out) == (2, "")
    assert "mine.yaml: the file is there already" in said.err
    assert path.read_text() == "precious"


def test_a_template_cannot_be_written_where_no_folder_is(shell: Shell, tmp_path: Path) -> None:
    said = shell("new", "cohort", "--out", tmp_path / "no" / "mine.yaml")
    assert said.code == 2
    assert "mine.yaml: nothing can be written there: No such file or directory\n" in said.err
    assert "Give --out a file in a folder that can be written to." in said.err


@pytest.mark.parametrize("name", ["two words", "1st", "a: b", "", "null", "Yes"])
def test_a_name_must_stand_in_yaml_as_it_is(shell: Shell, name: str) -> None:
    said = shell("new", "study", "--name", name)
    assert (said.code, said.out) == (2, "")
    assert f"found '{name}'" in said.err


# schema and queries


def test_schema_is_printed(shell: Shell) -> None:
    said = shell("schema")
    assert (said.code, said.err) == (0, "")
    assert json.loads(said.out) == json_schema()


def test_queries_lists_what_is_bundled(shell: Shell) -> None:
    said = shell("queries")
    assert (said.code, said.err) == (0, "")
    assert fits(said.out)
    lines = [line.strip() for line in said.out.splitlines()]
    assert "bclm" in lines
    assert "bclm-as-commonly-done (1 warning)" in lines
    assert lines.index("STUDIES") < lines.index("bclm") < lines.index("COHORTS")


def test_queries_as_json(shell: Shell) -> None:
    told = json.loads(shell("queries", "--format", "json").out)
    assert told["schema"] == 1
    assert [query["name"] for query in told["queries"]] == BUNDLED
    for query in told["queries"]:
        inquiry = read_inquiry(query["name"])
        assert query["title"] == inquiry.title
        assert query["kind"] == ("study" if query["name"] in names(STUDIES) else "cohort")
        assert isinstance(query["warnings"], list)
