"""The course of oncology patients in columns; all their later rows follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator.synthesis.days import Days

if TYPE_CHECKING:
    from simulator.synthesis.follow_up import FollowUp
    from simulator.synthesis.illness import Traits

Flags = NDArray[np.bool_]
Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Courses:
    """What happens to n oncology patients. All dates are as recorded, that is after the shift.

    Attributes:
        site: Position of the site in the network, shape (n,), as all that follow.
        label: Number of the label.
        arm: Number of the arm, also where a near miss would have been in it.
        index: Day of the embolization, or of what stands in its place.
        shift: Days by which the patient's recorded dates differ from the true ones.
        age: Years at index.
        man: Whether a man.
        receptor_negative: Whether the cancer has no oestrogen receptors.
        extrahepatic: Whether it has spread beyond the liver.
        high_burden: Whether a quarter of the liver or more is affected.
        many_lines: Whether there were three lines of therapy or more.
        poor_performance: Whether performance status is 2 or more.
        bilirubin: mg/dL at index.
        true_days: Days from index to death, never censored.
        under: Days to death under each arm from the same random numbers, shape (n, arms).
        death: Recorded day of death, or `NEVER`.
        end: Last day under observation.
        recorded_days: Days from index to `end`.
        recorded_event: Whether the recorded death ends them.
    """

    site: NDArray[np.int32]
    label: NDArray[np.int8]
    arm: NDArray[np.int8]
    index: Days
    shift: Days
    age: Reals
    man: Flags
    receptor_negative: Flags
    extrahepatic: Flags
    high_burden: Flags
    many_lines: Flags
    poor_performance: Flags
    bilirubin: Reals
    true_days: Days
    under: Days
    death: Days
    end: Days
    recorded_days: Days
    recorded_event: Flags

    @staticmethod
    def drawn(
        traits: Traits,
        seen: FollowUp,
        *,
        site: NDArray[np.int32],
        label: NDArray[np.int8],
        arm: NDArray[np.int8],
        index: Days,
        shift: Days,
        true_days: Days,
        under: Days,
    ) -> Courses:
        """Patients with these traits of whom this is recorded."""
        return Courses(
            site=site,
            label=label,
            arm=arm,
            index=index,
            shift=shift,
            age=traits.age,
            man=traits.man,
            receptor_negative=traits.receptor_negative,
            extrahepatic=traits.extrahepatic,
            high_burden=traits.high_burden,
            many_lines=traits.many_lines,
            poor_performance=traits.poor_performance,
            bilirubin=traits.bilirubin,
            true_days=true_days,
            under=under,
            death=seen.death,
            end=seen.end,
            recorded_days=seen.days,
            recorded_event=seen.event,
        )

    def __len__(self) -> int:
        return len(self.site)

    def take(self, rows: NDArray[np.int64] | Flags) -> Courses:
        """The patients at these rows, in this order."""
        return Courses(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    @staticmethod
    def concatenate(courses: Sequence[Courses]) -> Courses:
        """All patients of several, in order."""
        return Courses(
            **{
                field.name: np.concatenate([getattr(part, field.name) for part in courses])
                for field in fields(Courses)
            }
        )
