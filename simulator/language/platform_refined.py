"""What of a question's conditions at index the index's own group can say on the platform."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from simulator.language.criteria import (
    AgeCriterion,
    Criterion,
    DateCriterion,
    Events,
    Group,
    Occurrence,
    Rule,
)
from simulator.language.windows import AgeRange, DateRange


class Refined(msgspec.Struct, frozen=True):
    """Dates and ages that are asked of the index and can be asked of its group instead.

    Of the first of a patient's events only what is *at most*: the first event is by then if and
    only if the first that is by then is the same one. Of the last, only what is *at least*. Where
    any event may be the index, both.

    Attributes:
        dates: When the terms of the index's group occurred.
        age: The age at them.
        said: The criteria that are said by these.
    """

    dates: DateRange | None
    age: AgeRange | None
    said: tuple[Criterion, ...]

    @classmethod
    def by(cls, asked: Sequence[Criterion], index: Events) -> Refined:
        """What of some criteria the index's group can say."""
        dates, age, said = index.dates, index.age, list[Criterion]()
        for criterion in (inner for one in asked for inner in _conjuncts(one)):
            match criterion:
                case DateCriterion(dates=found) if dates is None and _one_way(
                    found.earliest, found.latest, index.occurrence
                ):
                    dates = found
                case AgeCriterion(age=years) if age is None and _one_way(
                    years.at_least, years.at_most, index.occurrence
                ):
                    age = years
                case _:
                    continue
            said.append(criterion)
        return cls(dates, age, tuple(said))

    def rest(self, criterion: Criterion) -> tuple[Criterion, ...]:
        """What is left to be said of a criterion."""
        return tuple(inner for inner in _conjuncts(criterion) if inner not in self.said)


def _conjuncts(criterion: Criterion) -> tuple[Criterion, ...]:
    if isinstance(criterion, Group) and criterion.rule is Rule.ALL:
        return tuple(inner for member in criterion.members for inner in _conjuncts(member))
    return (criterion,)


def _one_way(low: object, high: object, occurrence: Occurrence) -> bool:
    match occurrence:
        case Occurrence.FIRST:
            return low is None
        case Occurrence.LAST:
            return high is None
        case _:
            return True
