"""Draws patients whole, again and again, until what sites record lies near reported figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.survival import SurvivalTable
from simulator.errors import UserError
from simulator.statistics.kaplan_meier import Curve, kaplan_meier, survival_at
from simulator.statistics.quantiles import median
from simulator.synthesis.courses import Courses
from simulator.synthesis.days import Days, day_number
from simulator.synthesis.follow_up import FollowUp, Recording, follow
from simulator.synthesis.illness import days_under, draw_survival, draw_traits
from simulator.synthesis.labels import NUMBER, Label
from simulator.synthesis.organisations import Organisation
from simulator.synthesis.scenario import Acceptance, Arm, Scenario

Drawn = TypeVar("Drawn")


class ArmFigures(msgspec.Struct, frozen=True):
    """What the recorded data of an arm show, by both estimators.

    Attributes:
        arm: Its name.
        patients: Its size.
        draws: How many draws it took, the accepted one included.
        survival_by_day: At the landmark.
        survival_by_month: At the landmark.
        median_by_day: Months, or None where it is not reached.
        median_by_month: Months, or None where it is not reached.
    """

    arm: str
    patients: int
    draws: int
    survival_by_day: float | None
    survival_by_month: float | None
    median_by_day: float | None
    median_by_month: float | None

    def lie_near(self, arm: Arm, acceptance: Acceptance) -> bool:
        """Whether all four figures lie within the tolerances."""
        survival = (self.survival_by_day, self.survival_by_month)
        medians = (self.median_by_day, self.median_by_month)
        return all(
            value is not None and abs(value - arm.recorded_survival) <= acceptance.survival_within
            for value in survival
        ) and all(
            value is not None and abs(value - arm.recorded_median) <= acceptance.median_within
            for value in medians
        )


@dataclass(frozen=True)
class _Draw:
    courses: Courses
    seen: FollowUp


def _curve(days: Days, event: NDArray[np.bool_], unit: Unit, horizon: int) -> Curve:
    table = SurvivalTable.from_rows(
        ("all",),
        Grid(unit, horizon),
        arm=np.zeros(len(days), dtype=np.int64),
        days=days.astype(np.int64),
        event=event,
    )
    return kaplan_meier(table)


def median_by_day(days: Days, event: NDArray[np.bool_], horizon: int) -> float | None:
    """The median in months of recorded days and events, shape (n,); None if it is not reached.

    Args:
        days: Days from index to death or to the end of observation.
        event: Whether they end with a recorded death.
        horizon: Months of the survival table.
    """
    return median(_curve(days, event, Unit.DAY, horizon)).estimate


def figures(
    arm: Arm, days: Days, event: NDArray[np.bool_], acceptance: Acceptance, draws: int = 1
) -> ArmFigures:
    """What an analyst reads off recorded days and events of an arm, shape (n,) each."""
    by_day, by_month = (
        _curve(days, event, unit, acceptance.horizon) for unit in (Unit.DAY, Unit.MONTH)
    )
    return ArmFigures(
        arm.name,
        len(days),
        draws,
        survival_at(by_day, acceptance.landmark).estimate,
        survival_at(by_month, acceptance.landmark).estimate,
        median(by_day).estimate,
        median(by_month).estimate,
    )


def draw_until(
    draw: Callable[[], Drawn],
    stands: Callable[[Drawn], bool],
    *,
    at_most: int,
    what: str,
    where: str,
) -> tuple[Drawn, int]:
    """Draws until a draw stands, and counts the draws; nobody is edited after an accepted draw.

    Args:
        draw: Draws anew.
        stands: Whether a draw is accepted.
        at_most: Draws before it is given up.
        what: What is drawn, for the message.
        where: The scenario and the seed, for the message.

    Raises:
        UserError: No draw was accepted within the limit.
    """
    for draws in range(1, at_most + 1):
        drawn = draw()
        if stands(drawn):
            return drawn, draws
    raise UserError(
        f"none of {at_most} draws of {what} records the wanted survival",
        where=where,
        hint="Take another seed, raise 'at most draws', or bring the true medians nearer.",
    )


def _draw(
    rng: np.random.Generator,
    number: int,
    site: NDArray[np.int32],
    recording: Recording,
    scenario: Scenario,
) -> _Draw:
    arm = scenario.arms[number]
    count = len(site)
    first, last = day_number(scenario.first), day_number(scenario.last)
    index = rng.integers(first, last + 1, count).astype(np.int32)
    # A recorded index is taken as it comes; a shift that would put the true one after the data cut
    # cannot have happened.
    least = np.maximum(index - recording.cut, -recording.shift)
    shift = rng.integers(least, recording.shift + 1).astype(np.int32)
    everyone = np.ones(count, dtype=np.bool_)
    traits = draw_traits(
        rng,
        scenario.covariates,
        immunotherapy=everyone & arm.immunotherapy,
        tace=everyone & arm.tace,
    )
    under = days_under(draw_survival(rng, traits.log_hazard), scenario.arms)
    true_days = under[:, number]
    seen = follow(
        rng,
        index,
        shift,
        true_days,
        recording,
        drop_out=scenario.drop_out,
        last_contact_gap=scenario.last_contact_gap,
    )
    courses = Courses.drawn(
        traits,
        seen,
        site=site,
        label=np.full(count, NUMBER[Label.COHORT], dtype=np.int8),
        arm=np.full(count, number, dtype=np.int8),
        index=index,
        shift=shift,
        true_days=true_days,
        under=under,
    )
    return _Draw(courses, seen)


def draw_arm(
    rng: np.random.Generator,
    number: int,
    site: NDArray[np.int32],
    organisations: Sequence[Organisation],
    scenario: Scenario,
    seed: int,
) -> tuple[Courses, ArmFigures]:
    """Draws an arm whole, again and again where the scenario asks for acceptance.

    An arm in which a death known by month would seem to precede its own index is drawn again as
    well, because readers could differ about it.

    Args:
        rng: Source of randomness, used by this arm alone.
        number: The arm's position in the scenario.
        site: The positions of its patients' sites, shape (n,).
        organisations: All organisations.
        scenario: The scenario.
        seed: The network's seed, for the message when no draw is accepted.

    Raises:
        UserError: No draw was accepted within the scenario's limit.
    """
    arm, acceptance = scenario.arms[number], scenario.acceptance
    recording = Recording.of(organisations, site)

    def draw() -> tuple[_Draw, ArmFigures]:
        drawn = _draw(rng, number, site, recording, scenario)
        return drawn, figures(arm, drawn.seen.days, drawn.seen.event, acceptance)

    def stands(drawn: tuple[_Draw, ArmFigures]) -> bool:
        if not acceptance.required:
            return True
        return not drawn[0].seen.unclear.any() and drawn[1].lie_near(arm, acceptance)

    (accepted, found), draws = draw_until(
        draw,
        stands,
        at_most=acceptance.at_most,
        what=f"the arm '{arm.name}'",
        where=f"scenario '{scenario.name}', seed {seed}",
    )
    return accepted.courses, msgspec.structs.replace(found, draws=draws)
