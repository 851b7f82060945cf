"""Whatever the rule and wherever it is applied, the truth is within what a result leaves open.

The truth is counted from the rows of all sites together, curves and medians by a life table in
plain arithmetic that shares nothing with the estimators. Small crowds: most cells are small.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.aggregates.bounded import OPEN, BoundedTable
from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.released import Partial, Released
from simulator.aggregates.survival import SurvivalTable
from simulator.aggregates.table import Table
from simulator.errors import UserError
from simulator.hub import changed
from simulator.hub.analyses import within_steps
from simulator.hub.analyses.funnel import Funnel
from simulator.hub.analyses.released import ReleasedBounds
from simulator.hub.analyses.results import ArmResult, Bounds
from simulator.hub.result import StudyResult
from simulator.hub.run import Finished
from simulator.messages.needs import AssignmentNeed, AttritionNeed, Need, SurvivalNeed
from simulator.privacy.release import Place, Release
from simulator.privacy.releases import KEYED, RELEASES, SECURE_STEPS, SECURE_SUM, placed
from simulator.privacy.rules.registry import RULES
from simulator.privacy.rules.rule import Bounds as Ends
from simulator.privacy.rules.rule import Cells, Counts, Mechanism
from simulator.privacy.rules.withholding import WithholdBelow, WithholdTable
from simulator.privacy.sources import ByteSource, system_source
from simulator.privacy.steps import step_bounds
from simulator.truth.counted import in_an_arm, tables
from simulator.truth.life_table import LifeTable, life_table
from tests.support.crowds import ARMS, STUDY, Crowd, asked, crowd, frame, somebody

# There are 45 rules and places to try.
_MANY: Final = max(int(os.environ.get("EXAMPLES", "1000")) // 10, 1)
_quick = settings(
    derandomize=True, max_examples=5, deadline=None, suppress_health_check=[*HealthCheck]
)
_long = settings(_quick, derandomize=False, max_examples=_MANY, database=None)

MONTHS: Final = STUDY.question.follow_up.months
SURVIVAL: Final = SurvivalNeed(Grid(Unit.MONTH, MONTHS))
NEEDS: Final[tuple[Need, ...]] = (AttritionNeed(), AssignmentNeed(), SURVIVAL)
TOLERANCE: Final = 1e-9

RULED: Final = [
    pytest.param(placed(release, place), id=f"{release.name} at the {place}")
    for release in RELEASES.values()
    for place in Place
    if release.rule and not (release.rule == KEYED and place is Place.NETWORK)
]
# Rules that take nothing from chance: what they let out follows from the counts alone.
CERTAIN: Final = (
    "ohdsi", "pcornet", "datashield", "bunny", "codex", "opensafely", "acro", "round-up-10",
    "suppress-10", "midpoint-6",
)  # fmt: skip


SHOWING_NOBODY: Final = ("bunny", "opensafely")
"""Rules that show small counts as 0."""


@st.composite
def crowds(draw: st.DrawFn) -> Crowd:
    """Few patients at three to six sites, or more of them, followed shortly or long."""
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    size = draw(st.sampled_from([0, 5, 30, 80, 200, 600]))
    spread = draw(st.sampled_from([30, 100, 500]))
    return crowd(chance, draw(st.integers(3, 6)), size, spread)


# What is known of the truth


def exact(frames: Crowd) -> dict[Need, Table]:
    """The sum for each need."""
    together = tables(pl.concat(frames.values()), STUDY.question, NEEDS)
    return dict(zip(NEEDS, together, strict=True))


def lives(frames: Crowd, arm: int) -> LifeTable:
    """The life table of an arm, from its rows."""
    rows = in_an_arm(pl.concat(frames.values()), STUDY.question).filter(arm=arm)
    return life_table(rows.select("days", "event").iter_rows(), MONTHS)


def holds(count: Released, truth: int, release: Release) -> None:
    """What is told of a count is true of it; a number alone where the rule changes none."""
    match count:
        case Partial(at_least=least, at_most=most, shown=shown):
            assert least <= truth, (least, truth)
            assert most is None or truth <= most, (truth, most)
            assert shown >= 0
        case int():
            assert count >= 0
            assert count == truth or not changes_nothing(release)
        case _:
            pytest.fail(f"{count} is not what a rule leaves")


def changes_nothing(release: Release) -> bool:
    """Whether the release has no rule, or one that withholds and shows all else as it is."""
    rule = RULES[release.rule].mechanism if release.rule else None
    return rule is None or isinstance(rule, WithholdBelow | WithholdTable)


def survival_holds(bounds: Bounds | None, truth: float | None) -> None:
    """Survival lies between the bounds; where nobody is watched it may be anything down to 0."""
    least, most = 0.0, 1.0
    if bounds is not None:
        assert bounds.at_least is not None
        assert bounds.at_most is not None
        least, most = bounds.at_least, bounds.at_most
    if truth is None:
        assert least == 0.0
    else:
        assert least - TOLERANCE <= truth <= most + TOLERANCE, (least, truth, most)


def median_holds(bounds: Bounds | None, truth: float | None) -> None:
    """The median lies between the bounds; without an earliest none is ever reached."""
    least, most = (None, None) if bounds is None else (bounds.at_least, bounds.at_most)
    if truth is None:
        assert most is None
    else:
        assert least is not None
        assert least - TOLERANCE <= truth
        assert most is None or truth <= most + TOLERANCE


def the_arm_holds(arm: ArmResult, found: LifeTable, cells: Counts, release: Release) -> None:
    """Totals, curve and median of an arm; its cells are events and censorings by month."""
    events, censored = (int(total) for total in cells.sum(axis=0))
    holds(arm.patients, events + censored, release)
    holds(arm.events, events, release)
    holds(arm.censored, censored, release)
    for mark in (*arm.survival, *arm.curve):
        holds(mark.at_risk, found.still_watched_at(mark.months), release)
        survival_holds(mark.bounds, found.survival_at(mark.months)[0])
    median_holds(arm.median_months.bounds, found.median())


def the_truth_is_within(frames: Crowd, release: Release, seed: int = 0) -> bool:
    """Every count and curve of a run lies within what its result leaves open.

    Returns whether there was a result: a rule that shows an arm as empty leaves none.
    """
    found = asked(frames, release, seed)
    if found is None:
        return False
    finished, result = found
    truth = exact(frames)
    for step, count in zip(result.cohort.attrition, truth[NEEDS[0]].flat().tolist(), strict=True):
        holds(step.patients, count, release)
    (funnel,) = (part for part in finished.parts if isinstance(part, Funnel))
    assigned = zip(funnel.assignment.counts, truth[NEEDS[1]].flat().tolist(), strict=True)
    for released, count in assigned:
        holds(released, count, release)
    table, values = bounds_of(finished), truth[SURVIVAL].values
    assert (table.lowest <= values).all()
    assert ((values <= table.highest) | (table.highest >= OPEN)).all()
    for place, arm in enumerate(result.arms):
        the_arm_holds(arm, lives(frames, place), values[place], release)
    return True


def bounds_of(finished: Finished) -> BoundedTable:
    """What the run let out of the survival table."""
    (found,) = (
        table
        for opened in finished.opened
        for table in opened.released.values()
        if isinstance(table, ReleasedBounds)
    )
    return found.table


@pytest.mark.parametrize("release", RULED)
@_quick
@given(frames=crowds(), seed=st.integers(0, 2**32))
def test_the_truth_is_within_what_is_left_open(frames: Crowd, release: Release, seed: int) -> None:
    the_truth_is_within(frames, release, seed)


@pytest.mark.laws
@pytest.mark.parametrize("release", RULED)
@_long
@given(frames=crowds(), seed=st.integers(0, 2**32))
def test_the_truth_is_within_what_is_left_open_for_long(
    frames: Crowd, release: Release, seed: int
) -> None:
    the_truth_is_within(frames, release, seed)


def the_truth_is_within_steps(frames: Crowd) -> bool:
    """The same where counts so far are rounded."""
    try:
        found = asked(frames, SECURE_STEPS)
    except UserError:  # nobody is in an arm
        return False
    if found is None:
        return False
    truth = exact(frames)
    for place, arm in enumerate(found[1].arms):
        cells = truth[SURVIVAL].values[place]
        the_arm_holds(arm, lives(frames, place), cells, SECURE_STEPS)
        for mark in (*arm.survival, *arm.curve):
            assert (mark.lower, mark.upper) == (None, None)
    assert found[1].log_rank is None
    assert found[1].hazard_ratios == ()
    return True


@_quick
@given(frames=crowds())
def test_the_truth_is_within_what_steps_leave_open(frames: Crowd) -> None:
    the_truth_is_within_steps(frames)


@pytest.mark.laws
@_long
@given(frames=crowds())
def test_the_truth_is_within_what_steps_leave_open_for_long(frames: Crowd) -> None:
    the_truth_is_within_steps(frames)


FIXED: Final = [
    crowd(np.random.default_rng([5, size]), 4, size, spread=200) for size in (40, 90, 250, 900)
]


@pytest.mark.parametrize("release", RULED)
def test_there_are_results_to_look_at(release: Release) -> None:
    """Otherwise the law above would hold of nothing."""
    if release.place is Place.SITE and release.name in SHOWING_NOBODY:
        assert not any(the_truth_is_within(frames, release) for frames in FIXED[:2])
    assert any(the_truth_is_within(frames, release) for frames in FIXED)


def test_there_are_results_of_steps_to_look_at() -> None:
    assert all(the_truth_is_within_steps(frames) for frames in FIXED[1:])


def test_bounds_of_steps_that_are_too_narrow_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if four counts looked alike where six do."""

    def narrow(table: SurvivalTable) -> Ends:
        least, most = step_bounds(table)
        wide = most > least
        return least + wide, most - wide

    monkeypatch.setattr(within_steps, "step_bounds", narrow)
    with pytest.raises(AssertionError):
        all(
            the_truth_is_within_steps(crowd(np.random.default_rng([8, seed]), 3, 200, spread=60))
            for seed in range(40)
        )


