"""Who falls ill and how long they live: covariates, and times to death that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.aggregates.grid import DAYS_PER_MONTH
from simulator.synthesis.courses import Flags, Reals
from simulator.synthesis.days import Days
from simulator.synthesis.scenario import Arm, Covariates, Trait

_YOUNGEST = 25.0
_OLDEST = 89.0


class Lifetime(Protocol):
    """A Weibull distribution of the time to death."""

    @property
    def shape(self) -> float:
        """Its shape."""

    @property
    def true_median(self) -> float:
        """Its median in months."""


@dataclass(frozen=True)
class Traits:
    """The covariates of n patients and their log hazard relative to nobody in particular."""

    age: Reals
    man: Flags
    receptor_negative: Flags
    extrahepatic: Flags
    high_burden: Flags
    many_lines: Flags
    poor_performance: Flags
    bilirubin: Reals
    log_hazard: Reals


def draw_traits(
    rng: np.random.Generator,
    covariates: Covariates,
    *,
    immunotherapy: Flags,
    tace: Flags,
) -> Traits:
    """Draws covariates of patients whose treatment is known, shape (n,) each."""
    count = len(tace)
    age = np.clip(rng.normal(covariates.age_mean, covariates.age_sd, count), _YOUNGEST, _OLDEST)
    man = rng.random(count) < covariates.men
    log_hazard = np.log(covariates.age_hazard_ratio) * age / 10.0

    def draw(trait: Trait) -> Flags:
        share = trait.share + trait.with_immunotherapy * immunotherapy + trait.with_tace * tace
        flags: Flags = rng.random(count) < share
        np.add(log_hazard, np.log(trait.hazard_ratio) * flags, out=log_hazard)
        return flags

    receptor_negative = draw(covariates.receptor_negative)
    extrahepatic = draw(covariates.extrahepatic)
    high_burden = draw(covariates.high_burden)
    many_lines = draw(covariates.many_lines)
    poor_performance = draw(covariates.poor_performance)
    bilirubin = covariates.bilirubin_median * np.exp(
        rng.normal(0.0, covariates.bilirubin_log_sd, count)
    )
    log_hazard += np.log(covariates.bilirubin_hazard_ratio) * bilirubin
    return Traits(
        age,
        man,
        receptor_negative,
        extrahepatic,
        high_burden,
        many_lines,
        poor_performance,
        bilirubin,
        log_hazard,
    )


def weibull_days(survival: Reals, arm: Lifetime) -> Days:
    """The whole day (at least 1) by which an arm's survival has fallen that low, shape (n,)."""
    months = arm.true_median * (np.log(survival) / np.log(0.5)) ** (1.0 / arm.shape)
    days: Days = np.maximum(np.ceil(months * DAYS_PER_MONTH), 1).astype(np.int32)
    return days


def draw_survival(rng: np.random.Generator, log_hazard: Reals) -> Reals:
    """Uniform survival probabilities, given to patients so that hazards are proportional.

    Exponential times with the patients' hazards say who dies before whom; an independent sorted
    uniform sample says when. Ranks do not change under a monotone map of time, so within the arm
    the hazard ratios are the stated ones while the arm's own distribution stays exactly its own.
    """
    count = len(log_hazard)
    order = np.argsort(rng.exponential(size=count) * np.exp(-(log_hazard - log_hazard.mean())))
    survival = np.empty(count)
    survival[order] = np.sort(1.0 - rng.random(count))[::-1]
    return survival


def days_under(survival: Reals, arms: Sequence[Arm]) -> Days:
    """Days to death under each arm from the same random numbers, shape (n, arms)."""
    return np.stack([weibull_days(survival, arm) for arm in arms], axis=1)


def of_arms(arms: Sequence[Arm], arm: NDArray[np.int8]) -> tuple[Flags, Flags]:
    """Whether each patient's arm has immunotherapy, and whether it is TACE, shape (n,)."""
    immunotherapy = np.array([one.immunotherapy for one in arms])
    tace = np.array([one.tace for one in arms])
    return immunotherapy[arm], tace[arm]
