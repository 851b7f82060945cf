"""Dates as whole days since 1970, in columns."""

from __future__ import annotations

import datetime as dt
from typing import Final

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.int32]
NEVER: Final = np.iinfo(np.int32).min
DAYS_PER_YEAR: Final = 365.25
_EPOCH: Final = dt.date(1970, 1, 1)
_MIDDLE: Final = 14  # days after the first of the month: the 15th


def day_number(date: dt.date) -> int:
    """Days from 1970-01-01 to a date."""
    return (date - _EPOCH).days


def middle_of_month(days: Days) -> Days:
    """The 15th of each day's month, shape (n,)."""
    months = days.astype("datetime64[D]").astype("datetime64[M]")
    middle: Days = months.astype("datetime64[D]").astype(np.int32) + np.int32(_MIDDLE)
    return middle


def parts(days: Days) -> tuple[Days, Days, Days]:
    """Year, month and day of the month of each day, shape (n,) each."""
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    years = months.astype("datetime64[Y]")
    return (
        (years.astype(np.int32) + 1970).astype(np.int32),
        ((months - years).astype(np.int32) + 1).astype(np.int32),
        ((dates - months).astype(np.int32) + 1).astype(np.int32),
    )
