"""The threshold rule for tables with totals: what is withheld does not follow from what is shown.

A table with its totals is a circulation: every count is an arc of a graph, and at every node as
much flows in as flows out (the cells of a row flow out of the node into which its total flows). A
withheld count can have another value exactly where one more, or one less, can flow through its arc
and back through other withheld arcs, which is a search for a path. What else is to be withheld is
the way on which the fewest patients are lost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from simulator.aggregates.released import Of, Released, Withheld
from simulator.privacy.thresholds import is_small

Arc = tuple[int, int]


@dataclass
class _Flow:
    """A circulation of which some arcs are withheld.

    Attributes:
        arcs: The ends of each arc.
        counts: What flows through each.
        told: The arcs that are told elsewhere, so that they are withheld only where they are small.
        threshold: The threshold.
        hidden: The withheld arcs.
        least: What a withheld arc holds at the least, as far as anybody is told.
    """

    arcs: Sequence[Arc]
    counts: Sequence[int]
    told: Collection[int]
    threshold: int
    hidden: set[int]
    least: int = 1

    def protect(self, place: int) -> Collection[int] | None:
        """What else must be withheld, so that a withheld count may have another value.

        It is the way through which one more, or one less, can flow back at the least loss of
        patients shown; nothing where it can already, None where there is no way.
        """
        tail, head = self.arcs[place]
        ways = []
        if self._may_rise(place):
            ways.append(self._cheapest(head, tail, without=place))
        if self._may_fall(place):
            ways.append(self._cheapest(tail, head, without=place))
        known = [way for way in ways if way is not None]
        return min(known, default=(0, None), key=lambda way: way[0])[1]

    def _may_rise(self, place: int) -> bool:
        return place not in self.told or self.counts[place] < self.threshold - 1

    def _may_fall(self, place: int) -> bool:
        least = 1 if place in self.told else self.least
        return self.counts[place] > least

    def _ways(self, without: int) -> dict[int, list[tuple[int, int]]]:
        """For each node, the nodes to which one more can flow, and through which arc."""
        ways: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        for place, (tail, head) in enumerate(self.arcs):
            shown = place not in self.hidden
            if place == without or (shown and (place in self.told or self.counts[place] == 0)):
                continue
            if self._may_rise(place):
                ways[tail].append((head, place))
            if self._may_fall(place):
                ways[head].append((tail, place))
        return ways

    def _cheapest(self, start: int, end: int, *, without: int) -> tuple[int, list[int]] | None:
        """The way from a node to another that hides the fewest patients, and what it hides."""
        ways, done = self._ways(without), set[int]()
        waiting: list[tuple[int, int, list[int]]] = [(0, start, [])]
        while waiting:
            cost, node, hidden = heappop(waiting)
            if node == end:
                return cost, hidden
            if node in done:
                continue
            done.add(node)
            for other, place in ways[node]:
                if place in self.hidden:
                    heappush(waiting, (cost, other, hidden))
                else:
                    heappush(waiting, (cost + self.counts[place], other, [*hidden, place]))
        return None


def withhold_linked(
    arcs: Sequence[Arc], counts: Sequence[int], threshold: int, told: Collection[int] = ()
) -> tuple[Released, ...]:
    """Counts of a table with its totals, the small ones withheld and others that give them away.

    It is not told which of the withheld counts are small. Whether a count is zero is shown, unless
    there is no other way to keep one from following.

    Args:
        arcs: Where each count flows from and to; at every node as much flows in as out.
        counts: The counts.
        threshold: Counts from 1 up to, not including, this one are small.
        told: Places of counts that are released elsewhere unless they are small.
    """
    small = {place for place, count in enumerate(counts) if is_small(count, threshold)}
    flow = _Flow(arcs, counts, told, threshold, small)
    waiting = sorted(small)
    while waiting:
        another = flow.protect(waiting[-1])
        if another is None and flow.least == 0:
            break
        if another is None:
            flow.least = 0
            flow.hidden |= {place for place in range(len(arcs)) if place not in told}
        elif another:
            flow.hidden.update(another)
            waiting = [*another, *waiting]
        else:
            waiting.pop()
    return tuple(
        (Withheld(threshold) if place in told else Withheld(threshold, Of.PART))
        if place in flow.hidden
        else count
        for place, count in enumerate(counts)
    )


@dataclass(frozen=True)
class Shape:
    """Which counts a table has and how they flow.

    Attributes:
        arcs: Where each count flows from and to.
        told: The place of the count of everyone, which flows from the sink back to the source.
    """

    arcs: tuple[Arc, ...]
    told: int


_SOURCE, _SINK = 0, 1


def line_shape(cells: int) -> Shape:
    """Cells that add up to everyone: the cells, then everyone."""
    return Shape((*((_SOURCE, _SINK) for _ in range(cells)), (_SINK, _SOURCE)), cells)


def rows_shape(rows: int, columns: int) -> Shape:
    """Cells row by row, then the total of each row, then everyone."""
    cells = [(row + 2, _SINK) for row in range(rows) for _ in range(columns)]
    totals = [(_SOURCE, row + 2) for row in range(rows)]
    return Shape((*cells, *totals, (_SINK, _SOURCE)), rows * columns + rows)


def grid_shape(rows: int, columns: int) -> Shape:
    """Cells row by row, then the totals of rows, then those of columns, then everyone."""
    cells = [(row + 2, rows + column + 2) for row in range(rows) for column in range(columns)]
    of_rows = [(_SOURCE, row + 2) for row in range(rows)]
    of_columns = [(rows + column + 2, _SINK) for column in range(columns)]
    return Shape((*cells, *of_rows, *of_columns, (_SINK, _SOURCE)), len(cells) + rows + columns)


def tree_shape(parents: Sequence[int | None]) -> Shape:
    """Counts of a tree, each with the place of the one that it is part of, then everyone.

    A count that others are part of is their sum. None stands for a part of everyone.
    """
    inner = {parent for parent in parents if parent is not None}
    arcs = [
        (_SOURCE if parent is None else parent + 2, place + 2 if place in inner else _SINK)
        for place, parent in enumerate(parents)
    ]
    return Shape((*arcs, (_SINK, _SOURCE)), len(arcs))
