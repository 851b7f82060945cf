# ruff: noqa: S608 - table names come from this file
from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from simulator.bundled import find
from simulator.errors import UserError
from simulator.site.schema import TABLES
from simulator.synthesis.ablations import site_of
from simulator.synthesis.build import build
from simulator.synthesis.networks import NetworkFile, read_network
from simulator.synthesis.plan import Plan, draw_plan
from simulator.synthesis.scenario import Scenario, SecondStudy
from simulator.synthesis.scenario_file import read_scenario
from tests.unit.synthesis.conftest import PATIENTS, SEED
from tests.unit.synthesis.counting import candidates

ABLATION = "procedure_source_value = '47382'"
# Bale et al., J Vasc Interv Radiol 2018;29:262-267.
PATIENTS_REPORTED, SESSIONS_REPORTED, LESIONS_REPORTED = 26, 29, 64
FREE_OF_REST, RECURRENCES = 62, 5
MEDIANS = {"one lesion": 32.7, "two or three lesions": 17.7}
MEDIAN_OF_ALL = 29.3


def second(network: NetworkFile) -> SecondStudy:
    assert network.scenario.second is not None
    return network.scenario.second


def changed(network: NetworkFile, **values: object) -> NetworkFile:
    study = msgspec.structs.replace(second(network), **values)
    return with_second(network, study)


def with_second(network: NetworkFile, study: SecondStudy | None) -> NetworkFile:
    scenario = msgspec.structs.replace(network.scenario, second=study)
    return dataclasses.replace(network, scenario=scenario)


def site_name(network: NetworkFile) -> str:
    number = site_of(network.organisations, second(network))
    assert number is not None
    return network.organisations[number].site


@pytest.fixture(scope="module")
def folder(small: NetworkFile, built: Path) -> Path:
    return built / site_name(small)


@pytest.fixture(scope="module")
def people(folder: Path) -> list[dict[str, Any]]:
    rows = pq.read_table(folder.parent / "truth" / f"{folder.name}.parquet").to_pylist()
    return [row for row in rows if row["label"] == "second study"]


