"""Gathers what is counted around the anchors of one relation into joins that many share.

Criteria that ask about the same kind of fact share one join and one aggregation. An anchor is
itself a fact, so that counting facts around anchors loses none of them: the counts of facts become
columns of the anchors. Other relations are counted beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

FACTS = "facts"


@dataclass(frozen=True)
class Anchors:
    """A relation of anchors with the columns id, person_id and day.

    Attributes:
        relation: Its name.
        indexed: Whether it also has index_day, the day of the patient's index.
        many: Whether a patient may have several indexes, so that it also has index_id.
        extra: Further columns to be kept.
    """

    relation: str
    indexed: bool
    many: bool = False
    extra: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All its columns."""
        index = ("index_day",) if self.indexed else ()
        return ("id", "person_id", "day", *index, *self.key[1:], *self.extra)

    @property
    def key(self) -> tuple[str, ...]:
        """What tells its rows apart."""
        return ("id", "index_id") if self.indexed and self.many else ("id",)


@dataclass
class Tally:
    """What is counted in one relation, in one join and one aggregation."""

    name: str
    source: str
    columns: dict[str, str] = field(default_factory=dict)
    needs_person: bool = False


class Gathering:
    """The tallies around the anchors `a` of one relation.

    Args:
        anchors: The anchors.
        fresh: Gives a new name from a stem.
        by_index: The relations whose events belong to one of a patient's indexes, by index_id.
    """

    def __init__(
        self, anchors: Anchors, fresh: Callable[[str], str], by_index: Collection[str]
    ) -> None:
        self.anchors = anchors
        self._fresh = fresh
        self._tallies: dict[str, Tally] = {}
        self.needs_person = False
        self._by_index = by_index

    def column(self, source: str, text: str, *, person: bool = False) -> str:
        """A reference to an aggregate over the rows `e` of a relation, NULL where there is none.

        Args:
            source: ``facts``, or a relation of events.
            text: The aggregate.
            person: Whether it also refers to person `p`.
        """
        if source not in self._tallies:
            self._tallies[source] = Tally(self._fresh("tally"), source)
        tally = self._tallies[source]
        tally.needs_person |= person
        name = tally.columns.setdefault(text, f"n{len(tally.columns)}")
        return f"a.{name}" if source == FACTS else f"{tally.name}.{name}"

    def count(self, source: str, text: str, *, person: bool = False) -> str:
        """The same of a count, 0 where there is none; an anchor is among the facts already."""
        number = self.column(source, text, person=person)
        return number if source == FACTS else f"coalesce({number}, 0)"

    def source(self, add: Callable[[str, str], str]) -> str:
        """The FROM clause with anchors, tallies and person, the tallies added as relations."""
        anchors = self.anchors
        text = f"{anchors.relation} a"
        if FACTS in self._tallies:
            tally = self._tallies[FACTS]
            text = f"{add(tally.name, self._counted(tally))} a"
        for tally in self._tallies.values():
            if tally.source != FACTS:
                add(tally.name, self._counted(tally))
                same = " AND ".join(f"{tally.name}.of_{key} = a.{key}" for key in anchors.key)
                text += f" LEFT JOIN {tally.name} ON {same}"
        if self.needs_person:
            text += " LEFT JOIN person p ON p.person_id = a.person_id"
        return text

    def _counted(self, tally: Tally) -> str:
        anchors = self.anchors
        columns = "".join(f", {text} AS {name}" for text, name in tally.columns.items())
        person = " JOIN person p ON p.person_id = a.person_id" if tally.needs_person else ""
        if tally.source == FACTS:
            kept = ", ".join(f"a.{column}" for column in anchors.columns)
        else:
            kept = ", ".join(f"a.{key} AS of_{key}" for key in anchors.key)
        shared = "index_id" if tally.source in self._by_index else "person_id"
        return (
            f"SELECT {kept}{columns} FROM {anchors.relation} a"
            f" JOIN {tally.source} e ON e.{shared} = a.{shared}{person} GROUP BY ALL"
        )
