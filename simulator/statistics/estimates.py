"""What an estimator gives back: a number with an interval, any of which may be absent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist


@dataclass(frozen=True)
class Estimate:
    """A number with its interval. None says that there is no such number; no number stands for it.

    Attributes:
        estimate: None where it is not defined or, for a quantile of time, not reached.
        lower: None where the interval has no lower end.
        upper: None where the interval has no upper end; for a median, that it is not reached.
    """

    estimate: float | None
    lower: float | None
    upper: float | None


UNDEFINED = Estimate(None, None, None)


@dataclass(frozen=True)
class Contrast:
    """How a number of one arm compares with that of another, with the test that they are alike.

    Attributes:
        estimate: A difference or a ratio, as the function that made it says; None where a number of
            one of the two is not known.
        lower: The lower end of the Wald interval.
        upper: The upper end.
        p: Of the two-sided Wald test that the difference is 0 or the ratio is 1; None where there
            is no spread to test it against.
    """

    estimate: float | None
    lower: float | None
    upper: float | None
    p: float | None


NO_CONTRAST = Contrast(None, None, None, None)


def wald(difference: float, error: float, level: float) -> Contrast:
    """A difference with the interval and the two-sided test of the normal distribution.

    Args:
        difference: On any scale.
        error: Its standard error, 0 or above. With 0 the interval is the difference itself, and
            there is no test.
        level: The level of the interval, in (0, 1).

    Raises:
        ValueError: The level is not between 0 and 1, both excluded.
    """
    reach = normal_quantile(level) * error
    p = math.erfc(abs(difference) / error / math.sqrt(2.0)) if error > 0.0 else None
    return Contrast(difference, difference - reach, difference + reach, p)


def exponential(contrast: Contrast) -> Contrast:
    """A difference of logarithms as a ratio; the test stays that of the logarithms."""
    if contrast.estimate is None or contrast.lower is None or contrast.upper is None:
        return NO_CONTRAST
    return Contrast(
        math.exp(contrast.estimate),
        math.exp(contrast.lower),
        math.exp(contrast.upper),
        contrast.p,
    )


def normal_quantile(level: float) -> float:
    """How many standard errors a two-sided interval of this level reaches to each side.

    Raises:
        ValueError: The level is not between 0 and 1, both excluded.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"a level between 0 and 1 was expected; got {level}")
    return NormalDist().inv_cdf(0.5 + level / 2.0)
