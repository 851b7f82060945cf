"""Writes what only the laboratory may read: who the oncology patients of a site really are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from simulator.synthesis.courses import Courses
from simulator.synthesis.days import NEVER
from simulator.synthesis.labels import EXCLUDED_BY, LABELS
from simulator.synthesis.scenario import Scenario

TRUTH_FOLDER: Final = "truth"
PLAN_FILE: Final = "plan.json"


def column_of(arm: str) -> str:
    """The column that holds days to death under an arm: ``days_under_tare_immunotherapy``."""
    return "days_under_" + re.sub(r"[^a-z0-9]+", "_", arm.lower()).strip("_")


def truth_table(courses: Courses, who: NDArray[np.int64], scenario: Scenario) -> pa.Table:
    """One row for each oncology patient of a site.

    Patients of the second study have the group of their lesions as arm, and no days under the arms
    of the first.

    Args:
        courses: The patients, shape (n,).
        who: Their positions among the site's persons, shape (n,).
        scenario: The scenario.
    """
    labels = [LABELS[number] for number in courses.label]
    arms = [arm.name for arm in scenario.arms]
    groups = [] if scenario.second is None else [group.name for group in scenario.second.groups]
    names = arms + groups
    index = pa.array(courses.index).cast(pa.date32())
    death = pa.array(courses.death, mask=courses.death == NEVER).cast(pa.date32())
    columns = {
        "person_id": pa.array((who + 1).astype(np.int32)),
        "label": pa.array([str(label) for label in labels], pa.string()),
        "excluded_by": pa.array([EXCLUDED_BY[label] for label in labels], pa.string()),
        "arm": pa.array([names[number] for number in courses.arm], pa.string()),
        "index_date": index,
        "date_shift_days": pa.array(courses.shift),
        "true_days": pa.array(courses.true_days),
        "recorded_days": pa.array(courses.recorded_days),
        "recorded_event": pa.array(courses.recorded_event),
        "recorded_death_date": death,
        "observation_end_date": pa.array(courses.end).cast(pa.date32()),
        "age": pa.array(courses.age),
        "man": pa.array(courses.man),
        "receptor_negative": pa.array(courses.receptor_negative),
        "extrahepatic": pa.array(courses.extrahepatic),
        "high_burden": pa.array(courses.high_burden),
        "many_lines": pa.array(courses.many_lines),
        "poor_performance": pa.array(courses.poor_performance),
        "bilirubin": pa.array(courses.bilirubin),
    }
    elsewhere = courses.arm >= len(arms)
    for number, arm in enumerate(arms):
        under = np.ascontiguousarray(courses.under[:, number])
        columns[column_of(arm)] = pa.array(under, mask=elsewhere)
    return pa.table(columns)


def write_truth(table: pa.Table, path: Path) -> None:
    """Writes the truth of a site."""
    pq.write_table(table, path)
