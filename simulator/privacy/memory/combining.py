"""Which groups of few patients follow from several counts, by exact elimination.

A combination of counts with any coefficients counts a group if each patient has weight 0 or 1 in
it. Those combinations are the vectors of zeros and ones in the row space of the matrix that says
which count holds which group. In its reduced form a vector is given by its values at the pivots,
and what has no column in common can be searched apart: a vector is the sum of its parts, and if it
counts few patients, so does a part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.privacy.memory.groups import Membership

_Floats = NDArray[np.float64]
_NEAR: Final = 1e-6
_MOST_VECTORS: Final = 4096
_GREATEST_DENOMINATOR: Final = 10_000
# The rest says nothing that these do not.
_MOST_TOLD: Final = 20


@dataclass(frozen=True)
class Combination:
    """Counts that together give the number of patients in a small group.

    Attributes:
        weights: The weight of each count, 0 where it is not needed.
    """

    weights: tuple[Fraction, ...]


@dataclass(frozen=True)
class Search:
    """What was found.

    Attributes:
        found: Up to 20 combinations, those of the fewest counts first.
        complete: Whether all were tried; there may be too many.
    """

    found: tuple[Combination, ...]
    complete: bool


@dataclass(frozen=True)
class _Reduced:
    """A matrix in reduced row echelon form.

    Attributes:
        rows: Pivot x column.
        pivots: The column of each pivot.
        weights: Pivot x count: the combination of counts that gives each row.
    """

    rows: _Floats
    pivots: tuple[int, ...]
    weights: _Floats


def small_groups(
    membership: Membership,
    counts: Sequence[int],
    threshold: int,
    known: Sequence[Sequence[int]],
) -> Search:
    """The groups of 1 up to threshold - 1 patients that follow from all counts together only.

    What follows to be empty is left out, so that it may have any weight.

    Args:
        membership: Count x group.
        counts: The patients of each.
        threshold: Groups of fewer patients are small.
        known: Lists of counts; what follows from one of the lists alone is not told.
    """
    live = np.flatnonzero(~membership[[count == 0 for count in counts]].any(axis=0))
    while True:
        matrix = membership[:, live].astype(np.float64)
        reduced = _reduce(matrix)
        values = reduced.weights @ np.array(counts, dtype=np.float64)
        small, empty, complete = _classified(reduced, values, threshold)
        if not empty.any():
            break
        live = live[~empty]
    spans = [_span(matrix[list(each)]) for each in known]
    found: list[Combination] = []
    for choice in sorted(small, key=lambda each: _terms(each @ reduced.weights)):
        if len(found) < _MOST_TOLD and not any(
            _inside(choice @ reduced.rows, span) for span in spans
        ):
            exact = _exact(choice @ reduced.weights, matrix)
            found += [] if exact is None else [exact]
    return Search(tuple(found), complete)


def _reduce(matrix: _Floats) -> _Reduced:
    """Gauss-Jordan elimination with the greatest pivot of each column."""
    size, width = matrix.shape
    work = np.hstack([matrix, np.eye(size)])
    pivots: list[int] = []
    for column in range(width):
        row = len(pivots)
        if row == size:
            break
        best = row + int(np.argmax(np.abs(work[row:, column])))
        if abs(work[best, column]) < _NEAR:
            continue
        work[[row, best]] = work[[best, row]]
        work[row] /= work[row, column]
        factors = work[:, column].copy()
        factors[row] = 0.0
        work -= np.outer(factors, work[row])
        pivots.append(column)
    rank = len(pivots)
    return _Reduced(work[:rank, :width], tuple(pivots), work[:rank, width:])


def _classified(
    reduced: _Reduced, values: _Floats, threshold: int
) -> tuple[list[_Floats], NDArray[np.bool_], bool]:
    """The small vectors, as choices of pivots; the empty columns; whether all were seen."""
    empty = np.zeros(reduced.rows.shape[1], dtype=np.bool_)
    small: list[_Floats] = []
    complete = True
    for part in _parts(reduced.rows, reduced.pivots):
        choices = _vectors(reduced.rows[part])
        if choices is None:
            complete = False
            continue
        numbers = choices @ values[part]
        nothing = choices[np.abs(numbers) < 0.5] @ reduced.rows[part]
        empty |= (nothing > 0.5).any(axis=0)
        few = choices[(numbers > 0.5) & (numbers < threshold - 0.5)]
        chosen = np.zeros((len(few), len(values)))
        chosen[:, part] = few
        small += list(chosen)
    return small, empty, complete


def _parts(rows: _Floats, pivots: Sequence[int]) -> Iterator[list[int]]:
    """Rows that have columns in common, directly or through others, neighbours near each other."""
    touches = np.abs(rows) > _NEAR
    touches[:, list(pivots)] = False
    waiting = set(range(len(rows)))
    while waiting:
        part = [waiting.pop()]
        for row in part:
            near = [one for one in waiting if (touches[row] & touches[one]).any()]
            part += near
            waiting -= set(near)
        yield part


def _vectors(rows: _Floats) -> _Floats | None:
    """The choices of rows of which the sum has zeros and ones only, but for none; None: too many.

    Rows are added one by one; a column is looked at as soon as no later row can change it.
    """
    touches = np.abs(rows) > _NEAR
    touched = touches.any(axis=0)
    last = len(rows) - 1 - np.argmax(touches[::-1], axis=0)
    choices, sums = np.zeros((1, 0)), np.zeros((1, rows.shape[1]))
    for place, row in enumerate(rows):
        sums = np.vstack([sums, sums + row])
        ones = np.repeat([[0.0], [1.0]], len(choices), axis=0)
        choices = np.hstack([np.vstack([choices, choices]), ones])
        done = sums[:, touched & (last == place)]
        fits = (np.minimum(np.abs(done), np.abs(done - 1.0)) < _NEAR).all(axis=1)
        choices, sums = choices[fits], sums[fits]
        if len(choices) > _MOST_VECTORS:
            return None
    return choices[choices.any(axis=1)]


def _span(rows: _Floats) -> _Floats:
    """An orthonormal basis, row by row, of what some rows span."""
    if not rows.size:
        return np.zeros((0, rows.shape[1]))
    _, sizes, basis = np.linalg.svd(rows, full_matrices=False)
    return basis[sizes > _NEAR]


def _inside(vector: _Floats, span: _Floats) -> bool:
    rest = vector - (vector @ span.T) @ span
    return bool(np.abs(rest).max(initial=0.0) < _NEAR)


def _exact(weights: _Floats, matrix: _Floats) -> Combination | None:
    """A combination in whole fractions, if with these each group has exactly weight 0 or 1."""
    found = tuple(Fraction(weight).limit_denominator(_GREATEST_DENOMINATOR) for weight in weights)
    used = [(weight, matrix[row]) for row, weight in enumerate(found) if weight]
    for column in range(matrix.shape[1]):
        if sum((weight for weight, row in used if row[column]), Fraction(0)) not in {0, 1}:
            return None
    return Combination(found)


def _terms(weights: _Floats) -> int:
    return int((np.abs(weights) > _NEAR).sum())
