"""Subgroups and the release `platform` on a built network, from the command line to the truth."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from simulator.aggregates.grid import Unit
from simulator.bundled import find
from simulator.hub.result import StudyResult
from simulator.laboratory.contrast_lines import contrast_lines
from simulator.language.reading import read_study
from simulator.network import connect, find_network
from simulator.privacy.releases import EXACT
from simulator.truth.at_site import patients_at
from simulator.truth.pooled import pooled_truth
from simulator.truth.values import PooledTruth
from tests.journeys.commands import Shell

# Most patients of the cohort are women; the men of any arm are few.
SUBGROUPS = """subgroups:
  age at index:
    under 55: {age: 0 to 54}
    55 and over: {age: 55 to 120}
  sex:
    women: {sex: female}
    men: {sex: male}
analyses:"""
PARTS = ("levels", "in_no_level", "interaction")


@pytest.fixture(scope="module")
def by_age(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled study with two subgroups."""
    text = find("queries/studies", "bclm").read_text().replace("analyses:", SUBGROUPS)
    path = tmp_path_factory.mktemp("studies") / "by-age.yaml"
    path.write_text(text)
    return path


def ran(shell: Shell, study: Path | str, network: Path, release: str) -> dict[str, Any]:
    said = shell("run", study, "--network", network, "--release", release, "--format", "json")
    assert said.code == 0, said.err
    result: dict[str, Any] = json.loads(said.out)["result"]
    return result


def variables(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {found["subgroup"]: found for found in result["subgroups"]}


def test_a_variable_comes_whole_or_not_at_all(
    shell: Shell, by_age: Path, as_reported: Path
) -> None:
    secure = variables(ran(shell, by_age, as_reported, "secure-sum"))
    exact = variables(ran(shell, by_age, as_reported, "exact"))
    for name, found in exact.items():
        groups = [arm for level in found["levels"] for arm in level["arms"]]
        small = [arm for arm in (*groups, *found["in_no_level"]) if 1 <= arm["patients"] <= 10]
        for part in PARTS:
            assert ("withheld" in secure[name][part]) == bool(small)
    hidden = {name for name, found in secure.items() if "withheld" in found["levels"]}
    assert hidden == {"sex"}
    assert "fewer than 11" in secure["sex"]["reason"]
    assert [level["level"] for level in secure["age at index"]["levels"]] == [
        "under 55",
        "55 and over",
    ]


def test_subgroups_are_printed_in_80_columns(shell: Shell, by_age: Path, as_reported: Path) -> None:
    said = shell("run", by_age, "--network", as_reported)
    assert said.code == 0
    assert "\nSUBGROUPS\n  age at index: do the ratios differ between levels?" in said.out
    assert "\n  sex: withheld; within an arm, a level" in said.out
    assert max(map(len, said.out.splitlines())) <= 80


def test_verify_holds_them_against_the_truth(shell: Shell, by_age: Path, few_to_read: Path) -> None:
    said = shell("verify", by_age, "--network", few_to_read)
    assert said.code == 0, said.out + said.err
    assert "age at index, under 55: hazard ratio" in said.out
    assert "age at index: interaction chi-squared" in said.out


class TestPlatform:
    def test_small_totals_are_shown_as_10_and_curves_are_exact(
        self, shell: Shell, few_to_read: Path
    ) -> None:
        platform = ran(shell, "bclm", few_to_read, "platform")
        assert platform["release"]["name"] == "platform"
        ten = {"shown": 10, "stands_for": {"at_least": 1, "at_most": 10}}
        exact = ran(shell, "bclm", few_to_read, "exact")
        seen = 0
        for mine, truth in zip(platform["arms"], exact["arms"], strict=True):
            for total in ("patients", "events", "censored"):
                small = 1 <= truth[total] <= 10
                seen += small
                assert mine[total] == (ten if small else truth[total])
        assert seen  # of twelve sites the small arms have few deaths
        assert platform["hazard_ratios"][0]["estimate"] is not None

    def test_they_are_marked_where_they_are_printed(self, shell: Shell, few_to_read: Path) -> None:
        said = shell("run", "bclm", "--network", few_to_read, "--release", "platform")
        assert said.code == 0
        assert " 10* " in said.out
        assert "marked 10*" in said.out
        csv = shell(
            "run", "bclm", "--network", few_to_read, "--release", "platform", "--format", "csv"
        )
        assert ",10*," in csv.out
        assert max(map(len, said.out.splitlines())) <= 80


@pytest.fixture(scope="module")
def pair(by_age: Path, few_to_read: Path) -> tuple[StudyResult, PooledTruth]:
    """A result by day with subgroups, and what the pooled rows say."""
    study, network = read_study(str(by_age)), find_network(str(few_to_read), few_to_read.parent)
    moment = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    client = connect(network, laboratory=True, jobs=1, seconds=60.0, clock=lambda: moment)
    result = client.run(study, EXACT, run="law").result
    frames = [
        patients_at(network.folder_of(member.site), study.question) for member in network.members
    ]
    return result, pooled_truth(frames, study, Unit.DAY)


def test_what_is_right_agrees(pair: tuple[StudyResult, PooledTruth]) -> None:
    lines = list(contrast_lines(*pair))
    assert len(lines) > 200
    assert [line.quantity for line in lines if not line.agrees] == []


@pytest.mark.parametrize(
    "part", ["hazard_ratios", "rmst_differences", "survival_differences", "subgroups", "log_rank"]
)
def test_a_number_that_is_a_little_wrong_is_seen(
    pair: tuple[StudyResult, PooledTruth], part: str
) -> None:
    result, truth = pair
    wrong = msgspec.structs.replace(result, **{part: _nudged(getattr(result, part))})
    assert sum(not line.agrees for line in contrast_lines(wrong, truth)) == 1


def _nudged(value: Any) -> Any:
    """The same with its first number that is no whole one a hundred-thousandth larger."""
    if isinstance(value, float):
        return value * 1.00001
    if isinstance(value, tuple):
        for place, member in enumerate(value):
            changed = _nudged(member)
            if changed is not member:
                return (*value[:place], changed, *value[place + 1 :])
        return value
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            member = getattr(value, name)
            changed = _nudged(member)
            if changed is not member:
                return msgspec.structs.replace(value, **{name: changed})
    return value
