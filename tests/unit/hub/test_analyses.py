"""What each analysis makes of what each release lets out: the table of the code, cell by cell."""

from __future__ import annotations

from collections.abc import Callable, Generator
from math import sqrt
from typing import Any, TypeVar

import msgspec
import numpy as np
import pytest

from simulator.aggregates.bounded import BoundedTable
from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.released import Between, Noisy, Of, Partial, Released, Rounded, Withheld
from simulator.aggregates.survival import SurvivalTable
from simulator.aggregates.table import Table
from simulator.errors import Refused
from simulator.hub.analyses.comparison import Comparison, comparison
from simulator.hub.analyses.counting import Unit as CountUnit
from simulator.hub.analyses.counting import counting
from simulator.hub.analyses.funnel import Funnel, funnel
from simulator.hub.analyses.of_study import analyses_of
from simulator.hub.analyses.results import Landmark, SubgroupResult
from simulator.hub.analyses.subgroups import Subgroups, subgroups
from simulator.hub.answers import bounded
from simulator.hub.requesting import terms
from simulator.language.study import Study
from simulator.messages.needs import EntriesNeed, Need, SurvivalNeed, kind_of, layout_of
from simulator.messages.noise import noise_laws
from simulator.messages.requests import RoundRequest
from simulator.privacy.emulated import EMULATED
from simulator.privacy.offers import ANALYSES, NOT_CHANCE, REASONS, REQUESTS, gives, reason
from simulator.privacy.releases import (
    DP,
    EXACT,
    PLATFORM,
    RELEASES,
    SECURE_STEPS,
    SECURE_SUM,
    Release,
    shown,
)
from simulator.privacy.rules.registry import RULES
from simulator.privacy.sources import keyed_source
from simulator.privacy.steps import midpoint_steps
from simulator.statistics.cox import cox
from simulator.statistics.fixed_point import cumulative_hazard_ratio, survival_difference
from simulator.statistics.kaplan_meier import at_risk_at, kaplan_meier
from simulator.statistics.noisy_cells import cleaned
from simulator.statistics.quantiles import quantile
from simulator.statistics.restricted_mean import restricted_mean_difference, restricted_mean_ratio
from simulator.statistics.subgroups import subgroup_fit
from tests.support.rounds import open_round
from tests.unit.hub.test_aggregator import asked
from tests.unit.hub.wires import study

Part = TypeVar("Part")

TEN = Rounded(10, Between(1, 10))
releases = pytest.mark.parametrize("release", RELEASES.values(), ids=list(RELEASES))


def with_subgroup() -> Study:
    return msgspec.structs.replace(study(), question=asked())


class Rows:
    """Patients drawn once: arm, level (the third: in none), days, event."""

    def __init__(self, seed: int, *, small: bool, size: int = 160) -> None:
        random = np.random.default_rng(seed)
        self.arm = random.integers(0, 2, size)
        self.level = random.integers(0, 3, size)
        self.days = random.integers(0, 365, size)
        self.event = random.random(size) < 0.5
        if small:  # a few patients only in one arm of one level
            few = (self.arm == 1) & (self.level == 1)
            self.level[np.flatnonzero(few)[4:]] = 0

    def table(self, unit: Unit, chosen: Any = slice(None), months: int = 12) -> SurvivalTable:
        return SurvivalTable.from_rows(
            ("with", "without"),
            Grid(unit, months),
            arm=self.arm[chosen].astype(np.int64),
            days=self.days[chosen].astype(np.int64),
            event=self.event[chosen],
        )

    def answer(self, need: Need, question: Any) -> Table:
        layout = layout_of(need, question)
        if isinstance(need, SurvivalNeed) and need.subgroup:
            unit, months = need.grid.unit, need.grid.months
            levels = [self.table(unit, self.level == place, months) for place in range(4)]
            return Table(layout, np.stack([found.table.values for found in levels], axis=1))
        if isinstance(need, SurvivalNeed):
            return self.table(need.grid.unit, months=need.grid.months).table
        if isinstance(need, EntriesNeed):
            return Table(layout, np.array([[150, 160, 170], [140, 150, 160]], dtype=np.int64))
        counts = [150, 140, 140] if layout.axes[0].name == "step" else [80, 60, 5, 0]
        return Table.from_flat(layout, np.array(counts, dtype=np.int64))


