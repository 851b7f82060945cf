"""The threshold rule: small counts are withheld, and so are counts that would give them away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simulator.aggregates.released import Between, Noisy, Of, Partial, Released, Rounded, Withheld


def is_small(count: int, threshold: int) -> bool:
    """Whether a count is from 1 up to, not including, the threshold."""
    return 0 < count < threshold


def round_small(count: int, threshold: int) -> Released:
    """A count, the greatest small one shown in place of every small one; 0 stays 0."""
    if not is_small(count, threshold):
        return count
    return Rounded(threshold - 1, Between(1, threshold - 1))


def withhold_groups(groups: Sequence[int], threshold: int) -> Withheld | None:
    """Whether a table about groups of patients is withheld whole because one of them is small.

    Together the groups are all patients of what is released beside them. A part of the table would
    give the rest by subtraction, so it is all or nothing.

    Args:
        groups: The number of patients of every group, also of those in no group of the table.
        threshold: The least size of a group that is not empty.
    """
    small = any(is_small(count, threshold) for count in groups)
    return Withheld(threshold, Of.PART) if small else None


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


def withhold_parts(counts: Sequence[int], whole: int, threshold: int) -> tuple[Released, ...]:
    """Counts of parts that may overlap, of a whole that is told unless it is small.

    A part is withheld where it is small, where the rest of the whole is, or the whole itself.
    """
    if is_small(whole, threshold):
        return tuple(Withheld(threshold) if count else 0 for count in counts)
    return tuple(
        Withheld(threshold)
        if is_small(count, threshold)
        else Withheld(threshold, Of.DIFFERENCE)
        if is_small(whole - count, threshold)
        else count
        for count in counts
    )


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


def withhold_near(counts: Sequence[Released], threshold: int) -> tuple[Released, ...]:
    """Counts of the same people at successive times, released so that no difference is small.

    A count is withheld where it differs by a small number from the last one before it that is
    shown.

    Args:
        counts: In order of time; those that are no numbers stay as they are.
        threshold: Differences from 1 up to, not including, this one are small.
    """
    released: list[Released] = []
    before: int | None = None
    for count in counts:
        if not isinstance(count, int):
            released.append(count)
        elif before is not None and is_small(abs(count - before), threshold):
            released.append(Withheld(threshold, Of.DIFFERENCE))
        else:
            released.append(count)
            before = count
    return tuple(released)


def bounds_of(count: Released) -> tuple[int, int | None]:
    """The least and the greatest number of patients that a released count may stand for.

    None where nothing but other counts bounds it.
    """
    match count:
        case Withheld(below=below, of=Of.COUNT):
            return 1, below - 1
        case Withheld():
            return 0, None
        case (
            Between(at_least=low, at_most=high)
            | Rounded(stands_for=Between(at_least=low, at_most=high))
        ):
            return low, high
        case Partial(at_least=low, at_most=most):
            return low, most
        case Noisy():
            return 0, None
        case _:
            return count, count
