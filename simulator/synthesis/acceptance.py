"""Draws the cohort of an arm, whole, until what its sites record lies near the reported figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.survival import SurvivalTable
from simulator.errors import UserError
from simulator.statistics.kaplan_meier import kaplan_meier, median, survival_at
from simulator.synthesis.courses import Courses
from simulator.synthesis.days import Days, day_number
from simulator.synthesis.follow_up import FollowUp, Recording, follow
from simulator.synthesis.illness import days_under, draw_survival, draw_traits
from simulator.synthesis.labels import NUMBER, Label
from simulator.synthesis.organisations import Organisation
from simulator.synthesis.scenario import Acceptance, Arm, Scenario


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


def _measure(
    days: NDArray[np.int64], event: NDArray[np.bool_], unit: Unit, acceptance: Acceptance
) -> tuple[float | None, float | None]:
    table = SurvivalTable.from_rows(
        ("all",),
        Grid(unit, acceptance.horizon),
        arm=np.zeros(len(days), dtype=np.int64),
        days=days,
        event=event,
    )
    curve = kaplan_meier(table)
    return survival_at(curve, acceptance.landmark).estimate, median(curve).estimate


def figures(
    arm: Arm, days: Days, event: NDArray[np.bool_], acceptance: Acceptance, draws: int = 1
) -> ArmFigures:
    """What an analyst reads off recorded days and events of an arm, shape (n,) each."""
    long = days.astype(np.int64)
    by_day = _measure(long, event, Unit.DAY, acceptance)
    by_month = _measure(long, event, Unit.MONTH, acceptance)
    return ArmFigures(arm.name, len(days), draws, by_day[0], by_month[0], by_day[1], by_month[1])


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
    courses = Courses(
        site=site,
        label=np.full(count, NUMBER[Label.COHORT], dtype=np.int8),
        arm=np.full(count, number, dtype=np.int8),
        index=index,
        shift=shift,
        age=traits.age,
        man=traits.man,
        receptor_negative=traits.receptor_negative,
        extrahepatic=traits.extrahepatic,
        high_burden=traits.high_burden,
        many_lines=traits.many_lines,
        poor_performance=traits.poor_performance,
        bilirubin=traits.bilirubin,
        true_days=true_days,
        under=under,
        death=seen.death,
        end=seen.end,
        recorded_days=seen.days,
        recorded_event=seen.event,
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

    Nobody is edited after an accepted draw. An arm in which a death known by month would seem to
    precede its own index is drawn again as well, because readers could differ about it.

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
    for draws in range(1, acceptance.at_most + 1):
        draw = _draw(rng, number, site, recording, scenario)
        found = figures(arm, draw.seen.days, draw.seen.event, acceptance, draws)
        if not acceptance.required:
            return draw.courses, found
        if not draw.seen.unclear.any() and found.lie_near(arm, acceptance):
            return draw.courses, found
    raise UserError(
        f"none of {acceptance.at_most} draws of the arm '{arm.name}' records the wanted survival",
        where=f"scenario '{scenario.name}', seed {seed}",
        hint="Take another seed, raise 'at most draws', or bring the true medians nearer.",
    )
