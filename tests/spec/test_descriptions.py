from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from simulator.aggregates.table import Table
from simulator.language.codes import Code, ConceptSet
from simulator.language.criteria import Domain, Events
from simulator.language.study import Cohort, FollowUp, Question
from simulator.messages.describing import (
    ArrivalNeed,
    CalendarNeed,
    CodesNeed,
    DemographicsNeed,
    FollowUpNeed,
    LabsNeed,
    LabTest,
    PathwaysNeed,
    RaceNeed,
    Years,
)
from simulator.messages.needs import layout_of
from simulator.site.store import Store
from tests.support.asking import Site, question
from tests.support.engines import Engine
from tests.support.omop import write_omop

STEP = "  - {step: a tumour, require: {condition: tumour}}"


def filled(table: Table) -> dict[tuple[str, ...] | str, int]:
    """The cells that are not zero, by their labels."""
    axes, found = table.layout.axes, {}
    for place in zip(*table.values[..., 0].nonzero(), strict=True):
        labels = tuple(axis.labels[at] for axis, at in zip(axes, place, strict=True))
        found[labels if len(labels) > 1 else labels[0]] = int(table.values[(*place, 0)])
    return found


def test_sex_and_age_are_those_at_index_of_who_passes_every_step(site: Site) -> None:
    people = """
    record                                    | because
    index on 0, tumour on 0, born 1960        | 60
    index on 0, tumour on 0, born 1961        | 59
    index on 366, tumour on 0, born 1961      | 60: the index is in 2021
    index on 0, tumour on 0, born 1940, male  | 80
    index on 0, tumour on 0, born 2003        | 17
    index on 0, tumour on 0, born 2002        | 18
    index on 0, tumour on 0, born 1990        | 30
    index on 0, tumour on 0, born 2021        | not born yet
    index on 0, tumour on 0, born ?, sex unknown | neither
    index on 0, born 1960                     | no tumour
    """
    assert filled(site.ask(question(steps=STEP), people, DemographicsNeed())) == {
        ("female", "60-69"): 2,
        ("female", "50-59"): 1,
        ("male", "80+"): 1,
        ("female", "0-17"): 1,
        ("female", "18-29"): 1,
        ("female", "30-39"): 1,
        ("female", "not recorded"): 1,
        ("not recorded", "not recorded"): 1,
    }


def test_race_is_what_the_records_say(tmp_path: Path, engine: Engine) -> None:
    races = [8527, 8527, 8516, 8515, 8657, 8557, 0, 99]
    persons = {"person_id": list(range(len(races))), "race_concept_id": races}
    people = pl.DataFrame(persons)
    deaths = people.select("person_id", death_date=pl.lit(dt.date(2020, 1, 1)))
    store = Store(write_omop(tmp_path, {"person": people, "death": deaths}))
    asked = Question((), Cohort(Events(Domain.DEATH)), follow_up=FollowUp(1))
    try:
        (table,) = engine(store, asked, [RaceNeed()], death_by_month=False)
    finally:
        store.close()
    assert filled(table) == {
        "White": 2,
        "Black or African American": 1,
        "Asian": 1,
        "American Indian or Alaska Native": 1,
        "Native Hawaiian or other Pacific Islander": 1,
        "other or not recorded": 2,
    }


def test_arrival_is_by_quarter_with_what_lies_before_and_after(site: Site) -> None:
    people = """
    record
    index on 2018-12-31
    index on 2019-01-01
    index on 2019-03-31
    index on 2019-04-01
    index on 2020-12-31
    index on 2021-07-01
    """
    assert filled(site.ask(question(), people, ArrivalNeed(Years(2019, 2020)))) == {
        ("before 2019", "fourth quarter"): 1,
        ("2019", "first quarter"): 2,
        ("2019", "second quarter"): 1,
        ("2020", "fourth quarter"): 1,
        ("after 2020", "third quarter"): 1,
    }


@pytest.mark.parametrize(
    ("record", "observed", "prevalent", "days"),
    [
        (
            "watched 2019-12-30 to 2020-01-02",
            (1, 1),
            (0, 0),
            (2, 2),
        ),  # no index: at risk throughout
        ("watched 2020-01-01 to 2020-01-10, index on 2020-01-05", (0, 1), (0, 1), (0, 4)),
        ("watched 2019-12-01 to 2020-01-10, index on 2020-01-05", (1, 1), (0, 1), (31, 4)),
        ("watched 2020-02-01 to 2020-02-03, index on 2020-01-05", (0, 1), (0, 1), (0, 0)),
        ("watched 2019-12-30 to 2019-12-31, index on 2020-01-05", (1, 0), (0, 0), (2, 0)),
        ("watched 2019-12-30 to 2020-01-02, index on 2019-06-01", (1, 1), (1, 1), (0, 0)),
        (
            "watched 2020-01-01 to 2020-01-05, watched 2020-01-03 to 2020-01-08",
            (0, 1),
            (0, 0),
            (0, 8),
        ),
        (
            "watched 2020-01-01 to 2020-01-05, watched 2020-01-01 to 2020-01-05",
            (0, 1),
            (0, 0),
            (0, 5),
        ),
        (
            "watched 2020-01-01 to 2020-01-02, watched 2020-01-07 to 2020-01-08",
            (0, 1),
            (0, 0),
            (0, 4),
        ),
        ("watched 2020-01-05 to 2020-01-01, watched ? to 2020-01-09", (0, 0), (0, 0), (0, 0)),
        ("index on 2020-01-05", (0, 0), (0, 0), (0, 0)),
    ],
)
def test_everyone_is_counted_by_year_and_at_risk_until_the_index(
    site: Site,
    record: str,
    observed: tuple[int, int],
    prevalent: tuple[int, int],
    days: tuple[int, int],
) -> None:
    table = site.ask(question(), f"record\n{record}", CalendarNeed(Years(2019, 2020)))
    assert table.values.T.tolist() == [[*observed], [*prevalent], [*days]]


