"""What a comparison of releases found, as values: each number beside the truth."""

from __future__ import annotations

import math
from enum import StrEnum
from fractions import Fraction

import msgspec

from simulator.aggregates.released import Partial, Released


class Group(StrEnum):
    """Whose release it is."""

    OURS = "ours"
    BARE = "bare rules"
    SYSTEMS = "other systems"


class Held(msgspec.Struct, frozen=True, omit_defaults=True):
    """A number that was let out, held against the truth.

    Over several runs all but `deviation` and `root_mean_square` are means; what any run lacks is
    lacking.

    Attributes:
        truth: What the rows of all sites say.
        estimate: What a reader would take for the number; None where only bounds were let out.
        error: The estimate less the truth; over several runs the bias.
        at_least: The least that it may be, where bounds were let out.
        at_most: The greatest; None where nothing bounds it.
        outside: The share of runs, 0 to 1, whose bounds leave the truth out, or where there are no
            bounds their 95 % interval; None where there is neither.
        beyond: How far the truth lies outside the bounds: 0 inside; None without bounds.
        width: From the least to the greatest; None where one is missing.
        deviation: The standard deviation of the estimate over several runs.
        root_mean_square: The root of the mean squared error over several runs; None of one run.
    """

    truth: float
    estimate: float | None = None
    error: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    outside: float | None = None
    beyond: float | None = None
    width: float | None = None
    deviation: float | None = None
    root_mean_square: float | None = None

    @property
    def distance(self) -> float | None:
        """How far a run is off as a rule, whatever the sign; None where there is no number.

        Over several runs the root of the mean squared error: errors that cancel are errors still.
        """
        if self.root_mean_square is not None:
            return self.root_mean_square
        return None if self.error is None else abs(self.error)

    @property
    def farthest(self) -> float:
        """How far from the truth it can leave its reader: the distance, or that of the far bound.

        Infinite where nothing bounds it.
        """
        if self.distance is not None:
            return self.distance
        if self.at_least is None or self.at_most is None:
            return math.inf
        return max(self.truth - self.at_least, self.at_most - self.truth)


class HeldArm(msgspec.Struct, frozen=True):
    """One arm: its patients as they were let out, and beside the truth; survival likewise, 0 to 1.

    The patients are those of the result: how many are in this arm alone, under every release by
    one count, and not by a sum of cells that a rule has changed. `survival` is None where the study
    looks at no month.
    """

    arm: str
    shown: Released
    patients: Held
    survival: Held | None


class HeldRatio(msgspec.Struct, frozen=True):
    """A hazard ratio beside the true one; None where one is not estimable."""

    arm: str
    reference: str
    estimate: float | None
    truth: float | None

    @property
    def factor(self) -> float | None:
        """By which factor the two differ, 1 or above; None where one is missing or 0."""
        if not self.estimate or not self.truth:
            return None
        return max(self.estimate / self.truth, self.truth / self.estimate)


class Row(msgspec.Struct, frozen=True):
    """What one release at one place made of the study.

    Attributes:
        release: Its name.
        place: Where its rule is applied, ``site`` or ``network``.
        group: Whose release it is.
        epsilon: What a run costs, as text of a fraction, where the release adds noise by it.
        unit: The time scale of its survival, ``month`` or ``day``; the truth beside it is on the
            same.
        by_chance: Whether another run may let out other numbers.
        repeats: How many runs the means are of.
        shown: The cohort as the first run let it out; None where nothing was.
        total: The cohort beside the truth.
        arms: Each arm; none where survival was refused.
        log_rank_p: Of the first run; None where there is no test.
        log_rank_naive_p: What a test would say that takes the noise for patients.
        hazard_ratios: Of the first run.
        alone: The share of patients who are alone in a released cell, 0 to 1.
        withheld_sites: How many sites' part of the cohort was withheld.
        withheld_cells: How many cells of the survival tables were.
        reasons: Why there is no test, ratio or curve, where one is missing.
        refused: Why there is no survival, if there is none; the cohort is then that of a count.
    """

    release: str
    place: str
    group: Group
    epsilon: str
    unit: str
    by_chance: bool
    repeats: int
    shown: Released | None
    total: Held | None
    arms: tuple[HeldArm, ...]
    log_rank_p: float | None
    log_rank_naive_p: float | None
    hazard_ratios: tuple[HeldRatio, ...]
    alone: float | None
    withheld_sites: int
    withheld_cells: int
    reasons: tuple[str, ...]
    refused: str

    @property
    def name(self) -> str:
        """The release, with its epsilon where it has one."""
        return f"{self.release} {float(Fraction(self.epsilon)):g}" if self.epsilon else self.release

    @property
    def worst_arm(self) -> Held | None:
        """The arm whose patients are farthest from the truth."""
        return farthest([arm.patients for arm in self.arms])

    @property
    def worst_survival(self) -> Held | None:
        """The arm whose survival is farthest from the truth."""
        return farthest([arm.survival for arm in self.arms if arm.survival is not None])

    @property
    def worst_factor(self) -> float | None:
        """The greatest factor between a hazard ratio and the true one."""
        factors = [ratio.factor for ratio in self.hazard_ratios if ratio.factor is not None]
        return max(factors, default=None)


