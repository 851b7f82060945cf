"""What is said of released tables: quantiles in bins, rates and projections from counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import pytest

from simulator.aggregates.grid import Unit
from simulator.aggregates.released import Between, Of, Released, Rounded, Withheld
from simulator.aggregates.survival import SurvivalTable
from simulator.hub.analyses.cohort import Describes, arrival, calendar, follow_up
from simulator.hub.analyses.descriptions import Arrival, FollowedYear, FollowUpFound, Lab
from simulator.hub.analyses.listing import codes, labs, pathways
from simulator.hub.analyses.released import (
    ReleasedCounts,
    ReleasedGrid,
    ReleasedPaths,
    ReleasedTable,
    ReleasedYears,
)
from simulator.language.criteria import Domain
from simulator.messages.describing import (
    EVERYONE,
    QUARTERS,
    CalendarNeed,
    CodesNeed,
    FollowUpNeed,
    LabsNeed,
    Years,
)
from simulator.messages.needs import Need
from simulator.privacy.releases import EXACT, PLATFORM, Release

PART, SMALL = Withheld(11, Of.PART), Withheld(11)
TEN = Rounded(10, Between(1, 10))
YEARS = Years(2020, 2023)
Found = TypeVar("Found")


def found(analysis: Describes[Found], release: Callable[[Need], ReleasedTable]) -> Found:
    """What an analysis makes of what is released for each of its needs."""
    needs = next(analysis)
    try:
        analysis.send({need: release(need) for need in needs})
    except StopIteration as stop:
        told: Found = stop.value
        return told
    raise AssertionError("it asks again")


def of_quarters(counts: Sequence[Sequence[Released]], years: Sequence[Released]) -> ReleasedGrid:
    """New patients of 2020 to 2023, nobody before or after."""
    nobody = (0, 0, 0, 0)
    return ReleasedGrid(
        ("before 2020", *YEARS.labels, "after 2023"),
        QUARTERS,
        (nobody, *(tuple(row) for row in counts), nobody),
        (0, *years, 0),
        (),
        100,
    )


def arrived(grid: ReleasedGrid, last: dt.date = dt.date(2023, 12, 31)) -> Arrival:
    result = found(arrival(YEARS, last), lambda _need: grid)
    assert isinstance(result, Arrival)
    return result


class TestArrival:
    WHOLE = of_quarters([[20] * 4] * 3 + [[16] * 4], [80, 80, 80, 64])

    def test_twelve_quarters_lead_to_the_next_four(self) -> None:
        result = arrived(self.WHOLE)
        assert [quarter.quarter for quarter in result.quarters][::11] == ["2021 Q1", "2023 Q4"]
        names = [one.quarter for one in result.projection]
        assert names == ["2024 Q1", "2024 Q2", "2024 Q3", "2024 Q4"]
        assert {one.by_mean.estimate for one in result.projection} == {16.0}
        assert all(one.by_trend and one.by_trend.estimate for one in result.projection)

    def test_a_quarter_that_has_not_ended_is_left_out(self) -> None:
        result = arrived(self.WHOLE, dt.date(2023, 12, 30))
        assert result.quarters[-1].quarter == "2023 Q3"
        assert result.projection[0].quarter == "2023 Q4"

    def test_where_quarters_are_withheld_years_lead_on(self) -> None:
        rows: list[list[Released]] = [[20, 20, 20, 20], [20, 20, PART, PART], [20] * 4, [16] * 4]
        result = arrived(of_quarters(rows, [80, 60, 80, 64]))
        assert {one.by_mean.estimate for one in result.projection} == {16.0}
        assert all(one.by_trend is None for one in result.projection)
        assert result.basis.startswith("a quarter of the last whole year")

    def test_where_years_are_withheld_too_nothing_is_projected(self) -> None:
        rows: list[list[Released]] = [[20] * 4, [PART] * 4, [20] * 4, [20] * 4]
        result = arrived(of_quarters(rows, [80, PART, 80, 80]))
        assert result.projection == ()
        assert result.basis.startswith("none: ")


def test_a_rate_stands_on_counts_alone() -> None:
    new: tuple[Released, ...] = (20, PART, 20, TEN)
    years = ReleasedYears(
        YEARS.labels, (500, 500, SMALL, 500), (20, 40, SMALL, TEN), (36525, 36525, SMALL, 36525)
    )
    grid = of_quarters([[0] * 4] * 4, new)
    result = found(calendar(YEARS), lambda need: years if isinstance(need, CalendarNeed) else grid)
    assert isinstance(result, tuple)
    rates = [year.incidence and year.incidence.estimate for year in result]
    assert rates == [pytest.approx(200.0), None, None, None]  # 20 in 100 person-years
    assert [year.prevalence for year in result] == [0.04, 0.08, None, None]
    assert result[2].person_years_at_risk == SMALL


def lab_of(cells: Sequence[Released], without: Released, everyone: Released) -> Lab:
    """The first test, bilirubin, with counts in its first bins."""

    def release(need: Need) -> ReleasedTable:
        assert isinstance(need, LabsNeed)
        rows = []
        for place in range(len(need.tests)):
            given = list(cells) if place == 0 else []
            rows.append((*given, *[0] * (need.bins - len(given)), without))
        tests = tuple(test.loinc for test in need.tests)
        return ReleasedGrid(tests, (), tuple(rows), (), (), everyone)

    result = found(labs(), release)
    assert isinstance(result, tuple)
    assert isinstance(result[0], Lab)
    return result[0]


class TestLabs:
    """The edges of bilirubin are 0.5, 1, 1.2, ..."""

    def test_quantiles_lie_in_bins(self) -> None:
        lab = lab_of([30, 50, 20], 0, 100)
        told = [(within.at_least, within.below) for within in lab.quantiles]
        assert told == [(None, 0.5), (0.5, 1.0), (0.5, 1.0)]

    def test_withheld_cells_hold_whoever_is_left(self) -> None:
        # 12 are left for the first and the third bin: at most 12 of 100 below 0.5
        lab = lab_of([PART, 88, PART], 0, 100)
        told = [(within.at_least, within.below) for within in lab.quantiles]
        assert told == [(0.5, 1.0)] * 3
        # 60 are left: each quarter may lie in any of the three
        lab = lab_of([PART, 40, PART], 0, 100)
        told = [(within.at_least, within.below) for within in lab.quantiles]
        assert told == [(None, 1.0), (None, 1.2), (0.5, 1.2)]

    def test_where_everyone_is_withheld_nothing_is_said(self) -> None:
        assert lab_of([PART, 0], PART, SMALL).quantiles == ()

    def test_rounded_cells_hold_1_to_10(self) -> None:
        lab = lab_of([TEN, 100, TEN], 0, 120)
        told = [(within.at_least, within.below) for within in lab.quantiles]
        assert told == [(0.5, 1.0)] * 3


def test_the_most_frequent_codes_come_first_and_the_withheld_are_counted() -> None:
    def release(need: Need) -> ReleasedTable:
        assert isinstance(need, CodesNeed)
        counts: list[Released] = [0] * len(need.sets)
        counts[:4] = [SMALL, 20, 90, TEN]
        return ReleasedCounts(("everyone", *(one.name for one in need.sets)), (100, *counts))

    for domain in (Domain.CONDITION, Domain.PROCEDURE, Domain.DRUG):
        result = found(codes(domain, 2), release)
        assert [line.patients for line in result.top] == [90, 20]
        assert [line.share for line in result.top] == [0.9, 0.2]
        assert result.withheld == 1


def test_paths_go_on_below_how_they_began() -> None:
    paths: dict[tuple[str, ...], Released] = {
        ("none",): 30,
        ("a",): 30,
        ("a", "none"): 18,
        ("a", "b"): 12,
        ("a", "b", "none"): 12,
        ("b",): 40,
        ("b", "none"): 40,
    }
    result = found(pathways(), lambda _need: ReleasedPaths(paths, 100))
    told = [(path.steps, path.patients) for path in result.paths]
    assert told == [(("b",), 40), (("a",), 30), (("a", "b"), 12), (("none",), 30)]


def followed(
    days: Sequence[int], months: int, release: Release = EXACT, unit: Unit = Unit.MONTH
) -> FollowUpFound:
    """What is said of patients without an outcome who were watched for so many days."""

    def released(need: Need) -> ReleasedTable:
        assert isinstance(need, FollowUpNeed)
        return SurvivalTable.from_rows(
            (EVERYONE,),
            need.grid,
            arm=np.zeros(len(days), dtype=np.int64),
            days=np.array(days, dtype=np.int64),
            event=np.zeros(len(days), dtype=np.bool_),
        )

    result = found(follow_up(months, release, unit), released)
    assert isinstance(result, FollowUpFound)
    return result


class TestFollowUp:
    """24 months end on day 730, 599 on day 18,232."""

    def test_who_is_still_watched_at_the_horizon_did_not_end_in_the_last_year(self) -> None:
        result = followed([100, 400, 730, 731, 5000, 9000], 24)
        assert result.years == (FollowedYear("0-12", 0, 1), FollowedYear("12-24", 0, 2))
        assert result.watched_longer == 3
        assert result.patients == 6

    def test_the_median_is_of_watching_up_to_the_horizon(self) -> None:
        assert followed([100, 731, 5000], 24).median_months.estimate == 24.0

    def test_a_small_number_watched_longer_is_rounded_as_the_years_are(self) -> None:
        assert followed([100] * 20 + [731] * 3, 24, PLATFORM).watched_longer == TEN

    def test_the_longest_horizon_tells_a_month_less(self) -> None:
        result = followed([18_232, 18_233, 20_000], 600)
        assert result.years[-1] == FollowedYear("588-599", 0, 1)
        assert result.watched_longer == 2
        assert result.median_months.estimate == 600.0

    @pytest.mark.parametrize("unit", [Unit.QUARTER, Unit.YEAR])
    def test_coarser_cells_tell_the_same_of_whole_years(self, unit: Unit) -> None:
        days = [100, 365, 366, 400, 730, 731, 5000, 9000, 9001]
        coarse, fine = followed(days, 24, unit=unit), followed(days, 24)
        assert (coarse.years, coarse.watched_longer) == (fine.years, fine.watched_longer)
        assert coarse.median_months.estimate == 24.0
        longest = followed([18_000, 18_232, 18_263, 20_000], 600, unit=unit)
        last = 600 - unit.width_months
        assert longest.years[-1].year == f"{588 if unit is Unit.QUARTER else 576}-{last}"

    def test_a_horizon_of_no_whole_cells_is_refused(self) -> None:
        with pytest.raises(ValueError, match="multiple of 3 months"):
            followed([3, 90], 25, unit=Unit.QUARTER)

    def test_one_month_is_enough(self) -> None:
        result = followed([3, 90], 1)
        assert result.years == (FollowedYear("0-1", 0, 1),)
        assert result.watched_longer == 1
