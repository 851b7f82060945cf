"""Who each count of a round is about, as a query set."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import msgspec

from simulator.language.criteria import EventCriterion, Events, Occurrence
from simulator.language.study import Arm, Question
from simulator.language.windows import AgeRange, DateRange, Window
from simulator.messages.describing import (
    AGE_EDGES,
    AGES,
    OBSERVED,
    PREVALENT,
    QUARTERS,
    RACES,
    SEXES,
    ArrivalNeed,
    CalendarNeed,
    CodesNeed,
    DemographicsNeed,
    FollowUpNeed,
    LabsNeed,
    PathwaysNeed,
    RaceNeed,
    Years,
)
from simulator.messages.needs import (
    EVERYONE,
    IN_AN_ARM,
    NO_ARM,
    NO_LEVEL,
    SEVERAL_ARMS,
    AssignmentNeed,
    AttritionNeed,
    EntriesNeed,
    Need,
    SurvivalNeed,
    layout_of,
    subgroup_of,
)
from simulator.privacy.memory.literals import SEX, Dictionary, Literals
from simulator.privacy.memory.values import (
    HOLDS,
    Definitions,
    QuerySet,
    fingerprint,
)

_Named = list[tuple[str, Literals]]
_Sides = tuple[_Named, _Named, dict[tuple[str, str], Literals]]
_NONE: Final = frozenset[str]()
_EVERYONE_AT_SITES: Final = "everyone"


@dataclass(frozen=True)
class Cell:
    """A count of a table that answers a need.

    Attributes:
        name: What it is called.
        sets: Who is counted; the same people may be described in two ways.
    """

    name: str
    sets: tuple[QuerySet, ...]


class Asking:
    """A question that was put to the sites of a roster.

    Args:
        question: The question.
        roster: The names of the sites.
    """

    def __init__(self, question: Question, roster: Sequence[str]) -> None:
        self._question = question
        self._sites = frozenset(roster)
        self._words = Dictionary(question.codes)
        index = question.cohort.index
        self._base, asked, self._divisible = self._words.index(index)
        self._prefixes = [asked]
        for step in question.cohort.steps:
            self._prefixes.append(self._prefixes[-1] | self._words.literals(step.require))

    @property
    def known(self) -> Definitions:
        """What the literals of its sets stand for."""
        return self._words.known

    def cells(self, need: Need) -> tuple[Cell, ...]:
        """The counts of patients that a need asks for, in the order in which they are told.

        Calendar years come with all observed first. Of pathways there is only everyone: which of
        them somebody took is in the answer.
        """
        match need:
            case AttritionNeed():
                return self._attrition()
            case EntriesNeed():
                return self._entries()
            case AssignmentNeed():
                return self._assignment()
            case SurvivalNeed(subgroup=subgroup):
                return tuple(self._groups(subgroup))
            case FollowUpNeed() | PathwaysNeed():
                return (self._cell(EVERYONE, _NONE),)
            case CodesNeed():
                return self._codes(need)
            case CalendarNeed(years=years):
                return self._calendar(years)
            case _:
                return self._grid(need)

    def path(self, names: Sequence[str]) -> Cell:
        """Those who took kinds of treatment in turn."""
        lines = fingerprint((self._question.lines, self._question.codes))
        each = [
            self._words.kind(f"treatment {place} of {lines}", name)
            for place, name in enumerate(names)
        ]
        return self._cell(", then ".join(names), _NONE.union(*each))

    def _cell(self, name: str, literals: Literals) -> Cell:
        """Those of the cohort for whom literals hold as well."""
        everyone = self._prefixes[-1]
        if self._divisible:
            return Cell(name, (QuerySet(self._base, everyone | literals, self._sites),))
        # The index is the earliest at which all steps hold, so it is given by all of them.
        base = fingerprint((self._base, sorted(everyone)))
        own = QuerySet(base, literals, self._sites)
        whole = QuerySet(self._base, everyone, self._sites, divisible=False)
        return Cell(name, (own,) if literals else (own, whole))

    def _attrition(self) -> tuple[Cell, ...]:
        labels = layout_of(AttritionNeed(), self._question).axes[0].labels
        found = [
            Cell(name, (QuerySet(self._base, literals, self._sites, self._divisible),))
            for name, literals in zip(labels, self._prefixes[:-1], strict=False)
        ]
        found.append(self._cell(labels[len(found)], _NONE))
        if self._question.arms:
            found.append(self._cell(IN_AN_ARM, self._in_one(self._question.arms)))
        return tuple(found)

    def _entries(self) -> tuple[Cell, ...]:
        """Any event may be the index, so none is given; what holds, holds around the same one."""
        index = msgspec.structs.replace(self._question.cohort.index, occurrence=Occurrence.ANY)
        base, asked, _ = self._words.index(index)
        labels = layout_of(EntriesNeed(), self._question).axes[0].labels
        first = self._prefixes[0]
        return tuple(
            Cell(name, (QuerySet(base, asked | (each - first), self._sites, divisible=False),))
            for name, each in zip(labels, self._prefixes, strict=True)
        )

    def _assignment(self) -> tuple[Cell, ...]:
        arms = self._question.arms
        each = [self._words.literals(arm.require) for arm in arms]
        return (
            *(self._cell(arm.name, self._only(place, arms)) for place, arm in enumerate(arms)),
            self._cell(NO_ARM, self._words.negated(self._words.at_least(1, each))),
            self._cell(SEVERAL_ARMS, self._words.at_least(2, each)),
        )

    def _groups(self, subgroup: str) -> Iterator[Cell]:
        """The arms, or each arm's levels and who is in none of them."""
        arms = self._question.arms
        groups = [(arm.name, self._only(place, arms)) for place, arm in enumerate(arms)]
        groups = groups or [(EVERYONE, _NONE)]
        if not subgroup:
            yield from (self._cell(name, literals) for name, literals in groups)
            return
        levels = subgroup_of(self._question, subgroup).levels
        each = [self._words.literals(level.require) for level in levels]
        parts = [(level.name, self._only(place, levels)) for place, level in enumerate(levels)]
        parts.append((NO_LEVEL, self._words.negated(self._words.at_least(1, each))))
        for (group, one), (level, other) in product(groups, parts):
            yield self._cell(f"{group}, {level}", one | other)

    def _only(self, place: int, groups: Sequence[Arm]) -> Literals:
        """In this one of several groups and in no other."""
        found = self._words.literals(groups[place].require)
        for at, group in enumerate(groups):
            if at != place:
                found |= self._words.negated(self._words.literals(group.require))
        return found

    def _in_one(self, groups: Sequence[Arm]) -> Literals:
        each = [self._words.literals(group.require) for group in groups]
        more = self._words.negated(self._words.at_least(2, each)) if len(each) > 1 else _NONE
        return self._words.at_least(1, each) | more

    def _codes(self, need: CodesNeed) -> tuple[Cell, ...]:
        words = Dictionary(need.sets)
        found = [self._cell(EVERYONE, _NONE)]
        for codes in need.sets:
            fact = EventCriterion(Events(need.domain, codes.name), Window(None, 0))
            found.append(self._cell(codes.name, words.literals(fact)))
        self._words.known.update(words.known)
        return tuple(found)

    def _calendar(self, years: Years) -> tuple[Cell, ...]:
        seen, had = [], []
        for year in range(years.first, years.last + 1):
            observed = frozenset({HOLDS + fingerprint(("observed", year))})
            everyone = QuerySet(_EVERYONE_AT_SITES, observed, self._sites)
            seen.append(Cell(f"{OBSERVED} in {year}", (everyone,)))
            until = self._words.dates(DateRange(None, dt.date(year, 12, 31)))
            had.append(self._cell(f"{PREVALENT} in {year}", observed | until))
        return (*seen, *had)

    def _grid(self, need: Need) -> tuple[Cell, ...]:
        """The cells row by row, the rows' totals, those of the columns, and everyone."""
        rows, columns, cells = self._sides(need)
        inner = [
            (f"{one}, {other}", cells.get((one, other), mine | its))
            for (one, mine), (other, its) in product(rows, columns)
        ]
        named = [*inner, *rows, *columns, (EVERYONE, _NONE)]
        return tuple(self._cell(name, literals) for name, literals in named)

    def _sides(self, need: Need) -> _Sides:
        """The literals of rows, of columns, and of cells that need others than both."""
        match need:
            case DemographicsNeed():
                sexes = [(name, self._words.kind(SEX, name)) for name in SEXES[:-1]]
                rest = _NONE.union(*(self._words.negated(literals) for _, literals in sexes))
                return [*sexes, (SEXES[-1], rest)], self._age_groups(), {}
            case RaceNeed():
                return [(EVERYONE, _NONE)], self._kinds("race", RACES), {}
            case ArrivalNeed(years=years):
                return self._arrival(years)
            case LabsNeed():
                labels = need.layout(self._question).axes[1].labels
                rows, cells = [], {}
                for test in need.tests:
                    rows.append((test.loinc, _NONE))
                    for name, literals in self._kinds(fingerprint(test), labels):
                        cells[test.loinc, name] = literals
                return rows, [(name, _NONE) for name in labels], cells
            case _:
                return [], [], {}

    def _kinds(self, of: str, values: Sequence[str]) -> _Named:
        return [(value, self._words.kind(of, value)) for value in values]

    def _age_groups(self) -> _Named:
        edges = (0, *AGE_EDGES)
        ends = (*(edge - 1 for edge in AGE_EDGES), None)
        spans = [AgeRange(low, high) for low, high in zip(edges, ends, strict=True)]
        known = self._words.ages(AgeRange(0, None)) - self._words.ages(AgeRange())
        groups = [self._words.ages(span) for span in spans]
        return list(zip(AGES, [*groups, self._words.negated(known)], strict=True))

    def _arrival(self, years: Years) -> _Sides:
        before = DateRange(None, dt.date(years.first - 1, 12, 31))
        after = DateRange(dt.date(years.last + 1, 1, 1), None)
        columns, cells = self._kinds("quarter of index", QUARTERS), {}
        rows = [(f"before {years.first}", self._words.dates(before))]
        for year in range(years.first, years.last + 1):
            whole = DateRange(dt.date(year, 1, 1), dt.date(year, 12, 31))
            rows.append((str(year), self._words.dates(whole)))
            for place, quarter in enumerate(QUARTERS):
                begin = dt.date(year, 3 * place + 1, 1)
                end = dt.date(
                    year + place // 3, 3 * place % 9 + 1 if place == 3 else 3 * place + 4, 1
                )
                span = DateRange(begin, end - dt.timedelta(days=1))
                cells[str(year), quarter] = self._words.dates(span)
        rows.append((f"after {years.last}", self._words.dates(after)))
        return rows, columns, cells


def _quarter(year: int, place: int) -> DateRange:
    """A quarter of a year, the first at place 0."""
    following = dt.date(year + 1, 1, 1) if place == 3 else dt.date(year, 3 * place + 4, 1)
    return DateRange(dt.date(year, 3 * place + 1, 1), following - dt.timedelta(days=1))
