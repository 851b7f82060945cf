"""The second study on a built network: refused by the site's policy, exact in the laboratory."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import polars as pl
import pytest

from simulator.language.reading import read_study
from simulator.synthesis.labels import Label
from tests.journeys.commands import Shell
from tests.journeys.copies import cohort, sites_of

# Bale et al., J Vasc Interv Radiol 2018;29:262-267, and how near the scenario wants its medians.
MEDIANS = {"one lesion": 32.7, "two or three lesions": 17.7, "all patients": 29.3}
WITHIN = 1.0
GROUPS = ["one lesion", "two or three lesions", "four or more lesions"]


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def test_26_patients_29_sessions_64_lesions_62_without_a_rest_5_recurrences(
    as_reported: Path,
) -> None:
    """Counted over all sites, by those who have a metastasis of the liver."""
    totals = [0, 0, 0, 0, 0]
    holding = 0
    for site in sites_of(as_reported):
        with duckdb.connect(site / "cdm.duckdb", read_only=True) as database:
            row = database.execute(
                "WITH ablated AS (SELECT person_id, procedure_date FROM procedure_occurrence p"
                " WHERE procedure_source_value = '47382' AND EXISTS (SELECT 1 FROM"
                " condition_occurrence c WHERE c.person_id = p.person_id AND"
                " condition_source_value = 'C78.7' AND condition_start_date <= procedure_date))"
                " SELECT count(DISTINCT person_id), count(DISTINCT (person_id, procedure_date)),"
                " count(*), count(*) FILTER (NOT EXISTS (SELECT 1 FROM condition_occurrence c"
                " WHERE c.person_id = ablated.person_id AND condition_source_value = 'SRFA-REST'"
                " AND condition_start_date BETWEEN procedure_date AND procedure_date + 60)),"
                " (SELECT count(*) FROM condition_occurrence"
                " WHERE condition_source_value = 'SRFA-AGAIN') FROM ablated"
            ).fetchone()
            assert row is not None
            holding += row[0] > 0
            totals = [total + count for total, count in zip(totals, row, strict=True)]
    assert totals == [26, 29, 64, 62, 5]
    assert holding == 1


@pytest.mark.parametrize("study", ["srfa", "srfa-overall"])
def test_secure_sum_refuses_a_roster_of_one(as_reported: Path, shell: Shell, study: str) -> None:
    said = shell("run", study, "--network", as_reported, "--quiet")
    assert said.code == 3
    assert "hides each site in a sum over at least 3; the run has 1" in said.err
    assert "--release exact" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("study", "sizes"),
    [("srfa", {GROUPS[0]: 15, GROUPS[1]: 5, GROUPS[2]: 6}), ("srfa-overall", {"all patients": 26})],
)
def test_exact_shows_the_reported_medians(
    as_reported: Path, shell: Shell, study: str, sizes: dict[str, int]
) -> None:
    said = shell(
        *("run", study, "--release", "exact", "--network", as_reported, "--format", "json")
    )
    assert said.code == 0
    result = json.loads(said.out)["result"]
    assert result["cohort"]["patients"] == 26
    assert result["network"]["asked"] == 1
    assert {arm["arm"]: arm["patients"] for arm in result["arms"]} == sizes
    for arm in result["arms"]:
        if arm["arm"] in MEDIANS:
            assert arm["median_months"]["estimate"] == pytest.approx(
                MEDIANS[arm["arm"]], abs=WITHIN
            )


@pytest.mark.parametrize(("study", "arm"), [("srfa", None), ("srfa-overall", "all patients")])
def test_patient_by_patient_the_cohort_is_what_the_generator_says(
    as_reported: Path, study: str, arm: str | None
) -> None:
    asked = read_study(study)
    names = [one.name for one in asked.question.arms]
    found, labelled = {}, {}
    for site in sites_of(as_reported):
        for row in cohort(site, asked).to_dicts():
            found[site.name, row["person_id"]] = (
                names[row["arm"]],
                *(row[key] for key in ("index_date", "days", "event")),
            )
        truth = pl.read_parquet(as_reported / "truth" / f"{site.name}.parquet")
        for row in truth.filter(pl.col("label") == Label.SECOND_STUDY).to_dicts():
            labelled[site.name, row["person_id"]] = (
                arm or row["arm"],
                *(row[key] for key in ("index_date", "recorded_days", "recorded_event")),
            )
    assert len(found) == 26
    assert found == labelled


def test_the_studies_name_the_figures_that_were_reported() -> None:
    for name in ("srfa", "srfa-overall"):
        reported = read_study(name).reported
        assert reported is not None
        assert reported.patients == 26
        for arm in reported.arms:
            assert arm.median_months == MEDIANS[arm.arm]


@pytest.mark.parametrize("study", ["srfa", "srfa-overall"])
def test_sums_and_rows_agree(as_reported: Path, shell: Shell, study: str) -> None:
    said = shell("verify", study, "--network", as_reported)
    assert said.code == 0, said.out
    assert "verified:" in said.out
    if study == "srfa":
        told = (
            "by month nothing is released: the release 'secure-sum' hides each site in a sum over"
        )
        assert told in " ".join(said.out.split())


@pytest.mark.parametrize(
    ("inquiry", "unit", "counted", "patients"),
    [
        ("srfa", "day", 29, 26),
        ("srfa", "event", 64, 26),
        ("srfa-complete", "event", 62, 24),
        ("srfa-recurrences", "event", 5, None),
    ],
)
def test_sessions_lesions_and_recurrences_are_counted_by_the_query_language(
    as_reported: Path,
    shell: Shell,
    inquiry: str,
    unit: str,
    counted: int,
    patients: int | None,
) -> None:
    asked = ("count", inquiry, "--network", as_reported, "--quiet", "--unit", unit)
    said = shell(*asked, "--release", "exact", "--format", "json")
    assert said.code == 0, said.err
    last = json.loads(said.out)["result"]["steps"][-1]
    assert last[f"{unit}s"] == counted
    assert patients in {None, last["patients"]}
    assert shell(*asked).code == 3
