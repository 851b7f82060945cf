"""What of a patient's life reaches the records: drop-out, missed deaths, deaths by month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.aggregates.grid import DAYS_PER_MONTH
from simulator.synthesis.courses import Flags, Reals
from simulator.synthesis.days import NEVER, Days, day_number, middle_of_month
from simulator.synthesis.organisations import Organisation


@dataclass(frozen=True)
class Recording:
    """How the sites of n patients record, shape (n,) each.

    Attributes:
        first: First day of the site's records.
        cut: The site's data cut, a true date.
        capture: Probability that a death is recorded.
        by_month: Whether deaths are known by month only.
        shift: Largest shift of dates in days.
        loss: Drop-out relative to the scenario's.
    """

    first: Days
    cut: Days
    capture: Reals
    by_month: Flags
    shift: Days
    loss: Reals

    @staticmethod
    def of(organisations: Sequence[Organisation], site: NDArray[np.int32]) -> Recording:
        """The recording of the sites at these positions."""
        return Recording(
            np.array([day_number(one.first) for one in organisations], np.int32)[site],
            np.array([day_number(one.last) for one in organisations], np.int32)[site],
            np.array([one.capture if "death" in one.domains else 0.0 for one in organisations])[
                site
            ],
            np.array([one.month_deaths for one in organisations])[site],
            np.array([one.shift for one in organisations], np.int32)[site],
            np.array([one.loss for one in organisations])[site],
        )


@dataclass(frozen=True)
class FollowUp:
    """What is recorded of n patients, shape (n,) each; see `Courses` for the meaning."""

    death: Days
    end: Days
    days: Days
    event: Flags
    unclear: Flags


def follow(
    rng: np.random.Generator,
    index: Days,
    shift: Days,
    true_days: Days,
    recording: Recording,
    *,
    drop_out: float,
    last_contact_gap: float,
) -> FollowUp:
    """Follows patients from index to death, drop-out or the data cut, and records what is seen.

    Args:
        rng: Source of randomness.
        index: Recorded index day, shape (n,).
        shift: Recorded minus true date in days, shape (n,).
        true_days: Days from index to death, shape (n,).
        recording: How the patients' sites record.
        drop_out: Median months to drop-out at a site of loss 1.
        last_contact_gap: Mean days from last contact to a death that is missed.

    Returns:
        The recorded course. `unclear` marks a death known by month that falls in the month of index
        and whose imputed day would lie before index.
    """
    count = len(index)
    rate = np.log(2.0) / (drop_out * DAYS_PER_MONTH) * recording.loss
    dropped = np.floor(rng.exponential(size=count) / np.maximum(rate, 1e-12))
    seen = np.minimum(recording.cut + shift - index, np.minimum(dropped, 1e6)).astype(np.int32)
    seen = np.maximum(seen, 0)
    dies = true_days <= seen
    captured = dies & (rng.random(count) < recording.capture)
    gap = np.ceil(rng.exponential(last_contact_gap, count)).astype(np.int32)
    last_contact = np.maximum(true_days - gap, 0)
    days = np.where(dies, np.where(captured, true_days, last_contact), seen).astype(np.int32)
    death = index + days
    middle = middle_of_month(death)
    known_by_month = captured & recording.by_month
    unclear = known_by_month & (middle < index)
    # A site that knows the month only writes the 15th, or the index day where that is later: no
    # record stands after its own patient's death.
    death = np.where(known_by_month, np.maximum(middle, index), death).astype(np.int32)
    return FollowUp(
        death=np.where(captured, death, np.int32(NEVER)).astype(np.int32),
        end=death,
        days=(death - index).astype(np.int32),
        event=captured,
        unclear=unclear,
    )
