"""Hazard ratios between arms: one joint Cox model, and every pairwise contrast from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.aggregates.survival import SurvivalTable
from simulator.statistics.chi_squared import ChiSquared, Reals, chi_squared, components, score_test
from simulator.statistics.counts import check_counts, row_of
from simulator.statistics.estimates import normal_quantile
from simulator.statistics.partial_likelihood import PartialLikelihood, Ties, partial_likelihood

_STEPS_AT_MOST = 60
_LONGEST_STEP = 5.0  # of a log hazard ratio
_LAST_STEP = 1e-8  # each step squares the error, so after one this short about 1e-16 is left
_ROUNDING = 1e-12  # of a log likelihood, relative


@dataclass(frozen=True)
class HazardRatio:
    """How the hazard of one arm compares with that of another.

    All numbers are None where the data do not bound the ratio on both sides (see `CoxFit`).

    Attributes:
        arm: The arm in the numerator.
        reference: The arm in the denominator.
        estimate: In (0, inf); below 1 the arm has the lower hazard.
        lower: The lower end of the Wald interval, made on the log scale.
        upper: The upper end.
        p: Of the two-sided Wald test that the ratio is 1.
        p_adjusted: p after Holm's correction over the family it was tested in; None for a contrast
            that stands alone.
    """

    arm: str
    reference: str
    estimate: float | None
    lower: float | None
    upper: float | None
    p: float | None
    p_adjusted: float | None = None


@dataclass(frozen=True, eq=False)
class CoxFit:
    """A Cox model whose only covariate is the arm, jointly over all arms.

    The data bound the ratio of two arms on both sides only if each of them had an event while the
    other was at risk, directly or by a chain of arms (Ford 1957, for paired comparisons). An arm
    without events, without patients, or with events only when all others were gone has no finite
    ratio to any other. The arms fall into groups within which all ratios are finite; those ratios
    are the ones to which the fit of all arms tends, and they are found group by group.

    Attributes:
        arms: In the table's order.
        reference: The arm that the first contrasts are made against.
        coefficients: The log hazard ratio of each arm against the base of its group, shape (arms,).
            The base is the reference in the reference's group, in others the first arm; it has 0.
        covariance: Of the coefficients, shape (arms, arms). A base has rows of 0, and so have two
            arms of different groups.
        groups: The number of each arm's group, shape (arms,).
        log_likelihood_null: With the same hazard in all arms.
        log_likelihood: At the coefficients (its supremum where there are several groups).
        score: The score test that all hazards are the same.
        iterations: Newton steps, the most that a group took.
    """

    arms: tuple[str, ...]
    reference: str
    coefficients: Reals
    covariance: Reals
    groups: NDArray[np.int64]
    log_likelihood_null: float
    log_likelihood: float
    score: ChiSquared
    iterations: int

    @property
    def likelihood_ratio(self) -> ChiSquared:
        """The likelihood ratio test that all hazards are the same."""
        gain = 2.0 * (self.log_likelihood - self.log_likelihood_null)
        return chi_squared(max(gain, 0.0), self.score.degrees_of_freedom)

    def contrast(self, arm: str, reference: str, *, level: float = 0.95) -> HazardRatio:
        """The hazard of one arm over that of another.

        Args:
            arm: The arm in the numerator.
            reference: The arm in the denominator, which need not be the fit's reference.
            level: The level of the interval.

        Returns:
            The ratio, not adjusted; its numbers are None where the arms are in different groups.

        Raises:
            ValueError: There is no such arm, both are the same, or the level is not in (0, 1).
        """
        reach = normal_quantile(level)
        one, other = (row_of(self.arms, name) for name in (arm, reference))
        if one == other:
            raise ValueError(f"two different arms were expected; got {arm} twice")
        if self.groups[one] != self.groups[other]:
            return HazardRatio(arm, reference, None, None, None, None)
        difference = float(self.coefficients[one] - self.coefficients[other])
        mixed = self.covariance[one, one] + self.covariance[other, other]
        error = math.sqrt(mixed - 2.0 * self.covariance[one, other])
        return HazardRatio(
            arm,
            reference,
            estimate=math.exp(difference),
            lower=math.exp(difference - reach * error),
            upper=math.exp(difference + reach * error),
            p=math.erfc(abs(difference) / error / math.sqrt(2.0)),
        )


def cox(table: SurvivalTable, *, reference: str | None = None, ties: Ties = "efron") -> CoxFit:
    """Fits the Cox model (Cox 1972) by Newton's method, halving a step that goes too far.

    Under days and under months the risk set is the full one at the start of the cell.

    Args:
        table: Events and censorings per arm and cell.
        reference: An arm; None takes the first.
        ties: ``efron`` (Efron 1977), nearly without bias where bins are wide, or ``breslow``
            (Breslow 1974), which shrinks ratios towards 1 there.

    Raises:
        ValueError: There is no such arm, or a count is negative.
        ArithmeticError: Newton's method did not settle.
    """
    return stratified_cox([table], reference=reference, ties=ties)


def stratified_cox(
    tables: Sequence[SurvivalTable], *, reference: str | None = None, ties: Ties = "efron"
) -> CoxFit:
    """Fits the Cox model in which strata share their hazard ratios and nothing else.

    Each stratum has a baseline hazard of its own; its log partial likelihood adds to the others'
    (Kalbfleisch & Prentice 1980). The strata may be on different grids. What the data bound, they
    bound by the events of all strata together.

    Args:
        tables: A table for each stratum, all with the same arms in the same order.
        reference: An arm; None takes the first.
        ties: As for `cox`.

    Raises:
        ValueError: There is no stratum, their arms differ, there is no such arm, or a count is
            negative.
        ArithmeticError: Newton's method did not settle.
    """
    if len({table.arms for table in tables}) != 1:
        raise ValueError("strata with the same arms in the same order were expected, at least one")
    for table in tables:
        check_counts(table)
    arms = tables[0].arms
    base = row_of(arms, reference) if reference is not None else 0
    groups = components(np.any([_bounds(table) for table in tables], axis=0))
    coefficients, covariance = np.zeros(len(arms)), np.zeros((len(arms), len(arms)))
    log_likelihood, iterations = 0.0, 0
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        members = np.append(members[members == base], members[members != base])
        names = tuple(arms[member] for member in members)
        part = _fit([table.select(names) for table in tables], ties)
        coefficients[members] = part.coefficients
        covariance[np.ix_(members, members)] = part.covariance
        log_likelihood += part.log_likelihood
        iterations = max(iterations, part.iterations)
    null = _likelihood(tables, np.zeros(len(arms)), ties)
    return CoxFit(
        arms=arms,
        reference=arms[base],
        coefficients=coefficients,
        covariance=covariance,
        groups=groups,
        log_likelihood_null=null.value,
        log_likelihood=log_likelihood,
        score=score_test(null.score, null.information),
        iterations=iterations,
    )


def all_contrasts(fit: CoxFit, *, level: float = 0.95) -> tuple[HazardRatio, ...]:
    """Every pair of arms once, with Holm's correction over all pairs that have a ratio.

    First each other arm against the fit's reference, in the arms' order; then, among the others,
    each later arm against each earlier one.

    Args:
        fit: A joint fit.
        level: The level of each interval; the intervals are not adjusted.

    Raises:
        ValueError: The level is not in (0, 1).
    """
    others = [arm for arm in fit.arms if arm != fit.reference]
    pairs = [(arm, fit.reference) for arm in others]
    pairs += [(later, earlier) for i, earlier in enumerate(others) for later in others[i + 1 :]]
    single = [fit.contrast(arm, reference, level=level) for arm, reference in pairs]
    adjusted = iter(holm([ratio.p for ratio in single if ratio.p is not None]))
    return tuple(
        HazardRatio(
            ratio.arm,
            ratio.reference,
            ratio.estimate,
            ratio.lower,
            ratio.upper,
            ratio.p,
            None if ratio.p is None else next(adjusted),
        )
        for ratio in single
    )


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjusted p-values that hold the chance of any false alarm in the family (Holm 1979).

    The i-th smallest of k is multiplied by k - i + 1; none is let below a smaller one's, or over 1.

    Args:
        p_values: Each in [0, 1].

    Returns:
        The adjusted p-values in the order of the given ones.
    """
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for done, i in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (len(p_values) - done) * p_values[i]))
        adjusted[i] = highest
    return tuple(adjusted)


