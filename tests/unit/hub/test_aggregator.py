"""What each release lets out of each kind of request, cell by cell of the table in the code."""

from __future__ import annotations

import os
from collections.abc import Sequence
from math import exp, sqrt
from typing import get_args

import msgspec
import numpy as np
import pytest

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.released import Between, Noisy, Of, Partial, Released, Rounded, Withheld
from simulator.aggregates.survival import SurvivalTable
from simulator.aggregates.table import Table
from simulator.errors import Refused, UserError
from simulator.hub.aggregator import Opened
from simulator.hub.analyses.released import (
    ReleasedBounds,
    ReleasedCounts,
    ReleasedLevels,
    ReleasedNoise,
)
from simulator.hub.answers import bounded
from simulator.hub.requesting import terms
from simulator.language.codes import Code, ConceptSet
from simulator.language.criteria import AgeCriterion, Domain
from simulator.language.study import Arm, Question, Subgroup
from simulator.language.windows import AgeRange
from simulator.messages.describing import (
    ArrivalNeed,
    CalendarNeed,
    CodesNeed,
    DemographicsNeed,
    FollowUpNeed,
    LabsNeed,
    LabTest,
    PathwaysNeed,
    RaceNeed,
    Years,
)
from simulator.messages.needs import (
    NO_LEVEL,
    SEVERAL_LEVELS,
    AssignmentNeed,
    AttritionNeed,
    EntriesNeed,
    Need,
    SurvivalNeed,
    kind_of,
    layout_of,
)
from simulator.messages.requests import RoundRequest
from simulator.privacy.releases import (
    DP,
    EXACT,
    KEYED,
    PLATFORM,
    RELEASES,
    SECURE_STEPS,
    SECURE_SUM,
    Place,
    Release,
    Treatment,
    find_release,
    placed,
)
from simulator.privacy.rules.registry import RULES
from tests.support.rounds import open_round
from tests.unit.hub.wires import study

TEN = Rounded(10, Between(1, 10))
LEVELS = ("young", "old")


def asked() -> Question:
    """Two arms, and a subgroup of two levels."""
    ages = (AgeRange(None, 49), AgeRange(50, None))
    levels = tuple(Arm(name, AgeCriterion(age)) for name, age in zip(LEVELS, ages, strict=True))
    return msgspec.structs.replace(study().question, subgroups=(Subgroup("age", levels),))


def need_of(kind: str) -> Need:
    """A need of a kind."""
    grid = Grid(Unit.MONTH, 12)
    needs: tuple[Need, ...] = (
        AttritionNeed(),
        AssignmentNeed(),
        SurvivalNeed(grid),
        SurvivalNeed(grid, "age"),
        EntriesNeed(),
        *(DemographicsNeed(), RaceNeed(), PathwaysNeed(), FollowUpNeed(12)),
        *(ArrivalNeed(Years(2019, 2020)), CalendarNeed(Years(2019, 2020))),
        CodesNeed(Domain.DRUG, (ConceptSet("drug", (Code("RxNorm", "3639"),)),)),
        LabsNeed((LabTest("1975-2", "mg/dL", (1.0, 2.0)),)),
    )
    return next(need for need in needs if kind_of(need) == kind)


KINDS = (
    *("attrition", "assignment", "survival", "subgroups", "entries", "demographics", "race"),
    *("pathways", "follow-up", "arrival", "calendar", "codes", "labs"),
)


def test_every_kind_of_request_is_tried() -> None:
    assert {*KINDS} == {need.__struct_config__.tag for need in get_args(Need)} | {"subgroups"}


def opened(release: Release, kind: str, values: Sequence[object]) -> Opened:
    """The round in which one of two sites holds everything; the last axes are filled up with 0."""
    need, question = need_of(kind), asked()
    layout = layout_of(need, question)
    cells = np.zeros(layout.shape, dtype=np.int64)
    given = np.array(values, dtype=np.int64)
    if given.size:
        cells[tuple(slice(size) for size in given.shape)] = given
    request = RoundRequest("run", 1, "roster", 2, terms(release), question, (need,))
    return open_round(request, release, [(Table.zero(layout),), (Table(layout, cells),)])


