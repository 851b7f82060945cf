"""Describes a cohort: who the patients are, when they came, how long they were watched."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator
from typing import Final, TypeVar

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.released import Released, Withheld
from simulator.aggregates.survival import SurvivalTable, survival_layout
from simulator.aggregates.table import Table
from simulator.hub.analyses.descriptions import (
    Arrival,
    CalendarYear,
    Demographics,
    FollowedYear,
    FollowUpFound,
    Part,
    Projected,
    Quarter,
    SexAndAge,
    share_of,
)
from simulator.hub.analyses.released import ReleasedGrid, ReleasedTables, ReleasedYears
from simulator.hub.analyses.results import Interval, Quantile
from simulator.messages.describing import (
    ArrivalNeed,
    CalendarNeed,
    DemographicsNeed,
    FollowUpNeed,
    RaceNeed,
    Years,
)
from simulator.messages.needs import Need
from simulator.privacy.releases import Release, shown
from simulator.statistics.poisson import Bounds, exact_rate, next_by_mean, next_by_trend

Found = TypeVar("Found")
Describes = Generator[frozenset[Need], ReleasedTables, Found]

_DAYS_PER_YEAR: Final = 365.25
_PER: Final = 1000.0
_QUARTERS: Final = 12
_AHEAD: Final = 4
_MONTHS: Final = 12
_LONGEST: Final = 600
_YEARS: Final = 3
_BY_QUARTER: Final = (
    "mean of the last four quarters; least-squares line through twelve; intervals for one quarter "
    "by itself, negative binomial, widened by the overdispersion seen"
)
_BY_YEAR: Final = (
    "a quarter of the last whole year, as some quarters are not told; intervals for one quarter by "
    "itself, negative binomial, widened by the overdispersion of three years"
)
_SHARES: Final = (0.25, 0.5, 0.75)
_NOT_REACHED: Final = Interval(None, None, None)


def demographics(years: Years) -> Describes[Demographics]:
    """Sex, age, race, and year of index."""
    needs = DemographicsNeed(), RaceNeed(), ArrivalNeed(years)
    released = yield frozenset[Need](needs)
    both, races, arrival = (grid_of(released, need) for need in needs)
    cells = zip(both.rows, both.cells, strict=True)
    return Demographics(
        everyone=both.everyone,
        sexes=_parts(both.rows, both.row_totals, both.everyone),
        ages=_parts(both.columns, both.column_totals, both.everyone),
        sexes_and_ages=tuple(
            SexAndAge(sex, age, patients)
            for sex, row in cells
            for age, patients in zip(both.columns, row, strict=True)
        ),
        races=_parts(races.columns, races.cells[0], races.everyone),
        years=_parts(arrival.rows, arrival.row_totals, arrival.everyone),
    )


def _parts(
    labels: tuple[str, ...], counts: tuple[Released, ...], everyone: Released
) -> tuple[Part, ...]:
    named = zip(labels, counts, strict=True)
    return tuple(Part(label, count, share_of(count, everyone)) for label, count in named)


def calendar(years: Years) -> Describes[tuple[CalendarYear, ...]]:
    """Incidence and prevalence by year, of everyone at the sites."""
    counted, arrived = CalendarNeed(years), ArrivalNeed(years)
    released = yield frozenset[Need]({counted, arrived})
    found, arrival = released[counted], grid_of(released, arrived)
    if not isinstance(found, ReleasedYears):
        raise TypeError("years were expected")
    new = arrival.row_totals[1:-1]  # the first row is before the years, the last after
    rows = zip(
        range(years.first, years.last + 1),
        *(found.observed, new, found.days, found.prevalent),
        strict=True,
    )
    return tuple(_year(*row) for row in rows)


def _year(
    year: int, observed: Released, new: Released, days: Released, had: Released
) -> CalendarYear:
    at_risk = days / _DAYS_PER_YEAR if isinstance(days, int) else None
    rate = None
    if isinstance(new, int) and at_risk is not None:
        rate = exact_rate(new, at_risk / _PER)
    return CalendarYear(
        year=year,
        observed=observed,
        new=new,
        person_years_at_risk=days if isinstance(days, Withheld) else round(at_risk or 0.0, 1),
        incidence=None if rate is None else _interval(rate),
        in_the_cohort=had,
        prevalence=share_of(had, observed),
    )


def arrival(years: Years, last: dt.date) -> Describes[Arrival]:
    """New patients by quarter, and a projection.

    Args:
        years: The years that are counted.
        last: The last day on which a patient can have come into the cohort.
    """
    need = ArrivalNeed(years)
    released = yield frozenset[Need]({need})
    grid = grid_of(released, need)
    counts = {
        f"{year} Q{quarter + 1}": count
        for year, row in zip(grid.rows[1:-1], grid.cells[1:-1], strict=True)
        for quarter, count in enumerate(row)
    }
    # Whole quarters only: the one in which data end would seem to lack patients.
    day_after = last + dt.timedelta(days=1)
    ended = (day_after.year - years.first) * 4 + (day_after.month - 1) // 3
    seen = list(counts)[max(0, ended - _QUARTERS) : ended]
    quarters = tuple(Quarter(name, counts[name]) for name in seen)
    coming = [_name(years, quarter) for quarter in range(ended, ended + _AHEAD)]
    by_quarter = [found.patients for found in quarters]
    by_year = list(grid.row_totals[1:-1][: ended // 4][-_YEARS:])
    basis, projection = _projected(coming, by_quarter, by_year)
    return Arrival(quarters, basis, projection)


def _name(years: Years, quarter: int) -> str:
    return f"{years.first + quarter // 4} Q{quarter % 4 + 1}"


def _projected(
    coming: list[str], by_quarter: list[Released], by_year: list[Released]
) -> tuple[str, tuple[Projected, ...]]:
    """The next quarters from twelve quarters, or, where some are not told, from whole years."""
    told = [count for count in by_quarter if isinstance(count, int)]
    if len(told) == _QUARTERS:
        mean, trend = next_by_mean(told, _AHEAD), next_by_trend(told, _AHEAD)
        found = [
            Projected(name, _interval(mean), _interval(line))
            for name, line in zip(coming, trend, strict=True)
        ]
        return _BY_QUARTER, tuple(found)
    whole = [count for count in by_year if isinstance(count, int)]
    if len(whole) == _YEARS:
        mean = next_by_mean(whole, 1, parts=4)
        return _BY_YEAR, tuple(Projected(name, _interval(mean), None) for name in coming)
    return f"none: neither {_QUARTERS} quarters nor {_YEARS} whole years are told exactly", ()


def _interval(bounds: Bounds) -> Interval:
    return Interval(bounds.estimate, bounds.lower, bounds.upper)


def follow_up(
    months: int, release: Release, unit: Unit = Unit.MONTH
) -> Describes[FollowUpFound | Withheld]:
    """How long patients were watched, up to a horizon in months.

    One cell more is asked for, where a table may have one: who is still watched at the horizon
    stands in it, and not among those whom the last cell before it lost.

    Args:
        months: The horizon, 1 to 600.
        release: The release, which says how totals are shown.
        unit: The width of a cell: month, quarter or year.

    Raises:
        ValueError: The horizon is no multiple of the unit.
    """
    # It takes the estimators of survival, which a count does without.
    from simulator.statistics.kaplan_meier import reverse_kaplan_meier
    from simulator.statistics.quantiles import median, quantile

    need = FollowUpNeed(min(months + unit.width_months, _LONGEST), unit)
    released = yield frozenset[Need]({need})
    table = released[need]
    if isinstance(table, Withheld):
        return table
    if not isinstance(table, SurvivalTable):
        raise TypeError("a survival table was expected")
    (everyone,) = table.arms
    patients = int(table.patients[0])
    middle, quantiles = _NOT_REACHED, []
    if patients:
        curve = reverse_kaplan_meier(_until(table, months), everyone)
        found = median(curve)
        middle = Interval(found.estimate, found.lower, found.upper)
        for share in _SHARES:
            at = quantile(curve, share)
            quantiles.append(Quantile(share, at.estimate, at.lower, at.upper))
    longer = int(table.at_risk[0, -1])
    return FollowUpFound(
        patients=shown(patients, release, "follow-up"),
        median_months=middle,
        quantiles_months=tuple(quantiles),
        years=_followed(table, release),
        watched_longer=shown(longer, release, "follow-up"),
    )


def _until(table: SurvivalTable, months: int) -> SurvivalTable:
    """The table as it is if time beyond a number of months is censored at them."""
    grid = Grid(table.grid.unit, months)
    values = table.table.values[:, : grid.size].copy()
    values[:, -1, 1] += table.table.values[:, grid.size :].sum(axis=(1, 2))
    return SurvivalTable(grid, Table(survival_layout(table.arms, grid), values))


def _followed(table: SurvivalTable, release: Release) -> tuple[FollowedYear, ...]:
    """Whose watching ended in each year, but for the last cell."""
    found = []
    last, width = table.grid.size - 1, table.grid.unit.width_months
    for start in range(0, last, _MONTHS // width):
        end = min(start + _MONTHS // width, last)
        counts = [
            shown(int(cells[0, start:end].sum()), release, "follow-up")
            for cells in (table.events, table.censored)
        ]
        found.append(FollowedYear(f"{start * width}-{end * width}", counts[0], counts[1]))
    return tuple(found)


def grid_of(released: ReleasedTables, need: Need) -> ReleasedGrid:
    """The grid that was released for a need."""
    found = released[need]
    if not isinstance(found, ReleasedGrid):
        raise TypeError(f"a grid was expected for {need}")
    return found
