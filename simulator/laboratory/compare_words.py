"""Says the numbers of a comparison in few words, for the screen, the figure and the page alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from simulator.aggregates.released import Between, Noisy, Partial, Released, Rounded, Withheld
from simulator.laboratory.compare_values import Held, HeldRatio, Row

NOTHING: Final = "-"
NONE: Final = "none"
WHERE: Final = {"site": "site", "network": "sum"}


def shown(row: Row) -> str:
    """The cohort as it was let out; of several runs, mean and standard deviation.

    Of a sum with gaps: what was shown, how many parts were not, and between what the whole lies. Of
    several runs with intervals: how many of these leave the truth out.
    """
    several, held = _several(row), row.total
    if several:
        missed = "" if held is None or held.outside is None else f"; {held.outside:.0%} miss"
        return f"{several}{missed}"
    return "nothing" if row.shown is None else released(row.shown)


def _several(row: Row) -> str:
    held = row.total
    if held is None or held.deviation is None or held.estimate is None:
        return ""
    return f"{held.estimate:,.1f} (sd {held.deviation:.1f}, {row.repeats} runs)"


def brief(row: Row) -> str:
    """The same for a figure: bounds first, and how much of the sum was shown."""
    count = row.shown
    if isinstance(count, Partial) and (row.total is None or row.repeats == 1):
        most = "+" if count.at_most is None else f"\N{EN DASH}{count.at_most:,}"
        return f"{count.at_least:,}{most} ({count.shown:,} shown)"
    return _several(row) or shown(row)


def released(count: Released) -> str:
    """A released count."""
    match count:
        case Withheld():
            return "withheld"
        case Rounded(shown=stand_in):
            return f"{stand_in:,}*"
        case Between(at_least=least, at_most=most):
            return f"{least:,}-{most:,}"
        case Partial(shown=part, withheld_parts=parts, at_least=least, at_most=most):
            bounds = f"{least:,} or more" if most is None else f"{least:,}-{most:,}"
            return f"{part:,} + {parts:,} withheld: {bounds}"
        case Noisy(noisy=noisy, standard_error=error):
            return f"~{noisy:,} (noise {error:.1f})"
        case _:
            return f"{count:,}"


def off(held: Held | None, scale: float = 1.0, digits: int = 0) -> str:
    """How far a number is off; of bounds, whether the truth is inside, and how wide they are.

    Over several runs: the root of the mean squared error with the bias, or how many bounds miss.

    Args:
        held: The number beside the truth.
        scale: What it is multiplied by: 100 for survival in points.
        digits: After the point.
    """
    if held is None:
        return NOTHING
    if held.error is not None:
        if held.root_mean_square is None:
            return _signed(scale * held.error, digits)
        # What several runs tell is finer than what one shows.
        finer = max(digits, 1)
        bias = _signed(scale * held.error, finer)
        return f"rms {scale * held.root_mean_square:,.{finer}f} bias {bias}"
    if held.outside is None or held.beyond is None:
        return NONE
    far = "in" if held.outside == 0 else f"{scale * held.beyond:,.{digits}f} off"
    if 0 < held.outside < 1:
        far = f"{held.outside:.0%} miss"
    return f"{far}, no end" if held.width is None else f"{far} {scale * held.width:,.0f} wide"


def _signed(value: float, digits: int) -> str:
    return f"{value:+z,.{digits}f}" if round(value, digits) else "0"


def share_off(held: Held | None) -> str:
    """The error in per cent of the truth; nothing where there is no number, or no error."""
    if held is None or not held.distance or not held.error or not held.truth:
        return ""
    if held.root_mean_square is not None:
        return f"{100 * held.root_mean_square / held.truth:.0f}%"
    percent = round(100 * held.error / held.truth)
    return f"{percent:+}%" if percent else "0%"


def arms_off(row: Row) -> str:
    """How far the worst arm's patients are off."""
    return "refused" if row.refused and not row.arms else off(row.worst_arm)


def survival_off(row: Row) -> str:
    """How far the worst arm's survival is off, in points; how many arms lack it, if only some."""
    arms = [arm.survival for arm in row.arms if arm.survival is not None]
    without = sum(one.error is None and one.outside is None for one in arms)
    some = f" ({without}/{len(arms)} arms)" if 0 < without < len(arms) else ""
    return off(row.worst_survival, 100.0, 1) + some


def p_of(row: Row) -> str:
    """The p value of a row; ``none`` where curves were let out without one."""
    return NONE if row.log_rank_p is None and len(row.arms) > 1 else p(row.log_rank_p)


def p(value: float | None) -> str:
    """A p value."""
    if value is None:
        return NOTHING
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def factor(row: Row) -> str:
    """By which factor the worst hazard ratio is off; ``none`` where curves came without any."""
    if row.worst_factor is None:
        return NONE if len(row.arms) > 1 else NOTHING
    return times(row.worst_factor)


def times(value: float) -> str:
    """A factor; beyond a hundred nothing but that."""
    return "x >99" if value > 99 else f"x {value:.2f}"


def ratio(found: HeldRatio) -> str:
    """A hazard ratio beside the true one."""
    mine, true = (NOTHING if one is None else f"{one:.2f}" for one in (found.estimate, found.truth))
    return f"{mine} ({true})"


def alone(row: Row) -> str:
    """The share of patients who are alone in a released cell."""
    return NOTHING if row.alone is None else f"{row.alone:.0%}"


def reasons(rows: Sequence[Row]) -> list[str]:
    """Why something is missing, each reason once, with the releases that it is missing under."""
    refused: dict[str, list[Row]] = {}
    without: dict[str, list[Row]] = {}
    for row in rows:
        if row.refused:
            refused.setdefault(row.name, []).append(row)
        for reason in row.reasons:
            without.setdefault(reason, []).append(row)
    return [
        *(f"refused: {_named(found)}: {found[0].refused}" for found in refused.values()),
        *(f"{reason}: {_named(found)}" for reason, found in without.items()),
    ]


def _named(rows: Sequence[Row]) -> str:
    """The releases; of one that stands there at one place of two, the place."""
    places: dict[str, list[str]] = {}
    for row in rows:
        places.setdefault(row.name, []).append(WHERE[row.place])
    return ", ".join(
        f"{name} ({where[0]})" if len(where) == 1 and where[0] == WHERE["site"] else name
        for name, where in places.items()
    )
