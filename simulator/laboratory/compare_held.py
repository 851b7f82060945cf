"""Holds what a release let out against the truth, number by number."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Final

import msgspec

from simulator.aggregates.released import Between, Noisy, Partial, Released, Rounded, Withheld
from simulator.hub.analyses.results import Landmark
from simulator.laboratory.compare_values import Held

_95: Final = 1.959963984540054  # the 97.5 % point of the normal distribution


def held_count(shown: Released, truth: float) -> Held:
    """A released count beside the truth; what was withheld is no number, and gets no error.

    A count that stands for several, or of which parts are missing, is known between bounds alone.
    """
    match shown:
        case Withheld():
            return Held(truth)
        case Noisy(noisy=noisy, standard_error=spread):
            return _estimated(truth, noisy, noisy - _95 * spread, noisy + _95 * spread)
        case Rounded(stands_for=Between(at_least=least, at_most=most)):
            return _within(truth, least, most)
        case Between(at_least=least, at_most=most) | Partial(at_least=least, at_most=most):
            return _within(truth, least, most)
        case _:
            return Held(truth, shown, shown - truth)


def held_survival(mark: Landmark | None, truth: float, *, bounded: bool) -> Held:
    """Survival at a month beside the truth, both 0 to 1.

    An estimate may have bounds beside it.

    Args:
        mark: What was let out of it; None where nothing was.
        truth: What the rows say, on the same scale of time.
        bounded: Whether the release gives bounds: where neither they nor an estimate stand, the
            rule leaves anything between 0 and 1 open. Under others there is then no number.
    """
    if mark is None:
        return Held(truth)
    bounds = mark.bounds
    if bounds is None:
        if mark.estimate is None:
            return _within(truth, 0.0, 1.0) if bounded else Held(truth)
        return _estimated(truth, mark.estimate, mark.lower, mark.upper)
    least, most = bounds.at_least or 0.0, 1.0 if bounds.at_most is None else bounds.at_most
    held = _within(truth, least, most)
    if mark.estimate is None:
        return held
    return msgspec.structs.replace(held, estimate=mark.estimate, error=mark.estimate - truth)


def _estimated(truth: float, estimate: float, lower: float | None, upper: float | None) -> Held:
    """A number, and whether its interval leaves the truth out, if it has one."""
    outside = None
    if lower is not None and upper is not None:
        outside = float(not lower <= truth <= upper)
    return Held(truth, estimate, estimate - truth, outside=outside)


def _within(truth: float, least: float, most: float | None) -> Held:
    above = 0.0 if most is None else max(truth - most, 0.0)
    beyond = max(least - truth, above, 0.0)
    return Held(
        truth,
        at_least=least,
        at_most=most,
        outside=float(beyond > 0.0),
        beyond=beyond,
        width=None if most is None else most - least,
    )


def over_runs(runs: Sequence[Held]) -> Held:
    """The means of several runs, with the spread of the estimate and the root mean squared error.

    What one of the runs lacks, the mean lacks.

    Raises:
        ValueError: There is no run.
    """
    if not runs:
        raise ValueError("at least one run was expected; got none")
    if len(runs) == 1:
        return runs[0]
    estimates = _known([run.estimate for run in runs])
    errors = _known([run.error for run in runs])
    squared = _mean([error**2 for error in errors])
    return Held(
        truth=runs[0].truth,
        estimate=_mean(estimates),
        error=_mean(errors),
        at_least=_mean(_known([run.at_least for run in runs])),
        at_most=_mean(_known([run.at_most for run in runs])),
        outside=_mean(_known([run.outside for run in runs])),
        beyond=_mean(_known([run.beyond for run in runs])),
        width=_mean(_known([run.width for run in runs])),
        deviation=statistics.stdev(estimates) if estimates else None,
        root_mean_square=None if squared is None else math.sqrt(squared),
    )


def _known(values: Sequence[float | None]) -> list[float]:
    """The values, if none is missing; otherwise none."""
    found = [value for value in values if value is not None]
    return found if len(found) == len(values) else []


def _mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None
