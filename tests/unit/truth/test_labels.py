from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl

from simulator.language.reading import parse_study
from simulator.language.study import Question
from simulator.truth.labels import Someone, compare_labels

INDEX_DAY = dt.date(2020, 5, 1)


def question() -> Question:
    return parse_study(
        "study: s\nversion: 1\ntitle: t\ncodes: {}\nindex: {drug: any, occurrence: first}\n"
        "steps:\n  - {step: one, require: {sex: male}}\n  - {step: two, require: {sex: male}}\n"
        "arms:\n  a: {sex: male}\n  b: {sex: male}\noutcome: death\nfollow up: {months: 12}\n"
        "analyses: {survival at months: []}\n"
    ).question


def labels(folder: Path, site: str, *rows: tuple[int, str, str, str | None]) -> None:
    """A truth file with (person, label, excluded by, arm); all with 9 days and an event."""
    (folder / "truth").mkdir(exist_ok=True)
    names = ["person_id", "label", "excluded_by", "arm"]
    truth = pl.DataFrame(rows, schema=names, orient="row").with_columns(
        index_date=INDEX_DAY, recorded_days=9, recorded_event=True, receptor_negative=False
    )
    truth.write_parquet(folder / "truth" / f"{site}.parquet")


def chosen(*rows: tuple[int, int, int | None]) -> pl.DataFrame:
    """What the interpreter returns for (person, steps passed, place of the arm)."""
    schema = {"person_id": pl.Int64, "steps_passed": pl.Int64, "arm": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        arms_matched=pl.col("arm").is_not_null().cast(pl.Int64),
        index_date=INDEX_DAY,
        days=9,
        event=True,
    )


def test_everyone_told_as_they_are(tmp_path: Path) -> None:
    labels(
        tmp_path,
        "north",
        (1, "cohort", "", "a"),
        (2, "cohort", "", "b"),
        (3, "no systemic therapy", "two", None),
        (4, "mapping only", "index", None),
        (5, "elsewhere", "site", None),
    )
    frame = chosen((1, 2, 0), (2, 2, 1), (3, 1, None), (5, 2, None), (77, 0, None))
    report = compare_labels(tmp_path, question(), {"north": frame})
    assert report.agree
    assert (report.labelled, report.chosen) == (2, 2)
    assert report.sentences() == (
        "2 patients labelled as cohort, 2 chosen",
        "no patient is missed, wrongly included or in a wrong arm",
    )


def test_each_kind_of_disagreement_names_the_patient(tmp_path: Path) -> None:
    labels(
        tmp_path,
        "north",
        (1, "cohort", "", "a"),
        (2, "cohort", "", "a"),
        (3, "cohort", "", "a"),
        (4, "other primary", "one", None),
        (5, "drugs after", "two", None),
        (6, "mapping only", "index", None),
    )
    labels(tmp_path, "south", (1, "cohort", "", "b"))
    north = chosen((1, 2, 1), (2, 1, None), (4, 2, 0), (5, 0, None), (6, 0, None), (8, 2, 0))
    south = chosen((1, 2, 1)).with_columns(days=10)
    report = compare_labels(tmp_path, question(), {"north": north, "south": south})
    assert not report.agree
    assert (report.labelled, report.chosen) == (4, 4)
    assert report.missed == (Someone("north", 2, "cohort"), Someone("north", 3, "cohort"))
    assert report.wrongly_included == (
        Someone("north", 4, "other primary"),
        Someone("north", 8, ""),
    )
    assert report.wrong_arm == (Someone("north", 1, "cohort"),)
    assert report.wrong_time == (Someone("south", 1, "cohort"),)
    assert report.wrong_step == (
        Someone("north", 4, "other primary"),
        Someone("north", 5, "drugs after"),
        Someone("north", 6, "mapping only"),
    )
    assert report.sentences()[1] == "2 missed, such as person 2 at 'north', labelled 'cohort'"
    assert str(Someone("north", 8, "")) == "person 8 at 'north'"


def test_index_date_and_event_are_compared_too(tmp_path: Path) -> None:
    labels(tmp_path, "north", (1, "cohort", "", "a"), (2, "cohort", "", "a"))
    frame = chosen((1, 2, 0), (2, 2, 0)).with_columns(
        event=pl.Series([True, False]), index_date=pl.Series([dt.date(2020, 5, 2), INDEX_DAY])
    )
    report = compare_labels(tmp_path, question(), {"north": frame})
    assert [someone.person_id for someone in report.wrong_time] == [1, 2]


def test_sites_without_labels_are_named(tmp_path: Path) -> None:
    frame = chosen((1, 2, 0))
    report = compare_labels(tmp_path, question(), {"north": frame})
    assert report.unlabelled == ("north",)
    assert (report.labelled, report.chosen) == (0, 0)
    labels(tmp_path, "south", (1, "cohort", "", "a"))
    report = compare_labels(tmp_path, question(), {"north": frame, "south": frame})
    assert report.unlabelled == ("north",)
    assert report.chosen == 1
    assert report.sentences()[1] == "1 sites have no labels"
