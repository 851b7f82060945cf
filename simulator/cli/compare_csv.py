"""Writes a comparison of releases as CSV, one line for each release and place."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from simulator.cli.layout import cell

if TYPE_CHECKING:
    from simulator.laboratory.compare_values import CompareReport, Held


def as_csv(report: CompareReport) -> str:
    """One line for each row; a number that was not let out is empty."""
    result = report.result
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        [
            *("release", "place", "epsilon", "group", "runs", "shown"),
            *_named("cohort"),
            *_named("worst_arm"),
            "months",
            *_named("worst_survival"),
            *("log_rank_p", "true_p", "worst_hazard_ratio_factor", "alone_in_a_cell"),
            *("withheld_sites", "withheld_cells", "bytes", "seconds", "refused"),
        ]
    )
    for row, cost in zip(result.rows, report.run.costs, strict=True):
        writer.writerow(
            [
                *(row.release, row.place, row.epsilon, row.group, row.repeats),
                "" if row.shown is None else cell(row.shown),
                *_held(row.total),
                *_held(row.worst_arm),
                result.months,
                *_held(row.worst_survival),
                *(row.log_rank_p, result.truth.log_rank_p, row.worst_factor, row.alone),
                *(row.withheld_sites, row.withheld_cells),
                *(cost.bytes_sent + cost.bytes_received, cost.seconds, row.refused),
            ]
        )
    return text.getvalue()


def _named(what: str) -> list[str]:
    parts = ("truth", "estimate", "error", "at_least", "at_most", "outside", "width", "deviation")
    return [f"{what}_{part}" for part in parts]


def _held(held: Held | None) -> list[float | None]:
    if held is None:
        return [None] * 8
    return [
        *(held.truth, held.estimate, held.error, held.at_least),
        *(held.at_most, held.outside, held.width, held.deviation),
    ]
