"""Every command as a user types it: what it prints, where, how wide, and how it ends."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from simulator import __version__
from simulator.bundled import find, names
from simulator.cli import cli
from tests.journeys.commands import Said, Shell
from tests.journeys.copies import changing, rewrite, sites_of

COMMANDS = sorted(cli.commands)


def fits(text: str) -> bool:
    return all(len(line) <= 80 for line in text.splitlines())


def is_told(said: Said, code: int) -> None:
    """An error in words: on stderr, with the exit code of its kind, and no traceback."""
    assert said.code == code
    assert said.out == ""
    assert "Traceback" not in said.err
    assert said.err.startswith(("error: ", "Usage: "))


def typed(*words: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "simulator", *words],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )


# Help


def test_help_lists_every_command(shell: Shell) -> None:
    said = shell("--help")
    assert said.code == 0
    for command in COMMANDS:
        assert f"\n  {command} " in said.out
    assert fits(said.out)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_and_its_options(shell: Shell, command: str) -> None:
    said = shell(command, "--help")
    assert said.code == 0
    assert said.err == ""
    assert fits(said.out)
    for parameter in cli.commands[command].params:
        for name in parameter.opts:
            assert name in said.out or name.upper() in said.out


def test_h_is_help(shell: Shell) -> None:
    assert shell("run", "-h").out == shell("run", "--help").out


def test_the_version(shell: Shell) -> None:
    assert shell("--version").out == f"cohortium, version {__version__}\n"


def test_without_a_command_one_is_told_what_there_is(shell: Shell) -> None:
    said = shell()
    assert said.code == 2
    assert "Commands:" in said.out + said.err


def test_the_module_runs_as_the_command() -> None:
    assert typed("--version").stdout == f"cohortium, version {__version__}\n"


# A run


@pytest.fixture(scope="module")
def ran(few_to_read: Path) -> Any:
    done = typed("run", "bclm", "--network", str(few_to_read), "--format", "json")
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_the_json_has_the_fields_that_are_promised(ran: dict[str, Any]) -> None:
    assert {"schema", "result", "run"} == set(ran)
    assert ran["schema"] == 1
    result = ran["result"]
    assert result["study"] == "bclm"
    network = result["network"]
    assert {"organisations", "online", "eligible", "asked", "answered", "failed"} <= set(network)
    assert network["organisations"] == network["eligible"] == 12
    assert network["failed"] == []
    assert {"patients", "attrition"} <= set(result["cohort"])
    assert all({"step", "patients"} == set(step) for step in result["cohort"]["attrition"])
    for arm in result["arms"]:
        assert {
            "arm",
            "patients",
            "events",
            "censored",
            "median_months",
            "median_follow_up_months",
            "survival",
            "rmst_months",
        } <= set(arm)
        assert set(arm["median_months"]) == {"estimate", "lower", "upper"}
        assert [mark["months"] for mark in arm["survival"]] == [12, 24, 36, 48, 60]
        for mark in arm["survival"]:
            assert {"months", "at_risk", "estimate", "lower", "upper"} == set(mark)
        assert arm["patients"] == arm["events"] + arm["censored"]
    assert {"statistic", "df", "p"} == set(result["log_rank"])
    assert len(result["hazard_ratios"]) == 6
    for ratio in result["hazard_ratios"]:
        assert {"arm", "reference", "estimate", "lower", "upper", "p", "p_adjusted"} == set(ratio)
    assert {"name", "version", "place", "threshold"} <= set(result["release"])
    assert 0 <= result["disclosure"]["alone_in_a_cell"] <= 1
    assert result["notes"]
    assert {"study", "network", "roster"} <= set(result["fingerprints"])
    run = ran["run"]
    assert {"engine", "started", "seconds", "host", "versions"} <= set(run)
    assert run["bytes_sent"] > 0
    assert run["bytes_received"] > 0


def test_a_withheld_number_is_never_a_number(ran: dict[str, Any]) -> None:
    cells = [step["patients"] for step in ran["result"]["cohort"]["attrition"]]
    assert any(isinstance(cell, dict) for cell in cells)
    for cell in cells:
        if isinstance(cell, dict):
            assert set(cell) == {"withheld"}
            assert cell["withheld"]["below"] == 11
        else:
            assert cell == 0 or cell >= 11


def test_the_text_fits_and_says_what_the_json_says(
    shell: Shell, few_to_read: Path, ran: dict[str, Any]
) -> None:
    said = shell("run", "bclm", "--network", few_to_read)
    assert (said.code, said.err) == (0, "")
    assert fits(said.out)
    assert "12 organisations, 12 on line, 12 eligible, 12 asked, 12 answered" in said.out
    for arm in ran["result"]["arms"]:
        assert re.search(rf"{re.escape(arm['arm'])} +{arm['patients']} +{arm['events']} ", said.out)
    assert "withheld" in said.out
    assert f"result {ran['run']['result_fingerprint'][:16]}" in said.out


def test_the_csv_is_a_line_for_each_arm_and_month(
    shell: Shell, few_to_read: Path, ran: dict[str, Any]
) -> None:
    said = shell("run", "bclm", "--network", few_to_read, "--format", "csv")
    read = list(csv.DictReader(io.StringIO(said.out)))
    assert (said.code, said.err) == (0, "")
    assert len(read) == 4 * 5
    expected = [
        (arm["arm"], arm["patients"], mark["months"], mark["at_risk"], mark["estimate"])
        for arm in ran["result"]["arms"]
        for mark in arm["survival"]
    ]
    found = [
        (
            row["arm"],
            int(row["patients"]),
            int(row["months"]),
            int(row["at_risk"]),
            float(row["survival"]) if row["survival"] else None,
        )
        for row in read
    ]
    assert found == expected


def test_out_writes_every_form_and_stdout_stays_as_it_was(
    shell: Shell, few_to_read: Path, tmp_path: Path, ran: dict[str, Any]
) -> None:
    out = tmp_path / "deep" / "er"
    said = shell("run", "bclm", "--network", few_to_read, "--out", out)
    assert said.code == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "report.html",
        "result.csv",
        "result.json",
        "result.txt",
        "survival.png",
        "survival.svg",
    ]
    assert json.loads((out / "result.json").read_text())["result"] == ran["result"]
    assert (out / "result.txt").read_text() == said.out
    assert (out / "result.csv").read_text().count("\n") == 1 + 4 * 5


def test_no_file_is_written_but_under_out_the_ledgers_and_the_memory(
    shell: Shell, few: Path
) -> None:
    before = set(few.rglob("*"))
    shell("run", "bclm", "--network", few)
    new = {path.name for path in set(few.rglob("*")) - before}
    assert new == {"ledger.jsonl", "ledger.head", "aggregator", "memory.jsonl"}


def test_a_study_can_come_from_standard_input(
    shell: Shell, few_to_read: Path, monkeypatch: pytest.MonkeyPatch, ran: dict[str, Any]
) -> None:
    text = find("queries/studies", "bclm").read_text()
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    said = shell("run", "-", "--network", few_to_read, "--format", "json")
    assert json.loads(said.out)["result"] == ran["result"]


def test_a_network_can_be_named_in_a_data_folder(shell: Shell, few_to_read: Path) -> None:
    said = shell("sites", "--network", "few", "--data", few_to_read.parent)
    assert said.code == 0
    assert fits(said.out)
    for site in sites_of(few_to_read):
        assert f"\n{site.name.split('-')[0]}" in said.out  # a long name goes on in the next line


def test_the_data_folder_can_be_told_by_the_environment(
    shell: Shell, few_to_read: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COHORTIUM_DATA", str(few_to_read.parent))
    assert shell("sites", "--network", "few").code == 0


# The other commands


def test_explain_says_who_is_asked_for_what(shell: Shell, as_reported: Path) -> None:
    said = shell("explain", "bclm", "--network", as_reported)
    assert (said.code, said.err) == (0, "")
    assert fits(said.out)
    assert "145 in the network, 139 on line, 68 eligible and asked" in said.out
    assert "ROUND 1 OF 1" in said.out
    assert "arm 4 x month 103 x (events, censored)" in said.out
    assert "824" in said.out  # 4 x 103 x 2 cells


def test_explain_shows_the_sql_of_a_site(shell: Shell, few_to_read: Path) -> None:
    site = sites_of(few_to_read)[0].name
    said = shell("explain", "bclm", "--network", few_to_read, "--sql", site)
    assert said.code == 0
    assert said.out.startswith(f"-- what '{site}' would run\nWITH people AS")
    assert "37243" not in said.out  # the site's own concepts, as parameters


@pytest.mark.parametrize("study", names("queries/studies"))
def test_every_bundled_study_passes_its_check(shell: Shell, study: str) -> None:
    said = shell("check", study)
    assert (said.code, said.err) == (0, "")
    assert fits(said.out)
    assert "no mistakes" in said.out


def test_check_warns_of_codes_that_the_list_does_not_know(shell: Shell, tmp_path: Path) -> None:
    text = find("queries/studies", "bclm").read_text().replace("RxNorm 1547545 ", "RxNorm 99 ")
    (tmp_path / "study.yaml").write_text(text)
    said = shell("check", tmp_path / "study.yaml")
    assert said.code == 0
    flat = " ".join(said.out.split())
    assert "the bundled code list does not know 'RxNorm 99'" in flat
    assert "1 warning;" in flat


def test_verify_agrees_with_the_truth(shell: Shell, few_to_read: Path) -> None:
    said = shell("verify", "bclm", "--network", few_to_read)
    assert said.code == 0, said.out
    assert "verified: " in said.out
    assert "DIFFERS" not in said.out
    assert fits(said.out)


def test_verify_ends_with_5_where_the_labels_disagree(shell: Shell, few: Path) -> None:
    with changing(sites_of(few)[0]) as database:
        database.execute("DELETE FROM procedure_occurrence")
    said = shell("verify", "bclm", "--network", few, "--format", "json")
    assert said.code == 5
    assert said.err.startswith("error: not verified")
    assert json.loads(said.out)["labels_agree"] is False


# Errors of the user


def test_an_unknown_study_names_the_nearest(shell: Shell) -> None:
    said = shell("check", "bclmm")
    is_told(said, 2)
    assert "there is no bundled study or cohort 'bclmm'" in said.err
    assert "Did you mean 'bclm'?" in said.err


def test_an_unknown_network_says_what_is_built(shell: Shell, few_to_read: Path) -> None:
    said = shell("sites", "--network", "fewer", "--data", few_to_read.parent)
    is_told(said, 2)
    assert "the network 'fewer' has not been built in" in said.err
    assert "Did you mean 'few'?" in said.err


def test_a_network_that_is_not_built_says_what_to_type(shell: Shell, tmp_path: Path) -> None:
    said = shell("run", "bclm", "--data", tmp_path)
    is_told(said, 2)
    assert (
        "Run `cohortium build --network as-reported` first, or say with --data where it is."
        in said.err
    )


def test_a_mistake_in_a_study_is_told_with_its_place(shell: Shell, tmp_path: Path) -> None:
    text = (
        find("queries/studies", "bclm").read_text().replace("occurrence: first", "occurence: first")
    )
    (tmp_path / "study.yaml").write_text(text)
    said = shell("check", tmp_path / "study.yaml")
    is_told(said, 2)
    line = 1 + text[: text.index("occurence")].count("\n")
    assert f"study.yaml:{line}:3: " in said.err
    assert "unknown key 'occurence'" in said.err
    assert "Did you mean 'occurrence'?" in said.err


BAD = {
    "a path that is not there": ("check", "./none.yaml"),
    "a folder": ("check", "./tests/"),
    "an unknown release": ("run", "bclm", "--release", "secure", "--network", "FEW"),
    "an unknown format": ("run", "bclm", "--format", "xml"),
    "an unknown command": ("runs", "bclm"),
    "an unknown option": ("run", "bclm", "--fast"),
    "no study": ("run",),
    "no jobs": ("run", "bclm", "--jobs", "0"),
    "no time": ("run", "bclm", "--timeout", "0"),
    "an unknown site": ("explain", "bclm", "--sql", "nowhere", "--network", "FEW"),
    "an unknown network to build": ("build", "--network", "as-reporte", "--data", "NEW"),
    "too few patients": ("build", "--patients", "10", "--data", "NEW"),
    "a result in a file's place": ("run", "bclm", "--network", "FEW", "--out", "FILE"),
    "a result below a file": ("run", "bclm", "--network", "FEW", "--out", "FILE/out"),
    "a study that is no text": ("check", "BINARY"),
    "data in a file's place": ("sites", "--data", "FILE"),
}


@pytest.mark.parametrize("kind", BAD)
def test_the_users_errors_end_with_2_in_words(
    shell: Shell, few_to_read: Path, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "file").write_text("a file\n")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00\x81")
    places = {
        "FEW": str(few_to_read),
        "NEW": str(tmp_path / "new"),
        "FILE": str(tmp_path / "file"),
        "FILE/out": str(tmp_path / "file" / "out"),
        "BINARY": str(tmp_path / "binary.yaml"),
    }
    said = shell(*(places.get(word, word) for word in BAD[kind]))
    assert said.code == 2
    assert "Traceback" not in said.err
    assert said.err.startswith(("error: ", "Usage: "))


@pytest.mark.parametrize("text", ["", "study: [", "- a list", "just words", "study: a\nstudy: b\n"])
def test_nonsense_on_standard_input_is_told(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    said = shell("check", "-")
    is_told(said, 2)
    assert "<stdin>" in said.err


def test_bytes_that_are_no_text_on_standard_input_are_told(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = io.TextIOWrapper(io.BytesIO(b"study: \xff\xfe"), encoding="utf-8")
    monkeypatch.setattr("sys.stdin", broken)
    is_told(shell("check", "-"), 2)


def test_a_network_file_that_does_not_fit_is_told(shell: Shell, few: Path) -> None:
    rewrite(few / "network.yaml", "title:", "titel:")
    said = shell("sites", "--network", few)
    is_told(said, 2)
    assert "Did you mean 'title'?" in said.err


def test_the_laboratory_is_loud_on_stderr(shell: Shell, few_to_read: Path) -> None:
    said = shell("run", "bclm", "--network", few_to_read, "--release", "exact", "--format", "json")
    assert said.code == 0
    assert said.err.startswith("laboratory: 'exact' shows raw answers")
    result = json.loads(said.out)["result"]
    assert result["release"]["laboratory"] is True
    assert any("laboratory" in note for note in result["notes"])
    assert result["network"]["with_matches"] == 12


def test_a_reader_who_leaves_early_is_no_error() -> None:
    for words in (["queries"], ["schema"], ["describe", "bclm"]):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "simulator", *words],
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
        )
        os.close(writing)
        assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("out", ["", "/dev/null", "/dev/null/there"])
def test_a_folder_that_cannot_be_is_refused_before_anything_is_asked(
    network: Path, shell: Shell, out: str
) -> None:
    said = shell("run", "bclm", "--network", network, "--out", out)
    assert (said.code, said.out) == (2, "")
    assert "--out" in said.err
    assert not list(network.glob("*/ledger.jsonl"))
