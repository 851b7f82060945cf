"""Cox's partial likelihood when the arm is the only covariate: a function of counts per cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulator.aggregates.survival import SurvivalTable
from simulator.statistics.chi_squared import Reals, covariance_from

Ties = Literal["efron", "breslow"]

_DIRECT_SUM_UP_TO = 64  # events in a cell
_SUMMED_SINGLY = 32  # terms, before the asymptotic series is used


@dataclass(frozen=True, eq=False)
class PartialLikelihood:
    """The logarithm of the partial likelihood and its derivatives at given log hazards.

    Only differences of log hazards matter: the score adds up to 0, and so does each row of the
    information.

    Attributes:
        value: The log partial likelihood.
        score: Its gradient, shape (arms,).
        information: Minus its second derivative, shape (arms, arms).
    """

    value: float
    score: Reals
    information: Reals


def partial_likelihood(
    table: SurvivalTable, log_hazards: Reals, *, ties: Ties = "efron"
) -> PartialLikelihood:
    """Evaluates the partial likelihood (Cox 1972) at one log hazard for each arm.

    With r_g = exp(log hazard of arm g), a = sum n_g r_g, b = sum d_g r_g and m = sum d_g in a cell,
    that cell contributes sum d_g log r_g - sum over l < m of log(a - f_l b), where f_l is l / m
    (Efron 1977) or 0 (Breslow 1974). Under days and under months the risk set is the full one at
    the start of the cell.

    Args:
        table: Events and censorings per arm and cell, none negative.
        log_hazards: Shape (arms,).
        ties: How patients with the event in the same cell share the risk set.
    """
    happened = table.events.sum(axis=0) > 0
    events = table.events[:, happened].astype(np.float64)
    at_risk = table.at_risk[:, happened].astype(np.float64)
    hazards = np.exp(log_hazards)[:, None]
    observed = events.sum(axis=1)
    log_sum, expected, links = 0.0, np.zeros(len(observed)), np.zeros((len(observed),) * 2)
    for part in _sums(events, at_risk, hazards, ties):
        log_sum += part[0]
        expected += part[1]
        links -= part[2]
    return PartialLikelihood(
        float(observed @ log_hazards) - log_sum, observed - expected, covariance_from(links)
    )


_Sums = tuple[float, Reals, Reals]
"""Sums over cells and events: of log(a - f b), of shares, and of products of two arms' shares."""


def _sums(events: Reals, at_risk: Reals, hazards: Reals, ties: Ties) -> list[_Sums]:
    if ties == "breslow":
        return [_breslow_sums(events, at_risk, hazards)]
    many = events.sum(axis=0) > _DIRECT_SUM_UP_TO
    return [
        _efron_sums(events[:, ~many], at_risk[:, ~many], hazards),
        _efron_sums_closed(events[:, many], at_risk[:, many], hazards),
    ]


def _breslow_sums(events: Reals, at_risk: Reals, hazards: Reals) -> _Sums:
    tied = events.sum(axis=0)
    weighted = at_risk * hazards
    whole = weighted.sum(axis=0)
    share = weighted / whole
    return float(tied @ np.log(whole)), share @ tied, (share * tied) @ share.T


def _efron_sums(events: Reals, at_risk: Reals, hazards: Reals) -> _Sums:
    """One term for each event, as the formula has it."""
    tied = events.sum(axis=0).astype(np.int64)
    cell = np.repeat(np.arange(tied.size), tied)
    before = np.cumsum(tied) - tied
    fraction = (np.arange(cell.size) - before[cell]) / tied[cell]
    weighted = (at_risk[:, cell] - fraction * events[:, cell]) * hazards
    whole = weighted.sum(axis=0)
    share = weighted / whole
    return float(np.log(whole).sum()), share.sum(axis=1), share @ share.T


def _efron_sums_closed(events: Reals, at_risk: Reals, hazards: Reals) -> _Sums:
    """The same sums in a time that does not grow with the number of events.

    a - l b / m = (b / m) (y + i) with y = m (a - b) / b + 1 and i = m - 1 - l, so the sums over l
    are differences of log-gamma, digamma and trigamma; and each share is of the form
    (A - f B) / (a - f b) = alpha + gamma / (a - f b) with alpha = B / b, gamma = A - alpha a.
    """
    tied = events.sum(axis=0)
    dying, weighted = events * hazards, at_risk * hazards
    b, a = dying.sum(axis=0), weighted.sum(axis=0)
    scale = b / tied
    logs, inverses, inverse_squares = rising_sums(
        ((at_risk - events) * hazards).sum(axis=0) / scale + 1.0, tied
    )
    first, second = inverses / scale, inverse_squares / scale**2
    alpha = dying / b
    gamma = weighted - alpha * a
    crossed = (alpha * first) @ gamma.T
    products = (alpha * tied) @ alpha.T + crossed + crossed.T + (gamma * second) @ gamma.T
    return (
        float(np.sum(tied * np.log(scale) + logs)),
        np.sum(alpha * tied + gamma * first, axis=1),
        products,
    )


def rising_sums(start: Reals, terms: Reals) -> tuple[Reals, Reals, Reals]:
    """Sums over i = 0 .. terms - 1 of log(start + i), 1 / (start + i) and 1 / (start + i)^2.

    The first 32 terms are added singly; the rest is the difference of the asymptotic series of
    log-gamma, digamma and trigamma (Abramowitz & Stegun 1964, 6.1.40, 6.3.18, 6.4.12) at its two
    ends, with the leading terms put together before they can cancel: digamma of two neighbouring
    large numbers would lose the digits in which they differ.

    Args:
        start: At least 1, shape (k,).
        terms: Whole numbers above 32, shape (k,).

    Returns:
        Three arrays of shape (k,), each to a relative error of about 1e-15.
    """
    singly = start[:, None] + np.arange(_SUMMED_SINGLY)
    low, rest = start + _SUMMED_SINGLY, terms - _SUMMED_SINGLY
    high = low + rest
    growth = np.log1p(rest / low)
    logs = rest * np.log(high) + (low - 0.5) * growth - rest
    inverses = growth + rest / (2.0 * low * high)
    inverse_squares = rest / (low * high)
    for z, sign in ((high, 1.0), (low, -1.0)):
        w = 1.0 / z**2
        logs += sign / z * (1 / 12 - w * (1 / 360 - w / 1260))
        inverses -= sign * w * (1 / 12 - w * (1 / 120 - w / 252))
        inverse_squares -= sign * w * (1 / 2 + (1 / 6 - w * (1 / 30 - w / 42)) / z)
    return (
        np.log(singly).sum(axis=1) + logs,
        (1.0 / singly).sum(axis=1) + inverses,
        (1.0 / singly**2).sum(axis=1) + inverse_squares,
    )
