"""What an estimator gives back: a number with an interval, any of which may be absent."""

from __future__ import annotations

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


def normal_quantile(level: float) -> float:
    """How many standard errors a two-sided interval of this level reaches to each side.

    Raises:
        ValueError: The level is not between 0 and 1, both excluded.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"a level between 0 and 1 was expected; got {level}")
    return NormalDist().inv_cdf(0.5 + level / 2.0)