# The law can fail


@dataclass(frozen=True)
class Shrunk:
    """A rule that claims a little more than it may.

    Attributes:
        honest: The rule.
        below: By how much the greatest counts are too small.
        above: By how much the least are too great.
    """

    honest: Mechanism
    below: int = 0
    above: int = 0

    def apply(self, counts: Counts, source: ByteSource, keys: Counts | None, /) -> Cells:
        return self.honest.apply(counts, source, keys)

    def bounds(self, cells: Cells, /) -> Ends:
        least, most = self.honest.bounds(cells)
        wide = most > least
        return least + self.above * wide, np.maximum(most - self.below * wide, least)


def plant(monkeypatch: pytest.MonkeyPatch, release: Release, mechanism: Mechanism) -> None:
    """Puts another mechanism behind a rule's name."""
    rule = replace(RULES[release.rule], mechanism=mechanism)
    monkeypatch.setitem(RULES, release.rule, rule)


@pytest.mark.parametrize("place", Place)
@pytest.mark.parametrize("rule", [rule for rule in CERTAIN if rule != "datashield"])
@pytest.mark.parametrize("fault", [{"below": 1}, {"above": 1}], ids=str)
def test_bounds_off_by_one_are_seen(
    monkeypatch: pytest.MonkeyPatch, rule: str, place: Place, fault: dict[str, int]
) -> None:
    release = placed(RELEASES[rule], place)
    plant(monkeypatch, release, Shrunk(RULES[rule].mechanism, **fault))
    with pytest.raises(AssertionError):
        the_truth_is_within_many(release)