def run(
    analysis: Generator[frozenset[Need], Any, Part], rows: Rows, release: Release
) -> tuple[frozenset[Need], Part]:
    """Drives an analysis through the aggregator with one site's answer."""
    needs = tuple(sorted(next(analysis), key=repr))
    request = RoundRequest("run", 1, "roster", 1, terms(release), asked(), needs)
    tables = tuple(rows.answer(need, asked()) for need in needs)
    answer = tuple(by_rule(table, release) for table in tables) if release.rule else tables
    opened = open_round(request, release, [answer])
    with pytest.raises(StopIteration) as stop:
        analysis.send(opened.released)
    found: Part = stop.value.value
    return frozenset(needs), found


def by_rule(table: Table, release: Release) -> BoundedTable:
    """A site's table as the release's rule lets it out; each patient has a key."""
    keys = table.flat() * 12345
    return bounded(
        table.layout, RULES[release.rule].apply(table.flat(), keyed_source(b"site"), keys), release
    )


def unit_of(release: Release) -> Unit:
    return Unit.DAY if release is EXACT else Unit.MONTH


def compared(release: Release, rows: Rows) -> Comparison:
    return run(comparison(study(), release), rows, release)[1]


def asks(analysis: str, release: Release) -> frozenset[Need]:
    """What an analysis asks for under a release, which must offer it."""
    rows = Rows(1, small=False, size=1000)  # no rule leaves an arm empty
    begun: dict[str, Callable[[], Generator[frozenset[Need], Any, object]]] = {
        "attrition": funnel,
        "count": lambda: counting(CountUnit.PATIENT),
        "count of days or events": lambda: counting(CountUnit.DAY),
        "subgroups": lambda: subgroups(with_subgroup(), release),
    }
    compares = lambda: comparison(study(), release)  # noqa: E731
    return run(begun.get(analysis, compares)(), rows, release)[0]


COUNTED = ("attrition", "count", "count of days or events")
COMPARED = ("arms", "log-rank", "hazard ratios", "differences in mean survival")
CONTRASTED = ("differences in survival", "subgroups")


@releases
@pytest.mark.parametrize("analysis", COUNTED + COMPARED + CONTRASTED)
def test_each_analysis_asks_what_the_table_says(analysis: str, release: Release) -> None:
    kinds = REQUESTS[analysis]
    if gives(analysis, release) is None and not {*kinds} <= {*release.treatments}:
        with pytest.raises(Refused, match=f"'{release.name}' does not say what happens to"):
            asks(analysis, release)
        return
    assert {kind_of(need) for need in asks(analysis, release)} == {*kinds}


@releases
def test_what_a_release_refuses_it_has_a_reason_for(release: Release) -> None:
    """Either it does not treat a request that is needed, or the reason is written down."""
    for analysis, kinds in REQUESTS.items():
        treated = {*kinds} <= {*release.treatments}
        why = reason(analysis, release)
        assert (gives(analysis, release) is not None) is (treated and why is None), analysis


