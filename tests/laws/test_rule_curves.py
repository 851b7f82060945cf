"""What rules make of curves: three-year survival of made cohorts, and the lung data of NCCTG.

The expected figures of the first part are those of another program, over 100 cohorts drawn from the
same model; of the second part, of re-implementations of two systems' rules on the same patients.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.survival import SurvivalTable, survival_layout
from simulator.aggregates.table import Table
from simulator.privacy.rules.registry import RULES
from simulator.privacy.rules.rounding import ZeroThenNearest, midpoints
from simulator.privacy.rules.rule import Mechanism
from simulator.privacy.sources import keyed_source
from simulator.privacy.steps import midpoint_steps
from simulator.statistics.kaplan_meier import kaplan_meier, survival_at

Reals = NDArray[np.float64]
Cells = NDArray[np.int64]

SITES: Final = 68
PATIENTS: Final = 418
ARMS: Final = 4
QUARTERS: Final = 12
DAYS: Final = QUARTERS * 365.25 / 4
SURVIVE: Final = np.array([0.52, 0.48, 0.45, 0.40])


def cohort(seed: int) -> Cells:
    """Who left when: shape (sites, arms, quarters + 1, 2), events then censorings.

    418 patients in turn in four arms, exponential survival with 52, 48, 45 and 40 % at three years,
    watched for 365 to 2,200 days, at 68 sites with weights drawn from a gamma distribution of shape
    1.5. Quarter j holds the days after (j - 1) m up to j m; who is still there after twelve is
    censored in a cell of its own.
    """
    rng = np.random.default_rng([2025, seed])
    arm = np.arange(PATIENTS) % ARMS
    death = rng.exponential(size=PATIENTS) * (-DAYS / np.log(SURVIVE))[arm]
    end = rng.uniform(365, 2200, PATIENTS)
    weights = rng.gamma(1.5, size=SITES)
    site = rng.choice(SITES, PATIENTS, p=weights / weights.sum())
    died = (death <= end) & (death <= DAYS)
    left = np.minimum(death, end)
    quarter = np.where(left > DAYS, QUARTERS, np.ceil(left * QUARTERS / DAYS) - 1).astype(np.int64)
    cells = np.zeros((SITES, ARMS, QUARTERS + 1, 2), dtype=np.int64)
    np.add.at(cells, (site, arm, quarter, np.where(died, 0, 1)), 1)
    return cells


def survival(cells: Cells) -> Reals:
    """Survival of each arm after twelve quarters, on the full risk set; 1 where nobody is left."""
    leaving = cells.sum(axis=-1)
    at_risk = np.cumsum(leaving[:, ::-1], axis=1)[:, ::-1]
    factors = 1 - cells[..., 0] / np.maximum(at_risk, 1)
    alive: Reals = np.prod(factors[:, :QUARTERS], axis=1)
    return alive


def treated(mechanism: Mechanism, cells: Cells, seed: int) -> Cells:
    """All cells treated one by one; a withheld one counts nobody."""
    source = keyed_source(b"seed", str(seed))
    return mechanism.apply(cells.ravel(), source, None).shown.reshape(cells.shape)


def errors(treat: Callable[[Cells, int], Cells], cohorts: int) -> tuple[Reals, Reals]:
    """Error of the arms' survival against the table as it is, (cohorts, arms), and patients."""
    found, patients = [], []
    for seed in range(cohorts):
        cells = cohort(seed)
        after = treat(cells, seed)
        found.append(survival(after) - survival(cells.sum(axis=0)))
        patients.append(float(after.sum()))
    return np.array(found), np.array(patients)