def farthest(held: list[Held]) -> Held | None:
    """The one that is farthest from the truth; of those that are equally far, the widest."""
    return max(held, key=lambda one: (one.farthest, one.width or 0.0), default=None)


def parts(shown: Released | None) -> int:
    """How many parts of a sum were withheld."""
    return shown.withheld_parts if isinstance(shown, Partial) else 0


class ArmOfTruth(msgspec.Struct, frozen=True):
    """One arm of all rows together: who is in it alone."""

    arm: str
    patients: int


class RatioOfTruth(msgspec.Struct, frozen=True):
    """A hazard ratio of all rows together, by lifelines; None where there is none."""

    arm: str
    reference: str
    ratio: float | None


class OnScale(msgspec.Struct, frozen=True):
    """What the rows of all sites say of time, on one scale.

    Attributes:
        survival: Of each arm, 0 to 1; None where the study looks at no month.
        log_rank_p: Of the log-rank test; None with one arm.
        hazard_ratios: Every pair of arms.
    """

    survival: tuple[float | None, ...]
    log_rank_p: float | None
    hazard_ratios: tuple[RatioOfTruth, ...]


class Truth(msgspec.Struct, frozen=True):
    """What the rows of all sites say.

    Attributes:
        patients: In exactly one arm, at sites that are on line.
        sites: How many sites hold one of them.
        half_hold: Half of those sites hold so many of them or fewer.
        arms: Each arm.
        by_month: With time in months, as nearly every release tells it: a life table.
        by_day: With time in days.
    """

    patients: int
    sites: int
    half_hold: int
    arms: tuple[ArmOfTruth, ...]
    by_month: OnScale
    by_day: OnScale

    def on(self, unit: str) -> OnScale:
        """The scale of a row: ``month`` or ``day``."""
        return self.by_day if unit == "day" else self.by_month


class Compared(msgspec.Struct, frozen=True):
    """The part that is the same whenever the same is asked with the same seed.

    Attributes:
        study: The study's name.
        version: Its version.
        title: Its title.
        network: The network's name.
        built: What its databases were built from.
        months: The landmark at which survival is compared; None where the study has none.
        seed: From which all noise follows; None where it came from the system.
        truth: What the rows say.
        lesson: What the rows of the comparison show, in sentences made from them.
        rows: Each release at each place.
        notes: What else is to be known.
    """

    study: str
    version: int
    title: str
    network: str
    built: dict[str, str]
    months: int | None
    seed: int | None
    truth: Truth
    lesson: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


class Cost(msgspec.Struct, frozen=True):
    """What the first run of a row took: bytes both ways, and seconds."""

    release: str
    place: str
    epsilon: str
    bytes_sent: int
    bytes_received: int
    seconds: float


class CompareRun(msgspec.Struct, frozen=True):
    """What happened this time: when, how long, and what each row took, in the order of the rows."""

    started: str
    seconds: float
    truth_seconds: float
    costs: tuple[Cost, ...]


class CompareReport(msgspec.Struct, frozen=True):
    """A comparison with its run, as `cohortium compare --format json` prints it."""

    schema: int
    result: Compared
    run: CompareRun
