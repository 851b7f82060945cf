"""Rules of other systems through the whole path, and a second way: by hand, on exact tables.

The exact tables are those of the plain interpreter, site by site; the rule is done to them here,
they are added up here, and curves and their bounds are computed here in plain arithmetic.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.released import Partial, Released
from simulator.errors import Refused
from simulator.hub.analyses.results import ArmResult, Bounds
from simulator.hub.result import StudyResult
from simulator.language.study import Cohort, Study
from simulator.messages.needs import AssignmentNeed, AttritionNeed, Need, SurvivalNeed
from simulator.network import connect, find_network
from simulator.privacy.release import Place, Release
from simulator.privacy.releases import RELEASES, placed
from simulator.privacy.rules.registry import RULES
from simulator.privacy.rules.rule import Counts
from simulator.privacy.sources import system_source
from simulator.site.answering import answer_with_keys
from simulator.site.chance import seeded_chance
from simulator.site.store import Store
from simulator.truth.at_site import patients_at
from simulator.truth.counted import in_an_arm, tables
from tests.journeys.copies import STUDY, now, sites_of
from tests.support.asking import question
from tests.support.omop import write_omop
from tests.support.records import record, rows

MONTHS: Final = STUDY.question.follow_up.months
ARMS: Final = tuple(arm.name for arm in STUDY.question.arms)
SURVIVAL: Final = SurvivalNeed(Grid(Unit.MONTH, MONTHS))
NEEDS: Final[tuple[Need, ...]] = (AttritionNeed(), AssignmentNeed(), SURVIVAL)
# Rules that take nothing from chance.
CERTAIN: Final = (
    "midpoint-6", "round-up-10", "suppress-10", "ohdsi", "pcornet", "bunny", "codex", "opensafely",
    "acro", "datashield",
)  # fmt: skip
OPEN: Final = 10**9
"""Stands for no bound; curves within it are as near to their limit as is told."""
SEED: Final = 7

Reals = NDArray[np.float64]


def run(folder: Path, release: Release, study: Study = STUDY, seed: int = SEED) -> StudyResult:
    network = find_network(str(folder), folder.parent)
    with connect(network, laboratory=True, jobs=2, seconds=300.0, clock=now, seed=seed) as client:
        return client.run(study, release, run="test").result


# By hand


@dataclass(frozen=True, eq=False)
class Cells:
    """What was let out of a table, flat: what was shown, how many parts were not, and the ends."""

    shown: Counts
    withheld: Counts
    least: Counts
    most: Counts

    def __add__(self, other: Cells) -> Cells:
        return Cells(
            self.shown + other.shown,
            self.withheld + other.withheld,
            self.least + other.least,
            self.most + other.most,
        )


def ruled(name: str, counts: Counts) -> Cells:
    """The rule done to one table; what a cell may be in truth, by trying every count."""
    found = RULES[name].mechanism.apply(counts, system_source, None)
    if name == "datashield":  # a table is withheld whole, so that nothing is known of a cell
        least = np.where(found.withheld, 0, counts)
        most = np.where(found.withheld, OPEN, counts)
    else:
        tried = np.arange(5000)
        looks = RULES[name].mechanism.apply(tried, system_source, None)
        ends = np.array(
            [
                tried[(looks.shown == shown) & (looks.withheld == held)][[0, -1]]
                for shown, held in zip(found.shown, found.withheld, strict=True)
            ]
        )
        least, most = ends.T
    return Cells(found.shown, found.withheld.astype(np.int64), least, most)


def released(held: Mapping[str, Sequence[Counts]], release: Release) -> dict[Need, Cells]:
    """What the network lets out: each site's tables by the rule, or their sum by it once."""
    counted = list(held.values())
    if release.place is Place.NETWORK:
        counted = [[sum(parts) for parts in zip(*counted, strict=True)]]
    found = {}
    for place, need in enumerate(NEEDS):
        first, *others = (ruled(release.rule, site[place]) for site in counted)
        for other in others:
            first = first + other
        found[need] = first
    return found


