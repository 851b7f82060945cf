"""The counts of studies and cohorts, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.commands import Said, Shell

COHORT = """
cohort: embolized
version: 1
title: embolized for a tumour
codes:
  embolization: [CPT4 37243]
  radioembolization: [CPT4 79445, HCPCS S2095]
index: {procedure: embolization, occurrence: first}
steps:
  - {step: since 2016, require: {dates: 2016-01-01 to any}}
  - {step: radioembolized on the day, require: {procedure: radioembolization, days: 0}}
"""
FEWEST = COHORT.replace("2016-01-01 to any", "2016-01-01 to 2016-01-05")


def steps_of(said: Said) -> list[dict[str, Any]]:
    """The counts of each step, without those that were not asked for."""
    steps = json.loads(said.out)["result"]["steps"]
    return [{key: value for key, value in step.items() if value is not None} for step in steps]


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    place = tmp_path / "embolized.yaml"
    place.write_text(COHORT)
    return place


def test_a_study_is_counted_as_it_is_run(shell: Shell, as_reported: Path) -> None:
    data = ("--data", as_reported.parent, "--format", "json")
    ran = json.loads(shell("run", "bclm", *data).out)["result"]
    said = shell("count", "bclm", *data)
    assert steps_of(said) == ran["cohort"]["attrition"]
    counted = json.loads(said.out)["result"]
    assert counted["network"] == ran["network"]
    assert (counted["kind"], counted["unit"]) == ("study", "patient")


def test_a_cohort_is_counted_in_patients_days_and_events(
    shell: Shell, as_reported: Path, cohort: Path
) -> None:
    """The network has people embolized twice, most of them on another day."""
    steps = {}
    for unit in ("patient", "day", "event"):
        said = shell(
            *("count", cohort, "--unit", unit, "--data", as_reported.parent),
            *("--release", "exact", "--format", "json"),
        )
        assert json.loads(said.out)["result"]["kind"] == "cohort"
        steps[unit] = steps_of(said)
    for patients, days, events in zip(*steps.values(), strict=True):
        assert set(patients) == {"step", "patients"}
        assert set(days) == {"step", "patients", "days"}
        assert patients["patients"] <= days["patients"] == events["patients"]
        assert days["patients"] <= days["days"] <= events["events"]
    assert steps["day"][0]["days"] > steps["day"][0]["patients"]


def test_what_tells_of_few_is_withheld(shell: Shell, as_reported: Path, cohort: Path) -> None:
    cohort.write_text(FEWEST)
    for unit in ("patient", "event"):
        asked = ("count", cohort, "--unit", unit, "--data", as_reported.parent)
        raw = steps_of(shell(*asked, "--release", "exact", "--format", "json"))[-1]
        assert raw["patients"] in range(1, 11)
        told = steps_of(shell(*asked, "--format", "json"))[-1]
        assert set(told) == set(raw)
        assert all(told[key] == {"withheld": {"below": 11}} for key in set(told) - {"step"})
        said = shell(*asked)
        assert "withheld" in said.out
        assert all(len(line) <= 80 for line in said.out.splitlines())
        lines = shell(*asked, "--format", "csv").out.splitlines()
        assert lines[0] == ("step,patients" if unit == "patient" else "step,patients,events")
        assert lines[-1].endswith(",withheld")


def test_a_cohort_is_not_run(shell: Shell, as_reported: Path, cohort: Path) -> None:
    said = shell("run", cohort, "--data", as_reported.parent)
    assert said.code == 2
    assert "is a cohort, not a study" in said.err