NEAREST_5: Final = ZeroThenNearest(threshold=1, base=5)
# Bias, mean absolute error and patients site by site; bias and mean absolute error once on the sum.
FIGURES: Final[dict[str, tuple[Mechanism, float, float, int, float, float]]] = {
    "midpoint-6": (RULES["midpoint-6"].mechanism, -0.040, 0.041, 1118, 0.006, 0.027),
    "nearest-5": (NEAREST_5, 0.453, 0.480, 33, 0.003, 0.030),
    "opensafely": (RULES["opensafely"].mechanism, 0.532, 0.532, 0, 0.259, 0.260),
    "round-up-10": (RULES["round-up-10"].mechanism, -0.041, 0.041, 3727, -0.101, 0.101),
    "ohdsi": (RULES["ohdsi"].mechanism, 0.532, 0.532, 2, 0.071, 0.079),
    "random-round-3": (RULES["random-round-3"].mechanism, -0.002, 0.057, 410, 0.000, 0.022),
}


def close(found: Reals, bias: float, absolute: float) -> None:
    """Within five standard errors of two runs, the other one of 100 cohorts, and a last digit."""
    spread = math.sqrt(1 / found.shape[0] + 1 / 100)
    arms = found.mean(axis=1)
    assert found.mean() == pytest.approx(bias, abs=5 * arms.std() * spread + 0.001)
    sizes = np.abs(found).mean(axis=1)
    assert sizes.mean() == pytest.approx(absolute, abs=5 * sizes.std() * spread + 0.001)


def check(name: str, cohorts: int) -> None:
    mechanism, bias, absolute, patients, bias_once, absolute_once = FIGURES[name]
    at_sites, left = errors(
        lambda cells, seed: treated(mechanism, cells, seed).sum(axis=0), cohorts
    )
    close(at_sites, bias, absolute)
    spread = math.sqrt(1 / cohorts + 1 / 100)
    assert left.mean() == pytest.approx(patients, abs=5 * left.std() * spread + 0.5)
    once, _ = errors(lambda cells, seed: treated(mechanism, cells.sum(axis=0), seed), cohorts)
    close(once, bias_once, absolute_once)


@pytest.mark.parametrize("name", FIGURES)
def test_three_year_survival_under_rules_for_cells(name: str) -> None:
    check(name, 40)


@pytest.mark.laws
@pytest.mark.parametrize("name", FIGURES)
def test_three_year_survival_under_rules_for_cells_with_many_cohorts(name: str) -> None:
    check(name, 400)


def steps(cells: Cells, _seed: int) -> Cells:
    """The summed table, its quarters taken for months, with steps that hide six."""
    arms = tuple(f"arm {place}" for place in range(ARMS))
    grid = Grid(Unit.MONTH, QUARTERS + 1)
    table = SurvivalTable(grid, Table(survival_layout(arms, grid), cells.sum(axis=0)))
    return midpoint_steps(table).table.values.copy()


def test_midpoints_of_cumulative_counts_err_less_than_those_of_cells() -> None:
    """Another program, with an arm's size rounded apart as well, had +0.003 and 0.023."""
    of_steps, patients = errors(steps, 100)
    error = of_steps.mean(axis=1).std() / math.sqrt(100)
    assert abs(of_steps.mean()) < 0.003 + 5 * error
    assert np.abs(of_steps).mean() < 0.023
    assert (np.abs(patients - PATIENTS) <= ARMS * 6).all()
    of_cells, _ = errors(
        lambda cells, seed: treated(RULES["midpoint-6"].mechanism, cells.sum(axis=0), seed), 100
    )
    assert np.abs(of_steps).mean() < np.abs(of_cells).mean()


PAGE: Final = Path(__file__).parents[2] / "docs" / "mechanisms" / "midpoint-steps.md"


def printed() -> dict[str, str]:
    """The two figures of each row of the page's last table, by the rule's name."""
    rows = re.findall(r"^\| (.*?) \| (\S+ \| [\d.]+) \|$", PAGE.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"\[`|`\].*| on cells", "", rule): figures for rule, figures in rows}


