"""Every release, at every place and in every form: a result or a refusal that says why."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator.cli.inputs import now
from simulator.cli.result_text import print_report
from simulator.errors import Refused
from simulator.hub.client import Client
from simulator.hub.result import Report
from simulator.network import connect, find_network
from simulator.privacy.release import Place, Release
from simulator.privacy.releases import RELEASES, find_release, placed, with_noise
from tests.journeys.commands import Said, Shell
from tests.journeys.copies import STUDY


def _placed() -> Iterator[Release]:
    """Every release at each place that it can have."""
    for release in RELEASES.values():
        for place in Place:
            try:
                yield placed(release, place)
            except Refused:
                continue


PLACED = [*_placed()]
places = pytest.mark.parametrize(
    "release", PLACED, ids=[f"{release.name} at {release.place}" for release in PLACED]
)

# They show small counts as nobody, and the cells of twelve sites are small.
EMPTIES_AN_ARM = {
    (name, place) for name in ("i2b2", "bunny", "opensafely") for place in ("site", "network")
}

KINDS = (
    {"withheld"},
    {"at_least", "at_most"},
    {"shown", "stands_for"},
    {"shown", "withheld_parts", "at_least", "at_most"},
    {"noisy", "standard_error"},
)


def options(release: Release) -> list[str]:
    at = ["--at", str(release.place)] if release.rule else []
    cost = ["--epsilon", "20"] if release.noise else []
    return ["--release", release.name, *at, *cost, "--seed", "1"]


def fits(text: str) -> bool:
    return all(len(line) <= 80 for line in text.splitlines())


def is_refused_with_a_reason(said: Said) -> bool:
    """Whether nothing was printed but a reason in words, with what to do."""
    told = "error: " in said.err and "\n  " in said.err
    return said.code == 3 and not said.out and told


def is_count(value: object) -> bool:
    """Whether a released count has one of the forms that it may have, and no other."""
    if isinstance(value, dict):
        return set(value) in KINDS
    return isinstance(value, int) and value >= 0


def counts(result: dict[str, Any]) -> Iterator[object]:
    """Every released count of a result."""
    yield result["cohort"]["patients"]
    yield from (step["patients"] for step in result["cohort"]["attrition"])
    for arm in result["arms"]:
        yield from (arm["patients"], arm["events"], arm["censored"])
        yield from (mark["at_risk"] for mark in (*arm["survival"], *arm["curve"]))


@pytest.fixture
def ask(few_to_read: Path) -> Iterator[Client]:
    """A client of the laboratory, which is asked once for all forms of a result."""
    network = find_network(str(few_to_read), few_to_read.parent)
    with connect(network, laboratory=True, jobs=2, seconds=60.0, clock=now, seed=1) as client:
        yield client


def printed(report: Report, form: str, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    print_report(report, form)
    return capsys.readouterr().out


@places
def test_a_study(ask: Client, capsys: pytest.CaptureFixture[str], release: Release) -> None:
    chosen = with_noise(release, "20", None) if release.noise else release
    if (release.name, str(release.place)) in EMPTIES_AN_ARM:
        with pytest.raises(Refused, match="without patients") as refused:
            ask.run(STUDY, chosen, run="a" * 32)
        assert refused.value.hint
        return
    report = ask.run(STUDY, chosen, run="a" * 32)
    text = printed(report, "text", capsys)
    assert fits(text)
    for wrong in ("None", " nan", "Noisy(", "Partial(", "Withheld(", "\N{HORIZONTAL ELLIPSIS}"):
        assert wrong not in text
    result = json.loads(printed(report, "json", capsys))["result"]
    assert all(is_count(count) for count in counts(result))
    lines = [*csv.DictReader(io.StringIO(printed(report, "csv", capsys)))]
    assert len(lines) == sum(len(arm["survival"]) for arm in result["arms"])
    check_noise(release, result, text, lines)
    check_bounds(release, result, text, lines)
    told = result["disclosure"]
    assert (told["alone_in_a_cell"] is None) is bool(release.rule or release.noise)
    assert f"Disclosure: {told['says'][:30]}" in text


def check_noise(
    release: Release, result: dict[str, Any], text: str, lines: list[dict[str, str]]
) -> None:
    """Noise is marked, its standard error said once, and the wrong test called wrong."""
    is_noisy = release.noise is not None
    assert ("Noise: ~ marks an estimate" in text) is is_noisy
    assert text.count("of root mean squared error") == (1 if is_noisy else 0)
    assert ("patients_standard_error" in lines[0]) is is_noisy
    for arm in result["arms"]:
        assert (isinstance(arm["patients"], dict) and "noisy" in arm["patients"]) is is_noisy
    if is_noisy:
        naive = result["log_rank"]["naive_p"]
        said = f"p = {naive:.3f}" if naive >= 0.001 else "p < 0.001"
        assert f"takes noise for patients, would say {said}" in " ".join(text.split())
        assert all(line["patients"].startswith("~") for line in lines)
        assert "hazard ratio of" not in text
        assert "no hazard ratios" in text


def check_bounds(
    release: Release, result: dict[str, Any], text: str, lines: list[dict[str, str]]
) -> None:
    """Bounds are never called an interval; where they are alone nothing is estimated."""
    changed = bool(release.rule) or release.name == "secure-steps"
    assert ("Bounds are no confidence interval" in text) is changed
    assert ("95 %" in text) is not changed
    assert ("lower" in lines[0]) is not changed
    if changed:
        check_no_intervals(result, text)
    marks = [mark for arm in result["arms"] for mark in (*arm["survival"], *arm["curve"])]
    for mark in marks:
        bounds = mark.get("bounds")
        assert changed or bounds is None
        if release.rule and bounds is not None and mark["estimate"] is not None:
            least, most = bounds["at_least"], bounds["at_most"]
            assert least - 1e-9 <= mark["estimate"] <= most + 1e-9
    if all(mark["estimate"] is None for mark in marks):
        assert "there are no estimates" in text
        assert result["log_rank"] is None
        assert "no log-rank and no contrasts" in " ".join(text.split())
        assert "not reached" not in text
        assert all(line["survival"] == "" for line in lines)


def check_no_intervals(result: dict[str, Any], text: str) -> None:
    """No interval, no test, no contrast, nor the brackets of one; a note says why."""
    assert (result["log_rank"], result["hazard_ratios"]) == (None, [])
    assert "CONTRASTS" not in text
    assert "(-)" not in text
    assert any(note.startswith("no ") for note in result["notes"])
    for arm in result["arms"]:
        numbers = [arm["median_months"], *arm["survival"], *arm["curve"], *arm["quantiles_months"]]
        for found in (*numbers, *filter(None, [arm["rmst_months"]])):
            assert (found["lower"], found["upper"]) == (None, None)


def test_the_size_of_an_arm_is_counted_apart_from_its_curve(ask: Client) -> None:
    """Two hundred rounded cells come to many more patients than there are."""
    truth = [
        arm.patients for arm in ask.run(STUDY, find_release("exact"), run="a" * 32).result.arms
    ]
    for release in (
        find_release("secure-steps"),
        placed(find_release("round-up-10"), Place.NETWORK),
    ):
        found = ask.run(STUDY, release, run=f"{len(release.name):032x}").result
        for arm, patients in zip(found.arms, truth, strict=True):
            assert isinstance(arm.patients, int)
            assert isinstance(patients, int)
            assert 0 <= arm.patients - patients <= (9 if release.rule else 0)
            assert isinstance(arm.events, int) is bool(release.rule)


def test_a_study_as_it_is_typed(shell: Shell, few_to_read: Path) -> None:
    asked: list[str | Path] = ["run", "bclm", "--network", few_to_read]
    for words in (["dp", "--epsilon", "20"], ["round-up-10", "--at", "network"]):
        said = shell(*asked, "--seed", "1", "--release", *words)
        assert said.code == 0
        told = "dp, epsilon 20" if words[0] == "dp" else "round-up-10 once, on the sum"
        assert f"release {told}" in " ".join(said.out.split())
    refused = shell(*asked, "--release", "i2b2")
    assert is_refused_with_a_reason(refused)
    assert "without patients" in refused.err


@pytest.mark.parametrize(
    "release",
    [find_release(name) for name in ("secure-steps", "dp", "platform", "exact", "pcornet")],
    ids=lambda release: release.name,
)
def test_a_count(shell: Shell, few_to_read: Path, release: Release) -> None:
    asked: list[str | Path] = ["count", "bclm", "--network", few_to_read, *options(release)]
    text = shell(*asked)
    assert text.code == 0
    assert fits(text.out)
    assert "None" not in text.out
    steps = json.loads(shell(*asked, "--format", "json").out)["result"]["steps"]
    assert all(is_count(step["patients"]) for step in steps)
    by_days = shell(*asked, "--unit", "day")
    if "entries" in release.treatments:
        assert by_days.code == 0
    else:
        assert is_refused_with_a_reason(by_days)
        assert f"'{release.name}' does not offer counts of days" in by_days.err
        assert "of these it offers counts of patients" in by_days.err


PARTS = {
    "demographics": ("attrition", "demographics", "race"),
    "labs": ("attrition", "labs"),
    "calendar": ("attrition", "arrival", "calendar"),
    "arrival": ("attrition", "arrival"),
    "follow-up": ("attrition", "follow-up"),
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", ["dp", "secure-steps", "shrine"])
def test_an_exploration(shell: Shell, few_to_read: Path, name: str, part: str) -> None:
    release = RELEASES[name]
    asked: list[str | Path] = [
        "explore",
        "bclm",
        "--network",
        few_to_read,
        "--show",
        part,
        *options(release),
    ]
    said = shell(*asked)
    if {*PARTS[part]} <= {*release.treatments}:
        assert said.code == 0
        assert fits(said.out)
        assert "None" not in said.out
        assert ("Noise: ~ marks" in said.out) is (name == "dp")
    else:
        assert is_refused_with_a_reason(said)
        assert f"'{name}' does not offer {part}" in said.err


def test_by_default_an_exploration_shows_what_is_offered(shell: Shell, few_to_read: Path) -> None:
    said = shell("explore", "bclm", "--network", few_to_read, *options(RELEASES["dp"]))
    assert said.code == 0
    assert "NEW PATIENTS BY QUARTER" in said.out
    assert (
        "'dp' does not offer conditions, procedures, drugs, labs, calendar, follow-up" in said.err
    )


@pytest.mark.parametrize(
    "words", [("dp", "--epsilon", "20"), ("pcornet",), ("round-up-10",), ("secure-steps",)]
)
def test_a_report_and_the_difference_to_what_is_exact(
    shell: Shell, few_to_read: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    for folder, chosen in (("exact", ["exact"]), ("other", [*words, "--seed", "1"])):
        asked: list[str | Path] = [
            "run",
            "bclm",
            "--network",
            few_to_read,
            "--out",
            tmp_path / folder,
        ]
        assert shell(*asked, "--release", *chosen).code == 0
    page = (tmp_path / "other" / "report.html").read_text(encoding="utf-8")
    for wrong in (">None<", ">nan<", "Noisy(", "Partial("):
        assert wrong not in page
    assert ("hatched region" in page) is (words[0] != "dp")
    assert ("95\N{NO-BREAK SPACE}%" in page) is (words[0] == "dp")
    said = shell("diff", tmp_path / "exact", tmp_path / "other")
    assert said.code == 0
    assert fits(said.out)
    what = {"dp": "within noise", "pcornet": "may be the same", "round-up-10": "+"}
    what["secure-steps"] = "may be the same"
    assert what[words[0]] in said.out
    assert "defect" not in said.out
