from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from simulator.site.store import Store
from simulator.truth.counted import in_an_arm
from simulator.truth.interpreter import patients
from tests.support import records
from tests.support.asking import question
from tests.support.omop import DAY_ZERO, write_omop

ASKED = question(
    steps="  - {step: a tumour, require: {condition: tumour}}\n"
    "  - {step: and a test, require: {measurement: test}}",
    arms="  chemo: {drug: chemo}\n  immuno: {drug: immuno}",
)


def chosen(folder: Path, *people: tuple[int, str], death_by_month: bool = False) -> pl.DataFrame:
    """What the interpreter says of patients given by identifier and record."""
    drawn = [(identifier, records.record(text)) for identifier, text in people]
    store = Store(write_omop(folder, records.rows(drawn), long_ids=True))
    try:
        return patients(store, ASKED, death_by_month=death_by_month)
    finally:
        store.close()


def test_one_row_for_each_patient_with_an_index(tmp_path: Path) -> None:
    frame = chosen(
        tmp_path,
        (2**62, "index on 3, tumour on 0, test on 0, chemo on 0, watched 0 to 9"),
        (5, "index on 0, index on 1, test on 0, chemo on 0, immuno on 0"),
        (9, "tumour on 0"),
        (7, "index on 0, tumour on 0, dead on 4, watched -5 to 9"),
    )
    assert frame.columns == [
        "person_id",
        "index_date",
        "steps_passed",
        "arm",
        "arms_matched",
        "days",
        "event",
    ]
    assert frame.rows() == [
        (5, DAY_ZERO, 0, None, 2, 0, False),
        (7, DAY_ZERO, 1, None, 0, 4, True),
        (2**62, DAY_ZERO + dt.timedelta(3), 2, 0, 1, 9 - 3, False),
    ]
    assert in_an_arm(frame, ASKED)["person_id"].to_list() == [2**62]


@pytest.mark.parametrize("death_by_month", [False, True])
def test_nobody_is_told_of_with_the_same_columns(tmp_path: Path, *, death_by_month: bool) -> None:
    nobody = chosen(tmp_path / "a", death_by_month=death_by_month)
    someone = chosen(tmp_path / "b", (1, "index on 0"), death_by_month=death_by_month)
    assert nobody.height == 0
    assert nobody.schema == someone.schema


def test_a_table_that_is_not_omop_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="not tables of OMOP: \\['persons'\\]"):
        write_omop(tmp_path, {"persons": pl.DataFrame()})