def curve(cells: Reals) -> tuple[list[float], list[float]]:
    """Survival at the end of each month on n - c/2, and who is there at its start."""
    left, alive, survival, there = float(cells.sum()), 1.0, [], []
    for month, (died, censored) in enumerate(cells.tolist()):
        there.append(left)
        exposed = left - (censored / 2 if month < MONTHS - 1 else 0.0)
        if died:
            alive *= 1.0 - died / exposed
        survival.append(alive)
        left -= died + censored
    return survival, there


def survival_at(cells: Reals, months: int) -> float | None:
    """At the end of a month; None where nobody is left."""
    survival, there = curve(cells)
    return survival[months - 1] if there[months - 1] or not survival[months - 1] else None


def median(cells: Reals) -> float | None:
    """Where the line through a month's ends passes a half."""
    before = 1.0
    for month, after in enumerate(curve(cells)[0]):
        if after <= 0.5 + 1e-11:
            return month + min((before - 0.5) / (before - after), 1.0)
        before = after
    return None


def ends_at(least: Reals, most: Reals, months: int) -> tuple[float, float]:
    """The lowest and the highest curve at the end of a month.

    It falls in the events up to then and rises in everything else; where possibly nobody is left,
    the lowest says nothing.
    """
    early = np.zeros(least.shape, dtype=np.bool_)
    early[:months, 0] = True
    low = curve(np.where(early, most, least))[0][months - 1]
    high = curve(np.where(early, least, most))[0][months - 1]
    return (low if least[months - 1 :].sum() else 0.0), high


# Held against the result


def same(found: float | None, expected: float | None, tolerance: float = 1e-9) -> None:
    assert (found is None) == (expected is None), (found, expected)
    if found is not None and expected is not None:
        assert math.isclose(found, expected, rel_tol=tolerance, abs_tol=tolerance)


def same_count(found: Released, cells: Cells, chosen: object) -> None:
    """A total of some cells."""
    shown, withheld, least, most = (
        int(part[chosen].sum())  # type: ignore[call-overload]
        for part in (cells.shown, cells.withheld, cells.least, cells.most)
    )
    if withheld:
        assert found == Partial(shown, withheld, least, None if most >= OPEN else most)
    else:
        assert found == shown


def same_bounds(found: Bounds | None, ends: tuple[float, float]) -> None:
    """Bounds that say nothing are not told."""
    told = (0.0, 1.0) if found is None else (found.at_least, found.at_most)
    for one, other in zip(told, ends, strict=True):
        same(one, other, 1e-6)


def parts_of(cells: Cells, arm: int) -> Cells:
    """One arm's cells of the survival table, shape (months, 2) each."""
    shape = (len(ARMS), MONTHS, 2)
    parts = (cells.shown, cells.withheld, cells.least, cells.most)
    return Cells(*(part.reshape(shape)[arm] for part in parts))


def same_arm(found: ArmResult, arm: int, expected: Mapping[Need, Cells]) -> None:
    table, held = parts_of(expected[SURVIVAL], arm), expected[SURVIVAL].withheld.any()
    same_count(found.patients, expected[NEEDS[1]], arm)  # counted apart from its curve
    same_totals(found, table, held=bool(held))
    least, most = table.least.astype(np.float64), table.most.astype(np.float64)
    shown = table.shown.astype(np.float64)
    for mark in found.survival:
        same_bounds(mark.bounds, ends_at(least, most, mark.months))
        same(mark.estimate, None if held else survival_at(shown, mark.months))
        assert (mark.lower, mark.upper) == (None, None)
    same(found.median_months.estimate, None if held else median(shown))


def same_totals(found: ArmResult, table: Cells, *, held: bool) -> None:
    def told(count: Released, chosen: object) -> None:
        """Where any cell of the table was withheld all its sums are told with their ends."""
        if held and isinstance(count, Partial) and not count.withheld_parts:
            assert count.shown == table.shown[chosen].sum()  # type: ignore[call-overload]
            assert (count.at_least, count.at_most) == (
                table.least[chosen].sum(),  # type: ignore[call-overload]
                table.most[chosen].sum(),  # type: ignore[call-overload]
            )
            assert not table.withheld[chosen].any()  # type: ignore[call-overload]
        else:
            same_count(count, table, chosen)

    told(found.events, (slice(None), 0))
    told(found.censored, (slice(None), 1))
    for mark in found.survival:
        told(mark.at_risk, slice(mark.months, None))


