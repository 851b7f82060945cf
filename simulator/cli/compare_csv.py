"""Writes a comparison of releases as CSV, one line for each release and place."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

from simulator.cli.layout import cell

if TYPE_CHECKING:
    from simulator.laboratory.compare_values import CompareReport, Held

_PARTS: Final = (
    *("truth", "estimate", "error", "at_least", "at_most"),
    *("outside", "beyond", "width", "deviation", "root_mean_square"),
)


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
            *("time", "log_rank_p", "true_p", "worst_hazard_ratio_factor", "alone_in_a_cell"),
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
                *(row.unit, row.log_rank_p, result.truth.on(row.unit).log_rank_p),
                *(row.worst_factor, row.alone),
                *(row.withheld_sites, row.withheld_cells),
                *(cost.bytes_sent + cost.bytes_received, cost.seconds, row.refused),
            ]
        )
    return text.getvalue()


def _named(what: str) -> list[str]:
    return [f"{what}_{part}" for part in _PARTS]


def _held(held: Held | None) -> list[float | None]:
    return [None if held is None else getattr(held, part) for part in _PARTS]
