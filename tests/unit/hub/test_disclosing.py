"""What is said of a release's cells is true of that release."""

from __future__ import annotations

import msgspec
import numpy as np

from simulator.aggregates.bounded import BoundedTable
from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.survival import survival_layout
from simulator.hub.aggregator import Opened
from simulator.hub.analyses.released import ReleasedBounds, ReleasedTable
from simulator.hub.disclosing import disclosure_of
from simulator.hub.of_study import estimators
from simulator.hub.result import Disclosure
from simulator.hub.run import Finished
from simulator.messages.needs import Need, SurvivalNeed
from simulator.privacy.release import Place, Release
from simulator.privacy.releases import (
    DP,
    SECURE_STEPS,
    SECURE_SUM,
    find_release,
    placed,
    with_noise,
)

GRID = Grid(Unit.MONTH, 2)


def finished(alone: float = 0.0, cells: list[tuple[int, int]] | None = None) -> Finished:
    """A run whose table has cells between these bounds."""
    released: dict[Need, ReleasedTable] = {}
    if cells is not None:
        layout = survival_layout(("A",), GRID)
        lowest, highest = (
            np.array([cell[end] for cell in cells], dtype=np.int64).reshape(layout.shape)
            for end in (0, 1)
        )
        held = np.zeros(layout.shape, dtype=np.int64)
        table = BoundedTable(layout, lowest, lowest, highest, held)
        released = {SurvivalNeed(GRID): ReleasedBounds(GRID, table)}
    return Finished((), ("a",), (), (Opened(released, alone, None),), 1)


def told(release: Release, found: Finished) -> Disclosure:
    return disclosure_of(release, found, Unit.MONTH, "died")


def test_a_share_where_cells_are_counts() -> None:
    found = told(SECURE_SUM, finished(0.25))
    assert found.alone_in_a_cell == 0.25
    assert found.says.startswith("25% of the patients are alone in a released cell (arm x month")


def test_of_rounded_steps_it_is_of_the_rounded_table() -> None:
    found = told(SECURE_STEPS, finished(0.0))
    assert found.alone_in_a_cell == 0.0
    assert "of the rounded table" in found.says
    assert "first patient died or was censored, its seventh" in found.says


def test_under_noise_the_promise_stands_in_its_place() -> None:
    found = told(with_noise(DP, "3", None), finished())
    assert found.alone_in_a_cell is None
    assert "by a factor of 20.1 at most" in found.says  # e^3 = 20.0855
    assert "but for a chance" not in found.says
    assert "but for a chance of 1e-" in told(with_noise(DP, "3", "skellam"), finished()).says
    noise = DP.noise
    assert noise is not None
    several = msgspec.structs.replace(noise, sites_per_patient=2)
    release = msgspec.structs.replace(DP, noise=several)
    assert "for patients at up to 2 sites" in told(release, finished()).says


def test_under_a_rule_it_says_how_many_cells_are_known_for_sure() -> None:
    rule = find_release("pcornet")
    cells = [(0, 0), (1, 1), (1, 10), (12, 12)]
    found = told(rule, finished(cells=cells))
    assert found.alone_in_a_cell is None
    assert "of 4 cells of the sum" in found.says
    assert "leaves no doubt about 3, and 1 of these hold one patient" in found.says
    assert "the aggregator saw each site's cells" in found.says
    on_the_sum = told(placed(rule, Place.NETWORK), finished(cells=cells))
    assert "the aggregator saw the exact sum" in on_the_sum.says


def test_the_estimators_are_those_of_the_release() -> None:
    said = {
        "exact": estimators(Unit.DAY),
        "secure-sum": estimators(Unit.MONTH, SECURE_SUM),
        "secure-steps": estimators(Unit.MONTH, SECURE_STEPS),
        "dp": estimators(Unit.MONTH, DP),
        "shown": estimators(Unit.MONTH, find_release("round-up-10")),
        "withheld": estimators(Unit.MONTH, find_release("pcornet"), estimated=False),
    }
    assert len(set(said.values())) == len(said)
    assert "Cox" not in said["dp"]
    assert "simulated" in said["dp"]
    assert "of the rounded counts" in said["secure-steps"]
    assert "as the rule shows them" in said["shown"]
    for changed in ("secure-steps", "shown"):
        assert "no intervals, no tests" in said[changed]
        assert "log-rank" not in said[changed]
    assert said["withheld"].startswith("none, as cells were withheld")
