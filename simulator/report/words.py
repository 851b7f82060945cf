"""Says numbers as a reader of a medical journal expects them, and in words where there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from simulator.aggregates.released import (
    Between,
    Noisy,
    Of,
    Partial,
    Released,
    Rounded,
    Withheld,
)
from simulator.hub.analyses.results import Bounds

NOTHING_KNOWN: Final = "nothing known"
NOT_REACHED: Final = "not reached"
NOT_ESTIMABLE: Final = "not estimable"
NONE_FOLLOWED: Final = "nobody followed so long"

Form = Callable[[float], str]


def count(released: Released) -> str:
    """A released count; one that was withheld is said in words, never as a number alone."""
    match released:
        case Withheld(below=below, of=Of.COUNT):
            return f"withheld ({_few(below)})"
        case Withheld(below=below):
            return f"withheld (it would give away a group of {_few(below)})"
        case Rounded(shown=shown, stands_for=truth):
            return f"shown as {shown:,} (in truth {truth.at_least:,} to {truth.at_most:,})"
        case Between(at_least=low, at_most=high):
            return f"between {low:,} and {high:,}"
        case Partial(at_least=low, at_most=None):
            return f"at least {low:,}"
        case Partial(at_least=low, at_most=int(high)):
            return f"{low:,}" if low == high else f"between {low:,} and {high:,}"
        case Noisy(noisy=noisy, standard_error=error):
            return f"about {noisy:,} (noise of standard error {error:.1f})"
        case _:
            return f"{released:,}"


def spoken(released: Released) -> str:
    """The same in a sentence, which does not stop to say how much noise there is."""
    match released:
        case Noisy(noisy=noisy):
            return f"about {noisy:,}"
        case Partial(at_least=low, at_most=int(high)) if low < high:
            return f"{low:,} to {high:,}"
        case _:
            return count(released)


def limits(found: Bounds | None, form: Form, unknown: str) -> str:
    """``8-92`` with a dash that means to: what a release leaves open of a number.

    Args:
        found: The bounds; None where nothing is known.
        form: How a number is written.
        unknown: What is said where nothing is known.
    """
    if found is None or (found.at_least is None and found.at_most is None):
        return unknown
    low = form(found.at_least or 0.0)
    if found.at_most is None:
        return f"{low} or later"
    high = form(found.at_most)
    return low if low == high else f"{low}\N{EN DASH}{high}"


def brief(released: Released) -> str:
    """The same where there is room for a word only: ``10*`` stands for 1 to 10."""
    match released:
        case Withheld():
            return "withheld"
        case Rounded(shown=shown):
            return f"{shown:,}*"
        case Partial(at_least=low, at_most=None):
            return f"{low:,}+"
        case Between(at_least=low, at_most=int(high)) | Partial(at_least=low, at_most=int(high)):
            return f"{low:,}" if low == high else f"{low:,}\N{EN DASH}{high:,}"
        case Noisy(noisy=noisy):
            return f"~{noisy:,}"
        case _:
            return f"{released:,}"


def _few(below: int) -> str:
    return "1" if below == 2 else f"1 to {below - 1}"


def months(value: float) -> str:
    """Months to one decimal."""
    return f"{value:.1f}"


def percent(share: float) -> str:
    """A share, 0 to 1, in whole per cent."""
    return f"{share:.0%}".replace("%", "\N{NO-BREAK SPACE}%")


def ratio(value: float) -> str:
    """A ratio to two decimals."""
    return f"{value:.2f}"


def signed(value: float, digits: int) -> str:
    """A number that may be negative, with a true minus sign; what rounds to 0 has none."""
    return f"{value:z.{digits}f}".replace("-", "\N{MINUS SIGN}")


def p_value(p: float | None) -> str:
    """A p value to three decimals."""
    if p is None:
        return NOT_ESTIMABLE
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def p_equals(p: float) -> str:
    """``p = 0.419`` or ``p < 0.001``, which stays in one line."""
    said = p_value(p)
    text = f"p {said}" if said.startswith("<") else f"p = {said}"
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def estimate(
    value: float | None,
    lower: float | None,
    upper: float | None,
    form: Form,
    missing: str = NOT_REACHED,
) -> str:
    """``37.5 (29.0-53.0)`` with a dash that means to; a bound without a value is said in words.

    Negative bounds are joined by ``to``, so that no dash is read as a minus. Only a time can have a
    bound that is not reached; any other number without one of its bounds has no interval.

    Args:
        value: The number; None where there is none.
        lower: The lower end of its interval.
        upper: The upper end of its interval.
        form: How a number is written.
        missing: What is said where there is no number; for a time, that it is not reached.
    """
    if value is None:
        return missing if lower is None else f"{missing} (95 % interval from {form(lower)})"
    if missing != NOT_REACHED and (lower is None or upper is None):
        return f"{form(value)}, no interval"
    if lower is None or upper is None or lower < 0:
        low = "unknown" if lower is None else form(lower)
        high = missing if upper is None else form(upper)
        return f"{form(value)} ({low} to {high})"
    return f"{form(value)} ({form(lower)}\N{EN DASH}{form(upper)})"


def several(names: Sequence[str], last: str = "and") -> str:
    """``a``, ``a and b``, or ``a, b and c``."""
    *others, final = names
    return f"{', '.join(others)} {last} {final}" if others else final


def plural(number: int, one: str, many: str | None = None) -> str:
    """``1 patient`` or ``2 patients``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def sentence(text: str) -> str:
    """A text with a capital at its beginning and a full stop at its end."""
    text = text.strip()
    stop = "" if text.endswith((".", "!", "?")) else "."
    return f"{text[:1].upper()}{text[1:]}{stop}"
