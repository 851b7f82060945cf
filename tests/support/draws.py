"""Whether draws look as if they had a law."""

import numpy as np
from numpy.typing import NDArray
from scipy import stats


def chance_of(drawn: NDArray[np.int64], chances: NDArray[np.float64]) -> float:
    """The p-value of the chi-square test that draws have these chances around 0, or lie beyond.

    Places at the ends are put together with what lies beyond, until 5 draws are expected there.
    """
    reach = len(chances) // 2
    seen = np.bincount(np.clip(drawn, -reach - 1, reach + 1) + reach + 1, minlength=2 * reach + 3)
    beyond = max(0.0, (1 - chances.sum()) / 2)
    expected = np.concatenate([[beyond], chances, [beyond]]) * len(drawn)
    while expected[0] < 5:
        for counts in (seen, expected):
            counts[1] += counts[0]
            counts[-2] += counts[-1]
        seen, expected = seen[1:-1], expected[1:-1]
    return float(stats.chisquare(seen, expected * seen.sum() / expected.sum()).pvalue)
