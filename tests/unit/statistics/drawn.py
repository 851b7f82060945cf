"""Survival tables as a statistician draws them."""

from __future__ import annotations

import numpy as np

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.survival import SurvivalTable, survival_layout
from simulator.aggregates.table import Table


def followed(arms: dict[str, str], *, months: int = 600, unit: Unit = Unit.DAY) -> SurvivalTable:
    """A table from each arm's times in days, as R prints them: ``9 13 13+ 18``, + for censored."""
    times = {arm: drawing.split() for arm, drawing in arms.items()}
    days = [int(time.rstrip("+")) for drawn in times.values() for time in drawn]
    events = [not time.endswith("+") for drawn in times.values() for time in drawn]
    arm = np.repeat(np.arange(len(arms)), [len(drawn) for drawn in times.values()])
    return SurvivalTable.from_rows(
        tuple(arms),
        Grid(unit, months),
        arm=arm.astype(np.int64),
        days=np.array(days, dtype=np.int64),
        event=np.array(events, dtype=np.bool_),
    )


def by_month(arms: dict[str, str]) -> SurvivalTable:
    """A table from each arm's months in turn, each as events/censored: ``2/0 1/2 0/2 1/2``."""
    values = np.array(
        [[cell.split("/") for cell in drawing.split()] for drawing in arms.values()],
        dtype=np.int64,
    )
    grid = Grid(Unit.MONTH, values.shape[1])
    return SurvivalTable(grid, Table(survival_layout(tuple(arms), grid), values))


SIX_PATIENTS = {"x=0": "6 8+ 9", "x=1": "1 1+ 6"}
"""As small as a set can be that still holds a tied death, a death with a censoring, a lone death
and a lone censoring (R survival, vignettes/validate.Rnw, "Test data 1")."""

AML = {
    "Maintained": "9 13 13+ 18 23 28+ 31 34 45+ 48 161+",
    "Nonmaintained": "5 5 8 8 12 16+ 23 27 30 33 43 45",
}
"""Remission in acute myelogenous leukaemia, weeks (Miller 1997; R survival, `aml`)."""
