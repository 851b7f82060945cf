"""Makes the files of a report: the page, and the survival figure for slides and papers."""

from __future__ import annotations

from simulator.hub.result import Report
from simulator.language.study import Study
from simulator.report.answer import patients_of
from simulator.report.curves import axes_of
from simulator.report.figures import survival_png, survival_svg
from simulator.report.page import page


def files(report: Report, study: Study) -> dict[str, bytes]:
    """The content of each file by its name.

    Args:
        report: What was found.
        study: What was asked.
    """
    arms, words = report.result.arms, axes_of(study, patients_of(report.result))
    return {
        "report.html": page(report, study).encode(),
        "survival.svg": survival_svg(arms, words).encode(),
        "survival.png": survival_png(arms, words),
    }
