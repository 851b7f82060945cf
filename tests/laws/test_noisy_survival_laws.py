"""What holds for survival from tables with noise: levels, coverage, and what cleaning buys.

The cohorts: four arms, exponential survival (or Weibull of shape 1.5) with the stated survival at
36 months, censored uniformly between days 365 and 2200, cut into months. 418 patients, in equal
arms or in arms of 167, 167, 42 and 42. The seeds are fixed: a law holds or it does not.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.aggregates.grid import Unit
from simulator.privacy.noise.laws import Law, Mechanism, sum_law
from simulator.statistics.fixed_point import survival_difference
from simulator.statistics.kaplan_meier import kaplan_meier, survival_at
from simulator.statistics.noisy_cells import Expectation, Noise, believed, cleaned, rounded
from simulator.statistics.noisy_log_rank import log_rank_statistics, noisy_log_rank
from simulator.statistics.noisy_survival import noisy_kaplan_meier
from simulator.statistics.noisy_totals import noisy_totals
from simulator.statistics.quantiles import median
from simulator.statistics.restricted_mean import restricted_mean
from tests.unit.statistics.noises import (
    ALIKE,
    AS_SPLIT,
    EQUAL,
    REPORTED,
    DiscreteLaplace,
    as_table,
    cohorts,
)

pytestmark = pytest.mark.laws

RUNS = 2000
REPLICATES = 199
CHI_SQUARED_3 = 7.814727903251179  # its 95th percentile
STRONG = (0.65, 0.50, 0.40, 0.30)
# The scale for epsilon with all sites answering, and where 70 % of them must be enough.
SCALES = {"1": 1.0, "1, of 70 %": 1 / 0.7, "3": 1 / 3, "3, of 70 %": 1 / 2.1}
SPLITS = {"equal": EQUAL, "as split": AS_SPLIT}
# As in a run: 0.7 of epsilon for survival, shares made for 46 sites, of which 68 answer.
AS_RUN = (167, 42, 167, 42)
OF_A_RUN = {
    epsilon: sum_law(Mechanism.LAPLACE, 1 / (Fraction(7, 10) * epsilon), parts=46, answering=68)
    for epsilon in (1, 3)
}
SHORT, LONG = (30, 900), (700, 2900)


def p_values(
    truth: NDArray[np.int64], noise: Noise, seed: int, *, unit: Unit = Unit.MONTH
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """p and naive p of each cohort with noise."""
    rng = np.random.default_rng(seed)
    tests = [
        noisy_log_rank(as_table(shown, unit), noise, replicates=REPLICATES, rng=rng)
        for shown in truth + noise.sample(truth.shape, rng)
    ]
    return np.array([test.p for test in tests]), np.array([test.naive_p for test in tests])


def holds_its_level(p: NDArray[np.float64]) -> bool:
    """At 5 %, at 10 % and at 1 %."""
    return (
        0.03 <= float(np.mean(p <= 0.05)) <= 0.07
        and 0.07 <= float(np.mean(p <= 0.10)) <= 0.13
        and float(np.mean(p <= 0.01)) <= 0.02
    )


@pytest.mark.parametrize("months", [36, 60])
@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("epsilon", SCALES)
def test_the_log_rank_test_holds_its_level(epsilon: str, split: str, months: int) -> None:
    truth = cohorts(
        np.random.default_rng(1), RUNS, sizes=SPLITS[split], survival=ALIKE, months=months
    )
    p, naive = p_values(truth, DiscreteLaplace(SCALES[epsilon]), seed=2)
    assert holds_its_level(p)
    if epsilon.startswith("1"):
        assert float(np.mean(naive <= 0.05)) > 0.15


CAREFUL = pytest.mark.xfail(reason="too careful at epsilon 1: rejects 2 to 3 %, not 3 to 7 %")


@pytest.mark.parametrize("months", [61, 103])
@pytest.mark.parametrize("epsilon", [pytest.param(1, marks=CAREFUL), 3])
def test_also_with_the_noise_of_a_run(epsilon: int, months: int) -> None:
    truth = cohorts(np.random.default_rng(16), RUNS, sizes=AS_RUN, survival=ALIKE, months=months)
    p, _ = p_values(truth, OF_A_RUN[epsilon], seed=17)
    assert 0.03 <= float(np.mean(p <= 0.05)) <= 0.07


@pytest.mark.parametrize("epsilon", OF_A_RUN)
def test_also_if_arms_of_a_run_are_followed_for_different_times(epsilon: int) -> None:
    truth = cohorts(
        np.random.default_rng(18),
        RUNS,
        sizes=AS_RUN,
        survival=ALIKE,
        censoring=(SHORT, LONG, LONG, SHORT),
        months=61,
    )
    p, _ = p_values(truth, OF_A_RUN[epsilon], seed=19)
    assert float(np.mean(p <= 0.05)) <= 0.07


SHARES = {
    "laplace": sum_law(Mechanism.LAPLACE, Fraction(1), parts=48, answering=68),
    "skellam": sum_law(Mechanism.SKELLAM, Fraction(4), parts=48, answering=68),
}


@pytest.mark.parametrize("mechanism", SHARES)
def test_also_with_the_noise_of_shares(mechanism: str) -> None:
    truth = cohorts(np.random.default_rng(3), RUNS, sizes=AS_SPLIT, survival=ALIKE)
    noise: Law = SHARES[mechanism]
    p, _ = p_values(truth, noise, seed=4)
    assert holds_its_level(p)


NOT_IN_PROPORTION = pytest.mark.xfail(
    reason="one arm begins to leave when the other has almost left: rejects 8.0 %, not 3 to 7 %"
)


@pytest.mark.parametrize(
    "censoring",
    [
        ((365, 2200), (60, 1300)),
        pytest.param(((60, 900), (700, 2200)), marks=NOT_IN_PROPORTION),
    ],
)
def test_also_if_the_arms_are_censored_otherwise(censoring: tuple[tuple[int, int], ...]) -> None:
    truth = cohorts(np.random.default_rng(5), RUNS, survival=ALIKE, censoring=censoring, months=60)
    p, _ = p_values(truth, DiscreteLaplace(1.0), seed=6)
    assert 0.03 <= float(np.mean(p <= 0.05)) <= 0.07


def test_also_by_quarter_with_a_hazard_that_grows_and_more_patients() -> None:
    options = {"months": 60, "width": 3}
    truth = cohorts(
        np.random.default_rng(7),
        RUNS,
        sizes=(500, 300, 200),
        survival=ALIKE[:3],
        shape=1.5,
        **options,  # type: ignore[arg-type]
    )
    p, _ = p_values(truth, DiscreteLaplace(1.0), seed=8, unit=Unit.QUARTER)
    assert holds_its_level(p)


@pytest.mark.parametrize(("scale", "least"), [(1.0, 0.75), (1 / 3, 0.95)])
def test_a_strong_effect_is_found(scale: float, least: float) -> None:
    truth = cohorts(np.random.default_rng(9), 400, survival=STRONG)
    p, _ = p_values(truth, DiscreteLaplace(scale), seed=10)
    assert float(np.mean(p <= 0.05)) >= least


@pytest.mark.parametrize(
    ("scale", "width", "reported"),
    [(2.0, 1, 0.69), (1.0, 1, 0.29), (1 / 3, 1, 0.085), (2.0, 3, 0.36), (1.0, 3, 0.12)],
)
def test_the_naive_test_rejects_as_often_as_measured_before(
    scale: float, width: int, reported: float
) -> None:
    """Against an earlier measurement over 400 runs, of which 2.6 standard errors are allowed.

    There too the horizon was 36 months and the arms about equal.
    """
    rng = np.random.default_rng(11)
    truth = cohorts(rng, RUNS, survival=(0.48,) * 4, width=width)
    shown = truth + DiscreteLaplace(scale).sample(truth.shape, rng)
    found = float(np.mean(log_rank_statistics(total_kept(shown)) > CHI_SQUARED_3))
    error = np.sqrt(reported * (1 - reported) * (1 / 400 + 1 / RUNS))
    assert found == pytest.approx(reported, abs=2.6 * float(error))


def total_kept(shown: NDArray[np.int64]) -> NDArray[np.float64]:
    """The nearest cells of 0 and above with the total of each arm and measure kept."""
    cells = shown.astype(np.float64)
    total = np.maximum(cells.sum(axis=2, keepdims=True), 0.0)
    falling = -np.sort(-cells, axis=2)
    places = np.arange(1, cells.shape[2] + 1)[:, None]
    offsets = (np.cumsum(falling, axis=2) - total) / places
    last = np.count_nonzero(falling - offsets > 0, axis=2, keepdims=True)
    taken = np.take_along_axis(offsets, np.maximum(last - 1, 0), axis=2)
    kept: NDArray[np.float64] = np.maximum(cells - taken, 0.0)
    return kept


@pytest.mark.parametrize("months", [36, 60])
@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("epsilon", SCALES)
def test_intervals_hold_the_truth(epsilon: str, split: str, months: int) -> None:
    """Survival at 36 months, its differences, the mean to 36 months and the median, 250 cohorts."""
    rng = np.random.default_rng(12)
    noise = DiscreteLaplace(SCALES[epsilon])
    truth = cohorts(rng, 250, sizes=SPLITS[split], months=months)
    hits: dict[str, list[bool]] = {"landmark": [], "naive": [], "mean": [], "difference": []}
    for shown in truth + noise.sample(truth.shape, rng):
        table = as_table(shown)
        naive = cleaned(table, noise)
        curves = [
            noisy_kaplan_meier(table, arm, noise, replicates=100, rng=rng) for arm in table.arms
        ]
        for curve, arm, survival in zip(curves, table.arms, REPORTED, strict=True):
            hits["landmark"].append(holds(survival_at(curve, 36), survival))
            hits["naive"].append(holds(survival_at(kaplan_meier(naive, arm), 36), survival))
            mean = 36.0 * (survival - 1.0) / np.log(survival)
            hits["mean"].append(holds(restricted_mean(curve, 36), float(mean)))
        contrast = survival_difference(curves[0], curves[3], 36)
        hits["difference"].append(holds(contrast, REPORTED[0] - REPORTED[3]))
    shares = {name: float(np.mean(each)) for name, each in hits.items()}
    print(epsilon, split, months, shares)  # noqa: T201
    assert 0.93 <= shares["landmark"] <= 0.99
    assert shares["mean"] >= 0.90
    assert shares["difference"] >= 0.92
    if epsilon.startswith("1"):
        assert shares["naive"] < 0.90


@pytest.mark.parametrize("months", [61, 103])
@pytest.mark.parametrize("epsilon", OF_A_RUN)
def test_intervals_of_a_run_hold_the_truth_and_totals_err_as_told(
    epsilon: int, months: int
) -> None:
    """Of arms whose size is at least twice its error, 100 cohorts."""
    rng, noise = np.random.default_rng(20), OF_A_RUN[epsilon]
    truth = cohorts(rng, 100, sizes=AS_RUN, months=months)
    hits: dict[int, list[bool]] = {12: [], 36: []}
    off: dict[int, list[float]] = {12: [], 36: []}
    errors: list[tuple[float, float]] = []
    for shown in truth + noise.sample(truth.shape, rng):
        table = as_table(shown)
        for arm, size, survival in zip(table.arms, AS_RUN, REPORTED, strict=True):
            patients = noisy_totals(table, arm, noise, replicates=100, rng=rng).patients
            errors.append((patients.estimate - size, patients.error))
            if patients.estimate < 2 * patients.error:
                continue
            curve = noisy_kaplan_meier(table, arm, noise, replicates=100, rng=rng)
            for month in hits:
                at = survival_at(curve, month)
                held = survival ** (month / 36)
                hits[month].append(holds(at, held))
                if at.estimate is not None and size > 100:
                    off[month].append(at.estimate - held)
    for month in hits:
        assert float(np.mean(hits[month])) >= 0.92
        assert abs(float(np.mean(off[month]))) < 0.03
    squared, told = np.mean(np.square(errors), axis=0)
    assert np.sqrt(told) == pytest.approx(np.sqrt(squared), rel=0.15)


def test_intervals_of_medians_hold_the_truth() -> None:
    rng = np.random.default_rng(13)
    noise = DiscreteLaplace(1.0)
    truth = cohorts(rng, 250, months=60)
    hits = [
        holds(
            median(noisy_kaplan_meier(as_table(shown), "arm 0", noise, replicates=100, rng=rng)),
            36.0 * float(np.log(0.5) / np.log(REPORTED[0])),
        )
        for shown in truth + noise.sample(truth.shape, rng)
    ]
    assert 0.92 <= float(np.mean(hits)) <= 0.995


def holds(found: object, value: float) -> bool:
    """Whether an interval holds a value; without an end it reaches on."""
    lower, upper = getattr(found, "lower"), getattr(found, "upper")  # noqa: B009
    return (lower is None or lower <= value) and (upper is None or value <= upper)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(("scale", "most"), [(2.0, 0.094), (1.0, 0.043), (1 / 3, 0.011)])
def test_cleaning_beats_cutting_off_at_0(scale: float, most: float, split: str) -> None:
    """In bias of survival at 36 months, and in equal arms what was measured before, in error."""
    rng = np.random.default_rng(14)
    noise = DiscreteLaplace(scale)
    for months in (36, 60):
        truth = cohorts(rng, 300, sizes=SPLITS[split], months=months)
        shown = truth + noise.sample(truth.shape, rng)
        found = believed(shown, Expectation(noise), 6, rounds=5)
        exact = landmarks(truth)
        ours, whole, cut = (
            landmarks(each) - exact for each in (found, rounded(found), np.maximum(shown, 0))
        )
        assert abs(ours.mean()) < abs(cut.mean())
        assert np.abs(whole).mean() < 1.2 * np.abs(ours).mean()
        if months == 36 and split == "equal":
            assert np.abs(ours).mean() < most
        if months == 60:
            assert np.abs(ours).mean() < 1.17 * np.abs(cut).mean()


def test_noise_at_every_site_is_far_worse_than_noise_in_the_sum() -> None:
    rng = np.random.default_rng(15)
    truth = cohorts(rng, 200)
    local = DiscreteLaplace(1.0).sample((68, *truth.shape), rng).sum(axis=0)
    central = DiscreteLaplace(1.0).sample(truth.shape, rng)
    errors = [
        float(np.abs(landmarks(total_kept(truth + noise)) - landmarks(truth)).mean())
        for noise in (central, local)
    ]
    # An earlier measurement: 0.043 and 0.334.
    assert errors == pytest.approx([0.043, 0.334], abs=0.012)


def landmarks(tables: NDArray[np.int64] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Actuarial survival at 36 months of each arm, written anew, shape (tables, arms)."""
    events, censored = tables[..., 0].astype(np.float64), tables[..., 1].astype(np.float64)
    at_risk = np.cumsum((events + censored)[..., ::-1], axis=-1)[..., ::-1]
    exposed = at_risk - censored / 2.0
    exposed[..., -1] = at_risk[..., -1]
    falls = np.divide(events, exposed, out=np.zeros_like(events), where=exposed > 0)
    survival: NDArray[np.float64] = np.prod(1.0 - falls[..., :36], axis=-1)
    return survival
