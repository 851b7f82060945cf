"""What an analysis asks of a site: each need names the table that answers it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from simulator.aggregates.grid import Grid
from simulator.aggregates.survival import survival_layout
from simulator.aggregates.table import Axis, Layout, Measure
from simulator.language.study import Question, Subgroup
from simulator.messages.describing import DAYS_AT_RISK, DescribingNeed
from simulator.messages.describing import EVERYONE as EVERYONE
from simulator.messages.describing import PATIENTS as PATIENTS

DAYS: Final = "days"
DAYS_MEASURED: Final = frozenset({DAYS, DAYS_AT_RISK})
EVENTS: Final = "events"
WITH_INDEX: Final = "with an index event"
IN_AN_ARM: Final = "in exactly one arm"
NO_ARM: Final = "in no arm"
SEVERAL_ARMS: Final = "in several arms"
NO_LEVEL: Final = "in no level"
SEVERAL_LEVELS: Final = "in several levels"


class AttritionNeed(msgspec.Struct, frozen=True, tag="attrition"):
    """How many patients are left after the index event, each step, and the arms."""


class AssignmentNeed(msgspec.Struct, frozen=True, tag="assignment"):
    """How many patients of the cohort are in each arm, in none, and in several."""


class SurvivalNeed(msgspec.Struct, frozen=True, tag="survival"):
    """Events and censorings of each arm on a grid, also by the levels of a subgroup.

    By level, two more levels hold those in none and those in several.

    Attributes:
        grid: The time axis.
        subgroup: The name of one of the question's subgroups; empty for all patients together.
    """

    grid: Grid
    subgroup: str = ""


class EntriesNeed(msgspec.Struct, frozen=True, tag="entries"):
    """How many events may be the index, on how many days, of how many patients, after each step.

    Every event of the index's kind is counted, not only the first or the last, with the steps asked
    around its day.
    """


Need = AttritionNeed | AssignmentNeed | SurvivalNeed | EntriesNeed | DescribingNeed


def kind_of(need: Need) -> str:
    """What releases call such a need: its tag, or ``subgroups`` for survival by level."""
    if isinstance(need, SurvivalNeed) and need.subgroup:
        return "subgroups"
    return str(need.__struct_config__.tag)


def in_order(needs: Iterable[Need]) -> tuple[Need, ...]:
    """Needs, each once, in an order that does not depend on chance."""
    return tuple(sorted(set(needs), key=repr))


def layout_of(need: Need, question: Question) -> Layout:
    """The layout of the table that answers a need; the site and the hub derive it alike."""
    arms = tuple(arm.name for arm in question.arms)
    match need:
        case AttritionNeed():
            last = (IN_AN_ARM,) if arms else ()
            axis = Axis.of("step", (*_funnel(question), *last))
            return Layout((axis,), (Measure(PATIENTS),))
        case AssignmentNeed():
            axis = Axis.of("arm", (*arms, NO_ARM, SEVERAL_ARMS))
            return Layout((axis,), (Measure(PATIENTS),))
        case SurvivalNeed(grid=grid, subgroup=""):
            return survival_layout(arms or (EVERYONE,), grid)
        case SurvivalNeed(grid=grid, subgroup=name):
            levels = subgroup_of(question, name).levels
            outer, time = survival_layout(arms or (EVERYONE,), grid).axes
            names = tuple(level.name for level in levels)
            level = Axis.of("level", (*names, NO_LEVEL, SEVERAL_LEVELS))
            return Layout((outer, level, time), survival_layout(arms, grid).measures)
        case EntriesNeed():
            axis = Axis.of("step", _funnel(question))
            return Layout((axis,), (Measure(PATIENTS), Measure(DAYS), Measure(EVENTS)))
        case _:
            return need.layout(question)


def subgroup_of(question: Question, name: str) -> Subgroup:
    """The question's subgroup of that name.

    Raises:
        ValueError: There is none.
    """
    for subgroup in question.subgroups:
        if subgroup.name == name:
            return subgroup
    raise ValueError(f"the question has no subgroup '{name}'")


def _funnel(question: Question) -> tuple[str, ...]:
    return (WITH_INDEX, *(step.name for step in question.cohort.steps))
