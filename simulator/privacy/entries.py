"""The threshold rule for events: what is told of them must not tell of few patients."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.aggregates.released import Of, Released, Withheld
from simulator.privacy.thresholds import is_small, round_small, withhold_steps

Columns = tuple[tuple[Released, ...], ...]
"""Patients, days and events, after each step each."""


def withhold_entries(
    patients: Sequence[int], days: Sequence[int], events: Sequence[int], threshold: int
) -> Columns:
    """Patients as for any steps; days and events only where their patients are released.

    They are also withheld where they differ by a small number from what is released beside them:
    3 days more than patients are at most 3 patients with several days, and 3 events fewer after a
    step are at most 3 patients who lost one there.
    """
    shown = withhold_steps(patients, threshold)
    told: Columns = (shown,)
    rows: list[Sequence[int]] = [patients]
    for column in (days, events):
        told += (_beside(column, rows, told, threshold),)
        rows.append(column)
    return told


def _beside(
    column: Sequence[int], rows: list[Sequence[int]], told: Columns, threshold: int
) -> tuple[Released, ...]:
    """One more column beside those that are told."""
    found: list[Released] = []
    following: int | None = None
    for step in reversed(range(len(column))):
        count = column[step]
        few = told[0][step]
        beside = [
            row[step] for row, shown in zip(rows, told, strict=True) if isinstance(shown[step], int)
        ]
        if following is not None:
            beside.append(following)
        if isinstance(few, Withheld):
            found.append(few)
        elif any(is_small(abs(count - other), threshold) for other in beside):
            found.append(Withheld(threshold, Of.DIFFERENCE))
        else:
            found.append(count)
            following = count
    return tuple(reversed(found))


def round_entries(
    patients: Sequence[int], days: Sequence[int], events: Sequence[int], threshold: int
) -> Columns:
    """Small numbers of patients as the greatest small one; days and events of such withheld."""
    return (
        tuple(round_small(count, threshold) for count in patients),
        *(
            tuple(
                Withheld(threshold) if is_small(few, threshold) else count
                for few, count in zip(patients, column, strict=True)
            )
            for column in (days, events)
        ),
    )
