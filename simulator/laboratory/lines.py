"""What a verification compares, quantity by quantity."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import polars as pl

from simulator.aggregates.grid import Unit
from simulator.aggregates.released import Released
from simulator.hub.analyses.results import ArmResult
from simulator.hub.result import StudyResult
from simulator.language.study import ReportedArm, Study
from simulator.messages.needs import AttritionNeed
from simulator.truth.counted import tables
from simulator.truth.life_table import LifeTable, life_table
from simulator.truth.pooled import pool
from simulator.truth.values import ArmTruth, PooledTruth

_TOLERANCE: Final = 1e-9


class Line(msgspec.Struct, frozen=True):
    """One quantity three times: from sums, from pooled rows, and as it was reported.

    Attributes:
        quantity: What it is; bounds and details are indented by four.
        federated: From the sums of the sites.
        pooled: From the pooled rows that the interpreter chose.
        reported: By the publication.
        agrees: Whether the first two do.
    """

    quantity: str
    federated: float | None
    pooled: float | None
    reported: float | None
    agrees: bool

    @property
    def is_detail(self) -> bool:
        """Whether it is a bound or a count beside another quantity."""
        return self.quantity.startswith("    ")


def line(
    quantity: str,
    federated: float | None,
    pooled: float | None,
    reported: float | None = None,
    tolerance: float = _TOLERANCE,
) -> Line:
    """A line; two numbers agree within a relative and absolute tolerance, two gaps always."""
    if federated is None or pooled is None:
        agrees = federated is None and pooled is None
    else:
        agrees = math.isclose(federated, pooled, rel_tol=tolerance, abs_tol=tolerance)
    mine, theirs = (None if value is None else float(value) for value in (federated, pooled))
    return Line(quantity, mine, theirs, reported, agrees)


def counted(quantity: str, released: Released, pooled: float) -> Iterator[Line]:
    """A line for a count; what was withheld or rounded is compared with nothing."""
    if isinstance(released, int):
        yield line(quantity, released, pooled)


def cohort_lines(
    study: Study,
    result: StudyResult,
    asked: Sequence[pl.DataFrame],
    everywhere: Sequence[pl.DataFrame],
) -> Iterator[Line]:
    """The attrition at the asked sites, and the cohort at all of them.

    Sites that are not asked may hold patients who pass some steps, but never one who passes all. A
    withheld step is compared with nothing.
    """
    for step, count in zip(result.cohort.attrition, _attrition(study, asked), strict=True):
        if isinstance(step.patients, int):
            yield line(f"left: {step.step}", step.patients, count)
    total = result.cohort.patients
    reported = study.reported.patients if study.reported else None
    if isinstance(total, int):
        yield line("patients in the cohort", total, _attrition(study, everywhere)[-1], reported)


def _attrition(study: Study, frames: Sequence[pl.DataFrame]) -> list[int]:
    need = AttritionNeed()
    counts = [tables(frame, study.question, [need])[0].flat().tolist() for frame in frames]
    return [sum(step) for step in zip(*counts, strict=True)]


def day_lines(study: Study, result: StudyResult, pooled: PooledTruth) -> Iterator[Line]:
    """Every arm by day against lifelines."""
    for arm, truth in zip(result.arms, pooled.arms, strict=True):
        yield from _day_lines(arm, truth, _said(study, arm.arm))


def _said(study: Study, arm: str) -> ReportedArm:
    """What was reported of an arm, if anything."""
    arms = study.reported.arms if study.reported else ()
    return next((found for found in arms if found.arm == arm), ReportedArm(arm))


def _day_lines(arm: ArmResult, truth: ArmTruth, said: ReportedArm) -> Iterator[Line]:
    yield from counted(f"{arm.arm}: patients", arm.patients, truth.patients)
    yield from counted("  events", arm.events, truth.events)
    yield from counted("    censored", arm.censored, truth.patients - truth.events)
    median, other = arm.median_months, truth.median_months
    yield line("  median, months", median.estimate, other.estimate, said.median_months)
    yield line("    from", median.lower, other.lower)
    yield line("    to", median.upper, other.upper)
    followed = truth.median_follow_up_months.estimate
    yield line("  median follow-up, months", arm.median_follow_up_months, followed)
    if arm.rmst_months is not None:
        until = arm.rmst_months.months
        yield line(f"  mean to {until} months", arm.rmst_months.estimate, truth.mean_months)
    survival = dict(said.survival)
    for mark, there in zip(arm.survival, truth.survival, strict=True):
        name = f"  survival at {mark.months} months"
        yield line(name, mark.estimate, there.survival.estimate, survival.get(mark.months))
        yield line("    from", mark.lower, there.survival.lower)
        yield line("    to", mark.upper, there.survival.upper)
        yield from counted("    still watched", mark.at_risk, there.at_risk)
    for mine, theirs in zip(arm.quantiles_months, truth.quantiles_months, strict=True):
        yield line(f"    months to {mine.share:.0%}", mine.estimate, theirs.estimate)
        yield line("    from", mine.lower, theirs.lower)
        yield line("    to", mine.upper, theirs.upper)


def month_lines(
    study: Study, result: StudyResult, frames: Sequence[pl.DataFrame], unit: Unit = Unit.MONTH
) -> Iterator[Line]:
    """Every arm by month, or in coarser bins, against a life table of its own arithmetic."""
    rows = pool(frames, study.question)
    for arm in result.arms:
        chosen = rows.filter(pl.col("arm") == arm.arm).select("days", "event").iter_rows()
        table = life_table(chosen, study.question.follow_up.months, unit.width_months)
        yield from _month_lines(arm, table, _said(study, arm.arm))


def _month_lines(arm: ArmResult, table: LifeTable, said: ReportedArm) -> Iterator[Line]:
    yield from counted(f"{arm.arm}: patients", arm.patients, table.bins[0].at_start)
    median = said.median_months
    yield line("  median, months", arm.median_months.estimate, table.median(), median)
    if arm.rmst_months is not None:
        until = arm.rmst_months.months
        yield line(f"  mean to {until} months", arm.rmst_months.estimate, table.mean_to(until))
    survival = dict(said.survival)
    for mark in arm.survival:
        estimate, lower, upper = table.survival_at(mark.months)
        name = f"  survival at {mark.months} months"
        yield line(name, mark.estimate, estimate, survival.get(mark.months))
        yield line("    from", mark.lower, lower)
        yield line("    to", mark.upper, upper)
        watched = table.still_watched_at(mark.months)
        yield from counted("    still watched", mark.at_risk, watched)
    for mark in arm.curve:
        estimate, _, _ = table.survival_at(mark.months)
        yield line(f"    curve at {mark.months}", mark.estimate, estimate)
    for mine in arm.quantiles_months:
        yield line(f"    months to {mine.share:.0%}", mine.estimate, table.quantile(mine.share))