@pytest.fixture(scope="module")
def held(few_to_read: Path) -> dict[str, list[Counts]]:
    """The exact tables of each site, flat, as the plain interpreter counts them."""
    found = {}
    for site in sites_of(few_to_read):
        frame = patients_at(site, STUDY.question)
        found[site.name] = [table.flat() for table in tables(frame, STUDY.question, NEEDS)]
    return found


@pytest.mark.parametrize("place", Place)
@pytest.mark.parametrize("name", CERTAIN)
def test_a_rule_gives_what_it_gives_by_hand(
    few_to_read: Path, held: dict[str, list[Counts]], name: str, place: Place
) -> None:
    release = placed(RELEASES[name], place)
    expected = released(held, release)
    survival = expected[SURVIVAL]
    empty = [arm for arm in range(len(ARMS)) if not parts_of(survival, arm).shown.any()]
    if empty and not survival.withheld.any():
        name_of_arm = re.escape(ARMS[empty[0]])
        with pytest.raises(Refused, match=f"leaves the arm '{name_of_arm}' without"):
            run(few_to_read, release)
        return
    result = run(few_to_read, release)
    assert len(result.cohort.attrition) == expected[NEEDS[0]].shown.size
    for row, step in enumerate(result.cohort.attrition):
        same_count(step.patients, expected[NEEDS[0]], row)
    assert result.cohort.patients == result.cohort.attrition[-1].patients
    assert tuple(arm.arm for arm in result.arms) == ARMS
    for row, arm in enumerate(result.arms):
        same_arm(arm, row, expected)
    assert (result.log_rank, result.hazard_ratios) == (None, ())


def test_the_rules_above_ask_something_of_this_network(held: dict[str, list[Counts]]) -> None:
    """Some cells of some sites are small, and the sum has cells of every size."""
    kinds = [released(held, RELEASES[name]) for name in ("suppress-10", "round-up-10")]
    assert kinds[0][NEEDS[1]].withheld.any()
    assert kinds[0][SURVIVAL].withheld.any()
    together = [sum(parts) for parts in zip(*held.values(), strict=True)]
    assert (kinds[1][NEEDS[0]].shown > together[0]).all()
    assert set(range(4)) <= set(together[2].tolist())


@pytest.mark.parametrize("where", ["attrition", "events"])
def test_a_patient_more_at_one_site_is_seen(
    few_to_read: Path, held: dict[str, list[Counts]], where: str
) -> None:
    """The comparison above can fail."""
    site = next(iter(held))
    changed = [counts.copy() for counts in held[site]]
    changed[0 if where == "attrition" else 2][0] += 20
    expected = released({**held, site: changed}, RELEASES["round-up-10"])
    result = run(few_to_read, RELEASES["round-up-10"])
    steps, arm = result.cohort.attrition, result.arms[0]

    def compare() -> None:
        if where == "attrition":
            same_count(steps[0].patients, expected[NEEDS[0]], 0)
        else:
            same_arm(arm, 0, expected)

    with pytest.raises(AssertionError):
        compare()


# Cell keys


def keys_at(site: Path, seed: int) -> dict[int, int]:
    """The key of every person of a site, from its database alone."""
    salt = seeded_chance(seed, site.name).sticky("records")(16)
    store = Store(site)
    try:
        found = store.numpy(
            "SELECT person_id, hash(person_id, $salt) % 65536 AS key FROM person",
            {"salt": salt.hex()},
        )
    finally:
        store.close()
    return dict(zip(found["person_id"].tolist(), found["key"].tolist(), strict=True))


