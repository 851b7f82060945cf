"""The threshold rule: small counts are withheld, and so are counts that would give them away."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.aggregates.released import Of, Released, Withheld


def is_small(count: int, threshold: int) -> bool:
    """Whether a count is from 1 up to, not including, the threshold."""
    return 0 < count < threshold


def withhold_small(counts: Sequence[int], threshold: int) -> tuple[Released, ...]:
    """Counts that are not part of each other, the small ones withheld.

    Where exactly one is withheld, a published total would give it back; the smallest other
    positive count is then withheld as well.
    """
    hidden = {
        place: Withheld(threshold)
        for place, count in enumerate(counts)
        if is_small(count, threshold)
    }
    others = [place for place, count in enumerate(counts) if count > 0 and place not in hidden]
    if len(hidden) == 1 and others:
        smallest = min(others, key=lambda place: counts[place])
        hidden[smallest] = Withheld(threshold, Of.DIFFERENCE)
    return tuple(hidden.get(place, count) for place, count in enumerate(counts))


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
