"""The threshold rule: small counts are withheld, and so are counts that would give them away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simulator.aggregates.released import Of, Released, Withheld


def is_small(count: int, threshold: int) -> bool:
    """Whether a count is from 1 up to, not including, the threshold."""
    return 0 < count < threshold


def withhold_small(counts: Sequence[int], threshold: int) -> tuple[Released, ...]:
    """Counts that are not part of each other, the small ones withheld.

    A published total gives the sum of what is withheld. Where that leaves a withheld count only one
    value, the smallest other positive count is withheld as well, and so on while there are others.
    """
    hidden = {
        place: Withheld(threshold)
        for place, count in enumerate(counts)
        if is_small(count, threshold)
    }
    others = [place for place, count in enumerate(counts) if count > 0 and place not in hidden]
    others.sort(key=lambda place: counts[place], reverse=True)
    while others and _gives_one_away(counts, hidden):
        hidden[others.pop()] = Withheld(threshold, Of.DIFFERENCE)
    return tuple(hidden.get(place, count) for place, count in enumerate(counts))


def _gives_one_away(counts: Sequence[int], hidden: Mapping[int, Withheld]) -> bool:
    """Whether the sum of the withheld counts leaves one of them a single value."""
    together = sum(counts[place] for place in hidden)
    bounds = [_bounds(cell, together) for cell in hidden.values()]
    least, most = (sum(ends) for ends in zip(*bounds, strict=True)) if bounds else (0, 0)
    return any(
        max(low, together - (most - high)) == min(high, together - (least - low))
        for low, high in bounds
    )


def _bounds(cell: Withheld, together: int) -> tuple[int, int]:
    """The least and the greatest count that a withheld cell may stand for."""
    return (1, cell.below - 1) if cell.of is Of.COUNT else (cell.below, together)


def withhold_steps(counts: Sequence[int], threshold: int) -> tuple[Released, ...]:
    """Counts that fall from step to step, released so that no difference is small.

    The last step is the cohort and is decided first; each earlier one is withheld if it is small or
    differs by a small number from the next one that is released.
    """
    released: list[Released] = []
    following: int | None = None
    for count in reversed(counts):
        if is_small(count, threshold):
            released.append(Withheld(threshold))
        elif following is not None and is_small(count - following, threshold):
            released.append(Withheld(threshold, Of.DIFFERENCE))
        else:
            released.append(count)
            following = count
    return tuple(reversed(released))