@pytest.mark.parametrize(
    ("release", "left", "none"),
    [
        (SECURE_SUM, (Withheld(11, Of.DIFFERENCE), 140, 140), Withheld(11)),
        (PLATFORM, (150, 140, 140), TEN),
        (EXACT, (150, 140, 140), 5),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_attrition(release: Release, left: tuple[Released, ...], none: Released) -> None:
    found: Funnel = run(funnel(), Rows(1, small=False), release)[1]
    assert tuple(step.patients for step in found.steps) == left
    assert found.assignment.counts[2] == none


@pytest.mark.parametrize("release", [SECURE_SUM, PLATFORM, EXACT], ids=lambda release: release.name)
class TestArmsAndContrasts:
    rows = Rows(2, small=False)

    def test_arms(self, release: Release) -> None:
        table = self.rows.table(unit_of(release))
        for place, arm in enumerate(compared(release, self.rows).arms):
            curve = kaplan_meier(table, arm.arm)
            assert arm.patients == table.patients[place]
            found = [(one.share, one.estimate, one.lower) for one in arm.quantiles_months]
            quarters = [(share, quantile(curve, share)) for share in (0.25, 0.5, 0.75)]
            assert found == [(share, one.estimate, one.lower) for share, one in quarters]
            assert arm.quantiles_months[1].estimate == arm.median_months.estimate

    def test_log_rank_and_hazard_ratios(self, release: Release) -> None:
        found = compared(release, self.rows)
        table = self.rows.table(unit_of(release))
        assert found.log_rank is not None
        assert found.log_rank.df == 1
        (ratio,) = found.hazard_ratios
        assert ratio.estimate == cox(table).contrast("without", "with").estimate

    def test_differences(self, release: Release) -> None:
        found = compared(release, self.rows)
        table = self.rows.table(unit_of(release))
        pair = (kaplan_meier(table, "without"), kaplan_meier(table, "with"))
        (mean,), (alive,) = found.rmst_differences, found.survival_differences
        assert (mean.arm, mean.reference, mean.months) == ("without", "with", 6)
        assert (alive.arm, alive.reference, alive.months) == ("without", "with", 6)
        for mine, contrast in (
            (mean.difference, restricted_mean_difference(*pair, 6)),
            (mean.ratio, restricted_mean_ratio(*pair, 6)),
            (alive.difference, survival_difference(*pair, 6)),
            (alive.cumulative_hazard_ratio, cumulative_hazard_ratio(*pair, 6)),
        ):
            assert (mine.estimate, mine.lower, mine.upper, mine.p) == (
                *(contrast.estimate, contrast.lower, contrast.upper, contrast.p),
            )
            assert mine.p_adjusted == mine.p  # one pair


class TestUnderNoise:
    """The noise of dp is in the sum; here none was added, but its law says what it could be."""

    rows = Rows(2, small=False)

    def test_arms_are_told_with_their_errors(self) -> None:
        found = compared(DP, self.rows)
        # The study asks about month 6, and what lies a month beyond is not asked for.
        table = self.rows.table(Unit.MONTH, months=7)
        need = SurvivalNeed(table.grid)
        request = RoundRequest("run", 1, "roster", 1, terms(DP), asked(), (need,))
        law = noise_laws(request, 1)["survival"]
        believed = cleaned(table, law)
        error = sqrt(law.variance)
        for place, arm in enumerate(found.arms):
            # 7 months, each with a cell for those who died and one for those censored; what is
            # believed of them errs about as much as their sum does
            assert isinstance(arm.patients, Noisy)
            assert isinstance(arm.events, Noisy)
            # what cleaning is off by on average is taken off: little, as no cell is nearly empty
            assert arm.patients.noisy == pytest.approx(int(believed.patients[place]), abs=3)
            assert arm.patients.standard_error == pytest.approx(error * sqrt(14), rel=0.5)
            assert arm.events.noisy == pytest.approx(int(believed.events[place].sum()), abs=3)
            assert arm.median_follow_up_months is None
            assert arm.events.standard_error == pytest.approx(error * sqrt(7), rel=0.5)
            truth = kaplan_meier(table, arm.arm)
            low, middle, high = (
                getattr(arm.survival[0], name) for name in ("lower", "estimate", "upper")
            )
            assert low < middle < high
            assert low < truth.survival[5] < high
            # wider than where nobody added noise
            plain = compared(SECURE_SUM, self.rows).arms[place].survival[0]
            assert high - low > (plain.upper or 0.0) - (plain.lower or 0.0)

    def test_the_test_is_held_against_tables_with_noise(self) -> None:
        found = compared(DP, self.rows)
        assert found.log_rank is not None
        assert "as much noise" in found.log_rank.null
        assert found.log_rank.naive_p is not None
        assert found.log_rank.naive_p != found.log_rank.p

    def test_contrasts_are_refused_with_the_reason(self) -> None:
        found = compared(DP, self.rows)
        refused = (found.hazard_ratios, found.rmst_differences, found.survival_differences)
        assert refused == ((), (), ())
        refusal, horizon = found.notes
        assert REASONS["hazard ratios"]["dp"] in refusal
        assert horizon.startswith("looked at up to 7 months only")

    def test_the_same_sum_gives_the_same_result(self) -> None:
        assert compared(DP, self.rows) == compared(DP, self.rows)


def has_no_intervals(found: Comparison) -> None:
    """Neither an interval, nor a test, nor a contrast, and a note says why."""
    assert found.log_rank is None
    refused = (found.hazard_ratios, found.rmst_differences, found.survival_differences)
    assert refused == ((), (), ())
    assert any(note.startswith("no ") for note in found.notes)
    for arm in found.arms:
        for mark in (*arm.survival, *arm.curve):
            assert (mark.lower, mark.upper) == (None, None)
        assert (arm.median_months.lower, arm.median_months.upper) == (None, None)
        for quarter in arm.quantiles_months:
            assert (quarter.lower, quarter.upper) == (None, None)
        if arm.rmst_months is not None:
            assert (arm.rmst_months.lower, arm.rmst_months.upper) == (None, None)


class TestUnderSteps:
    """Counts so far are rounded: estimates of what is shown, and bounds that hold the truth."""

    rows = Rows(2, small=False)

    def test_there_are_no_intervals_and_no_tests(self) -> None:
        found = compared(SECURE_STEPS, self.rows)
        has_no_intervals(found)
        assert found.notes[0] == f"no intervals, no tests, no contrasts: {NOT_CHANCE}"

    def test_estimates_are_those_of_the_rounded_counts(self) -> None:
        table = midpoint_steps(self.rows.table(Unit.MONTH))
        for place, arm in enumerate(compared(SECURE_STEPS, self.rows).arms):
            curve = kaplan_meier(table, arm.arm)
            assert arm.median_months.estimate == quantile(curve, 0.5).estimate
            told = [mark.estimate for mark in arm.curve if mark.estimate is not None]
            assert told == curve.survival[: len(told)].tolist()
            for count, shown_ in (
                (arm.patients, table.patients[place]),
                (arm.events, table.events[place].sum()),
                (arm.censored, table.censored[place].sum()),
            ):
                assert isinstance(count, Partial)
                assert (count.shown, count.withheld_parts) == (shown_, 0)

    @pytest.mark.parametrize("seed", range(20))
    def test_the_truth_is_within_the_bounds(self, seed: int) -> None:
        rows = Rows(seed, small=False, size=40)
        table = rows.table(Unit.MONTH)
        for place, arm in enumerate(compared(SECURE_STEPS, rows).arms):
            truth = kaplan_meier(table, arm.arm)
            assert [mark.months for mark in arm.curve] == [*range(1, 13)]
            for mark in (*arm.survival, *arm.curve):
                low, high = ends_of(mark)
                assert low - 1e-9 <= truth.survival[mark.months - 1] <= high + 1e-9
                holds(mark.at_risk, at_risk_at(truth, mark.months))
            holds(arm.patients, int(table.patients[place]))
            holds(arm.events, int(table.events[place].sum()))
            holds(arm.censored, int(table.censored[place].sum()))

    def test_where_rounding_takes_a_curve_to_0_the_bounds_need_not_follow(self) -> None:
        found = [compared(SECURE_STEPS, Rows(seed, small=False, size=40)) for seed in range(20)]
        ended = [
            mark
            for comparison in found
            for arm in comparison.arms
            for mark in arm.curve
            if mark.estimate in {None, 0.0}
        ]
        assert any(ends_of(mark)[1] > 0.0 for mark in ended)


def ends_of(mark: Landmark) -> tuple[float, float]:
    if mark.bounds is None:
        return 0.0, 1.0
    low, high = mark.bounds.at_least, mark.bounds.at_most
    assert low is not None
    assert high is not None
    return low, high


def holds(count: Released, truth: int) -> None:
    """What is told of a count is true of it."""
    if isinstance(count, Partial):
        assert count.at_least <= truth
        assert count.at_most is not None
        assert truth <= count.at_most
    else:
        assert count == truth


# Their noise has no end, so that nothing is sure of a curve.
BOUNDLESS = {"i2b2", "samply"}


@pytest.mark.parametrize("release", EMULATED, ids=lambda release: release.name)
class TestUnderRules:
    """One site applies the rule to each cell; what the cells were lies within the bounds."""

    rows = Rows(2, small=False, size=1000)

    def test_the_true_curve_is_within_the_bounds(self, release: Release) -> None:
        for arm in compared(release, self.rows).arms:
            truth = kaplan_meier(self.rows.table(Unit.MONTH), arm.arm)
            for mark in (*arm.survival, *arm.curve):
                assert (mark.bounds is None) is (release.name in BOUNDLESS)
                if mark.bounds is None:
                    continue
                low, high = mark.bounds.at_least, mark.bounds.at_most
                assert low is not None
                assert high is not None
                alive = truth.survival[mark.months - 1] if mark.months else 1.0
                assert low - 1e-9 <= alive <= high + 1e-9, mark.months

    def test_what_is_withheld_is_no_number(self, release: Release) -> None:
        found = compared(release, self.rows)
        has_no_intervals(found)
        shown = by_rule(self.rows.table(Unit.MONTH).table, release)
        if shown.withheld.any():
            assert all(mark.estimate is None for arm in found.arms for mark in arm.survival)
            return
        cells = Table(shown.layout, np.maximum(shown.shown, 0))
        table = SurvivalTable(Grid(Unit.MONTH, 12), cells)
        assert [arm.patients for arm in found.arms] == table.patients.tolist()
        for arm in found.arms:
            curve = kaplan_meier(table, arm.arm)
            assert arm.median_months.estimate == quantile(curve, 0.5).estimate
        assert f"no intervals, no tests, no contrasts: {NOT_CHANCE}" in found.notes
        assert f"they come to {int(cells.values.sum()):,} patients" in found.notes[1]


def test_some_rules_withhold_and_some_do_not() -> None:
    table = Rows(2, small=False, size=1000).table(Unit.MONTH).table
    withholds = {release.name for release in EMULATED if by_rule(table, release).withheld.any()}
    assert withholds
    assert withholds < {release.name for release in EMULATED}


def test_p_is_adjusted_over_the_pairs_of_a_month_and_a_scale() -> None:
    from simulator.hub.analyses.contrasts import survival_differences
    from simulator.statistics.cox import holm

    random = np.random.default_rng(5)
    table = SurvivalTable.from_rows(
        ("A", "B", "C"),
        Grid(Unit.MONTH, 12),
        arm=random.integers(0, 3, 200),
        days=random.integers(0, 365, 200),
        event=random.random(200) < 0.6,
    )
    pairs = [("B", "A"), ("C", "A"), ("C", "B")]
    found = survival_differences(table, pairs, (3, 6))
    assert [(one.arm, one.reference) for one in found] == pairs * 2
    for part in (found[:3], found[3:]):
        adjusted = holm([one.difference.p or 0.0 for one in part])
        assert tuple(one.difference.p_adjusted for one in part) == adjusted


class TestSmallArms:
    """Four patients in one arm, two of whom died."""

    @staticmethod
    def rows() -> Rows:
        rows = Rows(3, small=False)
        rows.arm[:] = 1
        rows.arm[:4] = 0
        rows.event[:4], rows.days[:4] = [True, True, False, False], [40, 50, 300, 364]
        return rows

    def test_secure_sum_refuses_them(self) -> None:
        with pytest.raises(Refused, match="too small: 'with'"):
            compared(SECURE_SUM, self.rows())

    def test_platform_shows_10_for_totals_and_the_curve_as_it_is(self) -> None:
        rows = self.rows()
        small = compared(PLATFORM, rows).arms[0]
        assert (small.patients, small.events, small.censored) == (TEN, TEN, TEN)
        assert small.survival[0].at_risk == TEN
        curve = kaplan_meier(rows.table(Unit.MONTH), "with")
        assert [mark.estimate for mark in small.curve] == curve.survival.tolist()
        # which is why the release says that the curve gives the totals back
        assert 1 - (small.curve[1].estimate or 0.0) == pytest.approx(2 / 4)
        assert any("gives the true totals back" in line for line in PLATFORM.says)

    def test_platform_shows_large_totals_and_nothing_as_they_are(self) -> None:
        rows = self.rows()
        rows.event[:4] = False
        one, other = compared(PLATFORM, rows).arms
        assert (one.events, other.patients) == (0, 156)

    def test_exact_shows_them(self) -> None:
        small = compared(EXACT, self.rows()).arms[0]
        assert (small.patients, small.events, small.survival[0].at_risk) == (4, 2, 2)


OFFERED = tuple(release for release in RELEASES.values() if gives("subgroups", release))


def test_subgroups_are_offered_where_tables_are_exact() -> None:
    assert OFFERED == (SECURE_SUM, PLATFORM, EXACT)
    for release in RELEASES.values():
        if release not in OFFERED:
            with pytest.raises(Refused, match=f"the release '{release.name}' offers no subgroups"):
                analyses_of(with_subgroup(), release)


def variable(release: Release, rows: Rows) -> SubgroupResult:
    found: Subgroups = run(subgroups(with_subgroup(), release), rows, release)[1]
    (one,) = found.variables
    return one


class TestSubgroups:
    @pytest.mark.parametrize("release", OFFERED, ids=lambda release: release.name)
    def test_each_level_has_its_ratios_and_the_test_is_over_them(self, release: Release) -> None:
        rows = Rows(4, small=False)
        found = variable(release, rows)
        tables = [rows.table(unit_of(release), rows.level == place) for place in range(3)]
        fit = subgroup_fit(tables[:2], reference="with")
        assert not isinstance(found.levels, Withheld)
        assert not isinstance(found.interaction, Withheld)
        assert [level.level for level in found.levels] == ["young", "old"]
        for level, table, model in zip(found.levels, tables[:2], fit.levels, strict=True):
            assert [arm.patients for arm in level.arms] == table.patients.tolist()
            events = [shown(int(count), release, "subgroups") for count in table.events.sum(axis=1)]
            assert [arm.events for arm in level.arms] == events
            (ratio,) = level.hazard_ratios
            assert ratio.estimate == model.contrast("without", "with").estimate
        assert (found.interaction.statistic, found.interaction.df) == (fit.interaction.statistic, 1)
        assert not isinstance(found.in_no_level, Withheld)
        assert [arm.patients for arm in found.in_no_level] == tables[2].patients.tolist()
        assert found.reason is None

    def test_secure_sum_withholds_all_of_a_variable_with_a_small_group(self) -> None:
        found = variable(SECURE_SUM, Rows(4, small=True))
        withheld = Withheld(11, Of.PART)
        assert (found.levels, found.in_no_level, found.interaction) == (withheld,) * 3
        assert found.reason is not None
        assert "fewer than 11" in found.reason

    def test_platform_shows_10_for_a_small_group(self) -> None:
        found = variable(PLATFORM, Rows(4, small=True))
        assert not isinstance(found.levels, Withheld)
        assert found.levels[1].arms[1].patients == TEN

    def test_exact_shows_it(self) -> None:
        found = variable(EXACT, Rows(4, small=True))
        assert not isinstance(found.levels, Withheld)
        assert found.levels[1].arms[1].patients == 4

    def test_a_release_that_does_not_offer_them_refuses_the_study(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert len(analyses_of(with_subgroup(), SECURE_SUM)) == 3
        monkeypatch.setitem(ANALYSES, "subgroups", {"exact": "from days"})
        with pytest.raises(Refused, match="the release 'secure-sum' offers no subgroups"):
            analyses_of(with_subgroup(), SECURE_SUM)
        assert len(analyses_of(study(), SECURE_SUM)) == 2


def test_a_withheld_part_is_never_a_number_in_json() -> None:
    from simulator.cli.as_json import to_json

    said = to_json(variable(SECURE_SUM, Rows(4, small=True)))
    withheld = {"withheld": {"below": 11, "of": "a group that it would give away"}}
    assert isinstance(said, dict)
    assert said["levels"] == said["in_no_level"] == said["interaction"] == withheld
