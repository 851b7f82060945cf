# ruff: noqa: S608 - table names come from this file
from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from simulator.site.schema import column_names
from simulator.synthesis.labels import EXCLUDED_BY, NEAR_MISSES, Label
from simulator.synthesis.networks import NetworkFile
from simulator.synthesis.organisations import Organisation
from simulator.synthesis.rows import FILLED
from tests.unit.synthesis.conftest import PATIENTS
from tests.unit.synthesis.counting import candidates

KEYS = {
    "person": "person_id",
    "observation_period": "observation_period_id",
    "visit_occurrence": "visit_occurrence_id",
    "condition_occurrence": "condition_occurrence_id",
    "procedure_occurrence": "procedure_occurrence_id",
    "drug_exposure": "drug_exposure_id",
    "measurement": "measurement_id",
    "death": "person_id",
}
DATES = [
    ("visit_occurrence", "visit_start_date"),
    ("visit_occurrence", "visit_end_date"),
    ("condition_occurrence", "condition_start_date"),
    ("procedure_occurrence", "procedure_date"),
    ("drug_exposure", "drug_exposure_start_date"),
    ("drug_exposure", "drug_exposure_end_date"),
    ("measurement", "measurement_date"),
    ("death", "death_date"),
]
AT_VISITS = [
    ("condition_occurrence", "condition_start_date"),
    ("procedure_occurrence", "procedure_date"),
    ("drug_exposure", "drug_exposure_start_date"),
    ("measurement", "measurement_date"),
]
DOMAIN_TABLES = {
    "condition": "condition_occurrence",
    "procedure": "procedure_occurrence",
    "drug": "drug_exposure",
    "measurement": "measurement",
    "death": "death",
}
ABLE_LABELS = {label for label in NEAR_MISSES if label is not Label.ELSEWHERE}