def test_who_does_not_pass_the_steps_stays_at_risk(site: Site) -> None:
    people = """
    record
    index on 2020-01-02, watched 2020-01-01 to 2020-01-10
    index on 2020-01-02, tumour on 0, watched 2020-01-01 to 2020-01-10
    """
    table = site.ask(question(steps=STEP), people, CalendarNeed(Years(2020, 2020)))
    assert table.flat().tolist() == [2, 1, 10 + 1]


def test_follow_up_is_of_all_arms_together(site: Site) -> None:
    asked = question(arms="  tested: {measurement: test}")
    people = """
    record                              | ends
    index on 0, dead on 40, watched 0 to 400 | month 2, with the outcome
    index on 0, watched 0 to 40         | month 2, without
    index on 0, watched 0 to 4000       | the horizon
    """
    table = site.ask(asked, people, FollowUpNeed(12))
    assert table.values[0, 1].tolist() == [1, 1]
    assert table.values[0, 11].tolist() == [0, 1]
    assert table.values.sum() == 3


def test_who_is_watched_beyond_the_follow_up_stands_in_the_month_after_it(site: Site) -> None:
    asked = question(months=12)
    people = """
    record                                    | ends
    index on 0, watched 0 to 365              | in the last month
    index on 0, watched 0 to 366              | after it
    index on 0, watched 0 to 4000             | after it
    index on 0, dead on 366, watched 0 to 400 | after it
    """
    table = site.ask(asked, people, FollowUpNeed(13))
    assert table.values[0, 11:].sum(axis=1).tolist() == [1, 3]
    assert table.values.sum() == 4


def test_codes_count_patients_with_any_fact_up_to_the_index(site: Site) -> None:
    sets = (
        ConceptSet("breast", (Code("ICD10CM", "C50", descendants=True),)),
        ConceptSet(
            "but one",
            (Code("ICD10CM", "C50", descendants=True),),
            (Code("ICD10CM", "C50.911"),),
        ),
        ConceptSet("liver", (Code("ICD10CM", "C22"), Code("ICD10CM", "C78.7"))),
        ConceptSet("unknown", (Code("ICD10CM", "Z99"),)),
    )
    people = """
    record
    index on 0, tumour on 0, tumour on -5, metastasis on 1
    index on 0, condition ICD10CM C50.1 on -900
    index on 0, tumour on 1, metastasis on ?
    index on 0, metastasis on -1, scan on 0
    tumour on 0
    """
    table = site.ask(question(), people, CodesNeed(Domain.CONDITION, sets))
    assert table.layout.axes[0].labels == ("everyone", "breast", "but one", "liver", "unknown")
    assert table.flat().tolist() == [4, 2, 1, 1, 0]


def test_labs_take_the_latest_value_in_the_reference_unit(site: Site) -> None:
    tests = (LabTest("1975-2", "mg/dL", (1.0, 2.0)), LabTest("6301-6", "{INR}", (1.5,)))
    people = """
    record                                                  | bins of bilirubin and clotting
    index on 0, bilirubin 0.9 mg/dL on 0                    | below 1; none
    index on 0, bilirubin 1 mg/dL on -365                   | at 1: the bin above
    index on 0, bilirubin 5 mg/dL on -366                   | too early
    index on 0, bilirubin 5 mg/dL on 1                      | too late
    index on 0, bilirubin 5 mg/dL on -9, bilirubin 1.5 mg/dL on -8 | the latest
    index on 0, bilirubin 0.5 mg/dL on 0, bilirubin 3 mg/dL on 0   | the greatest of the day
    index on 0, bilirubin 34.3 umol/L on 0                  | 2.005 mg/dL
    index on 0, bilirubin 3 spoons on 0, bilirubin 3 on 0   | no unit that is known
    index on 0, clotting 1.2 on 0, clotting nan on 0        | a plain number
    index on 0, bilirubin 3 mg/dL on -9, bilirubin nan mg/dL on 0  | no number is no value
    """
    table = site.ask(question(), people, LabsNeed(tests))
    assert table.values[..., 0].tolist() == [[1, 2, 3, 4], [1, 0, 0, 9]]


def test_pathways_go_by_first_use_from_the_index_on(site: Site) -> None:
    asked = question()
    lines = tuple(Events(Domain.DRUG, name) for name in ("chemo", "immuno"))
    used = ("index", "chemo", "immuno")
    sets = {
        "index": ConceptSet("index", (Code("CPT4", "37243"),)),
        "chemo": ConceptSet("chemo", (Code("RxNorm", "3639", descendants=True),)),
        "immuno": ConceptSet("immuno", (Code("RxNorm", "1547545"),)),
    }
    asked = Question(
        tuple(sets[name] for name in used), asked.cohort, follow_up=FollowUp(12), lines=lines
    )
    people = """
    record
    index on 0, chemo on 5, immuno on 9, chemo on 20
    index on 0, immuno on 0, chemo on 9
    index on 0, chemo on 3, immuno on 3
    index on 0, chemo on -3, immuno on 3
    index on 0
    """
    table = site.ask(asked, people, PathwaysNeed())
    assert filled(table) == {
        ("chemo", "immuno", "none"): 2,  # on one day the first that is named comes first
        ("immuno", "chemo", "none"): 1,
        ("immuno", "none", "none"): 1,
        ("none", "none", "none"): 1,
    }
    assert table.layout == layout_of(PathwaysNeed(), asked)
