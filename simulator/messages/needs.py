"""What an analysis asks of a site: each need names the table that answers it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from simulator.aggregates.grid import Grid
from simulator.aggregates.survival import survival_layout
from simulator.aggregates.table import Axis, Layout, Measure
from simulator.language.study import Question

PATIENTS: Final = "patients"
WITH_INDEX: Final = "with an index event"
IN_AN_ARM: Final = "in exactly one arm"
NO_ARM: Final = "in no arm"
SEVERAL_ARMS: Final = "in several arms"


class AttritionNeed(msgspec.Struct, frozen=True, tag="attrition"):
    """How many patients are left after the index event, each step, and the arms."""


class AssignmentNeed(msgspec.Struct, frozen=True, tag="assignment"):
    """How many patients of the cohort are in each arm, in none, and in several."""


class SurvivalNeed(msgspec.Struct, frozen=True, tag="survival"):
    """Events and censorings of each arm on a grid."""

    grid: Grid


Need = AttritionNeed | AssignmentNeed | SurvivalNeed


def in_order(needs: Iterable[Need]) -> tuple[Need, ...]:
    """Needs, each once, in an order that does not depend on chance."""
    return tuple(sorted(set(needs), key=repr))


def layout_of(need: Need, question: Question) -> Layout:
    """The layout of the table that answers a need; the site and the hub derive it alike."""
    arms = tuple(arm.name for arm in question.arms)
    match need:
        case AttritionNeed():
            steps = tuple(step.name for step in question.cohort.steps)
            axis = Axis.of("step", (WITH_INDEX, *steps, IN_AN_ARM))
            return Layout((axis,), (Measure(PATIENTS),))
        case AssignmentNeed():
            axis = Axis.of("arm", (*arms, NO_ARM, SEVERAL_ARMS))
            return Layout((axis,), (Measure(PATIENTS),))
        case SurvivalNeed(grid=grid):
            return survival_layout(arms, grid)
