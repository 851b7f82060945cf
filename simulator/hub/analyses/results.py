"""What analyses find, as values: everything that a result says about patients."""

from __future__ import annotations

import msgspec

from simulator.aggregates.released import Released, Withheld


class Bounds(msgspec.Struct, frozen=True):
    """Between what a number lies whatever the cells held that were not told; None: no end."""

    at_least: float | None
    at_most: float | None


class Interval(msgspec.Struct, frozen=True, omit_defaults=True):
    """An estimate with its 95 % interval; None where it is not reached.

    `bounds` stand where a release left only bounds of what it was made from.
    """

    estimate: float | None
    lower: float | None
    upper: float | None
    bounds: Bounds | None = None


class Landmark(msgspec.Struct, frozen=True, omit_defaults=True):
    """Survival at a number of months, and the patients still watched then.

    `bounds` stand where a release left only bounds of what it was made from.
    """

    months: int
    at_risk: Released
    estimate: float | None
    lower: float | None
    upper: float | None
    bounds: Bounds | None = None


class RestrictedMean(msgspec.Struct, frozen=True):
    """Mean survival up to a number of months."""

    months: int
    estimate: float | None
    lower: float | None
    upper: float | None


class Quantile(msgspec.Struct, frozen=True):
    """The months by which a share has had the outcome; None where that is not reached."""

    share: float
    estimate: float | None
    lower: float | None
    upper: float | None


class ArmResult(msgspec.Struct, frozen=True):
    """What is known of one arm.

    Attributes:
        arm: Its name.
        patients: Those in this arm alone.
        events: How many of them had the outcome.
        censored: The others.
        median_months: The first time at which half have had the outcome.
        median_follow_up_months: The median of the reverse curve.
        survival: At the study's landmarks.
        rmst_months: Mean survival up to the study's month, if it names one.
        curve: At the end of every month for as long as anyone was followed.
        quantiles_months: By when a quarter, half and three quarters have had the outcome.
    """

    arm: str
    patients: Released
    events: Released
    censored: Released
    median_months: Interval
    median_follow_up_months: float | None
    survival: tuple[Landmark, ...]
    rmst_months: RestrictedMean | None
    curve: tuple[Landmark, ...]
    quantiles_months: tuple[Quantile, ...]

    @property
    def is_estimated(self) -> bool:
        """Whether survival is estimated at any time; of a small arm under noise totals are all."""
        return any(mark.estimate is not None for mark in (*self.curve, *self.survival))


class LogRankResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """The k-sample log-rank test.

    Attributes:
        statistic: The statistic.
        df: The number of arms less one.
        p: Of the chi-squared distribution; under noise, of `null`.
        null: Against what the statistic was held, where that is not the chi-squared distribution.
        naive_p: What the ordinary test would have said that takes the noise for patients: wrong,
            and there to show by how much. None where there is no noise.
    """

    statistic: float
    df: int
    p: float
    null: str = ""
    naive_p: float | None = None


class HazardRatioResult(msgspec.Struct, frozen=True):
    """One pairwise contrast of the joint Cox model; `p_adjusted` is Holm's over all pairs."""

    arm: str
    reference: str
    estimate: float | None
    lower: float | None
    upper: float | None
    p: float | None
    p_adjusted: float | None


class ContrastResult(msgspec.Struct, frozen=True):
    """A contrast of two arms with its 95 % Wald interval; `p_adjusted` is Holm's over all pairs."""

    estimate: float | None
    lower: float | None
    upper: float | None
    p: float | None
    p_adjusted: float | None


class RestrictedMeanDifference(msgspec.Struct, frozen=True):
    """Mean survival up to a month, arm against reference: difference in months, and ratio.

    The interval and test of the ratio are made on the log scale.
    """

    arm: str
    reference: str
    months: int
    difference: ContrastResult
    ratio: ContrastResult


class SurvivalDifference(msgspec.Struct, frozen=True):
    """Survival at a month, arm against reference, on two scales.

    Attributes:
        arm: The arm.
        reference: The arm it is held against.
        months: The moment.
        difference: Survival of the arm minus that of the reference; plain Wald interval and test.
        cumulative_hazard_ratio: On the complementary log-log scale, where the interval and the test
            are made (Klein et al. 2007); above 1 the arm's survival is the lower.
    """

    arm: str
    reference: str
    months: int
    difference: ContrastResult
    cumulative_hazard_ratio: ContrastResult


class LevelArm(msgspec.Struct, frozen=True):
    """How many patients of an arm are in a level, and how many of them had the outcome."""

    arm: str
    patients: Released
    events: Released


class LevelResult(msgspec.Struct, frozen=True):
    """One level of a subgroup: its arms, and each arm against the reference; p is not adjusted."""

    level: str
    arms: tuple[LevelArm, ...]
    hazard_ratios: tuple[HazardRatioResult, ...]


class InteractionResult(msgspec.Struct, frozen=True):
    """The likelihood ratio test that the hazard ratios are the same in all levels."""

    statistic: float
    df: int
    p: float


class SubgroupResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """The arms within the levels of one variable: all of it, or all withheld.

    Attributes:
        subgroup: The variable's name.
        levels: Each level.
        in_no_level: The patients of each arm who are in none of them.
        interaction: Whether the ratios differ between levels.
        reason: Why it was withheld, if it was.
    """

    subgroup: str
    levels: tuple[LevelResult, ...] | Withheld
    in_no_level: tuple[LevelArm, ...] | Withheld
    interaction: InteractionResult | Withheld
    reason: str | None = None


class AttritionStep(msgspec.Struct, frozen=True):
    """How many patients are left after a step."""

    step: str
    patients: Released