def the_truth_is_within_many(release: Release) -> None:
    """Full cells, so that counts come near to what a rule leaves open at every site at once."""
    for seed in range(120):
        size = (30, 100, 400, 900)[seed % 4]
        the_truth_is_within(crowd(np.random.default_rng([6, seed]), 3, size, spread=60), release)


# A withheld cell is never a number


FORM: Final = {"shown", "withheld_parts", "at_least", "at_most"}
WITHHOLDING: Final = [rule for rule in CERTAIN if changes_nothing(RELEASES[rule])]


def as_json(result: StudyResult) -> Any:
    """The result as a reader gets it."""
    return msgspec.json.decode(msgspec.json.encode(result))


def plain_numbers(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where in a document numbers stand that nothing marks as less than exact."""
    if isinstance(value, dict) and set(value) != FORM:
        for key, inner in value.items():
            yield from plain_numbers(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from plain_numbers(inner, (*path, place))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path


def withheld_of(frames: Crowd, release: Release) -> dict[Need, Counts]:
    """How many parts of each cell the rule withholds, flat: of each site's tables or of the sum."""
    rule = RULES[release.rule].mechanism
    counted = (
        [tables(rows, STUDY.question, NEEDS) for rows in frames.values()]
        if release.place is Place.SITE
        else [tuple(exact(frames).values())]
    )
    return {
        need: np.sum(
            [rule.apply(found[place].flat(), system_source, None).withheld for found in counted],
            axis=0,
        )
        for place, need in enumerate(NEEDS)
    }


def what_is_withheld_is_no_number(frames: Crowd, release: Release) -> int:
    """Returns how many counts were withheld."""
    found = asked(frames, release)
    if found is None:
        return 0
    document, held = as_json(found[1]), withheld_of(frames, release)
    plain = set(plain_numbers(document))
    steps = [place for place, parts in enumerate(held[NEEDS[0]]) if parts]
    for place in steps:
        told = document["cohort"]["attrition"][place]["patients"]
        assert told["withheld_parts"] == held[NEEDS[0]][place]
    last = len(document["cohort"]["attrition"]) - 1
    assert (("cohort", "patients") in plain) == (last not in steps)
    counts = {("cohort", "attrition", place, "patients") for place in range(last + 1)}
    assert counts - plain == {("cohort", "attrition", place, "patients") for place in steps}
    for place, arm in enumerate(document["arms"]):  # an arm's size is counted apart
        parts = held[NEEDS[1]][place]
        assert (("arms", place, "patients") in plain) == (not parts)
        assert not parts or arm["patients"]["withheld_parts"] == parts
    if held[SURVIVAL].any():
        of_arms = [path for path in plain if path[0] == "arms" and path[2:] != ("patients",)]
        assert {path[-1] for path in of_arms} <= {"months", "at_least", "at_most"}
        assert all("bounds" in path for path in of_arms if path[-1] != "months")
        for part in ("log_rank", "hazard_ratios", "rmst_differences", "survival_differences"):
            assert not document[part]
    return len(steps) + int(held[SURVIVAL].sum())


@pytest.mark.parametrize("place", Place)
@pytest.mark.parametrize("rule", WITHHOLDING)
def test_what_is_withheld_is_never_a_number(rule: str, place: Place) -> None:
    release = placed(RELEASES[rule], place)
    found = [
        what_is_withheld_is_no_number(crowd(np.random.default_rng([7, size]), 4, size), release)
        for size in (5, 12, 40, 200)
    ]
    assert sum(found)


@pytest.mark.laws
@pytest.mark.parametrize("place", Place)
@pytest.mark.parametrize("rule", WITHHOLDING)
@_long
@given(frames=crowds())
def test_what_is_withheld_is_never_a_number_for_long(
    frames: Crowd, rule: str, place: Place
) -> None:
    what_is_withheld_is_no_number(frames, placed(RELEASES[rule], place))


def test_a_withheld_count_that_is_told_as_a_number_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def careless(shown: int, _withheld: int, _lowest: int, _highest: int) -> int:
        return shown

    monkeypatch.setattr(changed, "_shown", careless)
    frames = crowd(np.random.default_rng(8), 4, 20)
    with pytest.raises((AssertionError, TypeError)):
        what_is_withheld_is_no_number(frames, RELEASES["suppress-10"])


# What is told follows from what was let out, and from nothing else


def let_out(frames: Crowd, release: Release, rule: Mechanism) -> list[tuple[bytes, bytes]]:
    """What a rule lets out of each table, at each site or of the sum."""
    counted = (
        [tables(rows, STUDY.question, NEEDS) for rows in frames.values()]
        if release.place is Place.SITE
        else [tuple(exact(frames).values())]
    )
    cells = [rule.apply(table.flat(), system_source, None) for found in counted for table in found]
    return [(one.shown.tobytes(), one.withheld.tobytes()) for one in cells]


def twins(release: Release, rule: Mechanism, seed: int) -> tuple[Crowd, Crowd] | None:
    """Two crowds that differ by one patient, of which the rule lets the same out; if found."""
    chance = np.random.default_rng([9, seed])
    one = crowd(chance, 3, int(chance.choice([3, 6, 15, 60, 300])), spread=100)
    before = let_out(one, release, rule)
    for _ in range(25):
        site = str(chance.choice([*one]))
        arm, days = int(chance.integers(0, len(ARMS))), int(chance.integers(0, 200))
        new = somebody(10**6, arm, days, event=bool(chance.random() < 0.5))
        other = {**one, site: pl.concat([one[site], frame([new])])}
        if let_out(other, release, rule) == before:
            return one, other
    return None


def twins_are_told_alike(release: Release, rule: Mechanism, pairs: int = 3) -> int:
    """Returns how many pairs with a result were found, of so many that were looked for."""
    seen = 0
    for seed in range(80):
        if seen == pairs:
            break
        pair = twins(release, rule, seed)
        if pair is None:
            continue
        first, second = (asked(frames, release) for frames in pair)
        assert (first is None) == (second is None)
        if first is not None and second is not None:
            seen += 1
            assert msgspec.json.encode(first[1]) == msgspec.json.encode(second[1])
    return seen


@pytest.mark.parametrize("place", Place)
@pytest.mark.parametrize("rule", CERTAIN)
def test_what_was_not_let_out_changes_nothing_that_is_told(rule: str, place: Place) -> None:
    release = placed(RELEASES[rule], place)
    assert twins_are_told_alike(release, RULES[rule].mechanism)


@dataclass(frozen=True)
class Telltale:
    """A rule that tells by its first cell whether what it withholds is an even number."""

    honest: Mechanism

    def apply(self, counts: Counts, source: ByteSource, keys: Counts | None, /) -> Cells:
        found = self.honest.apply(counts, source, keys)
        shown, hidden = found.shown.copy(), int(counts[found.withheld].sum())
        shown[np.flatnonzero(~found.withheld)[:1]] += hidden % 2
        return Cells(shown, found.withheld)

    def bounds(self, cells: Cells, /) -> Ends:
        return self.honest.bounds(cells)


def test_a_rule_that_lets_more_out_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    release, honest = RELEASES["suppress-10"], RULES["suppress-10"].mechanism
    plant(monkeypatch, release, Telltale(honest))
    with pytest.raises(AssertionError):
        twins_are_told_alike(release, honest)


def with_few_left_out(in_no_arm: int, left_behind: int) -> Crowd:
    """Sixty patients in two arms, some in none, and some whom the fourth step leaves behind."""
    rows = [somebody(n, n % 2, 20 + n * 37 % 300, event=n % 3 > 0) for n in range(60)]
    for number in range(in_no_arm):
        new = somebody(1000 + number, 0, 5, event=True)
        rows.append({**new, "arm": None, "arms_matched": 0})
    rows += [somebody(2000 + n, 0, 5, event=True, passed=3) for n in range(left_behind)]
    return {f"site-{place}": frame(rows[place::3]) for place in range(3)}


@pytest.mark.parametrize("release", [SECURE_SUM, SECURE_STEPS], ids=lambda one: one.name)
@pytest.mark.parametrize(
    ("one", "other"), [((1, 0), (10, 0)), ((0, 3), (0, 9)), ((20, 1), (20, 10)), ((5, 5), (2, 8))]
)
def test_how_many_of_a_few_changes_nothing_that_is_told(
    release: Release, one: tuple[int, int], other: tuple[int, int]
) -> None:
    """Groups of 1 to 10 beside released counts: no number, note or share tells which."""
    found = [asked(with_few_left_out(*few), release) for few in (one, other, (20, 20))]
    told = [msgspec.json.encode(run[1]) for run in found if run is not None]
    assert len(told) == 3
    assert told[0] == told[1]
    assert told[1] != told[2]
