from __future__ import annotations

import pytest
from lifelines import KaplanMeierFitter, datasets
from lifelines.utils import qth_survival_time

from simulator.aggregates.grid import DAYS_PER_MONTH, Unit
from simulator.statistics.estimates import Estimate
from simulator.statistics.kaplan_meier import kaplan_meier, reverse_kaplan_meier
from simulator.statistics.quantiles import median, quantile
from tests.unit.statistics.drawn import AML, by_month, followed

QUARTERS = (0.25, 0.5, 0.75)


def in_days(months: float | None) -> float | None:
    return None if months is None else months * DAYS_PER_MONTH


@pytest.mark.parametrize(
    ("arm", "weeks"), [("Maintained", (18, 31, 48)), ("Nonmaintained", (8, 23, 33))]
)
def test_quarters_of_the_aml_trial(arm: str, weeks: tuple[int, ...]) -> None:
    """R, survival: where the printed curves of `aml` first pass 0.75, 0.5 and 0.25."""
    table = followed(AML)
    found = [in_days(quantile(kaplan_meier(table, arm), share).estimate) for share in QUARTERS]
    assert found == pytest.approx(weeks, abs=1e-12)


@pytest.mark.parametrize("share", QUARTERS)
@pytest.mark.parametrize("sex", [1, 2])
def test_quarters_and_their_intervals_are_those_of_lifelines(share: float, sex: int) -> None:
    lung = datasets.load_lung()
    rows = lung[lung["sex"] == sex]
    fit = KaplanMeierFitter().fit(rows["time"], rows["status"])
    drawing = " ".join(
        f"{day}{'' if died else '+'}"
        for day, died in zip(rows["time"], rows["status"], strict=True)
    )
    found = quantile(kaplan_meier(followed({"A": drawing})), share)
    curves = fit.survival_function_.join(fit.confidence_interval_)
    days = [float(qth_survival_time(1 - share + 1e-11, curves[name].dropna())) for name in curves]
    expected = [None if day == float("inf") else pytest.approx(day, abs=1e-9) for day in days]
    assert [in_days(v) for v in (found.estimate, found.lower, found.upper)] == expected


def test_a_step_to_exactly_the_share_counts() -> None:
    curve = kaplan_meier(followed({"A": "4 8 12 16+"}))
    assert [in_days(quantile(curve, share).estimate) for share in QUARTERS] == [4, 8, 12]


def test_inside_a_month_the_straight_line_passes_it() -> None:
    curve = kaplan_meier(by_month({"A": "2/0 1/2 0/2 1/2"}))  # 0.8, 0.8 * 6/7, the same, * 2/3
    assert quantile(curve, 0.25).estimate == pytest.approx(1 + 0.05 / (0.8 / 7))
    assert quantile(curve, 0.1).estimate == pytest.approx(0.1 / 0.2)


def test_a_share_that_is_not_reached_is_none() -> None:
    curve = kaplan_meier(followed({"A": "3 9+ 9+ 9+"}))
    assert in_days(quantile(curve, 0.25).estimate) == pytest.approx(3)
    assert quantile(curve, 0.26).estimate is None
    assert quantile(curve, 0.26).upper is None


def test_nobody_has_no_quantiles() -> None:
    assert quantile(kaplan_meier(followed({"A": ""})), 0.5) == Estimate(None, None, None)


@pytest.mark.parametrize("unit", Unit)
def test_the_median_is_the_half(unit: Unit) -> None:
    table = followed(AML, unit=unit)
    for curve in (kaplan_meier(table), reverse_kaplan_meier(table)):
        assert median(curve) == quantile(curve, 0.5)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, 50.0])
def test_a_share_that_is_none(share: float) -> None:
    with pytest.raises(ValueError, match="a share between 0 and 1 was expected"):
        quantile(kaplan_meier(followed(AML)), share)
