"""Says the numbers of a comparison in few words, for the screen, the figure and the page alike."""

from __future__ import annotations

from typing import Final

from simulator.aggregates.released import Between, Noisy, Partial, Released, Rounded, Withheld
from simulator.laboratory.compare_values import Held, HeldRatio, Row

NOTHING: Final = "-"
WHERE: Final = {"site": "site", "network": "sum"}


def shown(row: Row) -> str:
    """The cohort as it was let out; of several runs, mean and standard deviation.

    Of a sum with gaps: what was shown, how many parts were not, and between what the whole lies.
    """
    held = row.total
    if held is not None and held.deviation is not None and held.estimate is not None:
        return f"{held.estimate:,.1f} (sd {held.deviation:.1f}, {row.repeats} runs)"
    return "nothing" if row.shown is None else released(row.shown)


def brief(row: Row) -> str:
    """The same for a figure: bounds first, and how much of the sum was shown."""
    count = row.shown
    if isinstance(count, Partial) and (row.total is None or row.repeats == 1):
        most = "+" if count.at_most is None else f"\N{EN DASH}{count.at_most:,}"
        return f"{count.at_least:,}{most} ({count.shown:,} shown)"
    return shown(row)


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

    Args:
        held: The number beside the truth.
        scale: What it is multiplied by: 100 for survival in points.
        digits: After the point.
    """
    if held is None:
        return NOTHING
    if held.error is not None:
        return f"{scale * held.error:+z,.{digits}f}" if round(scale * held.error, digits) else "0"
    if held.outside is None:
        return NOTHING
    far = "in" if held.outside == 0 else f"{scale * held.outside:,.{digits}f} off"
    return f"{far}, no end" if held.width is None else f"{far} {scale * held.width:,.0f} wide"


def share_off(held: Held | None) -> str:
    """The error in per cent of the truth; nothing where there is no number, or no error."""
    if held is None or not held.error or not held.truth:
        return ""
    percent = round(100 * held.error / held.truth)
    return f"{percent:+}%" if percent else "0%"


def arms_off(row: Row) -> str:
    """How far the worst arm's patients are off."""
    return "refused" if row.refused and not row.arms else off(row.worst_arm)


def survival_off(row: Row) -> str:
    """How far the worst arm's survival is off, in points."""
    return off(row.worst_survival, 100.0, 1)


def p(value: float | None) -> str:
    """A p value."""
    if value is None:
        return NOTHING
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def factor(row: Row) -> str:
    """By which factor the worst hazard ratio is off."""
    return NOTHING if row.worst_factor is None else times(row.worst_factor)


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
