"""What every estimator asks of its counts before it begins."""

from __future__ import annotations

from simulator.aggregates.survival import SurvivalTable


def check_counts(table: SurvivalTable) -> None:
    """Lets a table pass if it holds counts; noise must be made into counts before it gets here.

    Raises:
        ValueError: A count is negative.
    """
    if (table.table.values < 0).any():
        raise ValueError("counts of 0 and above were expected; the table holds a negative one")


def row_of(arms: tuple[str, ...], arm: str) -> int:
    """The position of an arm.

    Raises:
        ValueError: There is no such arm.
    """
    if arm not in arms:
        known = ", ".join(f"'{label}'" for label in arms)
        raise ValueError(f"one of the arms {known} was expected; got '{arm}'")
    return arms.index(arm)