def ask(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(folder / "cdm.duckdb", read_only=True) as connection:
        return connection.execute(sql).fetchall()


def truth_of(built: Path, site: str) -> dict[int, dict[str, Any]]:
    rows = pq.read_table(built / "truth" / f"{site}.parquet").to_pylist()
    return {row["person_id"]: row for row in rows}


def able(network: NetworkFile) -> list[Organisation]:
    window = network.scenario.first, network.scenario.last
    return [one for one in network.organisations if one.can_answer(*window)]


def test_keys_are_unique_and_the_patients_are_all_there(small: NetworkFile, built: Path) -> None:
    persons = 0
    for one in small.organisations:
        for table, key in KEYS.items():
            rows = ask(built / one.site, f"SELECT count(*), count(DISTINCT {key}) FROM {table}")
            assert rows[0][0] == rows[0][1], (one.site, table)
        persons += ask(built / one.site, "SELECT count(*) FROM person")[0][0]
    assert persons == PATIENTS


def test_the_columns_said_to_be_filled_are_those_with_values(
    small: NetworkFile, built: Path
) -> None:
    folder = built / max(able(small), key=lambda one: one.weight).site
    for table, columns in FILLED.items():
        names = column_names(table)
        counts = ask(folder, f"SELECT {', '.join(f'count({name})' for name in names)} FROM {table}")
        found = {name for name, count in zip(names, counts[0], strict=True) if count}
        assert found == set(columns), table


@pytest.mark.parametrize(("table", "date"), DATES)
def test_dates_lie_inside_observation(
    small: NetworkFile, built: Path, table: str, date: str
) -> None:
    for one in small.organisations:
        outside = ask(
            built / one.site,
            f"SELECT count(*) FROM {table} LEFT JOIN observation_period USING (person_id) WHERE NOT"
            f" coalesce({date} BETWEEN observation_period_start_date"
            " AND observation_period_end_date, false)",
        )
        assert outside == [(0,)], one.site


@pytest.mark.parametrize(("table", "date"), AT_VISITS)
def test_facts_belong_to_a_visit_of_the_same_person_and_day(
    small: NetworkFile, built: Path, table: str, date: str
) -> None:
    for one in small.organisations:
        wrong = ask(
            built / one.site,
            f"SELECT count(*) FROM {table} f"
            " LEFT JOIN visit_occurrence v USING (visit_occurrence_id)"
            f" WHERE NOT coalesce(f.person_id = v.person_id AND {date} = visit_start_date, false)",
        )
        assert wrong == [(0,)], one.site


def test_the_cohort_is_what_the_truth_says_and_each_near_miss_fails_its_step(
    small: NetworkFile, built: Path
) -> None:
    labels: Counter[str] = Counter()
    arms: Counter[str] = Counter()
    for one in able(small):
        truth = truth_of(built, one.site)
        labels.update(row["label"] for row in truth.values())
        found = {patient.person: patient for patient in candidates(built / one.site / "cdm.duckdb")}
        assert set(found) <= set(truth)
        for person, row in truth.items():
            if row["excluded_by"] == "index":
                assert person not in found
                continue
            patient = found[person]
            wanted = EXCLUDED_BY[Label(row["label"])]
            assert patient.failed == ((wanted,) if wanted else ()), row
            assert patient.index == row["index_date"]
            if row["label"] == "cohort":
                arms[patient.arm] += 1
                assert patient.arm == row["arm"]
                assert patient.days == row["recorded_days"]
                assert patient.event == row["recorded_event"]
        assert any(row["label"] == "cohort" for row in truth.values())
    assert arms == {arm.name: arm.patients for arm in small.scenario.arms}
    assert labels["cohort"] == 418
    assert all(labels[label] >= 4 for label in ABLE_LABELS)


def test_a_site_that_cannot_answer_holds_nobody_of_the_cohort(
    small: NetworkFile, built: Path
) -> None:
    others = [one for one in small.organisations if one not in able(small)]
    labels: Counter[str] = Counter()
    for one in others:
        labels.update(row["label"] for row in truth_of(built, one.site).values())
        found = candidates(built / one.site / "cdm.duckdb")
        assert not [patient for patient in found if not patient.failed], one.site
    assert set(labels) == {"elsewhere"}


def test_domains_vocabularies_and_spans_are_those_of_the_organisation(
    small: NetworkFile, built: Path
) -> None:
    for one in small.organisations:
        folder = built / one.site
        for domain, table in DOMAIN_TABLES.items():
            rows = ask(folder, f"SELECT count(*) FROM {table}")[0][0]
            assert rows == 0 or domain in one.domains
        held = {row[0] for row in ask(folder, "SELECT DISTINCT vocabulary_id FROM concept")}
        assert set(one.vocabularies) <= held
        assert not held & ({"ICD10CM", "CPT4", "HCPCS", "RxNorm", "LOINC"} - set(one.vocabularies))
        first, last = ask(
            folder,
            "SELECT min(observation_period_start_date), max(observation_period_end_date)"
            " FROM observation_period",
        )[0]
        assert abs((min(first, one.first) - one.first).days) <= one.shift
        # A death known by month stands on its month's 15th.
        assert (last - one.last).days <= one.shift + 15


def test_codes_are_known_at_the_site_or_local_with_concept_0(
    small: NetworkFile, built: Path
) -> None:
    for one in small.organisations:
        for prefix, table in (
            ("condition", "condition_occurrence"),
            ("procedure", "procedure_occurrence"),
            ("drug", "drug_exposure"),
            ("measurement", "measurement"),
        ):
            wrong = ask(
                built / one.site,
                f"SELECT DISTINCT {prefix}_source_value, {prefix}_source_concept_id FROM {table}"
                f" LEFT JOIN concept ON concept_id = {prefix}_source_concept_id WHERE CASE WHEN"
                f" {prefix}_source_concept_id = 0 THEN {prefix}_source_value NOT LIKE 'LOCAL-%'"
                f" OR {prefix}_concept_id <> 0"
                f" ELSE coalesce(concept_code, '') <> {prefix}_source_value END",
            )
            assert wrong == [], (one.site, table)


def test_billed_doses_carry_the_ingredient_where_the_site_holds_it(
    small: NetworkFile, built: Path
) -> None:
    seen: set[bool] = set()
    for one in able(small):
        rows = ask(
            built / one.site,
            "SELECT DISTINCT c.vocabulary_id FROM drug_exposure JOIN concept s"
            " ON s.concept_id = drug_source_concept_id JOIN concept c"
            " ON c.concept_id = drug_concept_id WHERE s.concept_code = 'J9267'",
        )
        if rows:
            assert rows == [("RxNorm" if "RxNorm" in one.vocabularies else "HCPCS",)]
            seen.add("RxNorm" in one.vocabularies)
    assert seen == {True, False}


def test_values_have_units_and_lie_where_people_live(small: NetworkFile, built: Path) -> None:
    conventional = [one for one in able(small) if one.units == "conventional"]
    site = max(conventional, key=lambda one: one.weight).site
    rows = ask(
        built / site,
        "SELECT concept_code, unit_source_value, avg(value_as_number)::DOUBLE FROM measurement"
        " JOIN concept ON concept_id = measurement_concept_id"
        " WHERE unit_source_value IS NOT NULL GROUP BY ALL",
    )
    means = {code: (unit, mean) for code, unit, mean in rows}
    assert means["718-7"][0] == "g/dL"
    assert 12 < means["718-7"][1] < 16
    assert 110 < means["8480-6"][1] < 140
    assert 0.4 < means["1975-2"][1] < 1.5
    assert len({code for code, _, _ in rows}) == len(rows)


def test_patients_have_some_sixty_rows_and_fitting_diseases(
    small: NetworkFile, built: Path
) -> None:
    rows = persons = 0
    for one in small.organisations:
        persons += ask(built / one.site, "SELECT count(*) FROM person")[0][0]
        for table in KEYS:
            rows += ask(built / one.site, f"SELECT count(*) FROM {table}")[0][0]
        wrong = ask(
            built / one.site,
            "SELECT count(*) FROM condition_occurrence JOIN person USING (person_id)"
            " WHERE (condition_source_value IN ('C61', 'N40.1') AND gender_concept_id = 8532)"
            " OR (condition_source_value IN ('N92.0', 'N95.1') AND gender_concept_id = 8507)",
        )
        assert wrong == [(0,)]
    # The oncology patients, a third of this little network, have more.
    assert 50 < rows / persons < 90


def test_deaths_known_by_month_stand_on_the_fifteenth(small: NetworkFile, built: Path) -> None:
    for one in small.organisations:
        days = {row[0] for row in ask(built / one.site, "SELECT day(death_date) FROM death")}
        if one.month_deaths and days:
            assert 15 in days
            assert (
                sum(
                    row[0]
                    for row in ask(
                        built / one.site, "SELECT count(*) FROM death WHERE day(death_date) <> 15"
                    )
                )
                <= 3
            )