def counts(release: Release, kind: str, values: Sequence[int]) -> tuple[Released, ...]:
    (found,) = opened(release, kind, [[value] for value in values]).released.values()
    assert isinstance(found, ReleasedCounts)
    return found.counts


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("release", RELEASES.values(), ids=list(RELEASES))
def test_what_is_not_in_the_table_is_refused(release: Release, kind: str) -> None:
    if kind in release.treatments:
        if release.rule == KEYED:  # it needs the records' keys, which only sites have
            with pytest.raises(ValueError, match="the sum of the record keys"):
                opened(release, kind, [])
        else:
            opened(release, kind, [])  # zeros are let out
        return
    with pytest.raises(Refused, match=f"'{release.name}' does not say what happens to '{kind}'"):
        opened(release, kind, [])


def test_every_treatment_is_tried_below() -> None:
    used = {treatment for release in RELEASES.values() for treatment in release.treatments.values()}
    assert used == {*Treatment}


class TestCounts:
    FUNNEL = (50, 30, 4)

    def test_exactly(self) -> None:
        assert counts(EXACT, "attrition", self.FUNNEL) == self.FUNNEL
        assert counts(EXACT, "assignment", (4, 30, 0, 0)) == (4, 30, 0, 0)

    def test_withheld(self) -> None:
        near = Withheld(11, Of.DIFFERENCE)
        assert counts(SECURE_SUM, "attrition", (40, 36, 30)) == (near, near, 30)
        assert counts(SECURE_SUM, "attrition", self.FUNNEL) == (50, 30, Withheld(11))
        assert counts(SECURE_SUM, "assignment", (30, 50, 0, 0)) == (30, 50, 0, 0)
        assert counts(SECURE_SUM, "assignment", (4, 30, 0, 0))[0] == Withheld(11)

    def test_rounded(self) -> None:
        # no rule for differences: 40 and 36 stand side by side
        assert counts(PLATFORM, "attrition", (40, 36, 4)) == (40, 36, TEN)
        assert counts(PLATFORM, "assignment", (1, 10, 11, 0)) == (TEN, TEN, 11, 0)


def survival(*arms: tuple[int, int]) -> list[list[list[int]]]:
    """For each arm how many die and how many are censored in the first month."""
    return [[[died, censored]] for died, censored in arms]


class TestSurvival:
    @pytest.mark.parametrize("release", [EXACT, PLATFORM])
    def test_a_small_arm_is_let_out_as_it_is(self, release: Release) -> None:
        (found,) = opened(release, "survival", survival((2, 3), (9, 9))).released.values()
        assert isinstance(found, SurvivalTable)
        assert found.patients.tolist() == [5, 18]
        assert found.events[:, 0].tolist() == [2, 9]

    def test_a_small_arm_refuses_the_table(self) -> None:
        with pytest.raises(Refused, match="arms of at least 11 patients; too small: 'with'"):
            opened(SECURE_SUM, "survival", survival((2, 8), (9, 9)))

    def test_arms_of_11_are_let_out(self) -> None:
        (found,) = opened(SECURE_SUM, "survival", survival((2, 9), (0, 11))).released.values()
        assert isinstance(found, SurvivalTable)
        assert found.patients.tolist() == [11, 11]


class TestSteps:
    """Under secure-steps, counts so far are shown to the middle of the six that they are one of."""

    def test_each_step_hides_six(self) -> None:
        # 2 -> 3, 9 -> 9 (of 7 to 12), 0 -> 0, 11 -> 9
        (found,) = opened(SECURE_STEPS, "survival", survival((2, 9), (0, 11))).released.values()
        assert isinstance(found, SurvivalTable)
        assert found.events[:, 0].tolist() == [3, 0]
        assert found.censored[:, 0].tolist() == [9, 9]
        assert found.patients.tolist() == [12, 9]

    def test_a_small_arm_refuses_the_table(self) -> None:
        # 5 and 5 would be shown as 3 and 3: it is the truth that is held against the threshold
        with pytest.raises(Refused, match="arms of at least 11 patients; too small: 'with'"):
            opened(SECURE_STEPS, "survival", survival((5, 5), (9, 9)))

    def test_counts_are_withheld_as_under_secure_sum(self) -> None:
        for kind, values in (("attrition", (40, 36, 30)), ("assignment", (4, 30, 0, 0))):
            assert counts(SECURE_STEPS, kind, values) == counts(SECURE_SUM, kind, values)


