"""Holds what a release let out against the truth, number by number."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from simulator.aggregates.released import Between, Noisy, Partial, Released, Rounded, Withheld
from simulator.hub.analyses.results import Landmark
from simulator.laboratory.compare_values import Held


def held_count(shown: Released, truth: float) -> Held:
    """A released count beside the truth; what was withheld is no number, and gets no error.

    A count that stands for several, or of which parts are missing, is known between bounds alone.
    """
    match shown:
        case Withheld():
            return Held(truth)
        case Noisy(noisy=noisy):
            return Held(truth, noisy, noisy - truth)
        case Rounded(stands_for=Between(at_least=least, at_most=most)):
            return _within(truth, least, most)
        case Between(at_least=least, at_most=most) | Partial(at_least=least, at_most=most):
            return _within(truth, least, most)
        case _:
            return Held(truth, shown, shown - truth)


def held_survival(mark: Landmark, truth: float) -> Held:
    """Survival at a month beside the truth, both 0 to 1.

    An estimate may have bounds beside it. Where there is neither, survival lies between 0 and 1,
    and that is all that is known.
    """
    bounds = mark.bounds
    if bounds is None:
        if mark.estimate is None:
            return _within(truth, 0.0, 1.0)
        return Held(truth, mark.estimate, mark.estimate - truth)
    least, most = bounds.at_least or 0.0, 1.0 if bounds.at_most is None else bounds.at_most
    held = _within(truth, least, most)
    if mark.estimate is None:
        return held
    return Held(
        truth,
        mark.estimate,
        mark.estimate - truth,
        held.at_least,
        held.at_most,
        held.outside,
        held.width,
    )


def _within(truth: float, least: float, most: float | None) -> Held:
    above = 0.0 if most is None else max(truth - most, 0.0)
    return Held(
        truth,
        at_least=least,
        at_most=most,
        outside=max(least - truth, above, 0.0),
        width=None if most is None else most - least,
    )


def over_runs(runs: Sequence[Held]) -> Held:
    """The means of several runs, with the standard deviation of the estimate.

    What one of the runs lacks, the mean lacks.

    Raises:
        ValueError: There is no run.
    """
    if not runs:
        raise ValueError("at least one run was expected; got none")
    if len(runs) == 1:
        return runs[0]
    estimates = _known([run.estimate for run in runs])
    return Held(
        runs[0].truth,
        _mean(estimates),
        _mean(_known([run.error for run in runs])),
        _mean(_known([run.at_least for run in runs])),
        _mean(_known([run.at_most for run in runs])),
        _mean(_known([run.outside for run in runs])),
        _mean(_known([run.width for run in runs])),
        statistics.stdev(estimates) if estimates else None,
    )


def _known(values: Sequence[float | None]) -> list[float]:
    """The values, if none is missing; otherwise none."""
    found = [value for value in values if value is not None]
    return found if len(found) == len(values) else []


def _mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None
