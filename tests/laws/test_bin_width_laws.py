"""What coarse bins cost: little for the curve, more for a test, and more the wider they are."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from simulator.aggregates.grid import Unit
from simulator.aggregates.survival import SurvivalTable
from simulator.statistics.cox import all_contrasts, cox
from simulator.statistics.kaplan_meier import kaplan_meier, survival_at
from simulator.statistics.log_rank import log_rank
from tests.laws.test_statistics_laws import ARMS, study

BINS = Unit.MONTH, Unit.QUARTER, Unit.YEAR


def survival(table: SurvivalTable) -> list[float]:
    found = [survival_at(kaplan_meier(table, arm), 36).estimate for arm in ARMS]
    return [value for value in found if value is not None]


def statistic(table: SurvivalTable) -> list[float]:
    return [log_rank(table).statistic]


def ratios(table: SurvivalTable) -> list[float]:
    found = [contrast.estimate for contrast in all_contrasts(cox(table))]
    return [value for value in found if value is not None]


# The mean absolute distance from the same estimator by day, over 300 cohorts of 418 with another
# shape of hazard and 60 of these: survival at 36 months 0.0008, 0.0015, 0.0049 there and 0.0006,
# 0.0013, 0.0047 here; the log-rank statistic 0.07, 0.18, 0.56 and 0.04, 0.13, 0.43; hazard ratios
# (Efron) 0.003, 0.008, 0.025 and 0.003, 0.007, 0.022.
@pytest.mark.parametrize(
    ("numbers", "distances"),
    [
        (survival, (0.0008, 0.0015, 0.0049)),
        (statistic, (0.07, 0.18, 0.56)),
        (ratios, (0.0034, 0.0079, 0.0253)),
    ],
)
def test_wider_bins_are_further_from_days_by_what_they_are_known_to_cost(
    numbers: Callable[[SurvivalTable], list[float]], distances: tuple[float, ...]
) -> None:
    away: dict[Unit, list[float]] = {unit: [] for unit in BINS}
    for seed in range(30):
        cohort = study(seed)
        exact = np.array(numbers(cohort.table(Unit.DAY)))
        for unit in BINS:
            away[unit].extend(np.abs(np.array(numbers(cohort.table(unit))) - exact))
    found = [float(np.mean(away[unit])) for unit in BINS]
    assert all(fine < coarse for fine, coarse in pairwise(found))
    assert all(
        wanted / 2.5 < one < wanted * 1.5 for one, wanted in zip(found, distances, strict=True)
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_actuarial_curve_at_the_end_of_a_bin_has_hardly_a_bias(seed: int) -> None:
    """Neither early nor late: a large cohort by year is within 0.01 of itself by day."""
    cohort = study(seed, patients=8000)
    by_day, by_year = cohort.table(Unit.DAY), cohort.table(Unit.YEAR)
    assert survival(by_year) == pytest.approx(survival(by_day), abs=0.01)
    # All censored late, or all early, would be further away, on either side.
    events, censored = by_year.events[:, :3], by_year.censored[:, :3]
    at_risk = by_year.at_risk[:, :3]
    late = (1 - events / at_risk).prod(axis=1)
    early = (1 - events / (at_risk - censored)).prod(axis=1)
    assert (early < survival(by_day)).all()
    assert (survival(by_day) < late).all()
