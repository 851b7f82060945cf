"""What is known of each arm by itself."""

from __future__ import annotations

from typing import Final

from simulator.aggregates.survival import SurvivalTable
from simulator.hub.analyses.results import ArmResult, Interval, Landmark, Quantile, RestrictedMean
from simulator.language.study import Study
from simulator.privacy.releases import Release, shown
from simulator.statistics.kaplan_meier import (
    Curve,
    at_risk_at,
    kaplan_meier,
    reverse_kaplan_meier,
    survival_at,
)
from simulator.statistics.quantiles import median, quantile
from simulator.statistics.restricted_mean import restricted_mean

_SHARES: Final = (0.25, 0.5, 0.75)
_KIND: Final = "survival"


def arm_result(
    study: Study, release: Release, table: SurvivalTable, arm: str, curve: Curve | None = None
) -> ArmResult:
    """Everything about one arm; totals as the release shows them.

    Args:
        study: Says which months are looked at.
        release: Says how totals are shown.
        table: The counts.
        arm: The arm.
        curve: Its curve, where that is not the ordinary one of the counts.
    """
    curve = curve or kaplan_meier(table, arm)
    row = table.arms.index(arm)
    to_month = study.analyses.restricted_mean
    middle = median(curve)
    return ArmResult(
        arm=arm,
        patients=shown(int(table.patients[row]), release, _KIND),
        events=shown(int(table.events[row].sum()), release, _KIND),
        censored=shown(int(table.censored[row].sum()), release, _KIND),
        median_months=Interval(middle.estimate, middle.lower, middle.upper),
        median_follow_up_months=median(reverse_kaplan_meier(table, arm)).estimate,
        survival=tuple(_landmark(curve, release, month) for month in study.analyses.landmarks),
        rmst_months=_mean(curve, to_month) if to_month is not None else None,
        curve=tuple(
            landmark
            for month in range(1, min(study.question.follow_up.months, curve.grid.months) + 1)
            if (landmark := _landmark(curve, release, month)).estimate is not None
        ),
        quantiles_months=tuple(_quantile(curve, share) for share in _SHARES),
    )


def _landmark(curve: Curve, release: Release, month: int) -> Landmark:
    found = survival_at(curve, month)
    at_risk = shown(at_risk_at(curve, month), release, _KIND)
    return Landmark(month, at_risk, found.estimate, found.lower, found.upper)


def _mean(curve: Curve, month: int) -> RestrictedMean:
    found = restricted_mean(curve, month)
    return RestrictedMean(month, found.estimate, found.lower, found.upper)


def _quantile(curve: Curve, share: float) -> Quantile:
    found = quantile(curve, share)
    return Quantile(share, found.estimate, found.lower, found.upper)
