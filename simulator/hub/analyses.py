"""Analyses: generators that say what they need, are sent released tables, and return results.

An analysis yields a frozen set of needs and receives, for each, what was released. `run` drives all
analyses of a study in step and unites their needs, so that one pass over a site serves them all.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.released import Released
from simulator.aggregates.survival import SurvivalTable
from simulator.errors import UserError
from simulator.hub.result import (
    ArmResult,
    AttritionStep,
    HazardRatioResult,
    Interval,
    Landmark,
    LogRankResult,
    RestrictedMean,
)
from simulator.language.study import Study
from simulator.messages.needs import AssignmentNeed, AttritionNeed, Need, SurvivalNeed
from simulator.privacy.releases import Release
from simulator.statistics.cox import all_contrasts, cox
from simulator.statistics.estimates import Estimate
from simulator.statistics.kaplan_meier import (
    Curve,
    at_risk_at,
    kaplan_meier,
    reverse_kaplan_meier,
    survival_at,
)
from simulator.statistics.log_rank import log_rank
from simulator.statistics.quantiles import median
from simulator.statistics.restricted_mean import restricted_mean


@dataclass(frozen=True)
class ReleasedCounts:
    """Counts with a label each, small ones withheld."""

    labels: tuple[str, ...]
    counts: tuple[Released, ...]


ReleasedTables = Mapping[Need, ReleasedCounts | SurvivalTable]


@dataclass(frozen=True)
class Funnel:
    """The attrition of a cohort, and how its patients fall into arms."""

    steps: tuple[AttritionStep, ...]
    assignment: ReleasedCounts

    @property
    def patients(self) -> Released:
        """Patients in exactly one arm."""
        return self.steps[-1].patients


@dataclass(frozen=True)
class Comparison:
    """The arms and how they differ."""

    arms: tuple[ArmResult, ...]
    log_rank: LogRankResult | None
    hazard_ratios: tuple[HazardRatioResult, ...]


Part = Funnel | Comparison
Analysis = Generator[frozenset[Need], ReleasedTables, Part]


def analyses_of(study: Study, release: Release) -> tuple[Analysis, ...]:
    """Every analysis of a study, ready to start."""
    return (_funnel(), _comparison(study, release))


def _funnel() -> Analysis:
    attrition, assignment = AttritionNeed(), AssignmentNeed()
    released = yield frozenset({attrition, assignment})
    steps = _counts(released, attrition)
    return Funnel(
        tuple(
            AttritionStep(label, count)
            for label, count in zip(steps.labels, steps.counts, strict=True)
        ),
        _counts(released, assignment),
    )


def _counts(released: ReleasedTables, need: Need) -> ReleasedCounts:
    found = released[need]
    if not isinstance(found, ReleasedCounts):
        raise TypeError(f"counts were expected for {need}")
    return found


def _comparison(study: Study, release: Release) -> Analysis:
    unit = Unit.DAY if release.by_day else Unit.MONTH
    need = SurvivalNeed(Grid(unit, study.question.follow_up.months))
    released = yield frozenset({need})
    table = released[need]
    if not isinstance(table, SurvivalTable):
        raise TypeError(f"a survival table was expected for {need}")
    _check_arms(table)
    arms = tuple(_arm(study, table, arm) for arm in table.arms)
    if len(arms) == 1:
        return Comparison(arms, None, ())
    test = log_rank(table)
    fit = cox(table, reference=study.analyses.reference)
    return Comparison(
        arms,
        LogRankResult(test.statistic, test.degrees_of_freedom, test.p),
        tuple(
            HazardRatioResult(
                ratio.arm,
                ratio.reference,
                ratio.estimate,
                ratio.lower,
                ratio.upper,
                ratio.p,
                ratio.p_adjusted,
            )
            for ratio in all_contrasts(fit)
        ),
    )


def _check_arms(table: SurvivalTable) -> None:
    if not table.patients.any():
        raise UserError(
            "no patient is in any arm, so there is nothing to compare",
            hint="Some step or code asks for too much: drop steps until patients are left.",
        )
    empty = [arm for arm, n in zip(table.arms, table.patients, strict=True) if n == 0]
    if empty:
        raise UserError(
            f"the arm '{empty[0]}' has no patients, so there is nothing to compare",
            hint="Look at the arm's criteria.",
        )


def _arm(study: Study, table: SurvivalTable, arm: str) -> ArmResult:
    curve = kaplan_meier(table, arm)
    row = table.arms.index(arm)
    follow_up = median(reverse_kaplan_meier(table, arm)).estimate
    to_month = study.analyses.restricted_mean
    return ArmResult(
        arm=arm,
        patients=int(table.patients[row]),
        events=int(table.events[row].sum()),
        censored=int(table.censored[row].sum()),
        median_months=_interval(median(curve)),
        median_follow_up_months=follow_up,
        survival=tuple(_landmark(curve, month) for month in study.analyses.landmarks),
        rmst_months=_mean(curve, to_month) if to_month is not None else None,
        curve=tuple(
            landmark
            for month in range(1, study.question.follow_up.months + 1)
            if (landmark := _landmark(curve, month)).estimate is not None
        ),
    )


def _interval(estimate: Estimate) -> Interval:
    return Interval(estimate.estimate, estimate.lower, estimate.upper)


def _landmark(curve: Curve, month: int) -> Landmark:
    found = survival_at(curve, month)
    return Landmark(month, at_risk_at(curve, month), found.estimate, found.lower, found.upper)


def _mean(curve: Curve, month: int) -> RestrictedMean:
    found = restricted_mean(curve, month)
    return RestrictedMean(month, found.estimate, found.lower, found.upper)