class TestNoised:
    """Under dp the sum comes with noise in it; it is told how much that is."""

    # Of discrete Laplace noise of scale 1, 2 q / (1 - q)^2 with q = 1 / e.
    VARIANCE = 2 * exp(-1) / (1 - exp(-1)) ** 2

    def test_counts_come_with_their_error(self) -> None:
        found = counts(DP, "attrition", (50, 30, 4))
        assert [one.noisy for one in found if isinstance(one, Noisy)] == [50, 30, 4]
        errors = [one.standard_error for one in found if isinstance(one, Noisy)]
        # a step is the sum of all cells from it on: three, two, one
        assert errors == pytest.approx([sqrt(terms * self.VARIANCE) for terms in (3, 2, 1)])

    def test_what_noise_made_negative_is_shown_as_none(self) -> None:
        found = counts(DP, "assignment", (-3, 30, 0, 0))
        assert isinstance(found[0], Noisy)
        assert found[0].noisy == 0
        assert found[0].standard_error == pytest.approx(sqrt(self.VARIANCE))

    def test_a_survival_table_keeps_its_noise_and_its_law(self) -> None:
        (found,) = opened(DP, "survival", survival((-2, 3), (9, 9))).released.values()
        assert isinstance(found, ReleasedNoise)
        assert found.table.table.values[0, 0].tolist() == [-2, 3]
        assert found.law.variance == pytest.approx(self.VARIANCE)


class TestRuled:
    """The rule of another system, once on the sum or at each site before it."""

    FUNNEL = (50, 30, 4)
    SUPPRESS = find_release("suppress-10")

    def test_on_the_sum(self) -> None:
        shown = counts(placed(self.SUPPRESS, Place.NETWORK), "attrition", self.FUNNEL)
        assert shown == (50, 30, Partial(0, 1, 1, 9))

    def test_at_each_site(self) -> None:
        need, question = need_of("attrition"), asked()
        layout = layout_of(need, question)
        answers = []
        for here in self.FUNNEL, (9, 6, 0):
            cells = RULES["suppress-10"].apply(np.array(here, dtype=np.int64), os.urandom)
            answers.append((bounded(layout, cells, self.SUPPRESS),))
        request = RoundRequest("run", 1, "roster", 2, terms(self.SUPPRESS), question, (need,))
        (found,) = open_round(request, self.SUPPRESS, answers).released.values()
        assert isinstance(found, ReleasedCounts)
        # Of 59, 36 and 4: what was withheld, 9, 6 and 4, is 1 to 9.
        assert found.counts == (
            Partial(50, 1, 51, 59),
            Partial(30, 1, 31, 39),
            Partial(0, 1, 1, 9),
        )

    def test_survival_comes_with_its_bounds(self) -> None:
        release = placed(self.SUPPRESS, Place.NETWORK)
        (found,) = opened(release, "survival", survival((2, 12), (0, 11))).released.values()
        assert isinstance(found, ReleasedBounds)
        first = found.table
        assert first.withheld[:, 0].tolist() == [[1, 0], [0, 0]]
        assert first.lowest[:, 0].tolist() == [[1, 12], [0, 11]]
        assert first.highest[:, 0].tolist() == [[9, 12], [0, 11]]


def levels(*arms: tuple[int, ...]) -> list[list[list[list[int]]]]:
    """For each arm the patients of young, old, in none and in several, all censored in month 1."""
    return [[[[0, count], [0, 0]] for count in arm] for arm in arms]


