"""From a score and its variance to a chi-squared test, counting only what the data can compare."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class ChiSquared:
    """A test of the hypothesis that all arms are alike.

    Attributes:
        statistic: In [0, inf). 0 where nothing can be compared.
        degrees_of_freedom: In [0, arms - 1]. 0 where nothing can be compared.
        p: In [0, 1]. 1 where nothing can be compared: nothing speaks against the hypothesis.
    """

    statistic: float
    degrees_of_freedom: int
    p: float


def chi_squared(statistic: float, degrees_of_freedom: int) -> ChiSquared:
    """The test of a statistic that is chi-squared under the hypothesis."""
    if degrees_of_freedom == 0:
        return ChiSquared(0.0, 0, 1.0)
    from scipy.special import chdtrc

    return ChiSquared(
        statistic, degrees_of_freedom, float(chdtrc(float(degrees_of_freedom), statistic))
    )


def score_test(score: Reals, variance: Reals) -> ChiSquared:
    """U' V^- U with the rank of V.

    Two arms are tied together by the data where V links them, that is, where an event happened with
    both at risk. In each group of arms so linked one arm is redundant and is left out; an arm that
    is linked to no other (never at risk at an event of others) takes no part and no degree of
    freedom.

    Args:
        score: Observed minus expected events of each arm, shape (arms,).
        variance: Its covariance, shape (arms, arms). Rows add up to 0.
    """
    group_of = components(variance != 0.0)
    statistic = 0.0
    degrees_of_freedom = 0
    for group in np.unique(group_of):
        kept = np.flatnonzero(group_of == group)[1:]
        solved = np.linalg.solve(variance[np.ix_(kept, kept)], score[kept])
        statistic += float(score[kept] @ solved)
        degrees_of_freedom += kept.size
    return chi_squared(statistic, degrees_of_freedom)


def components(edges: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The strongly connected groups of a directed graph, by the first member of each.

    Args:
        edges: Whether there is an edge from the row's node to the column's, shape (nodes, nodes).

    Returns:
        For each node the lowest node that it can reach and be reached from, shape (nodes,).
    """
    reach = edges | np.eye(len(edges), dtype=np.bool_)
    for through in range(len(edges)):
        reach |= reach[:, through, None] & reach[None, through, :]
    lowest: NDArray[np.int64] = np.argmax(reach & reach.T, axis=1)
    return lowest


def covariance_from(links: Reals) -> Reals:
    """The covariance of shares that add up to 1, from the terms beside its diagonal.

    The diagonal is minus the sum of the rest of its row, so that an arm without links has
    exactly 0.

    Args:
        links: Symmetric, shape (arms, arms); its diagonal is not read.
    """
    covariance = links - np.diag(np.diag(links))
    return covariance - np.diag(covariance.sum(axis=1))
