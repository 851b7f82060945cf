"""The comparison where every cell carries noise: intervals and the test know it."""

from __future__ import annotations

import hashlib
from math import sqrt
from typing import Final

import msgspec
import numpy as np

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

_NULL: Final = "tables drawn without a difference, with as much noise"
_SEED_BYTES: Final = 8


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
    arms = []
    for arm in table.arms:
        curve = noisy_kaplan_meier(table, arm, law, rng=rng)
        made = arm_result(study, release, believed, arm, curve)
        arms.append(_with_errors(made, sqrt(law.variance), table.grid.size))
    if len(arms) == 1:
        return Comparison(tuple(arms), None, (), unit=table.grid.unit)
    test = noisy_log_rank(table, law, rng=rng)
    refused = " and ".join(("hazard ratios", "differences of survival between arms"))
    return Comparison(
        tuple(arms),
        LogRankResult(test.statistic, test.degrees_of_freedom, test.p, _NULL, test.naive_p),
        (),
        unit=table.grid.unit,
        notes=(f"no {refused}: {REASONS['hazard ratios']['dp']}",),
    )


def _with_errors(made: ArmResult, error: float, cells: int) -> ArmResult:
    """An arm whose totals are told with the standard error of what was added to their cells."""

    def noisy(count: object, terms: int) -> Noisy:
        assert isinstance(count, int)  # noqa: S101  # no threshold is at work under noise
        return Noisy(count, error * sqrt(terms))

    def landmark(one: Landmark) -> Landmark:
        left = max(cells - one.months, 0) + 1
        return msgspec.structs.replace(one, at_risk=noisy(one.at_risk, 2 * left))

    return msgspec.structs.replace(
        made,
        patients=noisy(made.patients, 2 * cells),
        events=noisy(made.events, cells),
        censored=noisy(made.censored, cells),
        survival=tuple(map(landmark, made.survival)),
        curve=tuple(map(landmark, made.curve)),
    )
