"""Writes a study's result as CSV: one line for each arm and landmark."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from simulator.aggregates.released import Noisy, Partial, Released
from simulator.cli.layout import cell

if TYPE_CHECKING:
    from simulator.hub.analyses.results import ArmResult, Landmark
    from simulator.hub.result import StudyResult

_COUNTS = ("patients", "events", "at_risk")


def as_csv(result: StudyResult) -> str:
    """One line for each arm and landmark.

    Columns that only some releases fill stand at the end, and only there: the standard error of
    the noise of each count, what was shown of each count that is known in part, and the bounds of
    survival. Where there are no intervals, there are no columns for them.
    """
    lines = [(arm, mark) for arm in result.arms for mark in arm.survival]
    counts = [count for arm, mark in lines for count in _counts(arm, mark)]
    header = ["arm", "patients", "events", "months", "at_risk", "survival"]
    header += [] if result.is_as_shown else ["lower", "upper"]
    noisy = any(isinstance(count, Noisy) for count in counts)
    partial = any(isinstance(count, Partial) for count in counts)
    bounded = any(mark.bounds is not None for _, mark in lines)
    header += [f"{name}_standard_error" for name in _COUNTS] if noisy else []
    header += [f"{name}_shown" for name in _COUNTS] if partial else []
    header += ["survival_at_least", "survival_at_most"] if bounded else []
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for arm, mark in lines:
        patients, events, at_risk = map(cell, _counts(arm, mark))
        row: list[object] = [arm.arm, patients, events, mark.months, at_risk]
        row += [mark.estimate] if result.is_as_shown else [mark.estimate, mark.lower, mark.upper]
        row += [_error(count) for count in _counts(arm, mark)] if noisy else []
        row += [_shown(count) for count in _counts(arm, mark)] if partial else []
        row += _bounds(mark) if bounded else []
        writer.writerow(row)
    return text.getvalue()


def _counts(arm: ArmResult, mark: Landmark) -> tuple[Released, Released, Released]:
    return arm.patients, arm.events, mark.at_risk


def _error(count: Released) -> str:
    return f"{count.standard_error:.3f}" if isinstance(count, Noisy) else ""


def _shown(count: Released) -> int | str:
    return count.shown if isinstance(count, Partial) else ""


def _bounds(mark: Landmark) -> list[object]:
    found = mark.bounds
    return ["", ""] if found is None else [found.at_least, found.at_most]
