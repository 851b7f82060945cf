"""What the released cells of a study give away, in the words that are true of its release."""

from __future__ import annotations

from fractions import Fraction
from math import exp

import numpy as np
from numpy.typing import NDArray

from simulator.aggregates.bounded import BoundedTable
from simulator.aggregates.grid import Unit
from simulator.hub.analyses.released import ReleasedBounds
from simulator.hub.result import Disclosure
from simulator.hub.run import Finished
from simulator.privacy.noise.laws import Mechanism
from simulator.privacy.release import Noise, Place, Release, Treatment
from simulator.privacy.spending import DELTA


def disclosure_of(release: Release, finished: Finished, unit: Unit, ended: str) -> Disclosure:
    """What the survival table of a run gives away.

    Args:
        release: What the table was let out by.
        finished: The run.
        unit: The width of the table's cells.
        ended: What its events are called, such as ``died``.
    """
    cells = f"arm x {unit} x {ended} or censored"
    if release.noise is not None:
        return Disclosure(None, _promised(release.noise))
    if release.rule:
        return Disclosure(None, _left_open(release, finished, cells))
    alone = max(opened.alone_in_a_cell for opened in finished.opened)
    said = f"{alone:.0%} of the patients are alone in a released cell ({cells})"
    if release.treatments["survival"] is Treatment.STEPS:
        said += (
            " of the rounded table; what it tells is in which "
            f"{unit} an arm's first patient {ended} or was censored, its seventh, and so on"
        )
    return Disclosure(alone, said)


def _promised(noise: Noise) -> str:
    """What noise promises, in numbers."""
    sites = noise.sites_per_patient
    epsilon = float(Fraction(noise.epsilon))
    skellam = noise.mechanism == Mechanism.SKELLAM
    but = f", but for a chance of {float(DELTA):g}" if skellam else ""
    return (
        "no cell is a count, so nobody is alone in one; what holds instead: whether a patient is "
        f"in the data changes the chance of any answer by a factor of {exp(epsilon):.3g} at most "
        f"(e to the epsilon of this run, {epsilon:g}){but}, for patients at "
        f"{'one site' if sites == 1 else f'up to {sites} sites'}"
    )


def _left_open(release: Release, finished: Finished, cells: str) -> str:
    """How many cells a rule leaves no doubt about, and who has seen more than that."""
    tables = [
        found.table
        for opened in finished.opened
        for found in opened.released.values()
        if isinstance(found, ReleasedBounds)
    ]
    known = sum(int(_fixed(table).sum()) for table in tables)
    alone = sum(int((_fixed(table) & (table.lowest == 1)).sum()) for table in tables)
    whole = sum(table.layout.cells for table in tables)
    seen = (
        "the aggregator saw each site's cells as the rule shows them"
        if release.place is Place.SITE
        else "the aggregator saw the exact sum, before the rule"
    )
    return (
        "what is shown in a cell need not be its count, so who is alone in one is not told; what "
        f"holds instead: of {whole:,} cells of the sum ({cells}) the rule leaves no doubt about "
        f"{known:,}, and {alone:,} of these hold one patient; {seen}"
    )


def _fixed(table: BoundedTable) -> NDArray[np.bool_]:
    fixed: NDArray[np.bool_] = table.lowest == table.highest
    return fixed
