"""Laboratory values of oncology patients around their treatment, tied to their bilirubin."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.synthesis.codebook import Codebook
from simulator.synthesis.collector import Collector
from simulator.synthesis.courses import Courses

_LAB_EVERY: Final = 90
_LAB_TIMES: Final = 9

# Labs around the treatment: code, unit, factor and offset on bilirubin, spread, digits.
_LABS: Final = (
    ("1975-2", "mg/dL", 1.0, 0.0, 0.05, 1),
    ("1920-8", "U/L", 14.0, 22.0, 8.0, 0),
    ("1742-6", "U/L", 10.0, 22.0, 8.0, 0),
    ("1751-7", "g/dL", -0.3, 4.1, 0.3, 1),
    ("6768-6", "U/L", 60.0, 80.0, 30.0, 0),
    ("6301-6", "{INR}", 0.1, 1.0, 0.06, 1),
    ("777-3", "10*3/uL", -20.0, 230.0, 50.0, 0),
    ("6875-9", "U/mL", 60.0, 60.0, 30.0, 0),
)


def add_liver_values(
    rng: np.random.Generator,
    facts: Collector,
    courses: Courses,
    known: NDArray[np.int64],
    before: NDArray[np.integer],
    codebook: Codebook,
) -> None:
    """Adds all labs at all times, made as arrays (times, labs, patients).

    Args:
        rng: Source of randomness.
        facts: Where they go.
        courses: The patients of a site, shape (n,).
        known: Which of them have values, shape (k,).
        before: The day of the first values, shape (n,); the others follow index.
        codebook: All codes.
    """
    codes = codebook.rows("LOINC", *(lab[0] for lab in _LABS)).astype(np.int64)
    units = codebook.rows("UCUM", *(lab[1] for lab in _LABS)).astype(np.int64)
    factor, offset, sd = (
        np.array([lab[number] for lab in _LABS])[None, :, None] for number in (2, 3, 4)
    )
    digits = np.array([lab[5] for lab in _LABS])[None, :, None]
    shape = (_LAB_TIMES, len(_LABS), len(known))
    days = courses.index[known] + _LAB_EVERY * np.arange(_LAB_TIMES)[:, None]
    days[0] = before[known]
    value = factor * courses.bilirubin[known] + offset + sd * rng.normal(size=shape)
    # Whole thousandths, rounded to the digits that a laboratory reports.
    steps = np.rint(np.maximum(value, 0.1) * 10.0**digits).astype(np.int64) * 10 ** (3 - digits)

    def flat(values: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.broadcast_to(values, shape).reshape(-1)

    facts.extend(
        flat(known),
        flat(days.astype(np.int64)[:, None, :]),
        flat(codes[:, None]),
        flat(steps),
        flat(units[:, None]),
    )