def sums_of_keys(site: Path, seed: int, study: Study) -> list[Counts]:
    """The sum of the keys of the patients in each cell, patient by patient."""
    keys, frame = keys_at(site, seed), patients_at(site, study.question)
    cohort = in_an_arm(frame, study.question)
    steps = len(study.question.cohort.steps)
    attrition = np.zeros(steps + 2, dtype=np.int64)
    for person, passed in frame.select("person_id", "steps_passed").iter_rows():
        attrition[: passed + 1] += keys[person]
    assignment = np.zeros(len(ARMS) + 2, dtype=np.int64)
    survival = np.zeros((len(ARMS), MONTHS, 2), dtype=np.int64)
    for person, arm, days, event in cohort.select("person_id", "arm", "days", "event").iter_rows():
        attrition[-1] += keys[person]
        assignment[arm] += keys[person]
        late = days > MONTHS * 487 // 16  # a month is 487/16 days
        month = MONTHS if late else max(1, -(-16 * days // 487))
        survival[arm, month - 1, 0 if event and not late else 1] += keys[person]
    outside = frame.filter(steps_passed=steps, arms_matched=0)
    assignment[-2] = sum(keys[person] for person in outside["person_id"])
    return [attrition, assignment, survival.reshape(-1)]


def test_cell_keys_are_the_sums_of_the_patients_keys(
    few_to_read: Path, held: dict[str, list[Counts]]
) -> None:
    rule = RULES["cell-key"].mechanism
    shown = [np.zeros_like(counts) for counts in next(iter(held.values()))]
    for site in sites_of(few_to_read):
        keys = sums_of_keys(site, SEED, STUDY)
        for place, counts in enumerate(held[site.name]):
            shown[place] += rule.apply(counts, system_source, keys[place]).shown
    result = run(few_to_read, RELEASES["cell-key"])
    assert [step.patients for step in result.cohort.attrition] == shown[0].tolist()
    cells = shown[2].reshape(len(ARMS), MONTHS, 2)
    for arm, found in enumerate(result.arms):
        assert found.events == cells[arm, :, 0].sum()
        assert found.censored == cells[arm, :, 1].sum()
        for mark in found.survival:
            same(mark.estimate, survival_at(cells[arm].astype(np.float64), mark.months))
    other = run(few_to_read, RELEASES["cell-key"], seed=SEED + 1)
    assert other.cohort != result.cohort


def in_another_order(study: Study) -> Study:
    """A question that says the same in other words: its second and third steps change places."""
    steps = list(study.question.cohort.steps)
    steps[1], steps[2] = steps[2], steps[1]
    cohort = Cohort(study.question.cohort.index, tuple(steps))
    asked = msgspec.structs.replace(study.question, cohort=cohort)
    return msgspec.structs.replace(study, question=asked)


def test_the_same_patients_have_the_same_noise_whatever_the_question(few_to_read: Path) -> None:
    one = run(few_to_read, RELEASES["cell-key"])
    other = run(few_to_read, RELEASES["cell-key"], in_another_order(STUDY))
    steps = [[step.patients for step in found.cohort.attrition] for found in (one, other)]
    assert steps[0][:2] == steps[1][:2]
    assert steps[0][3:] == steps[1][3:]
    assert one.fingerprints["study"] != other.fingerprints["study"]
    assert one.arms == other.arms


PEOPLE: Final = 20


def counted_with_keys(folder: Path, people: int, steps: str) -> tuple[Counts, Counts]:
    """The last step of a question at a site of so many, and the sum of its keys."""
    drawn = [record(f"index on {person}, watched 0 to 900") for person in range(people)]
    store = Store(write_omop(folder, rows(enumerate(drawn, start=1))))
    try:
        (counts,), (keys,) = answer_with_keys(
            store, question(steps=steps), [AttritionNeed()], death_by_month=False, salt=b"salt"
        )
    finally:
        store.close()
    return counts.flat(), keys.flat()


def test_one_patient_more_changes_the_key_by_that_patients(tmp_path: Path) -> None:
    counts, keys = counted_with_keys(tmp_path, PEOPLE, "")
    more, with_one = counted_with_keys(tmp_path, PEOPLE + 1, "")
    same_again, in_words = counted_with_keys(
        tmp_path, PEOPLE, "  - step: a woman\n    require: {sex: female}"
    )
    with duckdb.connect() as database:
        found = database.execute(
            "SELECT hash(?::INTEGER, ?) % 65536", [PEOPLE + 1, b"salt".hex()]
        ).fetchone()
    assert found is not None
    assert (more - counts).tolist() == [1, 1]
    assert (with_one - keys).tolist() == [found[0]] * 2
    assert found[0] % 256
    assert same_again.tolist() == [PEOPLE] * 3
    assert set(in_words.tolist()) == set(keys.tolist())
