"""What the pooled rows say, as values: the reference for every number of a result."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """An estimate with the ends of its 95 % interval; None where there is no such number."""

    estimate: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class Landmark:
    """Survival at a month, and how many were still under observation then."""

    months: int
    at_risk: int
    survival: Interval


@dataclass(frozen=True)
class ArmTruth:
    """One arm by day.

    Attributes:
        arm: Its name.
        patients: Those in this arm alone, of those who passed all steps.
        events: How many of them died inside the horizon.
        median_months: First day with S <= 0.5, in months; ends from the log-log bands.
        median_follow_up_months: The same of the curve on which being censored is the event.
        survival: At each landmark.
        mean_months: Mean survival up to the study's month; None if it names none, or beyond the
            last patient.
        quantiles_months: The first days with S <= 0.75, 0.5 and 0.25, in months.
    """

    arm: str
    patients: int
    events: int
    median_months: Interval
    median_follow_up_months: Interval
    survival: tuple[Landmark, ...]
    mean_months: float | None
    quantiles_months: tuple[Interval, ...]


@dataclass(frozen=True)
class LogRankTruth:
    """The k-sample log-rank test; 0, 0 and 1 where there is nothing to compare."""

    statistic: float
    degrees_of_freedom: int
    p: float


@dataclass(frozen=True)
class HazardRatioTruth:
    """One contrast from the joint Cox model; None where an arm of it had no event."""

    arm: str
    reference: str
    ratio: Interval
    p: float | None
    p_adjusted: float | None = None


@dataclass(frozen=True)
class ContrastTruth:
    """A difference or a ratio of two arms with its Wald test; None where there is none."""

    value: Interval
    p: float | None
    p_adjusted: float | None = None


@dataclass(frozen=True)
class DifferenceTruth:
    """How two arms differ at a month, or up to it: on a scale of differences and one of ratios."""

    arm: str
    reference: str
    months: int
    difference: ContrastTruth
    ratio: ContrastTruth


@dataclass(frozen=True)
class LevelTruth:
    """A level of a subgroup: patients and events of each arm, ratios against the reference."""

    level: str
    patients: tuple[int, ...]
    events: tuple[int, ...]
    hazard_ratios: tuple[HazardRatioTruth, ...]


@dataclass(frozen=True)
class SubgroupTruth:
    """The levels of a subgroup; `interaction` is None where lifelines has no likelihood."""

    subgroup: str
    levels: tuple[LevelTruth, ...]
    interaction: LogRankTruth | None


@dataclass(frozen=True)
class PooledTruth:
    """Everything that a study reports about survival, from the rows themselves."""

    arms: tuple[ArmTruth, ...]
    log_rank: LogRankTruth
    hazard_ratios: tuple[HazardRatioTruth, ...]
    mean_differences: tuple[DifferenceTruth, ...]
    survival_differences: tuple[DifferenceTruth, ...]
    subgroups: tuple[SubgroupTruth, ...]