@pytest.mark.laws
def test_the_page_tells_these_errors() -> None:
    found = {}
    for name, (mechanism, *_) in FIGURES.items():
        at_sites, _left = errors(
            lambda cells, seed, rule=mechanism: treated(rule, cells, seed).sum(axis=0),  # type: ignore[misc]
            400,
        )
        once, _left = errors(
            lambda cells, seed, rule=mechanism: treated(rule, cells.sum(axis=0), seed),  # type: ignore[misc]
            400,
        )
        found[name] = f"{np.abs(at_sites).mean():.3f} | {np.abs(once).mean():.3f}"
    of_steps, _left = errors(steps, 400)
    found["steps that hide six"] = f"- | {np.abs(of_steps).mean():.3f}"
    found["nearest five"] = found.pop("nearest-5")
    assert found == printed()


@pytest.fixture(scope="module")
def lung() -> SurvivalTable:
    """228 patients of the North Central Cancer Treatment Group by day, as lifelines has them."""
    from lifelines import datasets

    rows = datasets.load_lung()
    days = rows["time"].to_numpy(dtype=np.int64)
    died = rows["status"].to_numpy(dtype=np.bool_)
    grid = Grid(Unit.DAY, 36)
    arm = np.zeros(days.size, dtype=np.int64)
    return SurvivalTable.from_rows(("lung",), grid, arm=arm, days=days, event=died)


def curve(events: Cells, at_risk: Cells) -> Reals:
    """Survival by day, 0 to 999."""
    alive: Reals = np.cumprod(1 - events / np.maximum(at_risk, 1), dtype=np.float64)[:1000]
    return alive


def told(alive: Reals, exact: Reals) -> tuple[float, int, float]:
    """Greatest error before day 1000, median in days, survival at day 365, to three digits."""
    furthest, year = np.abs(alive - exact).max(), alive[365]
    return round(float(furthest), 3), int(np.argmax(alive <= 0.5)), round(float(year), 3)


def test_lung_as_it_is(lung: SurvivalTable) -> None:
    exact = curve(lung.events[0], lung.at_risk[0])
    assert told(exact, exact) == (0, 310, 0.409)
    assert survival_at(kaplan_meier(lung), 12).estimate == pytest.approx(exact[365])


def test_lung_under_opensafelys_rule(lung: SurvivalTable) -> None:
    """There the number at risk is an arm's size, rounded as well, less who has left so far."""
    exact = curve(lung.events[0], lung.at_risk[0])
    stepped = midpoint_steps(lung)
    leaving = stepped.events[0] + stepped.censored[0]
    size = midpoints(lung.patients, 6)
    at_risk = size - np.cumsum(leaving) + leaving
    assert told(curve(stepped.events[0], at_risk), exact) == (0.048, 303, 0.387)


def test_lung_under_our_rule_for_steps(lung: SurvivalTable) -> None:
    """The size of the arm follows from the steps, and the curve errs by less."""
    exact = curve(lung.events[0], lung.at_risk[0])
    stepped = midpoint_steps(lung)
    furthest, median, year = told(curve(stepped.events[0], stepped.at_risk[0]), exact)
    assert furthest < 0.048
    assert median in range(290, 331)
    assert year == pytest.approx(0.409, abs=0.02)


def windows(times: Cells, deaths: Cells, at_risk: Cells, least: int) -> Reals:
    """ACRO's rounded survival: a window ends once `least` have left; survival by day, 0 to 999.

    Its deaths are divided by the number at risk at its end; one death at the first time stands
    alone.
    """
    alive, out = 1 - deaths[0] / at_risk[0], np.ones(1000)
    out[times[0] :] = alive
    died = gone = 0
    for place in range(1, times.size):
        gone += int(at_risk[place - 1] - at_risk[place])
        died += int(deaths[place])
        if gone >= least:
            alive *= 1 - died / at_risk[place]
            out[times[place] :] = alive
            died = gone = 0
    return out


def test_lung_under_acros_rule(lung: SurvivalTable) -> None:
    exact = curve(lung.events[0], lung.at_risk[0])
    times = np.flatnonzero(lung.events[0])
    rounded = windows(times, lung.events[0][times], lung.at_risk[0][times], 10)
    assert told(rounded, exact) == (0.094, 329, 0.404)
