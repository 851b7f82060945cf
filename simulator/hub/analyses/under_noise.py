"""The comparison where every cell carries noise: intervals and the test know it."""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec
import numpy as np

from simulator.aggregates.grid import Grid
from simulator.aggregates.released import Noisy
from simulator.errors import Refused
from simulator.hub.analyses.arms import arm_result
from simulator.hub.analyses.compared import Comparison
from simulator.hub.analyses.released import ReleasedNoise
from simulator.hub.analyses.results import ArmResult, Landmark, LogRankResult
from simulator.language.study import Study
from simulator.privacy.offers import REASONS
from simulator.privacy.release import Release
from simulator.statistics.noisy_cells import cleaned
from simulator.statistics.noisy_log_rank import noisy_log_rank
from simulator.statistics.noisy_survival import noisy_kaplan_meier
from simulator.statistics.noisy_totals import TotalErrors, total_errors
from simulator.statistics.times import moment_on, still_watched_cell

_NULL: Final = "tables drawn without a difference, with as much noise"
_SEED_BYTES: Final = 8
_REFUSED: Final = "no hazard ratios, and no differences of survival or of its mean between arms"


def under_noise(study: Study, release: Release, found: ReleasedNoise) -> Comparison:
    """Compares the arms of a table with noise.

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
    arms = []
    for arm in table.arms:
        curve = noisy_kaplan_meier(table, arm, law, rng=rng)
        made = arm_result(study, release, believed, arm, curve)
        errors = total_errors(table, arm, law, rng=apart)
        arms.append(_with_errors(made, errors, table.grid))
    if len(arms) == 1:
        return Comparison(tuple(arms), None, (), unit=table.grid.unit)
    test = noisy_log_rank(table, law, rng=rng)
    return Comparison(
        tuple(arms),
        LogRankResult(test.statistic, test.degrees_of_freedom, test.p, _NULL, test.naive_p),
        (),
        unit=table.grid.unit,
        notes=(f"{_REFUSED}: {REASONS['hazard ratios']['dp']}",),
    )


def _with_errors(made: ArmResult, errors: TotalErrors, grid: Grid) -> ArmResult:
    """An arm whose totals are told with the error that the noise leaves in them."""

    def noisy(count: object, error: float) -> Noisy:
        assert isinstance(count, int)  # noqa: S101  # no threshold is at work under noise
        return Noisy(count, error)

    def landmark(one: Landmark) -> Landmark:
        cell = still_watched_cell(grid, moment_on(grid, one.months))
        error = errors.followed if cell is None else float(errors.at_risk[cell])
        return msgspec.structs.replace(one, at_risk=noisy(one.at_risk, error))

    return msgspec.structs.replace(
        made,
        patients=noisy(made.patients, float(errors.at_risk[0])),
        events=noisy(made.events, errors.events),
        censored=noisy(made.censored, errors.censored),
        survival=tuple(map(landmark, made.survival)),
        curve=tuple(map(landmark, made.curve)),
    )
