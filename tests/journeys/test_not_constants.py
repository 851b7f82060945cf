"""No number of a result is written down anywhere: change the data, and exactly what must changes.

Every change is made by plain SQL in a copy of a site's database; what should come out is counted
here, or taken from the plain interpreter.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import polars as pl
import pytest

from simulator.aggregates.released import Withheld
from simulator.hub.planner import Plan
from simulator.hub.result import Report, StudyResult
from simulator.language.criteria import Domain
from simulator.language.study import Arm, Cohort, Question, Step, Study
from simulator.language.walk import sets_named
from simulator.privacy.releases import EXACT
from simulator.site.catalogue import CATALOGUE, CatalogueFile
from tests.journeys.copies import STUDY, asked, changing, client, cohort, own, rewrite, sites_of

DATES_STEP = "embolization from January 2016 to July 2024"


@pytest.fixture(scope="module")
def exact(as_reported: Path) -> Report:
    return asked(as_reported, release="exact")


@pytest.fixture(scope="module")
def secure(as_reported: Path) -> Report:
    return asked(as_reported)


@pytest.fixture(scope="module")
def small(few_to_read: Path) -> StudyResult:
    """What the twelve largest sites say together."""
    return asked(few_to_read, release="exact").result


EMBOLIZATIONS = (
    "SELECT DISTINCT procedure_occurrence_id FROM procedure_occurrence p JOIN concept c"
    " ON c.concept_id IN (p.procedure_concept_id, p.procedure_source_concept_id)"
    " WHERE p.person_id = ? AND c.vocabulary_id = 'CPT4' AND c.concept_code = '37243'"
)


def with_one_embolization(
    database: duckdb.DuckDBPyConnection, patients: pl.DataFrame
) -> tuple[dict[str, Any], int]:
    """The first of some patients who has a single one, and that one."""
    for patient in patients.rows(named=True):
        found = database.execute(EMBOLIZATIONS, [patient["person_id"]]).fetchall()
        if len(found) == 1:
            return patient, found[0][0]
    raise LookupError


def headline(result: StudyResult) -> dict[str, tuple[object, ...]]:
    """The figures that a reader looks at first, by arm."""
    return {
        arm.arm: (
            arm.patients,
            arm.median_months.estimate,
            next(mark.estimate for mark in arm.survival if mark.months == 36),
        )
        for arm in result.arms
    }


def reasons(result: StudyResult) -> dict[str, int]:
    return {
        reason: number
        for ground in result.network.not_eligible
        for reason, number in ground.reasons.items()
    }


# The network as reported


def test_the_network_as_reported(secure: Report) -> None:
    network = secure.result.network
    assert network.organisations == 145
    assert (network.eligible, network.asked, network.answered) == (68, 68, 68)
    assert network.failed == ()
    assert secure.result.cohort.patients == 418
    assert [arm.patients for arm in secure.result.arms] == [167, 42, 167, 42]


def test_the_77_others_are_left_out_for_at_least_four_reasons(secure: Report) -> None:
    told = reasons(secure.result)
    assert sum(told.values()) == 145 - 68
    assert len(told) >= 4
    for ground in secure.result.network.not_eligible:
        assert sum(ground.reasons.values()) == ground.sites


def test_every_eligible_site_holds_a_patient_and_no_other_does(
    truth: pl.DataFrame, exact: Report
) -> None:
    assert exact.result.network.with_matches == truth["site"].n_unique() == 68
    assert exact.result.cohort.patients == truth.height == 418


def test_both_releases_count_the_same_patients(exact: Report, secure: Report) -> None:
    steps = zip(exact.result.cohort.attrition, secure.result.cohort.attrition, strict=True)
    for one, other in steps:
        assert isinstance(other.patients, Withheld) or one == other


@pytest.mark.parametrize("jobs", [1, 4])
def test_the_same_question_has_the_same_result(
    few_to_read: Path, small: StudyResult, jobs: int
) -> None:
    again = asked(few_to_read, release="exact", jobs=jobs)
    assert again.result == small
    assert again.run.result_fingerprint == small.fingerprint


def asking(steps: tuple[Step, ...], arms: tuple[Arm, ...]) -> Study:
    """The study with other steps and arms."""
    narrowed = Cohort(STUDY.question.cohort.index, steps)
    used = sets_named(narrowed, arms)
    question = Question(
        tuple(codes for codes in STUDY.question.codes if codes.name in used),
        narrowed,
        arms,
        STUDY.question.outcome,
        STUDY.question.follow_up,
    )
    analyses = msgspec.structs.replace(STUDY.analyses, reference=arms[0].name)
    return msgspec.structs.replace(STUDY, question=question, analyses=analyses, reported=None)


@pytest.mark.parametrize("place", range(len(STUDY.question.cohort.steps)))
def test_the_query_less_any_one_criterion_finds_more(
    few_to_read: Path, small: StudyResult, place: int
) -> None:
    *kept, last = (
        step for number, step in enumerate(STUDY.question.cohort.steps) if number != place
    )
    # The study's arms ask the carrier and the drug again; one arm of whoever is left does not.
    looser = asking(tuple(kept), (Arm("everyone", last.require),))
    found = asked(few_to_read, looser, "exact").result.cohort.patients
    assert isinstance(found, int)
    assert isinstance(small.cohort.patients, int)
    assert found > small.cohort.patients


# One row less, one day later


def test_a_patient_without_index_procedure_is_not_counted(
    network: Path, truth: pl.DataFrame, exact: Report
) -> None:
    site = truth["site"][0]
    with changing(network / site) as database:
        patient, row = with_one_embolization(database, truth.filter(pl.col("site") == site))
        database.execute(
            "DELETE FROM procedure_occurrence WHERE procedure_occurrence_id = ?", [row]
        )
    result = asked(network, release="exact").result
    expected = [arm.patients for arm in exact.result.arms]
    expected[patient["arm"]] -= 1
    assert result.cohort.patients == 417
    assert [arm.patients for arm in result.arms] == expected


@pytest.mark.parametrize(
    ("day", "fewer"), [("2024-07-31", 0), ("2024-08-01", 1)], ids=["the last day", "the next day"]
)
def test_an_index_is_counted_up_to_the_last_day_of_july_2024(
    few: Path, small: StudyResult, truth: pl.DataFrame, day: str, fewer: int
) -> None:
    here = truth.filter(pl.col("site").is_in([site.name for site in sites_of(few)]))
    patient = here.sort("index_date").row(-1, named=True)
    with changing(few / patient["site"]) as database:
        # The index moves together with all that stands around it, so that only the date decides.
        for table, column in (
            ("procedure_occurrence", "procedure_date"),
            ("drug_exposure", "drug_exposure_start_date"),
        ):
            database.execute(
                f"UPDATE {table} SET {column} = {column} + (?::DATE - ?::DATE)::INTEGER"  # noqa: S608
                " WHERE person_id = ?",
                [day, patient["index_date"], patient["person_id"]],
            )
    told = [cohort(site) for site in sites_of(few)]
    result = asked(few, release="exact").result
    assert isinstance(small.cohort.patients, int)
    assert result.cohort.patients == pl.concat(told).height == small.cohort.patients - fewer


def test_a_death_a_month_earlier_moves_one_arm_as_the_interpreter_says(
    few: Path, small: StudyResult, truth: pl.DataFrame
) -> None:
    names = [site.name for site in sites_of(few)]
    dead = truth.filter(pl.col("site").is_in(names) & pl.col("event") & (pl.col("days") > 90))
    patient = dead.row(0, named=True)
    with changing(few / patient["site"]) as database:
        database.execute(
            "UPDATE death SET death_date = death_date - 31 WHERE person_id = ?",
            [patient["person_id"]],
        )
    followed = pl.concat([cohort(site) for site in sites_of(few)])
    result = asked(few, release="exact").result
    for place, (arm, before) in enumerate(zip(result.arms, small.arms, strict=True)):
        rows = followed.filter(pl.col("arm") == place)
        assert (arm.patients, arm.events) == (rows.height, rows["event"].sum())
        assert (arm == before) == (place != patient["arm"])


# A site changes


def test_a_site_without_procedures_is_no_longer_asked(
    network: Path, truth: pl.DataFrame, exact: Report
) -> None:
    site = truth["site"][100]
    with changing(network / site) as database:
        database.execute("DELETE FROM procedure_occurrence")
    result = asked(network, release="exact").result
    assert result.network.eligible == result.network.answered == 67
    assert result.cohort.patients == 418 - truth.filter(pl.col("site") == site).height
    before = reasons(exact.result)
    why = "no procedures held"
    assert reasons(result) == before | {why: before[why] + 1}


PERSON_TABLES = (
    "person",
    "observation_period",
    "visit_occurrence",
    "condition_occurrence",
    "drug_exposure",
    "procedure_occurrence",
    "measurement",
    "death",
)


@pytest.mark.parametrize("release", ["exact", "secure-sum"])
def test_a_site_that_is_split_in_two_changes_no_number(
    few: Path, few_to_read: Path, release: str
) -> None:
    before = asked(few_to_read, release=release).result
    site = sites_of(few)[3]
    other = few / f"{site.name}-east"
    other.mkdir()
    for path in site.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    for place, kept in ((site, 0), (other, 1)):
        with changing(place) as database:
            for table in PERSON_TABLES:
                database.execute(f"DELETE FROM {table} WHERE person_id % 2 <> ?", [kept])  # noqa: S608
        assert cohort(place).height > 0
    line = f"  - {{site: {site.name},"
    rewrite(few / "network.yaml", line, f"  - {{site: {other.name}}}\n{line}")
    after = asked(few, release=release).result
    assert after.network.answered == before.network.answered + 1
    for part in ("cohort", "arms", "log_rank", "hazard_ratios"):
        assert getattr(after, part) == getattr(before, part)


Change = Callable[[CatalogueFile], CatalogueFile]


def _without(domain: Domain) -> Change:
    def change(known: CatalogueFile) -> CatalogueFile:
        held = tuple(one for one in known.catalogue.holdings if one.domain is not domain)
        catalogue = msgspec.structs.replace(known.catalogue, holdings=held)
        return msgspec.structs.replace(known, catalogue=catalogue)

    return change


def _without_codes(vocabulary: str) -> Change:
    def change(known: CatalogueFile) -> CatalogueFile:
        kept = {name: codes for name, codes in known.codes.items() if name != vocabulary}
        return msgspec.structs.replace(known, codes=kept)

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_without(Domain.CONDITION), "no diagnoses held"),
        (_without(Domain.PROCEDURE), "no procedures held"),
        (_without(Domain.DRUG), "no drugs held"),
        (_without_codes("CPT4"), "no code of 'tumour embolization' known"),
        (_without_codes("ICD10CM"), "no code of 'liver metastasis' known"),
        (_without(Domain.VISIT), None),
        (_without_codes("LOINC"), None),
    ],
)
def test_one_property_of_a_catalogue_decides_about_that_site_alone(
    few: Path, change: Change, reason: str | None
) -> None:
    def plan() -> Plan:
        return client(few, "exact").plan(STUDY, EXACT)

    before = plan()
    site = before.roster[7]
    path = own(few / site / CATALOGUE)
    known = msgspec.json.decode(path.read_bytes(), type=CatalogueFile)
    path.write_bytes(msgspec.json.encode(change(known)))
    after = plan()
    lost = [name for name in before.roster if name not in after.roster]
    assert lost == ([] if reason is None else [site])
    told = {name: verdict.reason for name, verdict in after.left_out.items()}
    assert told == ({} if reason is None else {site: reason})


# Other people


def test_the_network_as_modelled_has_other_figures(as_modelled: Path, exact: Report) -> None:
    modelled, reported = asked(as_modelled, release="exact").result, exact.result
    assert modelled.network.answered == reported.network.answered == 68
    for arm, figures in headline(modelled).items():
        for one, other in zip(figures, headline(reported)[arm], strict=True):
            assert one != other
    assert modelled.log_rank is not None
    assert reported.log_rank is not None
    assert modelled.log_rank.statistic != reported.log_rank.statistic
