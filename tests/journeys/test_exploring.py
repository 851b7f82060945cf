"""What describes a cohort, as a user types it, held against the interpreter's own patients."""

from __future__ import annotations

import csv
import io
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from simulator.hub.exploration import without_arms
from simulator.language.reading import read_inquiry
from simulator.truth.at_site import patients_at
from tests.journeys.commands import Shell
from tests.journeys.copies import sites_of

COHORT = """
cohort: embolized
version: 1
title: what followed an embolization
codes:
  embolization: [CPT4 37243]
  immunotherapy: [RxNorm 1547545, RxNorm 1792776, RxNorm 224905, RxNorm 253337]
  paclitaxel: [RxNorm 56946]
  capecitabine: [RxNorm 194000]
index: {procedure: embolization, occurrence: first}
steps:
  - {step: since 2016, require: {dates: 2016-01-01 to 2024-07-31}}
follow up: {months: 60}
lines: [{drug: immunotherapy}, {drug: paclitaxel}, {drug: capecitabine}]
"""
ALL = (
    *("demographics", "conditions", "procedures", "drugs", "labs"),
    *("calendar", "arrival", "follow-up", "pathways"),
)


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    place = tmp_path / "embolized.yaml"
    place.write_text(COHORT)
    return place


def found(shell: Shell, *words: str | Path) -> dict[str, Any]:
    said = shell("explore", *words, "--format", "json")
    assert said.code == 0, said.err
    result = json.loads(said.out)["result"]
    assert isinstance(result, dict)
    return result


def test_everything_adds_up_to_the_cohort_of_the_interpreter(
    shell: Shell, as_reported: Path, cohort: Path
) -> None:
    result = found(shell, cohort, "--data", as_reported.parent, "--release", "exact")
    question = without_arms(read_inquiry(str(cohort)).question)
    frames = [
        patients_at(site, question)
        for site in sites_of(as_reported)
        if site.name in result["network"]["roster"]
    ]
    people = pl.concat(frames).filter(pl.col("steps_passed") == len(question.cohort.steps))
    everyone = people.height
    assert everyone > 300
    assert result["attrition"][-1]["patients"] == everyone
    told = result["described"]
    assert set(told) == {name.replace("-", "_") for name in ALL}
    for part in ("sexes", "ages", "races", "years"):
        assert sum(one["patients"] for one in told["demographics"][part]) == everyone
    by_year = people.group_by(pl.col("index_date").dt.year()).len().sort("index_date").rows()
    years = {one["label"]: one["patients"] for one in told["demographics"]["years"]}
    assert {int(year): n for year, n in years.items() if n} == dict(by_year)
    assert {year["year"]: year["new"] for year in told["calendar"]} == dict(by_year)
    assert told["follow_up"]["patients"] == everyone
    ended = [one["with_outcome"] + one["without"] for one in told["follow_up"]["years"]]
    ended_by = [int(year * 365.25) for year in range(6)]
    assert ended == [
        people.filter((pl.col("days") <= until) & ((pl.col("days") > since) | (since == 0))).height
        for since, until in pairwise(ended_by)
    ]
    longer = people.filter(pl.col("days") > 1826).height
    assert told["follow_up"]["watched_longer"] == longer > 0
    assert (
        sum(one["with_outcome"] for one in told["follow_up"]["years"])
        == people.filter(pl.col("event") & (pl.col("days") <= 1826)).height
    )
    firsts = [path for path in told["pathways"]["paths"] if len(path["steps"]) == 1]
    assert sum(path["patients"] for path in firsts) == everyone
    for lab in told["labs"]:
        assert lab["without"] + sum(one["patients"] for one in lab["bins"]) == everyone
    assert len(told["arrival"]["quarters"]) == 12
    assert len(told["arrival"]["projection"]) == 4


def test_nothing_small_is_told(shell: Shell, as_reported: Path, cohort: Path) -> None:
    result = found(shell, cohort, "--data", as_reported.parent)

    def counts(value: object) -> list[int]:
        if isinstance(value, list):
            return [count for member in value for count in counts(member)]
        if not isinstance(value, dict):
            return []
        own = [
            value[name]
            for name in ("patients", "without", "new", "observed", "in_the_cohort", "everyone")
            if isinstance(value.get(name), int)
        ]
        return own + [count for member in value.values() for count in counts(member)]

    told = dict(result["described"], follow_up=None)  # as curves, it is exact by month
    numbers = counts(told)
    assert len(numbers) > 200
    assert all(count == 0 or count > 10 for count in numbers)
    assert "withheld" in json.dumps(told)


@pytest.mark.parametrize("release", ["secure-sum", "platform", "exact"])
def test_all_of_it_fits_the_screen(
    shell: Shell, as_reported: Path, cohort: Path, release: str
) -> None:
    said = shell("explore", cohort, "--data", as_reported.parent, "--release", release)
    assert said.code == 0
    assert all(len(line) <= 80 for line in said.out.splitlines())
    for part in ("AGE AT INDEX", "DIAGNOSES", "LATEST VALUE", "INCIDENCE", "FOLLOW-UP", "FIRST"):
        assert f"\n{part}" in said.out
    # The descriptions of tests are cut to fit, their units are not.
    assert any(
        line.startswith("  albumin") and line.endswith(" g/dL") for line in said.out.splitlines()
    )
    assert (" 10* " in said.out) == (release == "platform")


@pytest.mark.parametrize(
    ("word", "outcome", "heads"),
    [
        ("bclm", "death", "ended in months died left"),
        (
            "metformin-or-insulin",
            "chronic kidney disease",
            "ended in months with outcome without",
        ),
    ],
)
def test_how_watching_ends_is_said_in_the_words_of_the_outcome(
    shell: Shell, as_reported: Path, word: str, outcome: str, heads: str
) -> None:
    words = (word, "--data", as_reported.parent, "--show", "follow-up", "--release", "exact")
    said = shell("explore", *words)
    assert heads in [" ".join(line.split()) for line in said.out.splitlines()]
    assert found(shell, *words)["outcome"] == outcome


def test_only_what_is_asked_for_is_shown(shell: Shell, as_reported: Path) -> None:
    data = ("--data", as_reported.parent)
    told = found(shell, "bclm", *data, "--show", "drugs, arrival", "--top", "3")["described"]
    assert {name for name, part in told.items() if part is not None} == {"drugs", "arrival"}
    assert len(told["drugs"]["top"]) == 3
    rows = list(
        csv.DictReader(
            io.StringIO(shell("explore", "bclm", *data, "--show", "drugs", "--format", "csv").out)
        )
    )
    assert {row["part"] for row in rows} == {"attrition", "drugs"}
    assert all(row["value"] for row in rows)


def test_what_cannot_be_shown_is_told(shell: Shell, as_reported: Path) -> None:
    data = ("--data", as_reported.parent)
    said = shell("explore", "bclm", *data, "--show", "demografics")
    assert said.code == 2
    assert "Did you mean 'demographics'?" in said.err
    said = shell("explore", "bclm", *data, "--show", "pathways")
    assert said.code == 2
    assert "'bclm' names no kinds of treatment" in said.err