@dataclass(frozen=True, eq=False)
class _GroupFit:
    """The fit of arms that all have finite ratios; the first is the base."""

    coefficients: Reals
    covariance: Reals
    log_likelihood: float
    iterations: int


def _likelihood(
    tables: Sequence[SurvivalTable], coefficients: Reals, ties: Ties
) -> PartialLikelihood:
    """The partial likelihood of all strata together."""
    parts = [partial_likelihood(table, coefficients, ties=ties) for table in tables]
    return PartialLikelihood(
        value=sum(part.value for part in parts),
        score=np.sum([part.score for part in parts], axis=0),
        information=np.sum([part.information for part in parts], axis=0),
    )


def _fit(tables: Sequence[SurvivalTable], ties: Ties) -> _GroupFit:
    """Newton's method from equal hazards; shapes as in `CoxFit`."""
    arms = len(tables[0].arms)
    coefficients, covariance = np.zeros(arms), np.zeros((arms, arms))
    here = _likelihood(tables, coefficients, ties)
    for iteration in range(1, _STEPS_AT_MOST + 1):
        step = np.append(0.0, np.linalg.solve(here.information[1:, 1:], here.score[1:]))
        step *= _LONGEST_STEP / max(np.max(np.abs(step)), _LONGEST_STEP)
        there = _likelihood(tables, coefficients + step, ties)
        while there.value < here.value - _ROUNDING * abs(here.value):
            step /= 2.0
            there = _likelihood(tables, coefficients + step, ties)
        coefficients, here = coefficients + step, there
        if np.max(np.abs(step)) <= _LAST_STEP:
            covariance[1:, 1:] = np.linalg.inv(here.information[1:, 1:])
            return _GroupFit(coefficients, covariance, here.value, iteration)
    raise ArithmeticError(f"the Cox model did not settle in {_STEPS_AT_MOST} steps")


def _bounds(table: SurvivalTable) -> NDArray[np.bool_]:
    """Whether the row's arm had an event while the column's was at risk, shape (arms, arms).

    Such an event bounds the column's hazard from above in terms of the row's.
    """
    happened, at_risk = table.events > 0, table.at_risk > 0
    bounds: NDArray[np.bool_] = (happened.astype(np.int64) @ at_risk.T.astype(np.int64)) > 0
    return bounds