def ask(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(folder / "cdm.duckdb", read_only=True) as connection:
        return connection.execute(sql).fetchall()


def listed(people: list[dict[str, Any]]) -> str:
    return ", ".join(str(row["person_id"]) for row in people)


def test_patients_sessions_and_lesions_are_those_reported(
    folder: Path, people: list[dict[str, Any]]
) -> None:
    counted = ask(
        folder,
        "SELECT count(*), count(DISTINCT (person_id, procedure_date)), count(DISTINCT person_id)"
        f" FROM procedure_occurrence WHERE {ABLATION} AND person_id IN"
        " (SELECT person_id FROM condition_occurrence WHERE condition_source_value = 'C78.7')",
    )
    assert counted == [(LESIONS_REPORTED, SESSIONS_REPORTED, PATIENTS_REPORTED)]
    guided = ask(
        folder,
        "SELECT count(*), count(DISTINCT (person_id, procedure_date)) FROM procedure_occurrence"
        " WHERE procedure_source_value = 'SRFA-GUIDE'"
        f" AND person_id IN ({listed(people)})",
    )
    assert guided == [(SESSIONS_REPORTED, SESSIONS_REPORTED)]


def test_the_first_session_tells_the_group(
    small: NetworkFile, folder: Path, people: list[dict[str, Any]]
) -> None:
    lesions = ask(
        folder,
        f"SELECT person_id, count(*) FROM procedure_occurrence p WHERE {ABLATION} AND"
        " procedure_date = (SELECT min(procedure_date) FROM procedure_occurrence x"
        f" WHERE x.person_id = p.person_id AND x.{ABLATION})"
        f" AND person_id IN ({listed(people)}) GROUP BY 1",
    )
    group = {row["person_id"]: row["arm"] for row in people}
    found: dict[str, Counter[int]] = {}
    for person, count in lesions:
        found.setdefault(group[person], Counter())[count] += 1
    assert found == {one.name: Counter(one.lesions) for one in second(small).groups}


def test_a_rest_of_tumour_is_found_after_two_of_the_ablations_within_60_days(
    folder: Path, people: list[dict[str, Any]]
) -> None:
    free = ask(
        folder,
        f"SELECT count(*) FROM procedure_occurrence p WHERE {ABLATION}"
        f" AND person_id IN ({listed(people)}) AND NOT EXISTS (SELECT 1 FROM condition_occurrence x"
        " WHERE x.person_id = p.person_id AND condition_source_value = 'SRFA-REST'"
        " AND condition_start_date BETWEEN procedure_date AND procedure_date + 60)",
    )
    assert free == [(FREE_OF_REST,)]
    again = ask(
        folder,
        "SELECT count(*), count(DISTINCT c.person_id), min(condition_start_date - procedure_date)"
        " FROM condition_occurrence c JOIN (SELECT person_id, max(procedure_date) FILTER"
        f" (WHERE {ABLATION}) AS procedure_date FROM procedure_occurrence GROUP BY 1)"
        " USING (person_id) WHERE condition_source_value = 'SRFA-AGAIN'",
    )[0]
    assert again[:2] == (RECURRENCES, RECURRENCES)


def test_each_finding_is_tied_to_an_ablation_of_the_same_person_both_ways(folder: Path) -> None:
    ties = ask(
        folder,
        "SELECT r.concept_code, condition_source_value, procedure_source_value,"
        " c.person_id = p.person_id, condition_start_date - procedure_date, fact_id_1, fact_id_2"
        " FROM fact_relationship JOIN concept r ON r.concept_id = relationship_concept_id"
        " JOIN condition_occurrence c ON condition_occurrence_id = fact_id_1"
        " JOIN procedure_occurrence p ON procedure_occurrence_id = fact_id_2"
        " WHERE domain_concept_id_1 = 19 AND domain_concept_id_2 = 10",
    )
    assert Counter(tie[1] for tie in ties) == {"SRFA-REST": 2, "SRFA-AGAIN": 5}
    for relation, finding, procedure, same_person, days, _, _ in ties:
        assert (relation, procedure, same_person) == ("Occurs after", "47382", True)
        assert 20 <= days <= 60 if finding == "SRFA-REST" else 90 <= days <= 540
    back = ask(
        folder,
        "SELECT fact_id_2, fact_id_1 FROM fact_relationship JOIN concept"
        " ON concept_id = relationship_concept_id WHERE concept_code = 'Occurs before'"
        " AND domain_concept_id_1 = 10 AND domain_concept_id_2 = 19",
    )
    assert sorted(back) == sorted(tie[5:] for tie in ties)
    assert len(back) == 7


def test_the_rest_is_at_patients_with_one_lesion_ever(
    folder: Path, people: list[dict[str, Any]]
) -> None:
    group = {row["person_id"]: row["arm"] for row in people}
    rows = ask(
        folder,
        "SELECT person_id FROM condition_occurrence WHERE condition_source_value = 'SRFA-REST'",
    )
    assert [group[person] for (person,) in rows] == ["one lesion", "one lesion"]


def test_what_was_found_counts_as_spread_to_the_liver_for_others(folder: Path) -> None:
    rows = ask(
        folder,
        "SELECT DISTINCT s.concept_code FROM condition_occurrence"
        " JOIN concept s ON s.concept_id = condition_concept_id"
        " WHERE condition_source_value IN ('SRFA-REST', 'SRFA-AGAIN')",
    )
    assert rows == [("C78.7",)]


def test_they_have_breast_cancer_and_spread_before_and_are_never_embolized(
    folder: Path, people: list[dict[str, Any]]
) -> None:
    assert len(people) == PATIENTS_REPORTED
    assert not {row["person_id"] for row in people} & {
        one.person for one in candidates(folder / "cdm.duckdb")
    }
    for row in people:
        codes = {
            code
            for (code,) in ask(
                folder,
                "SELECT condition_source_value FROM condition_occurrence"
                f" WHERE person_id = {row['person_id']}"
                f" AND condition_start_date < DATE '{row['index_date']}'",
            )
        }
        assert "C78.7" in codes
        assert any(code.startswith("C50.") for code in codes)
        assert row["index_date"] < dt.date(2016, 1, 1)
        assert row["days_under_tare_immunotherapy"] is None
        assert row["excluded_by"] == "index"


def test_no_other_site_holds_them_or_their_codes(small: NetworkFile, built: Path) -> None:
    for one in small.organisations:
        if one.site == site_name(small):
            continue
        labels = pq.read_table(built / "truth" / f"{one.site}.parquet")["label"].to_pylist()
        assert "second study" not in labels
        held = {row[0] for row in ask(built / one.site, "SELECT vocabulary_id FROM concept")}
        assert not held & {"Local", "Relationship", "Domain"}
        assert ask(built / one.site, "SELECT count(*) FROM fact_relationship") == [(0,)]


def test_no_other_site_and_no_other_patient_of_a_study_changes_with_it(
    small: NetworkFile, built: Path, tmp_path: Path
) -> None:
    own = site_name(small)
    other = max(
        (one for one in small.organisations if one.site != own), key=lambda one: one.weight
    ).site
    without = with_second(small, None)
    build(without, destination=tmp_path, patients=PATIENTS, seed=SEED, jobs=1, sites=[own, other])
    for table in TABLES:
        sql = f"SELECT * FROM {table}"
        assert ask(tmp_path / other, sql) == ask(built / other, sql), table
    before, after = (
        pq.read_table(folder / "truth" / f"{own}.parquet").to_pylist()
        for folder in (tmp_path, built)
    )
    assert before == [row for row in after if row["label"] != "second study"]
    assert ask(tmp_path / own, "SELECT count(*) FROM person") == ask(
        built / own, "SELECT count(*) FROM person"
    )


def near(plan: Plan, study: SecondStudy) -> bool:
    assert plan.second is not None
    pairs = [(plan.second.median_by_day, study.recorded_median)]
    pairs += [
        (plan.second.medians_by_day[group.name], group.recorded_median)
        for group in study.groups
        if group.recorded_median is not None
    ]
    return all(
        found is not None and wanted is not None and abs(found - wanted) <= study.median_within
        for found, wanted in pairs
    )


def test_the_scenario_asks_for_what_was_reported(whole: NetworkFile) -> None:
    study = second(whole)
    assert study.patients == PATIENTS_REPORTED
    later = [len(group.later_lesions) for group in study.groups]
    assert study.patients + sum(later) == SESSIONS_REPORTED
    lesions = sum(sum(group.lesions + group.later_lesions) for group in study.groups)
    assert lesions == LESIONS_REPORTED
    assert lesions - study.residual.lesions == FREE_OF_REST
    assert study.recurrence.lesions == RECURRENCES
    assert study.recorded_median == MEDIAN_OF_ALL
    wanted = {group.name: group.recorded_median for group in study.groups if group.recorded_median}
    assert wanted == MEDIANS
    assert study.last < dt.date(2016, 1, 1)


@pytest.mark.parametrize("seed", [0, 167, 20240731])
def test_any_seed_shows_the_reported_medians(whole: NetworkFile, seed: int) -> None:
    plan = draw_plan(whole, patients=10_000, seed=seed)
    assert near(plan, second(whole))
    assert plan.second is not None
    assert sum(plan.second.draws.values()) > 3
    sizes = np.array([len(one.second) for one in plan.sites])
    assert sizes.max() == sizes.sum() == PATIENTS_REPORTED


def test_plain_draws_are_not_redrawn() -> None:
    modelled = read_network("as-modelled")
    plans = [draw_plan(modelled, patients=10_000, seed=seed) for seed in range(3)]
    assert not all(near(plan, second(modelled)) for plan in plans)
    for plan in plans:
        assert plan.second is not None
        assert set(plan.second.draws.values()) == {1}


def test_a_limit_of_draws_ends_the_build_and_names_group_and_seed(whole: NetworkFile) -> None:
    strict = changed(whole, at_most=2, median_within=0.0)
    with pytest.raises(UserError, match="none of 2 draws of the group 'one lesion'") as caught:
        draw_plan(strict, patients=10_000, seed=99)
    assert "seed 99" in str(caught.value)
    groups = tuple(
        msgspec.structs.replace(group, recorded_median=None) for group in second(whole).groups
    )
    never = changed(whole, at_most=2, groups=groups, recorded_median=1000.0)
    with pytest.raises(UserError, match="none of 2 draws of all groups together"):
        draw_plan(never, patients=10_000, seed=99)


def test_the_largest_site_that_fits_holds_them(whole: NetworkFile) -> None:
    study, organisations = second(whole), list(whole.organisations)
    number = site_of(organisations, study)
    assert number is not None
    chosen = organisations[number]
    for change in (
        {"online": False},
        {"domains": tuple(word for word in chosen.domains if word != "death")},
        {"vocabularies": tuple(word for word in chosen.vocabularies if word != "CPT4")},
        {"month_deaths": True},
        {"shift": 30},
        {"first": study.first - dt.timedelta(days=100)},
        {"last": study.last - dt.timedelta(days=1)},
        {"weight": 1e-4},
    ):
        organisations[number] = msgspec.structs.replace(chosen, **change)
        other = site_of(organisations, study)
        assert other is not None
        assert other != number, change
        assert organisations[other].weight < chosen.weight


def test_where_no_site_fits_there_is_no_second_study(whole: NetworkFile) -> None:
    nowhere = tuple(msgspec.structs.replace(one, shift=30) for one in whole.organisations)
    plan = draw_plan(dataclasses.replace(whole, organisations=nowhere), patients=10_000, seed=SEED)
    assert plan.second is None
    assert not any(len(one.second) for one in plan.sites)


def test_the_least_number_of_patients_leaves_room_for_them(whole: NetworkFile) -> None:
    least = 100
    with pytest.raises(UserError, match="too few") as caught:
        draw_plan(whole, patients=least, seed=1)
    # Near misses grow with the network, so that the number that is told may lie a little too low.
    while caught.value.hint is not None:
        least = int(caught.value.hint.split(" need ")[1].split(" ")[0])
        try:
            plan = draw_plan(whole, patients=least, seed=1)
        except UserError as error:
            caught.value.hint = error.hint
        else:
            break
    assert least < 3_100
    for one in plan.sites:
        taken = len(one.cohort) + sum(one.near_misses.values()) + len(one.second)
        assert one.patients >= taken


def test_nobody_else_is_drawn_anew_when_it_changes(whole: NetworkFile) -> None:
    other = changed(whole, recorded_median=30.0).scenario
    assert other.fingerprint != whole.scenario.fingerprint
    assert other.seed_fingerprint == whole.scenario.seed_fingerprint
    assert with_second(whole, None).scenario.fingerprint == whole.scenario.seed_fingerprint


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("days: 20 to 60}", "days: 60 to 20}", "two numbers of days in order"),
        ("days: 20 to 60}", "days: soon}", "two numbers of days in order"),
        ("lesions: [2, 2, 2, 3, 3]", "lesions: [2, 0]", "1"),
        ("  study: srfa\n", "", "the key 'study' is missing"),
        ("residual tumours:", "residual tumors:", "unknown key 'residual tumors'"),
    ],
)
def test_a_wrong_second_study_is_named_with_its_place(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    text = find("sites/scenarios", "as-reported").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "some.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UserError, match=message) as caught:
        read_scenario(path)
    assert "some.yaml:" in str(caught.value.where)


def test_a_scenario_needs_no_second_study(tmp_path: Path) -> None:
    text = find("sites/scenarios", "as-modelled").read_text(encoding="utf-8")
    path = tmp_path / "one.yaml"
    path.write_text(text.partition("\nsecond study:")[0] + "\n", encoding="utf-8")
    scenario: Scenario = read_scenario(path)
    assert scenario.second is None
