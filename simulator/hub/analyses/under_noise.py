"""The comparison where every cell carries noise: intervals and the test know it."""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec
import numpy as np

from simulator.aggregates.grid import Grid
from simulator.aggregates.released import Noisy, Released
from simulator.errors import Refused
from simulator.hub.analyses.arms import arm_result
from simulator.hub.analyses.compared import Comparison
from simulator.hub.analyses.released import ReleasedNoise
from simulator.hub.analyses.results import ArmResult, Interval, Landmark, LogRankResult
from simulator.language.study import Study
from simulator.privacy.offers import REASONS
from simulator.privacy.release import Release
from simulator.statistics.noisy_cells import cleaned
from simulator.statistics.noisy_log_rank import noisy_log_rank
from simulator.statistics.noisy_survival import noisy_kaplan_meier
from simulator.statistics.noisy_totals import Total, Totals, noisy_totals
from simulator.statistics.times import moment_on, still_watched_cell

_NULL: Final = "tables drawn without a difference, with as much noise"
_SEED_BYTES: Final = 8
_LEAST_TIMES_ERROR: Final = 2.0
"""Of smaller arms too many intervals miss; see `docs/mechanisms/survival-under-noise.md`."""
_REFUSED: Final = "no hazard ratios, and no differences of survival or of its mean between arms"


def under_noise(study: Study, release: Release, found: ReleasedNoise) -> Comparison:
    """Compares the arms of a table with noise.

    Of an arm whose size is estimated at less than twice its error nothing but its totals is told:
    no curve, no median, no mean. There is no median of the follow-up in any arm, as nothing is
    known of its error.

    Chance for the simulated tables comes from the cells themselves, so that the same noisy table
    always gives the same result.

    Raises:
        Refused: The noise leaves an arm without patients.
    """
    table, law = found.table, found.law
    believed = cleaned(table, law)
    empty = [arm for arm, n in zip(table.arms, believed.patients, strict=True) if n == 0]
    if empty:
        raise Refused(
            f"with this noise nothing can be told of the arm '{empty[0]}'",
            hint="Give the run a greater --epsilon, or merge arms.",
        )
    digest = hashlib.sha256(table.table.values.tobytes()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:_SEED_BYTES], "big"))
    apart = np.random.default_rng(int.from_bytes(digest[-_SEED_BYTES:], "big"))
    arms: list[ArmResult] = []
    untold: list[str] = []
    for arm in table.arms:
        curve = noisy_kaplan_meier(table, arm, law, rng=rng)
        totals = noisy_totals(table, arm, law, rng=apart)
        made = _with_totals(arm_result(study, release, believed, arm, curve), totals, table.grid)
        if totals.patients.estimate < _LEAST_TIMES_ERROR * totals.patients.error:
            untold.append(arm)
            made = _totals_alone(made)
        arms.append(made)
    notes = _untold(untold)
    if len(arms) == 1:
        return Comparison(tuple(arms), None, (), unit=table.grid.unit, notes=notes)
    test = noisy_log_rank(table, law, rng=rng)
    return Comparison(
        tuple(arms),
        LogRankResult(test.statistic, test.degrees_of_freedom, test.p, _NULL, test.naive_p),
        (),
        unit=table.grid.unit,
        notes=(f"{_REFUSED}: {REASONS['hazard ratios']['dp']}", *notes),
    )


def _with_totals(made: ArmResult, totals: Totals, grid: Grid) -> ArmResult:
    """An arm whose numbers of patients are estimates with their errors."""

    def landmark(one: Landmark) -> Landmark:
        cell = still_watched_cell(grid, moment_on(grid, one.months))
        watched = totals.followed if cell is None else totals.at_risk[cell]
        return msgspec.structs.replace(one, at_risk=_noisy(watched))

    return msgspec.structs.replace(
        made,
        patients=_noisy(totals.patients),
        events=_noisy(totals.events),
        censored=_noisy(totals.censored),
        median_follow_up_months=None,
        survival=tuple(map(landmark, made.survival)),
        curve=tuple(map(landmark, made.curve)),
    )


def of_size(arm: ArmResult, patients: Released) -> ArmResult:
    """An arm whose patients were counted apart, with less noise: no other number exceeds theirs."""
    if not isinstance(patients, Noisy):
        return msgspec.structs.replace(arm, patients=patients)

    def within(count: Released) -> Released:
        if not isinstance(count, Noisy) or count.noisy <= patients.noisy:
            return count
        return Noisy(patients.noisy, count.standard_error)

    def landmark(one: Landmark) -> Landmark:
        return msgspec.structs.replace(one, at_risk=within(one.at_risk))

    return msgspec.structs.replace(
        arm,
        patients=patients,
        events=within(arm.events),
        censored=within(arm.censored),
        survival=tuple(map(landmark, arm.survival)),
        curve=tuple(map(landmark, arm.curve)),
    )


def _noisy(total: Total) -> Noisy:
    return Noisy(total.estimate, total.error)


def _totals_alone(made: ArmResult) -> ArmResult:
    """An arm without what is read off its curve."""
    bare = msgspec.structs.replace
    mean = made.rmst_months

    def watched(marks: tuple[Landmark, ...]) -> tuple[Landmark, ...]:
        return tuple(bare(mark, estimate=None, lower=None, upper=None) for mark in marks)

    return bare(
        made,
        median_months=Interval(None, None, None),
        survival=watched(made.survival),
        rmst_months=None if mean is None else bare(mean, estimate=None, lower=None, upper=None),
        curve=watched(made.curve),
        quantiles_months=tuple(
            bare(found, estimate=None, lower=None, upper=None) for found in made.quantiles_months
        ),
    )


def _untold(arms: list[str]) -> tuple[str, ...]:
    """Why there is nothing of these arms but their totals."""
    if not arms:
        return ()
    named = ", ".join(f"'{arm}'" for arm in arms)
    return (
        f"no curve, median or mean of {named}: with this noise the estimated number of patients "
        "is less than twice its own error",
    )