class TestSubgroups:
    GROUPS = ((11, 20, 0, 0), (0, 30, 12, 0))

    @pytest.mark.parametrize("release", RELEASES.values(), ids=list(RELEASES))
    def test_where_no_group_is_small_all_is_let_out(self, release: Release) -> None:
        if "subgroups" not in release.treatments:
            assert release.name in {"secure-steps", "dp"} or release.rule
            with pytest.raises(Refused, match="does not say what happens to 'subgroups'"):
                opened(release, "subgroups", levels(*self.GROUPS))
            return
        (found,) = opened(release, "subgroups", levels(*self.GROUPS)).released.values()
        assert isinstance(found, ReleasedLevels)
        assert {name: table.patients.tolist() for name, table in found.levels.items()} == {
            "young": [11, 0],
            "old": [20, 30],
        }
        assert found.rest.patients.tolist() == [0, 12]

    @pytest.mark.parametrize("arm", [0, 1])
    @pytest.mark.parametrize("place", [0, 1, 2])
    @pytest.mark.parametrize("size", [1, 10])
    def test_one_small_group_withholds_the_variable(self, arm: int, place: int, size: int) -> None:
        groups = [list(group) for group in ((11, 20, 12, 0), (13, 30, 12, 0))]
        groups[arm][place] = size
        values = levels(*(tuple(group) for group in groups))
        (found,) = opened(SECURE_SUM, "subgroups", values).released.values()
        assert found == Withheld(11, Of.PART)
        for release in (EXACT, PLATFORM):
            (found,) = opened(release, "subgroups", values).released.values()
            assert isinstance(found, ReleasedLevels)
            tables = (*found.levels.values(), found.rest)
            assert tables[place].patients[arm] == size

    @pytest.mark.parametrize(
        ("release", "several", "told"),
        [
            (SECURE_SUM, 1, "some"),
            (SECURE_SUM, 11, "some"),
            (PLATFORM, 11, "some"),
            (EXACT, 1, "1"),
        ],
    )
    def test_levels_that_overlap_are_the_users_error(
        self, release: Release, several: int, told: str
    ) -> None:
        values = levels((11, 20, 0, several), (0, 30, 12, 0))
        with pytest.raises(UserError) as caught:
            opened(release, "subgroups", values)
        assert caught.value.message == (
            f"the levels of the subgroup 'age' overlap: {told} patients are in more than one"
        )

    def test_the_labels_are_where_the_rule_looks_for_them(self) -> None:
        layout = layout_of(need_of("subgroups"), asked())
        assert layout.axes[1].labels == (*LEVELS, NO_LEVEL, SEVERAL_LEVELS)


class TestAlone:
    def test_a_withheld_variable_counts_nothing(self) -> None:
        assert opened(SECURE_SUM, "subgroups", levels((1, 20, 0, 0))).alone_in_a_cell == 0.0

    def test_those_alone_in_a_level_count(self) -> None:
        values = levels((12, 20, 0, 0), (0, 30, 12, 0))
        values[0][0] = [[0, 11], [0, 1]]
        found = opened(SECURE_SUM, "subgroups", values)
        assert found.alone_in_a_cell == pytest.approx(1 / 74)

    def test_those_in_no_level_count_as_they_follow_by_subtraction(self) -> None:
        values = levels((12, 20, 0, 0), (0, 30, 12, 0))
        values[1][2] = [[0, 11], [1, 0]]
        assert opened(SECURE_SUM, "subgroups", values).alone_in_a_cell == pytest.approx(1 / 74)

    def test_the_table_with_the_greatest_share_is_told(self) -> None:
        question, grid = asked(), Grid(Unit.MONTH, 12)
        needs = (SurvivalNeed(grid), SurvivalNeed(grid, "age"))
        tables = []
        for need in needs:
            cells = np.zeros(layout_of(need, question).shape, dtype=np.int64)
            if need.subgroup:  # 12 and 12 of each arm; one of each level alone in a month
                cells[:, :2, 0, 1], cells[:, :2, 1, 1] = 11, 1
            else:
                cells[:, 0, 1], cells[:, 1, 1] = 22, 2
            tables.append(Table(layout_of(need, question), cells))
        request = RoundRequest("run", 1, "roster", 2, terms(SECURE_SUM), question, needs)
        found = open_round(request, SECURE_SUM, [tuple(tables)])
        assert found.alone_in_a_cell == pytest.approx(4 / 48)
